//! video-session: its sessions, and what their media core records, by its own domain.

use std::collections::BTreeMap;

use chassis::Trace;
use chrono::{DateTime, TimeDelta, Utc};
use ids::{CallId, FastTrackId, OfficerId, ParticipantId, SessionId, TrackName};
use outbox::{Delivery, NewEvent, Poison};
use uuid::Uuid;
use video_session::{
    domain::{
        Cause, EndReason, Ending, Fact, Illegal, Patience, RecordOrder, Recording, Risk, Role, Said, Session, Taken,
        publication_number,
    },
    events::{HEARD, accepted, consents, fast_track, of_facts, session_ended},
    store::{Recorded, Stored},
};

use crate::office::Party;

const PATIENCE: Patience = Patience { both_gone: TimeDelta::seconds(60), never_came: TimeDelta::seconds(900) };

#[derive(Debug, Clone, Default)]
pub struct Sessions {
    pub held: BTreeMap<CallId, Held>,
    early: BTreeMap<CallId, Vec<Said>>,
    /// All that was heard of consents, whatever became of it: to judge by.
    heard: BTreeMap<CallId, Vec<Said>>,
    made: u64,
}

/// One session, and its recorder.
#[derive(Debug, Clone)]
pub struct Held {
    pub stored: Stored,
    /// Of each track: whose it is, and how many segments were recorded.
    pub tracks: BTreeMap<TrackName, (ParticipantId, Role, u64)>,
    /// Segments recorded in all: a recording that never was is told from one that was.
    pub recorded: u64,
    /// SessionEnded was written so often.
    pub announced: u32,
    /// What it ended by first.
    pub first_ending: Option<Ending>,
}

impl Party for Sessions {
    const NAME: &'static str = "session";

    fn hears(source: &str, name: &str) -> bool {
        HEARD.iter().any(|(of, names)| *of == source && names.contains(&name))
    }

    fn hear(&mut self, delivery: &Delivery, now: DateTime<Utc>) -> Result<Vec<NewEvent>, String> {
        let broken = |poison: Poison| poison.to_string();
        let words = |failure: outbox::Failure| failure.to_string();
        let call = delivery.call;
        match delivery.name.as_str() {
            "call_accepted" => {
                let accepted = accepted(delivery.decode().map_err(broken)?).map_err(|why| why.to_string())?;
                let said = self.early.remove(&call).unwrap_or_default();
                let session = Session::open_heeding(SessionId::from(self.fresh()), accepted, said, now);
                let stored = Stored {
                    session,
                    trace: Trace::none(),
                    announced_at: None,
                    owner: None,
                    epoch: 0,
                    word_hash: None,
                };
                let first_ending = stored.session.ending();
                let held = Held { stored, tracks: BTreeMap::new(), recorded: 0, announced: 0, first_ending };
                self.held.entry(call).or_insert(held);
                Ok(vec![])
            }
            "consent_recorded" => {
                let said = Said { version: delivery.version, consents: consents(&delivery.decode().map_err(broken)?) };
                self.heard.entry(call).or_default().push(said);
                if self.held.contains_key(&call) {
                    return Ok(self.change(call, now, |session| Ok(session.consented(said.consents, now))));
                }
                self.early.entry(call).or_default().push(said);
                Ok(vec![])
            }
            "call_reassigned" => {
                let event: api::transfer::v1::CallReassigned = delivery.decode().map_err(broken)?;
                let to = event.to_officer_id.parse().map_err(|why: ids::Malformed| why.to_string())?;
                Ok(self.change(call, now, |session| Ok((session.hand_over_to(to), vec![]))))
            }
            "call_returned" => {
                self.early.remove(&call);
                Ok(self.change(call, now, |session| Ok((session.end(EndReason::Returned, now).0, vec![]))))
            }
            "call_abandoned" => {
                self.early.remove(&call);
                Ok(vec![])
            }
            "fast_track_escalated" => {
                let event: api::intake::v1::FastTrackEscalated = delivery.decode().map_err(broken)?;
                let (id, at) = fast_track(&event.fast_track_id, event.occurred_at).map_err(words)?;
                let times = event.times_raised;
                Ok(self.change(call, now, |session| Ok((session.unit_asked_again(id, times, at), vec![]))))
            }
            "fast_track_acknowledged" => {
                let event: api::intake::v1::FastTrackAcknowledged = delivery.decode().map_err(broken)?;
                let (id, at) = fast_track(&event.fast_track_id, event.occurred_at).map_err(words)?;
                let taken = Taken { by: event.taken_by, unit: event.unit, at };
                Ok(self.change(call, now, |session| Ok((session.unit_sent(id, taken), vec![]))))
            }
            _ => Ok(vec![]),
        }
    }
}

impl Sessions {
    fn fresh(&mut self) -> Uuid {
        self.made += 1;
        Uuid::from_u64_pair(2, self.made)
    }

    /// A refusal changes nothing.
    fn change(
        &mut self,
        call: CallId,
        now: DateTime<Utc>,
        change: impl FnOnce(Session) -> Result<(Session, Vec<Fact>), Illegal>,
    ) -> Vec<NewEvent> {
        let Some(held) = self.held.get_mut(&call) else { return vec![] };
        let Ok((session, facts)) = change(held.stored.session.clone()) else { return vec![] };
        held.first_ending = held.first_ending.or(session.ending());
        held.stored.session = session;
        of_facts(&held.stored, &facts, now)
    }

