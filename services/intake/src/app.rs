//! One function per use case: lock, decide, save, outbox, in one transaction that follows the call's own trace.

mod consent;
mod fast_track;
mod follow_up;
mod list;
mod location;
mod mait;
mod ticker;
mod watch;

use std::sync::Arc;

use api::intake::v1 as proto;
use chassis::{Clock, Entropy, Trace};
use chrono::{DateTime, TimeDelta, Utc};
use ids::{CallId, ComeNowWord, ForceId, IncidentRef, OfficerId, PhoneNumber, RequestId};
use outbox::{Scope, replay};
use prost::Message;
use sqlx::PgTransaction;
use tracing::{Instrument, info_span};

pub use follow_up::Asked;
pub use list::Place;
pub use watch::{CallLog, ForceLog, Log, Wakeups, Watch};

use crate::{
    domain::{Answers, Call, Effects, Fact, Heard, Line, Location, Occasion, Reach, Seal},
    error::Error,
    events, grpc,
    rulebook::Rulebook,
    store::{self, Locked, Store},
};

/// The use cases, and what they need.
#[derive(Debug, Clone)]
pub struct Intake {
    store: Store,
    clock: Clock,
    entropy: Entropy,
    wakeups: Wakeups,
    timing: Timing,
    rulebook: Arc<Rulebook>,
}

/// How long things take.
#[derive(Debug, Clone, Copy)]
pub struct Timing {
    /// A fast-track that nobody takes on is raised again after this.
    pub again_after: TimeDelta,
    /// Where a caller is, is forgotten after this.
    pub location_kept_for: TimeDelta,
}

/// A request that is answered once: a repeat of its id gets the first answer.
#[derive(Debug, Clone, Copy)]
pub struct Ask<'r, R> {
    /// The client's id of it.
    pub id: RequestId,
    /// What was asked: another request by the same id is refused.
    pub request: &'r R,
}

/// The call that a request is about.
#[derive(Debug, Clone)]
pub struct On {
    /// Of this force.
    pub force: ForceId,
    /// This one.
    pub call: CallId,
    /// Asked for by this officer, who must have the call; nobody in particular for a control room, or a fact.
    pub officer: Option<OfficerId>,
}

/// What a call is opened with.
#[derive(Debug)]
pub struct Opening {
    /// Whose.
    pub force: ForceId,
    /// How it came.
    pub line: Line,
    /// The force's own reference.
    pub incident: IncidentRef,
    /// The number rung from, unless withheld.
    pub number: Option<PhoneNumber>,
    /// Where the caller is, if the line says so.
    pub location: Option<Location>,
    /// It came by a MAIT message, and what happens can go back by them.
    pub by_mait: bool,
}

impl Intake {
    /// Over this store.
    #[must_use]
    pub fn new(
        store: Store,
        clock: Clock,
        entropy: Entropy,
        wakeups: Wakeups,
        timing: Timing,
        rulebook: Rulebook,
    ) -> Self {
        Self { store, clock, entropy, wakeups, timing, rulebook: Arc::new(rulebook) }
    }

    /// The present.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// Opens a call, or answers the one open for the same incident. Of two at once, one opens it and the other waits
    /// for that. A call that is over makes room for a new one.
    ///
    /// # Errors
    /// The request id was used for something else, or the database is away.
    pub async fn open_call(
        &self,
        ask: Ask<'_, impl Message>,
        opening: Opening,
    ) -> Result<proto::OpenCallResponse, Error> {
        let now = self.clock.now();
        let mut tx = self.store.begin("open_call", Scope::Force(&opening.force)).await?;
        if let Some(first) = replay::first_answer(&mut tx, ask.id, "OpenCall", ask.request).await? {
            return Ok(first);
        }
        let Locked { call, trace } = loop {
            match store::lock_current(&mut tx, &opening.force, &opening.incident).await? {
                Some(open) if !open.call.is_done() => break open,
                Some(over) => store::retire_call(&mut tx, over.call.id).await?,
                None => {}
            }
            // None: another was quicker by an instant, and its call is the one.
            if let Some(opened) = self.open_new(&mut tx, &opening, now).await? {
                break opened;
            }
        };
        let span = trace.follow(info_span!("open_call", call = %call.id));
        async {
            self.keep_location(&mut tx, &call, opening.location.as_ref(), now).await?;
            if opening.by_mait {
                store::mait::follow(&mut tx, &call, now).await?;
            }
            let answer = grpc::opened(&call);
            replay::remember(&mut tx, ask.id, &answer).await?;
            commit(tx).await?;
            Ok(answer)
        }
        .instrument(span)
        .await
    }

