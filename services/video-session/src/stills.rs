//! Stills: which picture of the recording the officer has just seen, and that they want it kept. Nothing is copied here: the item
//! says where in the recording the picture is, and evidence-store takes it out of the sealed master.

use std::io;

use api::session::v1::{CaptureStillRequest, CaptureStillResponse};
use ids::{OfficerId, ParticipantId, SessionId};

use crate::{
    app::{App, Leave, Order, Taken},
    error::Error,
    ledger,
    media::{Media, MediaError, RecordedFrame},
    spool::{Document, Piece, Spool},
};

/// What takes stills.
#[derive(Debug, Clone)]
pub struct Stills {
    /// The use cases.
    pub app: App,
    /// The media core.
    pub media: Media,
    /// Where they are kept until evidence-store has them.
    pub spool: Spool,
}

/// A picture that is wanted.
#[derive(Debug, Clone)]
pub struct Still {
    /// The how-manieth of the session.
    pub number: u32,
    /// Whose picture.
    pub participant: ParticipantId,
    /// Who wants it.
    pub officer: OfficerId,
    /// Where it is.
    pub frame: RecordedFrame,
}

impl Stills {
    /// Takes the picture that an officer has just seen, or the one before it.
    ///
    /// # Errors
    /// Not the officer's call, no such session, participant or picture, an ended session, no consent, nothing recorded.
    pub async fn take(&self, order: &Order<CaptureStillRequest>) -> Result<CaptureStillResponse, Error> {
        let session = match self.app.may_take_still(order).await? {
            Leave::Answered(first) => return Ok(first),
            Leave::Given(session) => session,
        };
        let participant = order.message.participant_id.parse()?;
        let frame = self.media.frame(participant, order.message.rtp_timestamp).await?;
        let known = self.with_spool(move |spool| spool.highest(session, Document::Still)).await?;
        let begun = match self.app.begin_still(order, known).await? {
            Taken::Before(first) => return Ok(first),
            Taken::Now(begun) => begun,
        };
        let officer = order.officer.clone();
        let still = Still { number: begun.number, participant, officer, frame: frame.clone() };
        self.keep(session, still).await?;
        begun.commit(&frame).await
    }

    async fn keep(&self, session: SessionId, still: Still) -> Result<(), Error> {
        // Somebody was recorded, so there is a folder.
        let owner = self.spool.owner(session).ok_or(MediaError::NoSuchFrame)?;
        let now = self.app.now();
        self.with_spool(move |spool| {
            let item = ledger::still_item(&owner, &still)?;
            spool.note(session, &[ledger::still(&still, now)])?;
            spool.keep_document(session, Document::Still(still.number), &Piece::new(now, now, item.into()))
        })
        .await
    }

    async fn with_spool<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Spool) -> io::Result<T> + Send + 'static,
    ) -> Result<T, Error> {
        let spool = self.spool.clone();
        let done = tokio::task::spawn_blocking(move || work(&spool)).await;
        done.map_err(io::Error::other).flatten().map_err(Error::Spool)
    }
}
