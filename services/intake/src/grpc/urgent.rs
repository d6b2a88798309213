//! Fast-tracks and where callers are, between the contract and the domain.

use api::intake::v1 as proto;
use chrono::{DateTime, Utc};
use proto::call_update::FastTrack;

use super::{parse, risk, timestamp};
use crate::{
    domain::{FastTrackNews, Location, Shown, Stand, Taken},
    error::Error,
};

/// The most characters of why somebody looks.
const REASON: usize = 200;

/// Who takes a fast-track on, and whom they send.
pub(super) fn acknowledgement(request: &proto::AcknowledgeFastTrackRequest) -> Result<(&str, Option<&str>), Error> {
    let bad = |why| Error::invalid("INVALID_ACKNOWLEDGEMENT", why);
    let by = parse::words(&request.taken_by, parse::TAKEN_BY);
    let by = by.ok_or_else(|| bad("taken_by must have 1 to 64 characters"))?;
    let unit = match request.unit.as_str() {
        "" => None,
        unit => Some(parse::words(unit, parse::TAKEN_BY).ok_or_else(|| bad("unit must have up to 64 characters"))?),
    };
    Ok((by, unit))
}

/// Who looks, and why.
pub(super) fn look(request: &proto::GetLocationRequest) -> Result<(&str, &str), Error> {
    let who = parse::words(&request.officer_id, parse::TAKEN_BY)
        .ok_or_else(|| Error::invalid("INVALID_OFFICER", "officer_id must have 1 to 64 characters"))?;
    let reason = parse::words(&request.reason, REASON)
        .ok_or_else(|| Error::invalid("REASON_REQUIRED", "reason must have 1 to 200 characters"))?;
    Ok((who, reason))
}

/// Where the caller is, if it is said; `reason` names what isn't a place.
pub(super) fn location(
    said: Option<&proto::Location>,
    now: DateTime<Utc>,
    reason: &'static str,
) -> Result<Option<Location>, Error> {
    let Some(said) = said else { return Ok(None) };
    let taken_at = match said.taken_at {
        None => now,
        Some(at) => u32::try_from(at.nanos)
            .ok()
            .and_then(|nanos| DateTime::from_timestamp(at.seconds, nanos))
            .ok_or_else(|| Error::invalid(reason, "taken_at must be a time"))?,
    };
    let location = Location {
        latitude: said.latitude,
        longitude: said.longitude,
        accuracy_m: said.accuracy_m,
        words: said.words.clone(),
        taken_at,
    };
    location.checked().map(Some).map_err(|error| Error::invalid(reason, error))
}

/// To GetLocation.
pub(super) fn shown(Shown { location, expires_at }: Shown) -> proto::GetLocationResponse {
    let location = proto::Location {
        latitude: location.latitude,
        longitude: location.longitude,
        accuracy_m: location.accuracy_m,
        words: location.words,
        taken_at: Some(timestamp(location.taken_at)),
    };
    proto::GetLocationResponse { location: Some(location), expires_at: Some(timestamp(expires_at)) }
}

/// To AcknowledgeFastTrack.
#[must_use]
pub fn taken(Taken { by, unit, at }: Taken) -> proto::AcknowledgeFastTrackResponse {
    proto::AcknowledgeFastTrackResponse {
        acknowledged_at: Some(timestamp(at)),
        taken_by: by,
        unit: unit.unwrap_or_default(),
    }
}

/// In both watches.
pub(super) fn fast_track(FastTrackNews { wish, times, stand, located }: FastTrackNews) -> FastTrack {
    let state = match (&stand, times) {
        (Stand::Raised { .. }, 1) => proto::FastTrackState::Raised,
        (Stand::Raised { .. }, _) => proto::FastTrackState::RaisedAgain,
        (Stand::Acknowledged(_), _) => proto::FastTrackState::Acknowledged,
    };
    let (taken_by, unit) = match stand {
        Stand::Acknowledged(taken) => (taken.by, taken.unit.unwrap_or_default()),
        Stand::Raised { .. } => Default::default(),
    };
    FastTrack {
        fast_track_id: wish.id.to_string(),
        state: state.into(),
        times_raised: times,
        risk: risk(wish.risk).into(),
        reason: wish.reason,
        still_item: wish.still.unwrap_or_default(),
        has_location: located,
        requested_at: Some(timestamp(wish.requested_at)),
        officer_id: wish.officer.to_string(),
        taken_by,
        unit,
    }
}
