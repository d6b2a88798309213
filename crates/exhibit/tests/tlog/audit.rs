//! A log's folder, honest and altered in every file, through the library and through `alcove-verify log`.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use exhibit::{
    Digest,
    tlog::{
        Checkpoint, Entry, Frontier,
        audit::{Known, Report, audit},
        leaf_hash,
        note::{SignedNote, SignerKey},
        tile::{self, Holds, Tile},
    },
};
use ids::ExhibitId;
use tempfile::{TempDir, tempdir};
use uuid::Uuid;

use crate::tlog::notes::{log, witness};

/// A log that writes its tiles as it grows, and never deletes one.
struct Log {
    dir: TempDir,
    entries: Vec<Vec<u8>>,
}

impl Log {
    fn new() -> Self {
        Self { dir: tempdir().unwrap(), entries: Vec::new() }
    }

    fn of(sizes: &[u64]) -> Self {
        let mut log = Self::new();
        for size in sizes {
            log.grow(*size);
        }
        log
    }

    fn grow(&mut self, to: u64) {
        let exhibit = |n: u64| ExhibitId::from(Uuid::from_u128(u128::from(n)));
        let head = |n: u64| Digest::of(&n.to_be_bytes());
        let from = self.entries.len() as u64;
        self.entries.extend((from..to).map(|n| Entry::Access { exhibit: exhibit(n), n, head: head(n) }.to_bytes()));
        self.write(from);
        self.sign();
    }

    /// Writes what a tree of these entries has and one of `from` hasn't.
    fn write(&self, from: u64) {
        for tile in tile::changed(from, self.entries.len() as u64) {
            let range = tile.start() as usize..tile.start() as usize + usize::from(tile.width);
            let bytes = match tile.holds {
                Holds::Entries => tile::encode_bundle(&self.entries[range]).unwrap(),
                Holds::Hashes(0) => {
                    tile::encode_hashes(&self.entries[range].iter().map(|entry| leaf_hash(entry)).collect::<Vec<_>>())
                }
                Holds::Hashes(level) => {
                    let below = |n: usize| fs::read(self.path(&tile::path(level - 1, n as u64, 256))).unwrap();
                    let root = |n| tile::subtree_root(&tile::decode_hashes(&below(n)).unwrap()).unwrap();
                    tile::encode_hashes(&range.map(root).collect::<Vec<_>>())
                }
            };
            let path = self.path(&tile.path());
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
    }

    fn checkpoint(&self) -> Checkpoint {
        let mut tree = Frontier::new();
        self.entries.iter().for_each(|entry| tree.push(leaf_hash(entry)));
        Checkpoint { origin: log().verifier().name().to_owned(), size: tree.size(), root: tree.root() }
    }

    fn sign(&self) -> SignedNote {
        let mut note = self.checkpoint().sign(&log()).unwrap();
        note.add(witness().cosign(note.text(), 1_700_000_000)).unwrap();
        fs::write(self.path("checkpoint"), note.to_text()).unwrap();
        note
    }

    fn path(&self, path: &str) -> PathBuf {
        self.dir.path().join(path)
    }

    fn audit(&self) -> Report {
        audit(self.dir.path(), &known()).unwrap()
    }

    /// Every tile file, from the folder.
    fn files(&self) -> Vec<String> {
        fn walk(top: &Path, folder: &Path, found: &mut Vec<String>) {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    walk(top, &path, found);
                } else {
                    found.push(path.strip_prefix(top).unwrap().display().to_string());
                }
            }
        }
        let mut found = Vec::new();
        walk(self.dir.path(), &self.path("tile"), &mut found);
        found.sort();
        found
    }
}

fn known() -> Known {
    Known { log: log().verifier(), witnesses: vec![witness().cosignature_verifier()], older: None }
}

fn wrong(report: &Report) -> Vec<&str> {
    report.failures.iter().map(|failure| failure.file.as_str()).collect()
}

#[test]
fn an_honest_log_of_any_size_is_intact() {
    for sizes in [&[0][..], &[1], &[255], &[256], &[3, 257], &[100, 256, 300, 513, 700], &[60_000, 66_000]] {
        let log = Log::of(sizes);
        let report = log.audit();
        assert!(report.is_intact(), "{sizes:?} {report}");
        let size = *sizes.last().unwrap();
        assert_eq!((report.size, report.root, report.count.accesses), (Some(size), Some(log.checkpoint().root), size));
        assert_eq!(report.cosigned, [("witness.example/w1".to_owned(), 1_700_000_000)]);
        assert!(report.to_string().starts_with("LOG INTACT\n"), "{report}");
    }
}

