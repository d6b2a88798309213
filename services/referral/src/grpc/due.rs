//! ListDue and WatchDue: what a person has to see to.

use api::referral::v1::{
    self as proto, Clock, ClockState, FailedDelivery, ListDueRequest, ListDueResponse, WatchDueRequest,
    WatchDueResponse, due::What,
};
use chrono::DateTime;
use futures::stream;
use ids::{CallId, ForceId, IncidentRef};
use tonic::{Request, Status};
use uuid::Uuid;

use super::{Stream, timestamp};
use crate::{
    app::{App, Due},
    domain::clock::{Deadline, Standing},
    error::Error,
    store::{DueClock, FailedParcel, Place},
};

/// The most of a page.
const MOST: u16 = 200;
/// As many when the client doesn't say.
const USUAL: u16 = 50;

/// How many a page is to have, by what a client wants.
pub(super) fn page_size(wanted: u32) -> u16 {
    if wanted == 0 { USUAL } else { u16::try_from(wanted).map_or(MOST, |wanted| wanted.min(MOST)) }
}

pub(super) async fn list_due(app: &App, request: &Request<ListDueRequest>) -> Result<ListDueResponse, Status> {
    let request = request.get_ref();
    let force: ForceId = request.force_id.parse().map_err(Error::Force)?;
    let after = match request.page_token.as_str() {
        "" => None,
        token => Some(read(token).ok_or(Error::PageToken)?),
    };
    let (due, next) = app.list_due(&force, after, page_size(request.page_size)).await?;
    Ok(ListDueResponse { due: told(app, &force, &due), next_page_token: next.map(token).unwrap_or_default() })
}

pub(super) async fn watch_due(
    app: &App,
    request: &Request<WatchDueRequest>,
) -> Result<Stream<WatchDueResponse>, Status> {
    let force: ForceId = request.get_ref().force_id.parse().map_err(Error::Force)?;
    let watch = (app.watch_due(force.clone()), app.clone(), force);
    // Read when the client has room for it, so a slow one holds up nobody.
    Ok(Box::pin(stream::try_unfold(watch, |(mut watch, app, force)| async move {
        let due = told(&app, &force, &watch.next().await?);
        Ok(Some((WatchDueResponse { due }, (watch, app, force))))
    })))
}

/// What did not get there first: a person has to ring.
fn told(app: &App, force: &ForceId, due: &Due) -> Vec<proto::Due> {
    let failed = due.failed.iter().map(|failed| told_failed(failed, app.called(force, failed)));
    failed.chain(due.clocks.iter().map(told_clock)).collect()
}

fn told_failed(failed: &FailedParcel, (title, partner_name, phone): (String, String, String)) -> proto::Due {
    let what = FailedDelivery {
        referral_id: failed.referral.to_string(),
        title,
        partner_name,
        phone,
        at: Some(timestamp(failed.at)),
        problem: failed.problem.map(|problem| problem.words().to_owned()).unwrap_or_default(),
    };
    let (call_id, incident) = (failed.call.to_string(), incident(failed.incident.as_ref()));
    proto::Due { call_id, incident, what: Some(What::FailedDelivery(what)) }
}

fn incident(incident: Option<&IncidentRef>) -> String {
    incident.map(|i| format!("{}/{}", i.date, i.number)).unwrap_or_default()
}

fn told_clock(due: &DueClock) -> proto::Due {
    proto::Due {
        call_id: due.call.to_string(),
        incident: incident(due.incident.as_ref()),
        what: Some(What::Clock(clock(due.call, &due.deadline))),
    }
}

/// A clock as it is told.
pub(super) fn clock(call: CallId, clock: &Deadline) -> Clock {
    let state = match clock.standing() {
        Standing::Running => ClockState::Running,
        Standing::Near => ClockState::Near,
        Standing::Missed => ClockState::Missed,
        Standing::Stopped => ClockState::Stopped,
        Standing::StoppedLate => ClockState::StoppedLate,
    };
    Clock {
        clock_id: clock.id.to_string(),
        call_id: call.to_string(),
        key: clock.key.clone(),
        title: clock.title.clone(),
        source: clock.source.clone(),
        referral_id: clock.referral.map(|id| id.to_string()).unwrap_or_default(),
        started_at: Some(timestamp(clock.started_at)),
        due_at: Some(timestamp(clock.due_at)),
        state: state.into(),
        stopped_at: clock.stopped_at.map(timestamp),
    }
}

/// The place, in hex.
fn token(place: Place) -> String {
    format!("{:016x}{}", place.due_at.timestamp_micros(), place.clock.uuid().simple())
}

fn read(token: &str) -> Option<Place> {
    if token.len() != 48 || !token.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
        return None;
    }
    let (micros, clock) = token.split_at(16);
    let micros = i64::from_str_radix(micros, 16).ok()?;
    Some(Place { due_at: DateTime::from_timestamp_micros(micros)?, clock: Uuid::try_parse(clock).ok()?.into() })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_token_is_read_as_it_was_written(micros in 0i64..4_000_000_000_000_000, id: u128, tail in ".{0,60}") {
            let due_at = DateTime::from_timestamp_micros(micros).unwrap();
            let place = Place { due_at, clock: Uuid::from_u128(id).into() };
            let written = token(place);
            prop_assert_eq!(read(&written), Some(place));
            prop_assert_eq!(read(&written[1..]), None);
            // Whatever else is sent is no token, and nothing worse.
            prop_assert_eq!(read(&tail), None);
        }
    }
}
