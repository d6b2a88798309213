//! The log as files: <https://c2sp.org/tlog-tiles>. A tile is 256 hashes of one level, or the entries under them; the last of a
//! level may be narrower, and then lies beside its whole self under `.p/<width>`.

use super::{Error, entry::ENTRY_AT_MOST, hash};
use crate::sha256::Digest;

/// Hashes, or entries, in a whole tile.
pub const WIDTH: u64 = 256;
/// Levels of hash tiles that a tree of fewer than 2^64 leaves can have: 0 to 7.
pub const LEVELS: u8 = 8;
/// Where the newest checkpoint lies.
pub const CHECKPOINT: &str = "checkpoint";

/// What a tile holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Holds {
    /// Hashes of a level: at level 0 of leaves, above that each the root of a whole tile of the level below.
    Hashes(u8),
    /// The entries whose hashes are in the tile of level 0 with the same index.
    Entries,
}

/// One tile: what it holds, which one it is in its row, and how many hashes or entries are in it (1 to 256).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tile {
    /// Hashes or entries.
    pub holds: Holds,
    /// Its place in the row, from 0.
    pub index: u64,
    /// How many are in it.
    pub width: u16,
}

impl Tile {
    /// Its file, from the log's folder: `tile/0/x001/234`, `tile/entries/000.p/17`.
    #[must_use]
    pub fn path(&self) -> String {
        let row = match self.holds {
            Holds::Hashes(level) => level.to_string(),
            Holds::Entries => "entries".to_owned(),
        };
        let mut groups = format!("{:03}", self.index % 1000);
        let mut left = self.index / 1000;
        while left > 0 {
            groups = format!("x{:03}/{groups}", left % 1000);
            left /= 1000;
        }
        if u64::from(self.width) == WIDTH {
            format!("tile/{row}/{groups}")
        } else {
            format!("tile/{row}/{groups}.p/{}", self.width)
        }
    }

    /// Reads [`Tile::path`]'s spelling and no other.
    #[must_use]
    pub fn parse(path: &str) -> Option<Self> {
        let (row, place) = path.strip_prefix("tile/")?.split_once('/')?;
        let holds = match row {
            "entries" => Holds::Entries,
            level => Holds::Hashes(level.parse().ok().filter(|level| *level < LEVELS)?),
        };
        let (groups, width) = match place.split_once(".p/") {
            Some((groups, width)) => (groups, width.parse().ok()?),
            None => (place, WIDTH as u16),
        };
        let mut index: u64 = 0;
        for group in groups.split('/') {
            let digits = group.strip_prefix('x').unwrap_or(group);
            index = index.checked_mul(1000)?.checked_add(digits.parse().ok()?)?;
        }
        let tile = Self { holds, index, width };
        ((1..=WIDTH as u16).contains(&width) && tile.path() == path).then_some(tile)
    }

    /// Its first hash's or entry's place in the row.
    #[must_use]
    pub fn start(&self) -> u64 {
        self.index.saturating_mul(WIDTH)
    }
}

/// A hash tile's file, from the log's folder.
#[must_use]
pub fn path(level: u8, index: u64, width: u16) -> String {
    Tile { holds: Holds::Hashes(level), index, width }.path()
}

/// An entry bundle's file, from the log's folder.
#[must_use]
pub fn entries_path(index: u64, width: u16) -> String {
    Tile { holds: Holds::Entries, index, width }.path()
}

/// Number of hashes in a row of a tree of `size` leaves.
fn row_length(holds: Holds, size: u64) -> u64 {
    match holds {
        Holds::Entries => size,
        Holds::Hashes(level) => size.checked_shr(8 * u32::from(level)).unwrap_or(0),
    }
}

/// The tile of that row and index in a tree of `size` leaves: whole, or as wide as the tree has it; none if it has none.
#[must_use]
pub fn tile_at(holds: Holds, index: u64, size: u64) -> Option<Tile> {
    let in_it = row_length(holds, size).checked_sub(index.checked_mul(WIDTH)?)?.min(WIDTH);
    (in_it > 0).then_some(Tile { holds, index, width: in_it as u16 })
}

/// The tiles that a tree of `to` leaves has and one of `from` leaves hasn't: new ones, and wider ones. The entries first, then
/// hashes from level 0 up, so that a tile's children are always written before it. From 0 it is all of them.
pub fn changed(from: u64, to: u64) -> impl Iterator<Item = Tile> {
    let rows = std::iter::once(Holds::Entries).chain((0..LEVELS).map(Holds::Hashes));
    rows.flat_map(move |holds| {
        let (had, has) = (row_length(holds, from), row_length(holds, to));
        let tiles = if had < has { had / WIDTH..has.div_ceil(WIDTH) } else { 0..0 };
        tiles.filter_map(move |index| tile_at(holds, index, to))
    })
}

