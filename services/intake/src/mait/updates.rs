//! From what has happened to a call to the message that tells of it. Where the caller is, is in none: that is looked at, and
//! each look is kept.

use chrono::{DateTime, SecondsFormat, Utc};
use ids::{CallId, IncidentRef};

use super::{
    document::{Document, checked},
    schema::{Field, Kind},
};
use crate::domain::{
    CallbackNews, CallbackState, ConsentKind, FastTrackNews, Graded, How, ReferralNews, ReferralStand, Risk, Stand,
    Told, Update, instead,
};

/// The header of a message of ours.
pub(super) fn headed(kind: Kind, id: &str, now: DateTime<Utc>, (from, to): (&str, &str)) -> Document {
    Document::new(kind)
        .with(Field::Version, "1.0")
        .with(Field::MessageId, id)
        .with(Field::SentAt, time(now))
        .with(Field::From, from)
        .with(Field::To, to)
}

/// A message that tells of an update. Its id is the same however often it is sent.
pub(super) fn message(
    call: CallId,
    incident: &IncidentRef,
    told: &Told,
    now: DateTime<Utc>,
    parties: (&str, &str),
) -> Document {
    let document = headed(Kind::Update, &format!("{call}-{}", told.sequence), now, parties)
        .with(Field::CallReference, call.to_string())
        .with(Field::IncidentDate, incident.date.as_str())
        .with(Field::IncidentNumber, incident.number.as_str())
        .with(Field::Sequence, told.sequence.to_string())
        .with(Field::HappenedAt, time(told.at));
    let (kind, details) = details(&told.update);
    // What doesn't fit is left out: the rest of it, and all that comes after it, must get there.
    let fit = |(field, value): &(Field, String)| checked(*field, value).is_ok();
    let details = details.into_iter().filter(fit);
    details.fold(document.with(Field::Kind, kind), |document, (field, value)| document.with(field, value))
}

type Details = Vec<(Field, String)>;

fn details(update: &Update) -> (&'static str, Details) {
    match update {
        Update::Queued(place) => {
            let wait = place.expected_wait_s.map(|wait| (Field::ExpectedWaitSeconds, wait.to_string()));
            let position = (Field::Position, place.position.to_string());
            ("QUEUED", std::iter::once(position).chain(wait).collect())
        }
        Update::Offered => ("OFFERED", vec![]),
        Update::Accepted { officer } => ("ACCEPTED", vec![(Field::Officer, officer.to_string())]),
        Update::InvitationReady => ("INVITATION_READY", vec![]),
        Update::CallerJoined => ("CALLER_JOINED", vec![]),
        Update::Ended { reason } => ("ENDED", vec![(Field::Reason, reason.clone())]),
        Update::Sealed(seal) => {
            let exhibit = (Field::ExhibitId, seal.exhibit.to_string());
            let reference = (Field::ExhibitReference, seal.reference.clone());
            ("SEALED", vec![exhibit, reference, (Field::SealSha256, seal.sha256.clone())])
        }
        Update::Cancelled => ("CANCELLED", vec![]),
        Update::Abandoned { reason } => ("ABANDONED", vec![(Field::Reason, reason.clone())]),
        Update::Returned { reason, opens_at } => {
            let mut details = vec![(Field::Reason, reason.clone()), (Field::Instead, instead(reason).to_owned())];
            details.extend(opens_at.map(|at| (Field::DeskOpensAt, time(at))));
            ("RETURNED", details)
        }
        Update::Callback(news) => ("CALL_BACK", callback(news)),
        Update::Covered => ("COVERED", vec![]),
        Update::Uncovered => ("UNCOVERED", vec![]),
        Update::Duress(duress) => {
            let how = match duress.how {
                How::Word => "WORD",
                How::Corner => "CORNER",
            };
            let seen = (Field::Seen, yes(duress.acknowledged));
            ("DURESS", vec![(Field::How, how.to_owned()), seen, (Field::RaisedAt, time(duress.raised_at))])
        }
        Update::FastTrack(news) => ("FAST_TRACK", fast_track(news)),
        Update::RiskGraded(Graded { grade, officer }) => {
            ("RISK_GRADED", vec![(Field::Risk, risk(*grade).to_owned()), (Field::Officer, officer.to_string())])
        }
        Update::Referral(news) => ("REFERRAL", referral(news)),
        Update::ConsentChanged { consent, subject, given } => {
            let kind = match consent {
                ConsentKind::Video => "VIDEO",
                ConsentKind::Recording => "RECORDING",
                ConsentKind::Stills => "STILLS",
                ConsentKind::Covered => "COVERED",
                ConsentKind::Location => "LOCATION",
                ConsentKind::Child => "CHILD",
                ConsentKind::Referral => "REFERRAL",
            };
            let mut details = vec![(Field::Consent, kind.to_owned()), (Field::Given, yes(*given))];
            details.extend(subject.as_ref().map(|subject| (Field::Subject, subject.as_str().to_owned())));
            ("CONSENT_CHANGED", details)
        }
    }
}

fn callback(news: &CallbackNews) -> Details {
    let state = match news.stand {
        CallbackState::Agreed => "AGREED",
        CallbackState::Due => "DUE",
        CallbackState::Taken => "TAKEN",
        CallbackState::Kept => "KEPT",
        CallbackState::Missed => "MISSED",
        CallbackState::Cancelled => "CANCELLED",
    };
    vec![
        (Field::CallbackId, news.id.to_string()),
        (Field::CallbackState, state.to_owned()),
        (Field::WindowFrom, time(news.from)),
        (Field::WindowUntil, time(news.until)),
        (Field::Attempts, news.attempts.to_string()),
    ]
}

fn referral(ReferralNews { id, about, stand }: &ReferralNews) -> Details {
    let state = match stand {
        ReferralStand::Made => "MADE",
        ReferralStand::Acknowledged => "ACKNOWLEDGED",
        ReferralStand::Withdrawn => "WITHDRAWN",
        ReferralStand::NotDelivered => "NOT_DELIVERED",
    };
    vec![
        (Field::ReferralId, id.to_string()),
        (Field::ReferralKind, about.clone()),
        (Field::ReferralState, state.to_owned()),
    ]
}

fn risk(risk: Risk) -> &'static str {
    match risk {
        Risk::Standard => "STANDARD",
        Risk::Medium => "MEDIUM",
        Risk::High => "HIGH",
    }
}

fn fast_track(FastTrackNews { wish, times, stand, located }: &FastTrackNews) -> Details {
    let mut details = vec![
        (Field::FastTrackId, wish.id.to_string()),
        (Field::TimesRaised, times.to_string()),
        (Field::Risk, risk(wish.risk).to_owned()),
        (Field::Reason, wish.reason.clone()),
        (Field::HasLocation, yes(*located)),
        (Field::RaisedAt, time(wish.requested_at)),
        (Field::Officer, wish.officer.to_string()),
    ];
    details.extend(wish.still.clone().map(|still| (Field::Still, still)));
    if let Stand::Acknowledged(taken) = stand {
        details.push((Field::TakenBy, taken.by.clone()));
        details.extend(taken.unit.clone().map(|unit| (Field::Unit, unit)));
    }
    details
}

fn yes(is: bool) -> String {
    if is { "yes" } else { "no" }.to_owned()
}

fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}
