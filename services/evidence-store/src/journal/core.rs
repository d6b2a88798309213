//! What the journal's thread does with a batch: decide, write, sync, answer. Knows no thread and no channel.

use std::io;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use exhibit::Digest;
use ids::{ExhibitId, TrackName};

use super::{
    Blob, Place, Storage,
    ledger::{Decision, Held, Ledger},
    record::{FILE_MAGIC, HEADER, Header, Kind},
};

/// Files grow in steps of this, so that most writes change no length.
const STEP: u64 = 32 * 1024 * 1024;

/// Something to be written.
pub enum Write {
    /// An exhibit's opening.
    Opening {
        /// The exhibit.
        exhibit: ExhibitId,
        /// When it was opened.
        at: DateTime<Utc>,
        /// Whose it is, as JSON.
        facts: Bytes,
    },
    /// A segment.
    Segment(NewSegment),
}

impl Write {
    /// How much room it takes, if it is written.
    fn most(&self) -> u64 {
        let payload = match self {
            Self::Opening { facts, .. } => facts,
            Self::Segment(segment) => &segment.data,
        };
        (HEADER + payload.len()) as u64
    }
}

/// A segment as it came in, its hash checked.
pub struct NewSegment {
    /// The exhibit.
    pub exhibit: ExhibitId,
    /// The track.
    pub track: TrackName,
    /// Its number in the track.
    pub seq: u64,
    /// SHA-256 of `data`.
    pub sha256: Digest,
    /// Its bytes.
    pub data: Bytes,
    /// When its media starts.
    pub starts_at: DateTime<Utc>,
    /// When its media ends.
    pub ends_at: DateTime<Utc>,
}

/// Why a segment isn't held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The exhibit isn't in the ledger.
    #[error("the exhibit is not open here")]
    Unknown,
    /// The segment isn't the next of its track.
    #[error("segment {expected} of the track comes first")]
    OutOfOrder {
        /// The next.
        expected: u64,
    },
    /// The exhibit is sealed; the index says what it holds.
    #[error("the exhibit is sealed")]
    Retired,
    /// Other bytes are held for its place; these are kept too.
    #[error("other bytes are held for this segment; both are kept")]
    Conflict,
    /// The fence is down.
    #[error("the exhibit takes no more segments")]
    Fenced,
    /// The disk is full.
    #[error("the journal's disk is full")]
    NoSpace,
}

/// A record that is durable: what the index needs to know of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Where it lies.
    pub place: Place,
    /// What it is.
    pub header: Header,
    /// The payload of an opening; empty otherwise.
    pub facts: Bytes,
}

impl Entry {
    /// The offset just behind it.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.place.at + self.header.total()
    }
}

/// The answers to a batch, in its order, and what was written.
#[derive(Debug, Default)]
pub struct Done {
    /// The chain head after each segment, or why not; for an opening, the zero digest.
    pub answers: Vec<Result<Digest, Refused>>,
    /// What the index has to take in.
    pub entries: Vec<Entry>,
}

/// The file that is being written.
struct Active<F> {
    blob: F,
    number: u64,
    end: u64,
    /// How much of it is durable: nothing of a new one, not even its first bytes.
    synced: u64,
    allocated: u64,
}

/// The files and the ledger.
pub struct Core<S: Storage> {
    storage: S,
    /// What is held. In step with what is durable whenever no batch is under way.
    pub ledger: Ledger,
    active: Option<Active<S::File>>,
    next_number: u64,
    max_file: u64,
    buffer: Vec<u8>,
}

impl<S: Storage> Core<S> {
    /// Starts behind what recovery found: `next_number` is above every file there is.
    pub fn new(storage: S, next_number: u64, max_file: u64) -> Self {
        Self { storage, ledger: Ledger::default(), active: None, next_number, max_file, buffer: Vec::new() }
    }

    /// Goes on writing a file that recovery found whole up to `end`.
    ///
    /// # Errors
    /// It can't be opened.
    pub fn resume(&mut self, number: u64, end: u64) -> io::Result<()> {
        let blob = self.storage.open(number)?;
        let allocated = blob.length()?;
        self.active = Some(Active { blob, number, end, synced: end, allocated });
        Ok(())
    }

    /// Decides about each, writes what is to be written, makes it durable.
    ///
    /// # Errors
    /// Nobody knows what is durable any more: the process must end. A full disk isn't one of these.
    pub fn run(&mut self, batch: &[Write]) -> io::Result<Done> {
        let most: u64 = batch.iter().map(Write::most).sum();
        if self.active.as_ref().is_some_and(|active| active.end + most > self.max_file) {
            self.close()?;
        }
        let synced = self.active.as_ref().map_or(0, |active| active.synced);
        let mut done = Done::default();
        // Offsets are relative to the batch until it is known where it will lie.
        let mut entries: Vec<(usize, Entry)> = Vec::new();
        self.buffer.clear();
        for (index, write) in batch.iter().enumerate() {
            let at = self.buffer.len() as u64;
            let (answer, written) = self.decide(write, synced);
            done.answers.push(answer);
            let Some(header) = written else { continue };
            let payload = match write {
                Write::Opening { facts, .. } => facts,
                Write::Segment(segment) => &segment.data,
            };
            header.encode(&mut self.buffer);
            self.buffer.extend_from_slice(payload);
            let facts = if header.kind == Kind::Opening { payload.clone() } else { Bytes::new() };
            entries.push((index, Entry { place: Place { file: 0, at }, header, facts }));
        }
        if entries.is_empty() {
            return Ok(done);
        }
        match self.write() {
            Ok((file, base)) => {
                done.entries = entries.into_iter().map(|(_, entry)| moved(entry, file, base)).collect();
            }
            Err(error) if is_full(&error) => {
                for (index, entry) in entries.into_iter().rev() {
                    self.undo(&entry.header);
                    done.answers[index] = Err(Refused::NoSpace);
                }
                // Repeats answered by a segment of this very batch are no longer true.
                self.reconsider(batch, &mut done);
            }
            Err(error) => return Err(error),
        }
        Ok(done)
    }

