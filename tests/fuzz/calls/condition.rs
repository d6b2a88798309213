//! Whatever an If-Match says, it names tags or it doesn't.

use fuzzing::write_seed;

/// The seeds.
pub fn begin() {
    write_seed("condition", "tags", b"\"a\", W/\"b\" ,\"c,d\"\n\"*\"");
}

/// One input.
pub fn fuzz(bytes: &[u8]) {
    fuzzing::text(bytes, media::condition);
}
