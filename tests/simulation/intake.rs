//! Intake: its calls and their fast-tracks, by its own domain, and the events it reads and writes by its own code.

use std::collections::BTreeMap;

use chassis::Trace;
use chrono::{DateTime, TimeDelta, Utc};
use ids::{CallId, FastTrackId, IncidentRef};
use intake::{
    domain::{
        Answers, Call, Consent, ConsentKind, Device, Effects, Fact, FastTrack, Heard, Language, Line, Needs, Occasion,
        Refusal, Risk, Rules, State, Taken, Thrive, Told, Wish,
    },
    events::{Came, HEARD, publish, read},
};
use outbox::{Delivery, NewEvent};

use crate::office::Party;

/// As configured: a fast-track that nobody takes on is raised again after a minute.
pub const AGAIN_AFTER: TimeDelta = TimeDelta::seconds(60);

#[derive(Debug, Clone)]
pub struct Intake {
    pub calls: BTreeMap<CallId, Call>,
    pub fast_tracks: BTreeMap<FastTrackId, (CallId, FastTrack)>,
    /// All that control rooms are told of each call.
    pub told: BTreeMap<CallId, Vec<Told>>,
    /// So many seals were heard of before their call's end.
    pub sealed_first: usize,
    rules: Rules,
}

impl Party for Intake {
    const NAME: &'static str = "intake";

    fn hears(source: &str, name: &str) -> bool {
        HEARD.iter().any(|(_, of, names)| *of == source && names.contains(&name))
    }

    fn hear(&mut self, delivery: &Delivery, now: DateTime<Utc>) -> Result<Vec<NewEvent>, String> {
        let call = self.calls.get(&delivery.call).cloned().ok_or("no such call")?;
        let (call, heard, effects) = match read(delivery).map_err(|poison| poison.to_string())? {
            Came::Fact(fact) => call.hear(fact, now),
            Came::Sealed(seal) => {
                self.sealed_first += usize::from(!matches!(call.state, State::Closed { .. }));
                call.hear_sealed(seal, now)
            }
            Came::FastTrack(wish) => return self.asked_for(call, wish, now),
        };
        fine(&call, heard, delivery)?;
        Ok(self.carry_out(call, effects, now))
    }
}

/// What the service would log an error for, so that a person looks.
fn fine(call: &Call, heard: Heard, delivery: &Delivery) -> Result<(), String> {
    match heard {
        Heard::Conflict | Heard::Unasked => Err(format!("{} contradicts {call:?}: {heard:?}", delivery.name)),
        Heard::Taken | Heard::Repeated | Heard::Late => Ok(()),
    }
}

impl Intake {
    pub fn new() -> Self {
        let rules = Rules::read(include_str!("../../services/intake/eligibility.toml")).unwrap();
        Self { calls: BTreeMap::new(), fast_tracks: BTreeMap::new(), told: BTreeMap::new(), sealed_first: 0, rules }
    }

    fn carry_out(
        &mut self,
        call: Call,
        Effects { publish: events, tell }: Effects,
        now: DateTime<Utc>,
    ) -> Vec<NewEvent> {
        let events = events.into_iter().map(|event| publish(&call, event, &Trace::none(), now)).collect();
        self.told.entry(call.id).or_default().extend(tell);
        self.calls.insert(call.id, call);
        events
    }

    /// As `Intake::hear_fast_track`.
    fn asked_for(&mut self, call: Call, wish: Wish, now: DateTime<Utc>) -> Result<Vec<NewEvent>, String> {
        if self.fast_tracks.contains_key(&wish.id) {
            return Ok(vec![]);
        }
        let (id, raised) = (wish.id, FastTrack::raise(wish, now, AGAIN_AFTER));
        let (call, heard, effects) = call.hear(Fact::FastTrack(raised.news(false)), now);
        if heard == Heard::Taken {
            self.fast_tracks.insert(id, (call.id, raised));
        }
        Ok(self.carry_out(call, effects, now))
    }

    pub fn open(&mut self, id: CallId, now: DateTime<Utc>) -> Vec<NewEvent> {
        let incident = IncidentRef::parse("2026-11-27", "1123").unwrap();
        let (call, effects) = Call::open(id, "wmp".parse().unwrap(), Line::Emergency, incident, now);
        self.carry_out(call, effects, now)
    }

    pub fn triage(&mut self, id: CallId, risk: Risk) -> Vec<NewEvent> {
        let answers = Answers {
            thrive: Thrive::default(),
            device: Device { shared: false, messages_read: false, overheard: false },
            come_now: None,
            immediate_danger: false,
            offender_present: false,
            can_join: true,
            can_listen: false,
            risk,
            language: Language::default(),
            children_present: false,
            needs: Needs::default(),
        };
        if let Some(call) = self.calls.get(&id).cloned()
            && let Ok((call, _)) = call.triage(&answers, &Occasion::default(), &self.rules)
        {
            self.calls.insert(id, call);
        }
        vec![]
    }

    pub fn consent(&mut self, id: CallId, given: &[(ConsentKind, bool)], now: DateTime<Utc>) -> Vec<NewEvent> {
        let consent = |(kind, given): &(ConsentKind, bool)| Consent {
            kind: *kind,
            subject: None,
            given: *given,
            how: "spoken".to_owned(),
        };
        let given: Vec<_> = given.iter().map(consent).collect();
        self.change(id, |call| call.consent(&given, now), now)
    }

    pub fn request(&mut self, id: CallId, now: DateTime<Utc>) -> Vec<NewEvent> {
        self.change(id, Call::request_transfer, now)
    }

    pub fn cancel(&mut self, id: CallId, now: DateTime<Utc>) -> Vec<NewEvent> {
        self.change(id, |call| call.cancel_transfer(now), now)
    }

    /// A refusal changes nothing.
    fn change(
        &mut self,
        id: CallId,
        change: impl FnOnce(Call) -> Result<(Call, Effects), Refusal>,
        now: DateTime<Utc>,
    ) -> Vec<NewEvent> {
        match self.calls.get(&id).cloned().map(change) {
            Some(Ok((call, effects))) => self.carry_out(call, effects, now),
            Some(Err(_)) | None => vec![],
        }
    }

    /// The control room takes a fast-track on, if it was told of one.
    pub fn acknowledge(&mut self, id: FastTrackId, by: &str, now: DateTime<Utc>) -> Vec<NewEvent> {
        let Some((call, known)) = self.fast_tracks.get(&id).cloned() else { return vec![] };
        let (_, news) = known.acknowledge(Taken { by: by.to_owned(), unit: None, at: now });
        news.map_or(vec![], |fast_track| self.tell_of(call, fast_track, now))
    }

    /// As the ticker: whatever is due is raised again.
    pub fn tick(&mut self, now: DateTime<Utc>) -> Vec<NewEvent> {
        let due =
            self.fast_tracks.values().filter_map(|(call, one)| Some((*call, one.clone().again(now, AGAIN_AFTER)?)));
        let due: Vec<_> = due.collect();
        due.into_iter().flat_map(|(call, again)| self.tell_of(call, again, now)).collect()
    }

    fn tell_of(&mut self, call: CallId, fast_track: FastTrack, now: DateTime<Utc>) -> Vec<NewEvent> {
        let Some(call) = self.calls.get(&call).cloned() else { return vec![] };
        let (call, effects) = call.tell_of(&fast_track, false, now);
        self.fast_tracks.insert(fast_track.wish.id, (call.id, fast_track));
        self.carry_out(call, effects, now)
    }
}
