//! Parcels, with partners' systems that fail in every way.

mod claims;
pub mod hook;
mod hooks;
pub mod mail;
pub mod rig;
mod whole;
mod withdrawal;
