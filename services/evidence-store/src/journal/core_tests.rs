//! What is written on a disk that is nearly or quite full, items among segments, and addenda.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeMap;

use super::*;
use crate::journal::{item::NewItem, ledger::Book, recovery::recover, simulated::Simulated};

const MAX_FILE: u64 = 1 << 30;

fn exhibit() -> ExhibitId {
    Uuid::from_u128(1).into()
}

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000 + seconds, 0).unwrap()
}

fn segment(track: &str, seq: u64, len: usize) -> Write {
    let stored = Stored::plain(Bytes::from(vec![seq as u8; len]));
    let track = track.parse().unwrap();
    Write::Segment(NewSegment { exhibit: exhibit(), track, seq, starts_at: at(0), ends_at: at(1), stored })
}

fn item(id: u128, seq: u64, version: u64, data: &'static [u8]) -> Write {
    let item = NewItem {
        exhibit: exhibit(),
        id: Uuid::from_u128(id),
        kind: "still".into(),
        name: "still-1".into(),
        media_type: "image/jpeg".into(),
        sha256: Digest::of(data),
        data: Bytes::from_static(data),
        made_at: at(2),
        added_at: at(3),
    };
    let facts = item.facts(version);
    let stored = Stored::plain(facts.payload(data).unwrap().into());
    Write::Item(StoredItem { exhibit: exhibit(), seq, facts, stored })
}

fn seal() -> Write {
    Write::Seal { exhibit: exhibit(), at: at(9), facts: Stored::plain(Bytes::from_static(b"{}")) }
}

fn core(disk: &Simulated) -> Core<Simulated> {
    let mut core = Core::new(disk.clone(), 1, MAX_FILE);
    core.ledger.know(exhibit(), Book::default());
    core
}

#[test]
fn items_are_numbered_and_versioned_and_repeats_get_the_first_answer() {
    let disk = Simulated::default();
    let mut core = core(&disk);
    let batch = [item(1, 0, 1, b"a"), item(2, 1, 2, b"b"), item(1, 0, 1, b"a"), item(1, 0, 1, b"other")];
    let done = core.run(&batch).unwrap();
    assert_eq!(done.answers[0], done.answers[2]);
    assert_ne!(done.answers[0], done.answers[1]);
    assert_eq!(done.answers[3], Err(Refused::Conflict));
    assert_eq!(done.entries.iter().map(|entry| entry.header.seq).collect::<Vec<_>>(), [0, 1]);
    // Who asked before another came first has to ask again.
    for stale in [item(3, 1, 2, b"c"), item(3, 2, 2, b"c"), item(3, 1, 3, b"c")] {
        assert_eq!(core.run(&[stale]).unwrap().answers, [Err(Refused::Stale)]);
    }
    let first = exhibit::chain::genesis(exhibit(), &TrackName::items());
    let link = done.entries[0].header.clone();
    assert_eq!((link.prev, link.chain().unwrap()), (first, done.answers[0].unwrap()));
    assert_eq!(core.ledger.fence(exhibit()), Some(BTreeMap::from([(TrackName::items(), 2)])));
    assert_eq!(core.run(&[item(3, 2, 3, b"c")]).unwrap().answers, [Err(Refused::Fenced)]);
    assert_eq!(core.run(&[item(2, 1, 2, b"b")]).unwrap().answers, [done.answers[1]]);
    let found = recover(&disk, &BTreeMap::new()).unwrap();
    let headers = |entries: &[Entry]| entries.iter().map(|entry| entry.header.clone()).collect::<Vec<_>>();
    assert_eq!(headers(&found.entries), headers(&done.entries));
}

