//! Domain to proto: the answers, and the words that the events share with them.

use api::intake::v1 as proto;
use chrono::{DateTime, Utc};
use ids::{CallId, IncidentRef};
use proto::call_update::{
    Abandoned, Accepted, CallerJoined, Cancelled, ConsentChanged, Covered, Duress, Ended, InvitationReady, Kind,
    Offered, Queued, Returned, RiskGraded, Sealed, Uncovered,
};

use super::urgent;
use crate::domain::{
    self, Assessment, Call, Consent, ConsentKind, Consents, ForceNews, ForceUpdate, Gender, Graded, How, Line, Place,
    Reach, ReferralNews, ReferralStand, Risk, Route, Seal, Silent, State, Subject, Told, Update, Verdict,
    Vulnerability,
};

/// To OpenCall.
#[must_use]
pub fn opened(call: &Call) -> proto::OpenCallResponse {
    proto::OpenCallResponse { call_id: call.id.to_string(), state: answered(call) }
}

/// To RecordTriage.
#[must_use]
pub fn assessed(assessment: &Assessment) -> proto::RecordTriageResponse {
    let eligibility = match assessment.verdict {
        Verdict::Eligible(way) => proto::Eligibility {
            eligible: true,
            reason: String::new(),
            instead: String::new(),
            route: route(way).into(),
            rules_version: assessment.rules.clone(),
        },
        Verdict::Ineligible(reason) => proto::Eligibility {
            eligible: false,
            reason: reason.as_str().to_owned(),
            instead: assessment.instead.clone(),
            route: proto::JoinRoute::Unspecified.into(),
            rules_version: assessment.rules.clone(),
        },
    };
    proto::RecordTriageResponse { version: assessment.version, eligibility: Some(eligibility) }
}

/// The state, as most answers give it.
#[must_use]
pub fn answered(call: &Call) -> i32 {
    let state = match call.state {
        State::Open => proto::CallState::Open,
        State::Triaged(_) | State::Ineligible { .. } => proto::CallState::Triaged,
        State::Consented(_) => proto::CallState::Consented,
        State::TransferRequested(_) => proto::CallState::TransferRequested,
        State::WithDesk(_) => proto::CallState::WithDesk,
        State::Closed { .. } => proto::CallState::Closed,
        State::Returned { .. } => proto::CallState::Returned,
        State::Cancelled { .. } => proto::CallState::Cancelled,
    };
    state.into()
}

/// To RecordConsent.
pub(super) fn consented(call: &Call, _: Consents) -> proto::RecordConsentResponse {
    proto::RecordConsentResponse { state: answered(call) }
}

/// To WithdrawConsent.
pub(super) fn withdrawn(taken_back: Consent) -> impl FnOnce(&Call, Consents) -> proto::WithdrawConsentResponse {
    move |call, stood| proto::WithdrawConsentResponse {
        state: answered(call),
        was_given: stood.get(taken_back.kind, taken_back.subject.as_ref()) == Some(true),
    }
}

/// To GetCall.
pub(super) fn call(call: Call) -> proto::GetCallResponse {
    let state = answered(&call);
    let (exhibit_id, seal_sha256) = call.seal.map(|seal| (seal.exhibit.to_string(), seal.sha256)).unwrap_or_default();
    proto::GetCallResponse {
        call_id: call.id.to_string(),
        force_id: call.force.to_string(),
        line: line(call.line).into(),
        incident: Some(incident(&call.incident)),
        state,
        opened_at: Some(timestamp(call.opened_at)),
        exhibit_id,
        seal_sha256,
        follow_up_of: follow_up_of(call.follow_up_of),
    }
}

fn follow_up_of(first: Option<CallId>) -> String {
    first.map(|first| first.to_string()).unwrap_or_default()
}

/// One of ListCalls.
pub(super) fn summary(call: &Call) -> proto::CallSummary {
    proto::CallSummary {
        call_id: call.id.to_string(),
        line: line(call.line).into(),
        incident: Some(incident(&call.incident)),
        state: answered(call),
        opened_at: Some(timestamp(call.opened_at)),
        exhibit_id: call.seal.as_ref().map(|seal| seal.exhibit.to_string()).unwrap_or_default(),
        follow_up_of: follow_up_of(call.follow_up_of),
    }
}

/// To GetReach.
pub(super) fn reach(reach: Reach) -> proto::GetReachResponse {
    let caller_number = reach.number.map(|number| number.expose().to_owned()).unwrap_or_default();
    proto::GetReachResponse { sms_allowed: reach.by_text, caller_number }
}

