//! Nobody but who has the offer's certificate gets keys, whatever becomes of their datagrams.

use fuzzing::seed;

/// The seeds.
pub fn begin() {
    media::contained();
    for profiles in [0, 1] {
        seed(
            "handshake",
            &format!("whole-{profiles}"),
            &[&[22, 254, 253, 0, 0, 0, 0]],
            &[&[profiles][..], &[0; 63]].concat(),
        );
    }
    seed("handshake", "flipped", &[], &[0x40, 0, 60, 255].repeat(16));
    seed("handshake", "lost", &[], &[0, 0, 0, 0, 0xc0, 0, 0, 0].repeat(8));
}

/// One input.
pub fn fuzz(bytes: &[u8]) {
    media::handshake(bytes);
}
