//! What is published of a referral: which, of what kind, and what was done. Never to whom, or what it says.

use api::referral::v1 as proto;
use chassis::Trace;
use chrono::{DateTime, Utc};
use outbox::NewEvent;

use crate::{
    app::On,
    domain::{Referral, Step},
    grpc::timestamp,
};

/// A step as an event; some are nobody else's business.
#[must_use]
pub fn publish(on: &On, referral: &Referral, step: Step, trace: &Trace, now: DateTime<Utc>) -> Option<NewEvent> {
    let (call_id, force_id) = (on.call.to_string(), on.force.to_string());
    let (occurred_at, referral_id, kind) = (Some(timestamp(now)), referral.id.to_string(), referral.kind.clone());
    let (call, force, trace) = (on.call, on.force.clone(), trace.clone());
    match step {
        Step::Sent => {
            let by_hand = referral.sent().is_some_and(|sent| sent.by_hand.is_some());
            let made = proto::ReferralMade { call_id, force_id, occurred_at, referral_id, kind, by_hand };
            Some(NewEvent::new("referral_made", call, force, trace, &made))
        }
        Step::Acknowledged => {
            let acknowledged = proto::ReferralAcknowledged { call_id, force_id, occurred_at, referral_id, kind };
            Some(NewEvent::new("referral_acknowledged", call, force, trace, &acknowledged))
        }
        Step::Withdrawn => {
            let withdrawn = proto::ReferralWithdrawn { call_id, force_id, occurred_at, referral_id, kind };
            Some(NewEvent::new("referral_withdrawn", call, force, trace, &withdrawn))
        }
        Step::Outcome | Step::Disowned => None,
    }
}
