//! Deadlines over clock changes, holidays and a whole year; ticks and stops in any order.

#![allow(clippy::unwrap_used)]

use chrono::TimeDelta;
use proptest::prelude::*;

use super::*;
use crate::domain::calendar::{Calendar, london_day, tests::shipped};

const SHIPPED: &str = include_str!("../../../clocks.toml");

fn clocks() -> Clocks {
    toml::from_str(SHIPPED).unwrap()
}

fn utc(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn due(key: &str, area: Option<&str>, start: &str) -> DateTime<Utc> {
    clocks().get(key).unwrap().due_at(utc(start), &shipped(), area)
}

fn deadline(kind: &Kind, start: DateTime<Utc>, calendar: &Calendar) -> Deadline {
    let due_at = kind.due_at(start, calendar, None);
    Deadline {
        id: uuid::Uuid::nil().into(),
        key: kind.key.clone(),
        title: kind.title.clone(),
        source: kind.source.clone(),
        referral: None,
        ends_with: kind.ends_with,
        started_at: start,
        near_at: kind.near_at(start, due_at),
        due_at,
        near_raised_at: None,
        missed_raised_at: None,
        stopped_at: None,
    }
}

#[test]
fn twenty_eight_days_end_with_the_28th_in_london() {
    for (start, end) in [
        // Midday in winter, and over a New Year.
        ("2026-11-02T12:00:00Z", "2026-12-01T00:00:00Z"),
        ("2026-12-20T12:00:00Z", "2027-01-18T00:00:00Z"),
        // Over both clock changes: 671 hours and 673 hours from the midnight after it began.
        ("2027-03-10T12:00:00Z", "2027-04-07T23:00:00Z"),
        ("2026-10-10T11:00:00Z", "2026-11-08T00:00:00Z"),
        // On the days of the changes themselves, within the hour that is there twice.
        ("2027-03-28T00:59:59Z", "2027-04-25T23:00:00Z"),
        ("2026-10-25T00:30:00Z", "2026-11-23T00:00:00Z"),
        ("2026-10-25T01:30:00Z", "2026-11-23T00:00:00Z"),
        // Over a 29th of February, and on one.
        ("2028-02-10T12:00:00Z", "2028-03-10T00:00:00Z"),
        ("2028-02-29T12:00:00Z", "2028-03-28T23:00:00Z"),
        ("2027-02-10T12:00:00Z", "2027-03-11T00:00:00Z"),
        // At 00:30 and at 23:59 of the same day in summer: it is the day before in UTC, and they end alike.
        ("2026-06-30T23:30:00Z", "2026-07-29T23:00:00Z"),
        ("2026-07-01T22:59:00Z", "2026-07-29T23:00:00Z"),
        ("2026-07-01T23:00:00Z", "2026-07-30T23:00:00Z"),
    ] {
        assert_eq!(due("clares-law", None, start), utc(end), "{start}");
    }
}

#[test]
fn working_days_leave_out_weekends_and_bank_holidays() {
    for (key, start, end) in [
        ("marac", "2026-12-01T09:00:00Z", "2026-12-03T00:00:00Z"),
        ("marac", "2026-12-01T00:30:00Z", "2026-12-03T00:00:00Z"),
        // On a Friday at 23:59, on a Saturday, on a Sunday: by the end of Monday.
        ("mash", "2026-11-27T23:59:00Z", "2026-12-01T00:00:00Z"),
        ("mash", "2026-11-28T00:30:00Z", "2026-12-01T00:00:00Z"),
        ("mash", "2026-11-29T23:59:59Z", "2026-12-01T00:00:00Z"),
        // Christmas, with Boxing Day on a Monday; Easter, with the clocks changed on its Sunday; the year that isn't known.
        ("acknowledgement", "2026-12-24T10:00:00Z", "2026-12-31T00:00:00Z"),
        ("marac", "2027-03-25T10:00:00Z", "2027-03-30T23:00:00Z"),
        ("acknowledgement", "2028-12-29T10:00:00Z", "2029-01-03T00:00:00Z"),
        // The autumn change within a weekend.
        ("marac", "2026-10-23T10:00:00Z", "2026-10-27T00:00:00Z"),
    ] {
        assert_eq!(due(key, None, start), utc(end), "{key} {start}");
    }
}

#[test]
fn a_school_is_told_before_it_opens_next() {
    let (kent, birmingham, nowhere) = (Some("kent"), Some("birmingham"), None);
    for (area, start, end) in [
        // In the night, a second before it opens, as it opens, in the evening.
        (kent, "2026-12-01T00:30:00Z", "2026-12-01T08:30:00Z"),
        (kent, "2026-12-01T08:29:59Z", "2026-12-01T08:30:00Z"),
        (kent, "2026-12-01T08:30:00Z", "2026-12-02T08:30:00Z"),
        (kent, "2026-12-01T23:59:00Z", "2026-12-02T08:30:00Z"),
        // In summer it is half past seven by UTC.
        (kent, "2027-06-10T22:59:00Z", "2027-06-11T07:30:00Z"),
        (kent, "2027-06-10T23:30:00Z", "2027-06-11T07:30:00Z"),
        // Into half-term and over the autumn change; elsewhere school is on.
        (kent, "2026-10-16T19:00:00Z", "2026-11-03T08:30:00Z"),
        (birmingham, "2026-10-16T19:00:00Z", "2026-10-19T07:30:00Z"),
        (nowhere, "2026-10-24T19:00:00Z", "2026-10-26T08:30:00Z"),
        // Easter holidays and the spring change. Where nothing is known, the day after Easter Monday.
        (birmingham, "2027-03-27T12:00:00Z", "2027-04-12T07:30:00Z"),
        (nowhere, "2027-03-27T12:00:00Z", "2027-03-30T07:30:00Z"),
        (nowhere, "2026-12-31T23:59:00Z", "2027-01-04T08:30:00Z"),
    ] {
        assert_eq!(due("encompass", area, start), utc(end), "{area:?} {start}");
    }
}

#[test]
fn seconds_are_seconds_and_near_is_never_before_the_beginning() {
    // Over the autumn change: 72 hours, and not three days by the wall.
    assert_eq!(due("photographs", None, "2026-10-24T12:00:00Z"), utc("2026-10-27T12:00:00Z"));
    let (clocks, calendar) = (clocks(), shipped());
    let photographs = deadline(clocks.get("photographs").unwrap(), utc("2026-11-27T10:00:00Z"), &calendar);
    assert_eq!(photographs.near_at, utc("2026-11-28T10:00:00Z"));
    let encompass = deadline(clocks.get("encompass").unwrap(), utc("2026-12-01T08:00:00Z"), &calendar);
    assert_eq!((encompass.near_at, encompass.due_at), (encompass.started_at, utc("2026-12-01T08:30:00Z")));
}

#[test]
fn rules_that_make_no_sense_are_refused_by_key() {
    let refused =
        |from: &str, to: &str| toml::from_str::<Clocks>(&SHIPPED.replacen(from, to, 1)).unwrap_err().to_string();
    for (from, to, problem) in [
        ("\"2026-11\"", "\"\"", "no version"),
        ("key = \"mash\"", "key = \"marac\"", "\"marac\" comes twice"),
        ("key = \"mash\"", "key = \"Mash\"", "\"Mash\""),
        ("title = \"Refer to the MARAC\"", "title = \" \"", "\"marac\" has no title"),
        ("{ days = 28 }", "{ days = 0 }", "\"clares-law\" leaves no time"),
        ("{ days = 28 }", "{ days = 367 }", "\"clares-law\" leaves no time"),
        ("{ days = 28 }", "{ months = 1 }", "months"),
        ("{ working_days = 2 }", "{ working_days = 0 }", "\"acknowledgement\" leaves no time"),
        ("= \"08:30\" }", "= \"8.30\" }", "08:30"),
        ("within_seconds = 259_200", "within_seconds = 172_800", "\"photographs\" is near for all of its time"),
        ("ends_with = \"done\"", "ends_with = \"over\"", "over"),
    ] {
        let told = refused(from, to);
        assert!(told.contains(problem), "{to}: {told}");
    }
    assert!(toml::from_str::<Clocks>("version = \"1\"\nclock = []").unwrap_err().to_string().contains("no clock"));
}

#[derive(Debug, Clone, Copy)]
enum Step {
    Tick(i64),
    Stop(i64),
}

fn step() -> impl Strategy<Value = Step> {
    // Seconds from the beginning, within which it is near, due and long over; clocks may go back.
    prop_oneof![(-100i64..400).prop_map(Step::Tick), (-100i64..400).prop_map(Step::Stop)]
}

proptest! {
    #[test]
    fn due_is_after_the_beginning_and_near_between(offset in 0i64..126_230_400, which in 0usize..6, area in 0usize..3) {
        let (clocks, calendar, start) = (clocks(), shipped(), utc("2025-01-01T00:00:00Z") + TimeDelta::seconds(offset));
        let (kind, area) = (&clocks.kinds()[which], [None, Some("kent"), Some("birmingham")][area]);
        let due = kind.due_at(start, &calendar, area);
        let near = kind.near_at(start, due);
        prop_assert!(start < due && start <= near && near < due);
        // Whoever begins later never has to be done earlier; where less is known it is never later.
        prop_assert!(kind.due_at(start + TimeDelta::hours(1), &calendar, area) >= due);
        prop_assert!(kind.due_at(start, &calendar, None) <= due);
        if let Rule::Days(days) = kind.rule {
            let last = london_day(due - TimeDelta::seconds(1));
            prop_assert_eq!((last - london_day(start)).num_days(), i64::from(days));
            prop_assert_eq!(london_day(due), last.succ_opt().unwrap());
        }
    }

    #[test]
    fn each_is_said_once_at_most_and_never_before_its_time(steps in prop::collection::vec(step(), 0..30)) {
        let kind = Kind { rule: Rule::WithinSeconds(200), near_seconds: 100, ..clocks().kinds()[0].clone() };
        let start = utc("2026-03-29T00:58:00Z");
        let mut clock = deadline(&kind, start, &Calendar::default());
        let (mut near, mut missed, mut stopped) = (0, 0, None);
        for step in steps {
            match step {
                Step::Tick(seconds) => {
                    let (after, raised) = clock.clone().tick(start + TimeDelta::seconds(seconds));
                    for what in raised {
                        prop_assert!(stopped.is_none(), "nothing is said of what is done");
                        match what {
                            Raised::Near => { near += 1; prop_assert!(seconds >= 100 && missed == 0) }
                            Raised::Missed => { missed += 1; prop_assert!(seconds >= 200 && near == 1) }
                        }
                    }
                    clock = after;
                }
                Step::Stop(seconds) => {
                    stopped = stopped.or(Some(seconds));
                    clock = clock.stop(start + TimeDelta::seconds(seconds));
                }
            }
            prop_assert!(near <= 1 && missed <= 1);
        }
        let expected = match (stopped, near, missed) {
            // Whatever ticks came before, between or after.
            (Some(seconds), ..) if seconds < 200 => Standing::Stopped,
            (Some(_), ..) => Standing::StoppedLate,
            (None, _, 1) => Standing::Missed,
            (None, 1, _) => Standing::Near,
            (None, ..) => Standing::Running,
        };
        prop_assert_eq!(clock.standing(), expected);
    }

    #[test]
    fn a_jump_forwards_says_both_and_one_back_says_nothing(jump in 200i64..1_000_000, back in 0i64..1_000_000) {
        let kind = Kind { rule: Rule::WithinSeconds(200), near_seconds: 100, ..clocks().kinds()[0].clone() };
        let start = utc("2026-10-25T00:58:00Z");
        let clock = deadline(&kind, start, &Calendar::default());
        let now = start + TimeDelta::seconds(jump);
        let (clock, raised) = clock.tick(now);
        prop_assert_eq!(raised, vec![Raised::Near, Raised::Missed]);
        let (clock, raised) = clock.tick(now - TimeDelta::seconds(back));
        prop_assert_eq!((raised, clock.standing()), (vec![], Standing::Missed));
    }
}
