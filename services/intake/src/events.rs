//! What intake publishes, and what it hears from the desk, the session and the evidence store.

use api::{
    evidence::v1 as evidence, intake::v1 as proto, referral::v1 as referral, session::v1 as session,
    transfer::v1 as transfer,
};
use chassis::Trace;
use chrono::{DateTime, Utc};
use ids::ForceId;
use outbox::{Delivery, Failure, NewEvent, Poison};

use crate::{
    app::{Intake, On},
    domain::{
        Back, Call, CallbackNews, CallbackState, Duress, Event, Fact, Graded, Heard, Help, How, Place, ReferralNews,
        ReferralStand, Risk, Seal, Tried, Wish,
    },
    error::Error,
    grpc::{consent_fact, gender, incident, line, risk, route, silent, timestamp, vulnerability},
};

/// What is heard: durable, source, names.
pub const HEARD: [(&str, &str, &[&str]); 4] = [
    (
        "intake-transfer",
        "transfer",
        &[
            "call_queued",
            "call_moved",
            "call_offered",
            "call_accepted",
            "call_reassigned",
            "call_abandoned",
            "call_returned",
            "callback_changed",
        ],
    ),
    (
        "intake-session",
        "session",
        &[
            "invitation_issued",
            "caller_joined",
            "cover_changed",
            "duress_raised",
            "duress_acknowledged",
            "fast_track_requested",
            "session_ended",
        ],
    ),
    ("intake-evidence", "evidence", &["exhibit_sealed"]),
    (
        "intake-referral",
        "referral",
        &["risk_graded", "referral_made", "referral_acknowledged", "referral_withdrawn", "delivery_failed"],
    ),
];

/// An event on its way out, in the call's trace.
#[must_use]
pub fn publish(call: &Call, event: Event, trace: &Trace, now: DateTime<Utc>) -> NewEvent {
    let (call_id, force_id, occurred_at) = (call.id.to_string(), call.force.to_string(), Some(timestamp(now)));
    let (id, force, trace) = (call.id, call.force.clone(), trace.clone());
    match event {
        Event::CallOpened { line: by, incident: about, .. } => {
            let incident = Some(incident(&about));
            let opened = proto::CallOpened { call_id, force_id, occurred_at, line: line(by).into(), incident };
            NewEvent::new("call_opened", id, force, trace, &opened)
        }
        Event::FollowUpStarted { first, officer } => {
            let (first_call_id, officer_id) = (first.to_string(), officer.to_string());
            let started = proto::FollowUpStarted { call_id, force_id, occurred_at, first_call_id, officer_id };
            NewEvent::new("follow_up_started", id, force, trace, &started)
        }
        Event::ConsentRecorded { consents } => {
            let consents = consents.into_iter().map(consent_fact).collect();
            let recorded = proto::ConsentRecorded { call_id, force_id, occurred_at, consents };
            NewEvent::new("consent_recorded", id, force, trace, &recorded)
        }
        Event::TransferRequested { fit, consents, incident: about, for_officer } => {
            let requested = proto::TransferRequested {
                call_id,
                force_id,
                occurred_at,
                risk: risk(fit.risk).into(),
                language: fit.language.as_str().to_owned(),
                children_present: fit.children_present,
                route: route(fit.route).into(),
                // Never asked is not agreed.
                recording_consented: consents.recording == Some(true),
                stills_consented: consents.stills == Some(true),
                covered_recording_consented: consents.covered == Some(true),
                incident: Some(incident(&about)),
                vulnerability: vulnerability(fit.needs.vulnerability).into(),
                officer_asked_for: gender(fit.needs.officer_asked_for).into(),
                child_may_speak: fit.needs.child_may_speak,
                silent_caller: silent(fit.needs.silent).into(),
                for_officer: for_officer.map(|officer| officer.to_string()).unwrap_or_default(),
                follow_up_of: call.follow_up_of.map(|first| first.to_string()).unwrap_or_default(),
            };
            NewEvent::new("transfer_requested", id, force, trace, &requested)
        }
        Event::TransferCancelled => {
            let cancelled = proto::TransferCancelled { call_id, force_id, occurred_at };
            NewEvent::new("transfer_cancelled", id, force, trace, &cancelled)
        }
        Event::FastTrackAcknowledged { id: fast_track, times, taken } => {
            let acknowledged = proto::FastTrackAcknowledged {
                call_id,
                force_id,
                occurred_at: Some(timestamp(taken.at)),
                fast_track_id: fast_track.to_string(),
                taken_by: taken.by,
                unit: taken.unit.unwrap_or_default(),
                times_raised: times,
            };
            NewEvent::new("fast_track_acknowledged", id, force, trace, &acknowledged)
        }
        Event::FastTrackEscalated { id: fast_track, times, officer } => {
            let escalated = proto::FastTrackEscalated {
                call_id,
                force_id,
                occurred_at,
                fast_track_id: fast_track.to_string(),
                times_raised: times,
                officer_id: officer.to_string(),
            };
            NewEvent::new("fast_track_escalated", id, force, trace, &escalated)
        }
    }
}

