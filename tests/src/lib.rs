//! The parts that a whole call is played with: a control room, an officer, a caller, the package they leave behind.
//!
//! The journeys (`tests/tests`), the demo (`src/bin/dev`) and the bench play the same parts, so that what is shown,
//! what is tested and what is measured are the same call.

pub mod chaos;
pub mod control_room;
pub mod desk;
pub mod elsewhere;
pub mod help;
pub mod identity;
pub mod loan;
pub mod media_probe;
pub mod officer;
pub mod others;
pub mod package;
pub mod pages;
mod patience;
pub mod takeover;
pub mod weather;

pub use testkit::browser;
