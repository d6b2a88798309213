//! An item's file, streamed once: its own digest, and that of the payload which it makes with its facts.

use std::io::{self, Read};

use super::{lists::Standing, report::Report};
use crate::{Digest, Hasher, Item};

const BUFFER: usize = 64 << 10;

/// What reading an item found.
pub struct Seen {
    /// Digest of the file.
    pub sha256: Digest,
    /// Digest of facts and file together.
    payload: Digest,
}

/// Streams an item through both digests.
pub fn read(mut from: impl Read, item: &Item) -> io::Result<Seen> {
    let (mut whole, mut payload) = (Hasher::new(), Hasher::new());
    payload.update(&item.facts().prefix().map_err(io::Error::other)?);
    let mut buffer = vec![0; BUFFER];
    loop {
        let n = match from.read(&mut buffer) {
            Ok(0) => break,
            Ok(n) => n,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
            Err(e) => return Err(e),
        };
        whole.update(&buffer[..n]);
        payload.update(&buffer[..n]);
    }
    Ok(Seen { sha256: whole.finish(), payload: payload.finish() })
}

/// Compares an item with what the manifest says of it.
pub fn check(path: &str, len: u64, read: &Seen, item: &Item, manifest: Standing, report: &mut Report) {
    let mut complain = |what: &str| manifest.complain(path, what, report);
    if len != item.bytes {
        complain(&format!("is {len} bytes long; {} bytes were sealed", item.bytes));
    }
    if read.sha256 != item.sha256 {
        complain("its bytes are not those that the exhibit's manifest states");
    } else if read.payload != item.payload_sha256 {
        complain("with its facts in the manifest it doesn't make what was recorded");
    }
}
