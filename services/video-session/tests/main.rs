//! The service with a real Postgres, NATS and browsers; files called `media_…` are of the media core alone. One program: each would be linked with all of it otherwise.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod away;
mod chapters;
mod chat;
mod chat_kept;
mod claims;
mod consent;
mod cover;
mod desk;
mod door;
mod duress;
mod fast_track;
mod handover;
mod instances;
mod isolation;
mod lost_answers;
mod media_command;
mod media_hold;
mod media_loss;
mod media_offers;
mod media_recording;
mod media_restart;
mod media_support;
mod media_tcp;
mod narrow_path;
mod page;
mod page_back;
mod people;
mod photographs;
mod recording;
mod rejoin;
mod release;
mod rig;
mod stand_in;
mod stills;
mod texts;
mod texts_instances;
mod upload;
mod web;
mod wire;
