//! Referrals: drafted by an officer or a rule, sent, acknowledged, taken back.

mod known;
mod linked;

use api::referral::v1 as proto;
use chassis::Trace;
use chrono::{DateTime, Utc};
use ids::{ForceId, OfficerId, PersonId, ReferralId};
use outbox::Tx;

use super::{
    App, Ask, On,
    change::{Begun, Change},
    clocks, delivery, disclosure,
    people::people_of,
};
pub(crate) use known::CaseKnown;
pub use known::ReferralView;
pub use linked::{Linked, Standing};

use crate::{
    domain::{
        About, ConsentsEach, Kind, Kinds, Part, PeopleRefusal, Referral, ReferralRefusal, Sending, Stage, Step,
        Withdrawn, Words,
        clock::{self, Milestone},
        delivery::Parcel,
        draft::is_agreed,
    },
    error::Error,
    events, grpc, store,
};

/// The clock of whatever is sent: the partner says that they have it.
const ACKNOWLEDGEMENT: &str = "acknowledgement";

/// What an officer wants drafted.
#[derive(Debug)]
pub struct Making {
    /// The kind's key.
    pub kind: String,
    /// The child, for such a kind.
    pub person: Option<PersonId>,
    /// None: the one of the area.
    pub partner: Option<String>,
    /// For the partner.
    pub note: Words,
    /// What the note was written on, if it is said.
    pub seen: Option<u64>,
}

impl App {
    /// The kinds that the force makes.
    #[must_use]
    pub fn kinds(&self, force: &ForceId) -> &Kinds {
        self.books.kinds.of(force)
    }

    /// The clock that begins when one of that kind is drafted.
    #[must_use]
    pub fn clock_of(&self, kind: &Kind) -> Option<&clock::Kind> {
        self.books.clocks.get(kind.clock.as_deref()?)
    }

    /// Drafts a referral, or changes the partner and note of the draft that there is.
    ///
    /// # Errors
    /// No such call, kind, person or partner; another note or no draft any more; the request id was used for something else; the database is away.
    pub async fn make_referral(
        &self,
        ask: Ask<'_, proto::MakeReferralRequest>,
        on: On,
        officer: OfficerId,
        making: Making,
    ) -> Result<proto::MakeReferralResponse, Error> {
        let mut change = match self.change("MakeReferral", ask, on).await? {
            Begun::Answered(first) => return Ok(first),
            Begun::Change(change) => change,
        };
        let kind = self.books.kinds.of(&change.on.force).get(&making.kind).ok_or(Error::UnknownKind)?;
        let known = self.known(&mut change.tx, &change.on, change.package.facts.clone()).await?;
        let person = match (kind.about, making.person) {
            (About::Victim, _) => None,
            (About::Child, None) => {
                let message = "it is about one child, and has to say which";
                return Err(Error::Invalid { reason: "PERSON_REQUIRED", message });
            }
            (About::Child, Some(id)) => {
                let is_child = known.people.iter().any(|one| one.id == id && one.details.part == Part::Child);
                Some(is_child.then_some(id).ok_or(PeopleRefusal::Unknown)?)
            }
        };
        if let Some(partner) = &making.partner {
            self.towards(&change.on.force, kind, Some(partner), "").ok_or(Error::UnknownPartner)?;
        }
        let there = store::referrals(&mut change.tx, &change.on).await?;
        let same = |one: &Referral| one.is_draft() && one.kind == kind.key && one.person == person;
        let there = there.into_iter().find(same);
        let was_there = there.is_some();
        let draft = match there {
            Some(draft) => draft,
            // There was one, with a note that was seen: it was sent, or taken back.
            None if making.seen.is_some() => return Err(ReferralRefusal::NotADraft.into()),
            None => {
                let id = self.entropy.id(change.now);
                let towards = (person, making.partner.as_deref());
                let terms = self.school_terms(&change.on.force, &known.people, kind, towards);
                self.begin_clock(&mut change.tx, &change.on, kind.clock.as_deref(), (id, terms)).await?;
                Referral::draft(id, (&kind.key, person), (Some(officer.clone()), ""), change.now)
            }
        };
        // Asked for without a word, a draft that is there stays as somebody wrote it.
        let draft = match (making.partner, making.note) {
            (None, note) if note == Words::default() && making.seen.is_none() && was_there => draft,
            (partner, note) => draft.rewrite(partner, (note, making.seen))?,
        };
        store::save_referral(&mut change.tx, &change.on, &draft, (Some(&officer), change.now)).await?;
        let referral = Some(grpc::referral(&self.referral_view(&change.on.force, &known, draft, None)));
        change.done(proto::MakeReferralResponse { referral }).await
    }

