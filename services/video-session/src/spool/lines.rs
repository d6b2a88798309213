//! What grows line by line while a session lasts: a file of its own for each kind, in the session's folder. Every line is on
//! stable storage when it counts as written, so a crash can tear the last one only, of which nobody was told that it was kept.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write},
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
    fn file(self) -> &'static str {
        match self {
            Self::Ledger => "ledger.jsonl",
            Self::Chat => "chat.jsonl",
            Self::Chapters => "chapters.jsonl",
        }
    }
}

impl Spool {
    /// Appends lines: all of them are durable on return, or none was written. Blocks on the disk.
    ///
    /// # Errors
    /// When the disk refuses, or the session was never prepared.
    pub fn append(&self, session: SessionId, kind: Lines, lines: &[String]) -> io::Result<()> {
        if lines.is_empty() {
            return Ok(());
        }
        let path = self.folder(session).join(kind.file());
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
        if fresh { file::sync_dir(&self.folder(session)) } else { Ok(()) }
    }

    /// A session's lines of a kind; none if none was written. Blocks on the disk.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn lines(&self, session: SessionId, kind: Lines) -> io::Result<Vec<String>> {
        match fs::read(self.folder(session).join(kind.file())) {
            // A crash may have torn a line: it is kept as far as it goes, for whoever reads to judge.
            Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).lines().map(str::to_owned).collect()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(error),
        }
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
