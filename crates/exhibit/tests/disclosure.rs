//! Partial disclosures: that what is left out is not there, what is there is the original's, and nothing can be slipped in.

use crate::sample;
use std::{
    collections::BTreeSet,
    fs::{self, File},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    process::Command,
};

use crate::sample::{Sample, now};
use chrono::TimeDelta;
use exhibit::{
    disclosure::{self, Choice, DISCLOSURE, Disclosure, Error, original_of, place_of},
    package::{Package, Proofs, SEAL, VERIFY},
    verify::{Outcome, Report, verify},
};
use proptest::prelude::*;
use tempfile::{TempDir, tempdir};

const CALLER: &str = "tracks/caller-1.mkv";
const CHAT: &str = "items/chat-transcript/chat/2.json";

fn choice(only: &[&str]) -> Choice {
    Choice {
        only: only.iter().map(|path| (*path).to_owned()).collect(),
        made_at: now() + TimeDelta::days(30),
        who: "disclosure.officer".into(),
        reason: "Defence request 7".into(),
        software: "evidence-store 0.1.0".into(),
    }
}

/// Selected, signed and stamped as an export does it.
fn disclose(sample: &Sample, only: &[&str]) -> Package {
    let bag = disclosure::bag(&sample.package, &choice(only)).unwrap();
    let at = sample.world.as_ref().map_or(now() + TimeDelta::days(30), |world| world.now());
    let seal = sample.signer.sign(bag.tagmanifest(), at).unwrap();
    let timestamp = sample.world.as_ref().map(|world| world.stamp(&seal));
    Package::new(bag, &Proofs { seal: &seal, timestamp: timestamp.as_deref(), log: None }).unwrap()
}

fn write(sample: &Sample, package: &Package) -> (TempDir, PathBuf) {
    let temp = tempdir().unwrap();
    let root = temp.path().join("disclosure");
    let small = package.files.iter().map(|f| (&f.path, &f.bytes[..]));
    let stored = package.stored.iter().map(|f| (&f.path, sample.content(&f.content)));
    for (path, bytes) in small.chain(stored) {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    (temp, root)
}

fn names(report: &Report, file: &str) -> bool {
    report.failures.iter().any(|f| f.file == file)
}

#[test]
fn it_proves_the_selection_and_each_file_in_it() {
    let sample = Sample::full(3_000);
    let package = disclose(&sample, &[CALLER, CHAT]);
    let (temp, root) = write(&sample, &package);
    let tar = temp.path().join("disclosure.tar");
    let mut file = File::create(&tar).unwrap();
    package.write_tar(&mut file, |file| Ok(sample.content(&file.content))).unwrap();
    for path in [&root, &tar] {
        let report = verify(path, &sample.trust()).unwrap();
        assert_eq!((report.outcome(), &report.failures[..]), (Outcome::Proved, &[][..]), "{report}");
        let text = report.to_string();
        for said in [
            "It is a PARTIAL DISCLOSURE of that exhibit",
            // The recording's list of segments comes with it.
            "3 files were chosen, 4 left out",
            "Each file here is the one in the exhibit's sealed manifest. 3 of its 5",
            "1 of the 3 items beside the recordings are here",
            "The selection's signature was there at",
            "What is in the 4 files that were left out",
        ] {
            assert!(text.contains(said), "{said} in {text}");
        }
        assert!(!text.contains("officer-1.mkv: "), "{text}");
    }
    assert!(root.join("bag/data/segments/caller-1.jsonl").exists());
    // Not a byte of what was left out.
    assert!(!root.join("bag/data/segments/officer-1.jsonl").exists());
    assert!(!root.join("bag/data/tracks/officer-1.mkv").exists() && !root.join("access").exists());
    // Nothing of it is proved to who brings nothing.
    let report = verify(&root, &exhibit::verify::Trust::default()).unwrap();
    assert_eq!((report.outcome(), report.open.len()), (Outcome::InPart, 4));
    let python = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/tools/venv/bin/python");
    let bagit = "import bagit; bagit.Bag('bag').validate()";
    assert!(Command::new(python).args(["-c", bagit]).current_dir(&root).status().unwrap().success());
}

#[test]
fn its_instructions_work_as_written() {
    let sample = Sample::full(3_000);
    let (temp, root) = write(&sample, &disclose(&sample, &[CALLER, CHAT]));
    let world = sample.world.as_ref().unwrap();
    for (name, text) in [
        ("roots.pem", sample.identity.roots_pem.clone()),
        ("tsa-roots.pem", world.authority.roots_pem().to_owned()),
        ("log.vkey", world.log.verifier().to_string()),
        ("witness.vkey", world.witness.cosignature_verifier().to_string()),
    ] {
        fs::write(temp.path().join(name), text).unwrap();
    }
    let text = fs::read_to_string(root.join(VERIFY)).unwrap();
    let commands: String =
        text.lines().filter_map(|line| line.strip_prefix("    ")).map(|line| format!("{line}\n")).collect();
    let mut bash = Command::new("bash");
    bash.env("TMPDIR", temp.path());
    let output = bash.args(["-euo", "pipefail", "-c", &commands]).current_dir(&root).output().unwrap();
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success(), "{commands}\n{said}");
    assert_eq!(said.matches("CAdES Verification successful").count(), 2, "{said}");
    assert_eq!(said.matches("Signature Verified Successfully").count(), 2, "{said}");
    for once in [
        "Verification: OK",
        "entry OK",
        "inclusion OK",
        "data/tracks/caller-1.mkv: OK",
        "bag/data/original/manifest.json: OK",
    ] {
        assert!(said.contains(once), "{once}: {said}");
    }
    assert!(!said.contains("FAILED"), "{said}");
}