/// Hears what `HEARD` lists.
pub struct Ear(pub Intake);

impl outbox::Handler for Ear {
    async fn handle(&self, tx: &mut outbox::Tx, delivery: &Delivery) -> Result<(), Failure> {
        let on = On { force: delivery.force.clone(), call: delivery.call, officer: None };
        let heard = match read(delivery)? {
            Came::Fact(fact) => self.0.hear(tx, &on, fact).await,
            Came::Sealed(seal) => self.0.hear_sealed(tx, &on, seal).await,
            Came::FastTrack(wish) => self.0.hear_fast_track(tx, &on, wish).await,
        };
        let (event, call) = (&delivery.name, delivery.call);
        match heard {
            Ok(heard @ (Heard::Conflict | Heard::Unasked)) => {
                tracing::error!(event, %call, ?heard, "a fact contradicts the call; the call stands");
            }
            Ok(heard) => tracing::debug!(event, %call, ?heard, "heard"),
            // Every call begins here, so one that isn't known will never be.
            Err(Error::UnknownCall) => return Err(Failure::Poison("no such call".to_owned())),
            Err(error) => return Err(Failure::of(error, false)),
        }
        Ok(())
    }
}

/// What an event comes to.
#[derive(Debug)]
pub enum Came {
    /// A fact of the desk, the session or the help.
    Fact(Fact),
    /// The exhibit is sealed.
    Sealed(Seal),
    /// Somebody is to be sent.
    FastTrack(Wish),
}

