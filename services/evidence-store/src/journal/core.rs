//! What the journal's thread does with a batch: decide, write, sync, answer. Knows no thread and no channel.

use std::io;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use exhibit::Digest;
use ids::{ExhibitId, TrackName};
use uuid::Uuid;

use super::{
    Blob, Need, Place, Storage,
    ledger::{Decision, Held, HeldItem, ItemDecision, Ledger},
    record::{FILE_MAGIC, Header, Kind, Stored},
};

pub use super::write::{Done, Entry, LateConflict, NewSegment, Purpose, Refused, StoredItem, Write};

/// Files grow in steps of this, so that most writes change no length.
const STEP: u64 = 32 * 1024 * 1024;
/// The reserve is drawn on in steps of this.
const DRAW: u64 = 1024 * 1024;

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
    refuse_new_below: u64,
    buffer: Vec<u8>,
}

impl<S: Storage> Core<S> {
    /// Starts behind what recovery found: `next_number` is above every file there is.
    pub fn new(storage: S, next_number: u64, max_file: u64) -> Self {
        let (ledger, buffer) = (Ledger::default(), Vec::new());
        Self { storage, ledger, active: None, next_number, max_file, refuse_new_below: 0, buffer }
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

    /// Below so much room nothing new is begun: no exhibit, and no track.
    #[must_use]
    pub fn refuse_new_below(self, bytes: u64) -> Self {
        Self { refuse_new_below: bytes, ..self }
    }

    /// Decides about each, writes what is to be written, makes it durable. On a full disk, items and seals are written
    /// out of the reserve.
    ///
    /// # Errors
    /// Nobody knows what is durable any more: the process must end. A full disk isn't one of these.
    pub fn run(&mut self, batch: &[Write]) -> io::Result<Done> {
        let most: u64 = batch.iter().map(Write::most).sum();
        if self.active.as_ref().is_some_and(|active| active.end + most > self.max_file) {
            self.close()?;
        }
        let mut done = Done { answers: vec![Err(Refused::NoSpace); batch.len()], entries: Vec::new() };
        let begins = batch.iter().any(|write| self.begins(write));
        let scarce = begins && self.storage.room()? < self.refuse_new_below;
        let all: Vec<usize> = (0..batch.len()).filter(|index| !scarce || !self.begins(&batch[*index])).collect();
        if self.attempt(batch, &all, &mut done)? {
            return Ok(done);
        }
        // Repeats answered by a segment of this very batch are no longer true.
        self.reconsider(batch, &mut done);
        for need in [Need::Seal, Need::Item] {
            let refused = |index: &usize| done.answers[*index] == Err(Refused::NoSpace);
            let owed: Vec<usize> =
                (0..batch.len()).filter(|index| need_of(&batch[*index]) == Some(need)).filter(refused).collect();
            let bytes = owed.iter().map(|index| batch[*index].most()).sum::<u64>().next_multiple_of(DRAW);
            if !owed.is_empty() && self.storage.draw(bytes, need)? {
                self.attempt(batch, &owed, &mut done)?;
            }
        }
        Ok(done)
    }

    /// Would it begin an exhibit or a track?
    fn begins(&self, write: &Write) -> bool {
        match write {
            Write::Opening { purpose, .. } => *purpose == Purpose::Hold,
            Write::Segment(segment) => !self.ledger.has_begun(segment.exhibit, &segment.track),
            Write::Item(_) | Write::Seal { .. } | Write::Late(_) | Write::Tombstone { .. } => false,
        }
    }

    /// Runs these of a batch. False: the disk is full, and nothing of it has happened.
    fn attempt(&mut self, batch: &[Write], chosen: &[usize], done: &mut Done) -> io::Result<bool> {
        let synced = self.active.as_ref().map_or(0, |active| active.synced);
        // Offsets are relative to the batch until it is known where it will lie.
        let mut entries: Vec<(usize, Entry)> = Vec::new();
        self.buffer.clear();
        for index in chosen {
            let (index, write) = (*index, &batch[*index]);
            let at = self.buffer.len() as u64;
            let (answer, written) = self.decide(write, synced);
            done.answers[index] = answer;
            let Some(header) = written else { continue };
            header.encode(&mut self.buffer);
            self.buffer.extend_from_slice(write.bytes());
            let facts = match write {
                Write::Opening { facts, .. } | Write::Tombstone { facts, .. } => facts.clone(),
                Write::Item(item) => serde_json::to_vec(&item.facts).map(Bytes::from).unwrap_or_default(),
                Write::Segment(_) | Write::Late(_) | Write::Seal { .. } => Bytes::new(),
            };
            entries.push((index, Entry { place: Place { file: 0, at }, header, facts }));
        }
        if entries.is_empty() {
            return Ok(true);
        }
        match self.write() {
            Ok((file, base)) => {
                done.entries.extend(entries.into_iter().map(|(_, entry)| moved(entry, file, base)));
                Ok(true)
            }
            Err(error) if is_full(&error) => {
                for (index, entry) in entries.into_iter().rev() {
                    self.undo(&entry.header);
                    done.answers[index] = Err(Refused::NoSpace);
                }
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    /// Decides about one, and enters it in the ledger if it is to be written.
    fn decide(&mut self, write: &Write, synced: u64) -> (Result<Digest, Refused>, Option<Header>) {
        match write {
            Write::Opening { exhibit, at, facts, .. } => {
                unchained(header(Kind::Opening, *exhibit, *at, synced, &Stored::plain(facts.clone())))
            }
            Write::Seal { exhibit, at, facts } => unchained(header(Kind::Seal, *exhibit, *at, synced, facts)),
            Write::Tombstone { exhibit, at, facts } => {
                unchained(header(Kind::Tombstone, *exhibit, *at, synced, &Stored::plain(facts.clone())))
            }
            Write::Segment(segment) => self.decide_segment(segment, synced),
            Write::Late(LateConflict { segment, prev, attempt }) => {
                unchained(record(Kind::Conflict, segment, *attempt, *prev, synced))
            }
            Write::Item(item) => self.decide_item(item, synced),
        }
    }

    fn decide_segment(&mut self, segment: &NewSegment, synced: u64) -> (Result<Digest, Refused>, Option<Header>) {
        let NewSegment { exhibit, track, seq, stored, .. } = segment;
        let sha256 = stored.sha256;
        match self.ledger.decide(*exhibit, track, *seq, sha256) {
            Decision::Append { prev } => {
                let header = record(Kind::Segment, segment, 0, prev, synced);
                let chain = header.chain().unwrap_or(prev);
                self.ledger.append(*exhibit, track, Held { sha256, chain });
                (Ok(chain), Some(header))
            }
            Decision::Repeat { chain } => (Ok(chain), None),
            Decision::Conflict { prev, attempt } => {
                let header = attempt.map(|attempt| record(Kind::Conflict, segment, attempt, prev, synced));
                self.ledger.conflict(*exhibit, track, *seq, sha256);
                (Err(Refused::Conflict), header)
            }
            Decision::OutOfOrder { expected } => (Err(Refused::OutOfOrder { expected }), None),
            Decision::Fenced => (Err(Refused::Fenced), None),
            Decision::Retired => (Err(Refused::Retired), None),
            Decision::Unknown => (Err(Refused::Unknown), None),
        }
    }

    fn decide_item(&mut self, item: &StoredItem, synced: u64) -> (Result<Digest, Refused>, Option<Header>) {
        let StoredItem { exhibit, seq: expected, facts, stored } = item;
        match self.ledger.decide_item(*exhibit, facts.id, facts.sha256, &facts.kind, &facts.name) {
            ItemDecision::Append { seq, version, prev } if (seq, version) == (*expected, facts.version) => {
                let header = Header {
                    track: Some(TrackName::items()),
                    seq,
                    item: facts.id,
                    prev,
                    ..header(Kind::Item, *exhibit, facts.made_at, synced, stored)
                };
                let chain = header.chain().unwrap_or(prev);
                let (kind, name) = (facts.kind.clone(), facts.name.clone());
                let held = HeldItem { id: facts.id, sha256: facts.sha256, kind, name, version, chain };
                self.ledger.append_item(*exhibit, held);
                (Ok(chain), Some(header))
            }
            ItemDecision::Append { .. } => (Err(Refused::Stale), None),
            ItemDecision::Repeat { held, .. } => (Ok(held.chain), None),
            ItemDecision::Refuse(why) => (Err(why), None),
        }
    }

    fn undo(&mut self, header: &Header) {
        let Some(track) = &header.track else { return };
        match header.kind {
            Kind::Opening | Kind::Seal | Kind::Tombstone => {}
            Kind::Item => self.ledger.undo_item(header.exhibit),
            Kind::Segment => self.ledger.undo_append(header.exhibit, track),
            Kind::Conflict => self.ledger.undo_conflict(header.exhibit, track, header.seq, header.sha256),
        }
    }

    fn reconsider(&self, batch: &[Write], done: &mut Done) {
        for (write, answer) in batch.iter().zip(&mut done.answers) {
            let held = match write {
                Write::Segment(NewSegment { exhibit, track, seq, stored, .. }) => {
                    matches!(self.ledger.decide(*exhibit, track, *seq, stored.sha256), Decision::Repeat { .. })
                }
                Write::Item(StoredItem { exhibit, facts, .. }) => matches!(
                    self.ledger.decide_item(*exhibit, facts.id, facts.sha256, &facts.kind, &facts.name),
                    ItemDecision::Repeat { .. }
                ),
                Write::Opening { .. } | Write::Seal { .. } | Write::Late(_) | Write::Tombstone { .. } => continue,
            };
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
                self.storage.refill();
                none.insert(Active { blob, number, end: FILE_MAGIC.len() as u64, synced: 0, allocated: 0 })
            }
        };
        let base = active.end;
        let written = (|| {
            if base + len > active.allocated {
                let room = (base + len).next_multiple_of(STEP).min(self.max_file.max(base + len));
                active.allocated = match active.blob.allocate(room) {
                    Err(error) if is_full(&error) => active.blob.allocate(base + len).map(|()| base + len)?,
                    done => done.map(|()| room)?,
                };
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

    /// The number of the file that is being written.
    #[must_use]
    pub fn active(&self) -> Option<u64> {
        self.active.as_ref().map(|active| active.number)
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

/// What the reserve is there for.
fn need_of(write: &Write) -> Option<Need> {
    match write {
        Write::Seal { .. } | Write::Opening { purpose: Purpose::Seal, .. } => Some(Need::Seal),
        Write::Item(_) => Some(Need::Item),
        Write::Opening { .. } | Write::Segment(_) | Write::Late(_) | Write::Tombstone { .. } => None,
    }
}

/// The answer to a record that is part of no chain.
fn unchained(header: Header) -> (Result<Digest, Refused>, Option<Header>) {
    (Ok(Digest::from([0; 32])), Some(header))
}

/// The header of a segment, or of a conflict about one.
fn record(kind: Kind, segment: &NewSegment, attempt: u32, prev: Digest, synced: u64) -> Header {
    let NewSegment { exhibit, track, seq, starts_at, ends_at, stored } = segment;
    Header {
        track: Some(track.clone()),
        seq: *seq,
        attempt,
        ends_at: *ends_at,
        prev,
        ..header(kind, *exhibit, *starts_at, synced, stored)
    }
}

/// The header of a record that is part of no chain.
fn header(kind: Kind, exhibit: ExhibitId, at: DateTime<Utc>, synced: u64, stored: &Stored) -> Header {
    Header {
        kind,
        exhibit,
        track: None,
        seq: 0,
        item: Uuid::nil(),
        attempt: 0,
        len: stored.len,
        starts_at: at,
        ends_at: at,
        synced,
        prev: Digest::from([0; 32]),
        sha256: stored.sha256,
        stored_sha256: stored.stored_sha256,
        nonce: stored.nonce,
    }
}

fn moved(entry: Entry, file: u64, base: u64) -> Entry {
    Entry { place: Place { file, at: base + entry.place.at }, ..entry }
}

#[cfg(test)]
#[path = "core_tests.rs"]
mod tests;
