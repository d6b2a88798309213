//! Events over a real Postgres and NATS. One program: each would be linked with all of it otherwise.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod away;
mod by_hand;
mod checkpoints;
mod crash;
mod journey;
mod poison;
mod pool;
mod replay;
mod role;
mod silent;
mod trace;
mod upgrade;
mod world;
