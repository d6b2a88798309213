//! What the other tests rely on. One program: each would be linked with all of it otherwise.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod orphans;
mod servers;
mod stand_ins;
