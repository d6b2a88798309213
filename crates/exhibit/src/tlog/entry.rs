//! What is logged: four kinds of fact, each a few lines of text that `printf` can make and `sha256sum` can check.

use ids::{ExhibitId, TrackName};

use super::{Error, hash, text};
use crate::sha256::Digest;

/// No entry is longer, in bytes: tiles give its length two bytes.
pub(super) const ENTRY_AT_MOST: usize = u16::MAX as usize;
const WHAT: &str = "log entry";

/// One leaf of the log. It names an exhibit by its id and its proofs by their digests, and no person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// An exhibit was sealed.
    Seal {
        /// Which.
        exhibit: ExhibitId,
        /// SHA-256 of `proof/seal.p7s`.
        seal: Digest,
        /// SHA-256 of `proof/seal.tsr`; none where no timestamp authority is configured.
        timestamp: Option<Digest>,
    },
    /// How far an open exhibit's chains are.
    Heads {
        /// Which.
        exhibit: ExhibitId,
        /// Track, number of segments, chain head; by track, each once.
        heads: Vec<(TrackName, u64, Digest)>,
    },
    /// How far the log of an exhibit's accesses is.
    Access {
        /// Which.
        exhibit: ExhibitId,
        /// Number of accesses.
        n: u64,
        /// SHA-256 of the last line.
        head: Digest,
    },
    /// An exhibit's key was destroyed.
    Tombstone {
        /// Which.
        exhibit: ExhibitId,
        /// SHA-256 of `tombstone.p7s`.
        signature: Digest,
        /// SHA-256 of `tombstone.tsr`; none where no timestamp authority is configured.
        timestamp: Option<Digest>,
    },
}

impl Entry {
    /// The text that is hashed. Heads are written by track whatever their order.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Seal { exhibit, seal, timestamp } => {
                format!("alcove seal v1\n{exhibit}\n{seal}\n{}\n", or_dash(*timestamp))
            }
            Self::Heads { exhibit, heads } => {
                let mut lines: Vec<_> = heads.iter().collect();
                lines.sort();
                let lines: String =
                    lines.into_iter().map(|(track, n, head)| format!("{} {n} {head}\n", track.as_str())).collect();
                format!("alcove heads v1\n{exhibit}\n{lines}")
            }
            Self::Access { exhibit, n, head } => format!("alcove access v1\n{exhibit}\n{n}\n{head}\n"),
            Self::Tombstone { exhibit, signature, timestamp } => {
                format!("alcove tombstone v1\n{exhibit}\n{signature}\n{}\n", or_dash(*timestamp))
            }
        }
        .into_bytes()
    }

    /// Reads what [`Entry::to_bytes`] writes.
    ///
    /// # Errors
    /// When it is anything else.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let bad = |why| Error::malformed(WHAT, why);
        let lines = text::readable(WHAT, bytes, ENTRY_AT_MOST)?;
        let lines = lines.strip_suffix('\n').ok_or(bad("the last line has no end"))?;
        let mut lines = lines.split('\n');
        let kind = lines.next().unwrap_or_default();
        let exhibit = lines.next().and_then(|line| line.parse().ok()).ok_or(bad("the second line is not an id"))?;
        let rest: Vec<_> = lines.collect();
        let entry = match (kind, &rest[..]) {
            ("alcove seal v1", [seal, timestamp]) => {
                Self::Seal { exhibit, seal: digest(seal)?, timestamp: digest_or_dash(timestamp)? }
            }
            ("alcove heads v1", heads) => {
                let heads = heads.iter().map(|line| head(line)).collect::<Result<Vec<_>, _>>()?;
                if !heads.is_sorted_by(|a, b| a.0 < b.0) {
                    return Err(bad("tracks come in order, each once"));
                }
                Self::Heads { exhibit, heads }
            }
            ("alcove access v1", [n, head]) => {
                Self::Access { exhibit, n: text::size_from_text(n).ok_or(bad("not a number"))?, head: digest(head)? }
            }
            ("alcove tombstone v1", [signature, timestamp]) => {
                Self::Tombstone { exhibit, signature: digest(signature)?, timestamp: digest_or_dash(timestamp)? }
            }
            _ => return Err(bad("an unknown kind, or a wrong number of lines")),
        };
        // An id has spellings that we don't write.
        if entry.to_bytes() == bytes { Ok(entry) } else { Err(bad("not in its one spelling")) }
    }

    /// Its hash as a leaf: `SHA-256(0x00 || text)`.
    #[must_use]
    pub fn leaf_hash(&self) -> Digest {
        hash::leaf_hash(&self.to_bytes())
    }

    /// The exhibit that it is about.
    #[must_use]
    pub fn exhibit(&self) -> ExhibitId {
        match self {
            Self::Seal { exhibit, .. }
            | Self::Heads { exhibit, .. }
            | Self::Access { exhibit, .. }
            | Self::Tombstone { exhibit, .. } => *exhibit,
        }
    }
}

fn or_dash(digest: Option<Digest>) -> String {
    digest.map_or_else(|| "-".to_owned(), |digest| digest.to_string())
}

fn digest(text: &str) -> Result<Digest, Error> {
    text.parse().map_err(|_| Error::malformed(WHAT, "not a digest: 64 lower-case hex digits"))
}

fn digest_or_dash(text: &str) -> Result<Option<Digest>, Error> {
    if text == "-" { Ok(None) } else { digest(text).map(Some) }
}

fn head(line: &str) -> Result<(TrackName, u64, Digest), Error> {
    let bad = || Error::malformed(WHAT, "not a head: track, number of segments, chain head");
    let mut words = line.split(' ');
    let (Some(track), Some(n), Some(head), None) = (words.next(), words.next(), words.next(), words.next()) else {
        return Err(bad());
    };
    Ok((track.parse().map_err(|_| bad())?, text::size_from_text(n).ok_or_else(bad)?, digest(head)?))
}
