//! The working copy: one film of all tracks side by side, with the time of day and the seal's digest in the picture. Made
//! after the seal and never part of it; for whoever must look quickly, and marked so that nobody takes it for the master.
//!
//! [`Plan`] says what goes where and when, [`Tools`] is ffmpeg as a process, [`Kept`] the encrypted file it ends up in. Beside the
//! film: the stills that were asked for in the call ([`Wanted`]), taken out of the master as they are.
//! Not linked in: what decodes media that strangers sent is better a process that can be killed.

mod graph;
mod kept;
mod plan;
mod stills;
mod tools;

pub use kept::{Kept, keep};
pub use plan::{Clip, Plan};
pub use stills::{Wanted, is_picture, picture};
pub use tools::{Failed, Tools};

/// The film's name among an exhibit's derived files.
pub const FILM: &str = "working-copy.mp4";
/// What the film was made of, and how: its name.
pub const FACTS: &str = "working-copy.json";
/// In the picture, and in the metadata.
pub const NOTICE: &str = "WORKING COPY - NOT THE MASTER";
