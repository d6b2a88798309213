//! Any byte of a package that differs, and anything that was added, left out or exchanged: the verifier names the file.

use crate::sample;
use std::{
    fs::{self, File},
    os::unix::fs::FileExt,
    path::Path,
};

use crate::sample::Sample;
use exhibit::{
    package::CHECKSUMS,
    seal::DevIdentity,
    verify::{Failure, Outcome, Question, Report, Trust, Unreadable, verify},
};
use proptest::prelude::*;
use tempfile::tempdir;

const MASKS: [u8; 4] = [0x01, 0x20, 0x80, 0xff];

fn check(path: &Path, trust: &Trust) -> Report {
    verify(path, trust).unwrap()
}

fn names(report: &Report, file: &str) -> bool {
    report.failures.iter().any(|f| f.file.starts_with(file))
}

fn folder() -> (Sample, tempfile::TempDir, std::path::PathBuf) {
    on_disk(Sample::new(5_000))
}

fn on_disk(sample: Sample) -> (Sample, tempfile::TempDir, std::path::PathBuf) {
    let temp = tempdir().unwrap();
    let root = temp.path().join("package");
    sample.write_folder(&root);
    (sample, temp, root)
}

#[test]
fn an_honest_package_verifies_as_folder_and_as_tar() {
    let (sample, temp, root) = folder();
    let tar = temp.path().join("package.tar");
    fs::write(&tar, sample.tar()).unwrap();
    for path in [&root, &tar] {
        let report = check(path, &sample.trust());
        assert_eq!((report.outcome(), &report.failures[..]), (Outcome::InPart, &[][..]));
        let text = report.to_string();
        for said in [
            "ALC/7F3K9Q2M/1",
            "there is no timestamp in the package",
            "All 3 items beside the recordings",
            "2 segments were declared",
            "leads to a trust root",
        ] {
            assert!(text.contains(said), "{said} in {text}");
        }
        let unrooted = verify(path, &Trust::default()).unwrap();
        assert_eq!(unrooted.open.first(), Some(&Question::Signer));
        assert!(unrooted.to_string().contains("WHO signed it: no trust roots"));
    }
}

#[test]
fn a_flipped_byte_of_any_file_is_named_and_nothing_else_is_blamed() {
    let (sample, _temp, root) = folder();
    let roots = sample.trust();
    for (path, bytes) in sample.files() {
        let file = File::options().write(true).open(root.join(&path)).unwrap();
        let step = if path.ends_with(".mkv") { 61 } else { 1 };
        for (at, byte) in bytes.iter().enumerate().step_by(step) {
            file.write_all_at(&[byte ^ MASKS[at % 4]], at as u64).unwrap();
            let report = check(&root, &roots);
            assert!(names(&report, &path), "byte {at} of {path}: {report}");
            // Of a proof and the unsigned list of proofs either may be the altered one.
            let fair = |f: &Failure| f.file == path || (f.file == CHECKSUMS && !path.starts_with("bag/data"));
            let accused = |f: &Failure| path == CHECKSUMS && (f.what.contains(" listed in ") || f.what == "is missing");
            assert!(report.failures.iter().all(|f| fair(f) || accused(f)), "byte {at} of {path}: {report}");
            file.write_all_at(&[*byte], at as u64).unwrap();
        }
    }
    assert_eq!(check(&root, &roots).outcome(), Outcome::InPart);
}

