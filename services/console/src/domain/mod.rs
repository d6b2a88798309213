//! Who is signed in: a sign-in that has begun, the sessions that hold, and which requests are ours. Pure.

mod begun;
mod origin;
mod session;
mod sessions;
#[cfg(test)]
mod tests;
mod tries;

pub use begun::{Beginnings, Begun};
pub use origin::same_origin;
pub use session::{Grant, Officer, Session};
pub use sessions::{Key, Limits, Sessions};
pub use tries::Tries;
