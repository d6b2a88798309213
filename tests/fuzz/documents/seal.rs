//! A signature and certificates from anywhere: read or refused.

use exhibit::seal::{Certificate, CheckedSeal, Roots};

/// One input.
pub fn fuzz(bytes: &[u8]) {
    if let Ok(seal) = CheckedSeal::open(bytes) {
        let _ = seal.is_over(bytes);
    }
    let _ = Certificate::from_der(bytes);
    if let Ok(pem) = std::str::from_utf8(bytes) {
        let _ = Roots::from_pem(pem);
    }
}
