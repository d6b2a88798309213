//! Callers are rung back: agreed, taken, tried, missed.

use api::transfer::v1::{
    CancelCallbackRequest, CancelCallbackResponse, RecordCallbackAttemptRequest, RecordCallbackAttemptResponse,
    ScheduleCallbackRequest, ScheduleCallbackResponse, TakeCallbackRequest, TakeCallbackResponse,
};
use chassis::Trace;
use chrono::{DateTime, Utc};
use ids::{CallId, CallbackId, ForceId, OfficerId};
use outbox::Scope;
use sqlx::PgTransaction;
use tracing::{Instrument, info_span};

use super::{App, Once};
use crate::{
    domain::{Alert, Call, Callback, CallbackState, NoCallback, Refused, Tried, Turn, Window},
    error::Error,
    events,
    store::{self, Kept, Private},
};

/// Who asks, about which call-back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Whose {
    /// Of which force.
    pub force: ForceId,
    /// The officer, or in the control room the contact handler.
    pub by: OfficerId,
    /// Which.
    pub callback: CallbackId,
}

/// What was agreed with a caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agreement {
    /// Whose call.
    pub call: CallId,
    /// When it is safe.
    pub window: Window,
    /// BCP 47; empty means English.
    pub language: String,
    /// What only the officer who rings may know.
    pub private: Private,
}

/// Where a page of call-backs ends.
pub type Place = (DateTime<Utc>, CallbackId);

/// A page of them, and where the next begins.
pub type Agreed = (Vec<Callback>, Option<Place>);

impl App {
    /// A caller is to be rung back.
    pub async fn schedule_callback(
        &self,
        once: Once<'_, ScheduleCallbackRequest>,
        (force, by): (&ForceId, &OfficerId),
        Agreement { call, window, language, private }: Agreement,
    ) -> Result<ScheduleCallbackResponse, Error> {
        let trace = store::trace_of(&self.pool, force, call).await?.ok_or(Error::UnknownCall)?;
        let span = trace.follow(info_span!("schedule_callback"));
        async {
            let mut tx = store::begin(&self.pool, "schedule_callback", Scope::Force(force)).await?;
            let (id, request) = (once.id, once.request);
            if let Some(first) = outbox::replay::first_answer(&mut tx, id, "ScheduleCallback", request).await? {
                return Ok(first);
            }
            store::lock_desk(&mut tx, force).await?;
            let now = self.clock.now();
            let Kept { call, trace, .. } = store::call(&mut tx, force, call).await?.ok_or(Error::UnknownCall)?;
            if store::open_callback(&mut tx, call.id).await?.is_some() {
                return Err(NoCallback::Agreed.into());
            }
            let about = call.id;
            let left = call.to_call_back()?;
            window.check(self.calendar.of(force), now)?;
            if let Some(left) = left {
                self.perform(&mut tx, left, &trace, now).await?;
            }
            let (id, state, attempts) = (self.entropy.id(now), CallbackState::Agreed, Vec::new());
            let agreed = Callback { id, call: about, force: force.clone(), window, language, attempts, state };
            store::insert_callback(&mut tx, &agreed, &private, by, now).await?;
            self.tell(&mut tx, &agreed, &trace, now).await?;
            if let Some(turn) = agreed.tick(now) {
                self.turned(&mut tx, &turn, &trace, now).await?;
            }
            self.match_desk(&mut tx, force, now).await?;
            let response = ScheduleCallbackResponse { callback_id: id.to_string() };
            outbox::replay::remember(&mut tx, once.id, &response).await?;
            tx.commit().await?;
            Ok(response)
        }
        .instrument(span)
        .await
    }

    /// A page of a force's call-backs.
    pub async fn callbacks(
        &self,
        force: &ForceId,
        states: &[String],
        after: Option<Place>,
        size: u16,
    ) -> Result<Agreed, Error> {
        let mut tx = outbox::begin_reading(&self.pool, Scope::Force(force)).await?;
        let mut page = store::callbacks(&mut tx, force, states, after, i64::from(size) + 1).await?;
        tx.commit().await?;
        let is_last = page.len() <= usize::from(size);
        page.truncate(usize::from(size));
        let next = page.last().filter(|_| !is_last).map(|last| (last.window.from, last.id));
        Ok((page, next))
    }

