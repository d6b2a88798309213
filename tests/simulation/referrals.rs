//! referral: one referral a call, and what goes to its partner, by its own domain; the courier may die between sending and knowing it.

use std::collections::BTreeMap;

use chassis::Trace;
use chrono::{DateTime, TimeDelta, Utc};
use ids::{CallId, ReferralId};
use outbox::{Delivery, NewEvent};
use referral::{
    app::On,
    domain::{
        Draft, Referral, ReferralRefusal, Sending, Step, Withdrawn, Words,
        delivery::{Answer, Backoff, ParcelId, Progress, Standing, What},
    },
    events::{HEARD, referrals::publish},
};
use uuid::Uuid;

use crate::office::Party;

const BACKOFF: Backoff =
    Backoff { first: TimeDelta::seconds(30), longest: TimeDelta::hours(1), give_up_after: TimeDelta::hours(24) };

#[derive(Debug, Clone, Default)]
pub struct Referrals {
    pub cases: BTreeMap<CallId, Referral>,
    pub parcels: BTreeMap<u64, Parcel>,
}

/// What goes to a partner.
#[derive(Debug, Clone)]
pub struct Parcel {
    pub id: ParcelId,
    pub referral: ReferralId,
    pub what: What,
    pub progress: Progress,
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
        let draft = Draft { fields: vec![], missing: vec![], partner: None, version: 1, blocked: vec![] };
        let sending = Sending { seen: 1, by_hand: None, on_consent: true, by, at: now };
        self.change(call, now, |one| one.send(draft, sending))
    }

    pub fn withdraws(&mut self, call: CallId, now: DateTime<Utc>) -> Vec<NewEvent> {
        let withdrawn = Withdrawn { at: now, by: None, why: Words("changed their mind".to_owned()) };
        self.change(call, now, |one| one.withdraw(withdrawn))
    }

    /// As `App::told_step` and `delivery::dispatch`; a refusal changes nothing.
    fn change(
        &mut self,
        call: CallId,
        now: DateTime<Utc>,
        step: impl FnOnce(Referral) -> Result<(Referral, Option<Step>), ReferralRefusal>,
    ) -> Vec<NewEvent> {
        let Some(Ok((referral, Some(step)))) = self.cases.get(&call).cloned().map(step) else { return vec![] };
        let what = match step {
            Step::Sent => Some(What::Referral),
            Step::Withdrawn | Step::Disowned if referral.sent().is_some() => self.stops(referral.id, now),
            _ => None,
        };
        if let Some(what) = what {
            let number = self.parcels.len() as u64 + 1;
            let id = ParcelId::from(Uuid::from_u64_pair(5, number));
            let parcel = Parcel { id, referral: referral.id, what, progress: Progress::new(now, now) };
            self.parcels.insert(number, parcel);
        }
        let on = On { force: "wmp".parse().unwrap(), call };
        let event = publish(&on, &referral, step, &Trace::none(), now);
        self.cases.insert(call, referral);
        event.into_iter().collect()
    }

    /// What waits isn't sent any more; a partner who may know of it is told.
    fn stops(&mut self, referral: ReferralId, now: DateTime<Utc>) -> Option<What> {
        let sent = self.parcels.values_mut().find(|one| one.referral == referral && one.what == What::Referral)?;
        let may_have_arrived = sent.progress.may_have_arrived();
        sent.progress = sent.progress.clone().stopped(now);
        may_have_arrived.then_some(What::Withdrawal)
    }

    /// Something is on its way to a partner.
    pub fn waits(&self) -> bool {
        self.parcels.values().any(|parcel| matches!(parcel.progress.standing, Standing::Waiting(_)))
    }

    /// Parcels whose turn it is.
    pub fn due(&self, now: DateTime<Utc>) -> Vec<u64> {
        let is_due = |parcel: &Parcel| matches!(parcel.progress.standing, Standing::Waiting(at) if at <= now);
        self.parcels.iter().filter(|(_, parcel)| is_due(parcel)).map(|(number, _)| *number).collect()
    }

    /// An attempt begins: committed before anything is sent.
    pub fn begins(&mut self, number: u64, now: DateTime<Utc>) -> Option<Parcel> {
        let parcel = self.parcels.get_mut(&number)?;
        parcel.progress = parcel.progress.clone().begun(now);
        Some(parcel.clone())
    }

    /// It has ended.
    pub fn ended(&mut self, number: u64, answer: Answer, now: DateTime<Utc>) {
        if let Some(parcel) = self.parcels.get_mut(&number) {
            parcel.progress = parcel.progress.clone().ended(answer, now, &BACKOFF).0;
        }
    }
}
