//! Control rooms that speak MAIT (Multi Agency Incident Transfer, BAPCO's open standard) instead of gRPC: a message opens a
//! call, and what happens to the call goes back as messages.
//!
//! **The element names are to be checked before a control room is connected.** The published schema could not be had when
//! this was written: the messages and their fields are those that the standard is for, but every name, and the namespace, is
//! ours. They are all in one table, `schema.rs`; nothing else names one. The README says where to ask.
//!
//! Reading and writing (`schema`, `shape`, `document`, `flaw`, `read`, `write`) know nothing of the service, and are fuzzed.
//! `opening` and `updates` are between messages and the domain; `web` and `listener` take messages in, `sender` sends them by `client`, and
//! `start` sets both going.

mod client;
pub mod document;
pub mod flaw;
mod listener;
mod opening;
pub mod read;
mod refused;
pub mod schema;
mod sender;
pub mod shape;
mod start;
mod updates;
mod web;
pub mod write;

pub use refused::Refused;
pub(crate) use start::start;
