//! Audits a log's folder (`checkpoint`, `tile/...`) with nothing but its files and keys from elsewhere: recomputes the tree from the
//! entries, and compares every tile, whole or partial, with it.
//!
//! Trust runs down: key, checkpoint, root, leaves, entries and tiles. Where entries and leaf hashes differ, those are wrong that
//! don't lead to the signed root, so that the altered file is the one named.

mod files;
mod report;
mod rows;

use std::path::Path;

pub use files::Unreadable;
pub use report::{Counts, Report};

use super::{
    Checkpoint, Entry, WitnessPolicy, hash,
    note::{SignedNote, VerifierKey},
    tile::{self, Holds, Tile},
};
use crate::sha256::Digest;
use files::Files;
use rows::Row;

/// What an auditor knows from elsewhere.
#[derive(Debug, Clone)]
pub struct Known {
    /// The log's key. It is named as the log is.
    pub log: VerifierKey,
    /// Witnesses that must have cosigned the checkpoint, every one.
    pub witnesses: Vec<VerifierKey>,
    /// A checkpoint of the same log that was kept from before, and what to call it.
    pub older: Option<(String, Vec<u8>)>,
}

/// Audits the log in this folder. Entries are read bundle by bundle; what is held is 64 bytes for each 256 of them.
///
/// # Errors
/// [`Unreadable`] if there is no log there or reading it fails. What is *wrong* with it is in the report.
pub fn audit(folder: &Path, known: &Known) -> Result<Report, Unreadable> {
    let files = Files::open(folder)?;
    let mut report = Report { log: known.log.name().to_owned(), ..Report::default() };
    let Some(checkpoint) = check_checkpoint(&files, known, &mut report)? else {
        report.conclude(&files);
        return Ok(report);
    };
    let older = check_older(known, &checkpoint, &mut report);
    report.size = Some(checkpoint.size);
    report.root = Some(checkpoint.root);

    let mut leaves = Leaves::new(older.as_ref().map(|older| older.size));
    for index in 0..checkpoint.size.div_ceil(tile::WIDTH) {
        let Some(bundle) = tile::tile_at(Holds::Entries, index, checkpoint.size) else { break };
        let entries = copies(&files, bundle, &mut report)?;
        let hashes = copies(&files, Tile { holds: Holds::Hashes(0), ..bundle }, &mut report)?;
        if !leaves.take(bundle.width, entries, hashes, &mut report) {
            report.fail(&bundle.path(), "neither the entries nor their hashes can be read: the root can't be computed");
            report.conclude(&files);
            return Ok(report);
        }
    }
    let row = leaves.judge(&checkpoint, older.as_ref().zip(known.older.as_ref()), &mut report);
    if let Some(row) = row {
        check_upper_rows(&files, row, checkpoint.size, &mut report)?;
    }
    report.conclude(&files);
    Ok(report)
}

fn check_checkpoint(files: &Files, known: &Known, report: &mut Report) -> Result<Option<Checkpoint>, Unreadable> {
    let note = match SignedNote::parse(files.checkpoint()?) {
        Ok(note) => note,
        Err(error) => return Ok(report.failed(tile::CHECKPOINT, &error)),
    };
    let checkpoint = match Checkpoint::open(&note, &known.log) {
        Ok(checkpoint) => checkpoint,
        Err(error) => return Ok(report.failed(tile::CHECKPOINT, &error)),
    };
    for witness in &known.witnesses {
        match WitnessPolicy::all(vec![witness.clone()]).check(&note) {
            Ok(cosigned) => report.cosigned.extend(cosigned),
            Err(super::Error::TooFewWitnesses { .. }) => {
                report.fail(tile::CHECKPOINT, &format!("not cosigned by {}", witness.name()));
            }
            Err(error) => report.fail(tile::CHECKPOINT, &error.to_string()),
        }
    }
    Ok(Some(checkpoint))
}

/// The older checkpoint, if it is one that this tree can be compared with.
fn check_older(known: &Known, newest: &Checkpoint, report: &mut Report) -> Option<Checkpoint> {
    let (name, bytes) = known.older.as_ref()?;
    let older = match SignedNote::parse(bytes).and_then(|note| Checkpoint::open(&note, &known.log)) {
        Ok(older) => older,
        Err(error) => return report.failed(name, &error),
    };
    if older.size > newest.size {
        let (now, then) = (newest.size, older.size);
        report.fail(
            tile::CHECKPOINT,
            &format!("the log has shrunk: it has {now} entries, and {name} says it had {then}"),
        );
        return None;
    }
    Some(older)
}

/// One file of a tile, as far as the tree covers it: hashes, or the leaf hashes of entries.
struct Copy {
    tile: Tile,
    hashes: Vec<Digest>,
}

