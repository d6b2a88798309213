//! What comes by TCP is the same datagrams, however it is torn.
#![no_main]

libfuzzer_sys::fuzz_target!(
    init: media::seed("frames", "three", &[&[1; 40], &[], &[2; 300]], &[0, 1]),
    |bytes: &[u8]| media::frames(bytes)
);
