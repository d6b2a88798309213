//! The format and its verifier, attacked. One program: each would be linked with all of it otherwise.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod addendum;
mod attack;
mod cli;
mod disclosure;
mod disposal;
mod foreign;
mod hierarchy;
mod manifest;
mod receipt;
mod sample;
mod seal;
mod standalone;
mod tamper;
mod timestamp;
mod timestamp_forged;
mod tlog;
mod vectors;
