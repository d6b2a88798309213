//! deadline_near and deadline_missed.

use api::referral::v1 as proto;
use chrono::{DateTime, Utc};
use outbox::NewEvent;

use crate::{
    domain::clock::{Deadline, Raised},
    grpc::timestamp,
    store::Fallen,
};

/// What was said of a clock, in its call's trace.
#[must_use]
pub fn publish(Fallen { on, deadline, trace }: &Fallen, raised: Raised, now: DateTime<Utc>) -> NewEvent {
    let Deadline { id, key, due_at, .. } = deadline;
    let (call_id, force_id, clock_id) = (on.call.to_string(), on.force.to_string(), id.to_string());
    let (occurred_at, due_at, key) = (Some(timestamp(now)), Some(timestamp(*due_at)), key.clone());
    match raised {
        Raised::Near => {
            let near = proto::DeadlineNear { call_id, force_id, occurred_at, clock_id, key, due_at };
            NewEvent::new("deadline_near", on.call, on.force.clone(), trace.clone(), &near)
        }
        Raised::Missed => {
            let missed = proto::DeadlineMissed { call_id, force_id, occurred_at, clock_id, key, due_at };
            NewEvent::new("deadline_missed", on.call, on.force.clone(), trace.clone(), &missed)
        }
    }
}
