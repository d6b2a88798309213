//! Random commands, duplicates and late ones: the exhibit only ever goes one step forward, and forgets nothing.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use chrono::TimeDelta;
use proptest::prelude::*;
use uuid::Uuid;

use super::*;

const STEPS: [&str; 7] = ["open", "fenced", "manifested", "signed", "timestamped", "logged", "sealed"];

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000 + seconds, 0).unwrap()
}

fn opened() -> Exhibit {
    let incident = IncidentRef::parse("2026-11-24", "1123").unwrap();
    let reference = Reference::from_random([1; 5]);
    Exhibit::open(Uuid::nil().into(), Uuid::nil().into(), "wmp".parse().unwrap(), incident, reference, at(0)).0
}

/// Command 1 fences, 2 manifests ... 6 seals; each brings its own number as its data.
fn apply(exhibit: Exhibit, command: u8, data: u8, now: DateTime<Utc>) -> Result<(Exhibit, Option<Event>), Illegal> {
    match command {
        1 => exhibit.fence(BTreeMap::from([("caller-1".parse().unwrap(), data.into())]), data.into(), now),
        2 => exhibit.manifest(Digest::from([data; 32]), now),
        3 => exhibit.sign(Digest::from([data; 32]), now),
        4 => exhibit.timestamp(None, now),
        5 => exhibit.log(format!("proof {data}"), now),
        _ => return exhibit.seal(now).map(|(exhibit, event)| (exhibit, Some(event))),
    }
    .map(|exhibit| (exhibit, None))
}

proptest! {
    #[test]
    fn only_ever_one_step_forward(commands in prop::collection::vec((1_u8..=6, any::<u8>()), 0..60)) {
        let mut exhibit = opened();
        let mut rank = 0;
        let mut seal = None;
        let mut sealed_events = 0;
        for (time, (command, data)) in (1_i64..).zip(commands) {
            let before = exhibit.clone();
            match apply(exhibit, command, data, at(time)) {
                Ok((after, event)) => {
                    rank += 1;
                    prop_assert_eq!(usize::from(command), rank);
                    if command == 3 {
                        seal = Some(Digest::from([data; 32]));
                    }
                    if let Some(Event::Sealed { seal: told, .. }) = event {
                        sealed_events += 1;
                        prop_assert_eq!(Some(told), seal);
                    }
                    exhibit = after;
                }
                Err(illegal) => {
                    prop_assert_ne!(usize::from(command), rank + 1);
                    prop_assert_eq!(illegal, Illegal { from: STEPS[rank], to: STEPS[usize::from(command)] });
                    exhibit = before;
                }
            }
            prop_assert_eq!(exhibit.state.name(), STEPS[rank]);
            prop_assert_eq!(exhibit.state.seal(), seal);
            prop_assert_eq!(exhibit.opened_at, at(0));
        }
        prop_assert_eq!(sealed_events, i32::from(rank == 6));
    }

    #[test]
    fn waits_for_what_is_owed_but_not_for_ever(
        declared in prop::collection::btree_map("[a-c]{2}", 0_u64..5, 0..4),
        held in prop::collection::btree_map("[a-c]{2}", 0_u64..5, 0..4),
        elapsed in 0_i64..20,
    ) {
        let held: BTreeMap<TrackName, u64> = held.into_iter().map(|(t, n)| (t.parse().unwrap(), n)).collect();
        let tracks = declared.into_iter().map(|(track, segments)| {
            (track.parse().unwrap(), Declared { participant: Uuid::nil().into(), role: "caller".into(), segments })
        });
        let declaration = Declaration {
            session: Uuid::nil().into(),
            reason: "OFFICER_ENDED".into(),
            started_at: None,
            ended_at: at(0),
            heard_at: at(0),
            recorded: true,
            tracks: tracks.collect(),
        };
        let owed: u64 = declaration.tracks.iter().map(|(t, d)| d.segments.saturating_sub(*held.get(t).unwrap_or(&0))).sum();
        let expected = if owed > 0 && elapsed < 10 {
            Readiness::WaitUntil(at(10))
        } else {
            Readiness::Fence { missing: owed }
        };
        prop_assert_eq!(declaration.readiness(&held, at(elapsed), TimeDelta::seconds(10)), expected);
    }

    #[test]
    fn references_are_eight_unmistakable_letters(bytes in any::<[u8; 5]>()) {
        let reference = Reference::from_random(bytes);
        let letters = reference.as_str().strip_prefix("ALC/").and_then(|rest| rest.strip_suffix("/1")).unwrap();
        prop_assert_eq!(letters.len(), 8);
        prop_assert!(letters.bytes().all(|b| b.is_ascii_digit() || (b.is_ascii_uppercase() && !b"ILOU".contains(&b))));
    }
}

#[test]
fn references_keep_every_bit() {
    assert_eq!(Reference::from_random([0; 5]).as_str(), "ALC/00000000/1");
    assert_eq!(Reference::from_random([0xff; 5]).as_str(), "ALC/ZZZZZZZZ/1");
    assert_eq!(Reference::from_random([0, 0, 0, 0, 33]).as_str(), "ALC/00000011/1");
}

#[test]
fn a_signature_of_a_time_that_has_not_come_gives_way_until_it_is_stamped() {
    let [first, second] = [1, 2].map(|data| Digest::from([data; 32]));
    let manifested = opened().fence(BTreeMap::new(), 0, at(1)).unwrap().manifest(first, at(2)).unwrap();
    let ahead = manifested.sign(first, at(3_600)).unwrap();
    assert_eq!(ahead.clone().sign(second, at(3_600)), Err(Illegal { from: "signed", to: "signed" }), "it has come");
    let anew = ahead.clone().sign(second, at(5)).unwrap();
    assert_eq!(anew.state.seal(), Some(second));
    assert!(matches!(&anew.state, State::Signed(signed) if signed.at == at(5) && signed.manifested.at == at(2)));
    let stamped = ahead.timestamp(None, at(6)).unwrap();
    assert!(stamped.sign(second, at(7)).is_err(), "somebody has vouched for it");
}