    /// An officer rings. What they may know is in no record of answers: it is read anew each time.
    pub async fn take_callback(
        &self,
        once: Once<'_, TakeCallbackRequest>,
        Whose { force, by, callback }: &Whose,
    ) -> Result<TakeCallbackResponse, Error> {
        let mut tx = store::begin(&self.pool, "take_callback", Scope::Force(force)).await?;
        let first: Option<TakeCallbackResponse> =
            outbox::replay::first_answer(&mut tx, once.id, "TakeCallback", once.request).await?;
        store::lock_desk(&mut tx, force).await?;
        let now = self.clock.now();
        let before = store::callback(&mut tx, force, *callback).await?.ok_or(Error::UnknownCallback)?;
        let has_call = store::call_of(&mut tx, force, by).await?.is_some();
        if has_call || store::rings_another(&mut tx, force, by, Some(*callback)).await? {
            return Err(Error::OfficerInCall);
        }
        if store::officer_seen(&mut tx, force, by).await?.is_some_and(|officer| officer.elsewhere.is_some()) {
            return Err(Refused::OfficerNotFree.into());
        }
        let taken = before.clone().take(by, now)?;
        let Kept { call, .. } = store::call(&mut tx, force, before.call).await?.ok_or(Error::UnknownCall)?;
        if store::is_at_desk_with_another(&mut tx, &call).await? {
            return Err(NoCallback::RingsAlready.into());
        }
        let private = store::look(&mut tx, &taken, by, now).await?;
        if taken != before {
            store::save_callback(&mut tx, &taken, now).await?;
            let trace = self.trace_of_call(&mut tx, &taken).await?;
            self.tell(&mut tx, &taken, &trace, now).await?;
            self.match_desk(&mut tx, force, now).await?;
        }
        if first.is_none() {
            outbox::replay::remember(&mut tx, once.id, &TakeCallbackResponse::default()).await?;
        }
        tx.commit().await?;
        let CallbackState::Taken { until, .. } = taken.state else { return Err(NoCallback::NotTaken.into()) };
        Ok(TakeCallbackResponse {
            call_id: taken.call.to_string(),
            number: private.number.expose().to_owned(),
            word: private.word.expose().clone(),
            who_may_answer: private.who_may_answer.expose().clone(),
            language: taken.language,
            taken_until: Some(events::timestamp(until)),
            silent_caller: events::silent(call.facts.silent).into(),
        })
    }

    /// The officer says how it went. A caller who was reached is theirs, as from the queue.
    pub async fn record_attempt(
        &self,
        once: Once<'_, RecordCallbackAttemptRequest>,
        Whose { force, by, callback }: &Whose,
        outcome: Tried,
    ) -> Result<RecordCallbackAttemptResponse, Error> {
        let mut tx = store::begin(&self.pool, "record_callback_attempt", Scope::Force(force)).await?;
        let (id, request) = (once.id, once.request);
        if let Some(first) = outbox::replay::first_answer(&mut tx, id, "RecordCallbackAttempt", request).await? {
            return Ok(first);
        }
        store::lock_desk(&mut tx, force).await?;
        let now = self.clock.now();
        let known = store::callback(&mut tx, force, *callback).await?.ok_or(Error::UnknownCallback)?;
        let turn = known.tried(by, outcome, now)?;
        let Kept { call, trace, .. } =
            store::call(&mut tx, force, turn.callback.call).await?.ok_or(Error::UnknownCall)?;
        let mut response = RecordCallbackAttemptResponse::default();
        response.set_state(events::callback_state(&turn.callback.state));
        let span = trace.follow(info_span!("record_callback_attempt"));
        async {
            if outcome == Tried::Reached {
                if store::call_of(&mut tx, force, by).await?.is_some() {
                    return Err(Error::OfficerInCall);
                }
                response.call_id = call.id.to_string();
                store::called_back(&mut tx, call.id).await?;
                // First the call: whoever hears that the call-back was kept knows already that there is more to come.
                self.perform(&mut tx, call.reached(by, now)?, &trace, now).await?;
            }
            self.turned(&mut tx, &turn, &trace, now).await?;
            self.match_desk(&mut tx, force, now).await?;
            outbox::replay::remember(&mut tx, once.id, &response).await?;
            tx.commit().await?;
            Ok(response)
        }
        .instrument(span)
        .await
    }

