//! The service with a real Postgres, NATS and disk. One program: each would be linked with all of it otherwise.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod addendum;
mod append;
mod archive;
mod archive_killed;
mod authority;
mod crash;
mod disclosure;
mod disposal;
mod faults;
mod fence;
mod headers;
mod isolation;
mod items;
mod keys;
mod killed;
mod log;
mod receipts;
mod reindex;
mod replicas;
mod reread;
mod retention;
mod rollback;
mod seal;
mod skew;
mod steps;
mod stills;
mod support;
mod timestamping;
mod torture;
mod witness;
mod working_copy;