/// Reads an event that `HEARD` lists.
///
/// # Errors
/// It isn't one, or says nothing that could be.
pub fn read(delivery: &Delivery) -> Result<Came, Poison> {
    let fact = match delivery.name.as_str() {
        "call_queued" => {
            let queued: transfer::CallQueued = delivery.decode()?;
            same(delivery, &queued.call_id, &queued.force_id)?;
            Fact::Queued(Place { position: queued.position, expected_wait_s: queued.expected_wait_s })
        }
        "call_moved" => {
            let moved: transfer::CallMoved = delivery.decode()?;
            same(delivery, &moved.call_id, &moved.force_id)?;
            Fact::Queued(Place { position: moved.position, expected_wait_s: moved.expected_wait_s })
        }
        "call_offered" => {
            let offered: transfer::CallOffered = delivery.decode()?;
            same(delivery, &offered.call_id, &offered.force_id)?;
            Fact::Offered
        }
        "call_accepted" => {
            let accepted: transfer::CallAccepted = delivery.decode()?;
            same(delivery, &accepted.call_id, &accepted.force_id)?;
            let officer = accepted.officer_id.parse().map_err(malformed)?;
            if accepted.called_back { Fact::CalledBack(officer) } else { Fact::Accepted(officer) }
        }
        "call_reassigned" => {
            let moved: transfer::CallReassigned = delivery.decode()?;
            same(delivery, &moved.call_id, &moved.force_id)?;
            Fact::Reassigned(moved.to_officer_id.parse().map_err(|error: ids::Malformed| Poison(error.to_string()))?)
        }
        "call_abandoned" => {
            let abandoned: transfer::CallAbandoned = delivery.decode()?;
            same(delivery, &abandoned.call_id, &abandoned.force_id)?;
            Fact::Abandoned(abandoned.reason)
        }
        "call_returned" => {
            let returned: transfer::CallReturned = delivery.decode()?;
            same(delivery, &returned.call_id, &returned.force_id)?;
            let opens_at = returned.desk_opens_at.map(|at| when(Some(at))).transpose()?;
            Fact::Returned(Back { why: returned.reason, opens_at })
        }
        "callback_changed" => {
            let changed: transfer::CallbackChanged = delivery.decode()?;
            same(delivery, &changed.call_id, &changed.force_id)?;
            Fact::Callback(callback(&changed)?)
        }
        "invitation_issued" => {
            let issued: session::InvitationIssued = delivery.decode()?;
            same(delivery, &issued.call_id, &issued.force_id)?;
            Fact::InvitationIssued
        }
        "caller_joined" => {
            let joined: session::CallerJoined = delivery.decode()?;
            same(delivery, &joined.call_id, &joined.force_id)?;
            Fact::CallerJoined
        }
        "cover_changed" => {
            let changed: session::CoverChanged = delivery.decode()?;
            same(delivery, &changed.call_id, &changed.force_id)?;
            Fact::Cover(changed.covered)
        }
        "duress_raised" => {
            let raised: session::DuressRaised = delivery.decode()?;
            same(delivery, &raised.call_id, &raised.force_id)?;
            Fact::Duress(duress(raised.how(), raised.occurred_at, false)?)
        }
        "duress_acknowledged" => {
            let seen: session::DuressAcknowledged = delivery.decode()?;
            same(delivery, &seen.call_id, &seen.force_id)?;
            Fact::Duress(duress(seen.how(), seen.raised_at, true)?)
        }
        "fast_track_requested" => {
            let requested: session::FastTrackRequested = delivery.decode()?;
            same(delivery, &requested.call_id, &requested.force_id)?;
            return Ok(Came::FastTrack(wish(requested)?));
        }
        "session_ended" => {
            let ended: session::SessionEnded = delivery.decode()?;
            same(delivery, &ended.call_id, &ended.force_id)?;
            Fact::SessionEnded { reason: ended.reason, recorded: ended.recorded }
        }
        "exhibit_sealed" => {
            let sealed: evidence::ExhibitSealed = delivery.decode()?;
            same(delivery, &sealed.call_id, &sealed.force_id)?;
            return Ok(Came::Sealed(seal(sealed)?));
        }
        _ => Fact::Help(help(delivery)?),
    };
    Ok(Came::Fact(fact))
}

fn help(delivery: &Delivery) -> Result<Help, Poison> {
    let (id, about, stand) = match delivery.name.as_str() {
        "risk_graded" => {
            let graded: referral::RiskGraded = delivery.decode()?;
            same(delivery, &graded.call_id, &graded.force_id)?;
            let grade = grade(graded.grade()).ok_or_else(|| Poison("a grade that isn't one".to_owned()))?;
            let officer = graded.officer_id.parse().map_err(malformed)?;
            return Ok(Help::Graded(Graded { grade, officer }));
        }
        "referral_made" => {
            let made: referral::ReferralMade = delivery.decode()?;
            same(delivery, &made.call_id, &made.force_id)?;
            (made.referral_id, made.kind, ReferralStand::Made)
        }
        "referral_acknowledged" => {
            let acknowledged: referral::ReferralAcknowledged = delivery.decode()?;
            same(delivery, &acknowledged.call_id, &acknowledged.force_id)?;
            (acknowledged.referral_id, acknowledged.kind, ReferralStand::Acknowledged)
        }
        "referral_withdrawn" => {
            let withdrawn: referral::ReferralWithdrawn = delivery.decode()?;
            same(delivery, &withdrawn.call_id, &withdrawn.force_id)?;
            (withdrawn.referral_id, withdrawn.kind, ReferralStand::Withdrawn)
        }
        "delivery_failed" => {
            let failed: referral::DeliveryFailed = delivery.decode()?;
            same(delivery, &failed.call_id, &failed.force_id)?;
            (failed.referral_id, failed.kind, ReferralStand::NotDelivered)
        }
        other => return Err(Poison(format!("nobody asked for {other}"))),
    };
    Ok(Help::Referral(ReferralNews { id: id.parse().map_err(malformed)?, about, stand }))
}

