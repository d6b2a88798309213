//! No PATCH does more harm than to be refused.

use fuzzing::write_seed;

/// The seeds.
pub fn begin() {
    media::contained();
    let restart = "a=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\na=mid:0\r\na=candidate:1 1 udp 1 192.0.2.7 4444 typ host\r\n";
    write_seed("fragment", "restart", restart.as_bytes());
}

/// One input.
pub fn fuzz(bytes: &[u8]) {
    fuzzing::text(bytes, media::fragment);
}