    /// Sends a draft as the officer saw it.
    ///
    /// # Errors
    /// Unknown, changed meanwhile, or kept by something; the request id was used for something else; the database is away.
    pub async fn send_referral(
        &self,
        ask: Ask<'_, proto::SendReferralRequest>,
        on: On,
        officer: OfficerId,
        id: ReferralId,
        (seen, by_hand): (u64, Option<Words>),
    ) -> Result<proto::SendReferralResponse, Error> {
        let mut change = match self.change("SendReferral", ask, on).await? {
            Begun::Answered(first) => return Ok(first),
            Begun::Change(change) => change,
        };
        let known = self.known(&mut change.tx, &change.on, change.package.facts.clone()).await?;
        let (force, at) = (change.on.force.clone(), change.now);
        let send = |referral: Referral| {
            let kind = self.books.kinds.of(&force).get(&referral.kind).ok_or(Error::UnknownKind)?;
            let draft = self.draft_of(&force, &known, kind, &referral);
            Ok(referral.send(draft, Sending { seen, by_hand, on_consent: kind.consent, by: officer.clone(), at })?)
        };
        let referral = self.told_step(&mut change, id, &officer, send).await?;
        change.done(proto::SendReferralResponse { referral }).await
    }

    /// Takes a referral back.
    ///
    /// # Errors
    /// Unknown, or not open; the request id was used for something else; the database is away.
    pub async fn withdraw_referral(
        &self,
        ask: Ask<'_, proto::WithdrawReferralRequest>,
        on: On,
        officer: OfficerId,
        id: ReferralId,
        why: Words,
    ) -> Result<proto::WithdrawReferralResponse, Error> {
        let mut change = match self.change("WithdrawReferral", ask, on).await? {
            Begun::Answered(first) => return Ok(first),
            Begun::Change(change) => change,
        };
        let withdrawn = Withdrawn { at: change.now, by: Some(officer.clone()), why };
        let referral = self.told_step(&mut change, id, &officer, |one| Ok(one.withdraw(withdrawn)?)).await?;
        change.done(proto::WithdrawReferralResponse { referral }).await
    }

    /// The partner has it, an officer says.
    ///
    /// # Errors
    /// Unknown, or not sent; the request id was used for something else; the database is away.
    pub async fn acknowledge_referral(
        &self,
        ask: Ask<'_, proto::AcknowledgeReferralRequest>,
        on: On,
        officer: &OfficerId,
        id: ReferralId,
        by: Words,
    ) -> Result<proto::AcknowledgeReferralResponse, Error> {
        let mut change = match self.change("AcknowledgeReferral", ask, on).await? {
            Begun::Answered(first) => return Ok(first),
            Begun::Change(change) => change,
        };
        let now = change.now;
        let referral = self.told_step(&mut change, id, officer, |one| Ok(one.acknowledge(by, now)?)).await?;
        change.done(proto::AcknowledgeReferralResponse { referral }).await
    }

    /// Something came of it, an officer says.
    ///
    /// # Errors
    /// Unknown, or not sent; the request id was used for something else; the database is away.
    pub async fn record_outcome(
        &self,
        ask: Ask<'_, proto::RecordOutcomeRequest>,
        on: On,
        officer: &OfficerId,
        id: ReferralId,
        what: Words,
    ) -> Result<proto::RecordOutcomeResponse, Error> {
        let mut change = match self.change("RecordOutcome", ask, on).await? {
            Begun::Answered(first) => return Ok(first),
            Begun::Change(change) => change,
        };
        let now = change.now;
        let record = |one: Referral| {
            // An application's outcome is what is decided on it, and that has its own way (RecordDisclosureStage).
            if disclosure::is_application(&one.kind) {
                Err(Error::DecidedByStages)
            } else {
                Ok(one.record_outcome(what, now)?)
            }
        };
        let referral = self.told_step(&mut change, id, officer, record).await?;
        change.done(proto::RecordOutcomeResponse { referral }).await
    }

    /// Drafts a referral that nobody's hand made, unless there is one that wasn't taken back, or the force makes none such.
    /// The case is locked; whoever calls touches it.
    ///
    /// # Errors
    /// The database is away.
    pub(crate) async fn draft_by_rule(
        &self,
        tx: &mut Tx,
        on: &On,
        (kind, person): (&str, Option<PersonId>),
        because: &str,
    ) -> Result<(), Error> {
        let Some(kind) = self.books.kinds.of(&on.force).get(kind) else { return Ok(()) };
        let is_there = |one: &Referral| {
            let taken_back = matches!(one.stage, Stage::Withdrawn(..));
            one.kind == kind.key && one.person == person && !taken_back
        };
        if store::referrals(tx, on).await?.iter().any(is_there) {
            return Ok(());
        }
        let now = self.clock.now();
        let draft = Referral::draft(self.entropy.id(now), (&kind.key, person), (None, because), now);
        let people = people_of(tx, on).await?;
        let terms = self.school_terms(&on.force, &people, kind, (person, None));
        self.begin_clock(tx, on, kind.clock.as_deref(), (draft.id, terms)).await?;
        Ok(store::save_referral(tx, on, &draft, (None, now)).await?)
    }

