//! What a log commits to at a size: <https://c2sp.org/tlog-checkpoint>, without extension lines.

use super::{
    Error,
    note::{SignedNote, SignerKey, VerifierKey},
    text,
};
use crate::sha256::Digest;

const WHAT: &str = "checkpoint";
const ORIGIN_AT_MOST: usize = 255;

/// A log's name, size and root. The text of the note that the log signs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which log: see [`is_origin`].
    pub origin: String,
    /// Number of entries.
    pub size: u64,
    /// Root of the tree of that many entries.
    pub root: Digest,
}

/// Whether a log may be called so: 1 to 255 bytes of UTF-8 without control characters.
#[must_use]
pub fn is_origin(origin: &str) -> bool {
    (1..=ORIGIN_AT_MOST).contains(&origin.len()) && !origin.contains(char::is_control)
}

impl Checkpoint {
    /// The three lines. `origin` must be one ([`is_origin`]), or nobody will be able to read them.
    #[must_use]
    pub fn to_text(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, text::digest_to_base64(&self.root))
    }

    /// Reads the three lines: the text of a note, whose signatures are not looked at.
    ///
    /// # Errors
    /// When it is anything else than three such lines.
    pub fn parse(note_text: impl AsRef<[u8]>) -> Result<Self, Error> {
        let lines = text::readable(WHAT, note_text.as_ref(), 512)?;
        let lines = lines.strip_suffix('\n').ok_or(Error::malformed(WHAT, "the last line has no end"))?;
        let mut lines = lines.split('\n');
        let (Some(origin), Some(size), Some(root), None) = (lines.next(), lines.next(), lines.next(), lines.next())
        else {
            return Err(Error::malformed(WHAT, "three lines: origin, size, root; extension lines are not taken"));
        };
        if !is_origin(origin) {
            return Err(Error::malformed(WHAT, "the origin is empty or too long"));
        }
        let size = text::size_from_text(size).ok_or(Error::malformed(WHAT, "the size is not a number"))?;
        let root = text::digest_from_base64(root).ok_or(Error::malformed(WHAT, "the root is not a digest"))?;
        if size == 0 && root != super::empty_root() {
            return Err(Error::malformed(WHAT, "an empty tree has another root"));
        }
        Ok(Self { origin: origin.to_owned(), size, root })
    }

    /// The note of it, signed by the log.
    ///
    /// # Errors
    /// When `origin` is none.
    pub fn sign(&self, log: &SignerKey) -> Result<SignedNote, Error> {
        let text = self.to_text();
        Self::parse(&text)?;
        SignedNote::new(&text, log.sign(&text))
    }

    /// Reads a note that the log must have signed. The log's key is named as the log is.
    ///
    /// # Errors
    /// When the signature is absent or false, or the text is no checkpoint of that log.
    pub fn open(note: &SignedNote, log: &VerifierKey) -> Result<Self, Error> {
        note.verify(log)?;
        let checkpoint = Self::parse(note.text())?;
        if checkpoint.origin != log.name() {
            return Err(Error::OtherOrigin(checkpoint.origin));
        }
        Ok(checkpoint)
    }
}
