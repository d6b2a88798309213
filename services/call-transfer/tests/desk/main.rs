#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]
//! call-transfer over gRPC and NATS, with real Postgres and NATS.

mod consents;
mod offers;
mod race;
mod support;
