//! What grows line by line while a session lasts: a file of its own for each kind and part, in the session's folder. Every line is on
//! stable storage when it counts as written, so a crash can tear the last one only, of which nobody was told that it was kept.

use std::{
    collections::BTreeMap,
    fs::{self, File, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    sync::{Arc, PoisonError},
};

use ids::SessionId;

use super::{Spool, file};

/// A kind of lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lines {
    /// What was noted about the media.
    Ledger,
    /// What was written in the call.
    Chat,
    /// Where something begins.
    Chapters,
}

impl Lines {
    fn stem(self) -> &'static str {
        match self {
            Self::Ledger => "ledger",
            Self::Chat => "chat",
            Self::Chapters => "chapters",
        }
    }

    /// The first part's has no number.
    fn file(self, part: u64) -> String {
        let stem = self.stem();
        if part == 1 { format!("{stem}.jsonl") } else { format!("{stem}-{part}.jsonl") }
    }

    fn part(self, file: &str) -> Option<u64> {
        match file.strip_prefix(self.stem())?.strip_suffix(".jsonl")? {
            "" => Some(1),
            part => part.strip_prefix('-')?.parse().ok(),
        }
    }
}

impl Spool {
    /// Appends lines to those of the session's part: all of them are durable on return, or none was written. Blocks on the
    /// disk.
    ///
    /// # Errors
    /// When the disk refuses, or the session was never prepared.
    pub fn append(&self, session: SessionId, kind: Lines, lines: &[String]) -> io::Result<()> {
        if lines.is_empty() {
            return Ok(());
        }
        let noting = self.index().get(&session).map(|folder| Arc::clone(&folder.noting));
        let noting = noting.ok_or(io::ErrorKind::NotFound)?;
        let _noting = noting.lock().unwrap_or_else(PoisonError::into_inner);
        let path = self.lines_file(session, kind);
        let fresh = !path.exists();
        let mut file = OpenOptions::new().create(true).read(true).append(true).open(&path)?;
        let before = file.seek(SeekFrom::End(0))?;
        let mut text = lines.join("\n") + "\n";
        if is_torn(&mut file, before)? {
            text.insert(0, '\n');
        }
        let written = file.write_all(text.as_bytes()).and_then(|()| file.sync_data());
        if written.is_err() {
            // Whoever is refused says it again: it must not be there twice.
            let _ = file.set_len(before);
        }
        written?;
        if fresh {
            file::sync_dir(&self.folder(session))?;
        }
        self.tell();
        Ok(())
    }

    /// The lines of the session's part; none if none was written. Blocks on the disk.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn lines(&self, session: SessionId, kind: Lines) -> io::Result<Vec<String>> {
        read(&self.lines_file(session, kind))
    }

    /// The lines of every part of the session that this instance has carried, by part. Blocks on the disk.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn lines_by_part(&self, session: SessionId, kind: Lines) -> io::Result<BTreeMap<u64, Vec<String>>> {
        let entries = match fs::read_dir(self.folder(session)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
            entries => entries?,
        };
        let mut parts = BTreeMap::new();
        for entry in entries {
            let entry = entry?;
            if let Some(part) = entry.file_name().to_str().and_then(|name| kind.part(name)) {
                parts.insert(part, read(&entry.path())?);
            }
        }
        Ok(parts)
    }

    fn lines_file(&self, session: SessionId, kind: Lines) -> PathBuf {
        self.folder(session).join(kind.file(self.owner(session).map_or(1, |owner| owner.part)))
    }
}

fn read(path: &Path) -> io::Result<Vec<String>> {
    match fs::read(path) {
        // A crash may have torn a line: it is kept as far as it goes, for whoever reads to judge.
        Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).lines().map(str::to_owned).collect()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// Does it end within a line?
fn is_torn(file: &mut File, length: u64) -> io::Result<bool> {
    let Some(last) = length.checked_sub(1) else { return Ok(false) };
    let mut byte = [0];
    file.seek(SeekFrom::Start(last))?;
    file.read_exact(&mut byte)?;
    Ok(byte != *b"\n")
}
