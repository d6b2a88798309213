//! Roots, inclusion and consistency.

use exhibit::{
    Digest,
    tlog::{
        Error, Frontier, PATH_AT_MOST, consistency_path, empty_root, inclusion_path, leaf_hash, node_hash, tree_root,
        verify_consistency, verify_inclusion,
    },
};
use proptest::prelude::*;

use crate::tlog::{Tree, leaf};

/// Leaves and roots of the reference tests of Certificate Transparency (certificate-transparency, `merkletree/merkle_tree_test.cc`;
/// also transparency-dev/merkle `testonly/reference_test.go`).
const LEAVES: [&str; 8] =
    ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];
const ROOTS: [&str; 9] = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

#[test]
fn roots_are_those_of_the_reference() {
    let leaves: Vec<Digest> = LEAVES.iter().map(|hex| leaf_hash(&hex::decode(hex).unwrap())).collect();
    let tree = Tree::new(leaves.clone());
    let mut frontier = Frontier::new();
    for (size, root) in ROOTS.iter().enumerate() {
        assert_eq!(frontier.root().to_string(), *root, "{size}");
        assert_eq!(tree_root(size as u64, |level, index| tree.read(level, index)).unwrap(), frontier.root());
        if let Some(leaf) = leaves.get(size) {
            frontier.push(*leaf);
        }
    }
    assert_eq!(empty_root().to_string(), ROOTS[0]);
}

/// Paths of the same reference tests: (leaf from 0, size, path) and (old, new, path).
#[test]
fn paths_are_those_of_the_reference() {
    let tree = Tree::new(LEAVES.iter().map(|hex| leaf_hash(&hex::decode(hex).unwrap())).collect());
    let read = |level, index| tree.read(level, index);
    let hex = |path: Vec<Digest>| path.iter().map(Digest::to_string).collect::<Vec<_>>();
    let path: Result<_, Error> = inclusion_path(5, 8, read);
    let wanted = [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ];
    assert_eq!(hex(path.unwrap()), wanted);
    let path: Result<_, Error> = consistency_path(6, 8, read);
    let wanted = [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ];
    assert_eq!(hex(path.unwrap()), wanted);
}

const SIZES: u64 = 70;

#[test]
fn every_leaf_of_every_size_is_proved_and_nothing_else_is() {
    let tree = Tree::numbered(SIZES);
    for size in 0..=SIZES {
        let root = tree.root(size);
        for index in 0..size {
            let path: Vec<Digest> = inclusion_path::<Error>(index, size, |l, i| tree.read(l, i)).unwrap();
            verify_inclusion(leaf(index), index, size, &path, root).unwrap();
            for other in (0..SIZES + 2).filter(|other| *other != index) {
                assert!(verify_inclusion(leaf(index), other, size, &path, root).is_err(), "{index}/{size} as {other}");
                assert!(verify_inclusion(leaf(other), index, size, &path, root).is_err(), "{other} at {index}/{size}");
            }
            for step in 0..path.len() {
                let mut changed = path.clone();
                changed[step] = leaf(1_000);
                assert!(verify_inclusion(leaf(index), index, size, &changed, root).is_err());
                changed.remove(step);
                assert!(verify_inclusion(leaf(index), index, size, &changed, root).is_err());
            }
            let longer = [&path[..], &[root]].concat();
            assert!(verify_inclusion(leaf(index), index, size, &longer, root).is_err());
            assert!(verify_inclusion(leaf(index), index, size, &path, leaf(0)).is_err() || size == 1);
        }
        assert_eq!(inclusion_path(size, size, |l, i| tree.read(l, i)), Err(Error::OutOfRange));
    }
}

