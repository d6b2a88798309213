//! Power cuts at any operation, in any order of sectors: nothing acknowledged is lost, and no cut looks like damage.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::{BTreeMap, HashMap};

use chrono::DateTime;
use exhibit::Digest;
use ids::{ExhibitId, TrackName};
use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::journal::{
    core::{Core, NewSegment, Refused, Write},
    ledger::{Book, Held},
    record::Stored,
    simulated::Simulated,
};

type Place2 = (ExhibitId, TrackName);

const MAX_FILE: u64 = 16 * 1024;

fn exhibit(n: u8) -> ExhibitId {
    Uuid::from_u128(n.into()).into()
}

fn track(n: u8) -> TrackName {
    format!("caller-{n}").parse().unwrap()
}

fn segment(exhibit_number: u8, track_number: u8, seq: u64, fill: u8, len: usize) -> Write {
    let data = Bytes::from(vec![fill; len]);
    let at = DateTime::from_timestamp(1_800_000_000 + seq as i64, 0).unwrap();
    Write::Segment(NewSegment {
        exhibit: exhibit(exhibit_number),
        track: track(track_number),
        seq,
        starts_at: at,
        ends_at: at,
        stored: Stored::plain(data),
    })
}

fn indexed(entry: &Entry) -> Indexed {
    Indexed { through: entry.end(), last: entry.place.at, check: entry.header.check() }
}

/// What Postgres would hold: entries in journal order, up to some point.
#[derive(Default, Clone)]
struct Index {
    through: BTreeMap<u64, Indexed>,
    held: BTreeMap<Place2, BTreeMap<u64, Held>>,
    conflicts: Vec<(Place2, u64, Digest)>,
}

impl Index {
    fn take(&mut self, entries: &[Entry]) {
        for entry in entries {
            self.through.insert(entry.place.file, indexed(entry));
            let header = &entry.header;
            let place = (header.exhibit, header.track.clone().unwrap());
            let held = Held { sha256: header.sha256, chain: header.chain().unwrap() };
            if header.kind == Kind::Conflict {
                self.conflicts.push((place, header.seq, header.sha256));
            } else if let Some(before) = self.held.entry(place).or_default().insert(header.seq, held) {
                assert_eq!(before, held, "the same place twice");
            }
        }
    }

    fn teach(&self, core: &mut Core<Simulated>) {
        for n in 0..2 {
            let mut book = Book::default();
            for ((_, track), held) in self.held.iter().filter(|((id, _), _)| *id == exhibit(n)) {
                assert!(held.keys().copied().eq(0..held.len() as u64), "a gap");
                book.tracks.insert(track.clone(), held.values().copied().collect());
            }
            let conflicts = self.conflicts.iter().filter(|((id, _), ..)| *id == exhibit(n));
            book.conflicts.extend(conflicts.map(|((_, track), seq, sha256)| (track.clone(), *seq, *sha256)));
            core.ledger.know(exhibit(n), book);
        }
    }
}

fn start(disk: &Simulated, index: &mut Index) -> (Core<Simulated>, Recovered) {
    let found = recover(disk, &index.through).unwrap();
    index.take(&found.entries);
    let mut core = Core::new(disk.clone(), found.next_number, MAX_FILE);
    if let Some((number, end)) = found.resume {
        core.resume(number, end).unwrap();
    }
    index.teach(&mut core);
    (core, found)
}

