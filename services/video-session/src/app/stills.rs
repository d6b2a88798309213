//! Stills of the recording, as the rows have them: who may take one, and the how-manieth it is.

use api::session::v1::{CaptureStillRequest, CaptureStillResponse};
use ids::RequestId;
use outbox::{Scope, replay};
use tracing::Instrument;

use super::{App, Leave, Order, held_open::HeldOpen, span};
use crate::{error::Error, media::RecordedFrame, store};

/// A still that has its number, and isn't committed yet: what says where it is has to be kept first.
#[derive(Debug)]
pub struct BegunStill {
    /// Its number in the session, from 1.
    pub number: u32,
    request: RequestId,
    tx: HeldOpen,
}

/// What taking a still begins with.
#[derive(Debug)]
pub enum Taken {
    /// It was taken before, and this was the answer.
    Before(CaptureStillResponse),
    /// It has a number.
    Now(BegunStill),
}

impl BegunStill {
    /// What says where it is, is kept.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn commit(mut self, frame: &RecordedFrame) -> Result<CaptureStillResponse, Error> {
        let answer = CaptureStillResponse {
            number: self.number,
            track: frame.track.to_string(),
            rtp_timestamp: frame.rtp_timestamp,
            file_ms: frame.file_ms,
        };
        replay::remember(&mut self.tx, self.request, &answer).await?;
        self.tx.commit().await?;
        Ok(answer)
    }
}

impl App {
    /// May a still be taken? Changes nothing.
    ///
    /// # Errors
    /// Not the officer's call, no such session or participant, an ended one, no consent, or nothing recorded.
    pub async fn may_take_still(
        &self,
        order: &Order<CaptureStillRequest>,
    ) -> Result<Leave<CaptureStillResponse>, Error> {
        // Never committed: the request is claimed by whoever carries it out.
        let mut tx = self.begin(Scope::Force(&order.force)).await?;
        if let Some(first) = replay::first_answer(&mut tx, order.request, "CaptureStill", &order.message).await? {
            return Ok(Leave::Answered(first));
        }
        let who = order.message.participant_id.parse()?;
        let found = store::find_by_call(&mut tx, &order.force, order.call).await?;
        let found = found.ok_or(Error::UnknownSession)?;
        self.must_own(&found)?;
        let session = found.session;
        session.commanded_by(&order.officer)?;
        session.participant(who)?;
        session.clone().still(0)?;
        Ok(Leave::Given(session.id))
    }

    /// Gives the next still its number, beyond `known`, which is how many there are elsewhere.
    ///
    /// # Errors
    /// As [`App::may_take_still`].
    pub async fn begin_still(&self, order: &Order<CaptureStillRequest>, known: u32) -> Result<Taken, Error> {
        let now = self.clock.now();
        let mut tx = self.begin_held_open(Scope::Force(&order.force)).await?;
        if let Some(first) = replay::first_answer(&mut tx, order.request, "CaptureStill", &order.message).await? {
            return Ok(Taken::Before(first));
        }
        let mut stored = self.commanded(&mut tx, order).await?;
        let span = span(&stored, "capture_still");
        async {
            let (session, number, facts) = stored.session.still(known)?;
            stored.session = session;
            self.save(&mut tx, &stored, &facts, now).await?;
            Ok(Taken::Now(BegunStill { number, request: order.request, tx }))
        }
        .instrument(span)
        .await
    }
}
