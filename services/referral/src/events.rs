//! What referral publishes, and what it hears from intake, the desk, the session and the evidence store.

pub mod deadlines;
pub(crate) mod delivery;
pub mod referrals;
mod sealing;

pub use sealing::package_sealed;

use api::{
    evidence::v1 as evidence, intake::v1 as intake, referral::v1 as proto, session::v1 as session,
    transfer::v1 as transfer,
};
use chassis::Trace;
use chrono::{DateTime, Utc};
use ids::{AssessmentId, ForceId, IncidentRef};
use outbox::{Delivery, Failure, NewEvent, Poison};

use crate::{
    app::{App, On},
    domain::{Consent, ConsentKind, Ended, Event, Fact, Heard, Package, With, risk::Grading},
    error::Error,
    grpc::{risk, timestamp},
};

/// What is heard: durable, source, names.
pub const HEARD: [(&str, &str, &[&str]); 4] = [
    ("referral-intake", "intake", &["consent_recorded", "follow_up_started", "transfer_requested"]),
    ("referral-transfer", "transfer", &["call_accepted", "call_reassigned", "call_returned"]),
    ("referral-session", "session", &["still_captured", "session_ended"]),
    ("referral-evidence", "evidence", &["exhibit_opened", "exhibit_sealed", "addendum_sealed"]),
];

/// An event on its way out, in the call's trace.
#[must_use]
pub fn publish(package: &Package, event: Event, trace: &Trace, now: DateTime<Utc>) -> NewEvent {
    let Event::PackageOpened(id) = event;
    let opened = proto::PackageOpened {
        call_id: package.call.to_string(),
        force_id: package.force.to_string(),
        occurred_at: Some(timestamp(now)),
        package_id: id.to_string(),
    };
    NewEvent::new("package_opened", package.call, package.force.clone(), trace.clone(), &opened)
}

/// A grade that was given, on its way out, in the call's trace.
#[must_use]
pub fn risk_graded(on: &On, assessment: AssessmentId, grading: &Grading, trace: &Trace) -> NewEvent {
    let graded = proto::RiskGraded {
        call_id: on.call.to_string(),
        force_id: on.force.to_string(),
        occurred_at: Some(timestamp(grading.at)),
        assessment_id: assessment.to_string(),
        grade: risk::grade(grading.decision.grade).into(),
        by: risk::by(grading.decision.by).into(),
        officer_id: grading.officer.to_string(),
    };
    NewEvent::new("risk_graded", on.call, on.force.clone(), trace.clone(), &graded)
}

/// Hears what `HEARD` lists.
pub struct Ear(pub App);

impl outbox::Handler for Ear {
    async fn handle(&self, tx: &mut outbox::Tx, delivery: &Delivery) -> Result<(), Failure> {
        let on = On { force: delivery.force.clone(), call: delivery.call };
        let heard = match read(delivery)? {
            Came::Nothing => return Ok(()),
            Came::Fact(fact) => self.0.hear(tx, &on, fact, &delivery.trace).await,
            Came::AddendumSealed => self.0.stir_sealing(tx, &on).await.map(|()| Heard::Taken),
            Came::Ended(ended) => self.0.session_ended(tx, &on, ended, &delivery.trace).await,
        };
        let (event, call) = (&delivery.name, delivery.call);
        match heard {
            Ok(Heard::Conflict) => {
                tracing::error!(event, %call, "a fact contradicts the package; the first stands");
            }
            Ok(heard) => tracing::debug!(event, %call, ?heard, "heard"),
            Err(error @ Error::OtherForce) => return Err(Failure::Poison(error.to_string())),
            Err(error) => return Err(Failure::of(error, false)),
        }
        Ok(())
    }
}

enum Came {
    Nothing,
    Fact(Fact),
    AddendumSealed,
    Ended(Ended),
}

