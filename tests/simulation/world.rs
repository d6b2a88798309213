//! Who does what next, as the dice have it: the people, the services' clocks and couriers, the bus, and death. Then, with nothing going wrong any more, everything is left to come to its end.

use std::collections::BTreeSet;

use call_transfer::domain::{State as At, Wish};
use chrono::{DateTime, TimeDelta, Utc};
use ids::{CallId, FastTrackId, OfficerId, TrackName};
use outbox::{Delivery, NewEvent};
use referral::domain::delivery::ParcelId;
use testkit::Dice;
use uuid::Uuid;
use video_session::domain::EndReason;

use crate::{
    bus::Bus,
    courier::{TRIES, UnderWay},
    desk::Desk,
    evidence::Evidence,
    intake::Intake,
    office::{Fate, Office, OnTheBus, Party},
    people::OFFICERS,
    referrals::Referrals,
    sessions::Sessions,
    story::Story,
    truth,
};

const CALLS: u64 = 3;
/// In so many of a hundred transactions the process dies before the end, and so often after it, before anybody knows.
const DEATH: u64 = 6;
/// Longer than anything waits, but for a parcel that the partner doesn't take for a day.
const ROUNDS: i64 = 120;
/// After this round the officers end their calls: until then it is seen how these go on.
const ENDING: i64 = 3;
/// Rounds after the last that anything was to come: whatever comes still is one too many.
const REST: u32 = 4;

/// The services, their bus, and what is known of them outside.
pub struct World {
    pub intake: Office<Intake>,
    pub desk: Office<Desk>,
    pub sessions: Office<Sessions>,
    pub evidence: Office<Evidence>,
    pub referrals: Office<Referrals>,
    pub bus: Bus,
    pub story: Story,
    pub calls: Vec<CallId>,
    /// Acknowledged to the recorder.
    pub acknowledged: BTreeSet<(CallId, TrackName, u64)>,
    /// Answered to an officer.
    pub asked: BTreeSet<FastTrackId>,
    /// Asked for anew while nobody had taken on the same.
    pub pressed_twice: BTreeSet<FastTrackId>,
    /// What came to the partner, in this order, as often as it came.
    pub partner: Vec<ParcelId>,
    /// Attempts whose end isn't known here yet.
    pub under_way: Vec<UnderWay>,
    pub dice: Dice,
    pub now: DateTime<Utc>,
    /// Nothing goes wrong any more.
    pub calm: bool,
}

const NAMES: [&str; 5] = [Intake::NAME, Desk::NAME, Sessions::NAME, Evidence::NAME, Referrals::NAME];

impl World {
    pub fn new(seed: u64, is_told: bool) -> Self {
        Self {
            intake: Office::new(Intake::new()),
            desk: Office::new(Desk::default()),
            sessions: Office::new(Sessions::default()),
            evidence: Office::new(Evidence::default()),
            referrals: Office::new(Referrals::default()),
            bus: Bus::default(),
            story: Story::new(is_told),
            calls: (1..=CALLS).map(|n| Uuid::from_u64_pair(1, n).into()).collect(),
            acknowledged: BTreeSet::new(),
            asked: BTreeSet::new(),
            pressed_twice: BTreeSet::new(),
            partner: Vec::new(),
            under_way: Vec::new(),
            dice: Dice::new(seed),
            now: DateTime::from_timestamp(1_800_000_000, 0).unwrap(),
            calm: false,
        }
    }

    /// So many random steps.
    pub fn live(&mut self, steps: u32) -> Result<(), String> {
        for _ in 0..steps {
            match self.dice.below(100) {
                0..24 => self.publish_one(),
                24..52 => self.deliver_one()?,
                52..55 => self.redeliver()?,
                55..63 => self.control_room(),
                63..86 => self.at_the_desk()?,
                86..96 => self.time_comes()?,
                _ => self.clock_moves(),
            }
            truth::always_holds(self)?;
        }
        Ok(())
    }