/// One item of WatchCall.
pub(super) fn told(told: Told) -> proto::WatchCallResponse {
    let kind = match told.update {
        Update::Queued(Place { position, expected_wait_s }) => Kind::Queued(Queued { position, expected_wait_s }),
        Update::Offered => Kind::Offered(Offered {}),
        Update::Accepted { officer } => Kind::Accepted(Accepted { officer_id: officer.into() }),
        Update::InvitationReady => Kind::InvitationReady(InvitationReady {}),
        Update::CallerJoined => Kind::CallerJoined(CallerJoined {}),
        Update::Ended { reason } => Kind::Ended(Ended { reason }),
        Update::Sealed(seal) => Kind::Sealed(sealed(seal)),
        Update::Cancelled => Kind::Cancelled(Cancelled {}),
        Update::Abandoned { reason } => Kind::Abandoned(Abandoned { reason }),
        Update::Returned { reason, opens_at } => {
            let (instead, desk_opens_at) = (domain::instead(&reason).to_owned(), opens_at.map(timestamp));
            Kind::Returned(Returned { reason, instead, desk_opens_at })
        }
        Update::Callback(news) => Kind::Callback(callback(news)),
        Update::ConsentChanged { consent, subject: about, given } => {
            Kind::ConsentChanged(ConsentChanged { kind: consent_kind(consent).into(), given, subject: subject(about) })
        }
        Update::Covered => Kind::Covered(Covered {}),
        Update::Uncovered => Kind::Uncovered(Uncovered {}),
        Update::Duress(told) => Kind::Duress(duress(told)),
        Update::FastTrack(news) => Kind::FastTrack(urgent::fast_track(news)),
        Update::RiskGraded(Graded { grade, officer }) => {
            Kind::RiskGraded(RiskGraded { grade: risk(grade).into(), officer_id: officer.into() })
        }
        Update::Referral(news) => Kind::Referral(referral(news)),
    };
    proto::WatchCallResponse {
        sequence: told.sequence,
        at: Some(timestamp(told.at)),
        update: Some(proto::CallUpdate { kind: Some(kind) }),
    }
}

fn referral(ReferralNews { id, about, stand }: ReferralNews) -> proto::call_update::Referral {
    let state = match stand {
        ReferralStand::Made => proto::CallReferralState::Made,
        ReferralStand::Acknowledged => proto::CallReferralState::Acknowledged,
        ReferralStand::Withdrawn => proto::CallReferralState::Withdrawn,
        ReferralStand::NotDelivered => proto::CallReferralState::NotDelivered,
    };
    proto::call_update::Referral { referral_id: id.to_string(), kind: about, state: state.into() }
}

/// One item of WatchForce.
pub(super) fn force_told(told: Told<ForceNews>) -> proto::WatchForceResponse {
    use proto::force_update::{Kind, Opened, Returned};

    let ForceNews { call, incident: about, update } = told.update;
    let kind = match update {
        ForceUpdate::Opened { line: by, follow_up_of: first } => {
            Kind::Opened(Opened { line: line(by).into(), follow_up_of: follow_up_of(first) })
        }
        ForceUpdate::Duress(told) => Kind::Duress(duress(told)),
        ForceUpdate::FastTrack(news) => Kind::FastTrack(urgent::fast_track(news)),
        ForceUpdate::Returned { why } => {
            let instead = domain::instead(&why).to_owned();
            Kind::Returned(Returned { reason: why, instead })
        }
        ForceUpdate::Abandoned { reason } => Kind::Abandoned(Abandoned { reason }),
        ForceUpdate::Cancelled => Kind::Cancelled(Cancelled {}),
        ForceUpdate::Ended { reason } => Kind::Ended(Ended { reason }),
        ForceUpdate::Sealed(seal) => Kind::Sealed(sealed(seal)),
    };
    proto::WatchForceResponse {
        sequence: told.sequence,
        at: Some(timestamp(told.at)),
        call_id: call.to_string(),
        incident: Some(incident(&about)),
        update: Some(proto::ForceUpdate { kind: Some(kind) }),
    }
}

fn duress(duress: domain::Duress) -> Duress {
    let how = match duress.how {
        How::Word => proto::DuressHow::Word,
        How::Corner => proto::DuressHow::Corner,
    };
    Duress { how: how.into(), raised_at: Some(timestamp(duress.raised_at)), acknowledged: duress.acknowledged }
}

