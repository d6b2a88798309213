//! The sealed exhibit: a format that a court can check without trusting whoever made it. `docs/exhibit-format.md` says it in words.
//!
//! Pure: no network, no async, no clock and no randomness of its own. Only [`verify`] and [`tlog::audit`] read files.
//!
//! From the inside out: [`chain`] links a track's segments, [`manifest`] says what the exhibit is, [`bag`] lays it out
//! as files, [`seal`] signs that layout, [`timestamp`] says when, [`package`] adds the proofs and streams it all as one tar,
//! [`verify`] checks it. [`tlog`] is the transparency log that seals are entered in, [`tombstone`] what is left after disposal.

pub mod access;
pub mod bag;
pub mod chain;
pub mod disclosure;
pub mod jcs;
pub mod manifest;
pub mod package;
pub mod receipt;
pub mod seal;
pub mod sha256;
pub mod tar;
pub mod time;
pub mod timestamp;
pub mod tlog;
pub mod tombstone;
pub mod verify;

pub use manifest::{
    Encryption, FORMAT, Item, ItemFacts, ItemKind, Manifest, MediaType, Missing, Parent, Segment, Segments, Track,
};
pub use sha256::{Digest, Hasher};

/// One file of a package that fits in memory: where it lies, and its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SmallFile {
    /// Path from the package's root, such as `bag/bagit.txt`.
    pub path: String,
    /// What is in it.
    pub bytes: Vec<u8>,
}

impl SmallFile {
    fn new(path: &str, bytes: impl Into<Vec<u8>>) -> Self {
        Self { path: path.to_owned(), bytes: bytes.into() }
    }
}
