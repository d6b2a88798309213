//! The log as files under `log.dir`, laid out by <https://c2sp.org/tlog-tiles>: what others read, and what proofs are made from.
//! A file is written once, apart, synced, and linked into its place; only `checkpoint` is ever replaced, in one step.
//!
//! All of it can be made again from the database, and is, from wherever it lags. A tile that isn't what the database says, and
//! a checkpoint that this log hasn't signed, are kept aside, with an alarm, and made anew.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use exhibit::{
    Digest,
    tlog::{
        Checkpoint,
        note::{SignedNote, VerifierKey},
        tile::{self, Holds, Tile, WIDTH},
        tree_root,
    },
};
use tokio::sync::Mutex;

use crate::{
    error::Error,
    journal::committer::Closed,
    store::{self, CheckpointRow, Store},
};
use outbox::Scope;

/// Leaves written in one go while catching up.
const STRIDE: u64 = 16 * WIDTH;
/// Below the folder: what was not what it had to be.
const ASIDE: &str = "altered";

/// A folder of tiles. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Tiles {
    folder: Arc<PathBuf>,
    /// What checks the checkpoint: anybody could have written another.
    key: Arc<VerifierKey>,
    /// Up to which size this process knows the tiles to be written; none before the first look.
    reached: Arc<Mutex<Option<u64>>>,
}

/// Reads hashes of complete subtrees: what paths and roots are made from.
pub type Read<'a> = &'a mut dyn FnMut(u8, u64) -> Result<Digest, Error>;

impl Tiles {
    /// In this folder, which is made when there is something to put there, of the log that signs with this key.
    #[must_use]
    pub fn under(folder: PathBuf, key: Arc<VerifierKey>) -> Self {
        Self { folder: Arc::new(folder), key, reached: Arc::default() }
    }

