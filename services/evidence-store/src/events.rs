//! What the service hears (accepted calls, ended sessions) and what it tells.

use std::collections::BTreeMap;

use api::{
    evidence::v1::{
        AddendumSealed, ArchivedTrack, CheckpointPublished, ExhibitArchived, ExhibitDisposed, ExhibitOpened,
        ExhibitSealed, IntegrityAlarm,
    },
    intake::v1::{ConsentKind, ConsentRecorded, consent_recorded::ConsentFact},
    session::v1::{Role, SessionEnded},
    transfer::v1::CallAccepted,
};
use chassis::Trace;
use chrono::{DateTime, Utc};
use ids::{CallId, ForceId, IncidentRef, Malformed, TrackName};
use outbox::{Delivery, Failure, Handler, NewEvent};
use prost_types::Timestamp;

use crate::{
    app::App,
    domain::{Declaration, Declared, Event, Exhibit},
};

/// Whose events are heard, and which.
pub const HEARD: [(&str, &[&str]); 3] =
    [("transfer", &["call_accepted"]), ("session", &["session_ended"]), ("intake", &["consent_recorded"])];

/// Takes events in, each within the transaction of its inbox row.
#[derive(Clone)]
pub struct Heard(pub App);

impl Handler for Heard {
    async fn handle(&self, tx: &mut outbox::Tx, delivery: &Delivery) -> Result<(), Failure> {
        if let Err(behind) = self.0.log().standing().check() {
            return Err(Failure::of(behind, true));
        }
        let (force, call) = (&delivery.force, delivery.call);
        match delivery.name.as_str() {
            "call_accepted" => {
                let incident = delivery.decode::<CallAccepted>()?.incident.unwrap_or_default();
                let incident = IncidentRef::parse(&incident.date, &incident.number).map_err(poison)?;
                self.0.open(tx, force, call, &incident, &delivery.trace).await.map(drop)
            }
            "session_ended" => {
                let declaration = declaration(delivery.decode()?, self.0.now())?;
                self.0.session_ended(tx, force, call, &declaration).await
            }
            "consent_recorded" => {
                let recorded: ConsentRecorded = delivery.decode()?;
                let at = recorded.occurred_at.and_then(instant).ok_or_else(|| poison("no time of consent"))?;
                let given = recorded.consents.iter().filter_map(|fact| consent(fact).transpose());
                let given: BTreeMap<_, _> = given.collect::<Result<_, _>>()?;
                if given.is_empty() {
                    return Ok(());
                }
                self.0.consents_recorded(tx, force, call, delivery.event, at, &given).await
            }
            // Not one that we asked for.
            _ => Ok(()),
        }
        .map_err(|error| {
            let away = error.is_away();
            Failure::of(error, away)
        })
    }
}

fn poison(error: impl std::fmt::Display) -> Failure {
    Failure::Poison(error.to_string())
}

/// A consent that is taken back is told as one that isn't given.
fn consent(fact: &ConsentFact) -> Result<Option<(&'static str, bool)>, Failure> {
    let kind = match fact.kind() {
        ConsentKind::Video => "video",
        ConsentKind::Recording => "recording",
        ConsentKind::Stills => "stills",
        ConsentKind::Covered => "covered",
        ConsentKind::Location => "location",
        // About what comes of the call, and not about what is recorded of it.
        ConsentKind::Child | ConsentKind::Referral => return Ok(None),
        ConsentKind::Unspecified => return Err(poison("a consent to nothing")),
    };
    Ok(Some((kind, fact.given)))
}

/// What video-session says that it has recorded.
///
/// # Errors
/// An id, a role or a time isn't one.
pub fn declaration(event: SessionEnded, now: DateTime<Utc>) -> Result<Declaration, Failure> {
    let mut tracks: BTreeMap<TrackName, Declared> = BTreeMap::new();
    for track in event.tracks {
        let role = match track.role() {
            Role::Caller => "caller",
            Role::Officer => "officer",
            Role::Observer => "observer",
            Role::Interpreter => "interpreter",
            Role::Supporter => "supporter",
            Role::Unspecified => return Err(poison("a recorded track without a role")),
        };
        let declared = Declared {
            participant: track.participant_id.parse().map_err(poison)?,
            role: role.to_owned(),
            segments: track.segments,
        };
        tracks.insert(track.track.parse().map_err(poison)?, declared);
    }
    let ended_at = event.occurred_at.and_then(instant).ok_or_else(|| poison("no time of ending"))?;
    Ok(Declaration {
        session: event.session_id.parse().map_err(poison)?,
        reason: event.reason,
        started_at: event.started_at.and_then(instant),
        ended_at,
        heard_at: now,
        recorded: event.recorded,
        tracks,
    })
}

