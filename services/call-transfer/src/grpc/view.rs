//! The desk as the proto says it.

use api::transfer::v1::{
    Alert, AlertKind as Kind, MayGoTo, Offer, OfficerAtDesk, Presence, WaitingCall, WatchDeskResponse,
};
use chrono::{DateTime, Utc};
use ids::ForceId;

use super::callbacks;
use crate::{
    app::Desk,
    domain::{AlertKind, Call, FollowUp, Standing, Wish},
    events::{gender, incident, risk, silent, timestamp, vulnerability, wait},
    store::{AtDesk, Raised},
};

/// As the proto says it.
pub(crate) fn presence(wish: Wish) -> Presence {
    match wish {
        Wish::Free => Presence::Free,
        Wish::Away => Presence::Away,
    }
}

pub(super) fn desk(desk: Desk) -> WatchDeskResponse {
    WatchDeskResponse {
        queue: desk.waiting.iter().map(|(call, told)| waiting_call(call, *told)).collect(),
        offer: desk.offer.map(|(call, offer)| Offer {
            call_id: call.id.to_string(),
            expires_at: Some(timestamp(offer.expires_at)),
            risk: risk(call.facts.risk).into(),
            incident: Some(incident(&call.facts.incident)),
            vulnerability: vulnerability(call.facts.vulnerability).into(),
            officer_asked_for: gender(call.facts.officer_asked_for).into(),
            child_may_speak: call.facts.child_may_speak,
            silent_caller: silent(call.facts.silent).into(),
            language: call.facts.language,
            children_present: call.facts.children_present,
            follow_up_of: follow_up_of(call.facts.follow_up.as_ref()),
        }),
        current_call_id: desk.current.map(|id| id.to_string()).unwrap_or_default(),
        presence: presence(desk.presence).into(),
        alerts: desk.alerts.iter().map(alert).collect(),
        officers: desk.officers.iter().map(at_desk).collect(),
        shift_ends_at: desk.shift_ends_at.map(timestamp),
        desk_closes_at: desk.closes_at.map(timestamp),
        desk_opens_at: desk.opens_at.map(timestamp),
        callbacks: desk.callbacks.iter().map(callbacks::callback).collect(),
        may_go_to: desk.may_go_to.into_iter().map(may_go_to).collect(),
        at_force_id: desk.elsewhere.map(|force| force.to_string()).unwrap_or_default(),
    }
}

fn may_go_to((force, until): (ForceId, DateTime<Utc>)) -> MayGoTo {
    MayGoTo { force_id: force.to_string(), until: Some(timestamp(until)) }
}

fn at_desk(officer: &AtDesk) -> OfficerAtDesk {
    OfficerAtDesk {
        officer_id: officer.officer.to_string(),
        presence: presence(officer.presence).into(),
        call_id: officer.call.map(|(call, _)| call.to_string()).unwrap_or_default(),
        is_offer: officer.call.is_some_and(|(_, is_offer)| is_offer),
    }
}

fn follow_up_of(follow_up: Option<&FollowUp>) -> String {
    follow_up.map(|follow_up| follow_up.of.to_string()).unwrap_or_default()
}

fn waiting_call(call: &Call, told: Option<Standing>) -> WaitingCall {
    WaitingCall {
        call_id: call.id.to_string(),
        queued_at: Some(timestamp(call.queued_at)),
        risk: risk(call.facts.risk).into(),
        language: call.facts.language.clone(),
        children_present: call.facts.children_present,
        incident: Some(incident(&call.facts.incident)),
        expected_wait_s: told.and_then(wait),
        vulnerability: vulnerability(call.facts.vulnerability).into(),
        officer_asked_for: gender(call.facts.officer_asked_for).into(),
        child_may_speak: call.facts.child_may_speak,
        silent_caller: silent(call.facts.silent).into(),
        follow_up_of: follow_up_of(call.facts.follow_up.as_ref()),
    }
}

fn alert(raised: &Raised) -> Alert {
    let kind = match raised.alert.kind {
        AlertKind::Declined => Kind::Declined,
        AlertKind::NotAnswered => Kind::NotAnswered,
        AlertKind::WaitsLong => Kind::WaitsLong,
        AlertKind::NoSkill => Kind::NoSkill,
        AlertKind::FastTrack => Kind::FastTrack,
        AlertKind::CallbackDue => Kind::CallbackDue,
        AlertKind::CallbackMissed => Kind::CallbackMissed,
    };
    Alert {
        kind: kind.into(),
        call_id: raised.call.to_string(),
        since: Some(timestamp(raised.since)),
        count: raised.count,
        officer_id: raised.alert.officer.as_ref().map(ToString::to_string).unwrap_or_default(),
    }
}
