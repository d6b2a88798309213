//! What video-session hears and says: CallAccepted makes a session; facts of the domain become events of the contract.

use api::{
    evidence::v1::ExhibitArchived,
    intake::v1::{ConsentKind, ConsentRecorded, FastTrackAcknowledged, FastTrackEscalated, RiskGrade, SilentCaller},
    session::v1 as said,
    transfer::v1 as heard,
};
use chrono::{DateTime, Utc};
use ids::{FastTrackId, IncidentRef, TrackName};
use outbox::{Delivery, Failure, Handler, NewEvent};

use crate::{
    app::App,
    config::Release,
    domain::{Accepted, Consents, Ending, Fact, How, Recording, Risk, Role, Said, Session, Silent, Taken},
    spool::Document,
    store::{Recorded, Stored},
};

/// Whose events are consumed, and which.
pub const HEARD: [(&str, &[&str]); 3] = [
    ("transfer", &["call_accepted", "call_reassigned", "call_abandoned", "call_returned"]),
    ("intake", &["consent_recorded", "fast_track_acknowledged", "fast_track_escalated"]),
    ("evidence", &["exhibit_sealed", "exhibit_archived"]),
];

/// What the consumer hands its deliveries to.
#[derive(Debug, Clone)]
pub struct Heard {
    /// The use cases.
    pub app: App,
    /// When a session's segments may go.
    pub release: Release,
    /// The force allows that a call is recorded while it is covered, if the caller agrees to it.
    pub covered: bool,
}

impl Handler for Heard {
    /// Handles one delivery, within the transaction that its inbox row commits in.
    async fn handle(&self, tx: &mut outbox::Tx, delivery: &Delivery) -> Result<(), Failure> {
        let outcome = match (delivery.name.as_str(), self.release) {
            ("call_accepted", _) => {
                let mut accepted =
                    accepted(delivery.decode()?).map_err(|problem| Failure::Poison(problem.to_string()))?;
                accepted.covered &= self.covered;
                self.app.open_session(tx, accepted, &delivery.trace).await
            }
            // A consent that is taken back is told as one that isn't given.
            ("consent_recorded", _) => {
                let mut consents = consents(&delivery.decode()?);
                consents.covered = consents.covered.map(|is_given| is_given && self.covered);
                let said = Said { version: delivery.version, consents };
                self.app.consented(tx, &delivery.force, delivery.call, said).await
            }
            ("fast_track_escalated", _) => {
                let event: FastTrackEscalated = delivery.decode()?;
                let (id, at) = fast_track(&event.fast_track_id, event.occurred_at)?;
                let on = (&delivery.force, delivery.call);
                self.app.fast_track_raised_again(tx, on, id, (event.times_raised, at)).await
            }
            ("fast_track_acknowledged", _) => {
                let event: FastTrackAcknowledged = delivery.decode()?;
                let (id, at) = fast_track(&event.fast_track_id, event.occurred_at)?;
                let taken = Taken { by: event.taken_by, unit: event.unit, at };
                self.app.fast_track_taken(tx, (&delivery.force, delivery.call), id, taken).await
            }
            ("call_reassigned", _) => {
                let to = delivery.decode::<heard::CallReassigned>()?.to_officer_id;
                let to = to.parse().map_err(|problem: ids::Malformed| Failure::Poison(problem.to_string()))?;
                self.app.given_to_another(tx, &delivery.force, delivery.call, to).await
            }
            ("call_abandoned", _) => self.app.let_go(tx, &delivery.force, delivery.call).await,
            ("call_returned", _) => self.app.given_back(tx, &delivery.force, delivery.call).await,
            ("exhibit_archived", _) => match archived(delivery.decode()?) {
                Ok(marks) => self.app.archived(tx, &delivery.force, delivery.call, &marks).await,
                Err(problem) => return Err(Failure::Poison(problem.to_string())),
            },
            ("exhibit_sealed", Release::Sealed) => self.app.release(tx, &delivery.force, delivery.call).await,
            // Not yet.
            _ => Ok(()),
        };
        outcome.map_err(|error| {
            let away = error.is_transient();
            Failure::of(error, away)
        })
    }
}

fn archived(event: ExhibitArchived) -> Result<Vec<(TrackName, u64)>, ids::Malformed> {
    event.tracks.into_iter().map(|archived| Ok((archived.track.parse()?, archived.segments))).collect()
}

