//! The package as one stream: POSIX ustar, every header the same for the same file, so that any byte that differs shows.
//!
//! Written here rather than by a crate: the header's bytes are part of the format, and [`crate::verify`] compares them.

use std::io::{self, Read, Write};

use chrono::{DateTime, Utc};

/// Length of a header, and what every file is filled up to.
pub const BLOCK: usize = 512;

/// What ends the stream.
pub const END: [u8; 2 * BLOCK] = [0; 2 * BLOCK];

/// Length of the header's field for the name.
pub const NAME: usize = 100;

static ZEROS: [u8; BLOCK] = [0; BLOCK];

/// What ustar has no room for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// Paths are at most 100 bytes from some folder on, and 155 up to it.
    #[error("path is empty, or too long for the archive")]
    Path,
    /// Files are under 8 GiB.
    #[error("file of {0} bytes is too long for the archive")]
    Length(u64),
    /// Times are from 1970 on, and under 11 octal digits of seconds.
    #[error("time out of range for the archive")]
    Time,
}

/// A longer path is split at the first slash that leaves at most [`NAME`] bytes: what is before it is the prefix.
fn split(path: &str) -> Option<(&str, &str)> {
    const PREFIX: usize = 155;
    if path.is_empty() || path.len() <= NAME {
        return (!path.is_empty()).then_some(("", path));
    }
    let (prefix, name) =
        path.match_indices('/').map(|(at, _)| (&path[..at], &path[at + 1..])).find(|(_, n)| n.len() <= NAME)?;
    (prefix.len() <= PREFIX && !prefix.is_empty() && !name.is_empty()).then_some((prefix, name))
}

/// The header of a regular file. `modified` is the fence of the exhibit, for every file alike.
///
/// # Errors
/// See [`HeaderError`].
pub fn header(path: &str, bytes: u64, modified: DateTime<Utc>) -> Result<[u8; BLOCK], HeaderError> {
    let (prefix, name) = split(path).ok_or(HeaderError::Path)?;
    let seconds = u64::try_from(modified.timestamp()).map_err(|_| HeaderError::Time)?;
    let mut block = [0; BLOCK];
    put(&mut block, 0, name.as_bytes());
    put(&mut block, 100, b"0000644\0");
    put(&mut block, 108, b"0000000\0");
    put(&mut block, 116, b"0000000\0");
    put(&mut block, 124, &octal(bytes).ok_or(HeaderError::Length(bytes))?);
    put(&mut block, 136, &octal(seconds).ok_or(HeaderError::Time)?);
    put(&mut block, 148, b"        ");
    put(&mut block, 156, b"0");
    put(&mut block, 257, b"ustar\x0000");
    put(&mut block, 329, b"0000000\0");
    put(&mut block, 337, b"0000000\0");
    put(&mut block, 345, prefix.as_bytes());
    let sum: u32 = block.iter().map(|b| u32::from(*b)).sum();
    put(&mut block, 148, format!("{sum:06o}\0 ").as_bytes());
    Ok(block)
}

/// The zeros that follow a file of this length.
#[must_use]
pub fn padding(bytes: u64) -> &'static [u8] {
    let over = (bytes % BLOCK as u64) as usize;
    if over == 0 { &[] } else { &ZEROS[over..] }
}

fn put(block: &mut [u8; BLOCK], at: usize, bytes: &[u8]) {
    block[at..at + bytes.len()].copy_from_slice(bytes);
}

/// Eleven octal digits and a zero byte.
fn octal(value: u64) -> Option<[u8; 12]> {
    let mut field = [0; 12];
    let text = format!("{value:011o}");
    (text.len() == 11).then(|| field[..11].copy_from_slice(text.as_bytes()))?;
    Some(field)
}

/// Writes a package to anything, without holding more than a buffer of it.
pub struct Writer<W> {
    out: W,
    modified: DateTime<Utc>,
}

impl<W: Write> Writer<W> {
    /// Starts an archive. `modified` is the exhibit's fence.
    pub fn new(out: W, modified: DateTime<Utc>) -> Self {
        Self { out, modified }
    }

    /// Adds a file that is at hand.
    ///
    /// # Errors
    /// What the output says, or what [`header`] refuses.
    pub fn file(&mut self, path: &str, bytes: &[u8]) -> io::Result<()> {
        self.entry(path, bytes.len() as u64, bytes)
    }

    /// Adds a file as it is read.
    ///
    /// # Errors
    /// As [`Writer::file`]; also if the reader gives more or fewer than the declared bytes.
    pub fn entry(&mut self, path: &str, bytes: u64, mut from: impl Read) -> io::Result<()> {
        let header = header(path, bytes, self.modified).map_err(|e| io::Error::new(io::ErrorKind::InvalidInput, e))?;
        self.out.write_all(&header)?;
        let copied = io::copy(&mut (&mut from).take(bytes), &mut self.out)?;
        if copied != bytes || from.read(&mut [0])? != 0 {
            return Err(io::Error::new(io::ErrorKind::InvalidData, format!("{path} is not {bytes} bytes long")));
        }
        self.out.write_all(padding(bytes))
    }

    /// Ends the archive.
    ///
    /// # Errors
    /// What the output says.
    pub fn finish(mut self) -> io::Result<W> {
        self.out.write_all(&END)?;
        self.out.flush()?;
        Ok(self.out)
    }
}
