//! Reading tracks and items back out of the journal. Nothing is believed: every record's place, hash and link is checked
//! again and its bytes decrypted and rehashed, before the seal and at each reading.

use std::{
    cmp::Ordering,
    fs::File,
    io::{self, Read},
    os::unix::fs::FileExt,
    sync::Arc,
};

use exhibit::{Digest, Hasher, Segment, chain, manifest::Lister};
use ids::{ExhibitId, TrackName};

use crate::{
    error::Error,
    journal::{
        Place,
        disk::Reader,
        item::{ItemContent, ItemFacts},
        record::{HEADER, Header, Kind},
    },
    keys::{DataKey, TAG},
    store::{ItemRow, SegmentRow, TrackRow},
};

/// One segment's bytes, decrypted and checked: its place, its hashes, and that its link gives the chain head in the row.
///
/// # Errors
/// What is read isn't what was acknowledged.
pub fn open_segment(
    reader: &Reader,
    key: &DataKey,
    exhibit: ExhibitId,
    track: &TrackName,
    row: &SegmentRow,
) -> Result<Vec<u8>, Error> {
    let mut files = Files::new(reader.clone());
    Ok(read_segment(&mut files, key, exhibit, track, row)?.1)
}

/// One item, decrypted and checked as [`open_segment`] does, its facts those in the row.
///
/// # Errors
/// What is read isn't what was acknowledged.
pub fn open_item(reader: &Reader, key: &DataKey, exhibit: ExhibitId, row: &ItemRow) -> Result<ItemContent, Error> {
    let mut files = Files::new(reader.clone());
    let damaged = |what| Error::Damaged { track: TrackName::items(), seq: row.seq, what };
    let (header, stored) = files.read(row.place, row.len).map_err(damaged)?;
    let same = header.kind == Kind::Item
        && header.exhibit == exhibit
        && (header.seq, header.item) == (row.seq, row.id)
        && (header.sha256, header.stored_sha256) == (row.payload_sha256, row.stored_sha256)
        && header.starts_at == row.made_at;
    if !same {
        return Err(damaged("another record is in its place"));
    }
    if header.prev != row.prev || header.chain() != Some(row.chain) {
        return Err(damaged("the chain is broken"));
    }
    let content = ItemContent::parse(header.open(key, &stored).map_err(damaged)?);
    let content = content.ok_or_else(|| damaged("its bytes are not an item's"))?;
    let facts = &content.facts;
    let told = (facts.id, facts.version, facts.kind.as_str(), facts.name.as_str(), facts.sha256, facts.added_at);
    if told != (row.id, row.version, row.kind.as_str(), row.name.as_str(), row.sha256, row.added_at) {
        return Err(damaged("the index has other facts"));
    }
    Ok(content)
}

/// Reads all items back, and checks that each links to the one before.
///
/// # Errors
/// What is read isn't what was acknowledged.
pub fn check_items(reader: &Reader, key: &DataKey, exhibit: ExhibitId, rows: &[ItemRow]) -> Result<(), Error> {
    let track = TrackName::items();
    let mut head = chain::genesis(exhibit, &track);
    let first = rows.first().map_or(0, |row| row.seq);
    for (row, seq) in rows.iter().zip(first..) {
        if row.seq != seq || row.prev != head {
            return Err(Error::Damaged { track, seq: row.seq, what: "an item before it is missing" });
        }
        open_item(reader, key, exhibit, row)?;
        head = row.chain;
    }
    Ok(())
}

/// The facts of an item whose record was found at start: its header is known, its row isn't made yet.
///
/// # Errors
/// What is read isn't what was acknowledged.
pub fn item_facts(reader: &Reader, key: &DataKey, place: Place, header: &Header) -> Result<ItemFacts, Error> {
    let content = ItemContent::parse(open_record(reader, key, place, header)?);
    let (track, seq) = (TrackName::items(), header.seq);
    Ok(content.ok_or(Error::Damaged { track, seq, what: "its bytes are not an item's" })?.facts)
}

/// The plain payload of a record whose header is known.
///
/// # Errors
/// What is read isn't what was written.
pub fn open_record(reader: &Reader, key: &DataKey, place: Place, header: &Header) -> Result<Vec<u8>, Error> {
    let damaged = |what| {
        let track = header.track.clone().unwrap_or_else(TrackName::items);
        Error::Damaged { track, seq: header.seq, what }
    };
    let (there, stored) = Files::new(reader.clone()).read(place, header.len).map_err(damaged)?;
    if there != *header {
        return Err(damaged("another record is in its place"));
    }
    header.open(key, &stored).map_err(damaged)
}

