//! The people: the contact handler, two officers, the caller and whoever else is in the call. They do what they may, and what they may not.

use call_transfer::domain::{Call as Waiting, Wish};
use ids::{CallId, FastTrackId, OfficerId};
use intake::domain::{ConsentKind, Risk, State};
use video_session::domain::{Cause, EndReason, RecordOrder, Role};

use crate::{office::Fate, sessions::Held, world::World};

/// Who is at the desk.
pub const OFFICERS: [&str; 2] = ["o.one", "o.two"];

impl World {
    // The control room.

    pub fn control_room(&mut self) {
        let Some(call) = self.one(&self.calls.clone()) else { return };
        let now = self.now;
        match self.dice.below(10) {
            0..6 => self.hand_over(call),
            6 => self.act_intake("cancels", |intake| intake.cancel(call, now)),
            7 => {
                let given = self.dice.percent(25);
                self.says(call, &[(ConsentKind::Recording, given)]);
            }
            8 if self.dice.percent(30) => self.says(call, &[(ConsentKind::Video, false)]),
            _ => {
                let known: Vec<_> = self.intake.party.fast_tracks.keys().copied().collect();
                if let Some(id) = self.one(&known) {
                    self.takes_on(id);
                }
            }
        }
    }

    /// The next thing that a contact handler does with a call on its way to the desk.
    pub fn hand_over(&mut self, call: CallId) {
        let now = self.now;
        match self.intake.party.calls.get(&call).map(|known| known.state.clone()) {
            None => self.act_intake("opens", |intake| intake.open(call, now)),
            Some(State::Open) => {
                let risk = if self.dice.percent(50) { Risk::High } else { Risk::Standard };
                self.act_intake("triages", |intake| intake.triage(call, risk));
            }
            Some(State::Triaged(_)) => {
                let recording = self.dice.percent(80);
                self.says(call, &[(ConsentKind::Video, true), (ConsentKind::Recording, recording)]);
            }
            Some(State::Consented(_)) if self.intake.party.calls[&call].consents.video != Some(true) => {
                self.says(call, &[(ConsentKind::Video, true)]);
            }
            Some(State::Consented(_)) => self.act_intake("requests", |intake| intake.request(call, now)),
            Some(_) => {}
        }
    }

    fn says(&mut self, call: CallId, given: &[(ConsentKind, bool)]) {
        let now = self.now;
        self.story.tell(format_args!("of {call} the caller says {given:?}"));
        self.act_intake("consents", |intake| intake.consent(call, given, now));
    }

    pub fn takes_on(&mut self, id: FastTrackId) {
        let (now, by) = (self.now, format!("CH{}", self.dice.below(3)));
        self.act_intake("takes on", |intake| intake.acknowledge(id, &by, now));
    }

    // The desk and the session.

    pub fn at_the_desk(&mut self) -> Result<(), String> {
        let open = |held: &Held| held.stored.session.ending().is_none();
        let held = &self.sessions.party.held;
        let talking: Vec<CallId> = held.iter().filter(|(_, held)| open(held)).map(|(call, _)| *call).collect();
        if let Some(call) = self.one(&talking)
            && self.dice.percent(65)
        {
            return self.in_a_session(call);
        }
        let Some(call) = self.one(&self.calls.clone()) else { return Ok(()) };
        let Some(officer) = self.one(&OFFICERS).and_then(|id| id.parse::<OfficerId>().ok()) else { return Ok(()) };
        let (now, own) = (self.now, self.desk.party.call_of(&officer).map(|call| call.id));
        match self.dice.below(100) {
            0..30 => self.act_desk("is free", |desk| desk.wish(&officer, Wish::Free, now)),
            30..50 => self.act_desk("gives a sign of life", |desk| desk.heartbeat(&officer, now)),
            50..84 => self.accepts(own.unwrap_or(call), &officer),
            // One that they don't have on offer, or not any more.
            84..90 => self.accepts(call, &officer),
            90..94 => self.act_desk("declines", |desk| {
                let call = own.unwrap_or(call);
                desk.answer(call, |one, rules| one.decline(&officer, "busy".to_owned(), now, rules), now)
            }),
            94..96 => self.act_desk("is away", |desk| desk.wish(&officer, Wish::Away, now)),
            96..98 => self.act_desk("is named by a sergeant", |desk| desk.reassign(call, &officer, now)),
            _ => self.act_desk("gives back", |desk| {
                desk.answer(own.unwrap_or(call), |one, _| one.hand_back(&officer, false), now)
            }),
        }
        Ok(())
    }

