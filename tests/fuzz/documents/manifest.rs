//! A manifest is read in its canonical form or not at all: what is accepted is written again byte for byte. So are a list of segments and a
//! line of the access log, a tombstone, and a choice for a disclosure.

use exhibit::{Manifest, Segment, access, disclosure::Disclosure, tombstone::Tombstone};

/// One input.
pub fn fuzz(bytes: &[u8]) {
    if let Ok(manifest) = Manifest::parse(bytes) {
        assert_eq!(manifest.to_bytes().ok().as_deref(), Some(bytes));
    }
    if let Ok(list) = Segment::read_list(bytes) {
        let again: Result<Vec<_>, _> = list.iter().map(Segment::to_line).collect();
        assert_eq!(again.ok().map(|lines| lines.concat()).as_deref(), Some(bytes));
    }
    if let Ok(tombstone) = Tombstone::parse(bytes) {
        assert_eq!(tombstone.to_bytes().ok().as_deref(), Some(bytes));
    }
    if let Ok(disclosure) = Disclosure::parse(bytes) {
        assert_eq!(disclosure.to_bytes().ok().as_deref(), Some(bytes));
    }
    let _ = access::check(bytes, uuid::Uuid::nil().into());
}
