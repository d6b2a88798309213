//! No offer, however it is made, does more harm than to be refused.
#![no_main]

libfuzzer_sys::fuzz_target!(
    init: {
        media::contained();
        for (number, offer) in media::OFFERS.iter().enumerate() {
            media::write_seed("sdp", &number.to_string(), offer.as_bytes());
        }
    },
    |text: &str| media::sdp(text)
);