#[test]
fn a_flipped_bit_in_any_file_is_laid_at_its_door() {
    let log = Log::of(&[100, 256, 300, 513, 700]);
    let files = log.files();
    assert!(files.len() > 12, "{files:?}");
    for file in files {
        let path = log.path(&file);
        let good = fs::read(&path).unwrap();
        for at in [0, 1, 2, good.len() / 2, good.len() - 1] {
            let mut bad = good.clone();
            bad[at] ^= 1;
            fs::write(&path, bad).unwrap();
            let report = log.audit();
            assert!(!report.is_intact() && wrong(&report).iter().all(|named| *named == file), "{file} {at}\n{report}");
        }
        for bad in [vec![], good[..good.len() - 1].to_vec(), [&good[..], &[0]].concat()] {
            fs::write(&path, bad).unwrap();
            assert!(wrong(&log.audit()).contains(&file.as_str()), "{file}");
        }
        fs::remove_file(&path).unwrap();
        let report = log.audit();
        let superseded = Tile::parse(&file).is_none_or(|tile| {
            tile::tile_at(tile.holds, tile.index, 700).is_some_and(|needed| needed.width != tile.width)
        });
        if superseded {
            assert!(report.is_intact(), "a partial tile may go once there is a wider one: {file}\n{report}");
        } else {
            assert_eq!(wrong(&report), [&file], "{report}");
        }
        fs::write(&path, good).unwrap();
    }
    assert!(log.audit().is_intact());
}

#[test]
fn tiles_of_the_higher_levels_are_recomputed() {
    let log = Log::of(&[65_536, 66_000]);
    for file in ["tile/1/000", "tile/1/001.p/1", "tile/2/000.p/1"] {
        let path = log.path(file);
        let good = fs::read(&path).unwrap();
        let mut bad = good.clone();
        *bad.last_mut().unwrap() ^= 1;
        fs::write(&path, bad).unwrap();
        assert_eq!(wrong(&log.audit()), [file]);
        fs::write(&path, good).unwrap();
    }
    assert!(log.audit().is_intact());
}

#[test]
fn a_rewritten_log_needs_a_key_and_then_a_forgetful_reader() {
    let mut log = Log::of(&[300]);
    let older = log.sign();
    // Everything made again after an entry was changed: only the checkpoint stands in the way.
    log.entries[7] = Entry::Access { exhibit: Uuid::nil().into(), n: 0, head: Digest::of(b"") }.to_bytes();
    log.write(0);
    assert_eq!(wrong(&log.audit()), ["checkpoint"]);
    // With the stolen keys of the log and the witness it is intact in itself, and not to whoever kept a checkpoint.
    log.sign();
    assert!(log.audit().is_intact());
    let with_older = Known { older: Some(("kept.txt".to_owned(), older.to_text().into_bytes())), ..known() };
    let report = audit(log.dir.path(), &with_older).unwrap();
    assert_eq!(wrong(&report), ["kept.txt"]);
}

#[test]
fn an_older_checkpoint_must_be_of_a_beginning() {
    let mut log = Log::of(&[100]);
    let at_100 = log.sign().to_text();
    let with = |older: &str| Known { older: Some(("kept.txt".to_owned(), older.as_bytes().to_vec())), ..known() };
    log.grow(300);
    let report = audit(log.dir.path(), &with(&at_100)).unwrap();
    assert!(report.is_intact() && report.older == Some(100), "{report}");
    let at_300 = log.sign().to_text();
    assert_eq!(audit(log.dir.path(), &with(&at_300)).unwrap().older, Some(300));
    let empty =
        Checkpoint { size: 0, root: exhibit::tlog::empty_root(), ..log.checkpoint() }.sign(&crate::tlog::notes::log());
    assert_eq!(audit(log.dir.path(), &with(&empty.unwrap().to_text())).unwrap().older, Some(0));
    assert_eq!(wrong(&audit(log.dir.path(), &with("garbage")).unwrap()), ["kept.txt"]);

    let mut short = Log::of(&[100]);
    let report = audit(short.dir.path(), &with(&at_300)).unwrap();
    assert!(wrong(&report) == ["checkpoint"] && report.to_string().contains("shrunk"), "{report}");
    short.grow(101);
    assert!(short.audit().older.is_none());
}