#[test]
fn an_addendum_goes_on_where_its_parent_stopped_with_a_chain_of_its_own() {
    let disk = Simulated::default();
    let mut core = Core::new(disk.clone(), 1, MAX_FILE);
    let track: TrackName = "caller-1".parse().unwrap();
    core.ledger.know(exhibit(), Book { starts: [(track.clone(), 7)].into(), ..Book::default() });
    let early = core.run(&[segment("caller-1", 6, 10), segment("caller-1", 8, 10)]).unwrap();
    assert_eq!(early.answers, [Err(Refused::OutOfOrder { expected: 7 }); 2]);
    let done =
        core.run(&[segment("caller-1", 7, 10), segment("caller-1", 8, 10), segment("officer-1", 0, 10)]).unwrap();
    assert!(done.answers.iter().all(Result::is_ok));
    assert_eq!(done.entries[0].header.prev, exhibit::chain::genesis(exhibit(), &track));
    assert_eq!(core.run(&[segment("caller-1", 7, 10)]).unwrap().answers, [done.answers[0]]);
    let marks = core.ledger.fence(exhibit()).unwrap();
    assert_eq!(marks, BTreeMap::from([(track, 9), ("officer-1".parse().unwrap(), 1)]));
}

#[test]
fn on_a_scarce_disk_nothing_new_begins_and_all_that_has_begun_goes_on() {
    let disk = Simulated::default();
    let mut core = core(&disk).refuse_new_below(100_000);
    assert!(core.run(&[segment("caller-1", 0, 100)]).unwrap().answers[0].is_ok());
    disk.set_room(STEP + 50_000);
    let opening = || Write::Opening {
        exhibit: Uuid::from_u128(2).into(),
        at: at(0),
        facts: Bytes::from_static(b"{}"),
        purpose: Purpose::Hold,
    };
    let batch = [segment("caller-1", 1, 100), segment("officer-1", 0, 100), opening(), item(1, 0, 1, b"a"), seal()];
    let answers = core.run(&batch).unwrap().answers;
    let refused: Vec<_> = answers.iter().map(|answer| *answer == Err(Refused::NoSpace)).collect();
    assert_eq!(refused, [false, true, true, false, false]);
    assert!(answers[0].is_ok() && answers[3].is_ok() && answers[4].is_ok());
    disk.set_room(u64::MAX);
    assert!(core.run(&[segment("officer-1", 0, 100), opening()]).unwrap().answers.iter().all(Result::is_ok));
}

#[test]
fn on_a_full_disk_the_reserve_is_for_items_and_its_second_half_for_seals() {
    let disk = Simulated::default();
    disk.set_reserve(4 * DRAW);
    let mut core = core(&disk);
    assert!(core.run(&[segment("caller-1", 0, 100)]).unwrap().answers[0].is_ok());
    disk.set_room(0);
    core.active.as_mut().unwrap().allocated = core.active.as_ref().unwrap().end;
    let batch = [item(1, 0, 1, b"a"), segment("caller-1", 1, 100), seal()];
    let done = core.run(&batch).unwrap();
    assert!(done.answers[0].is_ok() && done.answers[2].is_ok());
    assert_eq!((done.answers[1], done.entries.len()), (Err(Refused::NoSpace), 2));
    let full = |core: &mut Core<Simulated>, write: Write| {
        core.active.as_mut().unwrap().allocated = core.active.as_ref().unwrap().end;
        disk.set_room(0);
        core.run(&[write]).unwrap().answers.remove(0).is_ok()
    };
    let opening = |purpose| {
        let (exhibit, facts) = (Uuid::from_u128(2).into(), Bytes::from_static(b"{}"));
        Write::Opening { exhibit, at: at(0), facts, purpose }
    };
    assert!(!full(&mut core, item(2, 1, 1, b"b")), "the rest is for seals");
    assert!(!full(&mut core, opening(Purpose::Hold)));
    assert!(full(&mut core, opening(Purpose::Seal)), "or what recorded nothing could not be sealed");
    assert!(full(&mut core, seal()));
    assert!(!full(&mut core, seal()), "all of it is drawn");
    disk.set_room(u64::MAX);
    assert!(core.run(&[segment("caller-1", 1, 100)]).unwrap().answers[0].is_ok());
    let found = recover(&disk, &BTreeMap::new()).unwrap();
    assert_eq!((found.entries.len(), found.damage.len(), found.torn), (6, 0, 0));
}
