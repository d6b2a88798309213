//! Whoever knows no secret gets no answer from the open port, whatever they send.

use fuzzing::seed;

/// The seeds.
pub fn begin() {
    media::contained();
    let signature = [&[media::NAMED, 0, 8, 0, 20][..], &[9; 20]].concat();
    let dtls = [&[22, 254, 253][..], &[0; 10]].concat();
    seed("datagrams", "strangers", &[&signature, &dtls, &[0x80; 40]], &[]);
}

/// One input.
pub fn fuzz(bytes: &[u8]) {
    media::datagrams(bytes);
}
