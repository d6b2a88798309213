//! Control rooms that speak MAIT: what is taken, what is refused, and what goes back.

mod fields;
mod hostile;
mod opening;
mod receiver;
mod samples;
mod sending;
mod who;
mod xsd;
