//! Any way of growing leaves the same tiles, and no trace of what was written apart.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeMap;

use exhibit::tlog::{Frontier, leaf_hash};
use proptest::prelude::*;

use super::*;

fn leaves(size: u64) -> Vec<(Digest, Vec<u8>)> {
    let entry = |n: u64| format!("entry {n}\n").into_bytes();
    (0..size).map(|n| (leaf_hash(&entry(n)), entry(n))).collect()
}

/// The files below a folder that any reader would need, by path.
fn tiles_of(folder: &Path, size: u64) -> BTreeMap<String, Vec<u8>> {
    tile::changed(0, size).map(|tile| (tile.path(), fs::read(folder.join(tile.path())).unwrap())).collect()
}

fn root_of(folder: &Path, size: u64) -> Digest {
    tree_root(size, |level, index| tile::read_node(level, index, size, |wanted| hashes(folder, wanted))).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn in_one_go_or_in_many_the_tiles_are_the_same(steps in prop::collection::vec(1_u64..400, 1..6)) {
        let size: u64 = steps.iter().sum();
        let all = leaves(size);
        let (once, often) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        grow(once.path(), 0, size, 0, &all).unwrap();
        let mut from = 0;
        for step in steps {
            let first = from - from % WIDTH;
            grow(often.path(), from, from + step, first, &all[first as usize..(from + step) as usize]).unwrap();
            from += step;
        }
        prop_assert_eq!(tiles_of(once.path(), size), tiles_of(often.path(), size));
        let mut frontier = Frontier::new();
        all.iter().for_each(|(leaf, _)| frontier.push(*leaf));
        prop_assert_eq!(root_of(often.path(), size), frontier.root());
        // Again: nothing is there twice, nothing is set aside.
        grow(often.path(), 0, size, 0, &all).unwrap();
        prop_assert!(!often.path().join(ASIDE).exists());
        let left = fs::read_dir(often.path()).unwrap().map(|entry| entry.unwrap().file_name());
        prop_assert!(left.eq([std::ffi::OsString::from("tile")]));
    }
}
