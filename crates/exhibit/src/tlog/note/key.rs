//! Keys of notes: names, ids, and the one-line form in which a verifier gets them (`vkey`).

use std::{fmt, str::FromStr};

use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};

use super::Signature;
use crate::{
    sha256::Digest,
    tlog::{Error, text},
};

const WHAT: &str = "verifier key";
const NAME_AT_MOST: usize = 255;

/// What a key signs: C2SP's signature type byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyType {
    /// 0x01: the note's text.
    Ed25519,
    /// 0x04: a time and the note's text, as a witness does.
    CosignatureV1,
}

impl KeyType {
    fn byte(self) -> u8 {
        match self {
            Self::Ed25519 => 0x01,
            Self::CosignatureV1 => 0x04,
        }
    }
}

/// Whether a key may be called so: 1 to 255 bytes, no space or control character of any kind, no plus sign.
#[must_use]
pub fn is_key_name(name: &str) -> bool {
    (1..=NAME_AT_MOST).contains(&name.len())
        && !name.contains(|c: char| c.is_whitespace() || c.is_control() || c == '+')
}

/// A public key with its name. Written and read as a `vkey`: `<name>+<id, 8 hex digits>+<base64 of type byte and key>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    kind: KeyType,
    public: [u8; 32],
}

impl VerifierKey {
    /// A key of 32 bytes (RFC 8032) under a name.
    ///
    /// # Errors
    /// When a key can't have that name: see [`is_key_name`].
    pub fn new(name: &str, kind: KeyType, public: [u8; 32]) -> Result<Self, Error> {
        if !is_key_name(name) {
            return Err(Error::malformed("key name", "1 to 255 bytes, no space, no plus sign"));
        }
        Ok(Self { name: name.to_owned(), kind, public })
    }

    /// Whose it is.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it signs.
    #[must_use]
    pub fn kind(&self) -> KeyType {
        self.kind
    }

    /// The key as RFC 8032 writes it.
    #[must_use]
    pub fn public(&self) -> &[u8; 32] {
        &self.public
    }

    /// The first four bytes of `SHA-256(name || "\n" || type || key)`.
    #[must_use]
    pub fn id(&self) -> [u8; 4] {
        let input = [self.name.as_bytes(), b"\n", &[self.kind.byte()], &self.public].concat();
        let [a, b, c, d, ..] = *Digest::of(&input).as_bytes();
        [a, b, c, d]
    }

    /// Checks a signature over a note's text; gives the time in it if it is a cosignature.
    pub(super) fn verify(&self, text: &str, signature: &[u8]) -> Result<Option<u64>, Error> {
        let (message, signature, at) = match self.kind {
            KeyType::Ed25519 => (text.to_owned(), signature, None),
            KeyType::CosignatureV1 => {
                let split = signature.split_first_chunk::<8>().map(|(time, rest)| (u64::from_be_bytes(*time), rest));
                let (at, signature) =
                    split.filter(|(at, _)| is_time(*at)).ok_or_else(|| Error::FalseSignature(self.name.clone()))?;
                (cosigned(text, at), signature, Some(at))
            }
        };
        UnparsedPublicKey::new(&ED25519, &self.public)
            .verify(message.as_bytes(), signature)
            .map_err(|_| Error::FalseSignature(self.name.clone()))?;
        Ok(at)
    }
}

impl FromStr for VerifierKey {
    type Err = Error;

    fn from_str(vkey: &str) -> Result<Self, Error> {
        let shape = Error::malformed(WHAT, "<name>+<8 hex digits>+<base64>");
        // Neither a name nor a hash has a plus sign; base64 may.
        let mut parts = vkey.splitn(3, '+');
        let (Some(name), Some(_), Some(blob)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(shape);
        };
        if blob.len() > 64 {
            return Err(shape);
        }
        let blob = text::bytes_from_base64(blob).ok_or(shape)?;
        let (kind, public) = match blob.split_first() {
            Some((0x01, public)) => (KeyType::Ed25519, public),
            Some((0x04, public)) => (KeyType::CosignatureV1, public),
            _ => {
                return Err(Error::malformed(WHAT, "a type that is not known here: Ed25519 (1) or cosignature/v1 (4)"));
            }
        };
        let public = public.try_into().map_err(|_| Error::malformed(WHAT, "an Ed25519 key has 32 bytes"))?;
        let key = Self::new(name, kind, public)?;
        if key.to_string() != vkey {
            return Err(Error::malformed(WHAT, "its hash is not that of the name and key"));
        }
        Ok(key)
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let blob = [&[self.kind.byte()], &self.public[..]].concat();
        write!(f, "{}+{}+{}", self.name, hex::encode(self.id()), text::bytes_to_base64(&blob))
    }
}

