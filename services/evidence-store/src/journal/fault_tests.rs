//! What a disk can do to a journal: cut it anywhere, tear its pages, leave zeros, flip a bit, fail, or fill up.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::{collections::BTreeMap, io};

use bytes::Bytes;
use chrono::DateTime;
use exhibit::Digest;
use ids::{ExhibitId, TrackName};
use uuid::Uuid;

use super::{
    core::{Core, Entry, NewSegment, Refused, Write},
    ledger::Book,
    record::{FILE_MAGIC, HEADER, Identity, Kind, Stored},
    recovery::{Recovered, recover},
    simulated::{Fault, Simulated},
};
use crate::keys::{DataKey, NONCE};

const LEN: usize = 9_000;

fn exhibit() -> ExhibitId {
    Uuid::from_u128(1).into()
}

fn key() -> DataKey {
    DataKey::from_bytes([5; 32])
}

/// An encrypted segment of bytes that hold no zeros, so that a tail of them isn't taken for what was preallocated.
fn segment(seq: u64) -> Write {
    let track: TrackName = "caller-1".parse().unwrap();
    let at = DateTime::from_timestamp(1_800_000_000 + seq as i64, 0).unwrap();
    let (kind, item) = (Kind::Segment, Uuid::nil());
    let identity = Identity { kind, exhibit: exhibit(), track: Some(&track), seq, item, starts_at: at, ends_at: at };
    let plain = vec![1 + seq as u8; LEN];
    let stored = Stored::encrypt(&key(), [seq as u8; NONCE], &identity, &plain, Digest::of(&plain)).unwrap();
    Write::Segment(NewSegment { exhibit: exhibit(), track, seq, starts_at: at, ends_at: at, stored })
}

fn core(disk: &Simulated, held: &[Entry], found: &Recovered) -> Core<Simulated> {
    let mut core = Core::new(disk.clone(), found.next_number, 1 << 30);
    if let Some((number, end)) = found.resume {
        core.resume(number, end).unwrap();
    }
    let mut book = Book::default();
    for Entry { header, .. } in held {
        let held = super::ledger::Held { sha256: header.sha256, chain: header.chain().unwrap() };
        book.tracks.entry(header.track.clone().unwrap()).or_default().push(held);
    }
    core.ledger.know(exhibit(), book);
    core
}

/// So many segments, each a batch of its own.
fn written(segments: u64) -> (Simulated, Vec<Entry>) {
    let disk = Simulated::default();
    let mut core = core(&disk, &[], &recover(&disk, &BTreeMap::new()).unwrap());
    let mut entries = Vec::new();
    for seq in 0..segments {
        entries.extend(core.run(&[segment(seq)]).unwrap().entries);
    }
    core.close().unwrap();
    (disk, entries)
}

fn recovered(disk: &Simulated) -> Recovered {
    recover(disk, &BTreeMap::new()).unwrap()
}

#[test]
fn the_last_record_cut_at_every_offset_is_a_torn_tail() {
    let (disk, entries) = written(3);
    let whole = disk.bytes(1);
    let last = entries[2].place.at as usize;
    for len in last..whole.len() {
        let cut = disk.copy();
        cut.replace(1, whole[..len].to_vec());
        let found = recovered(&cut);
        assert_eq!(found.entries, entries[..2], "cut at {len}");
        // Zeros at the end are what preallocation leaves: nothing of theirs is kept aside.
        let tail = whole[last..len].iter().rposition(|byte| *byte != 0).map_or(0, |at| at + 1);
        assert_eq!((found.damage.len(), found.torn), (0, tail as u64), "cut at {len}");
        assert_eq!(found.resume, Some((1, last as u64)));
    }
    // What was cut off comes again, and is the same.
    let cut = disk.copy();
    cut.replace(1, whole[..whole.len() - 1].to_vec());
    let found = recovered(&cut);
    let again = core(&cut, &found.entries, &found).run(&[segment(2)]).unwrap();
    assert_eq!(again.entries, entries[2..]);
}

#[test]
fn a_file_cut_in_the_middle_of_what_is_indexed_is_damage() {
    let (disk, entries) = written(4);
    let whole = disk.bytes(1);
    let known = super::recovery::Indexed {
        through: entries[3].end(),
        last: entries[3].place.at,
        check: entries[3].header.check(),
    };
    for len in (16..whole.len()).step_by(97) {
        let cut = disk.copy();
        cut.replace(1, whole[..len].to_vec());
        let found = recover(&cut, &BTreeMap::from([(1, known)])).unwrap();
        assert_eq!((found.damage.len(), found.resume), (1, None), "cut at {len}");
        assert!(found.damage[0].place.at <= len as u64 && found.damage[0].until == u64::MAX);
    }
}

