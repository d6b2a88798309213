//! Which days count, of what is known and of what is not.

#![allow(clippy::unwrap_used)]

use chrono::Days;
use proptest::prelude::*;

use super::*;

const HOLIDAYS: &str = include_str!("../../../calendars/bank-holidays.toml");
const KENT: &str = include_str!("../../../calendars/schools-kent.toml");
const BIRMINGHAM: &str = include_str!("../../../calendars/schools-birmingham.toml");

/// The shipped ones.
pub fn shipped() -> Calendar {
    let mut calendar = Calendar::default();
    for sheet in [HOLIDAYS, KENT, BIRMINGHAM] {
        calendar.add(toml::from_str(sheet).unwrap()).unwrap();
    }
    calendar
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

/// Easter Sunday, by Gauss' reckoning as Butcher has it: the published dates must agree with it.
fn easter(year: i32) -> NaiveDate {
    let (a, b, c) = (year % 19, year / 100, year % 100);
    let h = (19 * a + b - b / 4 - (b - (b + 8) / 25 + 1) / 3 + 15) % 30;
    let l = (32 + 2 * (b % 4) + 2 * (c / 4) - h - c % 4) % 7;
    let m = (a + 11 * h + 22 * l) / 451;
    let n = h + l - 7 * m + 114;
    NaiveDate::from_ymd_opt(year, u32::try_from(n / 31).unwrap(), u32::try_from(n % 31 + 1).unwrap()).unwrap()
}

#[test]
fn the_shipped_bank_holidays_are_those_that_the_law_makes() {
    let calendar = shipped();
    for year in 2025..=2028 {
        let date = |month, day| NaiveDate::from_ymd_opt(year, month, day).unwrap();
        let monday_from = |from: NaiveDate| from.iter_days().find(|day| day.weekday() == Weekday::Mon).unwrap();
        let easter = easter(year);
        let mut expected = BTreeSet::from([
            easter - Days::new(2),
            easter + Days::new(1),
            monday_from(date(5, 1)),
            monday_from(date(5, 25)),
            monday_from(date(8, 25)),
        ]);
        // One at a weekend is had on the next weekday that is none yet.
        for fixed in [date(1, 1), date(12, 25), date(12, 26)] {
            let is_free =
                |day: &NaiveDate| !matches!(day.weekday(), Weekday::Sat | Weekday::Sun) && !expected.contains(day);
            let free = fixed.iter_days().find(is_free).unwrap();
            expected.insert(free);
        }
        let known: BTreeSet<_> = calendar.holidays.iter().copied().filter(|day| day.year() == year).collect();
        assert_eq!(known, expected, "{year}");
    }
    assert_eq!(calendar.known_until(), Some(day("2028-12-31")));
    assert_eq!(calendar.areas().collect::<Vec<_>>(), ["birmingham", "kent"]);
}

#[test]
fn a_day_of_which_nothing_is_known_counts() {
    let calendar = shipped();
    for (date, works, birmingham, kent, nowhere) in [
        // A Friday in a term; a Saturday; Christmas; half-term in Kent alone.
        ("2026-11-27", true, true, true, true),
        ("2026-11-28", false, false, false, false),
        ("2026-12-25", false, false, false, false),
        ("2026-10-19", true, true, false, true),
        // INSET days, a bank holiday within a term, the summer holidays.
        ("2027-01-04", true, false, false, true),
        ("2027-05-03", false, false, false, false),
        ("2027-08-10", true, false, false, true),
        // Beyond the terms that are known, and beyond the bank holidays: New Year's Day 2029 is a Monday.
        ("2028-10-25", true, true, true, true),
        ("2029-01-01", true, true, true, true),
    ] {
        let date = day(date);
        assert_eq!(calendar.is_working_day(date), works, "{date}");
        let school = [Some("birmingham"), Some("kent"), None].map(|area| calendar.is_school_day(area, date));
        assert_eq!(school, [birmingham, kent, nowhere], "{date}");
        assert_eq!(calendar.is_school_day(Some("cornwall"), date), nowhere, "{date}");
    }
    assert_eq!(calendar.next_school_day(Some("kent"), day("2026-10-16")), Some(day("2026-11-03")));
    assert_eq!(calendar.next_school_day(None, day("2026-10-16")), Some(day("2026-10-19")));
    assert_eq!(calendar.working_day_after(day("2026-12-24"), 1), Some(day("2026-12-29")));
    assert_eq!(calendar.working_day_after(day("2026-12-24"), 0), None);
}

#[test]
fn london_s_day_and_hours_in_summer_and_winter_and_where_clocks_change() {
    let utc = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
    assert_eq!(london_day(utc("2026-07-01T23:30:00Z")), day("2026-07-02"));
    assert_eq!(london_day(utc("2026-12-01T23:30:00Z")), day("2026-12-01"));
    let at = |date: &str, time: &str| in_london(day(date), time.parse().unwrap());
    assert_eq!(at("2026-07-02", "08:30:00"), Some(utc("2026-07-02T07:30:00Z")));
    assert_eq!(at("2026-12-02", "08:30:00"), Some(utc("2026-12-02T08:30:00Z")));
    // 01:30 isn't there in March, and twice in October.
    assert_eq!(at("2026-03-29", "01:30:00"), Some(utc("2026-03-29T01:00:00Z")));
    assert_eq!(at("2026-10-25", "01:30:00"), Some(utc("2026-10-25T00:30:00Z")));
}

#[test]
fn what_makes_no_sense_is_refused_by_its_entry() {
    let refused = |sheets: &[String]| -> BadSheet {
        let mut calendar = Calendar::default();
        let added = sheets.iter().try_for_each(|sheet| calendar.add(toml::from_str(sheet).unwrap()));
        added.unwrap_err()
    };
    let holidays = |from: &str, to: &str| refused(&[HOLIDAYS.replacen(from, to, 1)]);
    assert_eq!(holidays("2025, 2026", "2024, 2026"), BadSheet::Gap(2026));
    assert_eq!(holidays("[2025, 2026, 2027, 2028]", "[]"), BadSheet::Gap(0));
    assert_eq!(
        holidays("[2025, 2026, 2027, 2028]", "[2147483647, 1]"),
        BadSheet::Gap(1),
        "after the last year is none"
    );
    assert_eq!(holidays(", 2028]", "]"), BadSheet::OtherYear(day("2028-01-03")));
    assert_eq!(holidays("2028-01-03", "2028-01-01"), BadSheet::Weekend(day("2028-01-01")));
    assert_eq!(holidays("2027-12-28", "2027-12-27"), BadSheet::Twice(day("2027-12-27")));
    assert_eq!(holidays("2027-12-28", "2026-12-29"), BadSheet::TooFew(2027, 7));
    assert_eq!(holidays("Good Friday", " "), BadSheet::NoTitle(day("2025-04-18")));
    assert_eq!(holidays("https://www.gov.uk/bank-holidays, England and Wales\"", "\""), BadSheet::NoSource);
    assert_eq!(refused(&[HOLIDAYS.into(), HOLIDAYS.into()]), BadSheet::SecondHolidays);

    let kent = |from: &str, to: &str| refused(&[KENT.replacen(from, to, 1)]);
    assert_eq!(refused(&[KENT.into(), KENT.into()]), BadSheet::SecondArea("kent".into()));
    assert_eq!(kent("area = \"kent\"", "area = \"Kent\""), BadSheet::Area("Kent".into()));
    assert_eq!(kent("2026-10-16", "2026-08-16"), BadSheet::Backwards(day("2026-09-01")));
    assert_eq!(kent("2026-10-16", "2026-11-16"), BadSheet::Twice(day("2026-11-02")));
    assert_eq!(kent("2027-07-22", "2027-09-22"), BadSheet::Outside(day("2027-09-22")));
    assert_eq!(kent("\"2027-04-12\", \"2027-07-22\"", "\"2027-04-09\""), BadSheet::Outside(day("2027-04-09")));
    assert_eq!(kent("\"2027-04-12\", \"2027-07-22\"", "\"2027-01-04\""), BadSheet::Twice(day("2027-01-04")));
    assert_eq!(kent("until = \"2027-08-31\"", "until = \"2027-09-01\""), BadSheet::Twice(day("2027-09-01")));
    // What isn't a date, a kind or a key of ours isn't read at all.
    for (from, to) in [("2025-12-25", "2025-12-32"), ("bank-holidays\"", "holidays\""), ("years =", "jahre =")] {
        assert!(toml::from_str::<Sheet>(&HOLIDAYS.replacen(from, to, 1)).is_err(), "{to}");
    }
}

proptest! {
    #[test]
    fn the_next_one_is_after_and_there_is_none_between(offset in 0u64..2_000, count in 1u16..40, area in 0usize..3) {
        let (calendar, from) = (shipped(), day("2025-01-01") + Days::new(offset));
        let area = [None, Some("kent"), Some("birmingham")][area];
        let next = calendar.next_school_day(area, from).unwrap();
        let between: Vec<_> = from.iter_days().skip(1).take_while(|day| *day < next).collect();
        prop_assert!(next > from && calendar.is_school_day(area, next) && calendar.is_working_day(next));
        prop_assert!(between.into_iter().all(|day| !calendar.is_school_day(area, day)));
        // Where less is known it is never later.
        prop_assert!(calendar.next_school_day(None, from).unwrap() <= next);
        let last = calendar.working_day_after(from, count).unwrap();
        let days = from.iter_days().skip(1).take_while(|day| *day <= last);
        prop_assert_eq!(days.filter(|day| calendar.is_working_day(*day)).count(), usize::from(count));
        prop_assert!(calendar.is_working_day(last));
    }
}