    /// Nobody is to ring.
    pub async fn cancel_callback(
        &self,
        once: Once<'_, CancelCallbackRequest>,
        Whose { force, by, callback }: &Whose,
    ) -> Result<CancelCallbackResponse, Error> {
        let mut tx = store::begin(&self.pool, "cancel_callback", Scope::Force(force)).await?;
        if let Some(first) = outbox::replay::first_answer(&mut tx, once.id, "CancelCallback", once.request).await? {
            return Ok(first);
        }
        store::lock_desk(&mut tx, force).await?;
        let now = self.clock.now();
        let known = store::callback(&mut tx, force, *callback).await?.ok_or(Error::UnknownCallback)?;
        let cancelled = known.cancel()?;
        let trace = self.trace_of_call(&mut tx, &cancelled).await?;
        self.turned(&mut tx, &Turn { callback: cancelled, alert: None }, &trace, now).await?;
        store::keep_canceller(&mut tx, *callback, by).await?;
        store::notify(&mut tx, force).await?;
        let response = CancelCallbackResponse {};
        outbox::replay::remember(&mut tx, once.id, &response).await?;
        tx.commit().await?;
        Ok(response)
    }

    /// The caller takes their yes to video back: nobody is to ring for it. Whether anybody was to; then the desk is to be matched.
    pub(super) async fn forgo_callback(
        &self,
        tx: &mut PgTransaction<'_>,
        call: &Call,
        now: DateTime<Utc>,
    ) -> Result<bool, Error> {
        let open = store::open_callback(tx, call.id).await?;
        let Some(callback) = open.and_then(Callback::forgone) else { return Ok(false) };
        let trace = self.trace_of_call(tx, &callback).await?;
        self.turned(tx, &Turn { callback, alert: None }, &trace, now).await?;
        Ok(true)
    }

    /// What time brings to a desk's call-backs.
    pub(super) async fn tick_callbacks(
        &self,
        tx: &mut PgTransaction<'_>,
        force: &ForceId,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        for callback in store::due_callbacks(tx, force, now).await? {
            let trace = self.trace_of_call(tx, &callback).await?;
            if let Some(turn) = callback.tick(now) {
                self.turned(tx, &turn, &trace, now).await?;
            }
        }
        Ok(())
    }

    /// Saves what became of a call-back, and tells whom it concerns.
    async fn turned(
        &self,
        tx: &mut PgTransaction<'_>,
        Turn { callback, alert }: &Turn,
        trace: &Trace,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        store::save_callback(tx, callback, now).await?;
        if let Some(kind) = *alert {
            let officer = callback.attempts.last().map(|last| last.officer.clone());
            store::raise(tx, (&callback.force, callback.call), &Alert { kind, officer }, now).await?;
        }
        self.tell(tx, callback, trace, now).await
    }

    async fn tell(
        &self,
        tx: &mut PgTransaction<'_>,
        callback: &Callback,
        trace: &Trace,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        let event = events::callback_changed(callback, trace.clone(), now);
        Ok(outbox::write_in_tx(tx, &self.entropy, now, [event]).await?)
    }

    async fn trace_of_call(&self, tx: &mut PgTransaction<'_>, callback: &Callback) -> Result<Trace, Error> {
        let kept = store::call(tx, &callback.force, callback.call).await?;
        Ok(kept.ok_or(Error::UnknownCall)?.trace)
    }
}