/// A hash tile's bytes: the hashes, end to end.
#[must_use]
pub fn encode_hashes(hashes: &[Digest]) -> Vec<u8> {
    hashes.iter().flat_map(|hash| *hash.as_bytes()).collect()
}

/// Reads [`encode_hashes`]'s bytes: 1 to 256 hashes.
///
/// # Errors
/// When they are anything else.
pub fn decode_hashes(bytes: &[u8]) -> Result<Vec<Digest>, Error> {
    let (hashes, rest) = bytes.as_chunks::<32>();
    if !rest.is_empty() || hashes.is_empty() || hashes.len() as u64 > WIDTH {
        return Err(Error::malformed("hash tile", "1 to 256 hashes of 32 bytes"));
    }
    Ok(hashes.iter().map(|hash| Digest::from(*hash)).collect())
}

/// An entry bundle's bytes: each entry after its length in two bytes, the high one first.
///
/// # Errors
/// When an entry is longer than 65,535 bytes, or there are not 1 to 256.
pub fn encode_bundle<T: AsRef<[u8]>>(entries: &[T]) -> Result<Vec<u8>, Error> {
    if entries.is_empty() || entries.len() as u64 > WIDTH {
        return Err(Error::malformed("entry bundle", "1 to 256 entries"));
    }
    let mut bytes = Vec::new();
    for entry in entries.iter().map(AsRef::as_ref) {
        let length =
            u16::try_from(entry.len()).map_err(|_| Error::malformed("entry bundle", "an entry is too long"))?;
        bytes.extend(length.to_be_bytes());
        bytes.extend(entry);
    }
    Ok(bytes)
}

/// Reads [`encode_bundle`]'s bytes.
///
/// # Errors
/// When they are anything else.
pub fn decode_bundle(bytes: &[u8]) -> Result<Vec<&[u8]>, Error> {
    let bad = |why| Error::malformed("entry bundle", why);
    if bytes.len() > WIDTH as usize * (ENTRY_AT_MOST + 2) {
        return Err(bad("too long"));
    }
    let mut entries = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        let (length, after) = rest.split_first_chunk::<2>().ok_or(bad("it ends within a length"))?;
        let (entry, after) =
            after.split_at_checked(usize::from(u16::from_be_bytes(*length))).ok_or(bad("it ends within an entry"))?;
        entries.push(entry);
        rest = after;
    }
    if entries.is_empty() || entries.len() as u64 > WIDTH {
        return Err(bad("1 to 256 entries"));
    }
    Ok(entries)
}

/// The root of the complete subtree under `hashes`, whose number must be a power of two: a whole tile's is its hash one level up.
///
/// # Errors
/// When their number is another.
pub fn subtree_root(hashes: &[Digest]) -> Result<Digest, Error> {
    if !hashes.len().is_power_of_two() {
        return Err(Error::malformed("subtree", "a power of two of hashes"));
    }
    let mut row = hashes.to_vec();
    while row.len() > 1 {
        row = row.chunks_exact(2).map(|pair| hash::node_hash(&pair[0], &pair[1])).collect();
    }
    row.first().copied().ok_or(Error::OutOfRange)
}

/// The hash of a complete subtree (see [`super::inclusion_path`]) of a tree of `size` leaves, from the tile that has it. `fetch` gives
/// a tile's hashes; it may give a wider one than it was asked for.
///
/// # Errors
/// [`Error::OutOfRange`] when the tree has no such subtree or the tile is narrower than asked for, and those of `fetch`.
pub fn read_node<E: From<Error>>(
    level: u8,
    index: u64,
    size: u64,
    fetch: impl FnOnce(Tile) -> Result<Vec<Digest>, E>,
) -> Result<Digest, E> {
    let (row, height) = (level / 8, level % 8);
    let place = move || {
        let first = index.checked_mul(1 << height)?;
        let tile = tile_at(Holds::Hashes(row), first / WIDTH, size)?;
        let from = (first % WIDTH) as usize;
        Some((tile, from..from + (1 << height)))
    };
    let (tile, range) = place().ok_or(Error::OutOfRange)?;
    let hashes = fetch(tile)?;
    Ok(subtree_root(hashes.get(range).ok_or(Error::OutOfRange)?)?)
}
