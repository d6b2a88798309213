//! A log with its key, that can be grown, and forked as whoever steals the key would.

use exhibit::{
    Digest,
    tlog::{
        AddCheckpoint, Checkpoint, Error, consistency_path, leaf_hash, node_hash,
        note::{SignedNote, SignerKey, VerifierKey},
        tile, tree_root,
    },
};

pub struct Log {
    origin: String,
    seed: [u8; 32],
    leaves: Vec<Digest>,
}

impl Clone for Log {
    fn clone(&self) -> Self {
        Self { origin: self.origin.clone(), seed: self.seed, leaves: self.leaves.clone() }
    }
}

impl Log {
    pub fn new(origin: &str, seed: u8) -> Self {
        Self { origin: origin.to_owned(), seed: [seed; 32], leaves: Vec::new() }
    }

    fn key(&self) -> SignerKey {
        SignerKey::from_seed(&self.origin, &self.seed).unwrap()
    }

    pub fn origin(&self) -> &str {
        &self.origin
    }

    pub fn vkey(&self) -> VerifierKey {
        self.key().verifier()
    }

    pub fn size(&self) -> u64 {
        self.leaves.len() as u64
    }

    /// Appends entries that say `word`.
    pub fn grow(&mut self, by: usize, word: &str) -> &mut Self {
        for _ in 0..by {
            self.leaves.push(leaf_hash(format!("{word} {}", self.leaves.len()).as_bytes()));
        }
        self
    }

    /// The same key, and another history from `at` on.
    pub fn fork(&self, at: usize, word: &str) -> Self {
        let mut fork = Self { leaves: self.leaves[..at].to_vec(), ..self.clone() };
        fork.grow(self.leaves.len() - at, word);
        fork
    }

    fn read(&self, level: u8, index: u64) -> Result<Digest, Error> {
        let from = (index << level) as usize;
        let leaves = self.leaves.get(from..from + (1 << level)).ok_or(Error::OutOfRange)?;
        if leaves.len() <= 256 {
            return tile::subtree_root(leaves);
        }
        Ok(node_hash(&self.read(level - 1, index * 2)?, &self.read(level - 1, index * 2 + 1)?))
    }

    pub fn root(&self) -> Digest {
        tree_root(self.size(), |level, index| self.read(level, index)).unwrap()
    }

    pub fn checkpoint(&self) -> SignedNote {
        let checkpoint = Checkpoint { origin: self.origin.clone(), size: self.size(), root: self.root() };
        checkpoint.sign(&self.key()).unwrap()
    }

    /// The body of add-checkpoint, from an older size.
    pub fn body(&self, old: u64) -> String {
        let path = consistency_path::<Error>(old, self.size(), |level, index| self.read(level, index)).unwrap();
        AddCheckpoint { old, path, note: self.checkpoint() }.to_text()
    }
}
