//! Journeys of all services together, and what holds for the whole repository. One program: each would be linked with all of it otherwise.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod access;
mod architecture;
mod chaos;
mod foreign;
mod journey;
mod journey_again;
mod journey_chat;
mod journey_consent;
mod journey_console;
mod journey_cover;
mod journey_desk;
mod journey_duress;
mod journey_fast_track;
mod journey_faults;
mod journey_firefox;
mod journey_help;
mod journey_instances;
mod journey_lent;
mod journey_lip_sync;
mod journey_networks;
mod journey_orders;
mod journey_people;
mod journey_secure;
mod journey_shapes;
mod journey_sign_in;
mod journey_stills;
mod journey_text;
mod manifests;
mod privacy;
mod run;
mod shutdown;
mod telemetry;
mod threats;
mod trace;
mod weather;
mod wire;
