//! Journal files on the disk: `journal-0000000000000001.alj`, in a folder that one process has to itself.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{Blob, Storage};

/// The folder. Holding it is holding its lock.
#[derive(Debug, Clone)]
pub struct Disk {
    folder: PathBuf,
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
        Ok(Self { folder: folder.to_owned(), _lock: Arc::new(lock) })
    }

    /// Opens files for reading only, as often as needed.
    #[must_use]
    pub fn reader(&self) -> Reader {
        Reader { folder: self.folder.clone() }
    }

    fn sync_folder(&self) -> io::Result<()> {
        File::open(&self.folder)?.sync_all()
    }
}

/// Reads journal files beside the thread that writes them.
#[derive(Debug, Clone)]
pub struct Reader {
    folder: PathBuf,
}

impl Reader {
    /// Opens a file for reading.
    ///
    /// # Errors
    /// It doesn't exist or can't be read.
    pub fn open(&self, number: u64) -> io::Result<File> {
        File::open(path(&self.folder, number))
    }
}

fn path(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("journal-{number:016x}.alj"))
}

impl Storage for Disk {
    type File = File;

    fn list(&self) -> io::Result<Vec<u64>> {
        let mut numbers = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let name = entry?.file_name();
            let number = name.to_str().and_then(|name| name.strip_prefix("journal-")?.strip_suffix(".alj"));
            numbers.extend(number.and_then(|number| u64::from_str_radix(number, 16).ok()));
        }
        numbers.sort_unstable();
        Ok(numbers)
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
