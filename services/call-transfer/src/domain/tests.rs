#![allow(clippy::unwrap_used, clippy::expect_used)]
//! Random commands, duplicates and late ones, against what must hold of a desk after each.

use std::{collections::BTreeMap, time::Duration};

use chrono::{DateTime, Utc};
use ids::{CallId, ForceId, IncidentRef, OfficerId};
use proptest::prelude::*;

use super::*;

pub(super) const RULES: Rules = Rules {
    offer_timeout: Duration::from_secs(20),
    presence_timeout: Duration::from_secs(15),
    decline_pause: Duration::from_secs(10),
    high_risk_head_start: Duration::from_secs(1800),
    medium_risk_head_start: Duration::from_secs(600),
    great_vulnerability_head_start: Duration::from_secs(900),
    some_vulnerability_head_start: Duration::from_secs(300),
    skill_patience: seconds(120, 60, 30),
    long_wait: seconds(600, 300, 120),
    wait_limit: seconds(1800, 1200, 600),
    usual_call: Duration::from_secs(1800),
};

const fn seconds(standard: u64, medium: u64, high: u64) -> ByRisk<Duration> {
    ByRisk {
        standard: Duration::from_secs(standard),
        medium: Duration::from_secs(medium),
        high: Duration::from_secs(high),
    }
}

pub(super) fn force() -> ForceId {
    "wmp".parse().unwrap()
}

pub(super) fn officer(n: u8) -> OfficerId {
    format!("officer-{n}").parse().unwrap()
}

pub(super) fn call_id(n: u128) -> CallId {
    uuid::Uuid::from_u128(n).into()
}

pub(super) fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000 + seconds, 0).unwrap()
}

pub(super) fn facts(risk: Risk) -> Facts {
    Facts {
        incident: IncidentRef::parse("2026-11-24", "1123").unwrap(),
        risk,
        language: String::new(),
        children_present: false,
        route: Route::SpokenCode,
        recording_consented: true,
        stills_consented: false,
        covered_recording_consented: false,
        vulnerability: Vulnerability::None,
        child_may_speak: false,
        officer_asked_for: None,
        silent: None,
        follow_up: None,
    }
}

pub(super) fn queued(n: u128, risk: Risk, since: i64) -> Call {
    Call::queue(call_id(n), force(), facts(risk), at(since), &RULES).call
}

/// The pairs of a desk at which nobody is busy.
fn pairs(calls: &[Call], idle: &[Officer], now: DateTime<Utc>) -> Vec<Pair> {
    pair(calls, &Present { idle, busy: &[] }, &RULES, now).pairs
}

pub(super) fn free(n: u8, since: i64) -> Officer {
    let mut officer = Officer::arrive(officer(n), force(), at(since), &RULES).wishes(Wish::Free, at(since), &RULES);
    officer.expires_at = at(1_000_000);
    officer
}

#[derive(Debug, Clone)]
enum Command {
    Queue(u8, Risk),
    Cancel(u8),
    Consent(u8, Consents),
    End(u8),
    Return(u8),
    Reassign(u8, u8),
    Accept(u8, u8),
    Decline(u8, u8),
    Presence(u8, Wish),
    Heartbeat(u8),
    Wait(u8),
}

fn consents() -> impl Strategy<Value = Consents> {
    let video = prop_oneof![4 => Just(None), 1 => any::<bool>().prop_map(Some)];
    (video, any::<[Option<bool>; 3]>()).prop_map(|(video, [recording, stills, covered])| Consents {
        video,
        recording,
        stills,
        covered,
    })
}

fn commands() -> impl Strategy<Value = Vec<Command>> {
    let (call, officer) = (0..4u8, 0..3u8);
    let risk = prop_oneof![Just(Risk::Standard), Just(Risk::Medium), Just(Risk::High)];
    let wish = prop_oneof![3 => Just(Wish::Free), 1 => Just(Wish::Away)];
    let one = prop_oneof![
        2 => (call.clone(), risk).prop_map(|(c, r)| Command::Queue(c, r)),
        1 => call.clone().prop_map(Command::Cancel),
        2 => (call.clone(), consents()).prop_map(|(c, consents)| Command::Consent(c, consents)),
        2 => call.clone().prop_map(Command::End),
        1 => call.clone().prop_map(Command::Return),
        2 => (call.clone(), officer.clone()).prop_map(|(c, o)| Command::Reassign(c, o)),
        3 => (call.clone(), officer.clone()).prop_map(|(c, o)| Command::Accept(c, o)),
        3 => (call, officer.clone()).prop_map(|(c, o)| Command::Decline(c, o)),
        2 => (officer.clone(), wish).prop_map(|(o, w)| Command::Presence(o, w)),
        3 => officer.prop_map(Command::Heartbeat),
        3 => (0..12u8).prop_map(Command::Wait),
    ];
    prop::collection::vec(one, 1..120)
}

