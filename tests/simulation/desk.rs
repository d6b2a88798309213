//! call-transfer: one force's desk, by its own domain, in the order of its own use cases (`app.rs`): decide, perform, match again.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use call_transfer::{
    domain::{ByRisk, Call, Officer, Present, Published, Refused, Round, Rules, State, Step, Wish, round},
    events::{FROM_INTAKE, FROM_SESSION, consents, facts, publish},
};
use chassis::Trace;
use chrono::{DateTime, Utc};
use ids::{CallId, OfficerId};
use outbox::{Delivery, NewEvent, Poison};

use crate::office::Party;

/// As configured, with calls that are given back sooner: a story lasts for minutes.
const RULES: Rules = Rules {
    offer_timeout: Duration::from_secs(20),
    presence_timeout: Duration::from_secs(15),
    decline_pause: Duration::from_secs(10),
    high_risk_head_start: Duration::from_secs(1_800),
    medium_risk_head_start: Duration::from_secs(600),
    great_vulnerability_head_start: Duration::from_secs(900),
    some_vulnerability_head_start: Duration::from_secs(300),
    skill_patience: all(30),
    long_wait: all(120),
    wait_limit: all(240),
    usual_call: Duration::from_secs(1_800),
};

const fn all(seconds: u64) -> ByRisk<Duration> {
    let after = Duration::from_secs(seconds);
    ByRisk { standard: after, medium: after, high: after }
}

#[derive(Debug, Clone, Default)]
pub struct Desk {
    pub calls: BTreeMap<CallId, Call>,
    pub officers: BTreeMap<OfficerId, Officer>,
    /// Who was published to have accepted each.
    pub accepted: BTreeMap<CallId, Vec<OfficerId>>,
    /// How often a call was made another officer's.
    pub reassigned: usize,
    /// What the control room was heard to take back, or its caller video, while it waited.
    pub taken_back: BTreeSet<CallId>,
    /// When each officer was last heard from.
    heard: BTreeMap<OfficerId, DateTime<Utc>>,
    /// Calls that were offered to somebody of whom nothing had been heard for too long.
    pub to_nobody: Vec<(CallId, OfficerId)>,
}

impl Party for Desk {
    const NAME: &'static str = "transfer";

    fn hears(source: &str, name: &str) -> bool {
        source == "intake" && FROM_INTAKE.contains(&name) || source == "session" && FROM_SESSION.contains(&name)
    }

    fn hear(&mut self, delivery: &Delivery, now: DateTime<Utc>) -> Result<Vec<NewEvent>, String> {
        let broken = |poison: Poison| poison.to_string();
        let known = self.calls.get(&delivery.call).cloned();
        let waits = known.as_ref().is_some_and(Call::waits);
        let step = match (delivery.name.as_str(), known) {
            ("transfer_requested", None) => {
                let facts = facts(delivery.decode().map_err(broken)?).map_err(|why| why.to_string())?;
                Some(Call::queue(delivery.call, delivery.force.clone(), facts, now, &RULES))
            }
            ("transfer_cancelled", Some(call)) => {
                self.taken_back.extend(waits.then_some(call.id));
                call.cancel()
            }
            ("consent_recorded", Some(call)) => {
                let said = consents(&delivery.decode().map_err(broken)?);
                self.taken_back.extend((waits && said.video == Some(false)).then_some(call.id));
                let step = call.consented(said);
                if let Some(Step { call, published: None, .. }) = step {
                    // No officer sees it, and nobody is matched otherwise.
                    self.calls.insert(call.id, call);
                    return Ok(vec![]);
                }
                step
            }
            ("session_ended", Some(call)) => {
                let step = call.end();
                if let Some(Step { call: Call { state: State::Ended { officer }, .. }, .. }) = &step {
                    self.goes_to_the_back(&officer.clone(), now);
                }
                step
            }
            // A sergeant's alerts are no part of the choreography.
            _ => None,
        };
        let Some(step) = step else { return Ok(vec![]) };
        let mut events = self.perform(step, now);
        events.extend(self.match_again(now));
        Ok(events)
    }
}

impl Desk {
    fn perform(&mut self, Step { call, published, .. }: Step, now: DateTime<Utc>) -> Vec<NewEvent> {
        if let Some(Published::Accepted(officer)) = &published {
            self.accepted.entry(call.id).or_default().push(officer.clone());
        }
        if let Some(Published::Offered(offer)) = &published {
            let heard = self.heard.get(&offer.officer);
            if heard.is_none_or(|heard| now > *heard + RULES.presence_timeout) {
                self.to_nobody.push((call.id, offer.officer.clone()));
            }
        }
        self.reassigned += usize::from(matches!(published, Some(Published::Reassigned { .. })));
        let event = published.map(|published| publish(&call, &published, (None, None), Trace::none(), now));
        self.calls.insert(call.id, call);
        event.into_iter().collect()
    }

