//! The event of a package that is sealed.

use api::referral::v1::PackageSealed;
use chassis::Trace;
use chrono::{DateTime, Utc};
use outbox::NewEvent;

use crate::{app::On, domain::sealing::Addendum, grpc::timestamp};

/// Its documents are sealed in an addendum.
#[must_use]
pub fn package_sealed(on: &On, (number, addendum): (u32, &Addendum), trace: &Trace, now: DateTime<Utc>) -> NewEvent {
    let sealed = PackageSealed {
        call_id: on.call.to_string(),
        force_id: on.force.to_string(),
        occurred_at: Some(timestamp(now)),
        number,
        exhibit_id: addendum.exhibits.last().map(ToString::to_string).unwrap_or_default(),
    };
    NewEvent::new("package_sealed", on.call, on.force.clone(), trace.clone(), &sealed)
}