    /// What was agreed to has changed: who has a referral on a consent that isn't there any more is told to stop.
    pub(super) async fn heed_consents(
        &self,
        tx: &mut Tx,
        on: &On,
        consents: &ConsentsEach,
        trace: &Trace,
    ) -> Result<(), Error> {
        let now = self.clock.now();
        for referral in store::referrals(tx, on).await? {
            // By what it was sent on, whatever the book says of the kind by now; a draft is held up as it is looked at.
            if referral.sent().is_some_and(|sent| sent.on_consent) && !is_agreed(&referral.kind, consents) {
                let before = referral.clone();
                let (referral, step) = referral.consent_withdrawn(now);
                if referral != before {
                    store::save_referral(tx, on, &referral, (None, now)).await?;
                }
                self.carry_out(tx, on, &referral, step, (trace, now)).await?;
            }
        }
        Ok(())
    }

    /// The drafts about somebody who is no part of the case go with them.
    pub(super) async fn drop_drafts_about(
        &self,
        change: &mut Change,
        person: PersonId,
        officer: &OfficerId,
    ) -> Result<(), Error> {
        for referral in store::referrals(&mut change.tx, &change.on).await? {
            if referral.person == Some(person) && referral.is_draft() {
                let why = Words("they are not part of the case".to_owned());
                let withdrawn = Withdrawn { at: change.now, by: Some(officer.clone()), why };
                self.step(change, referral.id, Some(officer), |one| Ok(one.withdraw(withdrawn)?)).await?;
            }
        }
        Ok(())
    }

    /// One step of one referral, and how it is told.
    async fn told_step(
        &self,
        change: &mut Change,
        id: ReferralId,
        by: &OfficerId,
        step: impl FnOnce(Referral) -> Result<(Referral, Option<Step>), Error>,
    ) -> Result<Option<proto::Referral>, Error> {
        let referral = self.step(change, id, Some(by), step).await?;
        let known = self.known(&mut change.tx, &change.on, change.package.facts.clone()).await?;
        let delivery = delivery::deliveries_of(&mut change.tx, &change.on).await?.remove(&referral.id);
        Ok(Some(grpc::referral(&self.referral_view(&change.on.force, &known, referral, delivery))))
    }

    /// One step of one referral; by nobody is by its partner.
    pub(super) async fn step(
        &self,
        change: &mut Change,
        id: ReferralId,
        by: Option<&OfficerId>,
        step: impl FnOnce(Referral) -> Result<(Referral, Option<Step>), Error>,
    ) -> Result<Referral, Error> {
        let all = store::referrals(&mut change.tx, &change.on).await?;
        let referral = all.into_iter().find(|one| one.id == id).ok_or(Error::UnknownReferral)?;
        let (referral, step) = step(referral)?;
        if step.is_some() {
            store::save_referral(&mut change.tx, &change.on, &referral, (by, change.now)).await?;
        }
        let at = (&change.trace, change.now);
        self.carry_out(&mut change.tx, &change.on, &referral, step, at).await?;
        Ok(referral)
    }

    async fn begin_clock(
        &self,
        tx: &mut Tx,
        on: &On,
        key: Option<&str>,
        (referral, area): (ReferralId, Option<&str>),
    ) -> Result<(), Error> {
        let Some(key) = key else { return Ok(()) };
        let start = clocks::Start { referral: Some(referral), area, from: self.clock.now() };
        self.start_clock(tx, on, key, start).await
    }

    /// Tells of a step, and stops the clocks that it ends.
    async fn carry_out(
        &self,
        tx: &mut Tx,
        on: &On,
        referral: &Referral,
        step: Option<Step>,
        (trace, now): (&Trace, DateTime<Utc>),
    ) -> Result<(), Error> {
        let milestone = match step {
            Some(Step::Sent) => Some(Milestone::Sent),
            Some(Step::Acknowledged) => Some(Milestone::Acknowledged),
            Some(Step::Outcome | Step::Withdrawn) => Some(Milestone::Outcome),
            Some(Step::Disowned) | None => None,
        };
        if let Some(milestone) = milestone {
            clocks::stop(tx, on, clocks::Done::Referral(referral.id, milestone), now).await?;
        }
        // Who was told by hand has it.
        if step == Some(Step::Sent) && referral.sent().is_some_and(|sent| sent.by_hand.is_none()) {
            let key = self.books.clocks.get(ACKNOWLEDGEMENT).map(|_| ACKNOWLEDGEMENT);
            self.begin_clock(tx, on, key, (referral.id, None)).await?;
        }
        if let Some(parcel) = step.and_then(|step| Parcel::because_of(step, referral, (&on.force, on.call))) {
            delivery::dispatch(tx, &self.entropy, parcel, now).await?;
        }
        if step.is_some() {
            // What did not get there may be seen to by this.
            store::tell_due(tx, &on.force).await?;
        }
        let event = step.and_then(|step| events::referrals::publish(on, referral, step, trace, now));
        Ok(outbox::write_in_tx(tx, &self.entropy, now, event).await?)
    }
}
