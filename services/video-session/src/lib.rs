//! video-session: the video call. Who is in it, how the caller gets in, the media, and its recording on its way to
//! evidence-store.
//!
//! `domain` decides, `app` runs a use case in one transaction, `media` carries the packets, `recorder` and `spool` keep
//! what was recorded, `talk` what is written, `texts` the messages with a link, `duress` what is seen of a call for help, `closer` sees a session to its end, `lease` says which instance carries it; `grpc` is the
//! desk's side and `web` the caller's.

pub mod access;
pub mod app;
pub mod changes;
pub mod chapters;
pub mod closer;
pub mod config;
pub mod domain;
pub mod duress;
pub mod error;
pub mod events;
pub mod grpc;
pub mod keys;
pub mod lease;
pub mod ledger;
pub mod media;
pub mod recorder;
pub mod recording;
pub mod rooms;
pub mod spool;
pub mod stills;
pub mod store;
pub mod talk;
pub mod texts;
pub mod web;
pub mod wishes;

mod bucket;
mod lent;
mod metrics;
mod serve;
mod subscriber;

pub use config::Config;
pub use serve::{Failed, migrate, run};