/// The desk as the application moves it, without a database.
#[derive(Default)]
struct Model {
    now: i64,
    calls: BTreeMap<CallId, Call>,
    officers: BTreeMap<OfficerId, Officer>,
}

impl Model {
    fn keep(&mut self, step: Step) {
        self.calls.insert(step.call.id, step.call);
    }

    fn call_of(&self, who: &OfficerId) -> Option<Call> {
        self.calls.values().find(|call| call.officer() == Some(who)).cloned()
    }

    fn apply(&mut self, command: &Command) {
        let now = at(self.now);
        match command {
            Command::Queue(n, risk) => {
                let step = Call::queue(call_id((*n).into()), force(), facts(*risk), now, &RULES);
                self.calls.entry(step.call.id).or_insert(step.call);
            }
            Command::Cancel(n) => {
                if let Some(step) = self.calls.get(&call_id((*n).into())).cloned().and_then(Call::cancel) {
                    self.keep(step);
                }
            }
            Command::Consent(n, consents) => {
                let Some(call) = self.calls.get(&call_id((*n).into())).cloned() else { return };
                match call.clone().consented(*consents) {
                    Some(step) => {
                        assert!(call.waits() || call.may_be_called_back());
                        assert_eq!(step.call.waits(), call.waits() && consents.video != Some(false));
                        let twice = step.call.clone().consented(*consents);
                        assert!(twice.is_none_or(|twice| twice.call == step.call));
                        self.keep(step);
                    }
                    None => assert!(!call.waits()),
                }
            }
            Command::End(n) => {
                if let Some(step) = self.calls.get(&call_id((*n).into())).cloned().and_then(Call::end) {
                    self.keep(step);
                }
            }
            Command::Return(n) => {
                let Some(call) = self.calls.get(&call_id((*n).into())).cloned() else { return };
                match call.clone().hand_back(&officer(0), true) {
                    Ok(step) => {
                        assert_eq!(step.settled.is_some(), matches!(call.state, State::Offered(_)));
                        self.keep(step);
                    }
                    Err(refused) => assert!(refused == Refused::CallOver && call.is_over()),
                }
            }
            Command::Reassign(n, who) => self.reassign(*n, &officer(*who)),
            Command::Accept(n, who) => self.answer(*n, *who, |call, who| call.accept(who, now)),
            Command::Decline(n, who) => {
                self.answer(*n, *who, |call, who| call.decline(who, "no".to_owned(), now, &RULES));
            }
            Command::Presence(n, wish) => {
                let who = officer(*n);
                let known = self.officers.remove(&who);
                let known = known.unwrap_or_else(|| Officer::arrive(who.clone(), force(), now, &RULES));
                self.officers.insert(who.clone(), known.wishes(*wish, now, &RULES));
                let own = self.call_of(&who).filter(|_| *wish == Wish::Away);
                if let Some(step) = own.and_then(|call| call.officer_gone(&who, now)) {
                    self.keep(step);
                }
            }
            Command::Heartbeat(n) => {
                if let Some(known) = self.officers.remove(&officer(*n)) {
                    self.officers.insert(officer(*n), known.heard(now, &RULES));
                }
            }
            Command::Wait(seconds) => self.now += i64::from(*seconds),
        }
        self.tick();
    }

    /// Whoever answers, the answer is right exactly when the offer is theirs and in time.
    fn answer(&mut self, n: u8, who: u8, answer: impl Fn(Call, &OfficerId) -> Result<Step, Refused>) {
        let Some(call) = self.calls.get(&call_id(n.into())).cloned() else { return };
        let who = officer(who);
        let theirs =
            matches!(&call.state, State::Offered(offer) if offer.officer == who && at(self.now) < offer.expires_at);
        match answer(call.clone(), &who) {
            Ok(step) => {
                assert!(theirs, "answered what was not on offer: {call:?}");
                self.keep(step);
            }
            Err(refused) => {
                assert!(!theirs, "refused what was on offer: {call:?}");
                assert_eq!(refused == Refused::CallNotWaiting, !call.waits());
            }
        }
    }