#[test]
fn torn_pages_and_zeros_in_the_last_batch_are_a_torn_tail() {
    let (disk, entries) = written(3);
    let whole = disk.bytes(1);
    let last = entries[2].place.at as usize;
    // Each page that the last record reaches was written, or still holds what preallocation left.
    let pages: Vec<usize> = (last / 4096..=(whole.len() - 1) / 4096).collect();
    for survived in 0..(1_u32 << pages.len()) - 1 {
        let mut torn = whole.clone();
        for (_, page) in pages.iter().enumerate().filter(|(bit, _)| survived & (1 << bit) == 0) {
            let (from, to) = ((page * 4096).max(last), ((page + 1) * 4096).min(whole.len()));
            torn[from..to].fill(0);
        }
        let cut = disk.copy();
        cut.replace(1, torn);
        let found = recovered(&cut);
        assert_eq!((&found.entries[..], found.damage.len()), (&entries[..2], 0), "pages {survived:b}");
        assert_eq!(found.resume, Some((1, last as u64)));
    }
    // A tail of nothing but zeros is what preallocation leaves.
    let zeros = disk.copy();
    zeros.replace(1, [&whole[..], &vec![0; 100_000]].concat());
    let found = recovered(&zeros);
    assert_eq!((&found.entries[..], found.torn), (&entries[..], 0));
    assert_eq!(found.resume, Some((1, whole.len() as u64)));
}

/// One bit in each field of a record that later ones prove was durable: damage, at this record's place, the others read.
#[test]
fn one_bit_in_any_class_of_byte_is_found_and_named() {
    let (disk, entries) = written(4);
    let at = entries[1].place.at as usize;
    let fields = [
        ("magic", 0),
        ("version", 4),
        ("kind", 5),
        ("name's length", 6),
        ("encrypted", 7),
        ("exhibit", 8),
        ("seq", 31),
        ("attempt", 35),
        ("length", 39),
        ("starts_at", 47),
        ("ends_at", 55),
        ("synced", 63),
        ("previous head", 64),
        ("plain hash", 96),
        ("stored hash", 128),
        ("nonce", 160),
        ("item", 172),
        ("name", 188),
        ("padding", 255),
        ("header's hash", 256),
        ("ciphertext", HEADER),
        ("ciphertext's end", HEADER + LEN - 1),
        ("tag", HEADER + LEN),
        ("tag's end", HEADER + LEN + 15),
    ];
    for (field, offset) in fields {
        for bit in 0..8 {
            let mut bytes = disk.bytes(1);
            bytes[at + offset] ^= 1 << bit;
            let bad = disk.copy();
            bad.replace(1, bytes);
            let found = recovered(&bad);
            let places: Vec<_> = found.damage.iter().map(|damage| (damage.place, damage.until)).collect();
            assert_eq!(places, [(entries[1].place, entries[2].place.at)], "{field}, bit {bit}");
            // Where the header is whole, it names the segment.
            let named = found.damage[0].header.clone();
            assert_eq!(named, (offset >= HEADER).then(|| entries[1].header.clone()), "{field}, bit {bit}");
            let rest: Vec<_> = entries.iter().filter(|entry| entry.place != entries[1].place).cloned().collect();
            assert_eq!((found.entries, found.resume), (rest, None), "{field}, bit {bit}");
        }
    }
    for offset in 0..FILE_MAGIC.len() {
        let mut bytes = disk.bytes(1);
        bytes[offset] ^= 1;
        let bad = disk.copy();
        bad.replace(1, bytes);
        let found = recovered(&bad);
        assert_eq!((found.damage[0].place.at, found.resume, found.entries.len()), (0, None, 0), "magic at {offset}");
    }
}

#[test]
fn a_failing_write_or_sync_ends_the_process_and_loses_nothing_acknowledged() {
    let eio = io::ErrorKind::Other;
    let faults =
        [Fault::Write(0, eio), Fault::Write(5_000, eio), Fault::Sync(eio), Fault::Sync(io::ErrorKind::StorageFull)];
    for (fault, survives) in faults.into_iter().flat_map(|fault| [(fault, false), (fault, true)]) {
        let disk = Simulated::default();
        let mut first = core(&disk, &[], &recovered(&disk));
        let acked = first.run(&[segment(0)]).unwrap();
        disk.inject(fault);
        // Not an answer to the sender: the process must end, even if the sync's error reads like a full disk.
        assert!(first.run(&[segment(1)]).is_err());
        drop(first);
        disk.crash(|| survives);
        let found = recovered(&disk);
        assert_eq!(found.entries[0], acked.entries[0]);
        assert!(found.damage.is_empty() && found.entries.len() <= 2);
        let held = found.entries.clone();
        let again = core(&disk, &held, &found).run(&[segment(0), segment(1)]).unwrap();
        assert_eq!(again.answers[0], acked.answers[0]);
        assert!(again.answers[1].is_ok());
    }
}

#[test]
fn a_short_write_on_a_full_disk_is_an_answer_and_leaves_nothing_behind() {
    let disk = Simulated::default();
    let mut core = core(&disk, &[], &recovered(&disk));
    let first = core.run(&[segment(0)]).unwrap();
    for len in [0, 1, HEADER - 1, HEADER, HEADER + 4_000] {
        disk.inject(Fault::Write(len, io::ErrorKind::StorageFull));
        assert_eq!(core.run(&[segment(1)]).unwrap().answers, [Err(Refused::NoSpace)]);
    }
    let second = core.run(&[segment(1)]).unwrap();
    assert_eq!(second.entries[0].place.at, first.entries[0].end());
    let found = recovered(&disk);
    assert_eq!((found.entries.len(), found.damage.len(), found.torn), (2, 0, 0));
    assert_eq!(Bytes::new(), found.entries[1].facts);
}
