//! Object storage for closed journal files: a folder on another disk, or S3. Puts are create-only, and nothing is ever
//! overwritten or deleted here: what an object's name says is what it was the first time. So a file goes up in one put: what
//! is put together from parts (`put_multipart`) can't be made create-only.
//!
//! A file counts as archived once it was read back and its SHA-256 is that of the local one. With that digest it can be
//! fetched again when the local file is gone, and is believed for no other reason.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Seek, Write},
    path::{Path, PathBuf},
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use exhibit::{Digest, Hasher};
use futures::TryStreamExt;
use object_store::{
    BackoffConfig, ClientConfigKey, ObjectStore, ObjectStoreExt, PutMode, PutPayload, RetryConfig,
    aws::{AmazonS3Builder, AmazonS3ConfigKey, S3ConditionalPut},
    local::LocalFileSystem,
    path::Path as Key,
    prefix::PrefixStore,
};
use tokio::runtime::Handle;

use crate::journal::disk::{file_name, file_number};

/// Fetched files that are kept beside the journal for the next who reads them.
const MOST_CACHED: usize = 8;
/// A file goes up, and comes down, in one request: 1 GiB of it in this time is 10 Mb/s.
const REQUEST_TIMEOUT: &str = "15 minutes";
/// A stutter is bridged here. An object store that is away is the archiver's business, which says so and comes back to it.
const RETRIES: RetryConfig = RetryConfig {
    backoff: BackoffConfig { init_backoff: Duration::from_millis(100), max_backoff: Duration::from_secs(1), base: 2. },
    max_retries: 3,
    retry_timeout: Duration::from_secs(10),
};

/// Why something is not archived, or not to be had.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address is no address of an archive.
    #[error("archive.url must be file:///folder or s3://bucket/prefix")]
    Url,
    /// The object store is away, or refuses.
    #[error("the object store failed")]
    Away(#[from] object_store::Error),
    /// The local disk.
    #[error("the local file failed")]
    Disk(#[from] io::Error),
    /// Under this file's name there are other bytes. Neither copy is touched.
    #[error("the archive has other bytes under this name: {there}, not {ours}")]
    OtherBytes {
        /// SHA-256 of the object.
        there: Digest,
        /// SHA-256 of what it should be.
        ours: Digest,
    },
}

/// A file's copy, as it was when it was archived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Archived {
    /// SHA-256 of the file.
    pub sha256: Digest,
    /// Its length.
    pub bytes: u64,
}

/// The archive. Clones are the same one.
#[derive(Debug, Clone)]
pub struct Archive(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    objects: Box<dyn ObjectStore>,
    /// Where they lie, if that is a folder: its puts don't sync.
    folder: Option<PathBuf>,
    /// Private to us, emptied at each start.
    cache: PathBuf,
    known: RwLock<BTreeMap<u64, Archived>>,
    runtime: Handle,
    fetched: AtomicU64,
}

impl Archive {
    /// Opens the archive at `url`; what is fetched from it later lies under `cache`. Within a runtime.
    ///
    /// # Errors
    /// The address is wrong, or the cache's folder can't be made. An archive that is away is found out later.
    pub fn open(url: &str, cache: PathBuf) -> Result<Self, Error> {
        Self::open_by(AmazonS3Builder::from_env(), url, cache)
    }

    /// `s3` has what the environment says of an object store: endpoint, region, credentials.
    fn open_by(s3: AmazonS3Builder, url: &str, cache: PathBuf) -> Result<Self, Error> {
        let folder = url.strip_prefix("file://").map(PathBuf::from);
        let objects: Box<dyn ObjectStore> = if let Some(folder) = &folder {
            if !folder.is_absolute() {
                return Err(Error::Url);
            }
            fs::create_dir_all(folder)?;
            Box::new(LocalFileSystem::new_with_prefix(folder)?)
        } else if let Some(place) = url.strip_prefix("s3://") {
            let (bucket, prefix) = place.split_once('/').unwrap_or((place, ""));
            let s3 = s3
                .with_bucket_name(bucket)
                .with_conditional_put(S3ConditionalPut::ETagMatch)
                .with_config(AmazonS3ConfigKey::Client(ClientConfigKey::Timeout), REQUEST_TIMEOUT)
                .with_retry(RETRIES)
                .build()?;
            Box::new(PrefixStore::new(s3, prefix))
        } else {
            return Err(Error::Url);
        };
        let _ = fs::remove_dir_all(&cache);
        fs::create_dir_all(&cache)?;
        let (known, runtime, fetched) = (RwLock::default(), Handle::current(), AtomicU64::default());
        Ok(Self(Arc::new(Inner { objects, folder, cache, known, runtime, fetched })))
    }

    /// Notes what a file's copy must be.
    pub fn know(&self, files: impl IntoIterator<Item = (u64, Archived)>) {
        self.0.known.write().unwrap_or_else(PoisonError::into_inner).extend(files);
    }

