//! Whatever lies in a journal's folder, recovery ends, asks for nothing outside the files, and takes nothing for a record
//! that isn't one; what it loses, it names.

mod faults;
mod written;

use std::{collections::BTreeMap, sync::LazyLock};

use exhibit::Digest;
use written::Written;

use crate::{
    journal::{
        item::ItemContent,
        record::{HEADER, Header, MAGIC},
        recovery::{Indexed, Recovered, recover},
        simulated::Simulated,
    },
    keys,
};

static WRITTEN: LazyLock<Written> = LazyLock::new(Written::make);

/// What an input's first byte chooses.
const KINDS: u8 = 5;
const A_HEADER: u8 = 0;
const AN_ITEM: u8 = 1;
/// Bytes that aren't ours, in a folder of two files.
const A_FOLDER: u8 = 2;
/// The same, by somebody who knows where the hashes belong.
const A_FORGED_FOLDER: u8 = 3;
/// A good journal, and what the disk did to it.
const A_BAD_DISK: u8 = 4;

/// One input.
pub fn fuzz(bytes: &[u8]) {
    let Some((kind, rest)) = bytes.split_first() else { return };
    match kind % KINDS {
        A_HEADER => header(rest),
        AN_ITEM => item(rest),
        A_FOLDER => folder(rest),
        A_FORGED_FOLDER => {
            let mut forged = rest.to_vec();
            forge(&mut forged);
            folder(&forged);
        }
        _ => bad_disk(rest),
    }
}

/// A header has one spelling.
fn header(bytes: &[u8]) {
    let mut bytes: Vec<u8> = bytes.iter().copied().chain(std::iter::repeat(0)).take(HEADER).collect();
    for _ in 0..2 {
        if let Some(header) = Header::decode(bytes.first_chunk().expect("as long as a header")) {
            let mut again = Vec::new();
            header.encode(&mut again);
            assert_eq!(again, bytes);
            let _ = header.chain();
        }
        forge(&mut bytes);
    }
}

fn item(payload: &[u8]) {
    if let Some(content) = ItemContent::parse(payload.to_vec()) {
        let again = content.facts.payload(&content.data).expect("it was read");
        assert_eq!(ItemContent::parse(again), Some(content));
    }
}

/// Two files: the first two bytes say where the second begins.
fn folder(bytes: &[u8]) {
    let Some((split, bytes)) = bytes.split_first_chunk::<2>() else { return };
    let (one, two) = bytes.split_at(usize::from(u16::from_be_bytes(*split)).min(bytes.len()));
    recovered(&[one.to_vec(), two.to_vec()], &BTreeMap::new());
}

fn bad_disk(script: &[u8]) {
    let Some((indexed, script)) = script.split_first() else { return };
    let index = faults::index(&WRITTEN, usize::from(*indexed) % (WRITTEN.entries.len() + 1));
    let mut files = WRITTEN.files.clone();
    faults::spoil(&mut files, script);
    let (found, disk) = recovered(&files, &index);
    faults::judge(&WRITTEN, &files, &index, &found, &disk);
}

/// Recovers, and checks what must hold of any files: the simulated disk fails a read that isn't inside its file, so no
/// buffer was larger than that.
fn recovered(files: &[Vec<u8>; 2], index: &BTreeMap<u64, Indexed>) -> (Recovered, Simulated) {
    let disk = Simulated::default();
    (1..).zip(files).for_each(|(number, bytes)| disk.replace(number, bytes.clone()));
    let len = |number: u64| files[number as usize - 1].len() as u64;
    let found = recover(&disk, index).expect("nothing is read from outside the files");
    for entry in &found.entries {
        assert!(entry.end() <= len(entry.place.file));
        let bytes = &files[entry.place.file as usize - 1][entry.place.at as usize..entry.end() as usize];
        assert!(entry.header.covers(&bytes[HEADER..]));
    }
    for damage in &found.damage {
        assert!(damage.place.at <= len(damage.place.file) && damage.place.at < damage.until);
        assert!(damage.until == u64::MAX || damage.until < len(damage.place.file));
    }
    assert!(found.torn as usize <= files.iter().map(Vec::len).sum() && found.torn == disk.kept_aside() as u64);
    assert!(found.resume.is_none_or(|(number, end)| end <= len(number)));
    assert_eq!(found.next_number, 3);
    // A second time: the tail is gone, and all else is as it was.
    let again = recover(&disk, index).expect("a second time");
    assert_eq!((&again.entries, &again.damage, again.torn), (&found.entries, &found.damage, 0));
    assert_eq!(again.resume, found.resume);
    (found, disk)
}

/// Puts the right hashes wherever a header seems to begin, from the end on, so that the last word is the first's.
fn forge(bytes: &mut [u8]) {
    for at in (0..bytes.len().saturating_sub(HEADER - 1)).rev() {
        if !bytes[at..].starts_with(MAGIC) {
            continue;
        }
        let len = u32::from_be_bytes(bytes[at + 36..at + 40].try_into().expect("four bytes")) as usize;
        let tag = if bytes[at + 7] == 1 { keys::TAG } else { 0 };
        if let Some(stored) = bytes.get(at + HEADER..at + HEADER + len + tag) {
            let hash = Digest::of(stored);
            bytes[at + 128..at + 160].copy_from_slice(hash.as_bytes());
        }
        let check = Digest::of(&bytes[at..at + HEADER - 32]);
        bytes[at + HEADER - 32..at + HEADER].copy_from_slice(check.as_bytes());
    }
}

/// The seeds: good input of each kind, so that the fuzzer starts behind the first check.
pub fn begin() {
    let write = |name: &str, kind: u8, parts: &[&[u8]]| {
        fuzzing::write_seed("journal", name, &[&[kind], parts.concat().as_slice()].concat());
    };
    let [one, two] = &WRITTEN.files;
    for (n, entry) in WRITTEN.entries.iter().enumerate() {
        let mut header = Vec::new();
        entry.header.encode(&mut header);
        write(&format!("header-{n}"), A_HEADER, &[&header]);
    }
    write("item", AN_ITEM, &[&WRITTEN.item]);
    let split = (one.len() as u16).to_be_bytes();
    write("folder", A_FOLDER, &[&split, one, two]);
    write("forged", A_FORGED_FOLDER, &[&split, one, two]);
    // A flip, a part of zeros, a cut, an allocation and a sector of something else, in either file, the index at each place.
    for indexed in 0..=WRITTEN.entries.len() as u8 {
        let script =
            [[0, 1, 90, 0, 0, 4], [3, 1, 140, 1, 0, 0], [4, 4, 0, 0, 0, 0], [7, 0, 0, 2, 0, 0], [8, 0, 40, 0, 4, 0]];
        for (n, fault) in script.iter().enumerate() {
            write(&format!("fault-{indexed}-{n}"), A_BAD_DISK, &[&[indexed], fault, b"ALCR"]);
        }
    }
}
