//! Reading tracks back out of the journal. Nothing is believed: every record's place, hash and link is checked again,
//! before the seal and at each export.

use std::{
    collections::HashMap,
    fs::File,
    io::{self, Read},
    os::unix::fs::FileExt,
};

use exhibit::{Digest, Hasher, chain};
use ids::{ExhibitId, TrackName};

use crate::{
    error::Error,
    journal::{
        disk::Reader,
        record::{HEADER, Header, Kind},
    },
    store::SegmentRow,
};

/// One track, segment by segment. As a `Read` it is the track's file.
pub struct TrackReader<'a> {
    exhibit: ExhibitId,
    track: TrackName,
    rows: std::iter::Enumerate<std::slice::Iter<'a, SegmentRow>>,
    reader: Reader,
    files: HashMap<u64, File>,
    head: Digest,
    record: Vec<u8>,
    at: usize,
}

impl<'a> TrackReader<'a> {
    /// A reader of the track that these rows make up.
    #[must_use]
    pub fn new(reader: Reader, exhibit: ExhibitId, track: TrackName, rows: &'a [SegmentRow]) -> Self {
        let head = chain::genesis(exhibit, &track);
        let rows = rows.iter().enumerate();
        Self { exhibit, track, rows, reader, files: HashMap::new(), head, record: Vec::new(), at: 0 }
    }

    /// The next segment's bytes, checked; `None` behind the last.
    ///
    /// # Errors
    /// What is read isn't what was acknowledged.
    pub fn next_segment(&mut self) -> Result<Option<&[u8]>, Error> {
        let Some((index, row)) = self.rows.next() else { return Ok(None) };
        let track = self.track.clone();
        let damaged = move |what| Error::Damaged { track: track.clone(), seq: row.seq, what };
        if row.seq != index as u64 {
            return Err(damaged("a segment before it is missing"));
        }
        let file = match self.files.entry(row.place.file) {
            std::collections::hash_map::Entry::Occupied(open) => open.into_mut(),
            std::collections::hash_map::Entry::Vacant(new) => {
                new.insert(self.reader.open(row.place.file).map_err(|_| damaged("its file can't be opened"))?)
            }
        };
        self.record.resize(HEADER + row.len as usize, 0);
        file.read_exact_at(&mut self.record, row.place.at).map_err(|_| damaged("it can't be read"))?;
        let (header, payload) =
            self.record.split_first_chunk::<HEADER>().ok_or_else(|| damaged("its header can't be read"))?;
        let header = Header::decode(header).ok_or_else(|| damaged("its header was altered"))?;
        let same = header.kind == Kind::Segment
            && header.exhibit == self.exhibit
            && header.track.as_ref() == Some(&self.track)
            && header.seq == row.seq
            && header.sha256 == row.sha256
            && (header.starts_at, header.ends_at) == (row.starts_at, row.ends_at);
        if !same {
            return Err(damaged("another record is in its place"));
        }
        if !header.covers(payload) {
            return Err(damaged("its bytes were altered"));
        }
        if header.prev != self.head || header.chain() != Some(row.chain) {
            return Err(damaged("the chain is broken"));
        }
        self.head = row.chain;
        Ok(Some(payload))
    }
}

impl Read for TrackReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let payload = |record: &Vec<u8>| record.len().saturating_sub(HEADER);
        while self.at >= payload(&self.record) {
            self.at = 0;
            if self.next_segment().map_err(io::Error::other)?.is_none() {
                self.record.clear();
                return Ok(0);
            }
        }
        let left = &self.record[HEADER + self.at..];
        let n = left.len().min(buffer.len());
        buffer[..n].copy_from_slice(&left[..n]);
        self.at += n;
        Ok(n)
    }
}

/// Reads a track back whole, and describes it for the manifest.
///
/// # Errors
/// What is read isn't what was acknowledged.
pub fn describe(
    reader: Reader,
    exhibit: ExhibitId,
    track: &TrackName,
    role: String,
    rows: &[SegmentRow],
) -> Result<exhibit::Track, Error> {
    let mut from = TrackReader::new(reader, exhibit, track.clone(), rows);
    let mut whole = Hasher::new();
    let mut segments = Vec::with_capacity(rows.len());
    let mut offset = 0;
    for row in rows {
        let Some(bytes) = from.next_segment()? else { break };
        whole.update(bytes);
        segments.push(exhibit::Segment {
            seq: row.seq,
            offset,
            bytes: row.len.into(),
            sha256: row.sha256,
            stored_sha256: row.sha256,
            starts_at: row.starts_at,
            ends_at: row.ends_at,
            chain: row.chain,
        });
        offset += u64::from(row.len);
    }
    Ok(exhibit::Track {
        name: track.clone(),
        role,
        path: exhibit::Track::path_of(track),
        bytes: offset,
        sha256: whole.finish(),
        segments,
    })
}
