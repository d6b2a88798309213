//! The decision, and nothing else: may this checkpoint be cosigned, given what was cosigned before? Pure.

use exhibit::{
    Digest,
    tlog::{self, Checkpoint},
};

use crate::Error;

/// Whether `new` continues `seen` (nothing, at first) by a path from size `old`. In the order of C2SP's text.
///
/// # Errors
/// [`Error::OldAboveNew`], [`Error::Conflict`] or [`Error::Inconsistent`].
pub fn judge(seen: Option<&Checkpoint>, old: u64, path: &[Digest], new: &Checkpoint) -> Result<(), Error> {
    if old > new.size {
        return Err(Error::OldAboveNew);
    }
    let (size, root) = seen.map_or_else(|| (0, tlog::empty_root()), |seen| (seen.size, seen.root));
    if old != size || (new.size == size && new.root != root) {
        return Err(Error::Conflict { seen: size });
    }
    tlog::verify_consistency(size, root, new.size, new.root, path).map_err(|_| Error::Inconsistent)
}

/// Whether two checkpoints of one log, both signed by it, can't both be honest: then the second is worth keeping as evidence.
#[must_use]
pub fn is_fork(seen: &Checkpoint, new: &Checkpoint) -> bool {
    seen.size == new.size && seen.root != new.root
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use exhibit::tlog::{consistency_path, leaf_hash, node_hash};

    use super::*;

    fn checkpoint(size: u64, root: Digest) -> Checkpoint {
        Checkpoint { origin: "log".to_owned(), size, root }
    }

    #[test]
    fn only_what_continues_the_last_one_is_cosigned() {
        let [a, b, c] = [b"a", b"b", b"c"].map(|entry| leaf_hash(entry));
        let empty = checkpoint(0, tlog::empty_root());
        let (one, two) = (checkpoint(1, a), checkpoint(2, node_hash(&a, &b)));
        let fork = checkpoint(2, node_hash(&c, &b));
        let path: Vec<Digest> =
            consistency_path(1, 2, |_, index| Ok::<_, tlog::Error>([a, b][index as usize])).unwrap();

        assert!(judge(None, 0, &[], &empty).is_ok());
        assert!(judge(None, 0, &[], &one).is_ok());
        assert!(judge(Some(&empty), 0, &[], &two).is_ok());
        assert!(judge(Some(&one), 1, &path, &two).is_ok());
        assert!(judge(Some(&two), 2, &[], &two).is_ok());

        assert!(matches!(judge(None, 1, &path, &two), Err(Error::Conflict { seen: 0 })));
        assert!(matches!(judge(None, 0, &path, &two), Err(Error::Inconsistent)));
        assert!(matches!(judge(Some(&one), 0, &[], &two), Err(Error::Conflict { seen: 1 })));
        assert!(matches!(judge(Some(&one), 1, &[], &two), Err(Error::Inconsistent)));
        assert!(matches!(judge(Some(&one), 1, &path, &fork), Err(Error::Inconsistent)));
        assert!(matches!(judge(Some(&two), 2, &[], &fork), Err(Error::Conflict { seen: 2 })));
        assert!(matches!(judge(Some(&two), 2, &path, &two), Err(Error::Inconsistent)));
        assert!(matches!(judge(Some(&two), 1, &[], &one), Err(Error::Conflict { seen: 2 })));
        assert!(matches!(judge(Some(&two), 2, &[], &one), Err(Error::OldAboveNew)));
        assert!(matches!(judge(Some(&two), 0, &[], &empty), Err(Error::Conflict { seen: 2 })));
        assert!(is_fork(&two, &fork) && !is_fork(&one, &two) && !is_fork(&two, &two));
    }
}
