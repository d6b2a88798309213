//! When a desk is open, by the clocks in London. A day's opening belongs to the day on which it begins, and may go on into
//! the next. Where clocks skip an hour, what would lie in it is when they go on; where they repeat one, the desk opens the
//! first time and closes the second: nobody finds it closed at a time that was promised.

use std::{collections::BTreeMap, str::FromStr};

use chrono::{DateTime, Datelike, NaiveDate, NaiveTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Europe::London;
use ids::ForceId;

/// For how many days a desk is looked at: one that doesn't close within them never does.
const LOOK: u64 = 400;

/// From when until when on a day, in minutes from its midnight by the wall clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    opens: i64,
    closes: i64,
}

/// A day's opening as it is written: "07:00-23:00", "22:00-06:00" (until the next morning), "00:00-24:00" or "closed".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Day(pub Option<Span>);

/// It says no opening.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoDay;

impl FromStr for Day {
    type Err = NoDay;

    fn from_str(text: &str) -> Result<Self, NoDay> {
        if text == "closed" {
            return Ok(Self(None));
        }
        let (opens, closes) = text.split_once('-').ok_or(NoDay)?;
        let (opens, closes) = (minutes(opens).ok_or(NoDay)?, minutes(closes).ok_or(NoDay)?);
        if opens == closes || opens == 1440 {
            return Err(NoDay);
        }
        Ok(Self(Some(Span { opens, closes: if closes < opens { closes + 1440 } else { closes } })))
    }
}

fn minutes(text: &str) -> Option<i64> {
    let (hour, minute) = text.split_once(':')?;
    let digits = |part: &str| part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit());
    if !digits(hour) || !digits(minute) {
        return None;
    }
    let (hour, minute): (i64, i64) = (hour.parse().ok()?, minute.parse().ok()?);
    (minute < 60 && hour * 60 + minute <= 1440).then_some(hour * 60 + minute)
}

/// A desk's week, and the dates on which it is otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hours {
    /// Monday first.
    pub week: [Day; 7],
    /// Holidays and the like.
    pub dates: BTreeMap<NaiveDate, Day>,
}

impl Hours {
    /// Whether it is open.
    #[must_use]
    pub fn is_open(&self, now: DateTime<Utc>) -> bool {
        self.end_of_opening(now).is_some()
    }

    /// When it closes; `None` if it is closed, or never does.
    #[must_use]
    pub fn closes_at(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let mut end = self.end_of_opening(now)?;
        for _ in 0..LOOK {
            match self.end_of_opening(end) {
                Some(later) => end = later,
                None => return Some(end),
            }
        }
        None
    }

    /// When it opens next; `None` if it is open, or never does.
    #[must_use]
    pub fn opens_next(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        if self.is_open(now) {
            return None;
        }
        let openings = today(now).iter_days().take(LOOK as usize).filter_map(|date| self.opening(date));
        openings.map(|(opens, _)| opens).find(|opens| *opens > now)
    }

    /// Whether it is open all that time.
    #[must_use]
    pub fn covers(&self, from: DateTime<Utc>, until: DateTime<Utc>) -> bool {
        self.is_open(from) && self.closes_at(from).is_none_or(|closes| closes >= until)
    }

    /// Until when the opening goes on that this moment lies in. The next day's may follow on it.
    fn end_of_opening(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let today = today(now);
        let days = today.pred_opt().into_iter().chain([today]);
        let openings = days.filter_map(|date| self.opening(date));
        openings.filter(|(opens, closes)| *opens <= now && now < *closes).map(|(_, closes)| closes).max()
    }

    fn opening(&self, date: NaiveDate) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
        let weekday = self.week.get(date.weekday().num_days_from_monday() as usize)?;
        let span = self.dates.get(&date).unwrap_or(weekday).0?;
        Some((instant(date, span.opens, false)?, instant(date, span.closes, true)?))
    }
}

fn today(now: DateTime<Utc>) -> NaiveDate {
    now.with_timezone(&London).date_naive()
}

/// When clocks in London show that: of two times the first, or the second; of none when they go on.
fn instant(date: NaiveDate, minutes: i64, second: bool) -> Option<DateTime<Utc>> {
    // No hour that is skipped is longer.
    (0..=120).find_map(|late| {
        let shown = date.and_time(NaiveTime::MIN).checked_add_signed(TimeDelta::minutes(minutes + late))?;
        let times = London.from_local_datetime(&shown);
        let time = if second { times.latest() } else { times.earliest() };
        time.map(|time| time.with_timezone(&Utc))
    })
}

/// The hours of every force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Calendar {
    /// Of those that have none of their own.
    pub usual: Hours,
    /// Of those that have.
    pub own: BTreeMap<ForceId, Hours>,
}

impl Calendar {
    /// A force's.
    #[must_use]
    pub fn of(&self, force: &ForceId) -> &Hours {
        self.own.get(force).unwrap_or(&self.usual)
    }
}

