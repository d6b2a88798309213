//! What is owed, step by step and at random.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use uuid::Uuid;

use super::*;

const MOST: usize = 1_000;

fn session(number: u128) -> SessionId {
    Uuid::from_u128(number).into()
}

fn at(second: u64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000 + second.cast_signed(), 0).unwrap()
}

fn segment(of: u128, track: &str, seq: u64, bytes: usize) -> RecordedSegment {
    RecordedSegment {
        session: session(of),
        participant: Uuid::from_u128(3).into(),
        track: track.parse().unwrap(),
        seq,
        starts_at: at(seq),
        ends_at: at(seq + 1),
        bytes: vec![7; bytes].into(),
    }
}

#[test]
fn who_owes_most_gives_up_its_newest() {
    let mut owed = Owed::new(MOST);
    assert!(owed.segment(segment(1, "caller-1", 0, 300)));
    for seq in 1..4 {
        assert!(!owed.segment(segment(1, "caller-1", seq, 300)));
    }
    assert!(owed.segment(segment(2, "caller-1", 0, 90)), "another session");
    owed.segment(segment(2, "caller-1", 1, 90));
    assert_eq!(owed.bytes, 780, "two of the first session's are given up for it");
    let (name, mut kept) = ("caller-1".parse().unwrap(), Vec::new());
    while let Some(segment) = owed.next(session(1), &name) {
        kept.push((segment.seq, segment.bytes.len()));
        owed.kept(session(1), &name);
    }
    assert_eq!(kept, [(0, 300), (1, 300), (2, 2), (3, 2)]);
    let lines = owed.lines(session(1));
    let [line] = &lines[..] else { panic!("{lines:?}") };
    let line: serde_json::Value = serde_json::from_str(line).unwrap();
    assert_eq!(
        (&line["what"], &line["first_segment"], &line["segments"]),
        (&"not-kept".into(), &"2".into(), &"2".into())
    );
    assert_eq!(owed.settled(session(1)), Some(vec![]), "the line is owed");
    owed.noted(session(1), 1);
    assert_eq!((owed.settled(session(1)), owed.bytes), (None, 180));
}

#[test]
fn lines_are_bounded_and_what_is_missing_is_said() {
    let mut owed = Owed::new(MOST);
    for line in 0..MOST_LINES as u64 + 3 {
        owed.line(session(1), at(line), "{}".to_owned());
    }
    owed.order(session(1), "stop".to_owned());
    let lines = owed.lines(session(1));
    assert_eq!((lines.len(), &lines[MOST_LINES]), (MOST_LINES + 2, &"stop".to_owned()));
    let last: serde_json::Value = serde_json::from_str(lines.last().unwrap()).unwrap();
    assert_eq!((&last["what"], &last["lines"]), (&"lines-lost".into(), &"3".into()));
    owed.noted(session(1), lines.len());
    assert_eq!(owed.settled(session(1)), None);
}

proptest! {
    /// Whatever comes and whatever the disk takes: memory is bounded, and each segment is kept, or in a hole, in its place.
    #[test]
    fn nothing_disappears(steps in prop::collection::vec((0_u128..2, 0_usize..3, 1_usize..400, any::<bool>()), 1..200)) {
        let mut owed = Owed::new(MOST);
        let tracks = ["caller-1", "officer-1"];
        let mut made = BTreeMap::<(u128, usize), u64>::new();
        let mut kept = BTreeMap::<(u128, usize), Vec<(u64, bool)>>::new();
        let take = |owed: &mut Owed, kept: &mut BTreeMap<_, Vec<_>>, of, track: usize, take: bool| {
            let name = tracks[track].parse().unwrap();
            let Some(next) = owed.next(session(of), &name) else { return false };
            if take {
                kept.entry((of, track)).or_default().push((next.seq, next.bytes == media::VOID));
                owed.kept(session(of), &name);
            }
            take
        };
        for (of, track, bytes, disk) in steps {
            if track < 2 {
                let seq = made.entry((of, track)).or_default();
                owed.segment(segment(of, tracks[track], *seq, bytes));
                *seq += 1;
            } else {
                take(&mut owed, &mut kept, of, bytes % 2, disk);
            }
            prop_assert!(owed.bytes <= MOST + 4 * 400);
        }
        let mut holes = BTreeMap::<(u128, String), Vec<std::ops::Range<u64>>>::new();
        for of in 0..2 {
            for track in 0..2 {
                while take(&mut owed, &mut kept, of, track, true) {}
            }
            for line in owed.lines(session(of)) {
                let line: serde_json::Value = serde_json::from_str(&line).unwrap();
                let number = |field: &str| line[field].as_str().unwrap().parse::<u64>().unwrap();
                let hole = number("first_segment")..number("first_segment") + number("segments");
                holes.entry((of, line["track"].as_str().unwrap().to_owned())).or_default().push(hole);
            }
        }
        prop_assert_eq!(owed.bytes, 0);
        for ((of, track), count) in made {
            let kept = kept.remove(&(of, track)).unwrap_or_default();
            prop_assert_eq!(kept.iter().map(|(seq, _)| *seq).collect::<Vec<_>>(), (0..count).collect::<Vec<_>>());
            let holes = holes.remove(&(of, tracks[track].to_owned())).unwrap_or_default();
            for (seq, is_void) in kept {
                prop_assert_eq!(holes.iter().any(|hole| hole.contains(&seq)), is_void, "the ledger says so");
                prop_assert!(seq > 0 || !is_void, "the file's header");
            }
        }
    }
}
