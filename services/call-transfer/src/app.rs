//! The use cases. Each takes the force's desk, decides, saves, matches again, and writes what happened to the outbox,
//! in one transaction; so no officer and no call is ever in two places.

mod ticker;

use api::transfer::v1::{
    AcceptOfferRequest, AcceptOfferResponse, DeclineOfferRequest, DeclineOfferResponse, SetPresenceRequest,
    SetPresenceResponse,
};
use chassis::{Ambient, Clock, Entropy, Trace};
use chrono::{DateTime, Utc};
use ids::{CallId, ForceId, OfficerId, RequestId};
use sqlx::{PgPool, PgTransaction};
use tracing::{Instrument, info_span};

use crate::{
    domain::{self, Call, Consents, Facts, Offer, Officer, Published, Rules, State, Step, Wish},
    error::Error,
    events,
    store::{self, Kept},
};

/// A request and the id that makes it safe to repeat.
#[derive(Debug, Clone, Copy)]
pub struct Once<'a, R> {
    /// The client's id.
    pub id: RequestId,
    /// All that it said.
    pub request: &'a R,
}

/// An officer's answer to an offer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Of which force.
    pub force: ForceId,
    /// Who answers.
    pub officer: OfficerId,
    /// About which call.
    pub call: CallId,
}

/// The desk as one officer sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Desk {
    /// The calls without an officer, next first.
    pub waiting: Vec<Call>,
    /// The call on offer to this officer.
    pub offer: Option<(Call, Offer)>,
    /// The call this officer has.
    pub current: Option<CallId>,
    /// What the officer counts as.
    pub presence: Wish,
}

/// The use cases. Cheap to clone.
#[derive(Debug, Clone)]
pub struct App {
    pool: PgPool,
    clock: Clock,
    entropy: Entropy,
    rules: Rules,
}

impl App {
    /// Over a database that is, or will be, there.
    #[must_use]
    pub fn new(pool: PgPool, ambient: Ambient, rules: Rules) -> Self {
        Self { pool, clock: ambient.clock, entropy: ambient.entropy, rules }
    }

    /// A call comes from the control room. One that is here already stays as it is.
    pub async fn queue_call(
        &self,
        tx: &mut PgTransaction<'_>,
        force: &ForceId,
        id: CallId,
        facts: Facts,
        trace: &Trace,
    ) -> Result<(), Error> {
        store::lock_desk(tx, force).await?;
        let now = self.clock.now();
        let step = Call::queue(id, force.clone(), facts, now);
        if !store::insert_call(tx, &step.call, trace).await? {
            return Ok(());
        }
        self.perform(tx, step, trace, now).await?;
        self.match_desk(tx, force, now).await
    }

    /// The control room takes a call back. Too late once an officer has it.
    pub async fn cancel_transfer(&self, tx: &mut PgTransaction<'_>, force: &ForceId, id: CallId) -> Result<(), Error> {
        store::lock_desk(tx, force).await?;
        let now = self.clock.now();
        let Some(Kept { call, trace }) = store::call(tx, force, id).await? else {
            tracing::warn!(call = %id, "a transfer was cancelled that never came here");
            return Ok(());
        };
        let Some(step) = call.cancel() else { return Ok(()) };
        self.perform(tx, step, &trace, now).await?;
        self.match_desk(tx, force, now).await
    }

    /// The caller says anew what they agree to. A call that hasn't come yet brings it along.
    pub async fn consented(
        &self,
        tx: &mut PgTransaction<'_>,
        force: &ForceId,
        id: CallId,
        consents: Consents,
    ) -> Result<(), Error> {
        store::lock_desk(tx, force).await?;
        let now = self.clock.now();
        let Some(Kept { call, trace }) = store::call(tx, force, id).await? else { return Ok(()) };
        let Some(step) = call.consented(consents) else { return Ok(()) };
        store::save_consents(tx, &step.call).await?;
        if step.published.is_none() {
            // No officer sees it, and nobody is matched otherwise.
            return Ok(());
        }
        self.perform(tx, step, &trace, now).await?;
        self.match_desk(tx, force, now).await
    }

    /// The video call is over: its officer is free of it.
    pub async fn session_ended(&self, tx: &mut PgTransaction<'_>, force: &ForceId, id: CallId) -> Result<(), Error> {
        store::lock_desk(tx, force).await?;
        let now = self.clock.now();
        let Some(Kept { call, trace }) = store::call(tx, force, id).await? else {
            tracing::warn!(call = %id, "a session ended whose call never came here");
            return Ok(());
        };
        let Some(step) = call.end() else { return Ok(()) };
        if let State::Ended { officer } = &step.call.state
            && let Some(officer) = store::officer(tx, force, officer).await?
        {
            store::save_officer(tx, &officer.to_the_back(now)).await?;
        }
        self.perform(tx, step, &trace, now).await?;
        self.match_desk(tx, force, now).await
    }

    /// An officer says that they are free, or not.
    pub async fn set_presence(
        &self,
        once: Once<'_, SetPresenceRequest>,
        (force, officer): (&ForceId, &OfficerId),
        wish: Wish,
    ) -> Result<SetPresenceResponse, Error> {
        let mut tx = store::begin(&self.pool, "set_presence").await?;
        if let Some(first) = outbox::replay::first_answer(&mut tx, once.id, "SetPresence", once.request).await? {
            return Ok(first);
        }
        store::lock_desk(&mut tx, force).await?;
        let now = self.clock.now();
        let known = store::officer(&mut tx, force, officer).await?;
        let known = known.unwrap_or_else(|| Officer::arrive(officer.clone(), force.clone(), now, &self.rules));
        match store::call_of(&mut tx, force, officer).await? {
            Some(Kept { call: Call { state: State::Accepted { .. }, .. }, .. }) if wish == Wish::Free => {
                return Err(Error::OfficerInCall);
            }
            Some(Kept { call, trace }) if wish == Wish::Away => {
                if let Some(step) = call.officer_gone(officer, now) {
                    self.perform(&mut tx, step, &trace, now).await?;
                }
            }
            _ => {}
        }
        store::save_officer(&mut tx, &known.wishes(wish, now, &self.rules)).await?;
        self.match_desk(&mut tx, force, now).await?;
        let mut answer = SetPresenceResponse::default();
        answer.set_presence(crate::grpc::presence(wish));
        outbox::replay::remember(&mut tx, once.id, &answer).await?;
        tx.commit().await?;
        Ok(answer)
    }

