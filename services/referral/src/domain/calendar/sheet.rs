//! A calendar as it is written: bank holidays, or the school terms of one area. Refused if it makes no sense.

use std::collections::BTreeSet;

use chrono::{Datelike, NaiveDate, Weekday};
use serde::Deserialize;

use crate::domain::is_key;

/// England and Wales have as many in a year, and more only when the King says so: fewer, and some were forgotten.
const HOLIDAYS_A_YEAR: usize = 8;

/// A file of the folder.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Sheet {
    /// Days on which nobody works.
    BankHolidays(BankHolidays),
    /// Days on which pupils come, in one area.
    SchoolTerms(SchoolTerms),
}

/// Bank holidays of whole years.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BankHolidays {
    title: String,
    source: String,
    years: Vec<i32>,
    holiday: Vec<Holiday>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Holiday {
    date: NaiveDate,
    title: String,
}

/// School years of one area.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SchoolTerms {
    area: String,
    #[serde(default)]
    demonstration: bool,
    title: String,
    source: String,
    year: Vec<SchoolYear>,
}

/// One school year, in full.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SchoolYear {
    from: NaiveDate,
    until: NaiveDate,
    terms: Vec<(NaiveDate, NaiveDate)>,
    #[serde(default)]
    inset: Vec<NaiveDate>,
}

/// Why a sheet is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadSheet {
    /// Nobody could check it.
    #[error("it has no title, or no source")]
    NoSource,
    /// Two sheets of bank holidays.
    #[error("the bank holidays are in another file already")]
    SecondHolidays,
    /// Two sheets of one area.
    #[error("the terms of area {0:?} are in another file already")]
    SecondArea(String),
    /// No key.
    #[error("the area {0:?} is not in lower-case words joined by hyphens")]
    Area(String),
    /// No years, or not one after the other.
    #[error("years must be years one after the other, and there is a gap or none at {0}")]
    Gap(i32),
    /// Some were forgotten.
    #[error("{0} has {1} bank holidays, and England and Wales have at least 8 in every year")]
    TooFew(i32, usize),
    /// One that is not in any of the years.
    #[error("{0} is in none of the years that are here in full")]
    OtherYear(NaiveDate),
    /// Not a bank holiday, whatever it is called.
    #[error("{0} is at a weekend: its substitute day is the bank holiday")]
    Weekend(NaiveDate),
    /// A day twice, or terms or years that overlap.
    #[error("{0} comes twice")]
    Twice(NaiveDate),
    /// A holiday without a name.
    #[error("{0} has no title")]
    NoTitle(NaiveDate),
    /// A term or year that ends before it begins.
    #[error("what begins on {0} ends before")]
    Backwards(NaiveDate),
    /// A term that is outside of its year, or an INSET day outside of the terms.
    #[error("{0} is outside of the school year or of its terms")]
    Outside(NaiveDate),
    /// A school year in which nobody learns.
    #[error("the school year from {0} has no terms")]
    NoTerms(NaiveDate),
    /// An area with nothing known.
    #[error("there is no school year")]
    NoYears,
}

impl Sheet {
    /// Made up, for trying out.
    #[must_use]
    pub fn is_demonstration(&self) -> bool {
        matches!(self, Self::SchoolTerms(SchoolTerms { demonstration: true, .. }))
    }
}

impl BankHolidays {
    pub(super) fn checked(self) -> Result<(BTreeSet<i32>, BTreeSet<NaiveDate>), BadSheet> {
        checked_source(&self.title, &self.source)?;
        self.years.first().ok_or(BadSheet::Gap(0))?;
        let years: BTreeSet<_> = self.years.iter().copied().collect();
        let next = |[year, next]: &[i32; 2]| year.checked_add(1) == Some(*next);
        if let Some([_, year]) = self.years.array_windows().find(|pair| !next(pair)) {
            return Err(BadSheet::Gap(*year));
        }
        let mut dates = BTreeSet::new();
        for Holiday { date, title } in self.holiday {
            if !years.contains(&date.year()) {
                return Err(BadSheet::OtherYear(date));
            }
            if matches!(date.weekday(), Weekday::Sat | Weekday::Sun) {
                return Err(BadSheet::Weekend(date));
            }
            if title.trim().is_empty() {
                return Err(BadSheet::NoTitle(date));
            }
            if !dates.insert(date) {
                return Err(BadSheet::Twice(date));
            }
        }
        for year in &years {
            let count = dates.iter().filter(|date| date.year() == *year).count();
            if count < HOLIDAYS_A_YEAR {
                return Err(BadSheet::TooFew(*year, count));
            }
        }
        Ok((years, dates))
    }
}

impl SchoolTerms {
    pub(super) fn checked(self) -> Result<(String, Vec<SchoolYear>), BadSheet> {
        checked_source(&self.title, &self.source)?;
        if !is_key(&self.area) {
            return Err(BadSheet::Area(self.area));
        }
        if self.year.is_empty() {
            return Err(BadSheet::NoYears);
        }
        one_after_the_other(self.year.iter().map(|year| (year.from, year.until)))?;
        for year in &self.year {
            year.check()?;
        }
        Ok((self.area, self.year))
    }
}

impl SchoolYear {
    fn check(&self) -> Result<(), BadSheet> {
        if self.terms.is_empty() {
            return Err(BadSheet::NoTerms(self.from));
        }
        one_after_the_other(self.terms.iter().copied())?;
        for day in self.terms.iter().flat_map(|(first, last)| [first, last]) {
            if !self.has(*day) {
                return Err(BadSheet::Outside(*day));
            }
        }
        let mut seen = BTreeSet::new();
        for day in &self.inset {
            if !self.is_in_term(*day) {
                return Err(BadSheet::Outside(*day));
            }
            if !seen.insert(day) {
                return Err(BadSheet::Twice(*day));
            }
        }
        Ok(())
    }

    /// The day is in it.
    pub(super) fn has(&self, day: NaiveDate) -> bool {
        (self.from..=self.until).contains(&day)
    }

    /// Pupils come, if it is a working day.
    pub(super) fn is_taught_on(&self, day: NaiveDate) -> bool {
        self.is_in_term(day) && !self.inset.contains(&day)
    }

    fn is_in_term(&self, day: NaiveDate) -> bool {
        self.terms.iter().any(|(first, last)| (*first..=*last).contains(&day))
    }
}

fn checked_source(title: &str, source: &str) -> Result<(), BadSheet> {
    if title.trim().is_empty() || source.trim().is_empty() { Err(BadSheet::NoSource) } else { Ok(()) }
}

fn one_after_the_other(spans: impl Iterator<Item = (NaiveDate, NaiveDate)>) -> Result<(), BadSheet> {
    let mut before: Option<NaiveDate> = None;
    for (first, last) in spans {
        if last < first {
            return Err(BadSheet::Backwards(first));
        }
        if before.is_some_and(|before| first <= before) {
            return Err(BadSheet::Twice(first));
        }
        before = Some(last);
    }
    Ok(())
}