#[derive(Debug, Clone)]
enum Step {
    /// Segments: exhibit, track, how far from the next number, what they are filled with, length.
    Batch(Vec<(u8, u8, i8, u8, usize)>),
    /// The disk has this much room from now on.
    Room(Option<u64>),
    /// The index hears of all that was written so far.
    Indexed,
    /// The power goes after so many more operations, and these unsynced sectors survive; without any, only the process
    /// dies.
    Cut { operations: u32, sectors: Vec<bool> },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let one = (0_u8..2, 0_u8..2, prop_oneof![8 => Just(0_i8), 1 => Just(-1), 1 => Just(1)], 0_u8..3, 1_usize..2_000);
    let step = prop_oneof![
        6 => prop::collection::vec(one, 1..6).prop_map(Step::Batch),
        1 => prop::option::of(0_u64..40_000).prop_map(Step::Room),
        2 => Just(Step::Indexed),
        2 => (0_u32..6, prop_oneof![Just(vec![]), prop::collection::vec(any::<bool>(), 1..40)])
            .prop_map(|(operations, sectors)| Step::Cut { operations, sectors }),
    ];
    prop::collection::vec(step, 1..30)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]
    #[test]
    fn nothing_acknowledged_is_ever_lost(steps in steps()) {
        let disk = Simulated::default();
        let mut index = Index::default();
        let mut unindexed = Vec::new();
        let mut acked: HashMap<(Place2, u64), (Digest, Digest)> = HashMap::new();
        let (mut core, _) = start(&disk, &mut index);
        let mut cut = None;
        for step in steps {
            let mut dead = false;
            match step {
                Step::Batch(segments) => {
                    let mut next: HashMap<(u8, u8), u64> = HashMap::new();
                    let batch: Vec<Write> = segments.into_iter().map(|(e, t, off, fill, len)| {
                        let held = core.ledger.held(exhibit(e)).unwrap();
                        let next = next.entry((e, t)).or_insert_with(|| held.get(&track(t)).copied().unwrap_or(0));
                        let seq = next.saturating_add_signed(off.into());
                        *next += u64::from(off == 0);
                        segment(e, t, seq, fill, len)
                    }).collect();
                    match core.run(&batch) {
                        Err(_) => dead = true,
                        Ok(done) => {
                            for (write, answer) in batch.iter().zip(&done.answers) {
                                let Write::Segment(s) = write else { continue };
                                let place = ((s.exhibit, s.track.clone()), s.seq);
                                match answer {
                                    Ok(chain) => {
                                        let before = acked.insert(place, (s.stored.sha256, *chain));
                                        prop_assert!(before.is_none_or(|before| before == (s.stored.sha256, *chain)));
                                    }
                                    Err(Refused::Conflict) => {
                                        prop_assert!(acked.get(&place).is_none_or(|(sha256, _)| *sha256 != s.stored.sha256));
                                    }
                                    Err(_) => {}
                                }
                            }
                            unindexed.extend(done.entries);
                        }
                    }
                }
                Step::Room(room) => disk.set_room(room.unwrap_or(u64::MAX)),
                Step::Indexed => index.take(&std::mem::take(&mut unindexed)),
                Step::Cut { operations, sectors } => {
                    disk.light_fuse(operations);
                    cut = Some(sectors);
                    dead = operations == 0;
                }
            }
            if dead {
                let sectors = cut.take().unwrap_or_default();
                let mut survives = sectors.iter().copied().cycle();
                match sectors.len() {
                    0 => disk.kill(),
                    _ => disk.crash(|| survives.next().unwrap()),
                }
                unindexed.clear();
                let (again, found) = start(&disk, &mut index);
                prop_assert_eq!(found.damage, vec![]);
                core = again;
                for (((exhibit, track), seq), (sha256, chain)) in &acked {
                    let held = &index.held[&(*exhibit, track.clone())][seq];
                    prop_assert_eq!((held.sha256, held.chain), (*sha256, *chain));
                }
            }
        }
    }

    #[test]
    fn a_flipped_byte_is_damage_and_hides_nothing_else(record in 0_usize..5, byte in any::<prop::sample::Index>()) {
        let disk = Simulated::default();
        let (mut core, _) = start(&disk, &mut Index::default());
        let mut written = Vec::new();
        for seq in 0..6 {
            written.extend(core.run(&[segment(0, 0, seq, seq as u8, 700)]).unwrap().entries);
        }
        let bad = written.remove(record);
        disk.flip(bad.place.file, bad.place.at + byte.index(bad.header.total() as usize) as u64);
        let found = recover(&disk, &BTreeMap::new()).unwrap();
        let next = bad.end();
        prop_assert_eq!(found.damage.iter().map(|d| (d.place, d.until)).collect::<Vec<_>>(), vec![(bad.place, next)]);
        prop_assert!(found.damage[0].header.as_ref().is_none_or(|header| *header == bad.header));
        prop_assert_eq!(found.entries, written);
        prop_assert_eq!((found.resume, found.next_number, found.torn), (None, 2, 0));
        prop_assert_eq!(disk.kept_aside(), 0);
    }
}

