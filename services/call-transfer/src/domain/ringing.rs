#![allow(clippy::unwrap_used)]
//! Call-backs: random acts at random times against what must hold of one, and the windows that may be promised.

use proptest::prelude::*;

use super::{
    hours::tests::hours,
    tests::{at, call_id, force, officer},
    *,
};

/// From 1,000 s to 4,600 s.
fn agreed() -> Callback {
    Callback {
        id: uuid::Uuid::from_u128(9).into(),
        call: call_id(1),
        force: force(),
        window: Window { from: at(1000), until: at(4600) },
        language: String::new(),
        attempts: vec![],
        state: CallbackState::Agreed,
    }
}

#[derive(Debug, Clone)]
enum Act {
    Wait(i64),
    Tick,
    Take(u8),
    Tried(u8, Tried),
    Cancel,
}

fn act() -> impl Strategy<Value = Act> {
    let outcome = prop_oneof![
        Just(Tried::Reached),
        Just(Tried::NoAnswer),
        Just(Tried::SomebodyElse),
        Just(Tried::WordNotGiven),
        Just(Tried::NotSafe),
    ];
    prop_oneof![
        4 => (0i64..1200).prop_map(Act::Wait),
        4 => Just(Act::Tick),
        4 => (0u8..3).prop_map(Act::Take),
        4 => (0u8..3, outcome).prop_map(|(who, outcome)| Act::Tried(who, outcome)),
        1 => Just(Act::Cancel),
    ]
}

proptest! {
    #[test]
    fn it_is_tried_in_its_window_by_who_took_it_and_once_over_stays_over(
        acts in proptest::collection::vec(act(), 1..40),
    ) {
        let (mut callback, mut now, mut told) = (agreed(), 0i64, 0u32);
        for act in acts {
            let before = callback.clone();
            let time = at(now);
            match act {
                Act::Wait(seconds) => now += seconds,
                Act::Tick => {
                    if let Some(turn) = callback.clone().tick(time) {
                        prop_assert!(before.is_open());
                        told += u32::from(turn.alert == Some(AlertKind::CallbackMissed));
                        // Nothing more is due at the same time.
                        let again = turn.callback.clone().tick(time);
                        prop_assert!(again.is_none(), "{again:?}");
                        callback = turn.callback;
                    }
                }
                Act::Take(who) => {
                    if let Ok(taken) = callback.clone().take(&officer(who), time) {
                        let is_mine = matches!(&before.state, CallbackState::Taken { by, .. } if *by == officer(who));
                        prop_assert!(is_mine || (before.window.from <= time && time < before.window.until));
                        callback = taken;
                    }
                }
                Act::Tried(who, outcome) => {
                    let has_it = matches!(&before.state, CallbackState::Taken { by, .. } if *by == officer(who));
                    let turn = callback.clone().tried(&officer(who), outcome, time);
                    prop_assert_eq!(turn.is_ok(), has_it);
                    if let Ok(turn) = turn {
                        prop_assert_eq!(turn.callback.attempts.len(), before.attempts.len() + 1);
                        prop_assert_eq!(turn.callback.state == CallbackState::Kept, outcome == Tried::Reached);
                        told += u32::from(turn.alert == Some(AlertKind::CallbackMissed));
                        callback = turn.callback;
                    }
                }
                Act::Cancel => {
                    if let Ok(cancelled) = callback.clone().cancel() {
                        let rings = matches!(before.state, CallbackState::Taken { .. });
                        prop_assert!(!rings);
                        callback = cancelled;
                    }
                }
            }
            if !before.is_open() {
                prop_assert_eq!(&callback, &before);
            }
            prop_assert_eq!(told, u32::from(callback.state == CallbackState::Missed));
        }
        // Whatever was done, a sergeant knows of it in the end unless it was kept or cancelled.
        let end = at(now.max(4600) + 900);
        if let Some(turn) = callback.clone().tick(end) {
            prop_assert_eq!(turn.alert, Some(AlertKind::CallbackMissed));
            callback = turn.callback;
        }
        prop_assert!(!callback.is_open());
    }
}

#[test]
fn nobody_rings_and_then_nobody_says_how_it_went() {
    let due = agreed().tick(at(1000)).unwrap();
    assert_eq!((due.alert, agreed().tick(at(999))), (None, None));
    let alerted = due.callback.clone().tick(at(1300)).unwrap();
    assert_eq!((alerted.alert, due.callback.tick(at(1299))), (Some(AlertKind::CallbackDue), None));
    assert_eq!(alerted.callback.clone().tick(at(4599)), None, "told once");
    // Taken shortly before the end it goes on beyond it.
    let taken = alerted.callback.take(&officer(1), at(4599)).unwrap();
    assert_eq!(taken.clone().tick(at(5498)), None);
    assert_eq!(taken.clone().tick(at(5499)).unwrap().alert, Some(AlertKind::CallbackMissed));
    assert_eq!(taken.tried(&officer(1), Tried::NoAnswer, at(4700)).unwrap().callback.state, CallbackState::Missed);
    let silent = agreed().take(&officer(1), at(1000)).unwrap().tick(at(1900)).unwrap();
    assert_eq!(silent.alert, Some(AlertKind::CallbackDue));
    assert_eq!(silent.callback.state, CallbackState::Due { alert_at: None });
}

#[test]
fn a_window_is_one_that_can_be_kept() {
    // 1,800,000,000 is eight in the morning in London.
    let (now, desk) = (at(0), hours("07:00-23:00"));
    let check = |from: i64, until: i64| Window { from: at(from), until: at(until) }.check(&desk, now);
    let hour = 3600;
    assert_eq!(check(hour, 2 * hour), Ok(()));
    assert_eq!(check(-hour, hour), Ok(()), "it has begun");
    assert_eq!(check(3 * hour, 15 * hour), Ok(()));
    for (from, until) in
        [(hour, hour), (2 * hour, hour), (hour, hour + 599), (0, 13 * hour), (-hour, 0), (337 * hour, 338 * hour)]
    {
        assert_eq!(check(from, until), Err(NoCallback::Window), "{from} {until}");
    }
    assert_eq!(check(4 * hour, 16 * hour), Err(NoCallback::Closed));
    assert_eq!(check(22 * hour, 24 * hour), Err(NoCallback::Closed));
}
