//! What is found at start. An incomplete tail is cut off (and kept aside): nobody was promised it. Anything else that
//! isn't a record is damage: it is reported, what lies behind it is still read, and that file is never written again.
//!
//! Only the newest file can end in a torn tail. Any other was whole when the next one was begun; and what the index knows
//! was durable, whoever reads it again.

use std::{collections::BTreeMap, io};

use bytes::Bytes;
use exhibit::Digest;

use super::{
    Blob, Place, Storage,
    core::Entry,
    record::{FILE_MAGIC, HEADER, Header, Kind, MAGIC},
};

/// How far the index has come in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Indexed {
    /// Every record that ends at or before this offset is indexed.
    pub through: u64,
    /// Where the last of them starts.
    pub last: u64,
    /// Its header's own hash.
    pub check: Digest,
}

/// Everything that the index doesn't have yet, and where to go on writing.
#[derive(Debug, Default)]
pub struct Recovered {
    /// Records, in journal order.
    pub entries: Vec<Entry>,
    /// Where something acknowledged can't be read.
    pub damage: Vec<Damage>,
    /// Bytes of incomplete tails that were cut off.
    pub torn: u64,
    /// The file to go on writing, and where.
    pub resume: Option<(u64, u64)>,
    /// The number of the next new file.
    pub next_number: u64,
}

/// A part of a file that can't be read, though something in it was acknowledged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// Where it starts.
    pub place: Place,
    /// The offset at which records can be read again; `u64::MAX`: nowhere.
    pub until: u64,
    /// The header that lies there, if that at least is whole.
    pub header: Option<Header>,
}

/// How a file ends.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    /// With its last record (and zeros that were allocated).
    Whole { end: u64 },
    /// With an incomplete tail.
    Torn { end: u64, len: u64 },
    /// There is damage in it.
    Damaged,
}

/// Reads every file from where the index has come.
///
/// # Errors
/// The storage can't be read, cut or synced.
pub fn recover<S: Storage>(storage: &S, indexed: &BTreeMap<u64, Indexed>) -> io::Result<Recovered> {
    look(storage, indexed, false)
}

/// Reads every file from its beginning. What the index knew of must be there.
///
/// # Errors
/// The storage can't be read, cut or synced.
pub fn read_anew<S: Storage>(storage: &S, indexed: &BTreeMap<u64, Indexed>) -> io::Result<Recovered> {
    look(storage, indexed, true)
}

fn look<S: Storage>(storage: &S, indexed: &BTreeMap<u64, Indexed>, anew: bool) -> io::Result<Recovered> {
    let mut found = Recovered { next_number: 1, ..Recovered::default() };
    let numbers = storage.list()?;
    let newest = numbers.last().copied();
    for lost in indexed.keys().filter(|number| !numbers.contains(number)) {
        found.damage.push(lost_from(Place { file: *lost, at: 0 }));
        found.next_number = found.next_number.max(lost + 1);
    }
    for number in numbers {
        found.next_number = found.next_number.max(number + 1);
        let mut blob = storage.open(number)?;
        let before = Before { indexed: indexed.get(&number).copied(), anew, newest: newest == Some(number) };
        let verdict = scan(&blob, number, &before, &mut found)?;
        found.resume = match verdict {
            Verdict::Whole { end } => Some((number, end)),
            Verdict::Torn { end, len } => {
                let mut tail = vec![0; len as usize];
                blob.read_at(&mut tail, end)?;
                storage.keep_aside(number, end, &tail)?;
                blob.truncate(end)?;
                found.torn += len;
                Some((number, end))
            }
            Verdict::Damaged => None,
        };
        // Records that were written and not yet synced when the process died count from now on.
        blob.sync()?;
    }
    // Without its first bytes a file holds nothing and isn't worth going on with.
    found.resume = found.resume.filter(|(_, end)| *end >= FILE_MAGIC.len() as u64);
    Ok(found)
}

/// What is known of a file before it is read.
struct Before {
    /// How far the index had come in it.
    indexed: Option<Indexed>,
    /// It is read from its beginning all the same.
    anew: bool,
    /// No other was begun after it.
    newest: bool,
}

impl Before {
    /// Was this place durable once? Then what is there is no torn tail.
    fn was_durable(&self, at: u64) -> bool {
        !self.newest || self.was_indexed(at)
    }

    fn was_indexed(&self, at: u64) -> bool {
        self.indexed.is_some_and(|indexed| at < indexed.through)
    }
}