    /// Copies a closed file, unless it is there, and reads it back.
    ///
    /// # Errors
    /// It isn't there, or other bytes are.
    pub async fn put(&self, number: u64, path: PathBuf) -> Result<Archived, Error> {
        let read = tokio::task::spawn_blocking(move || {
            // Its length may have been cut when it was closed: what is copied is what a crash leaves.
            let file = File::open(&path)?;
            file.sync_all()?;
            fs::read(&path)
        });
        let bytes = Bytes::from(read.await.map_err(io::Error::other)??);
        let ours = Archived { sha256: Digest::of(&bytes), bytes: bytes.len() as u64 };
        let (place, payload) = (key(number), PutPayload::from(bytes));
        let failed = match self.0.objects.put_opts(&place, payload, PutMode::Create.into()).await {
            // An earlier process may have died before it could note this.
            Ok(_) | Err(object_store::Error::AlreadyExists { .. }) => None,
            Err(error) => Some(error),
        };
        let there = match (self.copy(number, &mut io::sink()).await, failed) {
            // Even if the put failed: who refuses an object that is there may hang up before all of it was sent.
            (Ok(there), _) => there,
            (Err(_), Some(failed)) => return Err(failed.into()),
            (Err(missing), None) => return Err(missing),
        };
        if there != ours {
            return Err(Error::OtherBytes { there: there.sha256, ours: ours.sha256 });
        }
        if let Some(folder) = self.0.folder.clone() {
            let synced = tokio::task::spawn_blocking(move || {
                File::open(folder.join(file_name(number)))?.sync_all()?;
                File::open(folder)?.sync_all()
            });
            synced.await.map_err(io::Error::other)??;
        }
        self.know([(number, ours)]);
        Ok(ours)
    }

    /// The numbers of all files that are there.
    ///
    /// # Errors
    /// The object store is away.
    pub async fn list(&self) -> Result<Vec<u64>, Error> {
        let objects: Vec<_> = self.0.objects.list(None).try_collect().await?;
        let mut numbers: Vec<u64> =
            objects.iter().filter_map(|object| file_number(object.location.filename()?)).collect();
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// Brings a file back under `path`, where none may be, and opens it. What it must be is known from before, or from its own
    /// records.
    ///
    /// # Errors
    /// The object store is away, the disk is full, or the object isn't what it was.
    pub async fn fetch(&self, number: u64, path: &Path) -> Result<File, Error> {
        let aside = path.with_extension(format!("part-{}", self.0.fetched.fetch_add(1, Ordering::Relaxed)));
        let fetched = async {
            let mut file = File::options().create(true).truncate(true).read(true).write(true).open(&aside)?;
            let there = self.copy(number, &mut file).await?;
            if let Some(ours) = self.known(number).filter(|ours| *ours != there) {
                return Err(Error::OtherBytes { there: there.sha256, ours: ours.sha256 });
            }
            file.sync_all()?;
            file.rewind()?;
            fs::rename(&aside, path)?;
            Ok(file)
        };
        let outcome = fetched.await;
        if outcome.is_err() {
            let _ = fs::remove_file(&aside);
        }
        outcome
    }

    /// Opens a file that is no longer here. Blocks on the network the first time; not to be called from within a task
    /// that others wait for.
    ///
    /// # Errors
    /// It was never archived, or can't be fetched as it was.
    pub fn open_copy(&self, number: u64) -> io::Result<File> {
        if self.known(number).is_none() {
            return Err(io::ErrorKind::NotFound.into());
        }
        let path = self.0.cache.join(file_name(number));
        if let Ok(file) = File::open(&path) {
            return Ok(file);
        }
        // On a thread of its own: the caller's may belong to the runtime, which doesn't allow this.
        let fetched =
            std::thread::scope(|scope| scope.spawn(|| self.0.runtime.block_on(self.fetch(number, &path))).join());
        let fetched = fetched.map_err(|_| io::Error::other("fetching from the archive panicked"))?;
        if let Err(error) = &fetched {
            tracing::error!(file = number, error = chassis::chain(error), "an archived journal file can't be fetched");
        }
        let file = fetched.map_err(io::Error::other)?;
        if let Err(error) = self.trim() {
            tracing::warn!(%error, "the archive's cache can't be trimmed");
        }
        Ok(file)
    }

    fn known(&self, number: u64) -> Option<Archived> {
        self.0.known.read().unwrap_or_else(PoisonError::into_inner).get(&number).copied()
    }

    async fn copy(&self, number: u64, to: &mut (dyn Write + Send)) -> Result<Archived, Error> {
        let mut from = self.0.objects.get(&key(number)).await?.into_stream();
        let (mut hasher, mut bytes) = (Hasher::new(), 0);
        while let Some(piece) = from.try_next().await? {
            hasher.update(&piece);
            bytes += piece.len() as u64;
            to.write_all(&piece)?;
        }
        Ok(Archived { sha256: hasher.finish(), bytes })
    }

    /// The oldest go; who has one open goes on reading it. Others fetch and trim meanwhile: what isn't whole yet is left
    /// alone, and what is gone is gone.
    fn trim(&self) -> io::Result<()> {
        let mut cached = Vec::new();
        for entry in fs::read_dir(&self.0.cache)? {
            let entry = entry?;
            if entry.file_name().to_str().and_then(file_number).is_some()
                && let Ok(metadata) = entry.metadata()
            {
                cached.push((metadata.modified()?, entry.path()));
            }
        }
        cached.sort();
        let most = cached.len().saturating_sub(MOST_CACHED);
        cached.iter().take(most).try_for_each(|(_, path)| match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        })
    }
}

fn key(number: u64) -> Key {
    Key::from(file_name(number))
}

#[cfg(test)]
#[path = "archive_tests.rs"]
mod tests;
