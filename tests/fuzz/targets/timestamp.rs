//! An authority's answer from anywhere: read or refused.
#![no_main]

use exhibit::timestamp::Response;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(response) = Response::parse(bytes) {
        let _ = response.read();
        let _ = response.certificates();
    }
});