    async fn open_new(
        &self,
        tx: &mut PgTransaction<'_>,
        opening: &Opening,
        now: DateTime<Utc>,
    ) -> Result<Option<Locked>, Error> {
        let Opening { force, line, incident, number, .. } = opening;
        let (call, effects) = Call::open(self.entropy.id(now), force.clone(), *line, incident.clone(), now);
        let trace = Trace::current();
        if !store::insert_call(tx, &call, number.as_ref(), &trace).await? {
            return Ok(None);
        }
        self.carry_out(tx, &call, effects, &trace, now).await?;
        Ok(Some(Locked { call, trace }))
    }

    /// Records a triage; each one is a further version.
    ///
    /// # Errors
    /// Unknown, over, or with the desk and without a reason; the request id was used for something else; the database
    /// is away.
    pub async fn record_triage(
        &self,
        ask: Ask<'_, proto::RecordTriageRequest>,
        on: On,
        answers: &Answers,
        (occasion, location): (&Occasion, Option<&Location>),
    ) -> Result<proto::RecordTriageResponse, Error> {
        let now = self.clock.now();
        let mut tx = self.store.begin("record_triage", Scope::Force(&on.force)).await?;
        if let Some(first) = replay::first_answer(&mut tx, ask.id, "RecordTriage", ask.request).await? {
            return Ok(first);
        }
        let Locked { call, trace } = lock(&mut tx, &on).await?;
        let span = trace.follow(info_span!("record_triage", call = %call.id));
        async {
            let (call, assessment) = call.triage(answers, occasion, self.rulebook.of(&on.force))?;
            store::insert_triage(&mut tx, call.id, answers, occasion, &assessment, now).await?;
            self.keep_location(&mut tx, &call, location, now).await?;
            store::save_call(&mut tx, &call).await?;
            let answer = grpc::assessed(&assessment);
            replay::remember(&mut tx, ask.id, &answer).await?;
            commit(tx).await?;
            Ok(answer)
        }
        .instrument(span)
        .await
    }

    /// Asks for the desk.
    ///
    /// # Errors
    /// Unknown, refused by the call's state; the request id was used for something else; the database is away.
    pub async fn request_transfer(
        &self,
        ask: Ask<'_, proto::RequestTransferRequest>,
        on: On,
    ) -> Result<proto::RequestTransferResponse, Error> {
        let now = self.clock.now();
        let mut tx = self.store.begin("request_transfer", Scope::Force(&on.force)).await?;
        if let Some(first) = replay::first_answer(&mut tx, ask.id, "RequestTransfer", ask.request).await? {
            return Ok(first);
        }
        let Locked { call, trace } = lock(&mut tx, &on).await?;
        let span = trace.follow(info_span!("request_transfer", call = %call.id));
        async {
            let rules = self.rulebook.of(&on.force);
            let (call, effects) = call.request_transfer().map_err(|refusal| Error::not_to_desk(refusal, rules))?;
            self.carry_out(&mut tx, &call, effects, &trace, now).await?;
            let answer = proto::RequestTransferResponse { state: grpc::answered(&call) };
            replay::remember(&mut tx, ask.id, &answer).await?;
            commit(tx).await?;
            Ok(answer)
        }
        .instrument(span)
        .await
    }

