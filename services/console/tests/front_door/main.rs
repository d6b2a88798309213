#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]
//! The console as a browser meets it: signing in, the page, and gRPC-web to what lies behind.

mod browser;
mod pages;
mod proxy;
mod renewal;
mod scribe;
mod sign_in;
mod sign_out;
mod support;
mod teller;
