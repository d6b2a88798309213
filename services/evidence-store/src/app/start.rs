//! From a folder of journal files to a service that takes segments.

use std::{thread::JoinHandle, time::Duration};

use chassis::{Health, Shutdown};

use super::App;
use crate::{
    domain::State,
    error::Error,
    journal::{
        Disk, Journal,
        committer::Closed,
        core::Core,
        ledger::Book,
        recovery::{self, Damage, Recovered},
    },
    store::{self, Key, Located},
};

const PAUSE_CAP: Duration = Duration::from_secs(2);
const CHECK: &str = "journal";
/// Records taken into one transaction while catching up.
const BATCH: usize = 500;

/// What recovery found out.
pub struct Found {
    journal: Recovered,
    books: Vec<(Located, Book)>,
}

impl App {
    /// Recovers as soon as the database is there, and takes segments then. Gives the journal's thread; `None` if the
    /// shutdown came first.
    ///
    /// # Errors
    /// The journal's files can't be read or written.
    pub async fn start(
        &self,
        disk: Disk,
        max_file: u64,
        health: &Health,
        shutdown: &Shutdown,
    ) -> Result<Option<JoinHandle<()>>, Error> {
        let mut pause = Duration::from_millis(50);
        loop {
            let Some(found) = shutdown.or(self.recover(&disk)).await else { return Ok(None) };
            match found {
                Ok(found) => return self.serve(found, disk, max_file, health).map(Some),
                Err(error) if error.is_away() => {
                    health.set(CHECK, false);
                    tracing::warn!(error = chassis::chain(&error), "recovery waits for the database");
                    if shutdown.or(tokio::time::sleep(pause)).await.is_none() {
                        return Ok(None);
                    }
                    pause = (pause * 2).min(PAUSE_CAP);
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Starts the journal behind what was found.
    ///
    /// # Errors
    /// The last file can't be opened, or there is no thread to be had.
    pub fn serve(&self, found: Found, disk: Disk, max_file: u64, health: &Health) -> Result<JoinHandle<()>, Error> {
        let mut core = Core::new(disk, found.journal.next_number, max_file);
        if let Some((number, end)) = found.journal.resume {
            core.resume(number, end).map_err(Error::journal("open the last journal file"))?;
        }
        for (located, book) in found.books {
            core.ledger.know(located.exhibit.id, book);
            self.remember(&located.exhibit);
        }
        let (journal, thread) =
            Journal::start(core, self.index.sender()).map_err(Error::journal("start the journal's thread"))?;
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
        let mut tx = self.store.begin("recover").await?;
        let indexed = store::journal_files(&mut tx).await?;
        drop(tx);
        let disk = disk.clone();
        let found = tokio::task::spawn_blocking(move || recovery::recover(&disk, &indexed))
            .await
            .map_err(|_| Closed)?
            .map_err(Error::journal("read the journal"))?;
        tracing::info!(
            records = found.entries.len(),
            torn = found.torn,
            damaged = found.damage.len(),
            "journal read from where the index had come"
        );
        for batch in found.entries.chunks(BATCH) {
            self.index.take(batch).await?;
        }
        for damage in &found.damage {
            self.damaged(damage).await?;
        }
        let mut tx = self.store.begin("recover").await?;
        let mut books = Vec::new();
        for (id, _) in store::unsealed(&mut tx).await? {
            let Some(located) = store::exhibit(&mut tx, Key::Exhibit(id)).await? else { continue };
            // One whose opening isn't in the journal is made known, with its opening, by the first who needs it.
            if located.journaled {
                let mut book = store::book(&mut tx, id).await?;
                book.fenced = !matches!(located.exhibit.state, State::Open);
                books.push((located, book));
            }
        }
        Ok(Found { journal: found, books })
    }

    /// Raises the alarm about whatever lay at a damaged place. Where the index doesn't know, the log is all there is:
    /// the exhibit it belonged to misses a segment, which its seal will say.
    async fn damaged(&self, damage: &Damage) -> Result<(), Error> {
        let Damage { place, until, header } = damage;
        tracing::error!(file = place.file, at = place.at, until, kind = "JOURNAL_CORRUPT", "the journal is damaged");
        let mut tx = self.store.begin("damaged").await?;
        let mut hit = store::segments_at(&mut tx, *place, *until).await?;
        if let Some(header) = header
            && let Some(track) = &header.track
            && store::exhibit(&mut tx, Key::Exhibit(header.exhibit)).await?.is_some()
        {
            hit.push((header.exhibit, track.clone(), header.seq));
        }
        for (id, track, seq) in hit {
            self.index.alarm(&mut tx, id, "JOURNAL_CORRUPT", &track, seq).await?;
        }
        Ok(store::commit(tx, "damaged").await?)
    }
}
