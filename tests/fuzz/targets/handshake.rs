//! Nobody but who has the offer's certificate gets keys, whatever becomes of their datagrams.
#![no_main]

libfuzzer_sys::fuzz_target!(
    init: {
        media::contained();
        for profiles in [0, 1] {
            media::seed("handshake", &format!("whole-{profiles}"), &[&[22, 254, 253, 0, 0, 0, 0]], &[&[profiles][..], &[0; 63]].concat());
        }
        media::seed("handshake", "flipped", &[], &[0x40, 0, 60, 255].repeat(16));
        media::seed("handshake", "lost", &[], &[0, 0, 0, 0, 0xc0, 0, 0, 0].repeat(8));
    },
    |bytes: &[u8]| media::handshake(bytes)
);
