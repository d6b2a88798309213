//! Clock and entropy, as the services have them.

#[path = "../../../crates/chassis/src/clock.rs"]
mod clock;
#[path = "../../../crates/chassis/src/entropy.rs"]
mod entropy;

pub use clock::{Clock, ManualClock};
pub use entropy::Entropy;
