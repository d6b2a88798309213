//! Rows to domain and back. A row that can't be a state is an error that names where it is.

use std::time::Duration;

use chassis::Trace;
use chrono::{DateTime, Utc};
use ids::{CallId, ForceId, IncidentRef, OfficerId};
use sqlx::types::Uuid;

use super::Kept;
use crate::{
    domain::{
        AlertKind, Call, Facts, FollowUp, Gender, Offer, Officer, Outcome, Pass, Risk, Route, Silent, Skills, Standing,
        State, Vulnerability, Waits, Why, Wish,
    },
    error::Error,
};

pub(super) struct CallRow {
    pub call_id: Uuid,
    pub force_id: String,
    pub incident_date: String,
    pub incident_number: String,
    pub risk: String,
    pub language: String,
    pub children_present: bool,
    pub route: String,
    pub recording_consented: bool,
    pub stills_consented: bool,
    pub covered_recording_consented: bool,
    pub queued_at: DateTime<Utc>,
    pub trace: String,
    pub state: String,
    pub offers: i32,
    pub officer_id: Option<String>,
    pub offer_expires_at: Option<DateTime<Utc>>,
    pub accepted_at: Option<DateTime<Utc>>,
    pub vulnerability: String,
    pub child_may_speak: bool,
    pub officer_asked_for: Option<String>,
    pub softens_at: DateTime<Utc>,
    pub long_at: DateTime<Utc>,
    pub wait_until: DateTime<Utc>,
    pub told_position: Option<i32>,
    pub told_wait_s: Option<i32>,
    pub returned_why: Option<String>,
    pub silent_caller: Option<String>,
    pub follow_up_of: Option<Uuid>,
    pub for_officer: Option<String>,
}

impl CallRow {
    pub(super) fn into_kept(self, passes: Vec<Pass>) -> Result<Kept, Error> {
        let bad = |column| Error::Corrupt { table: "transfer.calls", column, row: self.call_id.to_string() };
        let officer = self.officer_id.as_deref().map(officer_id).transpose()?;
        let offers = u32::try_from(self.offers).map_err(|_| bad("offers"))?;
        let state = match (self.state.as_str(), officer, self.offer_expires_at, self.accepted_at) {
            ("queued", None, None, _) => State::Queued,
            ("offered", Some(officer), Some(expires_at), _) => {
                State::Offered(Offer { nth: offers, officer, expires_at })
            }
            ("accepted", Some(officer), None, Some(at)) => State::Accepted { officer, at },
            ("ended", Some(officer), None, _) => State::Ended { officer },
            ("abandoned", None, None, _) => State::Abandoned,
            ("returned", officer, None, _) => {
                let why = match self.returned_why.as_deref() {
                    Some("wait_limit") => Why::WaitLimit,
                    Some("by_desk") => Why::ByDesk,
                    Some("desk_closed") => Why::DeskClosed,
                    Some("call_back") => Why::CallBack,
                    _ => return Err(bad("returned_why")),
                };
                State::Returned { why, officer }
            }
            _ => return Err(bad("state")),
        };
        let facts = Facts {
            incident: IncidentRef::parse(&self.incident_date, &self.incident_number)
                .map_err(|_| bad("incident_number"))?,
            risk: match self.risk.as_str() {
                "standard" => Risk::Standard,
                "medium" => Risk::Medium,
                "high" => Risk::High,
                _ => return Err(bad("risk")),
            },
            children_present: self.children_present,
            route: match self.route.as_str() {
                "spoken_code" => Route::SpokenCode,
                "sms" => Route::Sms,
                _ => return Err(bad("route")),
            },
            recording_consented: self.recording_consented,
            stills_consented: self.stills_consented,
            covered_recording_consented: self.covered_recording_consented,
            vulnerability: match self.vulnerability.as_str() {
                "none" => Vulnerability::None,
                "some" => Vulnerability::Some,
                "great" => Vulnerability::Great,
                _ => return Err(bad("vulnerability")),
            },
            child_may_speak: self.child_may_speak,
            officer_asked_for: match self.officer_asked_for.as_deref() {
                None => None,
                Some(word) => Some(gender(word).ok_or_else(|| bad("officer_asked_for"))?),
            },
            silent: match self.silent_caller.as_deref() {
                None => None,
                Some(word) => Some(silent(word).ok_or_else(|| bad("silent_caller"))?),
            },
            follow_up: match (self.follow_up_of, self.for_officer.as_deref()) {
                (None, None) => None,
                (Some(of), Some(officer)) => Some(FollowUp { of: of.into(), officer: officer_id(officer)? }),
                _ => return Err(bad("for_officer")),
            },
            language: self.language,
        };
        let (id, force) = (CallId::from(self.call_id), force(&self.force_id)?);
        let waits = Waits { softens_at: self.softens_at, long_at: self.long_at, until: self.wait_until };
        let told = self.told_position.and_then(|position| u32::try_from(position).ok());
        let wait = self.told_wait_s.and_then(|seconds| u64::try_from(seconds).ok()).map(Duration::from_secs);
        let told = told.map(|position| Standing { position, wait });
        let call = Call { id, force, facts, queued_at: self.queued_at, offers, passes, waits, state };
        Ok(Kept { call, trace: Trace::parse(&self.trace), told })
    }
}

pub(super) struct OfficerRow {
    pub force_id: String,
    pub officer_id: String,
    pub wish: String,
    pub free_since: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
    pub gone: bool,
    pub languages: Vec<String>,
    pub child_trained: bool,
    pub gender: Option<String>,
    pub at_force: Option<String>,
}

