//! What referral publishes, and what it hears from intake, the desk, the session and the evidence store.

pub(crate) mod delivery;

use api::{
    evidence::v1 as evidence, intake::v1 as intake, referral::v1 as proto, session::v1 as session,
    transfer::v1 as transfer,
};
use chassis::Trace;
use chrono::{DateTime, Utc};
use ids::{ForceId, IncidentRef};
use outbox::{Delivery, Failure, NewEvent, Poison};

use crate::{
    app::{App, On},
    domain::{ConsentKind, Ended, Event, Fact, Heard, Package},
    error::Error,
    grpc::timestamp,
};

/// What is heard: durable, source, names.
pub const HEARD: [(&str, &str, &[&str]); 4] = [
    ("referral-intake", "intake", &["consent_recorded"]),
    ("referral-transfer", "transfer", &["call_accepted"]),
    ("referral-session", "session", &["session_ended"]),
    ("referral-evidence", "evidence", &["exhibit_opened", "exhibit_sealed"]),
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

/// Hears what `HEARD` lists.
pub struct Ear(pub App);

impl outbox::Handler for Ear {
    async fn handle(&self, tx: &mut outbox::Tx, delivery: &Delivery) -> Result<(), Failure> {
        let on = On { force: delivery.force.clone(), call: delivery.call };
        let heard = match read(delivery)? {
            Came::Fact(fact) => self.0.hear(tx, &on, fact, &delivery.trace).await,
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
    Fact(Fact),
    Ended(Ended),
}

fn read(delivery: &Delivery) -> Result<Came, Poison> {
    let fact = match delivery.name.as_str() {
        "consent_recorded" => {
            let recorded: intake::ConsentRecorded = delivery.decode()?;
            same(delivery, &recorded.call_id, &recorded.force_id)?;
            // A kind that a newer intake knows and we don't fills nothing here, and spoils nothing.
            let answers = recorded.consents.iter().filter_map(|fact| Some((kind(fact.kind())?, fact.given))).collect();
            Fact::Consented { answers, version: delivery.version }
        }
        "call_accepted" => {
            let accepted: transfer::CallAccepted = delivery.decode()?;
            same(delivery, &accepted.call_id, &accepted.force_id)?;
            let incident = accepted.incident.unwrap_or_default();
            Fact::Accepted(IncidentRef::parse(&incident.date, &incident.number).map_err(malformed)?)
        }
        "session_ended" => {
            let ended: session::SessionEnded = delivery.decode()?;
            same(delivery, &ended.call_id, &ended.force_id)?;
            let session = ended.session_id.parse().map_err(malformed)?;
            return Ok(Came::Ended(Ended { session, recorded: ended.recorded }));
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
        other => return Err(Poison(format!("nobody asked for {other}"))),
    };
    Ok(Came::Fact(fact))
}

fn kind(kind: intake::ConsentKind) -> Option<ConsentKind> {
    match kind {
        intake::ConsentKind::Video => Some(ConsentKind::Video),
        intake::ConsentKind::Recording => Some(ConsentKind::Recording),
        intake::ConsentKind::Stills => Some(ConsentKind::Stills),
        intake::ConsentKind::Covered => Some(ConsentKind::Covered),
        // Where they are is looked at during the call; no line of the package is about it, nor about one child or referral.
        intake::ConsentKind::Location
        | intake::ConsentKind::Child
        | intake::ConsentKind::Referral
        | intake::ConsentKind::Unspecified => None,
    }
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
