//! Parcels, with partners' systems that fail in every way.

mod hook;
mod hooks;
mod mail;
mod rig;
mod whole;
mod withdrawal;
