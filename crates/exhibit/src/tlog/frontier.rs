//! The right edge of a tree: all that is needed to append to it and to know its root, in O(log n) hashes.

use super::{Error, hash};
use crate::sha256::Digest;

/// A tree that grows. It keeps the roots of its complete subtrees, one for each bit of its size, and forgets the rest.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Frontier {
    size: u64,
    // From the largest subtree to the smallest.
    peaks: Vec<Digest>,
}

impl Frontier {
    /// The empty tree.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The edge of a tree of `size` leaves, from [`Frontier::peaks`] as they were kept.
    ///
    /// # Errors
    /// When their number isn't what the size asks for.
    pub fn from_peaks(size: u64, peaks: Vec<Digest>) -> Result<Self, Error> {
        if peaks.len() as u64 != u64::from(size.count_ones()) {
            return Err(Error::malformed("frontier", "one hash for each bit that is set in the size"));
        }
        Ok(Self { size, peaks })
    }

    /// The edge of a tree of `size` leaves whose complete subtrees `read(level, index)` knows: see [`super::inclusion_path`].
    ///
    /// # Errors
    /// Those of `read`.
    pub fn load<E>(size: u64, mut read: impl FnMut(u8, u64) -> Result<Digest, E>) -> Result<Self, E> {
        let peaks = peaks_of(0, size).map(|(level, index)| read(level, index)).collect::<Result<_, E>>()?;
        Ok(Self { size, peaks })
    }

    /// Number of leaves.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The roots of the complete subtrees, from the largest to the smallest.
    #[must_use]
    pub fn peaks(&self) -> &[Digest] {
        &self.peaks
    }

    /// The root of the tree so far.
    #[must_use]
    pub fn root(&self) -> Digest {
        fold(&self.peaks)
    }

    /// Appends a leaf's hash. A tree holds `u64::MAX` leaves; what would come after is not appended.
    pub fn push(&mut self, leaf: Digest) {
        let Some(size) = self.size.checked_add(1) else { return };
        let mut node = leaf;
        for _ in 0..self.size.trailing_ones() {
            if let Some(left) = self.peaks.pop() {
                node = hash::node_hash(&left, &node);
            }
        }
        self.peaks.push(node);
        self.size = size;
    }
}

/// The complete subtrees of the leaves from `start` to `end`, left to right, as (level, index) each. `start` must be a multiple of
/// the power of two that `end - start` needs, as it always is for a subtree of RFC 6962.
pub(super) fn peaks_of(start: u64, end: u64) -> impl Iterator<Item = (u8, u64)> {
    let mut at = start;
    std::iter::from_fn(move || {
        let left = end.checked_sub(at).filter(|left| *left > 0)?;
        let level = left.ilog2();
        let index = at >> level;
        at += 1 << level;
        Some((level as u8, index))
    })
}

/// The root above these peaks.
pub(super) fn fold(peaks: &[Digest]) -> Digest {
    let mut right_to_left = peaks.iter().rev();
    let Some(last) = right_to_left.next() else { return hash::empty_root() };
    right_to_left.fold(*last, |right, left| hash::node_hash(left, &right))
}
