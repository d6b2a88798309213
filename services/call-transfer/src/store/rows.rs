//! Rows to domain and back. A row that can't be a state is an error that names where it is.

use chassis::Trace;
use chrono::{DateTime, Utc};
use ids::{CallId, ForceId, IncidentRef, OfficerId};
use sqlx::types::Uuid;

use super::Kept;
use crate::{
    domain::{Call, Facts, Offer, Officer, Outcome, Pass, Risk, Route, State, Wish},
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
            language: self.language,
        };
        let (id, force) = (CallId::from(self.call_id), force(&self.force_id)?);
        let call = Call { id, force, facts, queued_at: self.queued_at, offers, passes, state };
        Ok(Kept { call, trace: Trace::parse(&self.trace) })
    }
}

pub(super) struct OfficerRow {
    pub force_id: String,
    pub officer_id: String,
    pub wish: String,
    pub free_since: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
    pub gone: bool,
}

impl OfficerRow {
    pub(super) fn into_officer(self) -> Result<Officer, Error> {
        let wish = match self.wish.as_str() {
            "free" => Wish::Free,
            "away" => Wish::Away,
            _ => return Err(Error::Corrupt { table: "transfer.officers", column: "wish", row: self.officer_id }),
        };
        Ok(Officer {
            id: officer_id(&self.officer_id)?,
            force: force(&self.force_id)?,
            wish,
            free_since: self.free_since,
            expires_at: self.expires_at,
            gone: self.gone,
        })
    }
}

pub(super) fn force(text: &str) -> Result<ForceId, Error> {
    text.parse().map_err(|_| Error::Corrupt { table: "transfer", column: "force_id", row: text.to_owned() })
}

fn officer_id(text: &str) -> Result<OfficerId, Error> {
    text.parse().map_err(|_| Error::Corrupt { table: "transfer", column: "officer_id", row: text.to_owned() })
}

pub(super) fn pass(officer: &str, expired: bool, again_from: DateTime<Utc>) -> Result<Pass, Error> {
    Ok(Pass { officer: officer_id(officer)?, expired, again_from })
}

/// State, officer, expiry of the offer, time of acceptance.
#[expect(clippy::type_complexity, reason = "four columns, read in one place")]
pub(super) fn state_words(state: &State) -> (&'static str, Option<&str>, Option<DateTime<Utc>>, Option<DateTime<Utc>>) {
    match state {
        State::Queued => ("queued", None, None, None),
        State::Offered(offer) => ("offered", Some(offer.officer.as_str()), Some(offer.expires_at), None),
        State::Accepted { officer, at } => ("accepted", Some(officer.as_str()), None, Some(*at)),
        State::Ended { officer } => ("ended", Some(officer.as_str()), None, None),
        State::Abandoned => ("abandoned", None, None, None),
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
