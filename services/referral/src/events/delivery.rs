//! What is published of parcels.

use api::referral::v1 as proto;
use chassis::Trace;
use chrono::{DateTime, Utc};
use outbox::NewEvent;

use crate::{domain::delivery::Parcel, grpc::timestamp};

/// It could not be delivered.
pub(crate) fn failed(parcel: &Parcel, trace: &Trace, now: DateTime<Utc>) -> NewEvent {
    let failed = proto::DeliveryFailed {
        call_id: parcel.call.to_string(),
        force_id: parcel.force.to_string(),
        occurred_at: Some(timestamp(now)),
        referral_id: parcel.referral.to_string(),
        kind: parcel.kind.clone(),
        partner_id: parcel.partner.clone(),
    };
    NewEvent::new("delivery_failed", parcel.call, parcel.force.clone(), trace.clone(), &failed)
}
