//! A package as a tar file: only what [`crate::tar`] writes, compared byte for byte, so that no byte of it is outside of the check.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, BufReader, Read, Seek, SeekFrom},
};

use chrono::DateTime;

use super::{
    report::Report,
    source::{ARCHIVE, Place},
};
use crate::tar::{self, BLOCK, END};

type Found = (BTreeMap<String, Place>, Option<i64>);

/// Finds every file, and the time that they all have. `None` if this is no package at all.
pub fn index(file: File, report: &mut Report) -> io::Result<Option<Found>> {
    let total = file.metadata()?.len();
    let mut file = BufReader::new(file);
    let (mut files, mut modified) = (BTreeMap::new(), None);
    let mut at = 0;
    loop {
        let mut block = [0; BLOCK];
        if total - at < BLOCK as u64 {
            report.fail(ARCHIVE, "is cut short: its end marker is not there");
            break;
        }
        file.seek(SeekFrom::Start(at))?;
        file.read_exact(&mut block)?;
        if block == [0; BLOCK] {
            check_end(&mut file, at, total, report)?;
            break;
        }
        let entry = Entry::read(&block);
        // One altered byte must not turn a package into no package.
        if at == 0 && !entry.canonical && !entry.name.starts_with("bag/") && &block[257..263] != b"ustar\0" {
            return Ok(None);
        }
        let place = format!("{} (at byte {at} of the tar file)", entry.name);
        if !entry.canonical {
            let kind = if matches!(block[156], b'0' | 0) { "its entry" } else { "it is no plain file, or its entry" };
            report.fail(
                &place,
                &format!("{kind} in the tar file is not as exported (packed again? then verify it unpacked)"),
            );
        }
        if !safe(&entry.name) {
            report.fail(&place, "has a path that leads out of the package");
        }
        let Some(len) = entry.len else {
            report.fail(ARCHIVE, &format!("can't be read beyond byte {at}"));
            break;
        };
        let start = at + BLOCK as u64;
        let cut = len.min(total - start);
        let here = Place { path: entry.name.clone(), offset: Some(start), len: cut };
        if files.insert(entry.name.clone(), here).is_some() {
            report.fail(&entry.name, "is in the tar file twice");
        }
        if *modified.get_or_insert(entry.seconds) != entry.seconds {
            report.fail(&place, "has another time than the files before it");
        }
        if cut < len {
            report.fail(&entry.name, &format!("is cut short: {cut} of {len} bytes"));
            break;
        }
        let mut filling = vec![1; tar::padding(len).len()];
        file.seek(SeekFrom::Start(start + len))?;
        if file.read_exact(&mut filling).is_err() || filling.iter().any(|b| *b != 0) {
            report.fail(&entry.name, "what follows it in the tar file is not zeros, or is cut short");
        }
        at = (start + len + filling.len() as u64).min(total);
    }
    Ok(Some((files, modified)))
}

fn check_end(file: &mut (impl Read + Seek), at: u64, total: u64, report: &mut Report) -> io::Result<()> {
    if total != at + END.len() as u64 {
        report.fail(ARCHIVE, "doesn't end where its end marker does");
    }
    let mut end = Vec::new();
    file.seek(SeekFrom::Start(at))?;
    file.take(END.len() as u64).read_to_end(&mut end)?;
    if end.iter().any(|b| *b != 0) {
        report.fail(ARCHIVE, "its end marker is not all zeros");
    }
    Ok(())
}

/// Paths are only names here, but whoever unpacks the tar writes to them.
fn safe(path: &str) -> bool {
    path.split('/').all(|part| !matches!(part, "" | "." | ".."))
}

struct Entry {
    name: String,
    len: Option<u64>,
    seconds: i64,
    canonical: bool,
}

impl Entry {
    fn read(block: &[u8; BLOCK]) -> Self {
        let text =
            |field: &[u8]| String::from_utf8_lossy(field.split(|b| *b == 0).next().unwrap_or_default()).into_owned();
        let (name, prefix) = (text(&block[..tar::NAME]), text(&block[345..500]));
        let name = if prefix.is_empty() { name } else { format!("{prefix}/{name}") };
        let (len, seconds) = (octal(&block[124..136]), octal(&block[136..148]).and_then(|s| i64::try_from(s).ok()));
        let time = seconds.and_then(|s| DateTime::from_timestamp(s, 0));
        let ours = len.zip(time).and_then(|(len, time)| tar::header(&name, len, time).ok());
        Self { canonical: ours.as_ref() == Some(block), name, len, seconds: seconds.unwrap_or_default() }
    }
}

fn octal(field: &[u8]) -> Option<u64> {
    let digits = std::str::from_utf8(field.strip_suffix(b"\0")?).ok()?;
    u64::from_str_radix(digits, 8).ok()
}
