//! What a bad disk does to a journal, as the fuzzer dictates it; and what recovery must never make of that.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    journal::{
        recovery::{Indexed, Recovered},
        simulated::Simulated,
    },
    recovery::written::Written,
};

/// How much a fault may bring in by itself: too little to be a record that was never written.
const MOST_FOREIGN: usize = 16;

/// Reads faults until the fuzzer has no more to say.
pub fn spoil(files: &mut [Vec<u8>; 2], mut script: &[u8]) {
    while let Some(([what, at_high, at_low, len_high, len_low, value], rest)) = script.split_first_chunk::<6>() {
        script = rest;
        let file = &mut files[usize::from(what & 1)];
        let at = usize::from(u16::from_be_bytes([*at_high, *at_low])).min(file.len());
        let len = usize::from(u16::from_be_bytes([*len_high, *len_low]));
        let end = (at + len).min(file.len());
        match (what >> 1) % 5 {
            0 if at < file.len() => file[at] ^= value,
            1 => file[at..end].fill(0),
            2 => file.truncate(at),
            // Zeros as preallocation leaves them.
            3 => file.resize(file.len() + len % 2_048, 0),
            _ => {
                let len = len.min(MOST_FOREIGN).min(end - at).min(script.len());
                file[at..at + len].copy_from_slice(&script[..len]);
                script = &script[len..];
            }
        }
    }
}

/// The index of so many of the records.
pub fn index(written: &Written, indexed: usize) -> BTreeMap<u64, Indexed> {
    let known = written.entries.iter().take(indexed);
    known
        .map(|entry| {
            let check = entry.header.check();
            (entry.place.file, Indexed { through: entry.end(), last: entry.place.at, check })
        })
        .collect()
}

/// Nothing altered was taken for a record, and nothing is gone without a word.
pub fn judge(
    written: &Written,
    files: &[Vec<u8>; 2],
    index: &BTreeMap<u64, Indexed>,
    found: &Recovered,
    disk: &Simulated,
) {
    let mut seen = BTreeSet::new();
    for entry in &found.entries {
        let original = written.entries.iter().find(|original| original.place == entry.place);
        let original = original.expect("no record was written there");
        assert_eq!(entry.header, original.header, "an altered header is taken");
        let (file, range) = (entry.place.file as usize - 1, entry.place.at as usize..entry.end() as usize);
        assert!(files[file][range.clone()] == written.files[file][range], "altered bytes are taken");
        assert!(seen.insert(entry.place), "a record is taken twice");
    }
    for lost in written.entries.iter().filter(|entry| !seen.contains(&entry.place)) {
        let (file, at) = (lost.place.file, lost.place.at);
        let bytes = &files[file as usize - 1];
        let known = index.get(&file).is_some_and(|indexed| lost.end() <= indexed.through);
        let damage = found.damage.iter().any(|d| d.place.file == file && d.place.at <= at && at < d.until);
        // Only the newest file can have been in the middle of a batch.
        let cut = file == 2 && found.torn > 0 && disk.bytes(file).len() as u64 <= at;
        // As after a crash before it was written. What the index knows would say otherwise, and then `damage` must hold.
        let never = bytes.get(at as usize..).is_none_or(|rest| rest.iter().all(|b| *b == 0));
        assert!(known || damage || cut || never, "{:?} is lost without a word: {found:?}", lost.place);
    }
    for (file, indexed) in index {
        let bytes = &files[*file as usize - 1];
        let last = indexed.last as usize..indexed.through as usize;
        let newest = written.files[*file as usize - 1].get(last.clone());
        let header = |bytes: &[u8]| bytes[..crate::journal::record::HEADER].to_vec();
        let intact = bytes.get(last).is_some_and(|bytes| newest.is_some_and(|newest| header(bytes) == header(newest)));
        assert!(
            intact || found.damage.iter().any(|d| d.place.file == *file),
            "file {file} is behind its index, and nobody says so"
        );
    }
}
