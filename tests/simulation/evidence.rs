//! evidence-store: its exhibits, by its own domain; the journal is what is held of each track.

use std::collections::{BTreeMap, BTreeSet};

use api::transfer::v1::CallAccepted;
use chassis::Trace;
use chrono::{DateTime, TimeDelta, Utc};
use evidence_store::{
    domain::{Declaration, Event, Exhibit, Illegal, Readiness, Reference, State},
    events::{HEARD, declaration, publish},
};
use exhibit::Digest;
use ids::{CallId, IncidentRef, TrackName};
use outbox::{Delivery, NewEvent};
use uuid::Uuid;

use crate::office::Party;

/// As configured.
const GRACE: TimeDelta = TimeDelta::seconds(120);

#[derive(Debug, Clone, Default)]
pub struct Evidence {
    pub exhibits: BTreeMap<CallId, Exhibit>,
    pub declared: BTreeMap<CallId, Declaration>,
    /// In the exhibit.
    pub held: BTreeMap<CallId, BTreeMap<TrackName, u64>>,
    /// Came after the fence: an addendum's.
    pub late: BTreeMap<CallId, BTreeSet<(TrackName, u64)>>,
    /// How often each was told to be sealed.
    pub sealed: BTreeMap<CallId, u32>,
}

impl Party for Evidence {
    const NAME: &'static str = "evidence";

    fn hears(source: &str, name: &str) -> bool {
        HEARD.iter().any(|(of, names)| *of == source && names.contains(&name))
    }

    fn hear(&mut self, delivery: &Delivery, now: DateTime<Utc>) -> Result<Vec<NewEvent>, String> {
        match delivery.name.as_str() {
            "call_accepted" if !self.exhibits.contains_key(&delivery.call) => {
                let incident = delivery.decode::<CallAccepted>().map_err(|poison| poison.to_string())?.incident;
                let incident = incident.unwrap_or_default();
                let incident = IncidentRef::parse(&incident.date, &incident.number).map_err(|why| why.to_string())?;
                let number = self.exhibits.len() as u64 + 1;
                let (exhibit, event) = Exhibit::open(
                    Uuid::from_u64_pair(3, number).into(),
                    delivery.call,
                    delivery.force.clone(),
                    incident,
                    Reference::from_random([0, 0, 0, 0, u8::try_from(number).unwrap()]),
                    now,
                );
                let told = publish(&exhibit, &event, Trace::none(), now);
                self.exhibits.insert(delivery.call, exhibit);
                Ok(vec![told])
            }
            "session_ended" => {
                let event = delivery.decode().map_err(|poison| poison.to_string())?;
                let declaration = declaration(event, now).map_err(|why| why.to_string())?;
                self.declared.entry(delivery.call).or_insert(declaration);
                Ok(vec![])
            }
            _ => Ok(vec![]),
        }
    }
}

impl Evidence {
    /// Takes the next segment of a track: true if it is on stable storage from here on.
    pub fn takes(&mut self, call: CallId, track: &TrackName, seq: u64) -> bool {
        let Some(exhibit) = self.exhibits.get(&call) else { return false };
        if exhibit.state == State::Open {
            let held = self.held.entry(call).or_default().entry(track.clone()).or_default();
            *held = (*held).max(seq + 1);
        } else if self.held_of(call, track) <= seq {
            self.late.entry(call).or_default().insert((track.clone(), seq));
        }
        true
    }

    pub fn held_of(&self, call: CallId, track: &TrackName) -> u64 {
        self.held.get(&call).and_then(|held| held.get(track)).copied().unwrap_or_default()
    }

    /// As `App::step`: one state further, if it can be.
    pub fn step(&mut self, call: CallId, now: DateTime<Utc>) -> Vec<NewEvent> {
        let Some(exhibit) = self.exhibits.get(&call).cloned() else { return vec![] };
        let held = self.held.get(&call).cloned().unwrap_or_default();
        let bytes = |state: &State| Digest::of(format!("{} {call}", state.name()).as_bytes());
        let stepped: Result<(Exhibit, Option<Event>), Illegal> = match &exhibit.state {
            State::Open => match self.declared.get(&call).map(|declared| declared.readiness(&held, now, GRACE)) {
                Some(Readiness::Fence { missing }) => exhibit.fence(held, missing, now).map(|one| (one, None)),
                Some(Readiness::WaitUntil(_)) | None => return vec![],
            },
            State::Fenced(_) => {
                let digest = bytes(&exhibit.state);
                exhibit.manifest(digest, now).map(|one| (one, None))
            }
            State::Manifested(_) => {
                let digest = bytes(&exhibit.state);
                exhibit.sign(digest, now).map(|one| (one, None))
            }
            State::Signed(_) => exhibit.timestamp(Some(vec![1]), now).map(|one| (one, None)),
            State::Timestamped(_) => exhibit.log("proof".to_owned(), now).map(|one| (one, None)),
            State::Logged(_) => exhibit.seal(now).map(|(one, event)| (one, Some(event))),
            State::Sealed(_) => return vec![],
        };
        let Ok((exhibit, event)) = stepped else { return vec![] };
        if matches!(event, Some(Event::Sealed { .. })) {
            *self.sealed.entry(call).or_default() += 1;
        }
        let told = event.map(|event| publish(&exhibit, &event, Trace::none(), now));
        self.exhibits.insert(call, exhibit);
        told.into_iter().collect()
    }
}