    /// Decides about one, and enters it in the ledger if it is to be written.
    fn decide(&mut self, write: &Write, synced: u64) -> (Result<Digest, Refused>, Option<Header>) {
        let segment = match write {
            Write::Opening { exhibit, at, facts } => {
                let header = Header {
                    kind: Kind::Opening,
                    exhibit: *exhibit,
                    track: None,
                    seq: 0,
                    attempt: 0,
                    len: facts.len() as u32,
                    starts_at: *at,
                    ends_at: *at,
                    synced,
                    prev: Digest::from([0; 32]),
                    sha256: Digest::of(facts),
                };
                return (Ok(Digest::from([0; 32])), Some(header));
            }
            Write::Segment(segment) => segment,
        };
        let NewSegment { exhibit, track, seq, sha256, data, starts_at, ends_at } = segment;
        let record = |kind, attempt, prev| Header {
            kind,
            exhibit: *exhibit,
            track: Some(track.clone()),
            seq: *seq,
            attempt,
            len: data.len() as u32,
            starts_at: *starts_at,
            ends_at: *ends_at,
            synced,
            prev,
            sha256: *sha256,
        };
        match self.ledger.decide(*exhibit, track, *seq, *sha256) {
            Decision::Append { prev } => {
                let header = record(Kind::Segment, 0, prev);
                let chain = header.chain().unwrap_or(prev);
                self.ledger.append(*exhibit, track, Held { sha256: *sha256, chain });
                (Ok(chain), Some(header))
            }
            Decision::Repeat { chain } => (Ok(chain), None),
            Decision::Conflict { prev, attempt } => {
                let header = attempt.map(|attempt| record(Kind::Conflict, attempt, prev));
                self.ledger.conflict(*exhibit, track, *seq, *sha256);
                (Err(Refused::Conflict), header)
            }
            Decision::OutOfOrder { expected } => (Err(Refused::OutOfOrder { expected }), None),
            Decision::Fenced => (Err(Refused::Fenced), None),
            Decision::Retired => (Err(Refused::Retired), None),
            Decision::Unknown => (Err(Refused::Unknown), None),
        }
    }

    fn undo(&mut self, header: &Header) {
        let Some(track) = &header.track else { return };
        match header.kind {
            Kind::Opening => {}
            Kind::Segment => self.ledger.undo_append(header.exhibit, track),
            Kind::Conflict => self.ledger.undo_conflict(header.exhibit, track, header.seq, header.sha256),
        }
    }

    fn reconsider(&self, batch: &[Write], done: &mut Done) {
        for (write, answer) in batch.iter().zip(&mut done.answers) {
            let Write::Segment(NewSegment { exhibit, track, seq, sha256, .. }) = write else { continue };
            let held = matches!(self.ledger.decide(*exhibit, track, *seq, *sha256), Decision::Repeat { .. });
            if answer.is_ok() && !held {
                *answer = Err(Refused::NoSpace);
            }
        }
    }

    /// Writes the buffer and makes it durable. Says where.
    fn write(&mut self) -> io::Result<(u64, u64)> {
        let len = self.buffer.len() as u64;
        let active = match &mut self.active {
            Some(active) => active,
            none => {
                // A number is never used twice, even if what follows fails.
                let number = self.next_number;
                self.next_number += 1;
                let mut blob = self.storage.create(number)?;
                blob.write_at(FILE_MAGIC, 0)?;
                none.insert(Active { blob, number, end: FILE_MAGIC.len() as u64, synced: 0, allocated: 0 })
            }
        };
        let base = active.end;
        let written = (|| {
            if base + len > active.allocated {
                let room = (base + len).next_multiple_of(STEP).min(self.max_file.max(base + len));
                active.blob.allocate(room)?;
                active.allocated = room;
            }
            active.blob.write_at(&self.buffer, base)
        })();
        if let Err(error) = written {
            // Half a batch must not lie behind the next one.
            active.blob.truncate(base)?;
            active.allocated = base;
            return Err(error);
        }
        active.blob.sync().map_err(|error| io::Error::other(Fatal(error)))?;
        active.end += len;
        active.synced = active.end;
        Ok((active.number, base))
    }

    /// Ends the active file: what was allocated and not used is given back.
    ///
    /// # Errors
    /// It can't be cut.
    pub fn close(&mut self) -> io::Result<()> {
        if let Some(mut active) = self.active.take() {
            active.blob.truncate(active.end)?;
        }
        Ok(())
    }
}

/// Never mistaken for a full disk, whatever the kernel says: after a failed sync nothing is known.
#[derive(Debug, thiserror::Error)]
#[error("fdatasync failed")]
struct Fatal(#[source] io::Error);

fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

fn moved(entry: Entry, file: u64, base: u64) -> Entry {
    Entry { place: Place { file, at: base + entry.place.at }, ..entry }
}