    fn in_a_session(&mut self, call: CallId) -> Result<(), String> {
        let now = self.now;
        let role = if self.dice.percent(60) { Role::Caller } else { Role::Officer };
        match self.dice.below(100) {
            0..30 => self.act_sessions("somebody comes", |sessions| sessions.joins(call, role, now)),
            30..36 => self.act_sessions("somebody is gone", |sessions| sessions.leaves(call, role, now)),
            36..66 => self.records(call)?,
            66..72 => {
                let order = self.one(&[RecordOrder::Pause, RecordOrder::Resume, RecordOrder::Resume]);
                self.act_sessions("orders", |sessions| sessions.orders(call, order.unwrap_or(RecordOrder::Pause), now));
            }
            72..80 => self.asks(call),
            // Whoever writes a parcel down wakes the couriers.
            80..87 => {
                self.act_referrals("sends", |referrals| referrals.sends(call, now));
                self.courier();
            }
            87..93 => {
                self.takes_back(call);
                self.courier();
            }
            93..96 => {
                let given = self.dice.percent(25);
                self.says(call, &[(ConsentKind::Recording, given)]);
            }
            _ => {
                let reason = self.one(&[EndReason::OfficerEnded, EndReason::CallerLeft]);
                self.ends(call, reason.unwrap_or(EndReason::CallerLeft));
            }
        }
        Ok(())
    }

    pub fn accepts(&mut self, call: CallId, officer: &OfficerId) {
        let now = self.now;
        self.act_desk("accepts", |desk| desk.answer(call, |one: Waiting, _| one.accept(officer, now), now));
    }

    fn records(&mut self, call: CallId) -> Result<(), String> {
        // What is recorded is on the recorder's disk: no transaction, and a crash keeps it.
        self.sessions.party.records(call)
    }

    fn asks(&mut self, call: CallId) {
        let cause = if self.dice.percent(50) { Cause::Danger } else { Cause::Medical };
        let (fate, now) = (self.fate(), self.now);
        self.story.tell(format_args!("of {call} the officer asks for somebody to be sent: {fate:?}"));
        let held = self.sessions.party.held.get(&call);
        let open = held.into_iter().flat_map(|held| &held.stored.session.fast_tracks);
        let open: Vec<_> = open.filter(|one| one.taken.is_none() && one.cause == cause).map(|one| one.id).collect();
        let mut answered = None;
        self.sessions.act(fate, |sessions| {
            let (id, events) = sessions.asks(call, cause, now);
            answered = id;
            events
        });
        if fate == Fate::Commits {
            self.asked.extend(answered);
            // A frightened hand presses more than once.
            self.pressed_twice.extend(answered.filter(|id| !open.is_empty() && !open.contains(id)));
        }
    }

    pub fn takes_back(&mut self, call: CallId) {
        let now = self.now;
        self.act_referrals("withdraws", |referrals| referrals.withdraws(call, now));
    }

    pub fn ends(&mut self, call: CallId, reason: EndReason) {
        let now = self.now;
        self.act_sessions("ends", |sessions| sessions.ends(call, reason, now));
    }

    pub fn closes(&mut self, call: CallId) {
        let now = self.now;
        self.act_sessions("tells of the end", |sessions| sessions.announces(call, now));
    }
}
