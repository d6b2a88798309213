//! Whoever knows no secret gets no answer from the open port, whatever they send.
#![no_main]

libfuzzer_sys::fuzz_target!(
    init: {
        media::contained();
        let signature = [&[media::NAMED, 0, 8, 0, 20][..], &[9; 20]].concat();
        let dtls = [&[22, 254, 253][..], &[0; 10]].concat();
        media::seed("datagrams", "strangers", &[&signature, &dtls, &[0x80; 40]], &[]);
    },
    |bytes: &[u8]| media::datagrams(bytes)
);
