//! Closed journal files go to object storage, in the background, and local ones go once they are there. Every step can be
//! repeated: an upload that was cut off before it was noted finds its own bytes there.

use std::collections::BTreeSet;

use chassis::Shutdown;
use chrono::{DateTime, TimeDelta, Utc};
use ids::ExhibitId;

use super::App;
use crate::{
    archive::{self, Archive},
    error::Error,
    events,
    journal::{Disk, Place, Storage},
    store::{self, Key},
};
use outbox::Scope;

/// How long a step that failed is left alone.
const AFTER_FAILURE: TimeDelta = TimeDelta::seconds(10);
/// How often it is looked for files that were closed because they were full.
const LOOK_AGAIN: TimeDelta = TimeDelta::seconds(30);

/// What the archiver remembers from one look to the next.
#[derive(Default)]
struct Memory {
    /// When a file was last ended for the sake of an exhibit.
    rolled: Option<DateTime<Utc>>,
    /// Files of which the archive has other bytes: a person has to look.
    conflicts: BTreeSet<u64>,
}

impl App {
    /// Archives until the shutdown, if there is an archive.
    pub async fn archive_all(self, shutdown: Shutdown) {
        let Some(archive) = self.reader.archive().cloned() else { return };
        let mut memory = Memory::default();
        loop {
            let next = match shutdown.or(self.archive_closed(&archive, &mut memory)).await {
                None => return,
                Some(Ok(next)) => next,
                Some(Err(error)) => {
                    tracing::warn!(error = chassis::chain(&error), "archiving waits");
                    self.clock.now() + AFTER_FAILURE
                }
            };
            tokio::select! {
                () = self.waiting.archive.notified() => {}
                () = self.clock.sleep_until(next) => {}
                () = shutdown.requested() => return,
            }
        }
    }

    /// Archives what can be archived, tells of it, and says when to look again at the latest.
    async fn archive_closed(&self, archive: &Archive, memory: &mut Memory) -> Result<DateTime<Utc>, Error> {
        let mut next = self.clock.now() + LOOK_AGAIN;
        // Listed first: a file that is made after this isn't in the list, and can't be taken for a closed one.
        let mut local = self.reader.list().map_err(Error::journal("list the journal's folder"))?;
        let mut active = self.journal()?.roll(None).await?;
        if let Some(file) = active
            && self.waits_in(file).await?
        {
            let due = memory.rolled.map_or(DateTime::<Utc>::MIN_UTC, |rolled| rolled + self.roll);
            if due <= self.clock.now() {
                active = self.journal()?.roll(Some(file)).await?;
                memory.rolled = Some(self.clock.now());
            } else {
                next = next.min(due);
            }
        }
        local.retain(|file| active != Some(*file));
        let mut tx = self.store.begin("archived_among", Scope::All).await?;
        let archived = store::archived_among(&mut tx, &local).await?;
        drop(tx);
        let mut unreadable = None;
        for file in local.iter().filter(|file| !archived.contains(file)) {
            if memory.conflicts.contains(file) {
                continue;
            }
            match self.archive_one(archive, *file, memory).await {
                Ok(()) => {}
                // With the object store or the database away the others would fail alike.
                Err(error) if error.is_away() => return Err(error),
                // A file that can't be read is a matter of its own: what others hold isn't kept from the archive by it.
                Err(error) => {
                    tracing::error!(file, error = chassis::chain(&error), "a journal file can't be archived");
                    unreadable = Some(error);
                }
            }
        }
        self.tell_archived().await?;
        self.drop_local(&local).await?;
        unreadable.map_or(Ok(next), Err)
    }

    async fn waits_in(&self, file: u64) -> Result<bool, Error> {
        let mut tx = self.store.begin("waits_in", Scope::All).await?;
        Ok(store::waits_in(&mut tx, file).await?)
    }

