//! Whatever an If-Match says, it names tags or it doesn't.
#![no_main]

libfuzzer_sys::fuzz_target!(
    init: media::write_seed("condition", "tags", b"\"a\", W/\"b\" ,\"c,d\"\n\"*\""),
    |text: &str| media::condition(text)
);
