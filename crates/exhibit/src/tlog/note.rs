//! Signed notes: <https://c2sp.org/signed-note>, with Ed25519 signatures (type 0x01) and the timestamped cosignatures of
//! <https://c2sp.org/tlog-cosignature> (type 0x04).

mod key;

use std::fmt;

pub use key::{KeyType, SignerKey, VerifierKey, is_key_name};

use super::{Error, text};

/// No note is longer, in bytes. Room for 32 of C2SP's largest signatures.
pub const NOTE_AT_MOST: usize = 128 * 1024;
/// No note has more signatures. C2SP asks for 16 at least.
pub const SIGNATURES_AT_MOST: usize = 32;

const WHAT: &str = "signed note";

/// One signature of a note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    name: String,
    key_id: [u8; 4],
    bytes: Vec<u8>,
}

/// A text and the signatures under it. That it could be parsed says nothing about who signed it: ask [`SignedNote::verify`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedNote {
    text: String,
    signatures: Vec<Signature>,
}

impl Signature {
    /// Whom it claims to be by.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The first four bytes of the key's hash.
    #[must_use]
    pub fn key_id(&self) -> [u8; 4] {
        self.key_id
    }

    /// The signature itself, without the key id: 64 bytes, or 72 for a cosignature.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// When a cosignature says it was made, in seconds since 1970: its first eight bytes. Nothing for another kind of signature, and
    /// not to be believed before [`SignedNote::verify`].
    #[must_use]
    pub fn cosigned_at(&self) -> Option<u64> {
        let (time, rest) = self.bytes.split_first_chunk::<8>()?;
        (rest.len() == 64).then(|| u64::from_be_bytes(*time))
    }

    /// Reads a line, its newline included.
    ///
    /// # Errors
    /// When it isn't `— <name> <base64>` and a newline.
    pub fn parse(line: impl AsRef<[u8]>) -> Result<Self, Error> {
        const WHAT: &str = "signature line";
        let line = text::readable(WHAT, line.as_ref(), NOTE_AT_MOST)?;
        let whole = line.strip_suffix('\n').filter(|line| !line.contains('\n'));
        let line = whole.ok_or(Error::malformed(WHAT, "one line, ended by a newline"))?;
        let Some((name, blob)) = line.strip_prefix("— ").and_then(|rest| rest.split_once(' ')) else {
            return Err(Error::malformed(WHAT, "an em dash, the key's name, the signature in base64"));
        };
        if !is_key_name(name) {
            return Err(Error::malformed(WHAT, "the key's name has a space, a plus sign, or nothing"));
        }
        let blob = text::bytes_from_base64(blob).ok_or(Error::malformed(WHAT, "the signature is not base64"))?;
        match blob.split_first_chunk::<4>() {
            Some((key_id, bytes)) if !bytes.is_empty() => {
                Ok(Self { name: name.to_owned(), key_id: *key_id, bytes: bytes.to_vec() })
            }
            _ => Err(Error::malformed(WHAT, "the signature is too short")),
        }
    }
}

/// The line as it stands in the note, its newline included.
impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let blob = text::bytes_to_base64(&[&self.key_id[..], &self.bytes].concat());
        writeln!(f, "— {} {blob}", self.name)
    }
}

impl SignedNote {
    /// A note over `text` with its first signature. The text ends in a newline and has no control character but that.
    ///
    /// # Errors
    /// When the text is no text of a note, or too long.
    pub fn new(text: &str, signature: Signature) -> Result<Self, Error> {
        let text = text::readable(WHAT, text.as_bytes(), NOTE_AT_MOST)?;
        if !text.ends_with('\n') {
            return Err(Error::malformed(WHAT, "the text ends in a newline"));
        }
        let note = Self { text: text.to_owned(), signatures: vec![signature] };
        if note.to_text().len() > NOTE_AT_MOST { Err(Error::malformed(WHAT, "too long")) } else { Ok(note) }
    }

    /// Reads a note.
    ///
    /// # Errors
    /// When it isn't written as [`SignedNote::to_text`] writes it.
    pub fn parse(note: impl AsRef<[u8]>) -> Result<Self, Error> {
        let note = text::readable(WHAT, note.as_ref(), NOTE_AT_MOST)?;
        // The text may have empty lines: the last one is what ends it.
        let (text, lines) =
            note.rsplit_once("\n\n").ok_or(Error::malformed(WHAT, "no empty line before the signatures"))?;
        let signatures = lines.split_inclusive('\n').map(Signature::parse).collect::<Result<Vec<_>, _>>()?;
        match signatures.len() {
            0 => Err(Error::malformed(WHAT, "no signature")),
            1..=SIGNATURES_AT_MOST => Ok(Self { text: format!("{text}\n"), signatures }),
            _ => Err(Error::malformed(WHAT, "too many signatures")),
        }
    }

    /// What is signed: all before the empty line, its last newline included.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The signatures, in their order. Not verified.
    #[must_use]
    pub fn signatures(&self) -> &[Signature] {
        &self.signatures
    }

    /// Puts a signature under it, in the place of one by the same key if there is one.
    ///
    /// # Errors
    /// When the note would have too many, or become too long.
    pub fn add(&mut self, signature: Signature) -> Result<(), Error> {
        let mut signatures = self.signatures.clone();
        match signatures.iter_mut().find(|s| s.name == signature.name && s.key_id == signature.key_id) {
            Some(old) => *old = signature,
            None => signatures.push(signature),
        }
        let note = Self { text: self.text.clone(), signatures };
        if note.signatures.len() > SIGNATURES_AT_MOST || note.to_text().len() > NOTE_AT_MOST {
            return Err(Error::malformed(WHAT, "too many signatures"));
        }
        *self = note;
        Ok(())
    }

    /// The note: text, empty line, signatures.
    #[must_use]
    pub fn to_text(&self) -> String {
        let lines: String = self.signatures.iter().map(Signature::to_string).collect();
        format!("{}\n{lines}", self.text)
    }

    /// Checks the signature of one key. For a cosignature gives the time in it, in seconds since 1970; nothing for a plain one.
    ///
    /// # Errors
    /// [`Error::NotSigned`] when there is none of that key; [`Error::FalseSignature`] when any that claims to be is false.
    pub fn verify(&self, key: &VerifierKey) -> Result<Option<u64>, Error> {
        let mut found = Err(Error::NotSigned(key.name().to_owned()));
        for signature in &self.signatures {
            if signature.name == key.name() && signature.key_id == key.id() {
                let at = key.verify(&self.text, &signature.bytes)?;
                found = found.or(Ok(at));
            }
        }
        found
    }
}
