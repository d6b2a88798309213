#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]
//! call-transfer over gRPC and NATS, with real Postgres and NATS.

mod aid;
mod alerts;
mod callbacks;
mod consents;
mod crossed;
mod figures;
mod follow_ups;
mod hours;
mod isolation;
mod killed;
mod loans;
mod meanwhile;
mod offers;
mod officer;
mod queue;
mod race;
mod reassign;
mod support;
mod ticker;
mod upgrade;
