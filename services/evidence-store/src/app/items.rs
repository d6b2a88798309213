//! What is kept beside the media. Durable when answered; the request's id is the item's id, so a repeat finds the first.

use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use exhibit::{
    Digest,
    manifest::{ItemKind, MediaType},
    receipt::{Leaf, Proof},
};
use ids::{CallId, ExhibitId, ForceId, TrackName};
use uuid::Uuid;

use super::App;
use crate::{
    domain::State,
    error::Error,
    journal::{
        core::{Purpose, Refused},
        item::NewItem,
    },
    store::{self, ItemRow, Key, Located},
};
use outbox::Scope;

/// Largest item, in bytes.
pub const MAX_ITEM: usize = 16 * 1024 * 1024;
/// How long the index may take to show what the journal holds, before the sender is told to ask again.
const INDEX_PATIENCE: Duration = Duration::from_secs(10);

/// An item as it came in, but for its bytes.
#[derive(Debug, Clone)]
pub struct NewcomingItem {
    /// The request that brings it.
    pub id: Uuid,
    /// The force.
    pub force: ForceId,
    /// The exhibit, or the call that it belongs to.
    pub key: Key,
    /// What it is.
    pub kind: ItemKind,
    /// Its name: the rules of a track's.
    pub name: TrackName,
    /// What its bytes are.
    pub media_type: MediaType,
    /// SHA-256 of its bytes.
    pub sha256: Digest,
    /// When it was made, by whoever made it.
    pub made_at: DateTime<Utc>,
}

/// An item that is on stable storage.
#[derive(Debug, Clone)]
pub struct KeptItem {
    /// The exhibit that holds it.
    pub exhibit: ExhibitId,
    /// What is known of it.
    pub row: ItemRow,
    /// What proves it later; `None` once its exhibit is disposed of.
    pub receipt: Option<Proof>,
}

impl NewcomingItem {
    fn is(&self, row: &ItemRow) -> bool {
        let told = (row.kind.as_str(), row.name.as_str(), row.media_type.as_str(), row.sha256, row.made_at);
        told == (self.kind.as_str(), self.name.as_str(), self.media_type.as_str(), self.sha256, self.made_at)
    }
}

impl App {
    /// Adds an item to the exhibit, or to its addendum once the fence is down. Says where it is now, and signs for it.
    ///
    /// # Errors
    /// No such exhibit, its bytes aren't what they should be, the id was used for another, or a dependency is away.
    pub async fn add_item(&self, item: &NewcomingItem, data: Bytes) -> Result<KeptItem, Error> {
        if data.len() > MAX_ITEM {
            return Err(Error::ItemTooLarge);
        }
        if Digest::of(&data) != item.sha256 {
            return Err(Error::HashMismatch);
        }
        let mut tx = self.store.begin("add_item", Scope::Force(&item.force)).await?;
        let named = self.located(&mut tx, &item.force, item.key).await?;
        let held = store::item_by_id(&mut tx, named.exhibit.call, item.id).await?;
        let there = self.retention(&mut tx, &named.exhibit).await?.not_disposed();
        drop(tx);
        let (exhibit, row) = match held {
            Some(held) => held,
            None => {
                there?;
                self.journal_anywhere(item, named, data).await?
            }
        };
        if !item.is(&row) {
            return Err(Error::RequestIdReused);
        }
        // What is destroyed is still what was added once, but nobody signs that it is held.
        let leaf = Leaf { exhibit, track: TrackName::items(), seq: row.seq, sha256: row.sha256, chain: row.chain };
        let receipt = there.is_ok().then(|| self.receipts.sign_alone(leaf)).flatten();
        Ok(KeptItem { exhibit, row, receipt })
    }

    /// Into the exhibit that was named, or the one that takes what is late.
    async fn journal_anywhere(
        &self,
        item: &NewcomingItem,
        named: Located,
        data: Bytes,
    ) -> Result<(ExhibitId, ItemRow), Error> {
        let mut target = named;
        loop {
            if let Some(held) = self.journal_here(item, &target, data.clone()).await? {
                return Ok(held);
            }
            target = self.takes_late(&target).await?;
        }
    }

    /// Into this exhibit; `None`: its fence is down.
    pub(super) async fn journal_here(
        &self,
        item: &NewcomingItem,
        target: &Located,
        data: Bytes,
    ) -> Result<Option<(ExhibitId, ItemRow)>, Error> {
        let exhibit = target.exhibit.id;
        if !matches!(target.exhibit.state, State::Open) {
            return Ok(None);
        }
        self.make_known(target, Purpose::Hold).await?;
        let new = NewItem {
            exhibit,
            id: item.id,
            kind: item.kind.as_str().to_owned(),
            name: item.name.to_string(),
            media_type: item.media_type.as_str().to_owned(),
            sha256: item.sha256,
            data,
            made_at: item.made_at,
            added_at: self.clock.now(),
        };
        match self.journal_item(new).await {
            Ok(_) => {
                self.note_arrival(&target.exhibit);
                self.indexed_item(&item.force, target.exhibit.call, item.id).await.map(Some)
            }
            Err(Error::Refused { why: Refused::Fenced | Refused::Retired, .. }) => Ok(None),
            Err(Error::Refused { why: Refused::Conflict, .. }) => Err(Error::RequestIdReused),
            Err(Error::Refused { why: Refused::NoSpace, .. }) => Err(Error::NoSpace),
            Err(error) => Err(error),
        }
    }

    /// The row of an item that is in the journal: the index comes a moment later.
    async fn indexed_item(&self, force: &ForceId, call: CallId, id: Uuid) -> Result<(ExhibitId, ItemRow), Error> {
        let mut growth = self.index.growth();
        let look = async {
            loop {
                growth.borrow_and_update();
                let mut tx = self.store.begin("indexed_item", Scope::Force(force)).await?;
                if let Some(held) = store::item_by_id(&mut tx, call, id).await? {
                    return Ok(held);
                }
                drop(tx);
                // The sender lives in the index, so waiting can't fail.
                let _ = growth.changed().await;
            }
        };
        // Durable all the same: a repeat finds it.
        tokio::time::timeout(INDEX_PATIENCE, look).await.unwrap_or(Err(Error::Starting))
    }
}