#[test]
fn a_flipped_byte_anywhere_in_the_tar_is_named() {
    let (sample, temp) = (Sample::new(3_000), tempdir().unwrap());
    let (roots, path, bytes) = (sample.trust(), temp.path().join("package.tar"), sample.tar());
    fs::write(&path, &bytes).unwrap();
    let file = File::options().write(true).open(&path).unwrap();
    let mut start = 0;
    let mut regions = Vec::new();
    for (name, content) in sample.files() {
        let end = start + 512 + content.len().next_multiple_of(512);
        // What is inside of files is flipped exhaustively in the folder. Headers differ little: some bytes of each.
        let header = if start < 2048 { (start..start + 512).step_by(1) } else { (start..start + 512).step_by(5) };
        regions.extend(header.map(|at| (at, name.clone())));
        regions.extend((start + 512 + content.len()..end).step_by(7).map(|at| (at, name.clone())));
        regions.extend((start + 512..end).step_by(61).map(|at| (at, name.clone())));
        start = end;
    }
    regions.extend((start..bytes.len()).map(|at| (at, "(the tar file itself)".to_owned())));
    for (at, name) in regions {
        // Every other one is cleared to zero instead: headers end their fields with it.
        let mask = if at % 2 == 0 && bytes[at] != 0 { bytes[at] } else { MASKS[at % 4] };
        file.write_all_at(&[bytes[at] ^ mask], at as u64).unwrap();
        let report = check(&path, &roots);
        assert!(names(&report, &name), "byte {at} ({name}): {report}");
        file.write_all_at(&[bytes[at]], at as u64).unwrap();
    }
    assert_eq!(check(&path, &roots).outcome(), Outcome::InPart);
}

#[test]
fn a_tar_cut_anywhere_fails() {
    let (sample, temp) = (Sample::new(3_000), tempdir().unwrap());
    let (roots, path, bytes) = (sample.trust(), temp.path().join("package.tar"), sample.tar());
    for len in (512..bytes.len()).step_by(173) {
        fs::write(&path, &bytes[..len]).unwrap();
        assert_eq!(check(&path, &roots).outcome(), Outcome::Failed, "cut at {len}");
    }
    fs::write(&path, [&bytes[..], b"more"].concat()).unwrap();
    assert!(names(&check(&path, &roots), "(the tar file itself)"));
}

