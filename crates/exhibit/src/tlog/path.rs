//! Audit paths and consistency paths: made as RFC 6962 section 2.1 defines them, checked by the algorithms of RFC 9162 sections
//! 2.1.3.2 and 2.1.4.2, which don't share code with the making.

use super::{
    Error, empty_root,
    frontier::{fold, peaks_of},
    node_hash,
};
use crate::sha256::Digest;

/// No inclusion path is longer: a tree has fewer than 2^64 leaves. A consistency path may have one hash more.
pub const PATH_AT_MOST: usize = 64;

/// The hashes that lead from leaf `index` to the root of the tree of `size` leaves, the leaf's sibling first.
///
/// `read(level, index)` is the hash of a complete subtree: of the leaves from `index * 2^level` to `(index + 1) * 2^level`, all of
/// which are within the tree. [`super::tile::read_node`] reads one from tiles.
///
/// # Errors
/// [`Error::OutOfRange`] when there is no such leaf, and those of `read`.
pub fn inclusion_path<E: From<Error>>(
    index: u64,
    size: u64,
    mut read: impl FnMut(u8, u64) -> Result<Digest, E>,
) -> Result<Vec<Digest>, E> {
    if index >= size {
        return Err(Error::OutOfRange.into());
    }
    let mut path = Vec::new();
    let (mut start, mut end) = (0, size);
    while end - start > 1 {
        let middle = start + split(end - start);
        if index < middle {
            path.push(subtree(middle, end, &mut read)?);
            end = middle;
        } else {
            path.push(subtree(start, middle, &mut read)?);
            start = middle;
        }
    }
    path.reverse();
    Ok(path)
}

/// The hashes which show that the tree of `new` leaves begins with the tree of `old` leaves. Empty if `old` is 0 or `new`.
///
/// # Errors
/// [`Error::OutOfRange`] when `old` is above `new`, and those of `read`: see [`inclusion_path`].
pub fn consistency_path<E: From<Error>>(
    old: u64,
    new: u64,
    mut read: impl FnMut(u8, u64) -> Result<Digest, E>,
) -> Result<Vec<Digest>, E> {
    if old > new {
        return Err(Error::OutOfRange.into());
    }
    let mut path = Vec::new();
    if old == 0 || old == new {
        return Ok(path);
    }
    let (mut start, mut end) = (0, new);
    while old != end {
        let middle = start + split(end - start);
        if old <= middle {
            path.push(subtree(middle, end, &mut read)?);
            end = middle;
        } else {
            path.push(subtree(start, middle, &mut read)?);
            start = middle;
        }
    }
    // The verifier has the old root, and so this subtree's hash if the subtree is the whole old tree.
    if start > 0 {
        path.push(subtree(start, end, &mut read)?);
    }
    path.reverse();
    Ok(path)
}

/// The root of the tree of `size` leaves.
///
/// # Errors
/// Those of `read`: see [`inclusion_path`].
pub fn tree_root<E>(size: u64, mut read: impl FnMut(u8, u64) -> Result<Digest, E>) -> Result<Digest, E> {
    subtree(0, size, &mut read)
}

/// Checks that `leaf` (a leaf's hash) is leaf `index` of the tree of `size` leaves with that root.
///
/// # Errors
/// [`Error::OutOfRange`] or [`Error::NotIncluded`].
pub fn verify_inclusion(leaf: Digest, index: u64, size: u64, path: &[Digest], root: Digest) -> Result<(), Error> {
    if index >= size {
        return Err(Error::OutOfRange);
    }
    let (mut at, mut last) = (index, size - 1);
    let mut hash = leaf;
    for step in path {
        if last == 0 {
            return Err(Error::NotIncluded);
        }
        if at & 1 == 1 || at == last {
            hash = node_hash(step, &hash);
            while at & 1 == 0 && at != 0 {
                at >>= 1;
                last >>= 1;
            }
        } else {
            hash = node_hash(&hash, step);
        }
        at >>= 1;
        last >>= 1;
    }
    if last == 0 && hash == root { Ok(()) } else { Err(Error::NotIncluded) }
}

/// Checks that the tree of `new` leaves begins with the tree of `old` leaves. Every tree begins with the empty one, and with itself.
///
/// # Errors
/// [`Error::OutOfRange`] or [`Error::Inconsistent`].
pub fn verify_consistency(
    old: u64,
    old_root: Digest,
    new: u64,
    new_root: Digest,
    path: &[Digest],
) -> Result<(), Error> {
    if old > new {
        return Err(Error::OutOfRange);
    }
    let holds = if old == new {
        path.is_empty() && old_root == new_root
    } else if old == 0 {
        path.is_empty() && old_root == empty_root()
    } else {
        leads_to_both(old, old_root, new, path) == Some((old_root, new_root))
    };
    if holds { Ok(()) } else { Err(Error::Inconsistent) }
}

/// The two roots that a path leads to, for `0 < old < new`; none if it has another length than it must have.
fn leads_to_both(old: u64, old_root: Digest, new: u64, path: &[Digest]) -> Option<(Digest, Digest)> {
    let (mut at, mut last) = (old - 1, new - 1);
    while at & 1 == 1 {
        at >>= 1;
        last >>= 1;
    }
    let mut steps = path.iter();
    // Where the old tree is one complete subtree of the new one, the path leaves out its root: the reader has it.
    let seed = if old.is_power_of_two() { old_root } else { *steps.next()? };
    let (mut old_hash, mut new_hash) = (seed, seed);
    for step in steps {
        if last == 0 {
            return None;
        }
        if at & 1 == 1 || at == last {
            old_hash = node_hash(step, &old_hash);
            new_hash = node_hash(step, &new_hash);
            while at & 1 == 0 && at != 0 {
                at >>= 1;
                last >>= 1;
            }
        } else {
            new_hash = node_hash(&new_hash, step);
        }
        at >>= 1;
        last >>= 1;
    }
    (last == 0).then_some((old_hash, new_hash))
}

/// The largest power of two below `n`, for `n > 1`: where RFC 6962 cuts a tree.
fn split(n: u64) -> u64 {
    1 << (n - 1).ilog2()
}

fn subtree<E>(start: u64, end: u64, read: &mut impl FnMut(u8, u64) -> Result<Digest, E>) -> Result<Digest, E> {
    let peaks = peaks_of(start, end).map(|(level, index)| read(level, index)).collect::<Result<Vec<_>, E>>()?;
    Ok(fold(&peaks))
}
