//! The media core and the spool's films, with doors for the targets; and what they begin with.

use std::{fs, path::Path};

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

/// Writes a seed of chunks, each behind its length, after a head: where `deploy/dev/fuzz` says.
pub fn seed(target: &str, name: &str, chunks: &[&[u8]], head: &[u8]) {
    let chunks = chunks.iter().map(|chunk| [&(chunk.len() as u16).to_be_bytes()[..], chunk].concat());
    write_seed(target, name, &[head, &chunks.collect::<Vec<_>>().concat()].concat());
}

/// The same, as it is.
pub fn write_seed(target: &str, name: &str, bytes: &[u8]) {
    let Some(folder) = std::env::var_os("ALCOVE_FUZZ_SEEDS") else { return };
    let folder = Path::new(&folder).join(target);
    fs::create_dir_all(&folder).expect("a folder for seeds");
    fs::write(folder.join(name), bytes).expect("a seed");
}