#[test]
fn the_checkpoint_is_of_the_keys_that_were_given() {
    let log = Log::of(&[5]);
    let thief = SignerKey::from_seed("log.example/alcove", &[3; 32]).unwrap();
    let others = SignerKey::from_seed("witness.example/w2", &[4; 32]).unwrap();
    let report = audit(log.dir.path(), &Known { log: thief.verifier(), ..known() }).unwrap();
    assert_eq!((wrong(&report), report.size), (vec!["checkpoint"], None));
    let report = audit(log.dir.path(), &Known { witnesses: vec![others.cosignature_verifier()], ..known() }).unwrap();
    assert_eq!(wrong(&report), ["checkpoint"]);
    let report = audit(log.dir.path(), &Known { witnesses: vec![], ..known() }).unwrap();
    assert!(report.is_intact() && report.not_proved.iter().any(|line| line.contains("another tree")), "{report}");
    for bad in ["", "nonsense\n", &"x".repeat(1 << 20)] {
        fs::write(log.path("checkpoint"), bad).unwrap();
        assert_eq!(wrong(&log.audit()), ["checkpoint"]);
    }
}

#[test]
fn what_is_ahead_of_the_checkpoint_or_no_tile_is_said_and_not_judged() {
    let mut log = Log::of(&[250]);
    let signed = fs::read(log.path("checkpoint")).unwrap();
    log.grow(600);
    // The tiles are written before the checkpoint: a crash in between leaves this.
    fs::write(log.path("checkpoint"), signed).unwrap();
    fs::write(log.path("tile/0/000.tmp"), "half").unwrap();
    fs::remove_file(log.path("tile/0/000.p/250")).unwrap();
    let report = log.audit();
    assert!(report.is_intact() && report.size == Some(250), "{report}");
    let said = report.not_proved.join("\n");
    assert!(said.contains("only a later checkpoint covers") && said.contains("tile/0/000.tmp"), "{said}");
    // The part that is covered is judged wherever it is.
    let mut bytes = fs::read(log.path("tile/0/000")).unwrap();
    bytes[0] ^= 1;
    fs::write(log.path("tile/0/000"), bytes).unwrap();
    assert_eq!(wrong(&log.audit()), ["tile/0/000"]);
}

#[test]
fn an_entry_that_is_none_of_ours_is_named() {
    let mut log = Log::of(&[3]);
    log.entries[1] = b"alcove seal v1\nnonsense\n".to_vec();
    log.write(0);
    log.sign();
    let report = log.audit();
    assert_eq!(wrong(&report), ["tile/entries/000.p/3"]);
    assert!(report.failures[0].what.contains("entry 1"), "{report}");
}

#[test]
fn the_command_says_what_it_found_and_exits_accordingly() {
    let log_on_disk = Log::of(&[300]);
    fs::write(log_on_disk.path("kept.txt"), log_on_disk.sign().to_text()).unwrap();
    let (key, cosigner) = (log().verifier().to_string(), witness().cosignature_verifier().to_string());
    let run = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_alcove-verify"));
        let output = command.arg("log").args(arguments).current_dir(log_on_disk.dir.path()).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code(), text(output.stdout), text(output.stderr))
    };
    let whole = [".", "--key", &key, "--witness-key", &cosigner, "--older", "kept.txt"];
    let (code, out, err) = run(&whole);
    assert_eq!((code, &*err), (Some(0), ""), "{out}");
    assert!(out.starts_with("LOG INTACT\n") && out.contains("2023-11-14 22:13:20 UTC"), "{out}");

    fs::write(log_on_disk.path("tile/0/000"), [0; 8192]).unwrap();
    let (code, out, _) = run(&whole);
    assert!(code == Some(1) && out.starts_with("FAILED") && out.contains("tile/0/000: "), "{out}");
    let (code, out, _) = run(&[&whole[..], &["--json"]].concat());
    assert!(
        code == Some(1) && out.contains("\"outcome\": \"failed\"") && out.contains("\"file\": \"tile/0/000\""),
        "{out}"
    );

    for arguments in [
        &["."][..],
        &[".", "--key", "nonsense"],
        &["absent", "--key", &key],
        &["tile", "--key", &key],
        &[".", "--key", &key, "--older", "absent"],
        &[],
    ] {
        let (code, out, err) = run(arguments);
        assert_eq!((code, &*out), (Some(2), ""), "{arguments:?}");
        assert!(!err.is_empty(), "{arguments:?}");
    }
}