/// One segment's header and plain bytes, checked.
fn read_segment(
    files: &mut Files,
    key: &DataKey,
    exhibit: ExhibitId,
    track: &TrackName,
    row: &SegmentRow,
) -> Result<(Header, Vec<u8>), Error> {
    let damaged = |what| Error::Damaged { track: track.clone(), seq: row.seq, what };
    let (header, stored) = files.read(row.place, row.len).map_err(damaged)?;
    let same = header.kind == Kind::Segment
        && header.exhibit == exhibit
        && header.track.as_ref() == Some(track)
        && header.seq == row.seq
        && (header.sha256, header.stored_sha256) == (row.sha256, row.stored_sha256)
        && (header.starts_at, header.ends_at) == (row.starts_at, row.ends_at);
    if !same {
        return Err(damaged("another record is in its place"));
    }
    if header.chain() != Some(row.chain) {
        return Err(damaged("the chain is broken"));
    }
    let plain = header.open(key, &stored).map_err(damaged)?;
    Ok((header, plain))
}

/// Journal files, the last one kept open.
struct Files {
    reader: Reader,
    open: Option<(u64, File)>,
}

impl Files {
    fn new(reader: Reader) -> Self {
        Self { reader, open: None }
    }

    /// A record's header and what is stored behind it, neither altered; `len` is that of the plain payload.
    fn read(&mut self, place: Place, len: u32) -> Result<(Header, Vec<u8>), &'static str> {
        let file = match self.open.take().filter(|(number, _)| *number == place.file) {
            Some((_, file)) => file,
            None => self.reader.open(place.file).map_err(|_| "its file can't be opened")?,
        };
        let mut record = vec![0; HEADER + len as usize + TAG];
        let (head, mut stored) = match file.read_exact_at(&mut record, place.at) {
            Ok(()) => {
                let stored = record.split_off(HEADER);
                (record, stored)
            }
            // The last record of all, and not encrypted: there is nothing behind it.
            Err(_) => {
                record.truncate(HEADER + len as usize);
                file.read_exact_at(&mut record, place.at).map_err(|_| "it can't be read")?;
                let stored = record.split_off(HEADER);
                (record, stored)
            }
        };
        self.open = Some((place.file, file));
        let head: &[u8; HEADER] = head.as_slice().try_into().map_err(|_| "its header can't be read")?;
        let header = Header::decode(head).ok_or("its header was altered")?;
        stored.truncate(header.stored_len());
        if header.len != len || !header.covers(&stored) {
            return Err("its bytes were altered");
        }
        Ok((header, stored))
    }
}

/// One track, segment by segment. As a `Read` it is the track's file.
pub struct TrackReader<'a> {
    exhibit: ExhibitId,
    track: TrackName,
    key: Arc<DataKey>,
    rows: std::slice::Iter<'a, SegmentRow>,
    next: u64,
    files: Files,
    head: Digest,
    plain: Vec<u8>,
    at: usize,
}

impl<'a> TrackReader<'a> {
    /// A reader of the track that these rows make up, from wherever it starts.
    #[must_use]
    pub fn new(
        reader: Reader,
        key: Arc<DataKey>,
        exhibit: ExhibitId,
        track: TrackName,
        rows: &'a [SegmentRow],
    ) -> Self {
        let head = chain::genesis(exhibit, &track);
        let next = rows.first().map_or(0, |row| row.seq);
        let files = Files::new(reader);
        Self { exhibit, track, key, rows: rows.iter(), next, files, head, plain: Vec::new(), at: 0 }
    }

    /// The next segment's bytes, checked; `None` behind the last.
    ///
    /// # Errors
    /// What is read isn't what was acknowledged.
    pub fn next_segment(&mut self) -> Result<Option<&[u8]>, Error> {
        let Some(row) = self.rows.next() else { return Ok(None) };
        let damaged = |what| Error::Damaged { track: self.track.clone(), seq: row.seq, what };
        if row.seq != self.next {
            return Err(damaged("a segment before it is missing"));
        }
        let (header, plain) = read_segment(&mut self.files, &self.key, self.exhibit, &self.track, row)?;
        if header.prev != self.head {
            return Err(damaged("the chain is broken"));
        }
        (self.head, self.next, self.plain) = (row.chain, row.seq + 1, plain);
        Ok(Some(&self.plain))
    }
}

