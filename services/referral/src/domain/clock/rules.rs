//! Rules of clocks, as data: read once at the start, refused if they make no sense.

use std::collections::BTreeSet;

use chrono::{DateTime, Days, NaiveTime, TimeDelta, Utc};
use serde::{Deserialize, Deserializer, de::Error as _};

use super::Milestone;
use crate::domain::{
    calendar::{Calendar, in_london, london_day},
    is_key,
};

/// The longest that anything may take, in days.
const MOST_DAYS: u16 = 366;

/// All of them. Valid by construction.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Raw")]
pub struct Clocks {
    version: String,
    kinds: Vec<Kind>,
}

/// One clock's rule.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kind {
    /// Stable: `clares-law`.
    pub key: String,
    /// What is to be done, for the officer's screen.
    pub title: String,
    /// Where it is said that it has to be.
    pub source: String,
    /// By when.
    pub rule: Rule,
    /// How long before that it is near.
    pub near_seconds: u32,
    /// What stops it.
    pub ends_with: Milestone,
}

/// By when something has to be done. Days are London's, and the one on which it began is not counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// By the end of so many days.
    Days(u16),
    /// By the end of so many working days.
    WorkingDays(u16),
    /// Before schools open next, at that time.
    #[serde(deserialize_with = "time")]
    BeforeNextSchoolDay(NaiveTime),
    /// So many seconds later.
    WithinSeconds(u32),
}

/// Why rules are refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadRule {
    /// No version.
    #[error("the clocks have no version")]
    NoVersion,
    /// None at all.
    #[error("there is no clock")]
    Nothing,
    /// No key.
    #[error("the key {0:?} is not in lower-case words joined by hyphens")]
    Key(String),
    /// A key twice.
    #[error("the key {0:?} comes twice")]
    Twice(String),
    /// Nobody could tell what it is for, or check it.
    #[error("the clock {0:?} has no title, or no source")]
    NoSource(String),
    /// No time at all, or more than a year.
    #[error("the clock {0:?} leaves no time, or more than a year")]
    Length(String),
    /// It would be near before it begins, always.
    #[error("the clock {0:?} is near for all of its time")]
    Near(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    version: String,
    clock: Vec<Kind>,
}

impl Clocks {
    /// Which edition this is.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// All of them.
    #[must_use]
    pub fn kinds(&self) -> &[Kind] {
        &self.kinds
    }

    /// The one of that key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Kind> {
        self.kinds.iter().find(|kind| kind.key == key)
    }
}

impl Kind {
    /// By when it has to be done that began at `start`.
    #[must_use]
    pub fn due_at(&self, start: DateTime<Utc>, calendar: &Calendar, area: Option<&str>) -> DateTime<Utc> {
        // At the end of the calendar there is no time left.
        self.rule.due_at(start, calendar, area).unwrap_or(start)
    }

    /// From when on that is near.
    #[must_use]
    pub fn near_at(&self, start: DateTime<Utc>, due: DateTime<Utc>) -> DateTime<Utc> {
        (due - TimeDelta::seconds(self.near_seconds.into())).max(start)
    }

    fn check(&self) -> Result<(), BadRule> {
        let key = || self.key.clone();
        if !is_key(&self.key) {
            return Err(BadRule::Key(key()));
        }
        if self.title.trim().is_empty() || self.source.trim().is_empty() {
            return Err(BadRule::NoSource(key()));
        }
        let day = 86_400;
        // The least that it leaves; before the next school day that may be next to nothing.
        let (is_length, least) = match self.rule {
            Rule::Days(days) | Rule::WorkingDays(days) => ((1..=MOST_DAYS).contains(&days), u32::from(days) * day),
            Rule::BeforeNextSchoolDay(_) => (true, day),
            Rule::WithinSeconds(seconds) => ((1..=u32::from(MOST_DAYS) * day).contains(&seconds), seconds),
        };
        if !is_length {
            return Err(BadRule::Length(key()));
        }
        if self.near_seconds >= least {
            return Err(BadRule::Near(key()));
        }
        Ok(())
    }
}

impl Rule {
    fn due_at(self, start: DateTime<Utc>, calendar: &Calendar, area: Option<&str>) -> Option<DateTime<Utc>> {
        let today = london_day(start);
        match self {
            Self::Days(days) => end_of(today.checked_add_days(Days::new(days.into()))?),
            Self::WorkingDays(days) => end_of(calendar.working_day_after(today, days)?),
            Self::BeforeNextSchoolDay(opens) => {
                let this_morning = in_london(today, opens).filter(|at| *at > start);
                match this_morning.filter(|_| calendar.is_school_day(area, today)) {
                    Some(opening) => Some(opening),
                    None => in_london(calendar.next_school_day(area, today)?, opens),
                }
            }
            Self::WithinSeconds(seconds) => start.checked_add_signed(TimeDelta::seconds(seconds.into())),
        }
    }
}

/// The midnight in London with which that day ends.
fn end_of(day: chrono::NaiveDate) -> Option<DateTime<Utc>> {
    in_london(day.succ_opt()?, NaiveTime::MIN)
}

fn time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<NaiveTime, D::Error> {
    let text = String::deserialize(deserializer)?;
    NaiveTime::parse_from_str(&text, "%H:%M").map_err(|_| D::Error::custom("a time such as \"08:30\", please"))
}

impl TryFrom<Raw> for Clocks {
    type Error = BadRule;

    fn try_from(raw: Raw) -> Result<Self, BadRule> {
        if raw.version.is_empty() {
            return Err(BadRule::NoVersion);
        }
        if raw.clock.is_empty() {
            return Err(BadRule::Nothing);
        }
        let mut keys = BTreeSet::new();
        for kind in &raw.clock {
            kind.check()?;
            if !keys.insert(&kind.key) {
                return Err(BadRule::Twice(kind.key.clone()));
            }
        }
        Ok(Self { version: raw.version, kinds: raw.clock })
    }
}
