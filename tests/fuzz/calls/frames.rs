//! What comes by TCP is the same datagrams, however it is torn.

use fuzzing::seed;

/// The seeds.
pub fn begin() {
    seed("frames", "three", &[&[1; 40], &[], &[2; 300]], &[0, 1]);
}

/// One input.
pub fn fuzz(bytes: &[u8]) {
    media::frames(bytes);
}