/// A private key with its name. Its `Debug` shows the name alone.
pub struct SignerKey {
    name: String,
    pair: Ed25519KeyPair,
}

impl SignerKey {
    /// From the 32 bytes that RFC 8032 calls the private key.
    ///
    /// # Errors
    /// When a key can't have that name: see [`is_key_name`].
    pub fn from_seed(name: &str, seed: &[u8; 32]) -> Result<Self, Error> {
        if !is_key_name(name) {
            return Err(Error::malformed("key name", "1 to 255 bytes, no space, no plus sign"));
        }
        let pair =
            Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| Error::malformed("signer key", "not a seed"))?;
        Ok(Self { name: name.to_owned(), pair })
    }

    /// From a key file: the seed as 64 hex digits, or PKCS#8 in PEM as `openssl genpkey -algorithm ed25519` writes it.
    ///
    /// # Errors
    /// When it is neither, or a key can't have that name. The error never quotes the file.
    pub fn from_text(name: &str, text: &str) -> Result<Self, Error> {
        let seed =
            seed(text).ok_or(Error::malformed("signer key", "a seed of 64 hex digits, or PKCS#8 Ed25519 in PEM"))?;
        Self::from_seed(name, &seed)
    }

    /// What checks [`SignerKey::sign`].
    #[must_use]
    pub fn verifier(&self) -> VerifierKey {
        self.public_as(KeyType::Ed25519)
    }

    /// What checks [`SignerKey::cosign`].
    #[must_use]
    pub fn cosignature_verifier(&self) -> VerifierKey {
        self.public_as(KeyType::CosignatureV1)
    }

    fn public_as(&self, kind: KeyType) -> VerifierKey {
        let mut public = [0; 32];
        public.copy_from_slice(self.pair.public_key().as_ref());
        VerifierKey { name: self.name.clone(), kind, public }
    }

    /// Signs a note's text (type 0x01), as a log does.
    #[must_use]
    pub fn sign(&self, text: &str) -> Signature {
        let bytes = self.pair.sign(text.as_bytes()).as_ref().to_vec();
        Signature { name: self.name.clone(), key_id: self.verifier().id(), bytes }
    }

    /// Cosigns a checkpoint's text at a time in seconds since 1970 (type 0x04, cosignature/v1), as a witness does. A time after
    /// 2^63 - 1 is not a time: it is signed as that.
    #[must_use]
    pub fn cosign(&self, text: &str, unix_seconds: u64) -> Signature {
        let at = unix_seconds.min(LAST_TIME);
        let signature = self.pair.sign(cosigned(text, at).as_bytes());
        let bytes = [&at.to_be_bytes()[..], signature.as_ref()].concat();
        Signature { name: self.name.clone(), key_id: self.cosignature_verifier().id(), bytes }
    }
}

impl fmt::Debug for SignerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignerKey").field("name", &self.name).finish_non_exhaustive()
    }
}

fn seed(text: &str) -> Option<[u8; 32]> {
    let text = text.trim_end();
    let mut seed = [0; 32];
    if hex::decode_to_slice(text, &mut seed).is_ok() {
        return Some(seed);
    }
    let pem = text.strip_prefix("-----BEGIN PRIVATE KEY-----\n")?.strip_suffix("\n-----END PRIVATE KEY-----")?;
    let der = text::bytes_from_base64(pem)?;
    // RFC 8410, section 7: version 0, Ed25519, the seed in an octet string within an octet string.
    der.strip_prefix(b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20")?.try_into().ok()
}

const LAST_TIME: u64 = i64::MAX as u64;

fn is_time(at: u64) -> bool {
    at <= LAST_TIME
}

fn cosigned(text: &str, at: u64) -> String {
    format!("cosignature/v1\ntime {at}\n{text}")
}
