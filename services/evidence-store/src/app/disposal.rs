//! Disposal: decided and told under the exhibit's lock, then written into the journal, then the key is destroyed, then that is told. Killed between any two
//! of these it is taken up again at the next start; from the decision on nobody reads the exhibit.

use std::time::Duration;

use chassis::Shutdown;
use exhibit::{Digest, seal::seal_sha256};
use ids::{ExhibitId, ForceId, RequestId};
use sqlx::{PgConnection, PgTransaction};

use super::{App, Asker};
use crate::{
    domain::{
        Event, Exhibit,
        retention::{InTheWay, Retention},
        tombstone,
    },
    error::Error,
    store::{self, Key, Tombstone},
};
use outbox::Scope;

/// How long a disposal that couldn't be finished is left alone.
const LOOK_AGAIN: Duration = Duration::from_secs(30);

/// A tombstone, and what it was made from: if that has changed, it isn't true any more.
pub struct Prepared {
    retention: Retention,
    tombstone: Tombstone,
}

impl App {
    /// Makes the tombstone, without a lock: the timestamp authority may take its time. `None`: it has one already.
    ///
    /// # Errors
    /// No such exhibit, it may not go, or the authority is away.
    pub async fn prepare_disposal(
        &self,
        force: &ForceId,
        id: ExhibitId,
        asker: &Asker,
    ) -> Result<Option<Prepared>, Error> {
        let mut tx = self.store.begin("prepare_disposal", Scope::Force(force)).await?;
        let exhibit = self.located(&mut tx, force, Key::Exhibit(id)).await?.exhibit;
        let retention = self.retention(&mut tx, &exhibit).await?;
        let others = self.in_the_way(&mut tx, &exhibit).await?;
        drop(tx);
        if retention.disposal.is_some() {
            return Ok(None);
        }
        retention.may_go(others)?;
        let now = self.clock.now();
        let json = tombstone::write(&exhibit, &retention, (&asker.who, &asker.reason), now)?;
        let signature = self.signer.sign(&json, now)?;
        let token = self.stamp(&signature).await?;
        Ok(Some(Prepared { retention, tombstone: Tombstone { json, signature, token } }))
    }

    /// The authority's answer about a signature; `None`: no authority is configured.
    ///
    /// # Errors
    /// It can't be had now.
    pub(super) async fn stamp(&self, signature: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        let Some(authority) = &self.authority else { return Ok(None) };
        let stamped = authority.stamp(signature, &self.entropy, &self.clock).await;
        stamped.map(Some).map_err(|waits| Error::AuthorityAway(waits.what))
    }

    /// Decides it for good, and says the tombstone's digest; a second time, the first one's. `None`: something has
    /// changed since the tombstone was made, so it has to be made again.
    ///
    /// # Errors
    /// No such exhibit, it may not go, or the database is away.
    pub async fn dispose(
        &self,
        tx: &mut PgTransaction<'_>,
        force: &ForceId,
        id: ExhibitId,
        request: RequestId,
        asker: &Asker,
        prepared: Option<Prepared>,
    ) -> Result<Option<Digest>, Error> {
        let (exhibit, retention) = self.locked_retention(tx, force, id).await?;
        if let Some(disposal) = &retention.disposal {
            return Ok(Some(disposal.tombstone));
        }
        retention.may_go(self.in_the_way(tx, &exhibit).await?)?;
        let Some(Prepared { tombstone, .. }) = prepared.filter(|prepared| prepared.retention == retention) else {
            return Ok(None);
        };
        store::insert_disposal(tx, id, &tombstone, self.clock.now()).await?;
        store::queue_log_entry(tx, &tombstone.entry(id), id).await?;
        self.record(tx, id, request, asker, "dispose").await?;
        tracing::warn!(exhibit = %id, "exhibit disposed of: its key is destroyed next");
        Ok(Some(seal_sha256(&tombstone.signature)))
    }

    async fn in_the_way(&self, conn: &mut PgConnection, exhibit: &Exhibit) -> Result<InTheWay, Error> {
        Ok(InTheWay {
            held: store::family_on_hold(conn, exhibit.call).await?,
            addendum_open: store::addendum_open(conn, exhibit.id).await?,
            copies_out: self.reader.archive().is_some() && !store::copies_called_back(conn, exhibit.id).await?,
        })
    }

    /// Destroys the key of an exhibit whose disposal was decided, and what was made with it, and tells that it is gone. What
    /// is left is in the journal before that. May be repeated.
    ///
    /// # Errors
    /// The journal, the key store or the database is away.
    pub async fn finish_disposal(&self, id: ExhibitId) -> Result<(), Error> {
        self.journal_tombstone(id).await?;
        self.keys.destroy(id).await?;
        self.derived.remove(id)?;
        let mut tx = self.store.begin("finish_disposal", Scope::All).await?;
        let located = store::exhibit(&mut tx, Key::Exhibit(id)).await?.ok_or(Error::UnknownExhibit)?;
        let now = self.clock.now();
        if store::mark_destroyed(&mut tx, id, now).await?
            && let Some(tombstone) = store::tombstone(&mut tx, id).await?
        {
            let event = Event::Disposed { tombstone: seal_sha256(&tombstone.signature) };
            outbox::write_in_tx(&mut tx, &self.entropy, now, [self.event(&located, &event)]).await?;
            store::commit(tx, "finish_disposal").await?;
            tracing::warn!(exhibit = %id, "the exhibit's key is destroyed");
        }
        Ok(())
    }

    /// Finishes what an earlier process, or a request that failed half way, left unfinished.
    pub async fn finish_disposals(self, shutdown: Shutdown) {
        loop {
            let finished = async {
                let mut tx = self.store.begin("unfinished_disposals", Scope::All).await?;
                let unfinished = store::unfinished_disposals(&mut tx).await?;
                drop(tx);
                for id in unfinished {
                    // One whose files can't be removed keeps no other's key.
                    if let Err(error) = self.finish_disposal(id).await {
                        tracing::warn!(exhibit = %id, error = chassis::chain(&error), "disposal waits");
                    }
                }
                Ok::<_, Error>(())
            };
            if let Err(error) = finished.await {
                tracing::warn!(error = chassis::chain(&error), "disposal waits");
            }
            if shutdown.or(tokio::time::sleep(LOOK_AGAIN)).await.is_none() {
                return;
            }
        }
    }
}
