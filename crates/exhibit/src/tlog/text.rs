//! The spellings that all these texts share: decimal numbers, base64 (RFC 4648, section 4), lines. One spelling a value.

use base64::{Engine, engine::general_purpose::STANDARD};

use super::Error;
use crate::sha256::Digest;

/// A number in decimal: ASCII digits, no sign, no leading zero, within `u64`.
#[must_use]
pub fn size_from_text(text: &str) -> Option<u64> {
    let plain = text.bytes().all(|b| b.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    if plain { text.parse().ok() } else { None }
}

/// A digest as these texts write it: 44 characters.
#[must_use]
pub fn digest_to_base64(digest: &Digest) -> String {
    STANDARD.encode(digest.as_bytes())
}

/// Reads [`digest_to_base64`]'s spelling and no other.
#[must_use]
pub fn digest_from_base64(text: &str) -> Option<Digest> {
    if text.len() != 44 {
        return None;
    }
    Digest::try_from(STANDARD.decode(text).ok()?.as_slice()).ok()
}

/// Standard base64, padded, no stray bits.
pub(super) fn bytes_to_base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

pub(super) fn bytes_from_base64(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

/// UTF-8 of at most `limit` bytes, with no control character but newline.
pub(super) fn readable<'a>(what: &'static str, bytes: &'a [u8], limit: usize) -> Result<&'a str, Error> {
    if bytes.len() > limit {
        return Err(Error::malformed(what, "too long"));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| Error::malformed(what, "not UTF-8"))?;
    if text.bytes().any(|b| b < 0x20 && b != b'\n') {
        return Err(Error::malformed(what, "a control character"));
    }
    Ok(text)
}