fn read(delivery: &Delivery) -> Result<Came, Poison> {
    let fact = match delivery.name.as_str() {
        "consent_recorded" => {
            let recorded: intake::ConsentRecorded = delivery.decode()?;
            same(delivery, &recorded.call_id, &recorded.force_id)?;
            // A kind that a newer intake knows and we don't fills nothing here, and spoils nothing.
            let answers = recorded.consents.iter().filter_map(|fact| Some((consent(fact)?, fact.given))).collect();
            Fact::Consented { answers, version: delivery.version }
        }
        "transfer_requested" => {
            let requested: intake::TransferRequested = delivery.decode()?;
            same(delivery, &requested.call_id, &requested.force_id)?;
            if !requested.children_present {
                return Ok(Came::Nothing);
            }
            Fact::ChildrenSaid
        }
        "follow_up_started" => {
            let started: intake::FollowUpStarted = delivery.decode()?;
            same(delivery, &started.call_id, &started.force_id)?;
            Fact::FollowUp(started.first_call_id.parse().map_err(malformed)?)
        }
        "call_accepted" => {
            let accepted: transfer::CallAccepted = delivery.decode()?;
            same(delivery, &accepted.call_id, &accepted.force_id)?;
            let incident = accepted.incident.unwrap_or_default();
            let incident = IncidentRef::parse(&incident.date, &incident.number).map_err(malformed)?;
            Fact::Accepted(incident, with(delivery, &accepted.officer_id)?)
        }
        "call_reassigned" => {
            let moved: transfer::CallReassigned = delivery.decode()?;
            same(delivery, &moved.call_id, &moved.force_id)?;
            Fact::Moved(with(delivery, &moved.to_officer_id)?)
        }
        "call_returned" => {
            let returned: transfer::CallReturned = delivery.decode()?;
            same(delivery, &returned.call_id, &returned.force_id)?;
            Fact::Moved(With { officer: None, version: delivery.version })
        }
        "session_ended" => {
            let ended: session::SessionEnded = delivery.decode()?;
            same(delivery, &ended.call_id, &ended.force_id)?;
            let session = ended.session_id.parse().map_err(malformed)?;
            let times = time(ended.started_at.as_ref()).zip(time(ended.occurred_at.as_ref()));
            return Ok(Came::Ended(Ended { session, recorded: ended.recorded, times }));
        }
        "still_captured" => {
            let taken: session::StillCaptured = delivery.decode()?;
            same(delivery, &taken.call_id, &taken.force_id)?;
            Fact::Pictured(taken.item_name)
        }
        "exhibit_opened" => {
            let opened: evidence::ExhibitOpened = delivery.decode()?;
            same(delivery, &opened.call_id, &opened.force_id)?;
            Fact::ExhibitOpened { id: opened.exhibit_id.parse().map_err(malformed)?, reference: opened.reference }
        }
        "exhibit_sealed" => {
            let sealed: evidence::ExhibitSealed = delivery.decode()?;
            same(delivery, &sealed.call_id, &sealed.force_id)?;
            let id = sealed.exhibit_id.parse().map_err(malformed)?;
            Fact::ExhibitSealed { id, reference: sealed.reference, seal: sealed.seal_sha256 }
        }
        "addendum_sealed" => {
            let sealed: evidence::AddendumSealed = delivery.decode()?;
            same(delivery, &sealed.call_id, &sealed.force_id)?;
            return Ok(Came::AddendumSealed);
        }
        other => return Err(Poison(format!("nobody asked for {other}"))),
    };
    Ok(Came::Fact(fact))
}

fn consent(fact: &intake::consent_recorded::ConsentFact) -> Option<Consent> {
    match fact.kind() {
        intake::ConsentKind::Video => Some(Consent::Call(ConsentKind::Video)),
        intake::ConsentKind::Recording => Some(Consent::Call(ConsentKind::Recording)),
        intake::ConsentKind::Stills => Some(Consent::Call(ConsentKind::Stills)),
        intake::ConsentKind::Covered => Some(Consent::Call(ConsentKind::Covered)),
        intake::ConsentKind::Child => Some(Consent::Child(fact.subject.clone())),
        intake::ConsentKind::Referral => Some(Consent::Referral(fact.subject.clone())),
        // Where they are is looked at during the call, and fills nothing here.
        intake::ConsentKind::Location | intake::ConsentKind::Unspecified => None,
    }
}

/// None, if it says no moment.
pub(crate) fn time(at: Option<&prost_types::Timestamp>) -> Option<DateTime<Utc>> {
    at.and_then(|at| DateTime::from_timestamp(at.seconds, u32::try_from(at.nanos).ok()?))
}

/// Who has the call from this event on.
fn with(delivery: &Delivery, officer: &str) -> Result<With, Poison> {
    Ok(With { officer: Some(officer.parse().map_err(malformed)?), version: delivery.version })
}

fn malformed(error: ids::Malformed) -> Poison {
    Poison(error.to_string())
}

/// The payload must be about the call and force that its headers name: routing and effect go by the same.
fn same(delivery: &Delivery, call: &str, force: &str) -> Result<(), Poison> {
    if call.parse() == Ok(delivery.call) && force.parse::<ForceId>().as_ref() == Ok(&delivery.force) {
        return Ok(());
    }
    Err(Poison("the payload is about another call than its headers".to_owned()))
}
