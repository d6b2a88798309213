//! What the control room was told, or tells, between the contract and the domain: fast-tracks, and a silent caller.

use api::{
    intake::v1::{FastTrackState, RiskGrade, SilentCaller},
    session::v1 as proto,
};
use ids::Malformed;

use crate::{
    domain::{Cause, FastTrack, Risk, Session, Silent},
    error::Error,
    events::{risk_number, timestamp},
};

/// What is asked for.
pub(super) fn what(request: &proto::RequestFastTrackRequest) -> Result<(Risk, Cause), Error> {
    let risk = match request.risk() {
        RiskGrade::Standard => Risk::Standard,
        RiskGrade::Medium => Risk::Medium,
        RiskGrade::High => Risk::High,
        RiskGrade::Unspecified => return Err(Malformed { kind: "risk", rule: "standard, medium or high" }.into()),
    };
    let rule = "DANGER, OFFENDER_BACK, MEDICAL, CHILD or OTHER";
    let cause = Cause::parse(&request.reason).ok_or(Malformed { kind: "reason", rule })?;
    Ok((risk, cause))
}

/// All of a session's.
pub(super) fn fast_tracks(session: &Session) -> Vec<proto::FastTrack> {
    session.fast_tracks.iter().map(fast_track).collect()
}

/// How a caller who doesn't speak is known to be there.
pub(super) fn silent(silent: Option<Silent>) -> SilentCaller {
    match silent {
        None => SilentCaller::Unspecified,
        Some(Silent::Pressed55) => SilentCaller::Pressed55,
        Some(Silent::TapsOnly) => SilentCaller::TapsOnly,
        Some(Silent::CannotSpeak) => SilentCaller::CannotSpeak,
    }
}

fn fast_track(one: &FastTrack) -> proto::FastTrack {
    let state = match (&one.taken, one.times()) {
        (Some(_), _) => FastTrackState::Acknowledged,
        (None, 1) => FastTrackState::Raised,
        (None, _) => FastTrackState::RaisedAgain,
    };
    let taken = one.taken.clone();
    let acknowledged_at = taken.as_ref().map(|taken| timestamp(taken.at));
    let (taken_by, unit) = taken.map(|taken| (taken.by, taken.unit)).unwrap_or_default();
    proto::FastTrack {
        fast_track_id: one.id.to_string(),
        state: state.into(),
        times_raised: u32::try_from(one.times()).unwrap_or(u32::MAX),
        requested_at: Some(timestamp(one.requested_at)),
        acknowledged_at,
        taken_by,
        unit,
        risk: risk_number(one.risk),
        reason: one.cause.as_str().to_owned(),
    }
}
