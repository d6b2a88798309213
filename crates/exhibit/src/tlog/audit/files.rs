//! The folder: which tiles are there, and their bytes. Below `tile` no link is followed; no file is read beyond what it may hold.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
};

use crate::tlog::{
    note::NOTE_AT_MOST,
    tile::{self, Holds, Tile},
};

/// Nothing can be said about the log, for it can't be read.
#[derive(Debug, thiserror::Error)]
#[error("can't read {path}")]
pub struct Unreadable {
    path: PathBuf,
    source: io::Error,
}

/// No bundle is longer: 256 entries of 65,535 bytes and their lengths.
const BUNDLE_AT_MOST: u64 = 256 * (65_535 + 2);

pub(super) struct Files {
    folder: PathBuf,
    /// Widths of the files that there are of a tile.
    tiles: BTreeMap<(Holds, u64), BTreeSet<u16>>,
    /// Paths under `tile/` that are no tile's.
    pub(super) strange: Vec<String>,
}

impl Files {
    pub(super) fn open(folder: &Path) -> Result<Self, Unreadable> {
        let mut files = Self { folder: folder.to_owned(), tiles: BTreeMap::new(), strange: Vec::new() };
        files.checkpoint()?;
        match fs::symlink_metadata(folder.join("tile")) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(source) => return Err(Unreadable { path: folder.join("tile"), source }),
            Ok(_) => files.walk("tile".to_owned())?,
        }
        Ok(files)
    }

    fn walk(&mut self, top: String) -> Result<(), Unreadable> {
        let mut folders = vec![top];
        while let Some(folder) = folders.pop() {
            let on_disk = self.folder.join(&folder);
            let unreadable = |source| Unreadable { path: on_disk.clone(), source };
            for found in fs::read_dir(&on_disk).map_err(unreadable)? {
                let found = found.map_err(unreadable)?;
                let path = format!("{folder}/{}", found.file_name().to_string_lossy());
                let kind = found.file_type().map_err(unreadable)?;
                match Tile::parse(&path) {
                    Some(tile) if kind.is_file() => {
                        self.tiles.entry((tile.holds, tile.index)).or_default().insert(tile.width);
                    }
                    // The deepest path of any tile has ten parts.
                    _ if kind.is_dir() && path.split('/').count() < 10 => folders.push(path),
                    _ => self.strange.push(path),
                }
            }
        }
        self.strange.sort();
        Ok(())
    }

    pub(super) fn checkpoint(&self) -> Result<Vec<u8>, Unreadable> {
        self.read_at_most(tile::CHECKPOINT, NOTE_AT_MOST as u64)
    }

    /// The files that there are of a tile, and how many of each one's hashes or entries the tree covers: first the one of the width
    /// that the tree asks for, else the whole one, then the narrower ones.
    pub(super) fn of(&self, wanted: Tile) -> Vec<(Tile, usize)> {
        let widths = self.tiles.get(&(wanted.holds, wanted.index)).into_iter().flatten().rev();
        let (enough, narrower): (Vec<u16>, Vec<u16>) = widths.partition(|width| **width >= wanted.width);
        enough
            .into_iter()
            .rev()
            .chain(narrower)
            .map(|width| (Tile { width, ..wanted }, usize::from(width.min(wanted.width))))
            .collect()
    }

    /// Files of tiles, or parts of them, that no checkpoint of this size covers.
    pub(super) fn beyond(&self, size: u64) -> usize {
        let beyond = |(holds, index): (Holds, u64), width: u16| {
            tile::tile_at(holds, index, size).is_none_or(|covered| covered.width < width)
        };
        self.tiles.iter().flat_map(|(place, widths)| widths.iter().filter(|width| beyond(*place, **width))).count()
    }

    /// Number of tile files.
    pub(super) fn count(&self) -> usize {
        self.tiles.values().map(BTreeSet::len).sum()
    }

    pub(super) fn read(&self, path: &str) -> Result<Vec<u8>, Unreadable> {
        self.read_at_most(path, BUNDLE_AT_MOST)
    }

    /// One byte more than may be, so that a reader sees that it is too long.
    fn read_at_most(&self, path: &str, limit: u64) -> Result<Vec<u8>, Unreadable> {
        let path = self.folder.join(path);
        let mut bytes = Vec::new();
        File::open(&path)
            .and_then(|file| file.take(limit + 1).read_to_end(&mut bytes))
            .map_err(|source| Unreadable { path: path.clone(), source })?;
        Ok(bytes)
    }
}
