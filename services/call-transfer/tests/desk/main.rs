#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]
//! call-transfer over gRPC and NATS, with real Postgres and NATS.

mod alerts;
mod consents;
mod figures;
mod isolation;
mod killed;
mod offers;
mod officer;
mod queue;
mod race;
mod support;
mod ticker;
mod upgrade;
