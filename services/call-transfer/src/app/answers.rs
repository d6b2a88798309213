//! What an officer does about a call: takes it, passes it on, gives it back.

use api::transfer::v1::{
    AcceptOfferRequest, AcceptOfferResponse, DeclineOfferRequest, DeclineOfferResponse, ReturnToControlRoomRequest,
    ReturnToControlRoomResponse,
};
use chassis::Trace;
use chrono::{DateTime, Utc};
use outbox::Scope;
use sqlx::PgTransaction;
use tracing::{Instrument, info_span};

use super::{Answer, App, Once};
use crate::{
    domain::{Refused, State},
    error::Error,
    store::{self, Kept},
};

impl App {
    /// The officer takes the call.
    pub async fn accept_offer(
        &self,
        once: Once<'_, AcceptOfferRequest>,
        answer: &Answer,
    ) -> Result<AcceptOfferResponse, Error> {
        let span = self.trace_of(answer).await?.follow(info_span!("accept_offer"));
        async {
            let mut tx = store::begin(&self.pool, "accept_offer", Scope::Force(&answer.force)).await?;
            if let Some(first) = outbox::replay::first_answer(&mut tx, once.id, "AcceptOffer", once.request).await? {
                return Ok(first);
            }
            let (kept, now) = self.answered(&mut tx, answer).await?;
            let officer = &answer.officer;
            if officer.lent_by().is_some() && !store::is_lent(&mut tx, (&answer.force, officer), now).await? {
                // The loan ended while it was on offer. It runs out, and goes to the next.
                return Err(Refused::OfferExpired.into());
            }
            let step = kept.call.accept(officer, now)?;
            self.perform(&mut tx, step, &kept.trace, now).await?;
            store::notify(&mut tx, &answer.force).await?;
            let response = AcceptOfferResponse { call_id: answer.call.to_string() };
            outbox::replay::remember(&mut tx, once.id, &response).await?;
            tx.commit().await?;
            Ok(response)
        }
        .instrument(span)
        .await
    }

    /// The officer passes it on.
    pub async fn decline_offer(
        &self,
        once: Once<'_, DeclineOfferRequest>,
        answer: &Answer,
        reason: String,
    ) -> Result<DeclineOfferResponse, Error> {
        let span = self.trace_of(answer).await?.follow(info_span!("decline_offer"));
        async {
            let mut tx = store::begin(&self.pool, "decline_offer", Scope::Force(&answer.force)).await?;
            if let Some(first) = outbox::replay::first_answer(&mut tx, once.id, "DeclineOffer", once.request).await? {
                return Ok(first);
            }
            let (kept, now) = self.answered(&mut tx, answer).await?;
            let step = kept.call.decline(&answer.officer, reason, now, &self.rules)?;
            self.perform(&mut tx, step, &kept.trace, now).await?;
            self.match_desk(&mut tx, &answer.force, now).await?;
            let response = DeclineOfferResponse {};
            outbox::replay::remember(&mut tx, once.id, &response).await?;
            tx.commit().await?;
            Ok(response)
        }
        .instrument(span)
        .await
    }

    /// An officer or a sergeant gives a call back to the control room, waiting or in mid-call.
    pub async fn return_to_control_room(
        &self,
        once: Once<'_, ReturnToControlRoomRequest>,
        answer: &Answer,
        (reason, is_sergeant): (String, bool),
    ) -> Result<ReturnToControlRoomResponse, Error> {
        let span = self.trace_of(answer).await?.follow(info_span!("return_to_control_room"));
        async {
            let mut tx = store::begin(&self.pool, "return_to_control_room", Scope::Force(&answer.force)).await?;
            let (id, request) = (once.id, once.request);
            if let Some(first) = outbox::replay::first_answer(&mut tx, id, "ReturnToControlRoom", request).await? {
                return Ok(first);
            }
            let (kept, now) = self.answered(&mut tx, answer).await?;
            let step = kept.call.hand_back(&answer.officer, is_sergeant)?;
            let call = step.call.clone();
            if let State::Returned { officer: Some(had_it), .. } = &call.state
                && let Some(officer) = store::officer(&mut tx, &answer.force, had_it).await?
            {
                store::save_officer(&mut tx, &officer.to_the_back(now)).await?;
            }
            self.perform(&mut tx, step, &kept.trace, now).await?;
            store::keep_return(&mut tx, &call, &answer.officer, &reason).await?;
            self.match_desk(&mut tx, &answer.force, now).await?;
            let response = ReturnToControlRoomResponse {};
            outbox::replay::remember(&mut tx, once.id, &response).await?;
            tx.commit().await?;
            Ok(response)
        }
        .instrument(span)
        .await
    }

    /// The call that is answered, with the desk held, and the officer's sign of life.
    pub(super) async fn answered(
        &self,
        tx: &mut PgTransaction<'_>,
        answer: &Answer,
    ) -> Result<(Kept, DateTime<Utc>), Error> {
        store::lock_desk(tx, &answer.force).await?;
        let now = self.clock.now();
        let kept = store::call(tx, &answer.force, answer.call).await?.ok_or(Error::UnknownCall)?;
        if let Some(officer) = store::officer(tx, &answer.force, &answer.officer).await?
            && !officer.is_gone(now)
        {
            store::save_officer(tx, &officer.heard(now, &self.rules)).await?;
        }
        Ok((kept, now))
    }

    /// The trace of the call that is answered: what an officer does about it belongs there.
    pub(super) async fn trace_of(&self, answer: &Answer) -> Result<Trace, Error> {
        store::trace_of(&self.pool, &answer.force, answer.call).await?.ok_or(Error::UnknownCall)
    }
}