/// The event that tells of what happened to an exhibit.
#[must_use]
pub fn publish(exhibit: &Exhibit, event: &Event, trace: Trace, now: DateTime<Utc>) -> NewEvent {
    let (call_id, force_id) = (exhibit.call.to_string(), exhibit.force.to_string());
    let (exhibit_id, reference) = (exhibit.id.to_string(), exhibit.reference.to_string());
    let occurred_at = Some(timestamp(now));
    match event {
        Event::Opened => {
            let opened = ExhibitOpened { call_id, force_id, occurred_at, exhibit_id, reference };
            NewEvent::new("exhibit_opened", exhibit.call, exhibit.force.clone(), trace, &opened)
        }
        Event::Sealed { seal, missing } => {
            let (seal_sha256, missing_segments) = (seal.to_string(), *missing);
            let sealed =
                ExhibitSealed { call_id, force_id, occurred_at, exhibit_id, reference, seal_sha256, missing_segments };
            NewEvent::new("exhibit_sealed", exhibit.call, exhibit.force.clone(), trace, &sealed)
        }
        Event::AddendumSealed { parent, seal } => {
            let (parent_exhibit_id, seal_sha256) = (parent.to_string(), seal.to_string());
            let sealed = AddendumSealed {
                call_id,
                force_id,
                occurred_at,
                exhibit_id,
                reference,
                parent_exhibit_id,
                seal_sha256,
            };
            NewEvent::new("addendum_sealed", exhibit.call, exhibit.force.clone(), trace, &sealed)
        }
        Event::Disposed { tombstone } => {
            let tombstone_sha256 = tombstone.to_string();
            let disposed = ExhibitDisposed { call_id, force_id, occurred_at, exhibit_id, tombstone_sha256 };
            NewEvent::new("exhibit_disposed", exhibit.call, exhibit.force.clone(), trace, &disposed)
        }
    }
}

/// The event that lets go of copies kept for re-sending, up to these marks.
#[must_use]
pub fn archived(exhibit: &Exhibit, marks: &BTreeMap<TrackName, u64>, trace: Trace, now: DateTime<Utc>) -> NewEvent {
    let track = |(track, mark): (&TrackName, &u64)| ArchivedTrack { track: track.to_string(), segments: *mark };
    let archived = ExhibitArchived {
        call_id: exhibit.call.to_string(),
        force_id: exhibit.force.to_string(),
        occurred_at: Some(timestamp(now)),
        exhibit_id: exhibit.id.to_string(),
        tracks: marks.iter().map(track).collect(),
    };
    NewEvent::new("exhibit_archived", exhibit.call, exhibit.force.clone(), trace, &archived)
}

/// The event that calls for a person.
#[must_use]
pub fn alarm(exhibit: &Exhibit, kind: &str, track: &TrackName, seq: u64, trace: Trace, now: DateTime<Utc>) -> NewEvent {
    let alarm = IntegrityAlarm {
        call_id: exhibit.call.to_string(),
        force_id: exhibit.force.to_string(),
        occurred_at: Some(timestamp(now)),
        exhibit_id: exhibit.id.to_string(),
        kind: kind.to_owned(),
        track: track.to_string(),
        seq,
    };
    NewEvent::new("integrity_alarm", exhibit.call, exhibit.force.clone(), trace, &alarm)
}

/// The event that tells of a checkpoint. It is about no call, so it goes by the nil one; its subject ends in `log`.
///
/// # Errors
/// Never: "log" is as good as any force's name.
pub fn checkpoint(checkpoint: &CheckpointPublished) -> Result<NewEvent, Malformed> {
    let (nobody, log) = (CallId::from(uuid::Uuid::nil()), "log".parse::<ForceId>()?);
    Ok(NewEvent::new("checkpoint_published", nobody, log, Trace::current(), checkpoint))
}

pub(crate) fn timestamp(at: DateTime<Utc>) -> Timestamp {
    Timestamp { seconds: at.timestamp(), nanos: i32::try_from(at.timestamp_subsec_nanos()).unwrap_or_default() }
}

/// To the microsecond: what Postgres and the chain keep.
pub(crate) fn instant(at: Timestamp) -> Option<DateTime<Utc>> {
    let micros = u32::try_from(at.nanos).ok()? / 1_000 * 1_000;
    DateTime::from_timestamp(at.seconds, micros)
}
