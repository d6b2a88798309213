//! What we have seen, one file for each log: the note that we cosigned last, replaced whole, and on the disk before anybody hears of
//! it. `logs/<SHA-256 of the origin>`, and `forks/` for what a log should not have signed.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, ErrorKind, Write},
    path::{Path, PathBuf},
};

use exhibit::{
    Digest,
    tlog::{
        self, Checkpoint,
        note::{NOTE_AT_MOST, SignedNote, VerifierKey},
    },
};

use crate::Error;

/// The process's exit status when the disk doesn't keep its word (as sysexits' EX_IOERR).
const EXIT: i32 = 74;
/// Forks that are kept. Only the holder of the log's key can make one.
const FORKS_AT_MOST: usize = 1_000;

/// What we know of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// What we cosigned last.
    pub checkpoint: Checkpoint,
    /// The same, as the note that it came in: signed by the log and by us.
    pub note: SignedNote,
}

/// The folder. Holding it is holding its lock.
#[derive(Debug)]
pub struct Storage {
    logs: PathBuf,
    forks: PathBuf,
    _lock: File,
}

impl Storage {
    /// Takes the folder, making it if it isn't there.
    ///
    /// # Errors
    /// It can't be made, or another process has it.
    pub fn lock(folder: &Path) -> Result<Self, Error> {
        let (logs, forks) = (folder.join("logs"), folder.join("forks"));
        for folder in [&logs, &forks] {
            fs::create_dir_all(folder).map_err(Error::io("can't make the folder", folder))?;
        }
        let lock = folder.join("lock");
        let open = || {
            let file = OpenOptions::new().create(true).append(true).open(&lock)?;
            file.try_lock().map_err(io::Error::from)?;
            // A folder that a crash takes away would be a witness that has forgotten.
            File::open(folder)?.sync_all()?;
            File::open(folder.canonicalize()?.parent().unwrap_or(folder))?.sync_all()?;
            Ok(file)
        };
        let file = open().map_err(Error::io("can't take the folder for this process alone", &lock))?;
        Ok(Self { logs, forks, _lock: file })
    }

    /// All that we have seen. `us` is our own key: what it signed is checked.
    ///
    /// # Errors
    /// [`Error::Damaged`] if a file isn't what we can have written: then a person must look, for to forget is to cosign forks.
    pub fn load(&self, us: &VerifierKey) -> Result<Vec<Seen>, Error> {
        let unreadable = |source| Error::io("can't read the folder", &self.logs)(source);
        let mut all = Vec::new();
        for entry in fs::read_dir(&self.logs).map_err(unreadable)? {
            let path = entry.map_err(unreadable)?.path();
            if path.extension().is_some_and(|extension| extension == "new") {
                // Never renamed, so never answered for.
                fs::remove_file(&path).map_err(Error::io("can't remove", &path))?;
                continue;
            }
            let bytes = fs::read(&path).map_err(Error::io("can't read", &path))?;
            all.push(self.read(&path, &bytes, us).map_err(|source| Error::Damaged { path, source })?);
        }
        Ok(all)
    }

    fn read(&self, path: &Path, bytes: &[u8], us: &VerifierKey) -> Result<Seen, tlog::Error> {
        let note = SignedNote::parse(bytes)?;
        let checkpoint = Checkpoint::parse(note.text())?;
        match note.verify(us) {
            Ok(_) => {}
            // Cosigned with a key that we had before.
            Err(tlog::Error::NotSigned(_)) => tracing::warn!(?path, "seen under another key"),
            Err(error) => return Err(error),
        }
        if self.path(&checkpoint.origin) != path {
            return Err(tlog::Error::OtherOrigin(checkpoint.origin));
        }
        Ok(Seen { checkpoint, note })
    }

    fn path(&self, origin: &str) -> PathBuf {
        self.logs.join(Digest::of(origin.as_bytes()).to_string())
    }

    /// Puts this in the place of what was seen of the log before. Once it returns, no crash takes it back. If the disk fails in the
    /// middle nobody knows what is on it, so the process ends: what it has in memory must not be served.
    ///
    /// # Errors
    /// When it can't be written at all. Then what was seen before stands.
    pub fn save(&self, seen: &Seen) -> Result<(), Error> {
        let path = self.path(&seen.checkpoint.origin);
        let new = path.with_extension("new");
        let write = || {
            let mut file = File::create(&new)?;
            file.write_all(seen.note.to_text().as_bytes())?;
            Ok(file)
        };
        let file = write().map_err(Error::io("can't write", &new))?;
        let kept =
            file.sync_all().and_then(|()| fs::rename(&new, &path)).and_then(|()| File::open(&self.logs)?.sync_all());
        if let Err(error) = kept {
            tracing::error!(%error, "the disk does not keep what it is given: ending the process");
            std::process::exit(EXIT);
        }
        Ok(())
    }

    /// Keeps a checkpoint that the log's key signed and that contradicts the one we cosigned: the two together convict the log.
    /// Best effort: it decides nothing.
    pub fn keep_fork(&self, note: &SignedNote) {
        let kept = fs::read_dir(&self.forks).map_or(FORKS_AT_MOST, Iterator::count);
        let path = self.forks.join(Digest::of(note.text().as_bytes()).to_string());
        if kept >= FORKS_AT_MOST || note.to_text().len() > NOTE_AT_MOST {
            return;
        }
        let written = OpenOptions::new().write(true).create_new(true).open(&path).and_then(|mut file| {
            file.write_all(note.to_text().as_bytes())?;
            file.sync_all()
        });
        match written {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => tracing::error!(%error, "can't keep a fork"),
            _ => {}
        }
    }
}
