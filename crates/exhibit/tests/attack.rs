//! A package with every proof, attacked: each altered byte and each exchanged proof is found, and the right file named.

use std::{
    fs::{self, File},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    process::Command,
};

use crate::sample::{ORIGIN, Sample, World};
use chrono::TimeDelta;
use exhibit::{
    access::{ACCESS_ENTRY, ACCESS_LOG, ACCESS_PROOF},
    bag::{MANIFEST, TAGMANIFEST},
    package::{CHECKSUMS, LOG_ENTRY, LOG_PROOF, SEAL, TIMESTAMP, TSA, VERIFY},
    seal::DevIdentity,
    timestamp::TsaRoots,
    tlog::{Proof, note::SignerKey},
    verify::{CLOCK_TOLERANCE, Outcome, Question, Report, Trust, verify},
};
use tempfile::{TempDir, tempdir};

const CALLER: &str = "bag/data/tracks/caller-1.mkv";

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

#[test]
fn everything_is_proved_and_said() {
    let sample = Sample::full(2_000);
    let (temp, root) = on_disk(&sample);
    let tar = temp.path().join("package.tar");
    fs::write(&tar, sample.tar()).unwrap();
    for path in [&root, &tar] {
        let report = verify(path, &sample.trust()).unwrap();
        assert_eq!((report.outcome(), &report.failures[..], &report.open[..]), (Outcome::Proved, &[][..], &[][..]));
        let text = report.to_string();
        for said in [
            "VERIFIED\n",
            "WHO signed it:",
            "WHEN: the signature was there at",
            "in the LOG evidence.example/log",
            "A WITNESS saw",
            "The access log's 3 lines",
        ] {
            assert!(text.contains(said), "{said} in {text}");
        }
        let json = serde_json::to_value(&report).unwrap();
        assert_eq!((&json["log"]["index"], &json["log"]["size"]), (&5.into(), &7.into()));
    }
    // What nothing was given for stays open, one question at a time.
    let all = sample.trust();
    for (trust, open) in [
        (Trust { signers: None, ..all.clone() }, &[Question::Signer][..]),
        (Trust { timestamps: None, ..all.clone() }, &[Question::Time]),
        (Trust { witnesses: Vec::new(), ..all.clone() }, &[Question::Witness]),
        (Trust { log: None, ..all.clone() }, &[Question::Log, Question::Witness]),
    ] {
        let report = verify(&root, &trust).unwrap();
        assert_eq!((report.outcome(), &report.open[..]), (Outcome::InPart, open), "{report}");
    }
}

