//! What the journal asks of a disk, and how it names a place on it.

use std::io;

/// Where journal files live. Two implementors: the disk, and in tests one that forgets what was never synced.
pub trait Storage: Send + 'static {
    /// An open file.
    type File: Blob;

    /// The numbers of all files, in ascending order.
    ///
    /// # Errors
    /// The storage can't be read.
    fn list(&self) -> io::Result<Vec<u64>>;

    /// Makes a file that must not exist yet; its name is durable on return.
    ///
    /// # Errors
    /// It exists, or there is no room.
    fn create(&self, number: u64) -> io::Result<Self::File>;

    /// Opens a file that exists.
    ///
    /// # Errors
    /// It doesn't exist or can't be read.
    fn open(&self, number: u64) -> io::Result<Self::File>;

    /// Keeps bytes that are about to be cut off, under a name of their own. Nothing is ever thrown away.
    ///
    /// # Errors
    /// There is no room.
    fn keep_aside(&self, number: u64, at: u64, bytes: &[u8]) -> io::Result<()>;

    /// How much room is left for files, in bytes, the reserve not counted.
    ///
    /// # Errors
    /// The storage can't be asked.
    fn room(&self) -> io::Result<u64>;

    /// Gives so many bytes of the reserve up, for what must be written even on a full disk; false: it hasn't so many.
    ///
    /// # Errors
    /// The reserve can't be changed.
    fn draw(&self, bytes: u64, need: Need) -> io::Result<bool>;

    /// Takes back what was drawn, as far as there is room.
    fn refill(&self);
}

/// What the reserve is drawn on for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// What an open exhibit can't be sealed without.
    Seal,
    /// An item: the second half of the reserve is not for these, or a few photographs would be in the way of every seal.
    Item,
}

impl Need {
    /// What has to stay of a reserve.
    #[must_use]
    pub fn leaves(self, reserve: u64) -> u64 {
        match self {
            Self::Seal => 0,
            Self::Item => reserve / 2,
        }
    }
}

/// One journal file.
pub trait Blob: Send {
    /// Its length.
    ///
    /// # Errors
    /// It can't be read.
    fn length(&self) -> io::Result<u64>;

    /// Fills the whole of `buffer`.
    ///
    /// # Errors
    /// It can't be read, or ends before that.
    fn read_at(&self, buffer: &mut [u8], at: u64) -> io::Result<()>;

    /// Writes all of `bytes`. Durable only after [`Blob::sync`].
    ///
    /// # Errors
    /// Among others: no room.
    fn write_at(&mut self, bytes: &[u8], at: u64) -> io::Result<()>;

    /// Makes everything written durable.
    ///
    /// # Errors
    /// Then nobody knows what is durable: don't try again.
    fn sync(&mut self) -> io::Result<()>;

    /// Takes room up to `len`, which reads as zeros until written.
    ///
    /// # Errors
    /// No room.
    fn allocate(&mut self, len: u64) -> io::Result<()>;

    /// Cuts the file.
    ///
    /// # Errors
    /// It can't be written.
    fn truncate(&mut self, len: u64) -> io::Result<()>;
}

/// Where a record lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The journal file's number.
    pub file: u64,
    /// Offset of the record's header.
    pub at: u64,
}
