//! A whole year of clocks, hour by hour, through both clock changes, by a clock that is turned by hand. No database.

use std::collections::BTreeMap;

use chassis::{Clock, ManualClock, config::Profile};
use chrono::{Datelike, TimeDelta, Timelike, Weekday};
use chrono_tz::Europe::London;
use referral::{
    books::Books,
    config,
    domain::clock::{Deadline, Kind, Raised, Standing},
};

use super::utc;

/// An hour of the walk.
const STEP: std::time::Duration = std::time::Duration::from_secs(3_600);

fn begin(kind: &Kind, books: &Books, clock: &Clock, area: Option<&str>) -> Deadline {
    let started_at = clock.now();
    let due_at = kind.due_at(started_at, &books.calendar, area);
    Deadline {
        id: uuid::Uuid::nil().into(),
        key: kind.key.clone(),
        title: kind.title.clone(),
        source: kind.source.clone(),
        referral: None,
        ends_with: kind.ends_with,
        started_at,
        near_at: kind.near_at(started_at, due_at),
        due_at,
        near_raised_at: None,
        missed_raised_at: None,
        stopped_at: None,
    }
}

#[test]
fn every_clock_begun_in_a_year_is_near_and_missed_once_in_its_hour() {
    let hands = ManualClock::new(utc("2026-09-01T00:15:00Z"));
    let clock = Clock::from(hands.clone());
    let books = Books::read(&config::Books::default(), Profile::Dev, clock.now()).unwrap();
    let end = utc("2027-11-01T00:00:00Z");
    let mut open: Vec<Deadline> = vec![];
    let mut said: BTreeMap<(String, &str), usize> = BTreeMap::new();
    let mut begun = 0;
    while hands.now() < end || !open.is_empty() {
        let now = hands.now();
        // A call at another hour each day, so that every hour of the day has its turn; of every kind a clock.
        if now < end && now.hour() == now.ordinal() % 24 {
            let area = [None, Some("kent"), Some("birmingham")][now.ordinal0() as usize % 3];
            open.extend(books.clocks.kinds().iter().map(|kind| begin(kind, &books, &clock, area)));
            begun += 1;
        }
        let mut running = vec![];
        for deadline in open {
            let (deadline, raised) = deadline.tick(now);
            for what in raised {
                let (word, at) = match what {
                    Raised::Near => ("near", deadline.near_at),
                    Raised::Missed => ("missed", deadline.due_at),
                };
                assert!(at <= now && now - at < TimeDelta::hours(1), "{word} in its hour: {deadline:?} at {now}");
                *said.entry((deadline.key.clone(), word)).or_default() += 1;
            }
            if deadline.standing() == Standing::Missed { check(&deadline) } else { running.push(deadline) }
        }
        open = running;
        hands.advance(STEP);
    }
    assert!(begun > 400, "{begun} calls");
    assert_eq!(said.len(), books.clocks.kinds().len() * 2);
    assert!(said.values().all(|count| *count == begun), "{said:?}");
}

/// By the wall in London it ended when its rule says, however the clocks were changed meanwhile.
fn check(deadline: &Deadline) {
    let (start, due) = (deadline.started_at.with_timezone(&London), deadline.due_at.with_timezone(&London));
    let days = (due.date_naive() - start.date_naive()).num_days();
    let wall = (due.hour(), due.minute(), due.second());
    let is_weekend = |day: Weekday| matches!(day, Weekday::Sat | Weekday::Sun);
    match deadline.key.as_str() {
        "clares-law" => assert_eq!((days, wall), (29, (0, 0, 0)), "{deadline:?}"),
        "encompass" => {
            assert_eq!(wall, (8, 30, 0), "{deadline:?}");
            assert!(!is_weekend(due.weekday()) && days <= 60, "{deadline:?}");
        }
        "photographs" => assert_eq!(deadline.due_at - deadline.started_at, TimeDelta::hours(72)),
        _ => {
            assert_eq!(wall, (0, 0, 0), "{deadline:?}");
            let last = due.date_naive().pred_opt().unwrap();
            assert!(!is_weekend(last.weekday()) && (2..=8).contains(&days), "{deadline:?}");
        }
    }
}