    fn reassign(&mut self, n: u8, to: &OfficerId) {
        let now = at(self.now);
        let Some(call) = self.calls.get(&call_id(n.into())).cloned() else { return };
        let is_free = self.call_of(to).is_none() && self.officers.get(to).is_some_and(|officer| officer.is_free(now));
        match call.clone().reassign(to, is_free, now, &RULES) {
            Ok(step) => {
                assert_eq!(step.call.officer(), Some(to));
                if let State::Accepted { officer: from, .. } = &call.state {
                    let stood_down = self.officers[from].clone().stands_down();
                    self.officers.insert(from.clone(), stood_down);
                }
                self.keep(step);
            }
            Err(Refused::CallOver) => assert!(call.is_over()),
            Err(Refused::OfficerHasCall) => assert_eq!(call.officer(), Some(to)),
            Err(refused) => assert!(refused == Refused::OfficerNotFree && !is_free),
        }
    }

    fn tick(&mut self) {
        let now = at(self.now);
        for (id, known) in self.officers.clone() {
            if let Some(gone) = known.lapse(now) {
                self.officers.insert(id.clone(), gone);
                if let Some(step) = self.call_of(&id).and_then(|call| call.officer_gone(&id, now)) {
                    self.keep(step);
                }
            }
        }
        for call in self.calls.clone().into_values() {
            if let Some(step) = call.expire(now) {
                self.keep(step);
            }
        }
        let calls: Vec<_> = self.calls.values().cloned().collect();
        let idle: Vec<_> = self.officers.values().filter(|o| self.call_of(&o.id).is_none()).cloned().collect();
        for Pair { call, officer } in pairs(&calls, &idle, now) {
            let before = self.calls[&call].clone();
            let pass = before.passes.iter().find(|pass| pass.officer == officer);
            assert!(pass.is_none_or(|pass| pass.again_from <= now), "offered to one who declined a moment ago");
            let fresh = idle.iter().any(|o| {
                o.is_free(now) && self.call_of(&o.id).is_none() && !before.passes.iter().any(|p| p.officer == o.id)
            });
            assert!(pass.is_none() || !fresh, "a new round while somebody had not been asked");
            assert!(pass.is_none() || now < before.waits.until, "a new round of what has waited for too long");
            self.keep(before.offer(officer, now, &RULES));
        }
        for call in self.calls.clone().into_values() {
            if let Some(step) = call.overdue(now) {
                self.keep(step);
            }
        }
    }

    fn check(&self, before: &BTreeMap<CallId, Call>, command: &Command) {
        let now = at(self.now);
        let mut busy = Vec::new();
        for call in self.calls.values() {
            if let Some(officer) = call.officer() {
                assert!(!busy.contains(&officer), "two calls for {officer}");
                busy.push(officer);
            }
            if let State::Offered(offer) = &call.state {
                let officer = &self.officers[&offer.officer];
                assert!(officer.is_free(now), "on offer to one who is not there");
                assert!(!call.passes.iter().any(|pass| pass.officer == offer.officer));
                assert!(now < offer.expires_at);
            }
            assert!(call.state != State::Queued || now < call.waits.until, "waits for too long");
            // What is over stays over, and an accepted call is taken from its officer by nobody but a sergeant.
            match before.get(&call.id).map(|earlier| &earlier.state) {
                Some(State::Abandoned) => assert_eq!(call.state, State::Abandoned),
                Some(returned @ State::Returned { .. }) => assert_eq!(&call.state, returned),
                Some(ended @ State::Ended { .. }) => assert_eq!(&call.state, ended),
                Some(State::Accepted { officer, .. })
                    if call.officer() != Some(officer) && call.officer().is_some() =>
                {
                    let is_given = |n: &u8, to: &u8| {
                        call.id == call_id((*n).into()) && call.officer() == Some(&super::tests::officer(*to))
                    };
                    let is_given = matches!(command, Command::Reassign(n, to) if is_given(n, to));
                    assert!(is_given, "taken away by {command:?}");
                }
                Some(State::Accepted { officer, .. }) => {
                    assert!(matches!(&call.state, State::Accepted { officer: now, .. } | State::Ended { officer: now }
                        | State::Returned { officer: Some(now), .. } if now == officer))
                }
                _ => {}
            }
        }
    }
}