#[cfg(test)]
pub(super) mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    pub(in crate::domain) fn hours(day: &str) -> Hours {
        Hours { week: [day.parse().unwrap(); 7], dates: BTreeMap::new() }
    }

    fn utc(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn the_desk_opens_at_seven_in_london_whatever_the_offset() {
        let desk = hours("07:00-23:00");
        for (before, opens, closes) in [
            // Winter, summer, and the two Sundays on which clocks change while it is closed.
            ("2026-01-15T03:00:00Z", "2026-01-15T07:00:00Z", "2026-01-15T23:00:00Z"),
            ("2026-07-15T03:00:00Z", "2026-07-15T06:00:00Z", "2026-07-15T22:00:00Z"),
            ("2026-03-28T23:30:00Z", "2026-03-29T06:00:00Z", "2026-03-29T22:00:00Z"),
            ("2026-10-24T22:30:00Z", "2026-10-25T07:00:00Z", "2026-10-25T23:00:00Z"),
        ] {
            let (before, opens, closes) = (utc(before), utc(opens), utc(closes));
            assert!(!desk.is_open(before));
            assert_eq!((desk.opens_next(before), desk.closes_at(before)), (Some(opens), None));
            assert!(desk.is_open(opens) && !desk.is_open(opens - TimeDelta::seconds(1)));
            assert!(desk.is_open(closes - TimeDelta::seconds(1)) && !desk.is_open(closes));
            assert_eq!((desk.closes_at(opens), desk.opens_next(opens)), (Some(closes), None));
        }
    }

    #[test]
    fn a_night_is_an_hour_shorter_in_march_and_longer_in_october() {
        let night = hours("22:00-06:00");
        for (evening, morning, hours) in [
            ("2026-03-28T22:00:00Z", "2026-03-29T05:00:00Z", 7),
            ("2026-10-24T21:00:00Z", "2026-10-25T06:00:00Z", 9),
            ("2026-12-31T22:00:00Z", "2027-01-01T06:00:00Z", 8),
        ] {
            let (evening, morning) = (utc(evening), utc(morning));
            assert_eq!(night.closes_at(evening), Some(morning));
            assert_eq!(morning - evening, TimeDelta::hours(hours));
            assert!(night.covers(evening, morning) && !night.covers(evening, morning + TimeDelta::seconds(1)));
        }
        // At a time that there isn't, and at one that there is twice.
        let (skipped, twice) = (hours("01:30-12:00"), hours("12:00-01:30"));
        assert_eq!(skipped.opens_next(utc("2026-03-29T00:00:00Z")), Some(utc("2026-03-29T01:00:00Z")));
        assert_eq!(skipped.opens_next(utc("2026-10-24T23:00:00Z")), Some(utc("2026-10-25T00:30:00Z")));
        assert_eq!(twice.closes_at(utc("2026-10-24T12:00:00Z")), Some(utc("2026-10-25T01:30:00Z")));
    }

    #[test]
    fn dates_are_otherwise_than_their_weekday_and_a_desk_may_never_close_or_open() {
        let mut desk = hours("07:00-23:00");
        desk.dates.insert("2026-12-25".parse().unwrap(), "closed".parse().unwrap());
        desk.dates.insert("2026-12-31".parse().unwrap(), "12:00-04:00".parse().unwrap());
        assert_eq!(desk.opens_next(utc("2026-12-24T23:00:00Z")), Some(utc("2026-12-26T07:00:00Z")));
        assert!(!desk.is_open(utc("2026-12-31T11:00:00Z")) && desk.is_open(utc("2027-01-01T03:59:59Z")));
        assert_eq!(desk.closes_at(utc("2026-12-31T23:30:00Z")), Some(utc("2027-01-01T04:00:00Z")));
        let (always, never) = (hours("00:00-24:00"), hours("closed"));
        let now = utc("2026-03-29T00:59:59Z");
        assert!(always.is_open(now) && always.covers(now, now + TimeDelta::days(3)));
        assert_eq!((always.closes_at(now), always.opens_next(now)), (None, None));
        assert_eq!((never.closes_at(now), never.opens_next(now)), (None, None));
        for bad in ["", "7:00-23:00", "07:00", "07:00-07:00", "24:00-25:00", "07:60-08:00", "24:00-06:00", "Closed"] {
            assert_eq!(bad.parse::<Day>(), Err(NoDay), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn what_is_told_of_a_desk_is_so(opens in 0i64..1440, long in 1i64..1440, seconds in 0i64..63_072_000) {
            let closes = opens + long;
            let text = |minutes: i64| format!("{:02}:{:02}", minutes % 1440 / 60, minutes % 60);
            let desk = hours(&format!("{}-{}", text(opens), text(closes)));
            let now = utc("2026-01-01T00:00:00Z") + TimeDelta::seconds(seconds);
            let (a_moment, is_open) = (TimeDelta::seconds(1), desk.is_open(now));
            match (desk.opens_next(now), desk.closes_at(now)) {
                (Some(at), None) => {
                    prop_assert!(!is_open && at > now && desk.is_open(at) && !desk.is_open(at - a_moment));
                }
                (None, Some(at)) => {
                    prop_assert!(is_open && at > now && desk.is_open(at - a_moment) && !desk.is_open(at));
                }
                // Round the clock but for what a clock change closes.
                (None, None) => prop_assert!(is_open && long >= 1380),
                (Some(_), Some(_)) => prop_assert!(false, "it can't be both"),
            }
        }
    }
}