    /// Takes the call back before an officer has it.
    ///
    /// # Errors
    /// Unknown, not asked for or over; the request id was used for something else; the database is away.
    pub async fn cancel_transfer(
        &self,
        ask: Ask<'_, proto::CancelTransferRequest>,
        on: On,
    ) -> Result<proto::CancelTransferResponse, Error> {
        let now = self.clock.now();
        let mut tx = self.store.begin("cancel_transfer", Scope::Force(&on.force)).await?;
        if let Some(first) = replay::first_answer(&mut tx, ask.id, "CancelTransfer", ask.request).await? {
            return Ok(first);
        }
        let Locked { call, trace } = lock(&mut tx, &on).await?;
        let span = trace.follow(info_span!("cancel_transfer", call = %call.id));
        async {
            let (call, effects) = call.cancel_transfer(now)?;
            self.carry_out(&mut tx, &call, effects, &trace, now).await?;
            let answer = proto::CancelTransferResponse { state: grpc::answered(&call) };
            replay::remember(&mut tx, ask.id, &answer).await?;
            commit(tx).await?;
            Ok(answer)
        }
        .instrument(span)
        .await
    }

    /// The call as it stands.
    ///
    /// # Errors
    /// Unknown, or the database is away.
    pub async fn get_call(&self, on: On) -> Result<Call, Error> {
        self.store.call(&on.force, on.call).await?.ok_or(Error::UnknownCall)
    }

    /// How the caller may be reached, by the newest triage.
    ///
    /// # Errors
    /// Unknown, or the database is away.
    pub async fn get_reach(&self, on: On) -> Result<Reach, Error> {
        self.store.reach(&on.force, on.call).await?.ok_or(Error::UnknownCall)
    }

    /// The word that means "come now", by the newest triage.
    ///
    /// # Errors
    /// Unknown, or the database is away.
    pub async fn get_come_now_word(&self, on: On) -> Result<Option<ComeNowWord>, Error> {
        self.store.come_now_word(&on.force, on.call).await?.ok_or(Error::UnknownCall)
    }

    /// Hears a fact from the desk or the session, in the transaction of its inbox row.
    ///
    /// # Errors
    /// Unknown, or the database is away. Never for a fact that comes late or twice.
    pub async fn hear(&self, tx: &mut PgTransaction<'_>, on: &On, fact: Fact) -> Result<Heard, Error> {
        let now = self.clock.now();
        let Locked { call, trace } = lock(tx, on).await?;
        let (call, heard, effects) = call.hear(fact, now);
        self.carry_out(tx, &call, effects, &trace, now).await?;
        Ok(heard)
    }

    /// Hears that the exhibit is sealed.
    ///
    /// # Errors
    /// As [`Intake::hear`].
    pub async fn hear_sealed(&self, tx: &mut PgTransaction<'_>, on: &On, seal: Seal) -> Result<Heard, Error> {
        let now = self.clock.now();
        let Locked { call, trace } = lock(tx, on).await?;
        let (call, heard, effects) = call.hear_sealed(seal, now);
        self.carry_out(tx, &call, effects, &trace, now).await?;
        Ok(heard)
    }

    /// Saves a decision: the call, what the control room is told, what is published.
    async fn carry_out(
        &self,
        tx: &mut PgTransaction<'_>,
        call: &Call,
        effects: Effects,
        trace: &Trace,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        store::save_call(tx, call).await?;
        store::insert_updates(tx, call.id, &effects.tell).await?;
        let for_force = effects.for_force(&call.state);
        let events = effects.publish.into_iter().map(|event| events::publish(call, event, trace, now));
        outbox::write_in_tx(tx, &self.entropy, now, events).await?;
        // Last: from here on the force's other calls wait for this commit.
        store::insert_force_updates(tx, &call.force, call.id, &for_force, now).await?;
        Ok(())
    }
}

async fn lock(tx: &mut PgTransaction<'_>, on: &On) -> Result<Locked, Error> {
    let locked = store::lock_call(tx, &on.force, on.call).await?.ok_or(Error::UnknownCall)?;
    if let Some(officer) = &on.officer {
        locked.call.has_with_it(officer)?;
    }
    Ok(locked)
}

async fn commit(tx: PgTransaction<'_>) -> Result<(), Error> {
    tx.commit().await.map_err(|error| store::StoreError::Database("commit", error).into())
}
