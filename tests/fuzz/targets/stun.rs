//! Whose check it is can be asked of any bytes.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| media::stun(bytes));
