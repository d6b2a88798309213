//! What the desk hears (intake's requests, video-session's ends) and what it tells.

use api::{
    intake::v1::{
        self as intake, CallbackOutcome, ConsentKind, ConsentRecorded, FastTrackAcknowledged, FastTrackEscalated,
        Incident, JoinRoute, RiskGrade, SilentCaller, TransferCancelled, TransferRequested,
    },
    session::v1::SessionEnded,
    transfer::v1::{
        CallAbandoned, CallAccepted, CallMoved, CallOffered, CallQueued, CallReassigned, CallReturned, CallbackChanged,
    },
};
use chassis::Trace;
use chrono::{DateTime, Utc};
use ids::{IncidentRef, Malformed, OfficerId};
use outbox::{Delivery, Failure, Handler, NewEvent};
use prost_types::Timestamp;

use crate::{
    app::App,
    domain::{
        Alert, AlertKind, Call, Callback, CallbackState, Consents, Facts, FollowUp, Gender, Published, Risk, Route,
        Silent, Standing, Tried, Vulnerability,
    },
};

/// Whose events are heard, and which.
pub const FROM_INTAKE: &[&str] = &[
    "transfer_requested",
    "transfer_cancelled",
    "consent_recorded",
    "fast_track_escalated",
    "fast_track_acknowledged",
];
/// The same of video-session.
pub const FROM_SESSION: &[&str] = &["session_ended"];

/// Takes events in, each within the transaction of its inbox row.
#[derive(Debug, Clone)]
pub struct Heard(pub App);

impl Handler for Heard {
    async fn handle(&self, tx: &mut outbox::Tx, delivery: &Delivery) -> Result<(), Failure> {
        let (force, call) = (&delivery.force, delivery.call);
        let done = match delivery.name.as_str() {
            "transfer_requested" => {
                let facts = facts(delivery.decode::<TransferRequested>()?).map_err(poison)?;
                self.0.queue_call(tx, force, call, facts, &delivery.trace).await
            }
            "transfer_cancelled" => {
                delivery.decode::<TransferCancelled>()?;
                self.0.cancel_transfer(tx, force, call).await
            }
            // A consent that is taken back is told as one that isn't given.
            "consent_recorded" => {
                let consents = consents(&delivery.decode()?);
                self.0.consented(tx, force, call, consents).await
            }
            "fast_track_escalated" => {
                let escalated: FastTrackEscalated = delivery.decode()?;
                let officer = Some(escalated.officer_id.parse().map_err(poison)?);
                let alert = Alert { kind: AlertKind::FastTrack, officer };
                let fast_track = escalated.fast_track_id.parse().map_err(poison)?;
                self.0.fast_track_escalated(tx, (force, call), fast_track, &alert).await
            }
            "fast_track_acknowledged" => {
                let taken: FastTrackAcknowledged = delivery.decode()?;
                let fast_track = taken.fast_track_id.parse().map_err(poison)?;
                self.0.fast_track_acknowledged(tx, (force, call), fast_track).await
            }
            "session_ended" => {
                delivery.decode::<SessionEnded>()?;
                self.0.session_ended(tx, force, call).await
            }
            // Not one that we asked for.
            _ => Ok(()),
        };
        done.map_err(|error| Failure::of(error, false))
    }
}