    /// No more crashes, no more calls: the officers do their work, everything is delivered, and time passes.
    pub fn settle(&mut self) -> Result<(), String> {
        self.calm = true;
        self.story.tell(format_args!("from here on nothing goes wrong"));
        let mut rest = REST;
        // One recorder is cut off until its call's exhibit is sealed without what it owes.
        let slow = self.one(&self.calls.clone());
        // One officer says that they are free, and answers no offer.
        let silent = self.one(&OFFICERS);
        // One service hears nothing of another from before the officers end their calls until most are sealed.
        let deaf = self.one(&NAMES).zip(self.one(&NAMES));
        let hears_from = i64::try_from(self.dice.between(6, 10)).unwrap();
        for round in 0..ROUNDS {
            self.bus.deaf = deaf.filter(|_| (ENDING..hears_from).contains(&round));
            rest = if self.is_over() && self.bus.deaf.is_none() { rest - 1 } else { REST };
            if rest == 0 {
                break;
            }
            for call in self.calls.clone() {
                self.hand_over(call);
            }
            self.everything_arrives()?;
            for officer in OFFICERS.map(|id| id.parse::<OfficerId>().unwrap()) {
                let now = self.now;
                self.act_desk("is free", |desk| desk.wish(&officer, Wish::Free, now));
                let has = self.desk.party.call_of(&officer).map(|call| (call.id, call.state.clone()));
                match has {
                    Some((call, At::Offered(_))) if silent != Some(officer.as_str()) => self.accepts(call, &officer),
                    Some((_, At::Offered(_))) => {}
                    Some((call, _)) if round > ENDING => self.ends(call, EndReason::OfficerEnded),
                    _ => {}
                }
            }
            self.everything_arrives()?;
            for id in self.intake.party.fast_tracks.keys().copied().collect::<Vec<_>>() {
                self.takes_on(id);
            }
            for call in self.calls.clone() {
                self.closes(call);
                while (slow != Some(call) || self.is_sealed(call)) && self.uploads(call) {}
                for _ in 0..7 {
                    self.seals(call);
                }
            }
            self.ticks();
            self.courier();
            self.everything_arrives()?;
            // Twice what a clock that went back may owe, in the end.
            self.now += TimeDelta::seconds(10 + round * round / 4);
        }
        Ok(())
    }

    fn office(&mut self, name: &str) -> &mut dyn OnTheBus {
        match name {
            Intake::NAME => &mut self.intake,
            Desk::NAME => &mut self.desk,
            Sessions::NAME => &mut self.sessions,
            Evidence::NAME => &mut self.evidence,
            _ => &mut self.referrals,
        }
    }

    pub fn fate(&mut self) -> Fate {
        if !self.calm && self.dice.percent(DEATH) { Fate::Dies } else { Fate::Commits }
    }

    /// Nothing is to come any more, as far as the services know.
    fn is_over(&self) -> bool {
        let intake = &self.intake.party.calls;
        self.calls.iter().all(|call| intake.get(call).is_some_and(intake::domain::Call::is_over))
            && self.desk.party.calls.values().all(call_transfer::domain::Call::is_over)
            && !self.referrals.party.waits()
            && self.calls.iter().all(|call| self.unsent(*call).is_none())
    }

    fn is_sealed(&self, call: CallId) -> bool {
        self.evidence.party.sealed.contains_key(&call)
    }

    /// The first segment of a call that isn't known to be held.
    fn unsent(&self, call: CallId) -> Option<(TrackName, u64)> {
        self.sessions.party.held.get(&call)?.tracks.iter().find_map(|(track, (_, _, recorded))| {
            let unsent = |seq: &u64| !self.acknowledged.contains(&(call, track.clone(), *seq));
            (0..*recorded).find(unsent).map(|seq| (track.clone(), seq))
        })
    }

    /// One of these.
    pub fn one<T: Clone>(&mut self, of: &[T]) -> Option<T> {
        of.get(usize::try_from(self.dice.below(of.len() as u64)).ok()?).cloned()
    }

    // The bus.

    fn publish_one(&mut self) {
        let full: Vec<_> = NAMES.into_iter().filter(|name| !self.office(name).unpublished().is_empty()).collect();
        let Some(name) = self.one(&full) else { return };
        let waiting: Vec<Delivery> = self.office(name).unpublished().to_vec();
        // Of a call the first; of several calls whichever.
        let mut calls = BTreeSet::new();
        let firsts: Vec<_> = waiting.into_iter().filter(|one| calls.insert(one.call)).collect();
        let Some(delivery) = self.one(&firsts) else { return };
        self.publish(name, delivery);
    }

    fn publish(&mut self, source: &'static str, delivery: Delivery) {
        // Dead before it knew that it had published: the next process publishes it again.
        let is_known = self.fate() == Fate::Commits;
        self.story
            .tell(format_args!("{source}: {} of {} is published, known: {is_known}", delivery.name, delivery.call));
        for consumer in NAMES {
            if self.office(consumer).hears(source, &delivery.name) {
                self.bus.send(consumer, source, delivery.clone());
            }
        }
        if is_known {
            self.office(source).published(delivery.event);
        }
    }

    fn deliver_one(&mut self) -> Result<(), String> {
        let lines = self.bus.lines();
        let Some(line) = self.one(&lines) else { return Ok(()) };
        let Some(delivery) = self.bus.head(&line) else { return Ok(()) };
        if self.delivered(line.0, &delivery)? {
            // Its acknowledgement gets lost, or it was sent twice: it comes again some time.
            if !self.calm && self.dice.percent(15) {
                self.bus.stray(line.0, delivery);
            }
            self.bus.acknowledged(&line);
        }
        Ok(())
    }

