//! No PATCH does more harm than to be refused.
#![no_main]

libfuzzer_sys::fuzz_target!(
    init: {
        media::contained();
        let restart = "a=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\na=mid:0\r\na=candidate:1 1 udp 1 192.0.2.7 4444 typ host\r\n";
        media::write_seed("fragment", "restart", restart.as_bytes());
    },
    |text: &str| media::fragment(text)
);
