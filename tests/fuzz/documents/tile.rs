//! Tiles, bundles and their paths have one spelling, too.

use exhibit::tlog::tile::{Tile, decode_bundle, decode_hashes, encode_bundle, encode_hashes};

/// One input.
pub fn fuzz(bytes: &[u8]) {
    if let Ok(entries) = decode_bundle(bytes) {
        assert_eq!(encode_bundle(&entries).ok().as_deref(), Some(bytes));
    }
    if let Ok(hashes) = decode_hashes(bytes) {
        assert_eq!(encode_hashes(&hashes), bytes);
    }
    if let Ok(path) = std::str::from_utf8(bytes)
        && let Some(tile) = Tile::parse(path)
    {
        assert_eq!(tile.path(), path);
    }
}