impl OfficerRow {
    pub(super) fn into_officer(self) -> Result<Officer, Error> {
        let bad = |column| Error::Corrupt { table: "transfer.officers", column, row: self.officer_id.clone() };
        let wish = match self.wish.as_str() {
            "free" => Wish::Free,
            "away" => Wish::Away,
            _ => return Err(bad("wish")),
        };
        let gender = match self.gender.as_deref() {
            None => None,
            Some(word) => Some(gender(word).ok_or_else(|| bad("gender"))?),
        };
        Ok(Officer {
            id: officer_id(&self.officer_id)?,
            force: force(&self.force_id)?,
            wish,
            free_since: self.free_since,
            expires_at: self.expires_at,
            gone: self.gone,
            elsewhere: self.at_force.as_deref().map(force).transpose()?,
            skills: Skills { languages: self.languages, child_trained: self.child_trained, gender },
        })
    }
}

pub(super) fn force(text: &str) -> Result<ForceId, Error> {
    text.parse().map_err(|_| Error::Corrupt { table: "transfer", column: "force_id", row: text.to_owned() })
}

pub(super) fn officer_id(text: &str) -> Result<OfficerId, Error> {
    text.parse().map_err(|_| Error::Corrupt { table: "transfer", column: "officer_id", row: text.to_owned() })
}

pub(super) fn pass(officer: &str, expired: bool, again_from: DateTime<Utc>) -> Result<Pass, Error> {
    Ok(Pass { officer: officer_id(officer)?, expired, again_from })
}

/// A state, as its columns have it.
#[derive(Default)]
pub(super) struct StateWords<'a> {
    pub state: &'static str,
    pub officer: Option<&'a str>,
    pub offer_expires_at: Option<DateTime<Utc>>,
    pub accepted_at: Option<DateTime<Utc>>,
    pub returned_why: Option<&'static str>,
}

pub(super) fn state_words(state: &State) -> StateWords<'_> {
    let none = StateWords::default();
    match state {
        State::Queued => StateWords { state: "queued", ..none },
        State::Offered(offer) => StateWords {
            state: "offered",
            officer: Some(offer.officer.as_str()),
            offer_expires_at: Some(offer.expires_at),
            ..none
        },
        State::Accepted { officer, at } => {
            StateWords { state: "accepted", officer: Some(officer.as_str()), accepted_at: Some(*at), ..none }
        }
        State::Ended { officer } => StateWords { state: "ended", officer: Some(officer.as_str()), ..none },
        State::Abandoned => StateWords { state: "abandoned", ..none },
        State::Returned { why, officer } => {
            let returned_why = match why {
                Why::WaitLimit => "wait_limit",
                Why::ByDesk => "by_desk",
                Why::DeskClosed => "desk_closed",
                Why::CallBack => "call_back",
            };
            let officer = officer.as_ref().map(OfficerId::as_str);
            StateWords { state: "returned", officer, returned_why: Some(returned_why), ..none }
        }
    }
}

pub(super) fn risk_word(risk: Risk) -> &'static str {
    match risk {
        Risk::Standard => "standard",
        Risk::Medium => "medium",
        Risk::High => "high",
    }
}

pub(super) fn route_word(route: Route) -> &'static str {
    match route {
        Route::SpokenCode => "spoken_code",
        Route::Sms => "sms",
    }
}

pub(super) fn outcome_word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Accepted => "accepted",
        Outcome::Declined => "declined",
        Outcome::Expired => "expired",
        Outcome::Gone => "gone",
        Outcome::Withdrawn => "withdrawn",
        Outcome::HandedOn => "handed_on",
    }
}

pub(super) fn wish_word(wish: Wish) -> &'static str {
    match wish {
        Wish::Free => "free",
        Wish::Away => "away",
    }
}

/// Counts of offers: two thousand million are enough.
pub(super) fn to_int(count: u32) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

pub(super) fn to_seconds(wait: Duration) -> i32 {
    wait.as_secs().try_into().unwrap_or(i32::MAX)
}

pub(super) fn vulnerability_word(vulnerability: Vulnerability) -> &'static str {
    match vulnerability {
        Vulnerability::None => "none",
        Vulnerability::Some => "some",
        Vulnerability::Great => "great",
    }
}

pub(super) fn gender_word(gender: Gender) -> &'static str {
    match gender {
        Gender::Woman => "woman",
        Gender::Man => "man",
    }
}

pub(super) fn silent_word(silent: Silent) -> &'static str {
    match silent {
        Silent::Pressed55 => "pressed_55",
        Silent::TapsOnly => "taps_only",
        Silent::CannotSpeak => "cannot_speak",
    }
}

fn silent(word: &str) -> Option<Silent> {
    [Silent::Pressed55, Silent::TapsOnly, Silent::CannotSpeak].into_iter().find(|one| silent_word(*one) == word)
}

fn gender(word: &str) -> Option<Gender> {
    [Gender::Woman, Gender::Man].into_iter().find(|gender| gender_word(*gender) == word)
}

pub(super) fn kind_word(kind: AlertKind) -> &'static str {
    match kind {
        AlertKind::Declined => "declined",
        AlertKind::NotAnswered => "not_answered",
        AlertKind::WaitsLong => "waits_long",
        AlertKind::NoSkill => "no_skill",
        AlertKind::FastTrack => "fast_track",
        AlertKind::CallbackDue => "callback_due",
        AlertKind::CallbackMissed => "callback_missed",
    }
}

pub(super) fn kind(word: &str) -> Option<AlertKind> {
    use AlertKind::{CallbackDue, CallbackMissed, Declined, FastTrack, NoSkill, NotAnswered, WaitsLong};
    [Declined, NotAnswered, WaitsLong, NoSkill, FastTrack, CallbackDue, CallbackMissed]
        .into_iter()
        .find(|kind| kind_word(*kind) == word)
}