/// The files that there are of a tile, the one to go by first. Reports those that can't be used; if none can be gone by, says so.
fn copies(files: &Files, wanted: Tile, report: &mut Report) -> Result<Vec<Copy>, Unreadable> {
    let mut copies: Vec<Copy> = Vec::new();
    for (tile, covered) in files.of(wanted) {
        let (path, bytes) = (tile.path(), files.read(&tile.path())?);
        let hashes = match tile.holds {
            Holds::Hashes(_) => tile::decode_hashes(&bytes),
            Holds::Entries => tile::decode_bundle(&bytes).map(|entries| {
                let first = !copies.iter().any(|copy| copy.covers(wanted.width));
                if first && entries.len() == usize::from(tile.width) {
                    check_entries(&path, wanted.start(), &entries[..covered], report);
                }
                entries.into_iter().map(hash::leaf_hash).collect()
            }),
        };
        match hashes {
            Ok(mut hashes) if hashes.len() == usize::from(tile.width) => {
                hashes.truncate(covered);
                copies.push(Copy { tile, hashes });
            }
            Ok(_) => report.fail(&path, "it holds another number than its name says"),
            Err(error) => report.fail(&path, &error.to_string()),
        }
    }
    if !copies.first().is_some_and(|copy| copy.covers(wanted.width)) {
        report.fail(&wanted.path(), "missing, or not to be used");
        // What is narrower proves nothing without it.
        copies.clear();
    }
    Ok(copies)
}

impl Copy {
    fn covers(&self, width: u16) -> bool {
        self.hashes.len() == usize::from(width)
    }

    /// Reports this file unless it begins as it must.
    fn compare(&self, right: &[Digest], report: &mut Report) {
        if !right.starts_with(&self.hashes) {
            report.fail(
                &self.tile.path(),
                match self.tile.holds {
                    Holds::Entries => "its entries are not those that were logged: their hashes are others",
                    Holds::Hashes(0) => "its hashes are not those of the entries that were logged",
                    Holds::Hashes(_) => "its hashes are not those of the tiles below",
                },
            );
        }
    }
}

fn check_entries(path: &str, start: u64, entries: &[&[u8]], report: &mut Report) {
    for (n, entry) in (start..).zip(entries) {
        match Entry::parse(entry) {
            Ok(entry) => report.count.add(&entry),
            Err(error) => report.fail(path, &format!("entry {n}: {error}")),
        }
    }
}

/// Levels 1 and up: each hash is the root of a whole tile below, and the lowest of these rows is known to be right.
fn check_upper_rows(files: &Files, mut row: Row, size: u64, report: &mut Report) -> Result<(), Unreadable> {
    for level in 1..tile::LEVELS {
        for wanted in row.tiles(level, size) {
            for copy in copies(files, wanted, report)? {
                copy.compare(row.hashes(wanted), report);
            }
        }
        row = row.above();
    }
    Ok(())
}

/// Places where entries and hashes differ of which every file is compared in the end. Of further ones only the widest files are named.
const COMPARED_AT_MOST: usize = 1_000;

/// Both sides of the lowest row, as far as they have been read: what the entries hash to, and what the tiles of level 0 say.
struct Leaves {
    entries: rows::Side,
    tiles: rows::Side,
    differ: Vec<[Vec<Copy>; 2]>,
}

impl Leaves {
    fn new(older: Option<u64>) -> Self {
        Self { entries: rows::Side::new(older), tiles: rows::Side::new(older), differ: Vec::new() }
    }

    /// Where one side can't be read the other stands in for it: what is missing has been reported. False if both can't.
    fn take(&mut self, width: u16, mut entries: Vec<Copy>, mut tiles: Vec<Copy>, report: &mut Report) -> bool {
        let go_by = |copies: &[Copy]| copies.first().filter(|copy| copy.covers(width)).map(|copy| copy.hashes.clone());
        let (by_entries, by_tiles) = match (go_by(&entries), go_by(&tiles)) {
            (Some(entries), Some(tiles)) => (entries, tiles),
            (Some(one), None) | (None, Some(one)) => (one.clone(), one),
            (None, None) => return false,
        };
        if by_entries == by_tiles {
            entries.iter().chain(&tiles).for_each(|copy| copy.compare(&by_entries, report));
        } else {
            if self.differ.len() >= COMPARED_AT_MOST {
                entries.truncate(1);
                tiles.truncate(1);
            }
            self.differ.push([entries, tiles]);
        }
        self.entries.push(&by_entries);
        self.tiles.push(&by_tiles);
        true
    }

    /// Says which side is wrong where they differ, and gives the row above the right one, if one is right.
    fn judge(
        self,
        checkpoint: &Checkpoint,
        older: Option<(&Checkpoint, &(String, Vec<u8>))>,
        report: &mut Report,
    ) -> Option<Row> {
        let by_entries = self.entries.root() == checkpoint.root;
        if !by_entries && self.tiles.root() != checkpoint.root {
            for copy in self.differ.iter().flatten().filter_map(|copies| copies.first()) {
                let what = "the entries and their hashes differ, and neither lead to the checkpoint's root";
                report.fail(&copy.tile.path(), what);
            }
            report.fail(tile::CHECKPOINT, "its root is not that of the entries, nor that of their hashes");
            return None;
        }
        for [entries, tiles] in &self.differ {
            let right = if by_entries { entries } else { tiles };
            for copy in entries.iter().chain(tiles) {
                copy.compare(&right[0].hashes, report);
            }
        }
        let right = if by_entries { self.entries } else { self.tiles };
        if let Some((older, (name, _))) = older {
            if right.older_root() == Some(older.root) {
                report.older = Some(older.size);
            } else {
                report.fail(name, "this log does not begin with the entries that this checkpoint covers");
            }
        }
        Some(right.row())
    }
}