    /// Somebody comes, publishes, and their media flows.
    pub fn joins(&mut self, call: CallId, role: Role, now: DateTime<Utc>) -> Vec<NewEvent> {
        let fresh = self.fresh().into();
        // As `App::join`: whom the call was given to takes it over as they come.
        let mut events = self.change(call, now, |session| {
            let named = session.successor.as_ref().unwrap_or(&session.accepted.officer);
            let staff = (role == Role::Officer).then(|| named.clone());
            let (session, mut facts) = match &staff {
                Some(staff) => session.taken_over_by(staff, now),
                None => (session, vec![]),
            };
            let (session, _, arrived) = session.arrive(role, staff, fresh, now)?;
            facts.extend(arrived);
            Ok((session, facts))
        });
        let Some(held) = self.held.get_mut(&call) else { return events };
        let Some(id) = held.stored.session.in_role(role).map(|one| one.id) else { return events };
        let Ok((session, track)) = held.stored.session.clone().publish(id) else { return events };
        held.stored.session = session;
        held.tracks.insert(track.clone(), (id, role, 0));
        let Some(number) = publication_number(&track) else { return events };
        events.extend(self.change(call, now, |session| session.media_flows(id, number)));
        events
    }

    /// Their connection breaks.
    pub fn leaves(&mut self, call: CallId, role: Role, now: DateTime<Utc>) -> Vec<NewEvent> {
        let flowing = self.held.get(&call).and_then(|held| {
            let one = held.stored.session.in_role(role)?;
            Some((one.id, one.flowing?))
        });
        let Some((id, publication)) = flowing else { return vec![] };
        self.change(call, now, |session| session.media_stops(id, publication, now))
    }

    /// A second of whoever's media flows is recorded, if it may be.
    ///
    /// # Errors
    /// When the last that was heard of it here was a no.
    pub fn records(&mut self, call: CallId) -> Result<(), String> {
        let Some(held) = self.held.get_mut(&call) else { return Ok(()) };
        let session = &held.stored.session;
        if session.ending().is_some() || session.recorded() != Recording::On {
            return Ok(());
        }
        let flowing: Vec<TrackName> = session.participants.iter().filter_map(|one| one.flowing_track()).collect();
        for track in &flowing {
            if let Some((_, _, segments)) = held.tracks.get_mut(track) {
                *segments += 1;
                held.recorded += 1;
            }
        }
        let said = self.heard.get(&call).into_iter().flatten().filter(|said| said.consents.recording.is_some());
        let last = said.max_by_key(|said| said.version).and_then(|said| said.consents.recording);
        if last == Some(false) && !flowing.is_empty() {
            return Err(format!("call {call} is recorded, and the last word heard of it was no"));
        }
        Ok(())
    }

    pub fn orders(&mut self, call: CallId, order: RecordOrder, now: DateTime<Utc>) -> Vec<NewEvent> {
        self.change(call, now, |session| session.record(order))
    }

    /// The officer asks for somebody to be sent: the fast-track's id, if that was answered.
    pub fn asks(&mut self, call: CallId, cause: Cause, now: DateTime<Utc>) -> (Option<FastTrackId>, Vec<NewEvent>) {
        let (fresh, mut answered) = (self.fresh().into(), None);
        let events = self.change(call, now, |session| {
            let officer: OfficerId = session.accepted.officer.clone();
            let (session, asked, facts) = session.ask_for_unit(fresh, officer, (Risk::High, cause), now)?;
            answered = Some(asked.id);
            Ok((session, facts))
        });
        (answered, events)
    }

    pub fn ends(&mut self, call: CallId, reason: EndReason, now: DateTime<Utc>) -> Vec<NewEvent> {
        self.change(call, now, |session| Ok((session.end(reason, now).0, vec![])))
    }

    /// As the closer: gives up whom nobody comes back to.
    pub fn tick(&mut self, now: DateTime<Utc>) -> Vec<NewEvent> {
        let due = |held: &Held| held.stored.session.gives_up_at(PATIENCE).is_some_and(|at| at <= now);
        let due: Vec<_> = self.held.iter().filter(|(_, held)| due(held)).map(|(call, _)| *call).collect();
        due.into_iter().flat_map(|call| self.ends(call, EndReason::BothGone, now)).collect()
    }

    /// As `App::announce`: once.
    pub fn announces(&mut self, call: CallId, now: DateTime<Utc>) -> Vec<NewEvent> {
        let Some(held) = self.held.get_mut(&call) else { return vec![] };
        let (Some(ending), None) = (held.stored.session.ending(), held.stored.announced_at) else { return vec![] };
        let (session, facts) = held.stored.session.clone().all_lost(now);
        held.stored.session = session;
        held.stored.announced_at = Some(now);
        held.announced += 1;
        let recorded: Vec<Recorded> = held
            .tracks
            .iter()
            .map(|(track, (participant, role, segments))| Recorded {
                track: track.clone(),
                participant: *participant,
                role: *role,
                segments: *segments,
            })
            .collect();
        let mut events = of_facts(&held.stored, &facts, now);
        events.push(session_ended(&held.stored, ending, &recorded));
        events
    }
}
