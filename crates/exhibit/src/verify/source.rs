//! Where a package's bytes come from: a folder, or a tar file read in place.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    path::{Path, PathBuf},
};

use super::{archive, directory, report::Report};

/// How failures of the tar file as such are named.
pub const ARCHIVE: &str = "(the tar file itself)";

/// There is nothing to verify, or reading it failed. Says nothing about the exhibit.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// Reading failed.
    #[error("can't read {path}")]
    Io {
        /// What was being read.
        path: String,
        /// Why it failed.
        source: io::Error,
    },
    /// It is something else.
    #[error("{0} is not an exhibit's package: neither a folder with `bag` and `proof`, nor such a tar file")]
    NotAPackage(String),
}

impl Unreadable {
    pub(super) fn io(path: &str, source: io::Error) -> Self {
        Self::Io { path: path.to_owned(), source }
    }
}

/// A package's files, by path from its root.
pub struct Source {
    root: PathBuf,
    files: BTreeMap<String, Place>,
    modified: Option<i64>,
}

/// Where a file's bytes are.
#[derive(Clone)]
pub struct Place {
    /// Where, from the root, if it is a file of its own.
    pub path: String,
    /// `None`: a file of its own; `Some`: from here in the tar.
    pub offset: Option<u64>,
    /// How many there are.
    pub len: u64,
}

impl Source {
    /// Finds what is there. What should not be there goes into the report.
    pub fn open(root: &Path, report: &mut Report) -> Result<Self, Unreadable> {
        let name = root.display().to_string();
        let failed = |e| Unreadable::io(&name, e);
        let kind = std::fs::metadata(root).map_err(failed)?;
        let (files, modified) = if kind.is_dir() {
            let files = directory::index(root, report).map_err(failed)?;
            (files.ok_or(Unreadable::NotAPackage(name))?, None)
        } else if kind.is_file() {
            let found = archive::index(File::open(root).map_err(failed)?, report).map_err(failed)?;
            found.ok_or(Unreadable::NotAPackage(name))?
        } else {
            return Err(Unreadable::NotAPackage(name));
        };
        Ok(Self { root: root.to_owned(), files, modified })
    }

    /// Every file with its length.
    pub fn files(&self) -> impl Iterator<Item = (&str, u64)> {
        self.files.iter().map(|(path, place)| (path.as_str(), place.len))
    }

    /// The same files under other names; those without one are left out.
    pub fn renamed(&self, rename: impl Fn(&str) -> Option<String>) -> Self {
        let files = self.files.iter().filter_map(|(path, place)| Some((rename(path)?, place.clone())));
        Self { root: self.root.clone(), files: files.collect(), modified: None }
    }

    /// How long a file is, if it is there.
    pub fn length(&self, path: &str) -> Option<u64> {
        self.files.get(path).map(|place| place.len)
    }

    /// The time that the tar gives to its files, in seconds.
    pub fn modified(&self) -> Option<i64> {
        self.modified
    }

    /// Opens a file that is there.
    pub fn reader(&self, path: &str) -> Result<impl Read + use<>, Unreadable> {
        let open = || {
            let place = self.files.get(path).ok_or(io::ErrorKind::NotFound)?;
            let Some(offset) = place.offset else {
                // Not limited to the length seen before: what is read is what is judged.
                return Ok(File::open(self.root.join(&place.path))?.take(u64::MAX));
            };
            let mut file = File::open(&self.root)?;
            file.seek(SeekFrom::Start(offset))?;
            Ok(file.take(place.len))
        };
        open().map_err(|e| Unreadable::io(path, e))
    }

    /// Reads a small file whole.
    pub fn read(&self, path: &str) -> Result<Vec<u8>, Unreadable> {
        let mut bytes = Vec::new();
        let limit = super::LONGEST_SMALL_FILE;
        self.reader(path)?.take(limit).read_to_end(&mut bytes).map_err(|e| Unreadable::io(path, e))?;
        Ok(bytes)
    }
}
