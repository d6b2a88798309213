//! What a crash or a bad disk leaves of a recording is read as far as it is whole.

use fuzzing::seed;

/// The seeds.
pub fn begin() {
    let whole = [&[1, 0, 0][..], &[7; 40]].concat();
    let torn = [&[1, 1, 200][..], &[8; 20]].concat();
    seed("film", "torn", &[&whole, &torn], &[]);
    seed("film", "damaged", &[&whole, b"not a segment", &[1, 2, 0, 9], &[1, 3, 255]], &[]);
}

/// One input.
pub fn fuzz(bytes: &[u8]) {
    media::film(bytes);
}