proptest! {
    #[test]
    fn a_desk_is_never_in_two_minds(commands in commands()) {
        let mut desk = Model::default();
        for command in &commands {
            let before = desk.calls.clone();
            desk.apply(command);
            desk.check(&before, command);
        }
    }
}

#[test]
fn risk_goes_first_and_then_waiting_time() {
    let calls = [
        queued(1, Risk::Standard, 0),
        queued(2, Risk::High, 60),
        queued(3, Risk::Medium, 30),
        queued(4, Risk::High, 50),
    ];
    let officers = [free(1, 0), free(2, 0), free(3, 0), free(4, 0)];
    let order: Vec<_> = pairs(&calls, &officers, at(100)).into_iter().map(|pair| pair.call).collect();
    assert_eq!(order, [4, 2, 3, 1].map(call_id));
    // Half an hour later the standard one has aged past them.
    let calls = [queued(1, Risk::Standard, 0), queued(2, Risk::High, 1801)];
    assert_eq!(pairs(&calls, &officers[..1], at(1900))[0].call, call_id(1));
    assert_eq!(position(&calls[1], &calls, &RULES), 2);
}

#[test]
fn the_longest_free_officer_is_asked_first() {
    let officers = [free(1, 30), free(2, 10), free(3, 20)];
    assert_eq!(pairs(&[queued(1, Risk::High, 0)], &officers, at(40))[0].officer, officer(2));
    let gone = Officer { expires_at: at(40), ..free(2, 10) };
    let asked = pairs(&[queued(1, Risk::High, 0)], &[free(1, 30), gone], at(40));
    assert_eq!(asked[0].officer, officer(1), "one not heard from is not asked");
}

#[test]
fn a_declined_call_goes_round_the_desk_before_it_comes_back() {
    let (one, two) = (free(1, 0), free(2, 1));
    let ask = |call: &Call, now| pairs(std::slice::from_ref(call), &[one.clone(), two.clone()], at(now));
    let call = queued(1, Risk::High, 0).offer(officer(1), at(0), &RULES).call;
    let call = call.decline(&officer(1), "conflict of interest".to_owned(), at(1), &RULES).unwrap().call;
    assert_eq!(ask(&call, 1)[0].officer, officer(2));
    let call =
        call.offer(officer(2), at(1), &RULES).call.decline(&officer(2), "no".to_owned(), at(2), &RULES).unwrap().call;
    assert_eq!(ask(&call, 3), [], "both have just declined it");
    assert_eq!(ask(&call, 11)[0].officer, officer(1), "the pause of the first is over");
    let call = call.offer(officer(1), at(11), &RULES).call;
    assert_eq!(call.passes.len(), 1, "the second keeps their peace from it");
}

#[test]
fn a_sole_officer_who_did_not_answer_is_asked_again_at_once() {
    let call = queued(1, Risk::High, 0).offer(officer(1), at(0), &RULES).call;
    assert_eq!(call.clone().expire(at(19)), None);
    let step = call.expire(at(20)).unwrap();
    assert_eq!(step.settled.unwrap().outcome, Outcome::Expired);
    assert_eq!(step.call.clone().accept(&officer(1), at(20)), Err(Refused::OfferExpired));
    assert_eq!(step.call.clone().accept(&officer(2), at(20)), Err(Refused::NotOfferedToYou));
    assert_eq!(pairs(&[step.call], &[free(1, 0)], at(20)).len(), 1);
}

#[test]
fn cancelling_is_too_late_once_an_officer_has_it() {
    let call = queued(1, Risk::High, 0).offer(officer(1), at(0), &RULES).call;
    assert_eq!(call.clone().cancel().unwrap().settled.unwrap().outcome, Outcome::Withdrawn);
    let accepted = call.accept(&officer(1), at(1)).unwrap();
    assert_eq!(accepted.published, Some(Published::Accepted(officer(1))));
    assert_eq!(accepted.call.cancel(), None);
}