#[test]
fn every_size_is_consistent_with_every_later_one_and_no_other() {
    let tree = Tree::numbered(SIZES);
    let roots: Vec<_> = (0..=SIZES).map(|size| tree.root(size)).collect();
    let root = |size: u64| roots[size as usize];
    for new in 0..=SIZES {
        for old in 0..=new {
            let path: Vec<Digest> = consistency_path::<Error>(old, new, |l, i| tree.read(l, i)).unwrap();
            verify_consistency(old, root(old), new, root(new), &path).unwrap();
            for other in (0..=SIZES).filter(|other| *other != old) {
                assert!(verify_consistency(old, root(other), new, root(new), &path).is_err(), "{old} {new} {other}");
                assert!(verify_consistency(other, root(old), new, root(new), &path).is_err(), "{old} {new} {other}");
            }
            for other in (0..=SIZES).filter(|other| *other != new) {
                // A path from nothing is empty and shows nothing of the newer root.
                assert!(verify_consistency(old, root(old), new, root(other), &path).is_err() || old == 0);
            }
            for step in 0..path.len() {
                let mut changed = path.clone();
                changed[step] = leaf(1_000);
                assert!(verify_consistency(old, root(old), new, root(new), &changed).is_err());
                changed.remove(step);
                assert!(verify_consistency(old, root(old), new, root(new), &changed).is_err());
            }
            let longer = [&path[..], &[root(new)]].concat();
            assert!(verify_consistency(old, root(old), new, root(new), &longer).is_err());
        }
        let beyond = consistency_path(new + 1, new, |l, i| tree.read(l, i));
        assert_eq!(beyond, Err(Error::OutOfRange));
    }
}

/// A complete subtree of a tree whose leaves are all the same: known at any size without building it.
fn uniform(level: u8) -> Digest {
    (0..level).fold(leaf(0), |below, _| node_hash(&below, &below))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn sizes_of_thousands_hold(size in 1_u64..5_000, a in any::<u64>(), b in any::<u64>(), flip in any::<(usize, u8)>()) {
        let tree = Tree::numbered(size);
        let (index, old) = (a % size, 1 + b % size);
        let read = |level, index| tree.read(level, index);
        let root = tree.root(size);
        let path = inclusion_path::<Error>(index, size, read).unwrap();
        prop_assert_eq!(verify_inclusion(leaf(index), index, size, &path, root), Ok(()));
        let older = consistency_path::<Error>(old, size, read).unwrap();
        prop_assert_eq!(verify_consistency(old, tree.root(old), size, root, &older), Ok(()));
        for (path, included) in [(path, true), (older, false)] {
            if path.is_empty() { continue }
            let mut bytes = *path[flip.0 % path.len()].as_bytes();
            bytes[usize::from(flip.1 >> 3)] ^= 1 << (flip.1 & 7);
            let mut changed = path.clone();
            changed[flip.0 % path.len()] = Digest::from(bytes);
            let refused = if included {
                verify_inclusion(leaf(index), index, size, &changed, root)
            } else {
                verify_consistency(old, tree.root(old), size, root, &changed)
            };
            prop_assert!(refused.is_err());
        }
        let mut frontier = Frontier::load(old, read).unwrap();
        prop_assert_eq!(frontier.root(), tree.root(old));
        prop_assert_eq!(&Frontier::from_peaks(old, frontier.peaks().to_vec()).unwrap(), &frontier);
        for n in old..size {
            frontier.push(leaf(n));
        }
        prop_assert_eq!((frontier.size(), frontier.root()), (size, root));
    }

    #[test]
    fn sizes_up_to_the_last_hold(bits in 1_u32..=64, size in any::<u64>(), a in any::<u64>(), b in any::<u64>()) {
        let size = (size >> (64 - bits)).max(1);
        let (index, old) = (a % size, 1 + b % size);
        let read = |level: u8, index: u64| {
            assert!((u128::from(index) + 1) << level <= u128::from(size), "not a complete subtree");
            Ok::<_, Error>(uniform(level))
        };
        let root = |size| tree_root(size, read).unwrap();
        let path = inclusion_path(index, size, read).unwrap();
        prop_assert!(path.len() <= PATH_AT_MOST);
        prop_assert_eq!(verify_inclusion(leaf(0), index, size, &path, root(size)), Ok(()));
        let path = consistency_path(old, size, read).unwrap();
        prop_assert!(path.len() <= PATH_AT_MOST + 1);
        prop_assert_eq!(verify_consistency(old, root(old), size, root(size), &path), Ok(()));
    }

    #[test]
    fn any_path_is_judged_without_panic(index in any::<u64>(), size in any::<u64>(), length in 0_usize..70) {
        let path = vec![leaf(7); length];
        prop_assert!(verify_inclusion(leaf(1), index, size, &path, leaf(2)).is_err());
        prop_assert!(verify_consistency(index, leaf(1), size, leaf(2), &path).is_err());
    }
}