fn scan<B: Blob>(blob: &B, number: u64, before: &Before, found: &mut Recovered) -> io::Result<Verdict> {
    let indexed = before.indexed.filter(|_| !before.anew);
    let len = blob.length()?;
    let start = FILE_MAGIC.len() as u64;
    let mut magic = [0; FILE_MAGIC.len()];
    if len >= start {
        blob.read_at(&mut magic, 0)?;
    }
    let mut at = indexed.map_or(start, |indexed| indexed.through);
    if magic != *FILE_MAGIC {
        // A crash between the file's making and its first sync leaves nothing, zeros, or parts of its first batch.
        if !before.was_indexed(0) && magic.iter().all(|b| *b == 0) && find(blob, 0, len)?.is_none() {
            match length_without_zeros(blob, 0, len)? {
                0 => return Ok(Verdict::Whole { end: 0 }),
                len if !before.was_durable(0) => return Ok(Verdict::Torn { end: 0, len }),
                _ => {}
            }
        }
        found.damage.push(lost_from(Place { file: number, at: 0 }));
        return Ok(Verdict::Damaged);
    }
    // The index is of a longer file, or of another one: an older copy was put back. Where its own records end, the loss
    // begins; what may lie behind wasn't written by who wrote the index.
    if let Some(indexed) = indexed
        && (indexed.through > len
            || !header(blob, indexed.last, len)?
                .is_some_and(|last| last.check() == indexed.check && indexed.last + last.total() == indexed.through))
    {
        let mut at = start;
        while let Some(entry) = read(blob, Place { file: number, at }, len)? {
            at = entry.end();
        }
        found.damage.push(lost_from(Place { file: number, at: at.min(indexed.last) }));
        return Ok(Verdict::Damaged);
    }
    let mut damaged = false;
    loop {
        if let Some(entry) = read(blob, Place { file: number, at }, len)? {
            at = entry.end();
            found.entries.push(entry);
            continue;
        }
        let tail = length_without_zeros(blob, at, len)?;
        if tail == 0 && !before.was_indexed(at) {
            return Ok(if damaged { Verdict::Damaged } else { Verdict::Whole { end: at } });
        }
        // Later records that were written when this place was already durable?
        match find(blob, at, len)? {
            Some(next) => {
                damaged = true;
                let header = header(blob, at, len)?;
                found.damage.push(Damage { place: Place { file: number, at }, until: next, header });
                at = next;
            }
            // Torn or damaged, nobody can say: the file stays as it is, and the alarm is for this, too.
            None if damaged || before.was_durable(at) => {
                let header = header(blob, at, len)?;
                found.damage.push(Damage { header, ..lost_from(Place { file: number, at }) });
                return Ok(Verdict::Damaged);
            }
            None => return Ok(Verdict::Torn { end: at, len: tail }),
        }
    }
}

fn lost_from(place: Place) -> Damage {
    Damage { place, until: u64::MAX, header: None }
}

fn header<B: Blob>(blob: &B, at: u64, len: u64) -> io::Result<Option<Header>> {
    let mut bytes = [0; HEADER];
    if at + HEADER as u64 > len {
        return Ok(None);
    }
    blob.read_at(&mut bytes, at)?;
    Ok(Header::decode(&bytes))
}

/// The record at a place, if there is a whole one.
fn read<B: Blob>(blob: &B, place: Place, len: u64) -> io::Result<Option<Entry>> {
    let Some(header) = header(blob, place.at, len)? else { return Ok(None) };
    if place.at + header.total() > len {
        return Ok(None);
    }
    let mut payload = vec![0; header.stored_len()];
    blob.read_at(&mut payload, place.at + HEADER as u64)?;
    if !header.covers(&payload) {
        return Ok(None);
    }
    let plain = matches!(header.kind, Kind::Opening | Kind::Tombstone);
    let facts = if plain { Bytes::from(payload) } else { Bytes::new() };
    Ok(Some(Entry { place, header, facts }))
}

/// The first whole record behind a bad place that proves it was durable once: nothing else there is worth reading,
/// since a tail that nobody was promised may hold later records of the same batch.
fn find<B: Blob>(blob: &B, bad: u64, len: u64) -> io::Result<Option<u64>> {
    let mut bytes = vec![0; (len - bad) as usize];
    blob.read_at(&mut bytes, bad)?;
    let mut first = None;
    for offset in 1..(bytes.len() + 1).saturating_sub(HEADER) {
        if !bytes[offset..].starts_with(MAGIC) {
            continue;
        }
        let at = bad + offset as u64;
        if let Some(entry) = read(blob, Place { file: 0, at }, len)? {
            first = first.or(Some(at));
            if entry.header.synced > bad {
                return Ok(first);
            }
        }
    }
    Ok(None)
}

/// How much of the rest isn't the zeros that preallocation leaves.
fn length_without_zeros<B: Blob>(blob: &B, from: u64, len: u64) -> io::Result<u64> {
    const CHUNK: u64 = 1024 * 1024;
    let mut buffer = vec![0; CHUNK as usize];
    let mut used = 0;
    let mut at = from;
    while at < len {
        let chunk = &mut buffer[..CHUNK.min(len - at) as usize];
        blob.read_at(chunk, at)?;
        if let Some(last) = chunk.iter().rposition(|b| *b != 0) {
            used = at + last as u64 + 1 - from;
        }
        at += chunk.len() as u64;
    }
    Ok(used)
}

#[cfg(test)]
#[path = "recovery_tests.rs"]
mod tests;
