//! The log's formats: trees against the reference's roots, every proof and every change to one, every text there and back.

mod audit;
mod notes;
mod peers;
mod texts;
mod tree;

use exhibit::{
    Digest,
    tlog::{Error, leaf_hash, node_hash},
};

/// All complete subtrees of a list of leaves, made level by level: an implementation of its own.
struct Tree(Vec<Vec<Digest>>);

impl Tree {
    fn new(leaves: Vec<Digest>) -> Self {
        let mut levels = vec![leaves];
        while levels.last().unwrap().len() > 1 {
            let row = levels.last().unwrap().chunks_exact(2).map(|pair| node_hash(&pair[0], &pair[1])).collect();
            levels.push(row);
        }
        Self(levels)
    }

    fn numbered(size: u64) -> Self {
        Self::new((0..size).map(leaf).collect())
    }

    fn read(&self, level: u8, index: u64) -> Result<Digest, Error> {
        self.0.get(usize::from(level)).and_then(|row| row.get(index as usize)).copied().ok_or(Error::OutOfRange)
    }

    /// MTH of the first `size` leaves, word for word as RFC 6962 section 2.1 has it.
    fn root(&self, size: u64) -> Digest {
        fn mth(leaves: &[Digest]) -> Digest {
            match leaves {
                [] => Digest::of(b""),
                [one] => *one,
                more => {
                    let mut k = 1;
                    while k * 2 < more.len() {
                        k *= 2;
                    }
                    node_hash(&mth(&more[..k]), &mth(&more[k..]))
                }
            }
        }
        mth(&self.0[0][..size as usize])
    }
}

fn leaf(n: u64) -> Digest {
    leaf_hash(n.to_string().as_bytes())
}
