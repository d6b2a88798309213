//! The two things in a package that are signed, stamped and logged: what the seal is over, and the tombstone.

use ids::ExhibitId;

use crate::{Digest, package, tlog::Entry, tombstone};

/// A signed file and what proves it: where each lies.
pub struct Signed {
    /// What an entry of the log is about that names it.
    pub what: &'static str,
    /// What is signed.
    pub content: &'static str,
    /// The signature.
    pub signature: &'static str,
    /// The timestamp over the signature.
    pub timestamp: &'static str,
    /// The authority's certificate, where it is shown.
    pub authority: Option<&'static str>,
    /// The log's entry.
    pub entry: &'static str,
    /// The proof that the log has it.
    pub proof: &'static str,
    /// Exhibit, signature and timestamp that an entry of this kind names.
    pub named: fn(&Entry) -> Option<Named>,
}

/// See [`Signed::named`].
pub type Named = (ExhibitId, Digest, Option<Digest>);

/// What was sealed.
pub const SEAL: Signed = Signed {
    what: "a seal",
    content: package::TAGMANIFEST,
    signature: package::SEAL,
    timestamp: package::TIMESTAMP,
    authority: Some(package::TSA),
    entry: package::LOG_ENTRY,
    proof: package::LOG_PROOF,
    named: |entry| match entry {
        Entry::Seal { exhibit, seal, timestamp } => Some((*exhibit, *seal, *timestamp)),
        _ => None,
    },
};

/// That it was disposed of.
pub const TOMBSTONE: Signed = Signed {
    what: "a disposal",
    content: tombstone::TOMBSTONE,
    signature: tombstone::SIGNATURE,
    timestamp: tombstone::TIMESTAMP,
    authority: None,
    entry: tombstone::LOG_ENTRY,
    proof: tombstone::LOG_PROOF,
    named: |entry| match entry {
        Entry::Tombstone { exhibit, signature, timestamp } => Some((*exhibit, *signature, *timestamp)),
        _ => None,
    },
};