#[test]
fn an_older_copy_of_the_journal_is_noticed_and_never_written_over() {
    let disk = Simulated::default();
    let (mut core, _) = start(&disk, &mut Index::default());
    core.run(&[segment(0, 0, 0, 1, 100)]).unwrap();
    let older = disk.copy();
    let newer = core.run(&[segment(0, 0, 1, 1, 100)]).unwrap().entries.remove(0);
    let lost = Indexed { through: 50, last: 16, check: Digest::of(b"") };
    let known = BTreeMap::from([(1, indexed(&newer)), (7, lost)]);
    let end = 16 + 288 + 100;
    let expected = [Place { file: 7, at: 0 }, Place { file: 1, at: end }];
    // As it was then, with the zeros that were allocated; and cut to its length.
    for cut in [None, Some(end)] {
        let older = older.copy();
        if let Some(len) = cut {
            older.open(1).unwrap().truncate(len).unwrap();
        }
        let found = recover(&older, &known).unwrap();
        let places: Vec<_> = found.damage.iter().map(|damage| damage.place).collect();
        assert_eq!(places, expected);
        assert_eq!((found.resume, found.next_number), (None, 8));
    }
    // Another history of the same length.
    let (mut core, _) = start(&older, &mut Index::default());
    core.ledger.know(exhibit(0), Book::default());
    core.run(&[segment(0, 0, 0, 1, 100), segment(0, 0, 1, 2, 100)]).unwrap();
    let found = recover(&older, &known).unwrap();
    assert_eq!((found.damage.len(), found.resume), (2, None));
}

#[test]
fn a_torn_tail_is_kept_aside_and_written_over() {
    let disk = Simulated::default();
    let mut index = Index::default();
    let (mut core, _) = start(&disk, &mut index);
    core.run(&[segment(0, 0, 0, 1, 3_000)]).unwrap();
    disk.light_fuse(1);
    assert!(core.run(&[segment(0, 0, 1, 2, 3_000)]).is_err());
    let mut sectors = 0;
    disk.crash(|| {
        sectors += 1;
        sectors < 4
    });
    let (mut core, found) = start(&disk, &mut index);
    assert!(found.torn > 0 && found.damage.is_empty());
    assert_eq!(found.torn, disk.kept_aside() as u64);
    let answer = core.run(&[segment(0, 0, 1, 3, 3_000)]).unwrap().answers.remove(0);
    assert!(answer.is_ok());
}

#[test]
fn a_full_disk_refuses_and_goes_on_when_there_is_room() {
    let disk = Simulated::default();
    let (mut core, _) = start(&disk, &mut Index::default());
    disk.set_room(0);
    let batch = [segment(0, 0, 0, 1, 100), segment(0, 0, 0, 1, 100), segment(0, 0, 1, 1, 100)];
    assert_eq!(core.run(&batch).unwrap().answers, vec![Err(Refused::NoSpace); 3]);
    disk.set_room(u64::MAX);
    assert!(core.run(&batch).unwrap().answers.iter().all(Result::is_ok));
}

