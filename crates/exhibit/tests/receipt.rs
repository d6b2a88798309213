//! `alcove-verify receipt` from outside: what was acknowledged and is there, and what was acknowledged and is not.

use crate::sample;
use std::{fs, path::Path, process::Command};

use crate::sample::Sample;
use exhibit::{
    Digest,
    receipt::{Leaf, Receipt, ReceiptKey},
};
use tempfile::tempdir;

fn run(arguments: &[&str], folder: &Path) -> (Option<i32>, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_alcove-verify"))
        .arg("receipt")
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap();
    (output.status.code(), String::from_utf8(output.stdout).unwrap())
}

/// One commit's receipts for these leaves, as a sender keeps them.
fn kept(key: &ReceiptKey, leaves: &[Leaf]) -> String {
    let proofs = key.sign(sample::now(), leaves).unwrap();
    let receipts =
        leaves.iter().zip(proofs).map(|(leaf, proof)| Receipt { leaf: leaf.clone(), proof }.to_text() + "\n");
    receipts.collect()
}

#[test]
fn what_was_acknowledged_is_looked_for_in_the_package() {
    let (sample, temp) = (Sample::new(3_000), tempdir().unwrap());
    sample.write_folder(&temp.path().join("package"));
    fs::write(temp.path().join("package.tar"), sample.tar()).unwrap();
    let key = ReceiptKey::from_pem(&ReceiptKey::pem_of_seed([3; 32])).unwrap();
    let public = key.public().to_string();
    let track = &sample.manifest.tracks[0].name;
    let list = &sample.lists[track];
    let held = |seq: usize| Leaf {
        exhibit: sample::exhibit(),
        track: track.clone(),
        seq: seq as u64,
        sha256: list[seq].sha256,
        chain: list[seq].chain,
    };
    let write = |name: &str, leaves: &[Leaf]| fs::write(temp.path().join(name), kept(&key, leaves)).unwrap();
    write("held", &[held(0), held(1), held(2)]);
    write("lost", &[held(0), Leaf { seq: 3, ..held(0) }]);
    write("anew", &[Leaf { chain: Digest::of(b"other"), ..held(1) }]);
    write("replaced", &[Leaf { sha256: Digest::of(b"other"), ..held(1) }]);
    let item = |seq: usize| {
        let held = &sample.manifest.items[seq];
        let (exhibit, track) = (sample::exhibit(), ids::TrackName::items());
        Leaf { exhibit, track, seq: seq as u64, sha256: held.sha256, chain: held.chain }
    };
    write("items", &[item(0), item(1), item(2)]);
    write("item-lost", &[item(0), Leaf { seq: 3, ..item(2) }]);
    write("item-replaced", &[Leaf { sha256: Digest::of(b"other"), ..item(1) }]);
    for package in ["package", "package.tar"] {
        let (code, out) = run(&["items", "--receipt-key", &public, "--package", package], temp.path());
        assert_eq!((code, out.matches("the package has it").count()), (Some(0), 3), "{out}");
        assert!(out.contains(&format!("item 2 of exhibit {}", sample::exhibit())), "{out}");
        let (code, out) = run(&["item-lost", "--receipt-key", &public, "--package", package], temp.path());
        assert!(code == Some(1) && out.contains("item 3 of") && out.contains("NOT in the package"), "{out}");
        let (code, out) = run(&["item-replaced", "--receipt-key", &public, "--package", package], temp.path());
        assert!(code == Some(1) && out.contains("OTHER bytes"), "{out}");
        let (code, out) = run(&["held", "--receipt-key", &public, "--package", package], temp.path());
        assert_eq!((code, out.matches("the package has it").count()), (Some(0), 3), "{out}");
        let (code, out) = run(&["lost", "--receipt-key", &public, "--package", package], temp.path());
        assert_eq!(code, Some(1));
        assert!(out.contains("segment 3 of caller-1") && out.contains("NOT in the package"), "{out}");
        let (code, out) = run(&["anew", "--receipt-key", &public, "--package", package], temp.path());
        assert_eq!(code, Some(0));
        assert!(out.contains("stored anew since"), "{out}");
        let (code, out) = run(&["replaced", "--receipt-key", &public, "--package", package], temp.path());
        assert_eq!(code, Some(1));
        assert!(out.contains("OTHER bytes"), "{out}");
    }
    // Without a package the acknowledgement alone is proved, and its time.
    let (code, out) = run(&["lost", "--receipt-key", &public], temp.path());
    assert_eq!(
        (code, out.matches("acknowledged at 2026-11-24T18:39:00.123456Z: proved").count()),
        (Some(0), 2),
        "{out}"
    );

    let other = ReceiptKey::from_pem(&ReceiptKey::pem_of_seed([4; 32])).unwrap().public().to_string();
    assert_eq!(run(&["held", "--receipt-key", &other], temp.path()).0, Some(1));
    fs::write(temp.path().join("empty"), "").unwrap();
    assert_eq!(run(&["empty", "--receipt-key", &public], temp.path()).0, Some(1));
    for unusable in [&["absent", "--receipt-key", &public][..], &["held"], &["held", "--receipt-key", "abc"]] {
        assert_eq!(run(unusable, temp.path()).0, Some(2), "{unusable:?}");
    }
}
