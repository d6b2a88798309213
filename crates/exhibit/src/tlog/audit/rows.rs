//! One way of reading the leaves, and the rows of hashes above them.

use crate::{
    sha256::Digest,
    tlog::{
        Frontier,
        tile::{self, Holds, Tile},
    },
};

/// The leaves as one of the two sources has them: the tree so far, and the roots of the whole tiles.
pub(super) struct Side {
    tree: Frontier,
    row: Vec<Digest>,
    older: Option<u64>,
    older_root: Option<Digest>,
}

/// The hashes of a level of tiles, 1 or higher.
pub(super) struct Row(Vec<Digest>);

impl Side {
    /// Remembers the root that the tree had at size `older`.
    pub(super) fn new(older: Option<u64>) -> Self {
        let mut side = Self { tree: Frontier::new(), row: Vec::new(), older, older_root: None };
        side.remember();
        side
    }

    /// Takes a tile's leaves: a whole tile's, or the last ones.
    pub(super) fn push(&mut self, leaves: &[Digest]) {
        for leaf in leaves {
            self.tree.push(*leaf);
            self.remember();
        }
        if leaves.len() as u64 == tile::WIDTH {
            // A whole tile's number of leaves is a power of two.
            self.row.extend(tile::subtree_root(leaves).ok());
        }
    }

    fn remember(&mut self) {
        if self.older == Some(self.tree.size()) {
            self.older_root = Some(self.tree.root());
        }
    }

    pub(super) fn root(&self) -> Digest {
        self.tree.root()
    }

    pub(super) fn older_root(&self) -> Option<Digest> {
        self.older_root
    }

    /// Level 1.
    pub(super) fn row(self) -> Row {
        Row(self.row)
    }
}

impl Row {
    /// The tiles that this row makes up, in a tree of that size.
    pub(super) fn tiles(&self, level: u8, size: u64) -> impl Iterator<Item = Tile> + use<> {
        (0..(self.0.len() as u64).div_ceil(tile::WIDTH))
            .filter_map(move |index| tile::tile_at(Holds::Hashes(level), index, size))
    }

    /// What a tile of it must hold.
    pub(super) fn hashes(&self, tile: Tile) -> &[Digest] {
        let from = tile.start() as usize;
        self.0.get(from..from + usize::from(tile.width)).unwrap_or_default()
    }

    /// The next level's.
    pub(super) fn above(&self) -> Row {
        let whole = self.0.chunks_exact(tile::WIDTH as usize);
        Row(whole.filter_map(|tile| tile::subtree_root(tile).ok()).collect())
    }
}
