//! The use cases. Each takes the force's desk, decides, saves, matches again, and writes what happened to the outbox,
//! in one transaction; so no officer and no call is ever in two places.

mod alerts;
mod answers;
mod callbacks;
mod figures;
mod follow_up;
mod loans;
mod presence;
mod reassign;
mod shifts;
mod ticker;
mod view;

use std::sync::Arc;

use chassis::{Ambient, Clock, Entropy, Trace};
use chrono::{DateTime, Utc};
use ids::{CallId, ForceId, OfficerId, RequestId};
use sqlx::{PgPool, PgTransaction};
use tracing::{Instrument, info_span};

use crate::{
    domain::{
        self, AlertKind, Calendar, Call, Consents, Facts, Pace, Present, Published, Round, Rules, Standing, State, Step,
    },
    error::Error,
    events,
    store::{self, Kept, Presences},
};

pub use callbacks::{Agreed, Agreement, Place, Whose};
pub use figures::DeskFigures;
pub use loans::Lending;
pub use shifts::Plan;
pub use view::Desk;

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

/// The use cases. Cheap to clone.
#[derive(Debug, Clone)]
pub struct App {
    pool: PgPool,
    clock: Clock,
    entropy: Entropy,
    rules: Rules,
    calendar: Arc<Calendar>,
}

impl App {
    /// Over a database that is, or will be, there.
    #[must_use]
    pub fn new(pool: PgPool, ambient: Ambient, rules: Rules, calendar: Calendar) -> Self {
        Self { pool, clock: ambient.clock, entropy: ambient.entropy, rules, calendar: Arc::new(calendar) }
    }