/// The disk lost the sector that says what the file is: nothing of the first batch can be vouched for, nor is it thrown away.
#[test]
fn a_first_batch_without_the_first_bytes_of_its_file_is_kept_aside() {
    let disk = Simulated::default();
    let (mut core, _) = start(&disk, &mut Index::default());
    core.run(&[segment(0, 0, 0, 1, 700)]).unwrap();
    let mut bytes = disk.bytes(1);
    bytes[..FILE_MAGIC.len()].fill(0);
    disk.replace(1, bytes);
    let found = recover(&disk, &BTreeMap::new()).unwrap();
    assert_eq!((found.entries, found.damage, found.resume, found.next_number), (vec![], vec![], None, 2));
    assert_eq!((found.torn, disk.kept_aside()), (16 + 288 + 700, 16 + 288 + 700));
    assert_eq!(recover(&disk, &BTreeMap::new()).unwrap().torn, 0);
}

/// What a later file proves to have been whole, or the index to have been there, is no torn tail, whoever reads it.
#[test]
fn a_bad_end_of_what_was_durable_is_damage() {
    let disk = Simulated::default();
    let (mut core, _) = start(&disk, &mut Index::default());
    let mut written = core.run(&[segment(0, 0, 0, 1, 700), segment(0, 0, 1, 1, 700)]).unwrap().entries;
    core.close().unwrap();
    written.extend(core.run(&[segment(0, 0, 2, 1, 700), segment(0, 0, 3, 1, 700)]).unwrap().entries);
    core.close().unwrap();
    let newest = BTreeMap::from([(2, indexed(&written[3]))]);
    // Altered, or gone; the last of the closed file, or of the newest as far as the index knows it.
    for (bad, known, anew) in [(1, BTreeMap::new(), false), (1, BTreeMap::new(), true), (3, newest.clone(), true)] {
        let place = written[bad].place;
        let altered = disk.copy();
        altered.flip(place.file, place.at + 300);
        let zeroed = disk.copy();
        let mut bytes = zeroed.bytes(place.file);
        bytes[place.at as usize..].fill(0);
        zeroed.replace(place.file, bytes);
        for (disk, header) in [(altered, Some(written[bad].header.clone())), (zeroed, None)] {
            let read = if anew { read_anew } else { recover };
            let found = read(&disk, &known).unwrap();
            if header.is_none() && known.is_empty() {
                // Zeros behind a record, of which nobody else knows: as if it had ended there.
                assert_eq!((found.damage.len(), found.entries.len()), (0, 3));
                continue;
            }
            assert_eq!(found.damage, [Damage { place, until: u64::MAX, header }]);
            assert_eq!((found.entries.len(), found.torn, disk.kept_aside()), (3, 0, 0));
        }
    }
    // Without the index the newest file's end is a torn tail: nobody can know that it was promised.
    disk.flip(2, written[3].place.at + 300);
    let found = read_anew(&disk, &BTreeMap::new()).unwrap();
    assert_eq!((found.damage.len(), found.entries.len()), (0, 3));
    assert_eq!(found.torn, disk.kept_aside() as u64);
    // A file that the index knows and the folder lacks.
    let lost = Indexed { through: 50, last: 16, check: Digest::of(b"") };
    let found = read_anew(&disk, &BTreeMap::from([(1, lost), (7, lost)])).unwrap();
    assert_eq!(found.damage.iter().map(|damage| damage.place.file).collect::<Vec<_>>(), [7]);
}

#[test]
fn a_bad_tail_behind_damage_is_reported_too() {
    let disk = Simulated::default();
    let (mut core, _) = start(&disk, &mut Index::default());
    let mut written = Vec::new();
    for seq in 0..4 {
        written.extend(core.run(&[segment(0, 0, seq, 1, 700)]).unwrap().entries);
    }
    for bad in [1, 3] {
        disk.flip(1, written[bad].place.at + 300);
    }
    let found = recover(&disk, &BTreeMap::new()).unwrap();
    let damage: Vec<_> = found.damage.iter().map(|damage| (damage.place, damage.until)).collect();
    assert_eq!(damage, [(written[1].place, written[2].place.at), (written[3].place, u64::MAX)]);
    assert_eq!((found.entries.len(), found.resume, found.torn, disk.kept_aside()), (2, None, 0, 0));
}