fn grade(grade: proto::RiskGrade) -> Option<Risk> {
    match grade {
        proto::RiskGrade::Standard => Some(Risk::Standard),
        proto::RiskGrade::Medium => Some(Risk::Medium),
        proto::RiskGrade::High => Some(Risk::High),
        proto::RiskGrade::Unspecified => None,
    }
}

fn duress(how: session::DuressHow, at: Option<prost_types::Timestamp>, acknowledged: bool) -> Result<Duress, Poison> {
    let how = match how {
        session::DuressHow::Word => How::Word,
        session::DuressHow::Corner => How::Corner,
        session::DuressHow::Unspecified => return Err(Poison("help was asked for in no known way".to_owned())),
    };
    Ok(Duress { how, raised_at: when(at)?, acknowledged })
}

fn callback(changed: &transfer::CallbackChanged) -> Result<CallbackNews, Poison> {
    let stand = match changed.state() {
        proto::CallbackState::Agreed => CallbackState::Agreed,
        proto::CallbackState::Due => CallbackState::Due,
        proto::CallbackState::Taken => CallbackState::Taken,
        proto::CallbackState::Kept => CallbackState::Kept,
        proto::CallbackState::Missed => CallbackState::Missed,
        proto::CallbackState::Cancelled => CallbackState::Cancelled,
        proto::CallbackState::Unspecified => return Err(Poison("a call-back in no known state".to_owned())),
    };
    let last = match changed.last_outcome() {
        proto::CallbackOutcome::Unspecified => None,
        proto::CallbackOutcome::Reached => Some(Tried::Reached),
        proto::CallbackOutcome::NoAnswer => Some(Tried::NoAnswer),
        proto::CallbackOutcome::SomebodyElseAnswered => Some(Tried::SomebodyElse),
        proto::CallbackOutcome::WordNotGiven => Some(Tried::WordNotGiven),
        proto::CallbackOutcome::NotSafe => Some(Tried::NotSafe),
    };
    let (from, until) = (when(changed.from)?, when(changed.until)?);
    let id = changed.callback_id.parse().map_err(malformed)?;
    Ok(CallbackNews { id, stand, from, until, attempts: changed.attempts, last })
}

fn malformed(error: ids::Malformed) -> Poison {
    Poison(error.to_string())
}

fn wish(requested: session::FastTrackRequested) -> Result<Wish, Poison> {
    let is_word = |b: u8| b.is_ascii_uppercase() || b == b'_';
    let reason = Some(requested.reason.clone()).filter(|word| word.len() <= 32 && word.bytes().all(is_word));
    Ok(Wish {
        id: requested.fast_track_id.parse().map_err(malformed)?,
        officer: requested.officer_id.parse().map_err(malformed)?,
        requested_at: when(requested.occurred_at)?,
        // A grade that we don't know is none to be taken lightly.
        risk: grade(requested.risk()).unwrap_or(Risk::High),
        // Words are for nobody's log: what isn't one of a list is none.
        reason: reason.unwrap_or_else(|| "OTHER".to_owned()),
        still: Some(requested.still_item).filter(|item| !item.is_empty()),
    })
}

fn when(at: Option<prost_types::Timestamp>) -> Result<DateTime<Utc>, Poison> {
    let at = at.and_then(|at| DateTime::from_timestamp(at.seconds, u32::try_from(at.nanos).ok()?));
    at.ok_or_else(|| Poison("nobody knows when that was".to_owned()))
}

fn seal(sealed: evidence::ExhibitSealed) -> Result<Seal, Poison> {
    let digest = |text: &str| text.len() == 64 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    if !digest(&sealed.seal_sha256) {
        return Err(Poison("seal_sha256 is not a SHA-256 in lower-case hex".to_owned()));
    }
    let exhibit = sealed.exhibit_id.parse().map_err(|error: ids::Malformed| Poison(error.to_string()))?;
    Ok(Seal { exhibit, reference: sealed.reference, sha256: sealed.seal_sha256 })
}

/// The payload must be about the call and force that its headers name: routing and effect go by the same.
fn same(delivery: &Delivery, call: &str, force: &str) -> Result<(), Poison> {
    if call.parse() == Ok(delivery.call) && force.parse::<ForceId>().as_ref() == Ok(&delivery.force) {
        return Ok(());
    }
    Err(Poison("the payload is about another call than its headers".to_owned()))
}