#[test]
fn a_flipped_bit_of_any_file_is_named_and_nothing_else_is_blamed() {
    let sample = Sample::full(1_000);
    let (_temp, root) = on_disk(&sample);
    let without_keys = Trust { signers: Some(sample.roots()), ..Trust::default() };
    for (path, bytes) in sample.files() {
        let file = File::options().write(true).open(root.join(&path)).unwrap();
        let step = match &*path {
            VERIFY | MANIFEST => 11,
            _ if path.ends_with(".mkv") || path.ends_with(".jpg") => 61,
            _ if path.starts_with("bag/") => 5,
            _ => 1,
        };
        for (at, byte) in bytes.iter().enumerate().step_by(step) {
            file.write_all_at(&[byte ^ (1 << (at % 8))], at as u64).unwrap();
            let trust = if at % 4 == 3 && !path.starts_with("access/") { &without_keys } else { &sample.trust() };
            let report = verify(&root, trust).unwrap();
            let place = format!("bit {} of byte {at} of {path}: {report}", at % 8);
            assert!(names(&report, &path) && report.proved.is_empty(), "{place}");
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
    assert_eq!(verify(&root, &sample.trust()).unwrap().outcome(), Outcome::Proved);
}

/// What is done to a package, with another one at hand, and what must be named.
type Harm = (&'static str, fn(&Path, &Sample, &Sample), &'static str);

fn put(root: &Path, path: &str, bytes: impl AsRef<[u8]>) {
    fs::write(root.join(path), bytes).unwrap();
}

fn take(root: &Path, from: &Sample, paths: &[&str]) {
    paths.iter().for_each(|path| put(root, path, from.file(path)));
}

fn lines(sample: &Sample) -> Vec<Vec<u8>> {
    sample.file(ACCESS_LOG).split_inclusive(|b| *b == b'\n').map(<[u8]>::to_vec).collect()
}

#[test]
fn proofs_of_another_package_are_refused() {
    let harms: &[Harm] = &[
        ("nothing", |_, _, _| {}, ""),
        ("another's timestamp", |p, _, o| take(p, o, &[TIMESTAMP]), TIMESTAMP),
        ("another's signature", |p, _, o| take(p, o, &[SEAL]), SEAL),
        ("another's signature and its timestamp", |p, _, o| take(p, o, &[SEAL, TIMESTAMP]), TAGMANIFEST),
        ("all of another's proofs", |p, _, o| take(p, o, &[SEAL, TIMESTAMP, LOG_ENTRY, LOG_PROOF]), TAGMANIFEST),
        ("another's place in the log", |p, _, o| take(p, o, &[LOG_ENTRY, LOG_PROOF]), LOG_ENTRY),
        ("another's entry", |p, _, o| take(p, o, &[LOG_ENTRY]), LOG_ENTRY),
        ("another's proof", |p, _, o| take(p, o, &[LOG_PROOF]), LOG_PROOF),
        ("another's manifest", |p, _, o| take(p, o, &[MANIFEST]), MANIFEST),
        (
            "another's bag but for the signature",
            |p, _, o| {
                o.files()
                    .iter()
                    .filter(|(path, _)| path.starts_with("bag/"))
                    .for_each(|(path, bytes)| put(p, path, bytes));
            },
            TAGMANIFEST,
        ),
        ("another session's recording", |p, _, o| put(p, CALLER, &o.media[0].1), CALLER),
        ("no timestamp", |p, _, _| fs::remove_file(p.join(TIMESTAMP)).unwrap(), TIMESTAMP),
        (
            "no timestamp and no sign of one",
            |p, _, _| [TIMESTAMP, TSA].iter().for_each(|path| fs::remove_file(p.join(path)).unwrap()),
            TIMESTAMP,
        ),
        ("no entry", |p, _, _| fs::remove_file(p.join(LOG_ENTRY)).unwrap(), LOG_ENTRY),
        ("no proof", |p, _, _| fs::remove_file(p.join(LOG_PROOF)).unwrap(), LOG_PROOF),
        (
            "nothing of the log",
            |p, _, _| [LOG_ENTRY, LOG_PROOF].iter().for_each(|path| fs::remove_file(p.join(path)).unwrap()),
            LOG_PROOF,
        ),
        (
            "a log of somebody else's under the same name",
            |p, s, _| {
                let forged = SignerKey::from_seed(ORIGIN, &[99; 32]).unwrap();
                put(p, LOG_PROOF, s.world.as_ref().unwrap().prove_with(&forged, &s.file(LOG_ENTRY), 5, 7));
            },
            LOG_PROOF,
        ),
        (
            "a log without its witness",
            |p, s, _| {
                let proof = Proof::parse(s.file(LOG_PROOF)).unwrap().to_text();
                put(
                    p,
                    LOG_PROOF,
                    proof.split_inclusive('\n').filter(|line| !line.contains("witness")).collect::<String>(),
                );
            },
            LOG_PROOF,
        ),
        ("another's certificate shown for the authority", |p, s, _| put(p, TSA, &s.identity.certificate_pem), TSA),
    ];
    let sample = Sample::full(2_000);
    let other = sample.other();
    for (what, harm, file) in harms {
        let (_temp, root) = on_disk(&sample);
        harm(&root, &sample, &other);
        fix_checksums(&root);
        let report = verify(&root, &sample.trust()).unwrap();
        match *file {
            "" => assert_eq!(report.failures, [], "{report}"),
            file => assert!(names(&report, file), "{what}: {report}"),
        }
        assert_eq!(report.proved.is_empty(), !file.is_empty(), "{what}: {report}");
    }
    // And the other one is good where it belongs.
    let (_temp, root) = on_disk(&other);
    for path in [ACCESS_LOG, ACCESS_ENTRY, ACCESS_PROOF] {
        fs::remove_file(root.join(path)).unwrap();
    }
    fs::remove_dir(root.join("access")).unwrap();
    assert_eq!(verify(&root, &sample.trust()).unwrap().outcome(), Outcome::Proved);
}

#[test]
fn an_altered_access_log_is_named() {
    let harms: &[Harm] = &[
        ("the last look dropped", |p, s, _| put(p, ACCESS_LOG, lines(s)[..2].concat()), ACCESS_LOG),
        ("the first look dropped", |p, s, _| put(p, ACCESS_LOG, lines(s)[1..].concat()), ACCESS_LOG),
        (
            "looks exchanged",
            |p, s, _| {
                let mut lines = lines(s);
                lines.swap(0, 1);
                put(p, ACCESS_LOG, lines.concat());
            },
            ACCESS_LOG,
        ),
        (
            "a look said twice",
            |p, s, _| {
                let lines = lines(s);
                put(p, ACCESS_LOG, [&lines[..], &lines[2..]].concat().concat());
            },
            ACCESS_LOG,
        ),
        (
            "a reason reworded, and all that follows chained again",
            |p, s, _| {
                let text = String::from_utf8(s.file(ACCESS_LOG)).unwrap();
                let last = text.lines().last().unwrap();
                put(p, ACCESS_LOG, text.replace(last, &last.replace("disclosure 2", "nothing much")));
            },
            ACCESS_LOG,
        ),
        ("no access log, its proof left", |p, _, _| fs::remove_file(p.join(ACCESS_LOG)).unwrap(), ACCESS_LOG),
        ("no proof for it", |p, _, _| fs::remove_file(p.join(ACCESS_PROOF)).unwrap(), ACCESS_PROOF),
        (
            "neither entry nor proof for it, as when its export couldn't wait",
            |p, _, _| [ACCESS_ENTRY, ACCESS_PROOF].iter().for_each(|path| fs::remove_file(p.join(path)).unwrap()),
            "",
        ),
        (
            "the seal's entry for it",
            |p, s, _| take_as(p, s, LOG_ENTRY, ACCESS_ENTRY, LOG_PROOF, ACCESS_PROOF),
            ACCESS_ENTRY,
        ),
        (
            "an older state, whole",
            |p, s, _| s.world.as_ref().unwrap().access(2).iter().for_each(|(path, bytes)| put(p, path, bytes)),
            "",
        ),
        ("a file more beside it", |p, _, _| put(p, "access/notes.txt", "x"), "access/notes.txt"),
    ];
    let sample = Sample::full(1_000);
    for (what, harm, file) in harms {
        let (_temp, root) = on_disk(&sample);
        harm(&root, &sample, &sample);
        let report = verify(&root, &sample.trust()).unwrap();
        match *file {
            "" => assert_eq!(report.failures, [], "{what}: {report}"),
            file => assert!(names(&report, file), "{what}: {report}"),
        }
    }
}

fn take_as(root: &Path, from: &Sample, entry: &str, as_entry: &str, proof: &str, as_proof: &str) {
    put(root, as_entry, from.file(entry));
    put(root, as_proof, from.file(proof));
}

#[test]
fn segments_dropped_repeated_or_reordered_are_named() {
    let sample = Sample::full(3_000);
    let caller = sample.media[0].1.clone();
    let piece = |i: usize| &caller[i * 1000..(i + 1) * 1000];
    for (what, order, segment) in [
        ("dropped", &[0, 2][..], "segment 1"),
        ("repeated", &[0, 1, 1, 2], "segment 2"),
        ("reordered", &[1, 0, 2], "segment 0"),
        ("repeated instead of another", &[0, 0, 2], "segment 1"),
    ] {
        let (_temp, root) = on_disk(&sample);
        put(&root, CALLER, order.iter().map(|i| piece(*i)).collect::<Vec<_>>().concat());
        let report = verify(&root, &sample.trust()).unwrap();
        assert!(names(&report, CALLER) && report.to_string().contains(segment), "{what}: {report}");
    }
}

#[test]
fn items_exchanged_are_named() {
    let sample = Sample::full(1_000);
    let (_temp, root) = on_disk(&sample);
    let [one, two] = [1, 2].map(|version| format!("bag/data/items/chat-transcript/chat/{version}.json"));
    put(&root, &one, &sample.items[2]);
    put(&root, &two, &sample.items[0]);
    let report = verify(&root, &sample.trust()).unwrap();
    assert!(names(&report, &one) && names(&report, &two), "{report}");
}

#[test]
fn times_that_can_not_be_are_refused() {
    let world = World::new();
    let at = world.now();
    let seal_at = |identity: &dyn Fn() -> DevIdentity, signed| {
        let honest = Sample::new(1_000);
        let mut sample = Sample::sealing_at(honest.held(), identity(), signed);
        sample.prove(World::new());
        sample
    };
    // Signed an hour after its own timestamp.
    let late = seal_at(&|| DevIdentity::make([42; 32], at).unwrap(), at + TimeDelta::hours(1));
    let (_temp, root) = on_disk(&late);
    let report = verify(&root, &late.trust()).unwrap();
    assert!(names(&report, SEAL) && report.to_string().contains("after that of its own timestamp"), "{report}");
    // Clocks that differ a little are honest.
    let near = seal_at(&|| DevIdentity::make([42; 32], at).unwrap(), at + CLOCK_TOLERANCE / 2);
    let (_temp, root) = on_disk(&near);
    assert_eq!(verify(&root, &near.trust()).unwrap().outcome(), Outcome::Proved);
    // A certificate that had expired by the time of the timestamp, whatever the signer says.
    let expired =
        seal_at(&|| DevIdentity::make([42; 32], at - TimeDelta::days(800)).unwrap(), at - TimeDelta::days(100));
    let (_temp, root) = on_disk(&expired);
    let report = verify(&root, &expired.trust()).unwrap();
    assert!(names(&report, SEAL) && report.to_string().contains("not valid at"), "{report}");
    let own_word = Trust { timestamps: None, ..expired.trust() };
    assert_eq!(verify(&root, &own_word).unwrap().failures, []);
}

#[test]
fn an_authority_that_nobody_vouches_for_proves_nothing() {
    let sample = Sample::full(1_000);
    let (_temp, root) = on_disk(&sample);
    let stranger = World::new();
    let timestamps = Some(TsaRoots::from_pem(stranger.authority.roots_pem()).unwrap());
    let report = verify(&root, &Trust { timestamps, ..sample.trust() }).unwrap();
    assert!(names(&report, TIMESTAMP) && report.to_string().contains("is not to be trusted"), "{report}");
}

#[test]
fn names_that_only_look_alike_are_strangers() {
    let sample = Sample::full(1_000);
    let bytes = &sample.media[0].1;
    for (what, name) in [
        ("a Cyrillic a", "bag/data/tracks/c\u{430}ller-1.mkv"),
        ("a zero-width space", "bag/data/tracks/caller-1\u{200b}.mkv"),
        ("a right-to-left override", "bag/data/tracks/\u{202e}vkm.1-rellac"),
        ("a full-width letter", "bag/data/tracks/caller-\u{ff11}.mkv"),
        ("another case", "bag/data/tracks/Caller-1.mkv"),
        ("a trailing space", "bag/data/tracks/caller-1.mkv "),
    ] {
        let (temp, root) = on_disk(&sample);
        let shown: String =
            name.chars().map(|c| if c.is_ascii() { c.to_string() } else { c.escape_unicode().to_string() }).collect();
        // Instead of the real one, and beside it; in a folder and in a tar.
        fs::rename(root.join(CALLER), root.join(name)).unwrap();
        let report = verify(&root, &sample.trust()).unwrap();
        assert!(names(&report, CALLER) && names(&report, &shown), "{what}: {report}");
        put(&root, CALLER, bytes);
        let report = verify(&root, &sample.trust()).unwrap();
        assert!(!names(&report, CALLER) && names(&report, &shown), "{what}: {report}");

        let good = sample.tar();
        let mut more = exhibit::tar::Writer::new(Vec::new(), sample.package.modified);
        more.file(name, bytes).unwrap();
        let tar = temp.path().join("package.tar");
        fs::write(&tar, [&good[..good.len() - 1024], &more.finish().unwrap()].concat()).unwrap();
        let report = verify(&tar, &sample.trust()).unwrap();
        assert!(names(&report, &shown), "{what}: {report}");
    }
}
