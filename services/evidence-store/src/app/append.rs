//! Taking segments. An exhibit that the ledger knows needs no database for this.

use bytes::Bytes;
use chrono::{DateTime, Utc};
use exhibit::Digest;
use ids::{CallId, ExhibitId, ForceId, TrackName};
use tokio::sync::oneshot;

use super::App;
use crate::{
    error::Error,
    journal::{
        committer::Closed,
        core::{NewSegment, Refused, Write},
        record::MAX_PAYLOAD,
    },
    store,
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

/// A segment on its way to the disk.
pub struct Pending {
    exhibit: ExhibitId,
    track: TrackName,
    seq: u64,
    sha256: Digest,
    answer: oneshot::Receiver<Result<Digest, Refused>>,
}

impl App {
    /// Checks a segment and queues it. The order of calls is the order of writes.
    ///
    /// # Errors
    /// It isn't what it says, its exhibit is unknown, or a dependency is away.
    pub async fn append(&self, segment: Segment) -> Result<Pending, Error> {
        if segment.data.len() > MAX_PAYLOAD {
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
        let Segment { track, seq, sha256, data, starts_at, ends_at, .. } = segment;
        let new = NewSegment { exhibit, track: track.clone(), seq, sha256, data, starts_at, ends_at };
        let answer = self.journal()?.write(Write::Segment(new)).await?;
        Ok(Pending { exhibit, track, seq, sha256, answer })
    }

    /// Waits until a segment is durable, and gives the track's chain head after it.
    ///
    /// # Errors
    /// The journal refused it.
    pub async fn appended(&self, pending: Pending) -> Result<(TrackName, u64, Digest), Error> {
        let Pending { exhibit, track, seq, sha256, answer } = pending;
        match answer.await.map_err(|_| Closed)? {
            Ok(chain) => Ok((track, seq, chain)),
            // Sealed since, or before we started: a repeat of what it holds is still acknowledged.
            Err(why @ (Refused::Retired | Refused::Unknown)) => {
                let mut tx = self.store.begin("held_segment").await?;
                match store::held_segment(&mut tx, exhibit, &track, seq).await? {
                    Some(held) if held.sha256 == sha256 => Ok((track, seq, held.chain)),
                    _ if why == Refused::Unknown => Err(Error::Refused { track, why: Refused::Fenced }),
                    _ => Err(Error::Refused { track, why }),
                }
            }
            Err(why) => {
                if why == Refused::Conflict {
                    tracing::error!(%exhibit, %track, seq, "other bytes were sent for a segment that is held");
                }
                Err(Error::Refused { track, why })
            }
        }
    }
}