fn callback(news: domain::CallbackNews) -> proto::call_update::Callback {
    use domain::{CallbackState as Stand, Tried};

    let state = match news.stand {
        Stand::Agreed => proto::CallbackState::Agreed,
        Stand::Due => proto::CallbackState::Due,
        Stand::Taken => proto::CallbackState::Taken,
        Stand::Kept => proto::CallbackState::Kept,
        Stand::Missed => proto::CallbackState::Missed,
        Stand::Cancelled => proto::CallbackState::Cancelled,
    };
    let last_outcome = match news.last {
        None => proto::CallbackOutcome::Unspecified,
        Some(Tried::Reached) => proto::CallbackOutcome::Reached,
        Some(Tried::NoAnswer) => proto::CallbackOutcome::NoAnswer,
        Some(Tried::SomebodyElse) => proto::CallbackOutcome::SomebodyElseAnswered,
        Some(Tried::WordNotGiven) => proto::CallbackOutcome::WordNotGiven,
        Some(Tried::NotSafe) => proto::CallbackOutcome::NotSafe,
    };
    proto::call_update::Callback {
        callback_id: news.id.to_string(),
        state: state.into(),
        from: Some(timestamp(news.from)),
        until: Some(timestamp(news.until)),
        attempts: news.attempts,
        last_outcome: last_outcome.into(),
    }
}

fn sealed(seal: Seal) -> Sealed {
    Sealed { exhibit_id: seal.exhibit.to_string(), exhibit_reference: seal.reference, seal_sha256: seal.sha256 }
}

/// A line.
#[must_use]
pub fn line(line: Line) -> proto::Line {
    match line {
        Line::Emergency => proto::Line::Line999,
        Line::NonEmergency => proto::Line::Line101,
    }
}

/// A grade.
#[must_use]
pub fn risk(risk: Risk) -> proto::RiskGrade {
    match risk {
        Risk::Standard => proto::RiskGrade::Standard,
        Risk::Medium => proto::RiskGrade::Medium,
        Risk::High => proto::RiskGrade::High,
    }
}

/// How much a caller depends on help.
#[must_use]
pub fn vulnerability(vulnerability: Vulnerability) -> proto::Vulnerability {
    match vulnerability {
        Vulnerability::None => proto::Vulnerability::None,
        Vulnerability::Some => proto::Vulnerability::Some,
        Vulnerability::Great => proto::Vulnerability::Great,
    }
}

/// Of an officer who is asked for.
#[must_use]
pub fn gender(gender: Option<Gender>) -> proto::Gender {
    match gender {
        None => proto::Gender::Unspecified,
        Some(Gender::Woman) => proto::Gender::Woman,
        Some(Gender::Man) => proto::Gender::Man,
    }
}

/// A way in.
#[must_use]
pub fn route(route: Route) -> proto::JoinRoute {
    match route {
        Route::SpokenCode => proto::JoinRoute::SpokenCode,
        Route::Sms => proto::JoinRoute::Sms,
    }
}

/// How a caller who doesn't speak is known to be there.
#[must_use]
pub fn silent(silent: Option<Silent>) -> proto::SilentCaller {
    match silent {
        None => proto::SilentCaller::Unspecified,
        Some(Silent::Pressed55) => proto::SilentCaller::Pressed55,
        Some(Silent::TapsOnly) => proto::SilentCaller::TapsOnly,
        Some(Silent::CannotSpeak) => proto::SilentCaller::CannotSpeak,
    }
}

/// A consent, without anybody's words.
#[must_use]
pub fn consent_fact(consent: Consent) -> proto::consent_recorded::ConsentFact {
    let (kind, given) = (consent_kind(consent.kind).into(), consent.given);
    proto::consent_recorded::ConsentFact { kind, given, subject: subject(consent.subject) }
}

fn subject(subject: Option<Subject>) -> String {
    subject.map(|subject| subject.as_str().to_owned()).unwrap_or_default()
}

fn consent_kind(kind: ConsentKind) -> proto::ConsentKind {
    match kind {
        ConsentKind::Video => proto::ConsentKind::Video,
        ConsentKind::Recording => proto::ConsentKind::Recording,
        ConsentKind::Stills => proto::ConsentKind::Stills,
        ConsentKind::Covered => proto::ConsentKind::Covered,
        ConsentKind::Location => proto::ConsentKind::Location,
        ConsentKind::Child => proto::ConsentKind::Child,
        ConsentKind::Referral => proto::ConsentKind::Referral,
    }
}

/// The force's own reference.
#[must_use]
pub fn incident(incident: &IncidentRef) -> proto::Incident {
    proto::Incident { date: incident.date.to_string(), number: incident.number.to_string() }
}

/// A time.
#[must_use]
pub fn timestamp(at: DateTime<Utc>) -> prost_types::Timestamp {
    // Below 1e9, so it always fits.
    let nanos = i32::try_from(at.timestamp_subsec_nanos()).unwrap_or_default();
    prost_types::Timestamp { seconds: at.timestamp(), nanos }
}
