//! What is left of a disposed exhibit: everything of it is proved or refused, and the file at fault is named.

use std::{
    fs::{self, File},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    process::Command,
};

use crate::sample::{Grave, ORIGIN, Sample};
use chrono::TimeDelta;
use exhibit::{
    Digest,
    access::ACCESS_LOG,
    bag::{MANIFEST, TAGMANIFEST},
    jcs,
    package::{self, CHECKSUMS, Package, Proofs, VERIFY},
    seal::{DevIdentity, Signer},
    tlog::note::SignerKey,
    tombstone::{LOG_ENTRY, LOG_PROOF, SIGNATURE, TIMESTAMP, TOMBSTONE, Tombstone},
    verify::{Outcome, Question, Report, Trust, verify},
};
use tempfile::{TempDir, tempdir};

const CALLER: &str = "bag/data/tracks/caller-1.mkv";
const LIST: &str = "bag/data/segments/caller-1.jsonl";
const GRAVE: [&str; 5] = [TOMBSTONE, SIGNATURE, TIMESTAMP, LOG_ENTRY, LOG_PROOF];

fn on_disk(sample: &Sample) -> (TempDir, PathBuf) {
    let temp = tempdir().unwrap();
    let root = temp.path().join("package");
    sample.write_folder(&root);
    (temp, root)
}

fn names(report: &Report, file: &str) -> bool {
    report.failures.iter().any(|f| f.file == file)
}

/// Whoever exchanges a proof can also make the unsigned list of proofs fit.
fn fix_checksums(root: &Path) {
    let sums = "sha256sum bag/tagmanifest-sha256.txt $(ls proof/* | grep -v checksums) > proof/checksums-sha256.txt";
    assert!(Command::new("bash").args(["-c", sums]).env("LC_ALL", "C").current_dir(root).status().unwrap().success());
}

fn put(root: &Path, path: &str, bytes: impl AsRef<[u8]>) {
    fs::write(root.join(path), bytes).unwrap();
}

fn remove(root: &Path, paths: &[&str]) {
    paths.iter().for_each(|path| fs::remove_file(root.join(path)).unwrap());
}

fn dig(root: &Path, grave: &Grave, paths: &[&str]) {
    for (path, bytes) in grave.iter().filter(|(path, _)| paths.contains(path)) {
        put(root, path, bytes);
    }
}

#[test]
fn everything_is_proved_and_said_of_what_is_left() {
    let sample = Sample::disposed(2_000);
    let (temp, root) = on_disk(&sample);
    let tar = temp.path().join("package.tar");
    fs::write(&tar, sample.tar()).unwrap();
    for path in [&root, &tar] {
        let report = verify(path, &sample.trust()).unwrap();
        assert_eq!((&report.failures[..], &report.open[..]), (&[][..], &[][..]), "{report}");
        assert_eq!(report.outcome(), Outcome::Proved);
        let text = report.to_string();
        for said in [
            "VERIFIED AS DISPOSED OF: the recording itself was destroyed and can no longer be checked\n",
            "Its tombstone says that it was DISPOSED OF",
            "reviewed by   Insp 7,",
            "and by        Supt 9,",
            "2 different people had reviewed it (Insp 7 at ",
            "WHO signed it:",
            "WHO signed the tombstone:",
            "WHEN it was disposed of: the tombstone's signature was there at",
            "The disposal is in the LOG evidence.example/log",
            "A WITNESS saw the log with the disposal",
            "What the 2 recordings and 3 items held: they were DESTROYED",
            "The access log's 3 lines",
        ] {
            assert!(text.contains(said), "{said} in {text}");
        }
        for unsaid in ["All 3 items", "segments of", "were left out"] {
            assert!(!text.contains(unsaid), "{unsaid} in {text}");
        }
        let json = serde_json::to_value(&report).unwrap();
        let disposal = &json["disposal"];
        assert_eq!((&disposal["who"], &disposal["reviews"][1]["who"]), (&"records 12".into(), &"Supt 9".into()));
        assert_eq!((&disposal["log"]["index"], &disposal["log"]["size"]), (&8.into(), &11.into()));
        assert!(disposal["time"].is_string() && disposal["way_to_root"].is_array());
    }
    // What nothing was given for stays open, of the seal and of the tombstone.
    let all = sample.trust();
    for (trust, open, said) in [
        (Trust { signers: None, ..all.clone() }, &[Question::Signer][..], "WHO signed the tombstone: no trust"),
        (Trust { timestamps: None, ..all.clone() }, &[Question::Time], "WHEN it was disposed of: there is a timestamp"),
        (Trust { witnesses: Vec::new(), ..all.clone() }, &[Question::Witness], "the disposal: no witness's key"),
        (Trust { log: None, ..all.clone() }, &[Question::Log, Question::Witness], "the disposal is in a LOG: no key"),
    ] {
        let report = verify(&root, &trust).unwrap();
        assert_eq!((report.outcome(), &report.open[..]), (Outcome::InPart, open), "{report}");
        assert!(report.not_proved.iter().any(|line| line.contains(said)), "{said}: {report}");
    }
}