#[test]
fn what_was_not_sealed_can_not_be_chosen() {
    let sample = Sample::new(1_000);
    let bag = |only: &[&str]| disclosure::bag(&sample.package, &choice(only));
    assert!(matches!(bag(&[]), Err(Error::Nothing)));
    for path in ["tracks/caller-2.mkv", "../proof/seal.p7s", "manifest.json", "bag/data/tracks/caller-1.mkv"] {
        assert!(matches!(bag(&[CALLER, path]), Err(Error::UnknownFile(unknown)) if unknown == path));
    }
    assert_eq!(bag(&[CALLER]).unwrap(), bag(&[CALLER]).unwrap());
}

#[test]
fn a_flipped_byte_of_any_file_is_named() {
    let sample = Sample::new(1_500);
    let package = disclose(&sample, &[CALLER, CHAT]);
    let (_temp, root) = write(&sample, &package);
    let small = package.files.iter().map(|f| (f.path.clone(), f.bytes.clone()));
    let stored = package.stored.iter().map(|f| (f.path.clone(), sample.content(&f.content).to_vec()));
    for (path, bytes) in small.chain(stored) {
        let file = File::options().write(true).open(root.join(&path)).unwrap();
        for (at, byte) in bytes.iter().enumerate().step_by(7) {
            file.write_all_at(&[byte ^ (1 << (at % 8))], at as u64).unwrap();
            let report = verify(&root, &sample.trust()).unwrap();
            assert!(names(&report, &path), "byte {at} of {path}: {report}");
            assert!(report.proved.is_empty());
            file.write_all_at(&[*byte], at as u64).unwrap();
        }
    }
    assert_eq!(verify(&root, &sample.trust()).unwrap().outcome(), Outcome::InPart);
}

/// Signs whatever is in the folder as a disclosure would be, by a key that is trusted: an insider's forgery.
fn signed_again(sample: &Sample, root: &Path) {
    let mut lines = Vec::new();
    let list = |folder: &str| {
        let find = format!("cd bag && find {folder} -type f | LC_ALL=C sort | xargs sha256sum");
        Command::new("bash").args(["-c", &find]).current_dir(root).output().unwrap().stdout
    };
    fs::write(root.join("bag/manifest-sha256.txt"), list("data")).unwrap();
    for tag in ["bag-info.txt", "bagit.txt", "manifest-sha256.txt"] {
        lines.extend(list(tag));
    }
    fs::write(root.join("bag/tagmanifest-sha256.txt"), &lines).unwrap();
    let seal = sample.signer.sign(&lines, now() + TimeDelta::days(30)).unwrap();
    fs::write(root.join(SEAL), seal).unwrap();
    let sums = "sha256sum bag/tagmanifest-sha256.txt proof/VERIFY.txt proof/seal.p7s proof/signer.pem > proof/checksums-sha256.txt";
    assert!(Command::new("bash").args(["-c", sums]).current_dir(root).status().unwrap().success());
}

