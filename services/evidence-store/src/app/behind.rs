//! What a database that was put back to an earlier day lacks: read from what is newer than it, the log's tiles and the journal, and
//! said to whoever has to bring it forward. Nothing is written to the database: what it would be told here it couldn't vouch for.
//!
//! Told is what was durable. What else only the database knew (who waited for what, holds, reviews) is in its own WAL archive alone.

use std::{collections::BTreeMap, fmt};

use exhibit::tlog::Entry;
use ids::{ExhibitId, TrackName};

use super::App;
use crate::{
    error::Error,
    journal::{
        Disk,
        record::{Header, Kind},
    },
    store::{self, Key},
};
use outbox::Scope;

/// What the database lacks.
#[derive(Debug)]
pub struct Lacks {
    known: u64,
    entries: Vec<Entry>,
    exhibits: BTreeMap<ExhibitId, Held>,
}

/// What the journal holds of an exhibit, beyond what the database knows of it.
#[derive(Debug, Default)]
struct Held {
    is_known: bool,
    opened: bool,
    segments: BTreeMap<TrackName, u64>,
    items: u64,
    conflicts: u64,
    sealed: bool,
    disposed: bool,
}

impl App {
    /// Compares the database with the tiles and the journal.
    ///
    /// # Errors
    /// The database or the archive is away, or tiles or journal can't be read.
    pub async fn behind(&self, disk: &Disk) -> Result<Lacks, Error> {
        let (known, entries) = self.log.beyond().await?;
        let mut exhibits: BTreeMap<ExhibitId, Held> = BTreeMap::new();
        for record in self.unindexed(disk).await?.entries {
            exhibits.entry(record.header.exhibit).or_default().count(&record.header);
        }
        let mut tx = self.store.begin("behind", Scope::All).await?;
        for (exhibit, held) in &mut exhibits {
            held.is_known = store::exhibit(&mut tx, Key::Exhibit(*exhibit)).await?.is_some();
        }
        Ok(Lacks { known, entries, exhibits })
    }
}

impl Held {
    fn count(&mut self, record: &Header) {
        match (record.kind, &record.track) {
            (Kind::Opening, _) => self.opened = true,
            (Kind::Segment, Some(track)) => *self.segments.entry(track.clone()).or_default() += 1,
            (Kind::Segment, None) => {}
            (Kind::Conflict, _) => self.conflicts += 1,
            (Kind::Item, _) => self.items += 1,
            (Kind::Seal, _) => self.sealed = true,
            (Kind::Tombstone, _) => self.disposed = true,
        }
    }

    fn parts(&self) -> Vec<String> {
        let mut parts = Vec::new();
        parts.extend(self.opened.then(|| "its opening".to_owned()));
        parts.extend(self.segments.iter().map(|(track, segments)| format!("{segments} segments of {track}")));
        parts.extend((self.items > 0).then(|| format!("{} items", self.items)));
        parts.extend((self.conflicts > 0).then(|| format!("{} conflicts", self.conflicts)));
        parts.extend(self.sealed.then(|| "its seal".to_owned()));
        parts.extend(self.disposed.then(|| "its tombstone".to_owned()));
        parts
    }
}

impl fmt::Display for Lacks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { known, entries, exhibits } = self;
        if entries.is_empty() && exhibits.is_empty() {
            return writeln!(f, "The database lacks nothing that the log's tiles and the journal hold.");
        }
        if !entries.is_empty() {
            let all = known + entries.len() as u64;
            writeln!(f, "The log: the database knows its first {known} entries, the tiles hold {all}. It lacks:")?;
        }
        for (place, entry) in (*known..).zip(entries) {
            let what = match entry {
                Entry::Seal { .. } => "the seal",
                Entry::Heads { .. } => "chain heads",
                Entry::Access { .. } => "an access",
                Entry::Tombstone { .. } => "the tombstone",
            };
            writeln!(f, "  entry {place}: {what} of {}", entry.exhibit())?;
        }
        if !exhibits.is_empty() {
            writeln!(f, "The journal holds, and the database lacks:")?;
        }
        for (exhibit, held) in exhibits {
            let known = if held.is_known { "" } else { " (which it doesn't know)" };
            writeln!(f, "  of {exhibit}{known}: {}", held.parts().join(", "))?;
        }
        f.write_str(if entries.is_empty() {
            "All of this is indexed at the next start.\n"
        } else {
            "It was put back to an earlier day: bring it forward from its WAL archive. Until then nothing is served.\n"
        })
    }
}
