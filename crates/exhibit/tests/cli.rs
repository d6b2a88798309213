//! `alcove-verify` from outside: its words, its JSON and its exit status.

use crate::sample;
use std::{
    fs,
    process::{Command, Output},
};

use crate::sample::Sample;
use tempfile::tempdir;

fn run(arguments: &[&str], folder: &std::path::Path) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } =
        Command::new(env!("CARGO_BIN_EXE_alcove-verify")).args(arguments).current_dir(folder).output().unwrap();
    (status.code(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

#[test]
fn it_says_what_it_found_and_exits_accordingly() {
    let (sample, temp) = (Sample::new(3_000), tempdir().unwrap());
    sample.write_folder(&temp.path().join("package"));
    fs::write(temp.path().join("package.tar"), sample.tar()).unwrap();

    for package in ["package", "package.tar"] {
        let (code, out, err) = run(&[package, "--roots", "package.roots.pem"], temp.path());
        assert_eq!((code, &*err), (Some(1), ""), "{out}");
        assert!(
            out.starts_with("INTACT, BUT NOT PROVED: when, that it is in the log, that a witness saw the log\n"),
            "{out}"
        );
    }
    let (code, out, _) = run(&["package", "--partial"], temp.path());
    assert_eq!(code, Some(0));
    assert!(out.starts_with("INTACT, BUT NOT PROVED: who signed it, when"), "{out}");

    fs::write(temp.path().join("package/bag/data/tracks/caller-1.mkv"), b"x").unwrap();
    let (code, out, _) = run(&["package", "--roots", "package.roots.pem", "--json"], temp.path());
    let report: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &report["outcome"]), (Some(1), &"failed".into()));
    assert_eq!(report["failures"][0]["file"], "bag/data/tracks/caller-1.mkv");
    assert_eq!(report["proved"], serde_json::json!([]));
}

#[test]
fn what_it_can_not_check_is_two() {
    let (sample, temp) = (Sample::new(3_000), tempdir().unwrap());
    sample.write_folder(&temp.path().join("package"));
    fs::write(temp.path().join("empty.pem"), "").unwrap();
    for arguments in [
        &["absent"][..],
        &["."],
        &["package", "--roots", "absent.pem"],
        &["package", "--roots", "empty.pem"],
        &["package", "--tsa-roots", "empty.pem"],
        &["package", "--log-key", "evidence.example/log+00000000+AAAA"],
        &["package", "--witness-key", "witness.example+00000000+BAAA"],
        &["package", "--parent", "absent"],
        &["package", "--unknown"],
        &[],
    ] {
        let (code, out, err) = run(arguments, temp.path());
        assert_eq!((code, &*out), (Some(2), ""), "{arguments:?}");
        assert!(!err.is_empty(), "{arguments:?}");
    }
}

#[test]
fn with_roots_and_keys_for_everything_it_exits_with_zero() {
    let (sample, temp) = (Sample::full(1_000), tempdir().unwrap());
    sample.write_folder(&temp.path().join("package"));
    let world = sample.world.as_ref().unwrap();
    fs::write(temp.path().join("tsa.pem"), world.authority.roots_pem()).unwrap();
    let (log, witness) = (world.log.verifier().to_string(), world.witness.cosignature_verifier().to_string());
    let all = [
        "package",
        "--roots",
        "package.roots.pem",
        "--tsa-roots",
        "tsa.pem",
        "--log-key",
        &log,
        "--witness-key",
        &witness,
    ];
    let (code, out, err) = run(&all, temp.path());
    assert_eq!((code, &*err), (Some(0), ""), "{out}");
    assert!(out.starts_with("VERIFIED\n"), "{out}");
    let (code, out, _) = run(&[&all[..], &["--json"]].concat(), temp.path());
    let report: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &report["outcome"], &report["open"]), (Some(0), &"proved".into(), &serde_json::json!([])));
    assert_eq!(report["log"]["origin"], sample::ORIGIN);
    // Human and JSON say the same.
    let (_, human, _) = run(&all, temp.path());
    for line in report["proved"].as_array().unwrap().iter().chain(report["not_proved"].as_array().unwrap()) {
        assert!(human.contains(line.as_str().unwrap()), "{line} in {human}");
    }
    // One thing less: not proved, unless that is accepted.
    let less = &all[..all.len() - 2];
    assert_eq!(run(less, temp.path()).0, Some(1));
    assert_eq!(run(&[less, &["--partial"]].concat(), temp.path()).0, Some(0));
    // A wrong key is not a missing one.
    let other = world.witness.verifier().to_string();
    let wrong = ["package", "--roots", "package.roots.pem", "--log-key", &other, "--partial"];
    let (code, out, _) = run(&wrong, temp.path());
    assert_eq!(code, Some(1));
    assert!(out.contains("proof/seal.tlog-proof: "), "{out}");
}