#[test]
fn the_command_says_so_and_exits_accordingly() {
    let sample = Sample::disposed(1_000);
    let (temp, root) = on_disk(&sample);
    let world = sample.world.as_ref().unwrap();
    fs::write(temp.path().join("tsa.pem"), world.authority.roots_pem()).unwrap();
    let (log, witness) = (world.log.verifier().to_string(), world.witness.cosignature_verifier().to_string());
    let run = |more: &[&str]| {
        let all = ["package", "--roots", "package.roots.pem", "--tsa-roots", "tsa.pem", "--log-key", &log];
        let mut command = Command::new(env!("CARGO_BIN_EXE_alcove-verify"));
        let output = command.args(all).args(more).current_dir(temp.path()).output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    let (code, human) = run(&["--witness-key", &witness]);
    assert_eq!(code, Some(0), "{human}");
    assert!(human.starts_with("VERIFIED AS DISPOSED OF"), "{human}");
    let (code, json) = run(&["--witness-key", &witness, "--json"]);
    let report: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((code, &report["outcome"]), (Some(0), &"proved".into()));
    for line in report["proved"].as_array().unwrap().iter().chain(report["not_proved"].as_array().unwrap()) {
        assert!(human.contains(line.as_str().unwrap()), "{line} in {human}");
    }
    assert_eq!(run(&[]).0, Some(1));
    put(&root, TOMBSTONE, String::from_utf8(sample.file(TOMBSTONE)).unwrap().replace("Supt 9", "Supt 8"));
    let (code, said) = run(&["--witness-key", &witness]);
    assert_eq!(code, Some(1));
    assert!(said.contains("proof/tombstone.json: is not what was signed"), "{said}");
}

#[test]
fn a_flipped_bit_of_any_file_is_named_and_nothing_else_is_blamed() {
    let sample = Sample::disposed(1_000);
    let (_temp, root) = on_disk(&sample);
    let (all, without_keys) = (sample.trust(), Trust { signers: Some(sample.roots()), ..Trust::default() });
    for (path, bytes) in sample.files() {
        let file = File::options().write(true).open(root.join(&path)).unwrap();
        let step = match &*path {
            _ if GRAVE.contains(&&*path) => 1,
            VERIFY | MANIFEST => 23,
            _ => 7,
        };
        for (at, byte) in bytes.iter().enumerate().step_by(step) {
            file.write_all_at(&[byte ^ (1 << (at % 8))], at as u64).unwrap();
            let trust = if at % 4 == 3 && !path.starts_with("access/") { &without_keys } else { &all };
            let report = verify(&root, trust).unwrap();
            let place = format!("bit {} of byte {at} of {path}: {report}", at % 8);
            assert!(names(&report, &path) && report.proved.is_empty() && report.disposal.is_none(), "{place}");
            for failure in &report.failures {
                // Of a proof and the unsigned list of proofs either may be the altered one.
                let beside = failure.file == CHECKSUMS && !path.starts_with("bag/data");
                let by_list =
                    path == CHECKSUMS && (failure.what.contains(" listed in ") || failure.what == "is missing");
                assert!(failure.file == path || beside || by_list, "{place}");
            }
            file.write_all_at(&[*byte], at as u64).unwrap();
        }
    }
    assert_eq!(verify(&root, &all).unwrap().outcome(), Outcome::Proved);
}

/// What is done to a package, with another exhibit's tombstone at hand, and what must be named.
type Harm = (&'static str, fn(&Path, &Sample, &Grave), &'static [&'static str]);

#[test]
fn what_is_exchanged_added_or_missing_is_named() {
    let harms: &[Harm] = &[
        ("nothing", |_, _, _| {}, &[]),
        ("another's tombstone", |p, _, o| dig(p, o, &[TOMBSTONE]), &[TOMBSTONE]),
        ("another's signature", |p, _, o| dig(p, o, &[SIGNATURE]), &[SIGNATURE]),
        ("another's timestamp", |p, _, o| dig(p, o, &[TIMESTAMP]), &[TIMESTAMP]),
        ("another's entry", |p, _, o| dig(p, o, &[LOG_ENTRY]), &[LOG_ENTRY]),
        ("another's proof", |p, _, o| dig(p, o, &[LOG_PROOF]), &[LOG_PROOF]),
        ("another's signed tombstone", |p, _, o| dig(p, o, &[TOMBSTONE, SIGNATURE]), &[TOMBSTONE, SIGNATURE]),
        ("another's place in the log", |p, _, o| dig(p, o, &[LOG_ENTRY, LOG_PROOF]), &[LOG_ENTRY]),
        ("all of another's", |p, _, o| dig(p, o, &GRAVE), &[TOMBSTONE, LOG_ENTRY]),
        ("no tombstone", |p, _, _| remove(p, &[TOMBSTONE]), &[TOMBSTONE]),
        ("no signature", |p, _, _| remove(p, &[SIGNATURE]), &[SIGNATURE]),
        ("no timestamp", |p, _, _| remove(p, &[TIMESTAMP]), &[TIMESTAMP]),
        ("no entry", |p, _, _| remove(p, &[LOG_ENTRY]), &[LOG_ENTRY]),
        ("no proof", |p, _, _| remove(p, &[LOG_PROOF]), &[LOG_PROOF]),
        ("nothing of the log", |p, _, _| remove(p, &[LOG_ENTRY, LOG_PROOF]), &[LOG_PROOF]),
        ("nothing at all", |p, _, _| remove(p, &GRAVE), &[CALLER]),
        (
            "the seal's place in the log",
            |p, s, _| {
                put(p, LOG_ENTRY, s.file(package::LOG_ENTRY));
                put(p, LOG_PROOF, s.file(package::LOG_PROOF));
            },
            &[LOG_ENTRY],
        ),
        (
            "a log of somebody else's under the same name",
            |p, s, _| {
                let forged = SignerKey::from_seed(ORIGIN, &[99; 32]).unwrap();
                put(p, LOG_PROOF, s.world.as_ref().unwrap().prove_with(&forged, &s.file(LOG_ENTRY), 8, 11));
            },
            &[LOG_PROOF],
        ),
        (
            "a recording that is still there",
            |p, s, _| {
                fs::create_dir_all(p.join("bag/data/tracks")).unwrap();
                put(p, CALLER, &s.media[0].1);
            },
            &[CALLER],
        ),
        (
            "something else that is there",
            |p, _, _| {
                fs::create_dir_all(p.join("bag/data/tracks")).unwrap();
                put(p, "bag/data/tracks/caller-2.mkv", "x");
            },
            &["bag/data/tracks/caller-2.mkv"],
        ),
        ("a list of segments gone", |p, _, _| remove(p, &[LIST]), &[LIST]),
        ("another list of segments", |p, _, _| put(p, LIST, "{}\n"), &[LIST]),
        ("a proof that has no place", |p, _, _| put(p, "proof/tombstone.txt", "x"), &["proof/tombstone.txt"]),
        ("another list", |p, _, _| put(p, TAGMANIFEST, "x"), &[TAGMANIFEST]),
        ("a shorter access log", |p, _, _| put(p, ACCESS_LOG, ""), &[ACCESS_LOG]),
    ];
    let sample = Sample::disposed(2_000);
    let other = sample.other();
    let other = other.grave(sample.world.as_ref().unwrap(), &other.tombstone().to_bytes().unwrap());
    for (what, harm, files) in harms {
        let (_temp, root) = on_disk(&sample);
        harm(&root, &sample, &other);
        fix_checksums(&root);
        let report = verify(&root, &sample.trust()).unwrap();
        assert_eq!(report.failures.is_empty(), files.is_empty(), "{what}: {report}");
        assert_eq!(report.proved.is_empty(), !files.is_empty(), "{what}: {report}");
        assert!(files.iter().all(|file| names(&report, file)), "{what}: {report}");
    }
}

/// What a tombstone says that those who sign, stamp and log were made to take.
type Lie = (&'static str, fn(&mut Tombstone), &'static str);

#[test]
fn a_tombstone_that_is_signed_and_can_not_be_true_is_refused() {
    let lies: &[Lie] = &[
        ("one reviewer", |t| t.reviews.truncate(1), "fewer than two people"),
        ("no reviewer", |t| t.reviews.clear(), "fewer than two people"),
        ("the same twice", |t| t.reviews[1].who = t.reviews[0].who.clone(), "are one person"),
        ("the same, spelled otherwise", |t| t.reviews[1].who = "INSP. 7".to_owned(), "are one person"),
        (
            "another exhibit",
            |t| t.exhibit = "0190a000-0000-7000-8000-0000000000bb".parse().unwrap(),
            "another exhibit's",
        ),
        ("another reference", |t| t.reference.push('1'), "another reference"),
        ("another seal", |t| t.seal_sha256 = Digest::of(b""), "of another seal"),
        ("another place in the log", |t| t.log_index = Some(4), "another place of the seal"),
        ("no place in the log", |t| t.log_index = None, "in no log"),
        (
            "disposed of after its timestamp",
            |t| t.disposed_at += TimeDelta::hours(1),
            "after that of its own timestamp",
        ),
        ("reviewed afterwards", |t| t.reviews[1].at += TimeDelta::days(2), "a review that came after"),
    ];
    let sample = Sample::disposed(1_000);
    let world = sample.world.as_ref().unwrap();
    for (what, lie, said) in lies {
        let mut tombstone = sample.tombstone();
        lie(&mut tombstone);
        let (_temp, root) = on_disk(&sample);
        dig(&root, &sample.grave(world, &jcs::to_vec(&tombstone).unwrap()), &GRAVE);
        fix_checksums(&root);
        let report = verify(&root, &sample.trust()).unwrap();
        assert!(report.failures.iter().all(|f| f.file == TOMBSTONE), "{what}: {report}");
        assert!(report.failures.iter().any(|f| f.what.contains(said)), "{what}: {report}");
        assert!(report.proved.is_empty(), "{what}: {report}");
    }
    // Clocks that differ a little are honest; and so is a third reviewer.
    let mut tombstone = sample.tombstone();
    tombstone.disposed_at += TimeDelta::minutes(2);
    let mut third = tombstone.reviews[0].clone();
    third.who = "DCI 3".to_owned();
    tombstone.reviews.push(third);
    let (_temp, root) = on_disk(&sample);
    dig(&root, &sample.grave(world, &tombstone.to_bytes().unwrap()), &GRAVE);
    fix_checksums(&root);
    let report = verify(&root, &sample.trust()).unwrap();
    assert_eq!(report.outcome(), Outcome::Proved, "{report}");
    // A field that this reader doesn't know.
    let json = String::from_utf8(tombstone.to_bytes().unwrap()).unwrap().replacen('{', r#"{"also":"this","#, 1);
    dig(&root, &sample.grave(world, json.as_bytes()), &GRAVE);
    fix_checksums(&root);
    let report = verify(&root, &sample.trust()).unwrap();
    assert!(names(&report, TOMBSTONE) && report.to_string().contains("unknown field"), "{report}");
}

#[test]
fn a_tombstone_over_a_whole_package_by_somebody_else_is_refused_by_the_roots() {
    let sample = Sample::disposed(1_000);
    let (_temp, root) = on_disk(&sample);
    let identity = DevIdentity::make([66; 32], sample.world.as_ref().unwrap().now()).unwrap();
    let mut forged = Sample::disposed(1_000);
    forged.signer = Signer::from_pem(&identity.key_pem, &identity.certificate_pem).unwrap();
    // Authority, log and witness take anybody's.
    dig(&root, &forged.grave(sample.world.as_ref().unwrap(), &sample.tombstone().to_bytes().unwrap()), &GRAVE);
    fix_checksums(&root);
    let report = verify(&root, &sample.trust()).unwrap();
    assert_eq!(report.failures.iter().map(|f| &*f.file).collect::<Vec<_>>(), [SIGNATURE], "{report}");
    assert!(report.to_string().contains("its signer is not to be trusted"), "{report}");
}

#[test]
fn a_package_is_made_only_of_proofs_that_are_over_each_other() {
    let sample = Sample::full(1_000);
    let world = sample.world.as_ref().unwrap();
    let json = sample.tombstone().to_bytes().unwrap();
    let [_, (_, seal), (_, token), ..] = sample.grave(world, &json);
    let elsewhere = world.stamp(b"something else");
    let made =
        |json: &[u8], timestamp| sample.package.clone().disposed(json, &Proofs { seal: &seal, timestamp, log: None });
    // As where there is neither authority nor log.
    let left = made(&json, None).unwrap();
    // Of what is streamed the lists of segments are left, and nothing that was recorded.
    let paths: Vec<_> = left.stored.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(paths, ["bag/data/segments/caller-1.jsonl", "bag/data/segments/officer-1.jsonl"]);
    let text = |package: &Package| {
        let file = package.files.iter().find(|file| file.path == VERIFY).unwrap();
        String::from_utf8(file.bytes.clone()).unwrap()
    };
    assert!(text(&left).contains("DISPOSED OF") && !text(&sample.package).contains("DISPOSED OF"));
    assert!(made(&json, Some(&token)).is_ok());
    assert!(made(&json, Some(&elsewhere)).is_err());
    let mut other = sample.tombstone();
    other.reason.push('!');
    assert!(made(&other.to_bytes().unwrap(), None).is_err());
    assert!(made(b"{}", None).is_err());
}