    fn redeliver(&mut self) -> Result<(), String> {
        let nth = self.dice.below(u64::MAX);
        match self.bus.take_stray(nth) {
            Some((consumer, delivery)) => self.delivered(consumer, &delivery).map(drop),
            None => Ok(()),
        }
    }

    fn delivered(&mut self, consumer: &'static str, delivery: &Delivery) -> Result<bool, String> {
        let (fate, now) = (self.fate(), self.now);
        self.story.tell(format_args!("{consumer} hears {} of {}: {fate:?}", delivery.name, delivery.call));
        self.office(consumer)
            .hear(delivery, fate, now)
            .map_err(|why| format!("{consumer} can't make sense of {} of {}: {why}", delivery.name, delivery.call))
    }

    /// Everything is heard that can be, and what must hold then does.
    fn everything_arrives(&mut self) -> Result<(), String> {
        loop {
            for name in NAMES {
                let waiting: Vec<Delivery> = self.office(name).unpublished().to_vec();
                for delivery in waiting {
                    self.publish(name, delivery);
                }
            }
            if self.bus.is_quiet() {
                truth::always_holds(self)?;
                return if self.bus.deaf.is_none() { truth::holds_when_all_is_heard(self) } else { Ok(()) };
            }
            self.deliver_one()?;
            self.redeliver()?;
        }
    }

    // What time brings.

    fn time_comes(&mut self) -> Result<(), String> {
        let Some(call) = self.one(&self.calls.clone()) else { return Ok(()) };
        match self.dice.below(10) {
            0..2 => self.ticks(),
            2..4 => self.closes(call),
            4..6 => drop(self.uploads(call)),
            6 => {
                for _ in 0..self.dice.between(1, 7) {
                    self.seals(call);
                }
            }
            _ => self.courier(),
        }
        Ok(())
    }

    fn ticks(&mut self) {
        let now = self.now;
        self.act_desk("ticks", |desk| desk.tick(now));
        self.act_intake("ticks", |intake| intake.tick(now));
        self.act_sessions("ticks", |sessions| sessions.tick(now));
    }

    /// One more segment of a call goes to evidence-store: true if there was one.
    fn uploads(&mut self, call: CallId) -> bool {
        let Some((track, seq)) = self.unsent(call) else { return false };
        let is_answered = self.fate() == Fate::Commits;
        let taken = self.evidence.party.takes(call, &track, seq);
        self.story.tell(format_args!("{track}/{seq} of {call} is held: {taken}, answered: {is_answered}"));
        if taken && is_answered {
            self.acknowledged.insert((call, track, seq));
        }
        taken
    }

    fn seals(&mut self, call: CallId) {
        let (fate, now) = (self.fate(), self.now);
        self.story.tell(format_args!("evidence: the exhibit of {call} goes on: {fate:?}"));
        self.evidence.act(fate, |evidence| evidence.step(call, now));
    }

    fn clock_moves(&mut self) {
        let by = match self.dice.below(20) {
            // It is set.
            0 => 3_600,
            1 => -300,
            2 => -1,
            _ => i64::try_from(self.dice.between(1, 12)).unwrap(),
        };
        if by > TRIES {
            // No attempt lasts for longer because a clock is set.
            self.all_come_to_an_end();
        }
        self.now += TimeDelta::seconds(by);
        self.story.tell(format_args!("the clock moves by {by} s"));
    }

    // One transaction each.

    pub fn act_intake(&mut self, what: &str, act: impl FnOnce(&mut Intake) -> Vec<NewEvent>) {
        let fate = self.fate();
        self.story.tell(format_args!("intake {what}: {fate:?}"));
        self.intake.act(fate, act);
    }

    pub fn act_desk(&mut self, what: &str, act: impl FnOnce(&mut Desk) -> Vec<NewEvent>) {
        let fate = self.fate();
        self.story.tell(format_args!("at the desk somebody {what}: {fate:?}"));
        self.desk.act(fate, act);
    }

    pub fn act_sessions(&mut self, what: &str, act: impl FnOnce(&mut Sessions) -> Vec<NewEvent>) {
        let fate = self.fate();
        self.story.tell(format_args!("session: {what}: {fate:?}"));
        self.sessions.act(fate, act);
    }

    pub fn act_referrals(&mut self, what: &str, act: impl FnOnce(&mut Referrals) -> Vec<NewEvent>) {
        let fate = self.fate();
        self.story.tell(format_args!("referral {what}: {fate:?}"));
        self.referrals.act(fate, act);
    }
}
