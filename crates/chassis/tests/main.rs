//! What every service has from the chassis. One program: each would be linked with all of it otherwise.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod aging;
mod config;
mod grpc;
mod http;
mod limits;
mod obedient;
mod rotation;
mod telemetry;
mod tokens;
mod who;
