//! The media core and the spool's films, with doors for the targets.

#[allow(dead_code, reason = "the service uses the rest")]
#[path = "../../../services/video-session/src/bucket.rs"]
mod bucket;
#[allow(dead_code, reason = "the service uses the rest")]
mod domain;
#[allow(dead_code, unused_imports, reason = "the service uses the rest")]
#[path = "../../../services/video-session/src/media/mod.rs"]
mod media;
#[allow(dead_code, reason = "the service uses the rest")]
mod spool;
#[allow(dead_code, reason = "the service uses the rest")]
#[path = "../../../services/video-session/src/subscriber.rs"]
mod subscriber;

pub use media::fuzz::*;
pub use spool::film;
