//! Journal files on the disk: `journal-0000000000000001.alj`, in a folder that one process has to itself.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{Blob, Need, Storage};
use crate::archive::Archive;

/// The folder. Holding it is holding its lock.
#[derive(Debug, Clone)]
pub struct Disk {
    folder: PathBuf,
    /// Bytes that the file `reserve` holds while nothing was drawn.
    reserve: u64,
    _lock: Arc<File>,
}

impl Disk {
    /// Takes the folder, making it if it isn't there.
    ///
    /// # Errors
    /// It can't be made, or another process has it (`WouldBlock`).
    pub fn lock(folder: &Path) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        if let Some(parent) = folder.canonicalize()?.parent() {
            File::open(parent)?.sync_all()?;
        }
        let lock = OpenOptions::new().create(true).append(true).open(folder.join("lock"))?;
        lock.try_lock().map_err(io::Error::from)?;
        Ok(Self { folder: folder.to_owned(), reserve: 0, _lock: Arc::new(lock) })
    }

    /// Keeps so many bytes of the disk in a preallocated file, so that open exhibits can be sealed when it is full.
    #[must_use]
    pub fn with_reserve(self, bytes: u64) -> Self {
        let disk = Self { reserve: bytes, ..self };
        disk.refill();
        disk
    }

    fn reserve_file(&self) -> io::Result<File> {
        OpenOptions::new().create(true).read(true).append(true).open(self.folder.join("reserve"))
    }

    /// Opens files for reading only, as often as needed.
    #[must_use]
    pub fn reader(&self) -> Reader {
        Reader { folder: self.folder.clone(), archive: None }
    }

    fn sync_folder(&self) -> io::Result<()> {
        File::open(&self.folder)?.sync_all()
    }
}

/// Reads journal files beside the thread that writes them.
#[derive(Debug, Clone)]
pub struct Reader {
    folder: PathBuf,
    archive: Option<Archive>,
}

impl Reader {
    /// With an archive to fall back on.
    #[must_use]
    pub fn with_archive(self, archive: Option<Archive>) -> Self {
        Self { archive, ..self }
    }

    /// The archive, if there is one.
    #[must_use]
    pub fn archive(&self) -> Option<&Archive> {
        self.archive.as_ref()
    }

    /// Opens a file for reading: the local one, or its archived copy. May block on the network.
    ///
    /// # Errors
    /// There is neither, or it can't be read.
    pub fn open(&self, number: u64) -> io::Result<File> {
        match (File::open(self.path(number)), &self.archive) {
            (Err(error), Some(archive)) if error.kind() == io::ErrorKind::NotFound => archive.open_copy(number),
            (opened, _) => opened,
        }
    }

    /// Where a file lies, or would.
    #[must_use]
    pub fn path(&self, number: u64) -> PathBuf {
        self.folder.join(file_name(number))
    }

    /// The numbers of all local files, in ascending order.
    ///
    /// # Errors
    /// The folder can't be read.
    pub fn list(&self) -> io::Result<Vec<u64>> {
        list(&self.folder)
    }

    /// Drops a local file whose copy is archived.
    ///
    /// # Errors
    /// The folder can't be written.
    pub fn drop_local(&self, number: u64) -> io::Result<()> {
        fs::remove_file(self.path(number))?;
        File::open(&self.folder)?.sync_all()
    }
}

/// A journal file's name.
#[must_use]
pub fn file_name(number: u64) -> String {
    format!("journal-{number:016x}.alj")
}

/// The number in a journal file's name.
#[must_use]
pub fn file_number(name: &str) -> Option<u64> {
    let number = u64::from_str_radix(name.strip_prefix("journal-")?.strip_suffix(".alj")?, 16).ok()?;
    (file_name(number) == name).then_some(number)
}

fn path(folder: &Path, number: u64) -> PathBuf {
    folder.join(file_name(number))
}

fn list(folder: &Path) -> io::Result<Vec<u64>> {
    let mut numbers = Vec::new();
    for entry in fs::read_dir(folder)? {
        numbers.extend(entry?.file_name().to_str().and_then(file_number));
    }
    numbers.sort_unstable();
    Ok(numbers)
}

impl Storage for Disk {
    type File = File;

    fn list(&self) -> io::Result<Vec<u64>> {
        list(&self.folder)
    }

    fn create(&self, number: u64) -> io::Result<File> {
        let file = OpenOptions::new().create_new(true).read(true).write(true).open(path(&self.folder, number))?;
        self.sync_folder()?;
        Ok(file)
    }

    fn open(&self, number: u64) -> io::Result<File> {
        OpenOptions::new().read(true).write(true).open(path(&self.folder, number))
    }

    fn keep_aside(&self, number: u64, at: u64, bytes: &[u8]) -> io::Result<()> {
        let mut file = File::create(self.folder.join(format!("journal-{number:016x}.torn-at-{at}")))?;
        file.write_all(bytes)?;
        file.sync_all()?;
        self.sync_folder()
    }

    fn room(&self) -> io::Result<u64> {
        let disk = rustix::fs::statvfs(&self.folder)?;
        Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
    }

    fn draw(&self, bytes: u64, need: Need) -> io::Result<bool> {
        let file = self.reserve_file()?;
        let len = file.metadata()?.len();
        if len < bytes + need.leaves(self.reserve) {
            return Ok(false);
        }
        file.set_len(len - bytes)?;
        // Until then some file systems don't hand the room on.
        file.sync_all()?;
        tracing::warn!(bytes, left = len - bytes, "journal draws on its reserve");
        Ok(true)
    }

    fn refill(&self) {
        let refilled = || -> io::Result<()> {
            let mut file = self.reserve_file()?;
            if file.metadata()?.len() > self.reserve {
                file.set_len(self.reserve)?;
            }
            Blob::allocate(&mut file, self.reserve)?;
            // Where nothing can be preallocated, zeros are written: a length alone reserves nothing.
            while file.metadata()?.len() < self.reserve {
                let left = self.reserve - file.metadata()?.len();
                file.write_all(&vec![0; left.min(1 << 20) as usize])?;
            }
            file.sync_all()
        };
        if let Err(error) = refilled() {
            tracing::error!(%error, reserve = self.reserve, "journal can't keep its reserve: make room");
        }
    }
}

impl Blob for File {
    fn length(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }

    fn read_at(&self, buffer: &mut [u8], at: u64) -> io::Result<()> {
        self.read_exact_at(buffer, at)
    }

    fn write_at(&mut self, bytes: &[u8], at: u64) -> io::Result<()> {
        self.write_all_at(bytes, at)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.sync_data()
    }

    fn allocate(&mut self, len: u64) -> io::Result<()> {
        if len == 0 {
            return Ok(());
        }
        match rustix::fs::fallocate(&*self, rustix::fs::FallocateFlags::empty(), 0, len) {
            // A file system without preallocation: writes take their room one by one.
            Err(rustix::io::Errno::OPNOTSUPP) => Ok(()),
            done => Ok(done?),
        }
    }

    fn truncate(&mut self, len: u64) -> io::Result<()> {
        self.set_len(len)
    }
}