    /// A call comes from the control room. One that is here already stays as it is; one that finds the desk closed goes
    /// back, unless an officer has its caller on the phone: they are there for it.
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
        let hours = self.calendar.of(force);
        let mut step = Call::queue(id, force.clone(), facts, now, &self.rules);
        step.call = step.call.until_closing(hours.closes_at(now));
        if !store::insert_call(tx, &step.call, trace).await? {
            return Ok(());
        }
        if self.is_with_who_rang(tx, &step.call, now).await? {
            step = step.call.to_who_rang(now);
        } else if !hours.is_open(now)
            && let Some(closed) = step.call.clone().closed()
        {
            step = closed;
        }
        self.perform(tx, step, trace, now).await?;
        self.match_desk(tx, force, now).await
    }

    /// The control room takes a call back. Too late once an officer has it.
    pub async fn cancel_transfer(&self, tx: &mut PgTransaction<'_>, force: &ForceId, id: CallId) -> Result<(), Error> {
        store::lock_desk(tx, force).await?;
        let now = self.clock.now();
        let Some(Kept { call, trace, .. }) = store::call(tx, force, id).await? else {
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
        let Some(Kept { call, trace, .. }) = store::call(tx, force, id).await? else { return Ok(()) };
        let Some(step) = call.consented(consents) else { return Ok(()) };
        store::save_consents(tx, &step.call).await?;
        // Another call-back may be agreed, and the rest of what they said holds then.
        let forgone = consents.video == Some(false) && self.forgo_callback(tx, &step.call, now).await?;
        if step.published.is_some() {
            self.perform(tx, step, &trace, now).await?;
        } else if !forgone {
            // No officer sees it, and nobody is matched otherwise.
            return Ok(());
        }
        // Whoever rang is free for the next.
        self.match_desk(tx, force, now).await
    }

    /// The video call is over: its officer is free of it.
    pub async fn session_ended(&self, tx: &mut PgTransaction<'_>, force: &ForceId, id: CallId) -> Result<(), Error> {
        store::lock_desk(tx, force).await?;
        let now = self.clock.now();
        let Some(Kept { call, trace, .. }) = store::call(tx, force, id).await? else {
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

    /// Saves what a step made of a call, and writes the event of it in the call's trace.
    async fn perform(
        &self,
        tx: &mut PgTransaction<'_>,
        step: Step,
        trace: &Trace,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        let Step { call, settled, published, alert } = step;
        store::save_call(tx, &call, settled.as_ref(), now).await?;
        if let Some(alert) = alert {
            store::raise(tx, (&call.force, call.id), &alert, now).await?;
        }
        let Some(published) = published else { return Ok(()) };
        let stands = if published == Published::Queued {
            let waiting: Vec<_> = store::waiting(tx, &call.force).await?.into_iter().map(|kept| kept.call).collect();
            let present = store::present(tx, &call.force, now).await?;
            let pace = self.pace(tx, &call.force, &present, now).await?;
            let stands = pace.standing(domain::position(&call, &waiting, &self.rules));
            store::save_told(tx, &[(call.id, stands)]).await?;
            Some(stands)
        } else {
            None
        };
        let opens_at = self.calendar.of(&call.force).opens_next(now);
        let event = events::publish(&call, &published, (stands, opens_at), trace.clone(), now);
        outbox::write_in_tx(tx, &self.entropy, now, [event]).await?;
        Ok(())
    }

    /// How fast the desk answers with these officers.
    async fn pace(
        &self,
        tx: &mut PgTransaction<'_>,
        force: &ForceId,
        Presences { idle, busy }: &Presences,
        now: DateTime<Utc>,
    ) -> Result<Pace, Error> {
        let count = |many: usize| u32::try_from(many).unwrap_or(u32::MAX);
        let free = count(idle.iter().filter(|officer| officer.is_free(now)).count());
        let busy = count(busy.iter().filter(|officer| officer.is_free(now)).count());
        let recent = store::recent_calls(tx, force).await?;
        Ok(Pace::new(recent, self.rules.usual_call, free, free.saturating_add(busy)))
    }

    /// Offers what waits to whoever is free, gives back what is still without an offer and has waited for too long, or until
    /// the desk closed, tells of changed places, and wakes those who watch.
    async fn match_desk(&self, tx: &mut PgTransaction<'_>, force: &ForceId, now: DateTime<Utc>) -> Result<(), Error> {
        let mut waiting = store::waiting(tx, force).await?;
        let mut present = store::present(tx, force, now).await?;
        let calls: Vec<Call> = waiting.iter().map(|kept| kept.call.clone()).collect();
        let desk = Present { idle: &present.idle, busy: &present.busy };
        let is_open = self.calendar.of(force).is_open(now);
        let Round { offered, without_skill, returned } = domain::round(&calls, &desk, is_open, &self.rules, now);
        for step in offered {
            if let Some(place) = present.idle.iter().position(|idle| step.call.officer() == Some(&idle.id)) {
                present.busy.push(present.idle.swap_remove(place));
            }
            let Some(trace) = taken_out(&mut waiting, step.call.id) else { continue };
            let span = trace.follow(info_span!("offer_call"));
            self.perform(tx, step, &trace, now).instrument(span).await?;
        }
        store::raise_once(tx, force, &without_skill, AlertKind::NoSkill, now).await?;
        for step in returned {
            let Some(trace) = taken_out(&mut waiting, step.call.id) else { continue };
            let span = trace.follow(info_span!("wait_limit"));
            self.perform(tx, step, &trace, now).instrument(span).await?;
        }
        waiting.retain(|kept| kept.call.state == State::Queued);
        self.tell_places(tx, force, &waiting, &present, now).await?;
        store::notify(tx, force).await
    }

    /// Tells the control room of each of these calls whose place, or wait, isn't what was told last.
    async fn tell_places(
        &self,
        tx: &mut PgTransaction<'_>,
        force: &ForceId,
        queued: &[Kept],
        present: &Presences,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        if queued.is_empty() {
            return Ok(());
        }
        let pace = self.pace(tx, force, present, now).await?;
        let calls: Vec<Call> = queued.iter().map(|kept| kept.call.clone()).collect();
        let stands = |kept: &Kept| pace.standing(domain::position(&kept.call, &calls, &self.rules));
        let moved: Vec<_> = queued.iter().map(|kept| (kept, stands(kept))).collect();
        let is_news = |(kept, stands): &(&Kept, Standing)| kept.told.is_none_or(|told| stands.is_news(&told));
        let moved: Vec<_> = moved.into_iter().filter(is_news).collect();
        let told: Vec<_> = moved.iter().map(|(kept, stands)| (kept.call.id, *stands)).collect();
        store::save_told(tx, &told).await?;
        let event = |(kept, stands): (&Kept, Standing)| events::moved(&kept.call, stands, kept.trace.clone(), now);
        outbox::write_in_tx(tx, &self.entropy, now, moved.into_iter().map(event)).await?;
        Ok(())
    }
}

/// The trace of a call that no longer waits as it did.
fn taken_out(waiting: &mut Vec<Kept>, call: CallId) -> Option<Trace> {
    let place = waiting.iter().position(|kept| kept.call.id == call)?;
    Some(waiting.swap_remove(place).trace)
}
