//! No offer, however it is made, does more harm than to be refused.

use fuzzing::write_seed;

/// The seeds.
pub fn begin() {
    media::contained();
    for (number, offer) in media::OFFERS.iter().enumerate() {
        write_seed("sdp", &number.to_string(), offer.as_bytes());
    }
}

/// One input.
pub fn fuzz(bytes: &[u8]) {
    fuzzing::text(bytes, media::sdp);
}
