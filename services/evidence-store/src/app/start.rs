//! From a folder of journal files to a service that takes segments.

use std::{collections::BTreeSet, thread::JoinHandle, time::Duration};

use async_nats::jetstream::Context;
use chassis::{Health, Shutdown};
use ids::{ExhibitId, TrackName};
use sqlx::PgConnection;

use super::{App, index, seal_record::newest_seals};
use crate::{
    domain::State,
    error::Error,
    journal::{
        Disk, Journal, Storage,
        committer::Closed,
        core::Core,
        ledger::Book,
        receipts::Receipts,
        recovery::{self, Damage, Recovered},
    },
    store::{self, Key, Located},
};
use outbox::{Scope, StoreError};

const PAUSE_CAP: Duration = Duration::from_secs(2);
const CHECK: &str = "journal";
const KEYS: &str = "keys";
/// Records taken into one transaction while catching up.
const BATCH: usize = 500;

/// What recovery found out.
pub struct Found {
    journal: Recovered,
    books: Vec<(Located, Book)>,
}

impl App {
    /// Looks at every key in the key store. False: the keys are away, which the health check says.
    ///
    /// # Errors
    /// A key is wrapped under another KEK than the configured one: nothing of what is stored could be read.
    pub async fn check_keys(&self, health: &Health) -> Result<bool, Error> {
        let checked = self.keys.check().await;
        health.set(KEYS, checked.is_ok());
        match checked {
            Err(error) if error.is_away() => {
                tracing::warn!(error = chassis::chain(&error), "exhibits whose keys are not in memory can't be used");
                Ok(false)
            }
            done => Ok(done.map(|()| true)?),
        }
    }

    /// Waits for keys that were away at start.
    pub async fn await_keys(self, health: Health, shutdown: Shutdown) {
        while shutdown.or(tokio::time::sleep(PAUSE_CAP)).await.is_some() {
            match self.check_keys(&health).await {
                Ok(true) => return,
                Ok(false) => {}
                Err(error) => tracing::error!(error = chassis::chain(&error), "the keys are not usable"),
            }
        }
    }

