//! Taking segments. An exhibit that the ledger knows needs no database for this.

use std::{sync::Arc, time::Instant};

use bytes::Bytes;
use chrono::{DateTime, Utc};
use exhibit::Digest;
use ids::{CallId, ExhibitId, ForceId, TrackName};
use tokio::sync::oneshot;
use uuid::Uuid;

use super::App;
use crate::{
    error::Error,
    journal::{
        committer::Closed,
        core::{NewSegment, Refused, StoredItem, Write},
        item::NewItem,
        ledger::ItemDecision,
        receipts::Acknowledged,
        record::{Identity, Kind, MAX_SEGMENT, Stored},
    },
    keys::DataKey,
    metrics,
};

/// A segment as it came in.
pub struct Segment {
    /// The call's force.
    pub force: ForceId,
    /// The call.
    pub call: CallId,
    /// The track.
    pub track: TrackName,
    /// Its number in the track.
    pub seq: u64,
    /// What the sender says that its SHA-256 is.
    pub sha256: Digest,
    /// Its bytes.
    pub data: Bytes,
    /// When its media starts.
    pub starts_at: DateTime<Utc>,
    /// When its media ends.
    pub ends_at: DateTime<Utc>,
}

/// A segment that is on the disk.
pub struct Appended {
    /// What holds it: the exhibit, or the addendum that a late one went into.
    pub exhibit: ExhibitId,
    /// Its track.
    pub track: TrackName,
    /// Its number in the track.
    pub seq: u64,
    /// The track's chain head after it, and the receipt.
    pub acknowledged: Acknowledged,
}

/// An item that is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AddedItem {
    /// Its number among the exhibit's items.
    pub seq: u64,
    /// 1, 2 ... for its kind and name.
    pub version: u64,
    /// The items' chain head after it.
    pub chain: Digest,
}

/// A segment on its way to the disk.
pub struct Pending {
    since: Instant,
    exhibit: ExhibitId,
    segment: Segment,
    answer: oneshot::Receiver<Result<Acknowledged, Refused>>,
}

impl App {
    /// Checks a segment and queues it. The order of calls is the order of writes.
    ///
    /// # Errors
    /// It isn't what it says, its exhibit is unknown, or a dependency is away.
    pub async fn append(&self, segment: Segment) -> Result<Pending, Error> {
        let since = Instant::now();
        self.log.standing().check()?;
        if segment.track.is_items() {
            return Err(Error::ReservedTrack);
        }
        if segment.data.len() > MAX_SEGMENT {
            return Err(Error::SegmentTooLarge);
        }
        if Digest::of(&segment.data) != segment.sha256 {
            return Err(Error::HashMismatch);
        }
        let exhibit = match self.known(segment.call) {
            Some((force, exhibit)) if force == segment.force => exhibit,
            Some(_) => return Err(Error::UnknownExhibit),
            None => self.known_exhibit(&segment.force, segment.call).await?.1,
        };
        let answer = self.write_segment(exhibit, &segment).await?;
        Ok(Pending { since, exhibit, segment, answer })
    }

    /// Encrypts a segment and queues it for this exhibit.
    ///
    /// # Errors
    /// The keys are away, or the journal is closed.
    pub(super) async fn write_segment(
        &self,
        exhibit: ExhibitId,
        segment: &Segment,
    ) -> Result<oneshot::Receiver<Result<Acknowledged, Refused>>, Error> {
        let new = self.encrypt_segment(&*self.keys.open(exhibit).await?, exhibit, segment)?;
        Ok(self.journal()?.write(Write::Segment(new)).await?)
    }

    /// Encrypts a segment under this exhibit's key.
    ///
    /// # Errors
    /// It is too long for the cipher.
    pub(super) fn encrypt_segment(
        &self,
        key: &DataKey,
        exhibit: ExhibitId,
        segment: &Segment,
    ) -> Result<NewSegment, Error> {
        let Segment { track, seq, sha256, data, .. } = segment;
        let (seq, starts_at, ends_at) = (*seq, segment.starts_at, segment.ends_at);
        let (item, kind) = (Uuid::nil(), Kind::Segment);
        let identity = Identity { kind, exhibit, track: Some(track), seq, item, starts_at, ends_at };
        // Here and not in the journal's thread: that has the disk to see to.
        let stored = Stored::encrypt(key, self.entropy.bytes(), &identity, data, *sha256)?;
        Ok(NewSegment { exhibit, track: track.clone(), seq, starts_at, ends_at, stored })
    }

    /// Waits until a segment is durable. One that comes after the fence is durable in an addendum.
    ///
    /// # Errors
    /// The journal refused it.
    pub async fn appended(&self, pending: Pending) -> Result<Appended, Error> {
        let Pending { since, exhibit, segment, answer } = pending;
        let (exhibit, acknowledged) = match answer.await.map_err(|_| Closed)? {
            Ok(acknowledged) => (exhibit, acknowledged),
            Err(why @ (Refused::Fenced | Refused::Retired | Refused::Unknown)) => {
                if why != Refused::Fenced {
                    self.keys.forget(exhibit);
                }
                self.append_late(&segment).await?
            }
            Err(why) => {
                let Segment { track, seq, .. } = segment;
                if why == Refused::Conflict {
                    tracing::error!(%exhibit, %track, seq, "other bytes were sent for a segment that is held");
                }
                return Err(Error::Refused { track, why });
            }
        };
        metrics::appended(segment.data.len(), since.elapsed());
        Ok(Appended { exhibit, track: segment.track, seq: segment.seq, acknowledged })
    }

    /// Makes an item durable beside the tracks of an exhibit that the ledger knows, as the next version of its kind and
    /// name. The same id again with the same bytes gets the first answer.
    ///
    /// # Errors
    /// The journal refuses it ([`Refused::Fenced`]: it belongs into an addendum), or a dependency is away.
    pub async fn journal_item(&self, item: NewItem) -> Result<AddedItem, Error> {
        let exhibit = item.exhibit;
        let refused = |why| Error::Refused { track: TrackName::items(), why };
        let key = self.keys.open(exhibit).await?;
        let item = Arc::new(item);
        loop {
            let (seq, version) = match self.journal()?.item(&item).await? {
                ItemDecision::Repeat { seq, held } => {
                    return Ok(AddedItem { seq, version: held.version, chain: held.chain });
                }
                ItemDecision::Refuse(why) => return Err(refused(why)),
                ItemDecision::Append { seq, version, .. } => (seq, version),
            };
            let (facts, nonce, key, data) = (item.facts(version), self.entropy.bytes(), key.clone(), item.clone());
            let track = TrackName::items();
            let stored = tokio::task::spawn_blocking(move || {
                let payload = facts.payload(&data.data).map_err(|_| Error::InvalidItem)?;
                let (kind, item, at) = (Kind::Item, data.id, data.made_at);
                let track = Some(&track);
                let identity = Identity { kind, exhibit, track, seq: 0, item, starts_at: at, ends_at: at };
                let stored = Stored::encrypt(&key, nonce, &identity, &payload, Digest::of(&payload))?;
                Ok::<_, Error>(StoredItem { exhibit, seq, facts, stored })
            });
            let stored = stored.await.map_err(|_| Closed)??;
            match self.journal()?.write(Write::Item(stored)).await?.await.map_err(|_| Closed)? {
                Ok(added) => return Ok(AddedItem { seq, version, chain: added.chain }),
                Err(Refused::Stale) => {}
                Err(why) => return Err(refused(why)),
            }
        }
    }
}