/// What is done to an honest folder, and what the verifier must then name.
type Harm = (&'static str, fn(&Path), &'static [&'static str]);

const CALLER: &str = "bag/data/tracks/caller-1.mkv";
const OFFICER: &str = "bag/data/tracks/officer-1.mkv";
const LIST: &str = "bag/data/segments/caller-1.jsonl";

fn first_line(path: &Path) -> String {
    fs::read_to_string(path).unwrap().lines().next().unwrap().to_owned() + "\n"
}

#[test]
fn whatever_is_done_to_a_folder_is_named() {
    let harms: &[Harm] = &[
        ("cut short", |p| File::options().write(true).open(p.join(CALLER)).unwrap().set_len(4_000).unwrap(), &[CALLER]),
        ("cut to nothing", |p| fs::write(p.join(CALLER), b"").unwrap(), &[CALLER]),
        ("longer", |p| fs::write(p.join(CALLER), sample::media(1, 5_001)).unwrap(), &[CALLER]),
        ("a list of segments removed", |p| fs::remove_file(p.join(LIST)).unwrap(), &[LIST]),
        ("a line less in it", |p| fs::write(p.join(LIST), first_line(&p.join(LIST))).unwrap(), &[LIST]),
        ("a recording removed", |p| fs::remove_file(p.join(OFFICER)).unwrap(), &[OFFICER]),
        (
            "the manifest removed",
            |p| fs::remove_file(p.join("bag/data/manifest.json")).unwrap(),
            &["bag/data/manifest.json"],
        ),
        ("the seal removed", |p| fs::remove_file(p.join("proof/seal.p7s")).unwrap(), &["proof/seal.p7s"]),
        ("the proofs removed", |p| fs::remove_dir_all(p.join("proof")).unwrap(), &["proof/seal.p7s"]),
        (
            "a file added to the payload",
            |p| fs::write(p.join("bag/data/note.txt"), "x").unwrap(),
            &["bag/data/note.txt"],
        ),
        ("a file added to the bag", |p| fs::write(p.join("bag/fetch.txt"), "x").unwrap(), &["bag/fetch.txt"]),
        ("a file added to the proofs", |p| fs::write(p.join("proof/x"), "x").unwrap(), &["proof/x"]),
        ("a file added beside", |p| fs::write(p.join("READ-ME.exe"), "x").unwrap(), &["READ-ME.exe"]),
        (
            "an empty file added",
            |p| fs::write(p.join("bag/data/tracks/x.mkv"), "").unwrap(),
            &["bag/data/tracks/x.mkv"],
        ),
        ("an empty folder added", |p| fs::create_dir_all(p.join("bag/data/a/b")).unwrap(), &["bag/data/a/b/"]),
        ("a link added", |p| std::os::unix::fs::symlink("/etc/passwd", p.join("bag/data/x")).unwrap(), &["bag/data/x"]),
        (
            "a recording replaced by a link to it",
            |p| {
                fs::rename(p.join(CALLER), p.with_extension("away")).unwrap();
                std::os::unix::fs::symlink(p.with_extension("away"), p.join(CALLER)).unwrap();
            },
            &[CALLER],
        ),
        (
            "recordings exchanged",
            |p| {
                fs::rename(p.join(CALLER), p.join("x")).unwrap();
                fs::rename(p.join(OFFICER), p.join(CALLER)).unwrap();
                fs::rename(p.join("x"), p.join(OFFICER)).unwrap();
            },
            &[CALLER, OFFICER],
        ),
    ];
    for (what, harm, files) in harms {
        let (sample, _temp, root) = folder();
        harm(&root);
        let report = check(&root, &sample.trust());
        assert_eq!(report.outcome(), Outcome::Failed, "{what}");
        for file in *files {
            assert!(names(&report, file), "{what}: {report}");
        }
    }
}

#[test]
fn the_altered_second_is_named() {
    let (sample, _temp, root) = folder();
    let mut bytes = sample.media[0].1.clone();
    bytes[3_456] ^= 1;
    fs::write(root.join(CALLER), bytes).unwrap();
    let report = check(&root, &sample.trust());
    assert!(report.to_string().contains("segment 3 (2026-11-24T18:39:03.123456Z to"), "{report}");
    assert!(!report.to_string().contains("segment 4"), "{report}");
}

#[test]
fn a_whole_package_made_by_somebody_else_is_refused_by_the_roots_alone() {
    let temp = tempdir().unwrap();
    let (honest, forged) =
        (Sample::new(5_000), Sample::signed_by(DevIdentity::make([66; 32], sample::now()).unwrap(), 5_000));
    let root = temp.path().join("forged");
    forged.write_folder(&root);
    assert_eq!(verify(&root, &Trust::default()).unwrap().outcome(), Outcome::InPart);
    let report = check(&root, &honest.trust());
    assert!(names(&report, "proof/seal.p7s"), "{report}");
    assert!(report.to_string().contains("not issued by any of the given trust roots"), "{report}");
}

#[test]
fn the_seal_of_another_exhibit_is_refused() {
    let (sample, _temp, root) = folder();
    let mut held = sample.held();
    held.manifest.salt = [8; 32];
    let other = Sample::sealing(held, DevIdentity::make([42; 32], sample::now()).unwrap());
    for file in ["proof/seal.p7s", "proof/checksums-sha256.txt"] {
        fs::write(root.join(file), other.file(file)).unwrap();
    }
    let report = check(&root, &sample.trust());
    assert!(report.to_string().contains("tagmanifest-sha256.txt: is not what was signed"), "{report}");
}

/// Whoever may sign can seal a list that doesn't fit its recording: it is the list that is named.
#[test]
fn a_sealed_list_that_contradicts_itself_is_named() {
    type Harm = (&'static str, fn(&mut Vec<exhibit::Segment>), &'static str);
    let harms: &[Harm] = &[
        (
            "lengths exchanged",
            |list| (list[0].bytes, list[1].bytes, list[1].offset) = (1, 1_999, 1),
            "the chain breaks",
        ),
        (
            "one said to be another",
            |list| (list[1].sha256, list[1].stored_sha256) = (list[0].sha256, list[0].sha256),
            "the chain breaks at segment 1",
        ),
        ("one left out", |list| list.retain(|s| s.seq != 1), "the list is not as the manifest says of it"),
    ];
    for (what, harm, said) in harms {
        let mut held = Sample::new(5_000).held();
        let track = &mut held.manifest.tracks[0];
        let list = held.lists.get_mut(&track.name).unwrap();
        harm(list);
        // As many, and from and until where it was: the manifest by itself is sound.
        let count = track.segments.count;
        track.segments = exhibit::Segments { count, ..sample::listed(&track.name, list) };
        let sample = Sample::sealing(held, DevIdentity::make([42; 32], sample::now()).unwrap());
        let (sample, _temp, root) = on_disk(sample);
        let report = check(&root, &sample.trust());
        let [failure] = &report.failures[..] else { panic!("{what}: {report}") };
        assert_eq!(failure.file, "bag/data/segments/caller-1.jsonl", "{what}");
        assert!(failure.what.contains(said), "{what}: {report}");
        assert!(report.proved.is_empty(), "{what}");
    }
}

#[test]
fn hostile_tars_are_refused_without_touching_anything() {
    let (sample, temp) = (Sample::new(3_000), tempdir().unwrap());
    let path = temp.path().join("package.tar");
    let good = sample.tar();
    let body = &good[..good.len() - 1024];
    let entry = |name: &str| {
        let mut out = exhibit::tar::Writer::new(Vec::new(), sample.package.modified);
        out.file(name, b"x").unwrap();
        out.finish().unwrap()
    };
    let mut link = tar::Header::new_ustar();
    link.set_entry_type(tar::EntryType::Symlink);
    link.set_path("bag/data/x").unwrap();
    link.set_link_name("/etc/passwd").unwrap();
    link.set_size(0);
    link.set_cksum();
    let link = [link.as_bytes(), &[0; 1024][..]].concat();
    for (what, tail, named) in [
        ("a path out of the package", entry("../evil"), "../evil"),
        ("an absolute path", entry("/evil"), "/evil"),
        ("a file twice", entry("bag/bagit.txt"), "bag/bagit.txt"),
        ("a file that doesn't belong", entry("bag/data/x"), "bag/data/x"),
        ("a link", link, "bag/data/x"),
    ] {
        fs::write(&path, [body, &tail].concat()).unwrap();
        let report = check(&path, &sample.trust());
        assert!(names(&report, named), "{what}: {report}");
    }
}

#[test]
fn control_characters_never_reach_the_terminal() {
    let (sample, _temp, root) = folder();
    fs::write(root.join("bag/data/\u{1b}[2J"), "").unwrap();
    let report = check(&root, &sample.trust());
    assert!(!report.to_string().contains('\u{1b}'));
    assert_eq!(report.outcome(), Outcome::Failed);
}

#[test]
fn what_is_no_package_is_unreadable_not_failed() {
    let temp = tempdir().unwrap();
    let roots = Sample::new(1_000).trust();
    let file = temp.path().join("holiday.mp4");
    fs::write(&file, [1; 4096]).unwrap();
    for path in [temp.path(), file.as_path()] {
        assert!(matches!(verify(path, &roots), Err(Unreadable::NotAPackage(_))), "{path:?}");
    }
    assert!(matches!(verify(&temp.path().join("absent"), &roots), Err(Unreadable::Io { .. })));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_tar_of_any_bytes_is_judged_without_panic(
        at: prop::sample::Index, noise in proptest::collection::vec(any::<u8>(), 1..600), cut: prop::sample::Index,
    ) {
        let (sample, temp) = (Sample::new(1_000), tempdir().unwrap());
        let (path, mut bytes) = (temp.path().join("p.tar"), sample.tar());
        let at = at.index(bytes.len());
        let end = (at + noise.len()).min(bytes.len());
        let same = bytes[at..end] == noise[..end - at];
        bytes[at..end].copy_from_slice(&noise[..end - at]);
        fs::write(&path, &bytes).unwrap();
        match verify(&path, &sample.trust()) {
            Ok(report) => prop_assert_eq!(report.outcome() == Outcome::Failed, !same),
            Err(error) => prop_assert!(matches!(error, Unreadable::NotAPackage(_))),
        }
        bytes.truncate(cut.index(bytes.len()));
        fs::write(&path, &bytes).unwrap();
        prop_assert!(verify(&path, &sample.trust()).map_or(true, |report| report.outcome() == Outcome::Failed));
    }
}
