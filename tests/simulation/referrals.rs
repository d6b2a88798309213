//! referral: one referral a call, and what goes to its partner, by its own domain; the courier may die between sending and knowing it.

use std::collections::BTreeMap;

use chassis::Trace;
use chrono::{DateTime, TimeDelta, Utc};
use ids::{CallId, ForceId, ReferralId};
use outbox::{Delivery, NewEvent};
use referral::{
    app::On,
    domain::{
        Draft, Recipient, Referral, ReferralRefusal, Sending, Step, Withdrawn, Words,
        delivery::{self, Answer, Answered, Attempt, Backoff, ParcelId, Progress, Standing, What},
    },
    events::{HEARD, referrals::publish},
};
use uuid::Uuid;

use crate::office::Party;

const BACKOFF: Backoff =
    Backoff { first: TimeDelta::seconds(30), longest: TimeDelta::hours(1), give_up_after: TimeDelta::hours(24) };
/// A parcel is in one worker's hands for so long; no attempt lasts longer.
pub const LEASE: TimeDelta = TimeDelta::seconds(60);

#[derive(Debug, Clone, Default)]
pub struct Referrals {
    pub cases: BTreeMap<CallId, Referral>,
    pub parcels: BTreeMap<u64, Parcel>,
    /// So many were taken back while a courier had them in hand.
    pub taken_back_under_way: usize,
}

/// What goes to a partner.
#[derive(Debug, Clone)]
pub struct Parcel {
    pub id: ParcelId,
    pub what: delivery::Parcel,
    pub progress: Progress,
    /// In somebody's hands until then.
    claimed_until: Option<DateTime<Utc>>,
}

impl Party for Referrals {
    const NAME: &'static str = "referral";

    fn hears(source: &str, name: &str) -> bool {
        // Of all that it hears, what a case begins with: the rest fills in forms.
        HEARD.iter().any(|(_, of, names)| *of == source && names.contains(&name)) && name == "call_accepted"
    }

    fn hear(&mut self, delivery: &Delivery, now: DateTime<Utc>) -> Result<Vec<NewEvent>, String> {
        let id = ReferralId::from(Uuid::from_u64_pair(4, self.cases.len() as u64 + 1));
        let by = Some("o.one".parse().map_err(|why: ids::Malformed| why.to_string())?);
        self.cases.entry(delivery.call).or_insert_with(|| Referral::draft(id, ("idva", None), (by, ""), now));
        Ok(vec![])
    }
}

impl Referrals {
    pub fn sends(&mut self, call: CallId, now: DateTime<Utc>) -> Vec<NewEvent> {
        let by = "o.one".parse().unwrap();
        let [id, name, phone] = ["refuge", "The refuge", "0808"].map(str::to_owned);
        let partner = Some(Recipient { id, name, phone });
        let draft = Draft { fields: vec![], missing: vec![], partner, version: 1, blocked: vec![] };
        let sending = Sending { seen: 1, by_hand: None, on_consent: true, by, at: now };
        self.change(call, now, |one| one.send(draft, sending))
    }

    pub fn withdraws(&mut self, call: CallId, now: DateTime<Utc>) -> Vec<NewEvent> {
        let withdrawn = Withdrawn { at: now, by: None, why: Words("changed their mind".to_owned()) };
        self.change(call, now, |one| one.withdraw(withdrawn))
    }

    /// As `App::step` and `App::carry_out`; a refusal changes nothing.
    fn change(
        &mut self,
        call: CallId,
        now: DateTime<Utc>,
        step: impl FnOnce(Referral) -> Result<(Referral, Option<Step>), ReferralRefusal>,
    ) -> Vec<NewEvent> {
        let Some(Ok((referral, Some(step)))) = self.cases.get(&call).cloned().map(step) else { return vec![] };
        let force: ForceId = "wmp".parse().unwrap();
        if let Some(parcel) = delivery::Parcel::because_of(step, &referral, (&force, call)) {
            self.dispatch(parcel, now);
        }
        let event = publish(&On { force, call }, &referral, step, &Trace::none(), now);
        self.cases.insert(call, referral);
        event.into_iter().collect()
    }

    /// As `delivery::dispatch`.
    fn dispatch(&mut self, what: delivery::Parcel, now: DateTime<Utc>) {
        let mut progress = Progress::new(now, now);
        if what.what == What::Withdrawal {
            let of = |one: &&mut Parcel| one.what.referral == what.referral && one.what.what == What::Referral;
            let Some(sent) = self.parcels.values_mut().find(of) else { return };
            let (stopped, withdrawal) = sent.progress.clone().taken_back(sent.claimed_until, now);
            sent.progress = stopped;
            self.taken_back_under_way += usize::from(sent.claimed_until.is_some_and(|until| until > now));
            let Some(withdrawal) = withdrawal else { return };
            progress = withdrawal;
        }
        let number = self.parcels.len() as u64 + 1;
        let id = ParcelId::from(Uuid::from_u64_pair(5, number));
        self.parcels.insert(number, Parcel { id, what, progress, claimed_until: None });
    }

    /// Something is on its way to a partner.
    pub fn waits(&self) -> bool {
        self.parcels.values().any(|parcel| matches!(parcel.progress.standing, Standing::Waiting(_)))
    }

    /// Parcels whose turn it is, and that nobody has in hand.
    pub fn due(&self, now: DateTime<Utc>) -> Vec<u64> {
        let is_due = |parcel: &Parcel| {
            let is_free = parcel.claimed_until.is_none_or(|until| until <= now);
            is_free && matches!(parcel.progress.standing, Standing::Waiting(at) if at <= now)
        };
        self.parcels.iter().filter(|(_, parcel)| is_due(parcel)).map(|(number, _)| *number).collect()
    }

    /// An attempt begins: committed before anything is sent. Of which parcel, about which call, and which it is.
    pub fn begins(&mut self, number: u64, now: DateTime<Utc>) -> Option<(ParcelId, CallId, u32)> {
        let parcel = self.parcels.get_mut(&number)?;
        parcel.progress = parcel.progress.clone().begun(now);
        parcel.claimed_until = Some(now + LEASE);
        Some((parcel.id, parcel.what.call, parcel.progress.attempts))
    }

    /// As `App::settle`: it has ended.
    pub fn ended(&mut self, number: u64, nth: u32, answer: Answer, now: DateTime<Utc>) {
        let Some(parcel) = self.parcels.get_mut(&number) else { return };
        let attempt = Attempt { number: nth, is_claimed: parcel.progress.attempts == nth };
        let Answered { progress, frees_withdrawal, .. } =
            parcel.progress.clone().answered(attempt, answer, now, &BACKOFF);
        if let Some(progress) = progress {
            (parcel.progress, parcel.claimed_until) = (progress, None);
        }
        let referral = parcel.what.referral;
        let waits_for_it = |one: &&mut Parcel| {
            let waits = matches!(one.progress.standing, Standing::Waiting(at) if at > now);
            one.what.referral == referral && one.what.what == What::Withdrawal && one.progress.attempts == 0 && waits
        };
        if frees_withdrawal && let Some(withdrawal) = self.parcels.values_mut().find(waits_for_it) {
            withdrawal.progress.standing = Standing::Waiting(now);
        }
    }
}
