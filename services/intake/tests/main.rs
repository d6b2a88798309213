//! The service with a real Postgres and NATS. One program: each would be linked with all of it otherwise.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod answers;
mod away;
mod callbacks;
mod calls;
mod consents;
mod fast_track;
mod follow_ups;
mod force;
mod help;
mod isolation;
mod list;
mod location;
mod mait;
mod support;
mod watch;