    /// The checkpoint that lies beside the tiles, unchecked.
    ///
    /// # Errors
    /// It can't be read.
    pub async fn checkpoint(&self) -> Result<Option<String>, Error> {
        let file = self.folder.join(tile::CHECKPOINT);
        let there = blocking(move || read(&file)).await?;
        Ok(there.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
    }

    /// The size of the checkpoint that lies beside the tiles, if this log signed it.
    ///
    /// # Errors
    /// It can't be read.
    pub async fn signed_size(&self) -> Result<Option<u64>, Error> {
        Ok(self.checkpoint().await?.and_then(|note| genuine(&note, &self.key)).map(|checkpoint| checkpoint.size))
    }

    /// The entries from this place on of a tree of that size, as the tiles have them.
    ///
    /// # Errors
    /// A tile is missing or isn't one.
    pub async fn entries(&self, from: u64, size: u64) -> Result<Vec<Vec<u8>>, Error> {
        let folder = self.folder.clone();
        blocking(move || {
            let mut entries = Vec::new();
            for tile in
                (from / WIDTH..size.div_ceil(WIDTH)).filter_map(|index| tile::tile_at(Holds::Entries, index, size))
            {
                let bundle = bytes(&folder, tile)?;
                let places = (tile.start()..size).zip(tile::decode_bundle(&bundle)?);
                entries.extend(places.filter(|(place, _)| *place >= from).map(|(_, entry)| entry.to_vec()));
            }
            Ok(entries)
        })
        .await
    }

    /// Writes what is missing up to a checkpoint, and makes sure that it is the checkpoint's tree.
    ///
    /// # Errors
    /// The database or the disk, or they contradict each other.
    pub async fn reach(&self, store: &Store, checkpoint: &CheckpointRow) -> Result<(), Error> {
        let size = checkpoint.frontier.size();
        self.grow_to(store, size).await?;
        if self.root(size).await.ok() == Some(checkpoint.frontier.root()) {
            return Ok(());
        }
        tracing::error!(size, "the log's tiles don't fit its database: comparing all of them");
        self.distrust().await;
        self.grow_to(store, size).await?;
        if self.root(size).await? == checkpoint.frontier.root() {
            return Ok(());
        }
        Err(exhibit::tlog::Error::Inconsistent.into())
    }

    async fn grow_to(&self, store: &Store, size: u64) -> Result<(), Error> {
        let mut reached = self.reached.lock().await;
        let mut from = match *reached {
            Some(from) => from,
            None => self.left_at(store).await?,
        };
        while from < size {
            let to = size.min((from / STRIDE + 1) * STRIDE);
            let first = from - from % WIDTH;
            let mut tx = store.begin("tiles", Scope::All).await?;
            let leaves = store::entries(&mut tx, first, to).await?;
            drop(tx);
            let folder = self.folder.clone();
            blocking(move || grow(&folder, from, to, first, &leaves)).await?;
            from = to;
            *reached = Some(from);
        }
        *reached = Some(from.max(size));
        drop(reached);
        Ok(())
    }

    /// Has every tile compared with the database, and made anew where it isn't the same, when they are next asked for.
    pub async fn distrust(&self) {
        *self.reached.lock().await = Some(0);
    }

    /// Makes a path or a root from the tiles of a tree of that size.
    ///
    /// # Errors
    /// A tile is missing or isn't one.
    pub async fn read<T: Send + 'static>(
        &self,
        size: u64,
        make: impl FnOnce(Read<'_>) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let folder = self.folder.clone();
        blocking(move || {
            make(&mut |level, index| tile::read_node(level, index, size, |wanted| hashes(&folder, wanted)))
        })
        .await
    }

    /// The root of the tiles' tree of that size.
    async fn root(&self, size: u64) -> Result<Digest, Error> {
        self.read(size, move |read| tree_root(size, read)).await
    }

    /// Puts a checkpoint beside the tiles, unless a later one is there: another process may be ahead.
    ///
    /// # Errors
    /// The disk.
    pub async fn publish(&self, size: u64, note: &SignedNote) -> Result<(), Error> {
        let reached = self.reached.lock().await;
        let (folder, key, note) = (self.folder.clone(), self.key.clone(), note.to_text());
        let done = blocking(move || {
            let file = folder.join(tile::CHECKPOINT);
            if let Some(there) = read(&file)? {
                match genuine(&String::from_utf8_lossy(&there), &key) {
                    _ if there == note.as_bytes() => return Ok(()),
                    Some(there) if there.size > size => return Ok(()),
                    Some(_) => {}
                    None => {
                        tracing::error!(
                            kind = "CHECKPOINT_ALTERED",
                            "integrity alarm: the checkpoint beside the tiles is not one that this log signed"
                        );
                        set_aside(&folder, tile::CHECKPOINT)?;
                    }
                }
            }
            let temporary = apart(&folder, note.as_bytes())?;
            fs::rename(&temporary, &file).map_err(Error::file(&file))?;
            sync_folder(&folder)
        })
        .await;
        drop(reached);
        done
    }

    /// How far an earlier process has come: as far as its checkpoint says, if the database knows that one.
    async fn left_at(&self, store: &Store) -> Result<u64, Error> {
        let Some(left) = self.checkpoint().await?.and_then(|note| genuine(&note, &self.key)) else { return Ok(0) };
        let mut tx = store.begin("tiles", Scope::All).await?;
        let known = store::signed_root(&mut tx, left.size).await? == Some(left.root);
        Ok(if known { left.size } else { 0 })
    }
}

/// The checkpoint of a note, if this log signed it.
fn genuine(note: &str, key: &VerifierKey) -> Option<Checkpoint> {
    Checkpoint::open(&SignedNote::parse(note).ok()?, key).ok()
}

fn read(file: &Path) -> Result<Option<Vec<u8>>, Error> {
    match fs::read(file) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::file(file)(error)),
    }
}

/// Writes the tiles that a tree of `to` leaves has and one of `from` hasn't. `leaves` begin at the tile border `first`.
fn grow(folder: &Path, from: u64, to: u64, first: u64, leaves: &[(Digest, Vec<u8>)]) -> Result<(), Error> {
    let leaves_of = |tile: &Tile| {
        let start = usize::try_from(tile.start().saturating_sub(first)).unwrap_or(usize::MAX);
        leaves.get(start..start.saturating_add(tile.width.into())).ok_or(exhibit::tlog::Error::OutOfRange)
    };
    for tile in tile::changed(from, to) {
        let bytes = match tile.holds {
            Holds::Entries => {
                tile::encode_bundle(&leaves_of(&tile)?.iter().map(|(_, entry)| entry).collect::<Vec<_>>())?
            }
            Holds::Hashes(0) => {
                tile::encode_hashes(&leaves_of(&tile)?.iter().map(|(leaf, _)| *leaf).collect::<Vec<_>>())
            }
            Holds::Hashes(level) => {
                let child = |index| Tile { holds: Holds::Hashes(level - 1), index, width: WIDTH as u16 };
                let roots = (tile.start()..tile.start() + u64::from(tile.width))
                    .map(|index| Ok(tile::subtree_root(&hashes(folder, child(index))?)?));
                tile::encode_hashes(&roots.collect::<Result<Vec<_>, Error>>()?)
            }
        };
        put(folder, &tile, &bytes)?;
    }
    Ok(())
}

