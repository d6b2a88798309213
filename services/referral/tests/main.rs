//! The service with a real Postgres and NATS. One program: each would be linked with all of it otherwise.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod callers;
mod clocks;
mod delivery;
mod desk;
mod disclosures;
mod follow_ups;
mod index;
mod isolation;
mod links;
mod packages;
mod partners;
mod people;
mod referrals;
mod risk;
mod schedules;
mod sealings;
mod statements;
