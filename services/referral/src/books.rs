//! What the service goes by, as data: read once at the start and refused, by name, if it makes no sense.

mod calendars;
mod kinds;
pub mod partners;
pub mod postcode;
mod questions;

use std::{fs, path::Path};

use chassis::config::Profile;
use chrono::{DateTime, Days, Utc};
use serde::de::DeserializeOwned;

pub use kinds::KindBook;
pub use questions::{QuestionBook, Unusable as UnusableQuestions};

use self::partners::{PartnerBook, WrongPartner};
use crate::{
    config,
    domain::{
        Checklist,
        calendar::{BadSheet, Calendar, london_day},
        clock::Clocks,
        schedule::ScheduleBook,
    },
};

/// How long before the known bank holidays run out somebody is told at each start: no clock reaches further.
const WARNED_BEFORE: Days = Days::new(400);

/// Everything that is data.
#[derive(Debug)]
pub struct Books {
    /// What a package needs.
    pub checklist: Checklist,
    /// What referrals can be made.
    pub kinds: KindBook,
    /// By when things have to be done.
    pub clocks: Clocks,
    /// Working days and school days.
    pub calendar: Calendar,
    /// What is asked about risk.
    pub questions: QuestionBook,
    /// Who helps.
    pub partners: PartnerBook,
    /// What goes on a disclosure schedule.
    pub schedule: ScheduleBook,
}

/// Data that can't be gone by.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    /// The embedded checklist makes no sense.
    #[error("the checklist is not usable")]
    Checklist(#[from] toml::de::Error),
    /// A file or folder can't be read.
    #[error("{0} can't be read")]
    Unread(String, #[source] std::io::Error),
    /// A file isn't what it should be; the source says where in it.
    #[error("the file {0} is refused")]
    Refused(String, #[source] toml::de::Error),
    /// A calendar makes no sense; the source says which entry.
    #[error("the calendar {0} is refused")]
    Calendar(String, #[source] BadSheet),
    /// A made-up calendar where calls are real.
    #[error("the calendar {0} is a demonstration, and this is production")]
    Demonstration(String),
    /// No calendar says when the bank holidays are.
    #[error("no calendar of {0} has the bank holidays")]
    NoBankHolidays(String),
    /// A kind of referral has a clock that there isn't.
    #[error("the kind {0:?} begins the clock {1:?}, which there isn't")]
    UnknownClock(String, String),
    /// A partner's schools go by terms that aren't there.
    #[error("the partner {0:?} goes by the school terms of {1:?}, which no calendar has")]
    UnknownTerms(String, String),
    /// A question set makes no sense.
    #[error("the question sets are not usable")]
    Questions(#[from] UnusableQuestions),
    /// A partner makes no sense.
    #[error(transparent)]
    Partner(#[from] WrongPartner),
}

impl Books {
    /// Reads them.
    ///
    /// # Errors
    /// Says which is wrong, and what with it.
    pub fn read(config: &config::Books, profile: Profile, now: DateTime<Utc>) -> Result<Self, Unusable> {
        let checklist: Checklist = toml::from_str(include_str!("../checklist.toml"))?;
        tracing::info!(version = checklist.version(), items = checklist.items().len(), "checklist");
        let clocks: Clocks = book(config.clocks.as_deref(), include_str!("../clocks.toml"))?;
        tracing::info!(version = clocks.version(), clocks = clocks.kinds().len(), "clocks");
        let calendar = calendars::read(config.calendars.as_deref(), profile)?;
        let areas: Vec<_> = calendar.areas().collect();
        let known_until = calendar.known_until();
        tracing::info!(?known_until, ?areas, "calendars");
        if known_until.is_none_or(|until| until < london_day(now) + WARNED_BEFORE) {
            tracing::warn!(?known_until, "the bank holidays run out: after them every weekday counts as a working day");
        }
        let kinds = KindBook::read(config, &clocks)?;
        // Made-up partners are for trying out: where calls are real nothing goes to any of them.
        let shipped = if profile == Profile::Production { "" } else { include_str!("../partners.toml") };
        let (name, text) = source(config.partners.as_deref(), shipped)?;
        let partners = PartnerBook::read(&name, &text, profile)?;
        if let Some((partner, area)) = partners.without_calendar(&calendar) {
            return Err(Unusable::UnknownTerms(partner.to_owned(), area.to_owned()));
        }
        tracing::info!(partners = partners.count(), "partners");
        let questions = QuestionBook::read(config)?;
        let schedule: ScheduleBook = book(config.schedule.as_deref(), include_str!("../schedule.toml"))?;
        tracing::info!(version = schedule.version(), "disclosure schedule");
        Ok(Self { checklist, kinds, clocks, calendar, questions, partners, schedule })
    }
}

/// A book in one file: the one that is named, or the shipped one.
fn book<T: DeserializeOwned>(path: Option<&Path>, shipped: &str) -> Result<T, Unusable> {
    let (name, text) = source(path, shipped)?;
    toml::from_str(&text).map_err(|error| Unusable::Refused(name, error))
}

/// A book's name, for who mends it, and its text.
fn source(path: Option<&Path>, shipped: &str) -> Result<(String, String), Unusable> {
    Ok(match path {
        Some(path) => (path.display().to_string(), text(path)?),
        None => ("as shipped".to_owned(), shipped.to_owned()),
    })
}

fn text(path: &Path) -> Result<String, Unusable> {
    fs::read_to_string(path).map_err(|error| Unusable::Unread(path.display().to_string(), error))
}