#[test]
fn even_who_may_sign_can_not_slip_in_what_was_not_sealed() {
    type Harm = (&'static str, fn(&Path, &Sample), &'static str);
    let harms: &[Harm] = &[
        ("nothing", |_, _| {}, ""),
        (
            "another recording",
            |p, _| fs::write(p.join("bag/data").join(CALLER), [1; 1_500]).unwrap(),
            "bag/data/tracks/caller-1.mkv",
        ),
        (
            "a file more",
            |p, _| fs::write(p.join("bag/data/tracks/caller-9.mkv"), "x").unwrap(),
            "bag/data/tracks/caller-9.mkv",
        ),
        (
            "what was to be left out",
            |p, s| fs::write(p.join("bag/data/tracks/officer-1.mkv"), &s.media[1].1).unwrap(),
            "bag/data/tracks/officer-1.mkv",
        ),
        (
            "a second manifest",
            |p, s| fs::write(p.join("bag/data/manifest.json"), s.file("bag/data/manifest.json")).unwrap(),
            "bag/data/manifest.json",
        ),
        (
            "a disclosed file gone",
            |p, _| fs::remove_file(p.join("bag/data").join(CALLER)).unwrap(),
            "bag/data/tracks/caller-1.mkv",
        ),
        (
            "a recording without its list",
            |p, _| {
                let path = p.join(DISCLOSURE);
                let list = r#""segments/caller-1.jsonl","#;
                let text = fs::read_to_string(&path).unwrap().replacen(list, "", 1);
                let withheld = r#""segments/officer-1.jsonl""#;
                fs::write(&path, text.replacen(withheld, &format!("{list}{withheld}"), 1)).unwrap();
                fs::remove_file(p.join("bag/data/segments/caller-1.jsonl")).unwrap();
            },
            DISCLOSURE,
        ),
        (
            "another seal inside",
            |p, s| fs::write(p.join("bag/data/original-proof/seal.p7s"), s.signer.sign(b"x", now()).unwrap()).unwrap(),
            "bag/data/original/tagmanifest-sha256.txt",
        ),
        (
            "a selection that tells of another exhibit",
            |p, _| {
                let path = p.join(DISCLOSURE);
                let text = fs::read_to_string(&path).unwrap();
                fs::write(&path, text.replace("ALC/7F3K9Q2M/1", "ALC/7F3K9Q2M/2")).unwrap();
            },
            DISCLOSURE,
        ),
        (
            "a selection that leaves something unsaid",
            |p, _| {
                let path = p.join(DISCLOSURE);
                let text = fs::read_to_string(&path).unwrap();
                fs::write(
                    &path,
                    text.replace(r#""withheld":["items/chat-transcript/chat/1.json","#, r#""withheld":["#),
                )
                .unwrap();
            },
            DISCLOSURE,
        ),
    ];
    for (what, harm, file) in harms {
        let sample = Sample::new(1_500);
        let (_temp, root) = write(&sample, &disclose(&sample, &[CALLER, CHAT]));
        harm(&root, &sample);
        signed_again(&sample, &root);
        let report = verify(&root, &sample.trust()).unwrap();
        match *file {
            "" => assert_eq!(report.failures, [], "{what}: {report}"),
            file => assert!(names(&report, file), "{what}: {report}"),
        }
    }
}

#[test]
fn every_place_in_it_is_known_from_both_sides() {
    let sample = Sample::full(1_000);
    let paths: BTreeSet<_> = sample.files().into_iter().map(|(path, _)| path).collect();
    for path in paths.iter().filter(|path| !path.starts_with("access/")) {
        assert_eq!(original_of(&place_of(path).unwrap()).as_ref(), Some(path));
    }
    for own in ["bag/bagit.txt", "proof/seal.p7s", DISCLOSURE, "bag/data/DISCLOSURE-READ-ME.txt"] {
        assert_eq!(original_of(own), None);
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_panic(bytes: Vec<u8>) {
        prop_assert!(Disclosure::parse(&bytes).is_err());
    }

    #[test]
    fn a_flipped_bit_is_refused_or_read_as_written(at: prop::sample::Index, bit in 0_u8..8) {
        let sample = Disclosure {
            format: disclosure::Format::V1, exhibit: sample::exhibit(), reference: "ALC/1".into(),
            seal_sha256: exhibit::Digest::of(b""), made_at: now(), who: "a".into(), reason: "b".into(),
            disclosed: vec!["tracks/a.mkv".into()], withheld: vec![], software: "c".into(),
        };
        let mut bytes = sample.to_bytes().unwrap();
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        if let Ok(read) = Disclosure::parse(&bytes) {
            prop_assert_eq!(read.to_bytes().unwrap(), bytes);
        }
    }
}