/// A tile's hashes.
fn hashes(folder: &Path, tile: Tile) -> Result<Vec<Digest>, Error> {
    Ok(tile::decode_hashes(&bytes(folder, tile)?)?)
}

/// A tile's file. A wider one of the same place has it too: another process may have grown by longer strides, and narrow
/// ones go when the whole one is there.
fn bytes(folder: &Path, tile: Tile) -> Result<Vec<u8>, Error> {
    let whole = Tile { width: WIDTH as u16, ..tile };
    let mut places = vec![folder.join(tile.path()), folder.join(whole.path())];
    let narrow = fs::read_dir(folder.join(format!("{}.p", whole.path()))).into_iter().flatten().flatten();
    let width = |name: &std::ffi::OsStr| name.to_str().and_then(|name| name.parse::<u16>().ok());
    places.extend(narrow.filter(|f| width(&f.file_name()).is_some_and(|w| w > tile.width)).map(|f| f.path()));
    let there = places.iter().find_map(|place| fs::read(place).ok());
    let absent = || Error::file(&places[0])(io::ErrorKind::NotFound.into());
    there.ok_or_else(absent)
}

/// Puts a tile in its place, durably. One that is there and the same is left alone; one that differs is kept aside.
fn put(folder: &Path, tile: &Tile, bytes: &[u8]) -> Result<(), Error> {
    let file = folder.join(tile.path());
    match read(&file)? {
        Some(there) if there == bytes => return Ok(()),
        Some(_) => {
            tracing::error!(
                kind = "TILE_ALTERED",
                tile = tile.path(),
                "integrity alarm: a tile is not what was logged"
            );
            set_aside(folder, &tile.path())?;
        }
        None => {}
    }
    let within = file.parent().unwrap_or(folder);
    make_folder(within)?;
    let temporary = apart(folder, bytes)?;
    let linked = fs::hard_link(&temporary, &file);
    fs::remove_file(&temporary).map_err(Error::file(&temporary))?;
    match linked {
        // Another process of ours was faster, with the same bytes: they come from the same rows.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        linked => linked.map_err(Error::file(&file))?,
    }
    sync_folder(within)?;
    if u64::from(tile.width) == WIDTH {
        // Its narrower selves say nothing that it doesn't.
        let _ = fs::remove_dir_all(folder.join(format!("{}.p", tile.path())));
    }
    Ok(())
}

/// Keeps what lies at a path for whoever asks how it came about. A second one of the same name replaces the first: what is worth
/// keeping is that it happened.
fn set_aside(folder: &Path, path: &str) -> Result<(), Error> {
    let (file, aside) = (folder.join(path), folder.join(ASIDE));
    make_folder(&aside)?;
    fs::rename(&file, aside.join(path.replace('/', "_"))).map_err(Error::file(&file))
}

/// Writes a file of its own, on the same disk and outside of the tiles, and syncs it.
fn apart(folder: &Path, bytes: &[u8]) -> Result<PathBuf, Error> {
    let temporary = folder.join(format!(".writing-{}", std::process::id()));
    let mut out = File::create(&temporary).map_err(Error::file(&temporary))?;
    out.write_all(bytes).and_then(|()| out.sync_all()).map_err(Error::file(&temporary))?;
    Ok(temporary)
}

/// Makes a folder and those above it, each durably.
fn make_folder(folder: &Path) -> Result<(), Error> {
    if folder.is_dir() {
        return Ok(());
    }
    let Some(above) = folder.parent() else { return Ok(()) };
    make_folder(above)?;
    match fs::create_dir(folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(Error::file(folder)(error)),
        _ => {}
    }
    sync_folder(above)
}

fn sync_folder(folder: &Path) -> Result<(), Error> {
    let path = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    File::open(path).and_then(|folder| folder.sync_all()).map_err(Error::file(folder))
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, Error> + Send + 'static) -> Result<T, Error> {
    tokio::task::spawn_blocking(work).await.map_err(|_| Closed)?
}

#[cfg(test)]
#[path = "tiles_tests.rs"]
mod tests;