    /// Recovers as soon as the database is there, and takes segments then. Gives the journal's thread; `None` if the
    /// shutdown came first.
    ///
    /// # Errors
    /// The journal's files can't be read or written.
    pub async fn start(
        &self,
        disk: Disk,
        jetstream: &Context,
        receipts: Receipts,
        max_file: u64,
        health: &Health,
        shutdown: &Shutdown,
    ) -> Result<Option<JoinHandle<()>>, Error> {
        let mut pause = Duration::from_millis(50);
        loop {
            let up = self.come_up(&disk, jetstream, &receipts, max_file, health);
            let Some(up) = shutdown.or(up).await else { return Ok(None) };
            match up {
                Ok(thread) => return Ok(Some(thread)),
                // For a person. Meanwhile it says so to whoever asks.
                Err(Error::LogBehind(_)) => {
                    shutdown.requested().await;
                    return Ok(None);
                }
                Err(error) if error.is_away() => {
                    health.set(CHECK, false);
                    tracing::warn!(error = chassis::chain(&error), "recovery waits");
                    if shutdown.or(tokio::time::sleep(pause)).await.is_none() {
                        return Ok(None);
                    }
                    pause = (pause * 2).min(PAUSE_CAP);
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Makes sure that the database is the newest there was, recovers, and takes segments from then on.
    ///
    /// # Errors
    /// The database is away or behind, or the journal's files can't be read or written.
    pub async fn come_up(
        &self,
        disk: &Disk,
        jetstream: &Context,
        receipts: &Receipts,
        max_file: u64,
        health: &Health,
    ) -> Result<JoinHandle<()>, Error> {
        // First: what recovery would write into a database that has gone back in time is not for it.
        self.log.compare(jetstream).await?;
        let found = self.recover(disk).await?;
        self.serve(found, disk.clone(), receipts.clone(), max_file, health)
    }

    /// Starts the journal behind what was found.
    ///
    /// # Errors
    /// The last file can't be opened, or there is no thread to be had.
    pub fn serve(
        &self,
        found: Found,
        disk: Disk,
        receipts: Receipts,
        max_file: u64,
        health: &Health,
    ) -> Result<JoinHandle<()>, Error> {
        let core = Core::new(disk, found.journal.next_number, max_file);
        let mut core = core.refuse_new_below(self.refuse_new_below);
        if let Some((number, end)) = found.journal.resume {
            core.resume(number, end).map_err(Error::journal("open the last journal file"))?;
            // It may be in the archive already: what another process wrote is never written on.
            if self.reader.archive().is_some() {
                core.close().map_err(Error::journal("end the last journal file"))?;
            }
        }
        for (located, book) in found.books {
            self.reread.begin_again(located.exhibit.id);
            core.ledger.know(located.exhibit.id, book);
            self.remember(&located.exhibit);
        }
        let (journal, thread) = Journal::start(core, receipts, self.index.sender())
            .map_err(Error::journal("start the journal's thread"))?;
        // Only ever set here.
        let _ = self.journal.set(journal);
        health.set(CHECK, true);
        self.waiting.wake.notify_one();
        Ok(thread)
    }

    /// Indexes what the index lacks, and reads what every unsealed exhibit holds. May be repeated.
    ///
    /// # Errors
    /// The database is away, or the journal's files can't be read or written.
    pub async fn recover(&self, disk: &Disk) -> Result<Found, Error> {
        let found = self.unindexed(disk).await?;
        tracing::info!(
            records = found.entries.len(),
            torn = found.torn,
            damaged = found.damage.len(),
            "journal read from where the index had come"
        );
        let seals = index::Found { seals: newest_seals(&found.entries), rebuild: false };
        for batch in found.entries.chunks(BATCH) {
            self.index.take(batch, &seals).await?;
        }
        for damage in &found.damage {
            let mut tx = self.store.begin("lay_at", Scope::All).await?;
            let lay = store::segments_at(&mut tx, damage.place, damage.until).await?;
            drop(tx);
            self.damaged(damage, lay).await?;
        }
        let mut tx = self.store.begin("recover", Scope::All).await?;
        let mut books = Vec::new();
        for (id, _) in store::unsealed(&mut tx).await? {
            match held(&mut tx, id).await {
                Ok(held) => books.extend(held),
                // A person's matter, and no other call's: whoever needs it is refused until its rows are mended.
                Err(error @ StoreError::Corrupt { .. }) => {
                    self.unreadable.add(id);
                    tracing::error!(exhibit = %id, error = chassis::chain(&error), "an exhibit can't be taken up");
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(Found { journal: found, books })
    }

    /// What the journal holds beyond what the index knows of it. A torn tail is cut off and kept aside.
    pub(super) async fn unindexed(&self, disk: &Disk) -> Result<Recovered, Error> {
        let mut tx = self.store.begin("unindexed", Scope::All).await?;
        let mut indexed = store::journal_files(&mut tx).await?;
        let archived = store::archived_files(&mut tx).await?;
        drop(tx);
        let known: BTreeSet<u64> = indexed.keys().chain(archived.keys()).copied().collect();
        let highest = self.bring_back(disk, &known).await?.max(known.last().copied().unwrap_or(0));
        if let Some(archive) = self.reader.archive() {
            archive.know(archived.clone());
            // Not lost: dropped here, and there.
            let local = disk.list().map_err(Error::journal("list the journal's folder"))?;
            indexed.retain(|file, _| local.contains(file) || !archived.contains_key(file));
        }
        let disk = disk.clone();
        let mut found = tokio::task::spawn_blocking(move || recovery::recover(&disk, &indexed))
            .await
            .map_err(|_| Closed)?
            .map_err(Error::journal("read the journal"))?;
        found.next_number = found.next_number.max(highest + 1);
        Ok(found)
    }

    /// Empties the index and fills it again from all that the journal holds. How far an exhibit that isn't sealed has come
    /// is the database's own knowledge, and stays.
    ///
    /// # Errors
    /// The database, the keys or the archive are away, or the journal's files can't be read.
    pub async fn reindex(&self, disk: &Disk) -> Result<(), Error> {
        if let Some(archive) = self.reader.archive() {
            let mut tx = self.store.begin("reindex", Scope::All).await?;
            archive.know(store::archived_files(&mut tx).await?);
        }
        // Files that were dropped here are read, too: they come back until the archiver drops them again.
        self.bring_back(disk, &BTreeSet::new()).await?;
        let disk = disk.clone();
        let mut tx = self.store.begin("reindex", Scope::All).await?;
        // Emptied below, it still says what was durable.
        let indexed = store::journal_files(&mut tx).await?;
        drop(tx);
        let found = tokio::task::spawn_blocking(move || recovery::read_anew(&disk, &indexed))
            .await
            .map_err(|_| Closed)?
            .map_err(Error::journal("read the journal"))?;
        let mut tx = self.store.begin("reindex", Scope::All).await?;
        // Before it is emptied: it may be all that knows what lay at a place that can't be read any more.
        let mut lay = Vec::new();
        for damage in &found.damage {
            lay.push(store::segments_at(&mut tx, damage.place, damage.until).await?);
        }
        let marks = store::empty_index(&mut tx).await?;
        let seals = index::Found { seals: newest_seals(&found.entries), rebuild: true };
        for batch in found.entries.chunks(BATCH) {
            self.index.take_in(&mut tx, batch, &seals).await?;
        }
        store::restore_marks(&mut tx, &marks).await?;
        store::commit(tx, "reindex").await?;
        for (damage, lay) in found.damage.iter().zip(lay) {
            self.damaged(damage, lay).await?;
        }
        let (records, damaged) = (found.entries.len(), found.damage.len());
        tracing::info!(records, seals = seals.seals.len(), damaged, "index rebuilt from the journal");
        Ok(())
    }

    /// Raises the alarm about a damaged place, and what `lay` there as the index has it. Where that doesn't know, the log is
    /// all there is: the exhibit it belonged to misses a segment, which its seal will say.
    async fn damaged(&self, damage: &Damage, mut lay: Vec<(ExhibitId, TrackName, u64)>) -> Result<(), Error> {
        let Damage { place, until, header } = damage;
        tracing::error!(file = place.file, at = place.at, until, kind = "JOURNAL_CORRUPT", "the journal is damaged");
        let mut tx = self.store.begin("damaged", Scope::All).await?;
        if let Some(header) = header
            && let Some(track) = &header.track
            && store::exhibit(&mut tx, Key::Exhibit(header.exhibit)).await?.is_some()
        {
            lay.push((header.exhibit, track.clone(), header.seq));
        }
        for (id, track, seq) in lay {
            self.index.alarm(&mut tx, id, "JOURNAL_CORRUPT", &track, seq).await?;
        }
        Ok(store::commit(tx, "damaged").await?)
    }
}

/// What the journal's ledger must know of an exhibit that isn't sealed. One whose opening isn't in the journal is made known, with its
/// opening, by the first who needs it.
async fn held(conn: &mut PgConnection, id: ExhibitId) -> Result<Option<(Located, Book)>, StoreError> {
    let Some(located) = store::exhibit(conn, Key::Exhibit(id)).await?.filter(|located| located.journaled) else {
        return Ok(None);
    };
    let mut book = store::book(conn, id).await?;
    book.fenced = !matches!(located.exhibit.state, State::Open);
    Ok(Some((located, book)))
}