/// What the caller has said anew.
#[must_use]
pub fn consents(event: &ConsentRecorded) -> Consents {
    Consents {
        video: event.said(ConsentKind::Video),
        recording: event.said(ConsentKind::Recording),
        stills: event.said(ConsentKind::Stills),
        covered: event.said(ConsentKind::Covered),
    }
}

/// Which fast-track, and when that was.
///
/// # Errors
/// No id, or no time.
pub fn fast_track(
    id: &str,
    occurred_at: Option<prost_types::Timestamp>,
) -> Result<(FastTrackId, DateTime<Utc>), Failure> {
    let id = id.parse().map_err(|problem: ids::Malformed| Failure::Poison(problem.to_string()))?;
    let at = occurred_at.and_then(|at| DateTime::from_timestamp(at.seconds, u32::try_from(at.nanos).ok()?));
    Ok((id, at.ok_or_else(|| Failure::Poison("no time of a fast-track".to_owned()))?))
}

/// The call that was accepted.
///
/// # Errors
/// An id or a reference isn't one.
pub fn accepted(event: heard::CallAccepted) -> Result<Accepted, ids::Malformed> {
    let silent = match event.silent_caller() {
        SilentCaller::Unspecified => None,
        SilentCaller::Pressed55 => Some(Silent::Pressed55),
        SilentCaller::TapsOnly => Some(Silent::TapsOnly),
        SilentCaller::CannotSpeak => Some(Silent::CannotSpeak),
    };
    let incident = event.incident.unwrap_or_default();
    Ok(Accepted {
        call: event.call_id.parse()?,
        force: event.force_id.parse()?,
        officer: event.officer_id.parse()?,
        incident: IncidentRef::parse(&incident.date, &incident.number)?,
        recording: event.recording_consented,
        stills: event.stills_consented,
        covered: event.covered_recording_consented,
        silent,
    })
}

/// The events of a transition's facts, in their order.
#[must_use]
pub fn of_facts(stored: &Stored, facts: &[Fact], now: DateTime<Utc>) -> Vec<NewEvent> {
    facts.iter().map(|fact| of_fact(stored, fact, now)).collect()
}

fn of_fact(Stored { session, trace, .. }: &Stored, fact: &Fact, now: DateTime<Utc>) -> NewEvent {
    let (call, force) = (session.accepted.call, session.accepted.force.clone());
    let (call_id, force_id, session_id) = (call.to_string(), force.to_string(), session.id.to_string());
    let occurred_at = Some(timestamp(now));
    match fact {
        Fact::InvitationIssued { expires_at } => {
            let expires_at = Some(timestamp(*expires_at));
            let event = said::InvitationIssued { call_id, force_id, occurred_at, session_id, expires_at };
            NewEvent::new("invitation_issued", call, force, trace.clone(), &event)
        }
        Fact::CallerJoined => {
            let event = said::CallerJoined { call_id, force_id, occurred_at, session_id };
            NewEvent::new("caller_joined", call, force, trace.clone(), &event)
        }
        Fact::ParticipantAdmitted { participant, role } => {
            let (participant_id, role) = (participant.to_string(), role_number(*role));
            let event = said::ParticipantAdmitted { call_id, force_id, occurred_at, session_id, participant_id, role };
            NewEvent::new("participant_admitted", call, force, trace.clone(), &event)
        }
        Fact::ParticipantRemoved { participant, role } => {
            let (participant_id, role) = (participant.to_string(), role_number(*role));
            let event = said::ParticipantRemoved { call_id, force_id, occurred_at, session_id, participant_id, role };
            NewEvent::new("participant_removed", call, force, trace.clone(), &event)
        }
        Fact::ParticipantJoined { participant, role } => {
            let (participant_id, role) = (participant.to_string(), role_number(*role));
            let event = said::ParticipantJoined { call_id, force_id, occurred_at, session_id, participant_id, role };
            NewEvent::new("participant_joined", call, force, trace.clone(), &event)
        }
        Fact::ParticipantLeft { participant, role } => {
            let (participant_id, role) = (participant.to_string(), role_number(*role));
            let event = said::ParticipantLeft { call_id, force_id, occurred_at, session_id, participant_id, role };
            NewEvent::new("participant_left", call, force, trace.clone(), &event)
        }
        Fact::RecordingChanged { recording } => {
            let state = recording_number(*recording);
            let event = said::RecordingChanged { call_id, force_id, occurred_at, session_id, state };
            NewEvent::new("recording_changed", call, force, trace.clone(), &event)
        }
        Fact::CoverChanged { covered } => {
            let event = said::CoverChanged { call_id, force_id, occurred_at, session_id, covered: *covered };
            NewEvent::new("cover_changed", call, force, trace.clone(), &event)
        }
        Fact::DuressRaised { raised } => {
            let (occurred_at, how) = (Some(timestamp(raised.at)), how_number(raised.how));
            let event = said::DuressRaised { call_id, force_id, occurred_at, session_id, how };
            NewEvent::new("duress_raised", call, force, trace.clone(), &event)
        }
        Fact::DuressSeen { raised, by } => {
            let (how, raised_at, officer_id) = (how_number(raised.how), Some(timestamp(raised.at)), by.to_string());
            let event =
                said::DuressAcknowledged { call_id, force_id, occurred_at, session_id, how, raised_at, officer_id };
            NewEvent::new("duress_acknowledged", call, force, trace.clone(), &event)
        }
        Fact::FastTrackRequested { fast_track: one } => {
            let event = said::FastTrackRequested {
                call_id,
                force_id,
                occurred_at: Some(timestamp(one.requested_at)),
                session_id,
                fast_track_id: one.id.to_string(),
                officer_id: one.officer.to_string(),
                risk: risk_number(one.risk),
                reason: one.cause.as_str().to_owned(),
                still_item: one.still.map(|number| Document::Still(number).name()).unwrap_or_default(),
            };
            NewEvent::new("fast_track_requested", call, force, trace.clone(), &event)
        }
        Fact::StillCaptured { number } | Fact::PhotographTaken { number } => {
            let item = match fact {
                Fact::PhotographTaken { .. } => Document::Photograph(*number),
                _ => Document::Still(*number),
            };
            let (number, item_name) = (*number, item.name());
            let event = said::StillCaptured { call_id, force_id, occurred_at, session_id, number, item_name };
            NewEvent::new("still_captured", call, force, trace.clone(), &event)
        }
    }
}