impl Read for TrackReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.at >= self.plain.len() {
            self.at = 0;
            if self.next_segment().map_err(io::Error::other)?.is_none() {
                self.plain.clear();
                return Ok(0);
            }
        }
        let left = &self.plain[self.at..];
        let n = left.len().min(buffer.len());
        buffer[..n].copy_from_slice(&left[..n]);
        self.at += n;
        Ok(n)
    }
}

/// A row as a track's list of segments has it, `offset` bytes behind the track's beginning.
fn listed(row: &SegmentRow, offset: u64) -> Segment {
    Segment {
        seq: row.seq,
        offset,
        bytes: row.len.into(),
        sha256: row.sha256,
        stored_sha256: row.stored_sha256,
        starts_at: row.starts_at,
        ends_at: row.ends_at,
        chain: row.chain,
    }
}

/// A track's list of segments, made again from its rows, if it is the one with this digest.
///
/// # Errors
/// The index has another one.
pub fn list_of(track: &TrackName, rows: &[SegmentRow], sealed: Digest) -> Result<Vec<u8>, Error> {
    let (mut list, mut offset) = (Vec::new(), 0);
    for row in rows {
        list.extend(listed(row, offset).to_line()?);
        offset += u64::from(row.len);
    }
    let seq = rows.first().map_or(0, |row| row.seq);
    let damaged = Error::Damaged { track: track.clone(), seq, what: "the index has other segments than were sealed" };
    if Digest::of(&list) == sealed { Ok(list) } else { Err(damaged) }
}

/// A track as far as it was read back.
pub struct TrackSoFar {
    exhibit: ExhibitId,
    track: TrackName,
    next: u64,
    head: Digest,
    bytes: u64,
    whole: Hasher,
    list: Lister,
}

impl TrackSoFar {
    /// Nothing yet, of a track that starts with this number.
    #[must_use]
    pub fn new(exhibit: ExhibitId, track: TrackName, first: u64) -> Self {
        let head = chain::genesis(exhibit, &track);
        Self { exhibit, track, next: first, head, bytes: 0, whole: Hasher::new(), list: Lister::default() }
    }

    /// The number of the segment that comes next.
    #[must_use]
    pub fn next(&self) -> u64 {
        self.next
    }

    /// Has it come to the segment of this number, which the chain head `before` precedes?
    #[must_use]
    pub fn reaches(&self, seq: u64, before: Digest) -> bool {
        match self.next.cmp(&seq) {
            Ordering::Greater => true,
            Ordering::Equal => self.head == before,
            Ordering::Less => false,
        }
    }

    /// Reads on: what these rows tell of and wasn't read yet. Where it fails, it stays.
    ///
    /// # Errors
    /// What is read isn't what was acknowledged, or a segment between is missing.
    pub fn advance(&mut self, reader: &Reader, key: &DataKey, rows: &[SegmentRow]) -> Result<(), Error> {
        let mut files = Files::new(reader.clone());
        for row in rows {
            if row.seq < self.next {
                continue;
            }
            let damaged = |what| Error::Damaged { track: self.track.clone(), seq: row.seq, what };
            if row.seq != self.next {
                return Err(damaged("a segment before it is missing"));
            }
            let (header, plain) = read_segment(&mut files, key, self.exhibit, &self.track, row)?;
            if header.prev != self.head {
                return Err(damaged("the chain is broken"));
            }
            self.list.add(&listed(row, self.bytes))?;
            self.whole.update(&plain);
            self.bytes += plain.len() as u64;
            (self.head, self.next) = (row.chain, row.seq + 1);
        }
        Ok(())
    }

    /// Describes for the manifest what was read, which must be all that the index counts: its chain head covers every segment.
    ///
    /// # Errors
    /// The index counts something else.
    pub fn describe(&self, role: String, counted: &TrackRow) -> Result<exhibit::Track, Error> {
        let same =
            (counted.first + counted.segments, counted.bytes, counted.head) == (self.next, self.bytes, Some(self.head));
        let segments = self.list.segments(&self.track).filter(|_| same).ok_or_else(|| Error::Damaged {
            track: self.track.clone(),
            seq: self.next,
            what: "the index counts something else than was read",
        })?;
        Ok(exhibit::Track {
            name: self.track.clone(),
            role,
            path: exhibit::Track::path_of(&self.track),
            bytes: self.bytes,
            sha256: self.whole.clone().finish(),
            segments,
        })
    }
}
