//! What can be wrong with what a log says.

/// Why a text, a path or a signature was refused. The words are for a report: they quote no more than key names.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It isn't what the writer of such a thing writes.
    #[error("not a {what}: {why}")]
    Malformed {
        /// What it should have been.
        what: &'static str,
        /// The rule that it breaks.
        why: &'static str,
    },
    /// An index or an older size that lies beyond the tree.
    #[error("beyond the end of the tree")]
    OutOfRange,
    /// The hashes don't lead from the leaf to the root.
    #[error("the inclusion path does not lead from this entry, at this index, to this root")]
    NotIncluded,
    /// The hashes don't show that the newer tree begins with the older one.
    #[error("the consistency path does not show that the newer tree begins with the older one")]
    Inconsistent,
    /// No signature of a key that must have signed.
    #[error("not signed by {0}")]
    NotSigned(String),
    /// There is a signature of that key, and it is false.
    #[error("the signature of {0} is false")]
    FalseSignature(String),
    /// A checkpoint of another log.
    #[error("the checkpoint is of another log: {0}")]
    OtherOrigin(String),
    /// Too few of the witnesses have cosigned.
    #[error("cosigned by {have} of the known witnesses, and {need} are needed")]
    TooFewWitnesses {
        /// How many have.
        have: usize,
        /// How many must have.
        need: usize,
    },
}

impl Error {
    pub(super) fn malformed(what: &'static str, why: &'static str) -> Self {
        Self::Malformed { what, why }
    }
}