/// The call is over, and this is what was recorded of it.
#[must_use]
pub fn session_ended(stored: &Stored, ending: Ending, tracks: &[Recorded]) -> NewEvent {
    let Session { id, accepted, started_at, .. } = &stored.session;
    let event = said::SessionEnded {
        call_id: accepted.call.to_string(),
        force_id: accepted.force.to_string(),
        occurred_at: Some(timestamp(ending.at)),
        session_id: id.to_string(),
        reason: ending.reason.as_str().to_owned(),
        started_at: Some(timestamp(*started_at)),
        recorded: accepted.recording,
        tracks: tracks
            .iter()
            .map(|recorded| said::RecordedTrack {
                track: recorded.track.to_string(),
                participant_id: recorded.participant.to_string(),
                role: role_number(recorded.role),
                segments: recorded.segments,
            })
            .collect(),
    };
    NewEvent::new("session_ended", accepted.call, accepted.force.clone(), stored.trace.clone(), &event)
}

/// A role as the contract numbers it.
#[must_use]
pub fn role_number(role: Role) -> i32 {
    match role {
        Role::Caller => said::Role::Caller.into(),
        Role::Officer => said::Role::Officer.into(),
        Role::Observer => said::Role::Observer.into(),
        Role::Interpreter => said::Role::Interpreter.into(),
        Role::Supporter => said::Role::Supporter.into(),
    }
}

/// How help was asked for, as the contract numbers it.
#[must_use]
pub fn how_number(how: How) -> i32 {
    match how {
        How::Word => said::DuressHow::Word.into(),
        How::Corner => said::DuressHow::Corner.into(),
    }
}

/// How grave it is, as the contract numbers it.
#[must_use]
pub fn risk_number(risk: Risk) -> i32 {
    match risk {
        Risk::Standard => RiskGrade::Standard.into(),
        Risk::Medium => RiskGrade::Medium.into(),
        Risk::High => RiskGrade::High.into(),
    }
}

/// How the recording stands, as the contract numbers it.
#[must_use]
pub fn recording_number(recording: Recording) -> i32 {
    match recording {
        Recording::On => said::RecordingState::On.into(),
        Recording::Paused => said::RecordingState::Paused.into(),
        Recording::Stopped => said::RecordingState::Stopped.into(),
        Recording::Refused => said::RecordingState::Refused.into(),
    }
}

/// A time as the contract spells it.
#[must_use]
pub fn timestamp(time: DateTime<Utc>) -> prost_types::Timestamp {
    prost_types::Timestamp {
        seconds: time.timestamp(),
        nanos: i32::try_from(time.timestamp_subsec_nanos()).unwrap_or_default(),
    }
}