fn poison(malformed: Malformed) -> Failure {
    Failure::Poison(malformed.to_string())
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

/// What the control room says of a call.
///
/// # Errors
/// An id or a reference isn't one.
pub fn facts(event: TransferRequested) -> Result<Facts, Malformed> {
    let incident = event.incident.clone().unwrap_or_default();
    Ok(Facts {
        incident: IncidentRef::parse(&incident.date, &incident.number)?,
        risk: match event.risk() {
            RiskGrade::High => Risk::High,
            RiskGrade::Medium => Risk::Medium,
            RiskGrade::Standard | RiskGrade::Unspecified => Risk::Standard,
        },
        route: match event.route() {
            JoinRoute::Sms => Route::Sms,
            JoinRoute::SpokenCode | JoinRoute::Unspecified => Route::SpokenCode,
        },
        children_present: event.children_present,
        recording_consented: event.recording_consented,
        stills_consented: event.stills_consented,
        covered_recording_consented: event.covered_recording_consented,
        vulnerability: match event.vulnerability() {
            intake::Vulnerability::Great => Vulnerability::Great,
            intake::Vulnerability::Some => Vulnerability::Some,
            intake::Vulnerability::None | intake::Vulnerability::Unspecified => Vulnerability::None,
        },
        child_may_speak: event.child_may_speak,
        officer_asked_for: gender_of(event.officer_asked_for()),
        silent: match event.silent_caller() {
            SilentCaller::Unspecified => None,
            SilentCaller::Pressed55 => Some(Silent::Pressed55),
            SilentCaller::TapsOnly => Some(Silent::TapsOnly),
            SilentCaller::CannotSpeak => Some(Silent::CannotSpeak),
        },
        follow_up: match event.follow_up_of.as_str() {
            "" => None,
            of => Some(FollowUp { of: of.parse()?, officer: event.for_officer.parse()? }),
        },
        language: event.language,
    })
}

/// A call waits at another place than was told last, or for another time.
#[must_use]
pub fn moved(call: &Call, stands: Standing, trace: Trace, now: DateTime<Utc>) -> NewEvent {
    let event = CallMoved {
        call_id: call.id.to_string(),
        force_id: call.force.to_string(),
        occurred_at: Some(timestamp(now)),
        position: stands.position,
        expected_wait_s: wait(stands),
    };
    NewEvent::new("call_moved", call.id, call.force.clone(), trace, &event)
}

/// The event that tells of a step. `stands`: where the call is in the queue, if it has come there; `opens_at`: when a desk
/// that is closed opens next.
#[must_use]
pub fn publish(
    call: &Call,
    published: &Published,
    (stands, opens_at): (Option<Standing>, Option<DateTime<Utc>>),
    trace: Trace,
    now: DateTime<Utc>,
) -> NewEvent {
    let (call_id, force_id) = (call.id.to_string(), call.force.to_string());
    let occurred_at = Some(timestamp(now));
    match published {
        Published::Queued => {
            let (position, expected_wait_s) = stands.map_or((0, None), |stands| (stands.position, wait(stands)));
            let event = CallQueued { call_id, force_id, occurred_at, position, expected_wait_s };
            NewEvent::new("call_queued", call.id, call.force.clone(), trace, &event)
        }
        Published::Offered(offer) => {
            let (officer_id, expires_at) = (offer.officer.to_string(), Some(timestamp(offer.expires_at)));
            let event = CallOffered { call_id, force_id, occurred_at, officer_id, expires_at };
            NewEvent::new("call_offered", call.id, call.force.clone(), trace, &event)
        }
        Published::Accepted(officer) => {
            NewEvent::new("call_accepted", call.id, call.force.clone(), trace, &accepted(call, officer, now))
        }
        Published::CalledBack(officer) => {
            let mut event = accepted(call, officer, now);
            event.called_back = true;
            NewEvent::new("call_accepted", call.id, call.force.clone(), trace, &event)
        }
        Published::Reassigned { from, to } => {
            let (from_officer_id, to_officer_id) = (from.to_string(), to.to_string());
            let event = CallReassigned { call_id, force_id, occurred_at, from_officer_id, to_officer_id };
            NewEvent::new("call_reassigned", call.id, call.force.clone(), trace, &event)
        }
        Published::Abandoned(reason) => {
            let event = CallAbandoned { call_id, force_id, occurred_at, reason: (*reason).to_owned() };
            NewEvent::new("call_abandoned", call.id, call.force.clone(), trace, &event)
        }
        Published::Returned { why, officer } => {
            let officer_id = officer.as_ref().map(ToString::to_string).unwrap_or_default();
            let (reason, desk_opens_at) = (why.as_str().to_owned(), opens_at.map(timestamp));
            let event = CallReturned { call_id, force_id, occurred_at, reason, officer_id, desk_opens_at };
            NewEvent::new("call_returned", call.id, call.force.clone(), trace, &event)
        }
    }
}

fn accepted(call: &Call, officer: &OfficerId, now: DateTime<Utc>) -> CallAccepted {
    CallAccepted {
        call_id: call.id.to_string(),
        force_id: call.force.to_string(),
        occurred_at: Some(timestamp(now)),
        officer_id: officer.to_string(),
        route: route(call.facts.route).into(),
        recording_consented: call.facts.recording_consented,
        stills_consented: call.facts.stills_consented,
        covered_recording_consented: call.facts.covered_recording_consented,
        incident: Some(incident(&call.facts.incident)),
        silent_caller: silent(call.facts.silent).into(),
        called_back: false,
    }
}

/// A call-back has come to another state, or was tried.
#[must_use]
pub fn callback_changed(callback: &Callback, trace: Trace, now: DateTime<Utc>) -> NewEvent {
    let event = CallbackChanged {
        call_id: callback.call.to_string(),
        force_id: callback.force.to_string(),
        occurred_at: Some(timestamp(now)),
        callback_id: callback.id.to_string(),
        state: callback_state(&callback.state).into(),
        from: Some(timestamp(callback.window.from)),
        until: Some(timestamp(callback.window.until)),
        attempts: u32::try_from(callback.attempts.len()).unwrap_or(u32::MAX),
        last_outcome: callback.attempts.last().map_or(CallbackOutcome::Unspecified, |last| tried(last.outcome)).into(),
    };
    NewEvent::new("callback_changed", callback.call, callback.force.clone(), trace, &event)
}

pub(crate) fn callback_state(state: &CallbackState) -> intake::CallbackState {
    match state {
        CallbackState::Agreed => intake::CallbackState::Agreed,
        CallbackState::Due { .. } => intake::CallbackState::Due,
        CallbackState::Taken { .. } => intake::CallbackState::Taken,
        CallbackState::Kept => intake::CallbackState::Kept,
        CallbackState::Missed => intake::CallbackState::Missed,
        CallbackState::Cancelled => intake::CallbackState::Cancelled,
    }
}

pub(crate) fn tried(outcome: Tried) -> CallbackOutcome {
    match outcome {
        Tried::Reached => CallbackOutcome::Reached,
        Tried::NoAnswer => CallbackOutcome::NoAnswer,
        Tried::SomebodyElse => CallbackOutcome::SomebodyElseAnswered,
        Tried::WordNotGiven => CallbackOutcome::WordNotGiven,
        Tried::NotSafe => CallbackOutcome::NotSafe,
    }
}

/// As the contract has it.
pub(crate) fn wait(stands: Standing) -> Option<u32> {
    stands.wait.map(|wait| wait.as_secs().try_into().unwrap_or(u32::MAX))
}

fn route(route: Route) -> JoinRoute {
    match route {
        Route::SpokenCode => JoinRoute::SpokenCode,
        Route::Sms => JoinRoute::Sms,
    }
}

pub(crate) fn risk(risk: Risk) -> RiskGrade {
    match risk {
        Risk::Standard => RiskGrade::Standard,
        Risk::Medium => RiskGrade::Medium,
        Risk::High => RiskGrade::High,
    }
}

pub(crate) fn vulnerability(vulnerability: Vulnerability) -> intake::Vulnerability {
    match vulnerability {
        Vulnerability::None => intake::Vulnerability::None,
        Vulnerability::Some => intake::Vulnerability::Some,
        Vulnerability::Great => intake::Vulnerability::Great,
    }
}

pub(crate) fn silent(silent: Option<Silent>) -> SilentCaller {
    match silent {
        None => SilentCaller::Unspecified,
        Some(Silent::Pressed55) => SilentCaller::Pressed55,
        Some(Silent::TapsOnly) => SilentCaller::TapsOnly,
        Some(Silent::CannotSpeak) => SilentCaller::CannotSpeak,
    }
}

pub(crate) fn gender(gender: Option<Gender>) -> intake::Gender {
    match gender {
        None => intake::Gender::Unspecified,
        Some(Gender::Woman) => intake::Gender::Woman,
        Some(Gender::Man) => intake::Gender::Man,
    }
}

pub(crate) fn gender_of(gender: intake::Gender) -> Option<Gender> {
    match gender {
        intake::Gender::Unspecified => None,
        intake::Gender::Woman => Some(Gender::Woman),
        intake::Gender::Man => Some(Gender::Man),
    }
}

pub(crate) fn incident(incident: &IncidentRef) -> Incident {
    Incident { date: incident.date.to_string(), number: incident.number.to_string() }
}

pub(crate) fn timestamp(at: DateTime<Utc>) -> Timestamp {
    Timestamp { seconds: at.timestamp(), nanos: i32::try_from(at.timestamp_subsec_nanos()).unwrap_or_default() }
}
