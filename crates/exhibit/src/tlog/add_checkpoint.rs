//! What a log sends to a witness, `POST <prefix>/add-checkpoint`: <https://c2sp.org/tlog-witness>. The body is `old <size>`, a base64
//! line for each hash of the consistency path, an empty line, the checkpoint.

use super::{
    Error,
    note::{NOTE_AT_MOST, SignedNote},
    text,
};
use crate::sha256::Digest;

/// Hashes that a client may send.
const PATH_AT_MOST: usize = 63;
/// No body is longer, in bytes: a note, and a path before it.
pub const BODY_AT_MOST: usize = NOTE_AT_MOST + 45 * (PATH_AT_MOST + 1);

/// A checkpoint, and how it follows from an older one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddCheckpoint {
    /// The size that the path starts at.
    pub old: u64,
    /// RFC 6962, section 2.1.2.
    pub path: Vec<Digest>,
    /// Signed by the log, as is to be seen.
    pub note: SignedNote,
}

impl AddCheckpoint {
    /// Reads a body.
    ///
    /// # Errors
    /// When it is anything else than C2SP says.
    pub fn parse(body: &[u8]) -> Result<Self, Error> {
        let bad = |why| Error::malformed("add-checkpoint", why);
        if body.len() > BODY_AT_MOST {
            return Err(bad("too long"));
        }
        let body = std::str::from_utf8(body).map_err(|_| bad("not UTF-8"))?;
        let (head, note) = body.split_once("\n\n").ok_or(bad("no empty line before the checkpoint"))?;
        let mut lines = head.split('\n');
        let old = lines.next().and_then(|line| line.strip_prefix("old ")).and_then(text::size_from_text);
        let old = old.ok_or(bad("the first line is `old` and a size"))?;
        let path = lines
            .map(|line| text::digest_from_base64(line).ok_or(bad("a line of the path is not a digest")))
            .collect::<Result<Vec<_>, _>>()?;
        if path.len() > PATH_AT_MOST {
            return Err(bad("more than 63 hashes"));
        }
        Ok(Self { old, path, note: SignedNote::parse(note)? })
    }

    /// The body of it.
    #[must_use]
    pub fn to_text(&self) -> String {
        let path: String = self.path.iter().map(|hash| format!("{}\n", text::digest_to_base64(hash))).collect();
        format!("old {}\n{path}\n{}", self.old, self.note.to_text())
    }
}
