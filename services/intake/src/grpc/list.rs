//! ListCalls: which calls, from where on, and where the next page begins.

use api::intake::v1 as proto;
use chrono::DateTime;
use ids::ForceId;
use uuid::Uuid;

use super::{answer, parse};
use crate::{
    app::Place,
    domain::{Call, Stage, Stages},
    error::Error,
};

/// The most calls of a page.
const MOST: u32 = 200;
/// As many when the client doesn't say.
const USUAL: u32 = 50;

/// What is asked for.
pub(super) struct Asked {
    pub force: ForceId,
    pub stages: Stages,
    pub after: Option<Place>,
    pub size: u16,
}

pub(super) fn asked(request: &proto::ListCallsRequest) -> Result<Asked, Error> {
    let force = parse::force(&request.force_id)?;
    let named = request.states.iter().map(|state| stage(*state)).collect::<Result<Vec<_>, _>>()?;
    let named = if named.is_empty() { Stages::ALL } else { Stages::of(named) };
    let stages = if request.open_only { named.and(Stages::UNDONE) } else { named };
    let size = if request.page_size == 0 { USUAL } else { request.page_size.min(MOST) };
    let after = match request.page_token.as_str() {
        "" => None,
        token => Some(read(token, stages).ok_or_else(|| {
            Error::invalid(
                "INVALID_PAGE_TOKEN",
                "page_token must be the next_page_token of a page with the same filter",
            )
        })?),
    };
    Ok(Asked { force, stages, after, size: u16::try_from(size).unwrap_or(u16::MAX) })
}

pub(super) fn listed(calls: &[Call], stages: Stages, next: Option<Place>) -> proto::ListCallsResponse {
    proto::ListCallsResponse {
        calls: calls.iter().map(answer::summary).collect(),
        next_page_token: next.map(|place| token(place, stages)).unwrap_or_default(),
    }
}

fn stage(state: i32) -> Result<Stage, Error> {
    Ok(match proto::CallState::try_from(state).unwrap_or_default() {
        proto::CallState::Open => Stage::Open,
        proto::CallState::Triaged => Stage::Triaged,
        proto::CallState::Consented => Stage::Consented,
        proto::CallState::TransferRequested => Stage::TransferRequested,
        proto::CallState::WithDesk => Stage::WithDesk,
        proto::CallState::Closed => Stage::Closed,
        proto::CallState::Returned => Stage::Returned,
        proto::CallState::Cancelled => Stage::Cancelled,
        proto::CallState::Unspecified => {
            return Err(Error::invalid("INVALID_STATE", "states must be states of a call"));
        }
    })
}

/// In hex: the filter, so that no page of one list is taken for another's, then the place.
fn token(place: Place, stages: Stages) -> String {
    format!("{:02x}{:016x}{}", stages.bits(), place.at.timestamp_micros(), place.call.uuid().simple())
}

fn read(token: &str, stages: Stages) -> Option<Place> {
    if token.len() != 50 || !token.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
        return None;
    }
    let (filter, place) = token.split_at(2);
    let (micros, call) = place.split_at(16);
    if u8::from_str_radix(filter, 16) != Ok(stages.bits()) {
        return None;
    }
    let micros = i64::from_str_radix(micros, 16).ok()?;
    Some(Place { at: DateTime::from_timestamp_micros(micros)?, call: Uuid::try_parse(call).ok()?.into() })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_token_is_read_as_it_was_written_and_by_its_own_list_alone(
            micros in 0i64..4_000_000_000_000_000, id: u128, tail in ".{0,60}",
        ) {
            let at = DateTime::from_timestamp_micros(micros).unwrap();
            let place = Place { at, call: Uuid::from_u128(id).into() };
            let written = token(place, Stages::UNDONE);
            prop_assert_eq!(read(&written, Stages::UNDONE), Some(place));
            prop_assert_eq!(read(&written, Stages::ALL), None);
            prop_assert_eq!(read(&written[1..], Stages::UNDONE), None);
            // Whatever else is sent is no token, and nothing worse.
            prop_assert_eq!(read(&tail, Stages::UNDONE), None);
        }
    }
}
