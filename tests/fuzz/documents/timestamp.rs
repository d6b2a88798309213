//! An authority's answer from anywhere: read or refused.

use exhibit::timestamp::Response;

/// One input.
pub fn fuzz(bytes: &[u8]) {
    if let Ok(response) = Response::parse(bytes) {
        let _ = response.read();
        let _ = response.certificates();
    }
}
