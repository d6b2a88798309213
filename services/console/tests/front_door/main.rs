#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]
//! The console as a browser meets it: signing in, the page, and gRPC-web to what lies behind.

mod pages;
mod proxy;
mod support;