    async fn archive_one(&self, archive: &Archive, file: u64, memory: &mut Memory) -> Result<(), Error> {
        match archive.put(file, self.reader.path(file)).await {
            Ok(archived) => {
                let mut tx = self.store.begin("archived", Scope::All).await?;
                store::insert_archived_file(&mut tx, file, archived, self.clock.now()).await?;
                store::commit(tx, "archived").await?;
                tracing::info!(file, bytes = archived.bytes, sha256 = %archived.sha256, "journal file archived");
                Ok(())
            }
            Err(error @ archive::Error::OtherBytes { .. }) => {
                tracing::error!(file, %error, kind = "ARCHIVE_CONFLICT", "a journal file and its copy differ");
                let mut tx = self.store.begin("archive_conflict", Scope::All).await?;
                for (id, track, seq) in store::segments_at(&mut tx, Place { file, at: 0 }, u64::MAX).await? {
                    self.index.alarm(&mut tx, id, "ARCHIVE_CONFLICT", &track, seq).await?;
                }
                store::commit(tx, "archive_conflict").await?;
                memory.conflicts.insert(file);
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Tells of every exhibit that is archived whole. One that can't be told of is a person's matter, and holds up no other.
    async fn tell_archived(&self) -> Result<(), Error> {
        let mut tx = self.store.begin("newly_archived", Scope::All).await?;
        let whole = store::newly_archived(&mut tx).await?;
        drop(tx);
        for id in whole {
            match self.tell_one_archived(id).await {
                Err(error) if !error.is_away() => {
                    tracing::error!(exhibit = %id, error = chassis::chain(&error), "can't tell that it is archived");
                }
                told => told?,
            }
        }
        Ok(())
    }

    async fn tell_one_archived(&self, id: ExhibitId) -> Result<(), Error> {
        let now = self.clock.now();
        let mut tx = self.store.begin("exhibit_archived", Scope::All).await?;
        let Some(located) = store::exhibit(&mut tx, Key::Exhibit(id)).await? else { return Ok(()) };
        if store::insert_archived_exhibit(&mut tx, id, now).await? {
            let marks = store::archived_marks(&mut tx, located.exhibit.call).await?;
            let event = events::archived(&located.exhibit, &marks, located.trace, now);
            outbox::write_in_tx(&mut tx, &self.entropy, now, [event]).await?;
        }
        store::commit(tx, "exhibit_archived").await?;
        tracing::info!(exhibit = %id, "exhibit archived");
        Ok(())
    }

    /// Drops local files that have lain in the archive long enough. The active one isn't among `closed`.
    async fn drop_local(&self, closed: &[u64]) -> Result<(), Error> {
        let mut tx = self.store.begin("droppable", Scope::All).await?;
        let droppable = store::droppable(&mut tx, closed, self.clock.now() - self.keep_local).await?;
        drop(tx);
        for file in droppable {
            self.reader.drop_local(file).map_err(Error::journal("drop an archived journal file"))?;
            tracing::info!(file, "journal file dropped, its copy is archived");
        }
        Ok(())
    }

    /// Before recovery: files that are in the archive, and that neither the folder nor the index knows, come back. So an
    /// index that was lost or put back is rebuilt whole, and no file's number is used twice. Gives the highest number.
    ///
    /// # Errors
    /// The archive is away, and without it nobody knows what there was; or the disk is full.
    pub(super) async fn bring_back(&self, disk: &Disk, indexed: &BTreeSet<u64>) -> Result<u64, Error> {
        let Some(archive) = self.reader.archive() else { return Ok(0) };
        let there = match archive.list().await {
            Ok(there) => there,
            // What the index knows is enough to go on: calls don't wait for the archive.
            Err(error) if !indexed.is_empty() => {
                tracing::warn!(error = chassis::chain(&error), "the archive is away, going by the index alone");
                return Ok(0);
            }
            Err(error) => return Err(error.into()),
        };
        let local: BTreeSet<u64> =
            disk.list().map_err(Error::journal("list the journal's folder"))?.into_iter().collect();
        for file in there.iter().filter(|file| !local.contains(file) && !indexed.contains(file)) {
            archive.fetch(*file, &self.reader.path(*file)).await?;
            tracing::warn!(file, "journal file brought back from the archive");
        }
        Ok(there.last().copied().unwrap_or(0))
    }
}
