//! `alcove-verify` from outside: its words, its JSON and its exit status.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod sample;

use std::{
    fs,
    process::{Command, Output},
};

use sample::Sample;
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
        assert_eq!((code, &*err), (Some(0), ""), "{out}");
        assert!(out.starts_with("VERIFIED\n"), "{out}");
    }
    let (code, out, _) = run(&["package"], temp.path());
    assert_eq!(code, Some(0));
    assert!(out.starts_with("INTACT, BUT WHO SIGNED IT WAS NOT ESTABLISHED"), "{out}");

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
        &["package", "--unknown"],
        &[],
    ] {
        let (code, out, err) = run(arguments, temp.path());
        assert_eq!((code, &*out), (Some(2), ""), "{arguments:?}");
        assert!(!err.is_empty(), "{arguments:?}");
    }
}