    fn goes_to_the_back(&mut self, officer: &OfficerId, now: DateTime<Utc>) {
        if let Some(one) = self.officers.remove(officer) {
            self.officers.insert(officer.clone(), one.to_the_back(now));
        }
    }

    /// As `App::match_desk`.
    fn match_again(&mut self, now: DateTime<Utc>) -> Vec<NewEvent> {
        let waiting: Vec<Call> = self.calls.values().filter(|call| call.waits()).cloned().collect();
        let (busy, idle): (Vec<Officer>, Vec<Officer>) =
            self.officers.values().cloned().partition(|officer| self.call_of(&officer.id).is_some());
        let present = Present { idle: &idle, busy: &busy };
        let Round { offered, returned, .. } = round(&waiting, &present, true, &RULES, now);
        offered.into_iter().chain(returned).flat_map(|step| self.perform(step, now)).collect()
    }

    /// Which call an officer has, or has on offer.
    pub fn call_of(&self, officer: &OfficerId) -> Option<&Call> {
        self.calls.values().find(|call| match &call.state {
            State::Offered(offer) => offer.officer == *officer,
            State::Accepted { officer: has, .. } => has == officer,
            _ => false,
        })
    }

    /// An officer says that they are free, or away.
    pub fn wish(&mut self, id: &OfficerId, wish: Wish, now: DateTime<Utc>) -> Vec<NewEvent> {
        let force = "wmp".parse().unwrap();
        self.is_heard(id, now);
        let known = self.officers.remove(id);
        let officer =
            known.unwrap_or_else(|| Officer::arrive(id.clone(), force, now, &RULES)).wishes(wish, now, &RULES);
        self.officers.insert(id.clone(), officer);
        let mut events = Vec::new();
        if wish == Wish::Away
            && let Some(step) = self.call_of(id).cloned().and_then(|call| call.officer_gone(id, now))
        {
            events.extend(self.perform(step, now));
        }
        events.extend(self.match_again(now));
        events
    }

    /// A sign of life.
    pub fn heartbeat(&mut self, id: &OfficerId, now: DateTime<Utc>) -> Vec<NewEvent> {
        if let Some(officer) = self.officers.remove(id) {
            self.officers.insert(id.clone(), officer.heard(now, &RULES));
            self.is_heard(id, now);
        }
        self.match_again(now)
    }

    fn is_heard(&mut self, id: &OfficerId, now: DateTime<Utc>) {
        // A clock that went back makes nobody silent.
        let heard = self.heard.entry(id.clone()).or_insert(now);
        *heard = now.max(*heard);
    }

    /// An officer answers an offer; a refusal changes nothing.
    pub fn answer(
        &mut self,
        id: CallId,
        answer: impl FnOnce(Call, &Rules) -> Result<Step, Refused>,
        now: DateTime<Utc>,
    ) -> Vec<NewEvent> {
        let Some(Ok(step)) = self.calls.get(&id).cloned().map(|call| answer(call, &RULES)) else { return vec![] };
        if let State::Returned { officer: Some(officer), .. } = &step.call.state {
            self.goes_to_the_back(&officer.clone(), now);
        }
        let mut events = self.perform(step, now);
        events.extend(self.match_again(now));
        events
    }

    /// As `App::reassign_call`: a sergeant names the officer who is to have a call.
    pub fn reassign(&mut self, id: CallId, to: &OfficerId, now: DateTime<Utc>) -> Vec<NewEvent> {
        let Some(call) = self.calls.get(&id).cloned() else { return vec![] };
        let is_idle = self.call_of(to).is_none();
        let is_free = is_idle && self.officers.get(to).is_some_and(|officer| officer.is_free(now));
        let from = call.officer().cloned();
        let Ok(step) = call.reassign(to, is_free, now, &RULES) else { return vec![] };
        if let (State::Accepted { .. }, Some(from)) = (&step.call.state, from)
            && let Some(officer) = self.officers.remove(&from)
        {
            self.officers.insert(from, officer.stands_down());
        }
        let mut events = self.perform(step, now);
        events.extend(self.match_again(now));
        events
    }

    /// As the ticker.
    pub fn tick(&mut self, now: DateTime<Utc>) -> Vec<NewEvent> {
        let mut events = Vec::new();
        let lapsed: Vec<Officer> = self.officers.values().cloned().filter_map(|officer| officer.lapse(now)).collect();
        for officer in lapsed {
            let gone = self.call_of(&officer.id).cloned().and_then(|call| call.officer_gone(&officer.id, now));
            self.officers.insert(officer.id.clone(), officer);
            events.extend(gone.into_iter().flat_map(|step| self.perform(step, now)));
        }
        let expired: Vec<Step> = self.calls.values().cloned().filter_map(|call| call.expire(now)).collect();
        for step in expired {
            if let Some(pass) = step.call.passes.last() {
                self.goes_to_the_back(&pass.officer.clone(), now);
            }
            events.extend(self.perform(step, now));
        }
        events.extend(self.match_again(now));
        events
    }
}
