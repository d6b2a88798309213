//! Which days are working days and school days. Days are London's. Where nothing is known of a day, a weekday counts as both: what is
//! reckoned by it then ends early rather than late.

mod sheet;
#[cfg(test)]
pub(super) mod tests;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Datelike, NaiveDate, NaiveTime, TimeDelta, TimeZone, Utc, Weekday};
use chrono_tz::Europe::London;

pub use sheet::{BadSheet, Sheet};
use sheet::{BankHolidays, SchoolTerms, SchoolYear};

/// The days that are known, from all sheets.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Calendar {
    /// Years whose bank holidays are known.
    years: BTreeSet<i32>,
    holidays: BTreeSet<NaiveDate>,
    /// By area.
    schools: BTreeMap<String, Vec<SchoolYear>>,
}

impl Calendar {
    /// Adds what a sheet knows.
    ///
    /// # Errors
    /// It makes no sense, or another has said the same before: names the entry.
    pub fn add(&mut self, sheet: Sheet) -> Result<(), BadSheet> {
        match sheet {
            Sheet::BankHolidays(sheet) => self.add_holidays(sheet),
            Sheet::SchoolTerms(sheet) => self.add_schools(sheet),
        }
    }

    fn add_holidays(&mut self, sheet: BankHolidays) -> Result<(), BadSheet> {
        if !self.years.is_empty() {
            return Err(BadSheet::SecondHolidays);
        }
        (self.years, self.holidays) = sheet.checked()?;
        Ok(())
    }

    fn add_schools(&mut self, sheet: SchoolTerms) -> Result<(), BadSheet> {
        let (area, years) = sheet.checked()?;
        if self.schools.contains_key(&area) {
            return Err(BadSheet::SecondArea(area));
        }
        self.schools.insert(area, years);
        Ok(())
    }

    /// The last day whose bank holidays are known; `None` without any.
    #[must_use]
    pub fn known_until(&self) -> Option<NaiveDate> {
        self.years.last().and_then(|year| NaiveDate::from_ymd_opt(*year, 12, 31))
    }

    /// Areas whose school terms are known.
    pub fn areas(&self) -> impl Iterator<Item = &str> {
        self.schools.keys().map(String::as_str)
    }

    /// Neither at the weekend nor a bank holiday. In a year that isn't known, every weekday is one.
    #[must_use]
    pub fn is_working_day(&self, date: NaiveDate) -> bool {
        !matches!(date.weekday(), Weekday::Sat | Weekday::Sun) && !self.holidays.contains(&date)
    }

    /// A working day on which pupils come. Of no area, one that isn't known, or outside its years: every working day.
    #[must_use]
    pub fn is_school_day(&self, area: Option<&str>, date: NaiveDate) -> bool {
        let known = area.and_then(|area| self.schools.get(area)).into_iter().flatten();
        self.is_working_day(date) && known.filter(|year| year.has(date)).all(|year| year.is_taught_on(date))
    }

    /// The first one after that day.
    #[must_use]
    pub fn next_school_day(&self, area: Option<&str>, after: NaiveDate) -> Option<NaiveDate> {
        after.iter_days().skip(1).find(|date| self.is_school_day(area, *date))
    }

    /// The working day that is so many after that day, which is not counted itself.
    #[must_use]
    pub fn working_day_after(&self, day: NaiveDate, count: u16) -> Option<NaiveDate> {
        let last = usize::from(count).checked_sub(1)?;
        day.iter_days().skip(1).filter(|date| self.is_working_day(*date)).nth(last)
    }
}

/// Which day it is in London.
#[must_use]
pub fn london_day(at: DateTime<Utc>) -> NaiveDate {
    at.with_timezone(&London).date_naive()
}

/// When clocks in London first show that time on that day; when they go on, if they skip it.
#[must_use]
pub fn in_london(day: NaiveDate, time: NaiveTime) -> Option<DateTime<Utc>> {
    // No hour that is skipped is longer.
    (0..=120).find_map(|late| {
        let shown = day.and_time(time).checked_add_signed(TimeDelta::minutes(late))?;
        London.from_local_datetime(&shown).earliest().map(|time| time.with_timezone(&Utc))
    })
}
