//! A manifest is read in its canonical form or not at all: what is accepted is written again byte for byte. So is a line
//! of the access log.
#![no_main]

use exhibit::{Manifest, access};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(manifest) = Manifest::parse(bytes) {
        assert_eq!(manifest.to_bytes().ok().as_deref(), Some(bytes));
    }
    let _ = access::check(bytes, uuid::Uuid::nil().into());
});