    /// An officer gives a sign of life. Answers when they count as gone unless heard from again.
    pub async fn heartbeat(&self, force: &ForceId, officer: &OfficerId) -> Result<DateTime<Utc>, Error> {
        let now = self.clock.now();
        let until = self.rules.present_until(now);
        if let Some(until) = store::extend_presence(&self.pool, (force, officer), now, until).await? {
            return Ok(until);
        }
        // Back from being gone, or never here.
        let mut tx = store::begin(&self.pool, "heartbeat").await?;
        store::lock_desk(&mut tx, force).await?;
        let now = self.clock.now();
        let known = store::officer(&mut tx, force, officer).await?.ok_or(Error::UnknownOfficer)?;
        let back = known.heard(now, &self.rules);
        store::save_officer(&mut tx, &back).await?;
        self.match_desk(&mut tx, force, now).await?;
        tx.commit().await?;
        Ok(back.expires_at)
    }

    /// The officer takes the call.
    pub async fn accept_offer(
        &self,
        once: Once<'_, AcceptOfferRequest>,
        answer: &Answer,
    ) -> Result<AcceptOfferResponse, Error> {
        let span = self.trace_of(answer).await?.follow(info_span!("accept_offer"));
        async {
            let mut tx = store::begin(&self.pool, "accept_offer").await?;
            if let Some(first) = outbox::replay::first_answer(&mut tx, once.id, "AcceptOffer", once.request).await? {
                return Ok(first);
            }
            let (kept, now) = self.answered(&mut tx, answer).await?;
            let step = kept.call.accept(&answer.officer, now)?;
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
            let mut tx = store::begin(&self.pool, "decline_offer").await?;
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

    /// The desk as an officer sees it, at one instant.
    pub async fn desk(&self, force: &ForceId, officer: &OfficerId) -> Result<Desk, Error> {
        let mut tx = self.pool.begin_with("begin isolation level repeatable read read only").await?;
        let waiting = store::waiting(&mut tx, force).await?;
        let known = store::officer_seen(&mut tx, force, officer).await?;
        let own = store::call_of(&mut tx, force, officer).await?.map(|kept| kept.call);
        tx.commit().await?;

        let mut waiting: Vec<Call> = waiting.into_iter().map(|kept| kept.call).collect();
        domain::sort(&mut waiting, &self.rules);
        let now = self.clock.now();
        let presence = known.filter(|officer| !officer.is_gone(now)).map_or(Wish::Away, |officer| officer.wish);
        let mut desk = Desk { waiting, offer: None, current: None, presence };
        match own.map(|call| (call.state.clone(), call)) {
            Some((State::Offered(offer), call)) => desk.offer = Some((call, offer)),
            Some((State::Accepted { .. }, call)) => desk.current = Some(call.id),
            _ => {}
        }
        Ok(desk)
    }

    /// The call that is answered, with the desk held, and the officer's sign of life.
    async fn answered(&self, tx: &mut PgTransaction<'_>, answer: &Answer) -> Result<(Kept, DateTime<Utc>), Error> {
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
    async fn trace_of(&self, answer: &Answer) -> Result<Trace, Error> {
        store::trace_of(&self.pool, &answer.force, answer.call).await?.ok_or(Error::UnknownCall)
    }

    /// Saves what a step made of a call, and writes the event of it in the call's trace.
    async fn perform(
        &self,
        tx: &mut PgTransaction<'_>,
        step: Step,
        trace: &Trace,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        let Step { call, settled, published } = step;
        store::save_call(tx, &call, settled.as_ref(), now).await?;
        let Some(published) = published else { return Ok(()) };
        let position = if published == Published::Queued {
            let waiting: Vec<_> = store::waiting(tx, &call.force).await?.into_iter().map(|kept| kept.call).collect();
            domain::position(&call, &waiting, &self.rules)
        } else {
            0
        };
        let event = events::publish(&call, &published, position, trace.clone(), now);
        outbox::write_in_tx(tx, &self.entropy, now, [event]).await?;
        Ok(())
    }

    /// Offers what waits to whoever is free, and wakes those who watch.
    async fn match_desk(&self, tx: &mut PgTransaction<'_>, force: &ForceId, now: DateTime<Utc>) -> Result<(), Error> {
        let mut waiting = store::waiting(tx, force).await?;
        let officers = store::officers_without_call(tx, force).await?;
        let calls: Vec<Call> = waiting.iter().map(|kept| kept.call.clone()).collect();
        for domain::Pair { call, officer } in domain::pair(&calls, &officers, &self.rules, now) {
            let Some(place) = waiting.iter().position(|kept| kept.call.id == call) else { continue };
            let Kept { call, trace } = waiting.swap_remove(place);
            let span = trace.follow(info_span!("offer_call"));
            self.perform(tx, call.offer(officer, now, &self.rules), &trace, now).instrument(span).await?;
        }
        store::notify(tx, force).await
    }
}
