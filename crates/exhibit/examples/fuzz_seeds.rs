//! Writes what each fuzz target of `tests/fuzz` starts from: `fuzz_seeds FOLDER`. Good input, so that the fuzzer starts behind the first check.

#![allow(clippy::expect_used, reason = "a tool for developers fails by panicking")]

use std::{fs, path::Path};

use chrono::DateTime;
use exhibit::{
    Digest, Manifest,
    disclosure::{self, Disclosure},
    tlog::{
        AddCheckpoint, Checkpoint, Entry, Frontier, Proof, leaf_hash,
        note::SignerKey,
        tile::{encode_bundle, encode_hashes, entries_path, path},
    },
    tombstone::{self, Review, Tombstone},
};

#[allow(clippy::unwrap_used, clippy::expect_used, dead_code, reason = "tests' own; seeds need only a part of it")]
#[path = "../tests/sample/mod.rs"]
mod sample;

fn main() {
    let folder = std::env::args().nth(1).expect("a folder");
    let write = |target: &str, name: &str, bytes: &[u8]| {
        let folder = Path::new(&folder).join(target);
        fs::create_dir_all(&folder).expect("a folder for seeds");
        fs::write(folder.join(name), bytes).expect("a seed");
    };
    let sample = sample::Sample::new(2_000);
    write("manifest", "manifest.json", &sample.file(exhibit::bag::MANIFEST));
    write("manifest", "segments.jsonl", &sample::list_file(&sample.lists[&sample.manifest.tracks[0].name]));
    write("manifest", "tombstone.json", &tombstone(&sample.manifest).to_bytes().expect("two reviews"));
    write("manifest", "disclosure.json", &disclosure(&sample.manifest).to_bytes().expect("text"));
    write("package", "package.tar", &sample.tar());
    write("seal", "seal.p7s", &sample.file(exhibit::package::SEAL));
    write("seal", "signer.der", sample.signer.certificate().der());
    write("seal", "roots.pem", sample.identity.roots_pem.as_bytes());
    // Made once with `openssl ts -reply`.
    write("timestamp", "openssl.tsr", include_bytes!("../../../tests/fuzz/openssl.tsr"));

    let (log, witness) = (key("fuzz.example/log"), key("fuzz.example/witness"));
    let entry = Entry::Access { exhibit: sample.manifest.exhibit, n: 7, head: Digest::of(b"line") };
    let mut tree = Frontier::new();
    let leaf = leaf_hash(&entry.to_bytes());
    tree.push(leaf);
    tree.push(leaf);
    let checkpoint = Checkpoint { origin: "fuzz.example/log".to_owned(), size: tree.size(), root: tree.root() };
    let mut note = checkpoint.sign(&log).expect("a note");
    note.add(witness.cosign(&checkpoint.to_text(), 1_800_000_000)).expect("a cosignature");
    write("note", "checkpoint.note", note.to_text().as_bytes());
    write("note", "checkpoint.txt", checkpoint.to_text().as_bytes());
    write("note", "entry.txt", &entry.to_bytes());
    let asked = AddCheckpoint { old: 1, path: vec![leaf], note: note.clone() };
    write("note", "add-checkpoint.txt", asked.to_text().as_bytes());
    let proof = Proof { index: 1, path: vec![leaf], checkpoint: note, extra: Vec::new() };
    write("note", "proof.txt", proof.to_text().as_bytes());
    write("tile", "bundle", &encode_bundle(&[entry.to_bytes(), Vec::new()]).expect("a bundle"));
    write("tile", "hashes", &encode_hashes(&[leaf, leaf]));
    write("tile", "path", path(1, 1_234_067, 256).as_bytes());
    write("tile", "entries-path", entries_path(1_234_067, 17).as_bytes());
}

fn key(name: &str) -> SignerKey {
    SignerKey::from_seed(name, &[7; 32]).expect("a good name")
}

fn tombstone(manifest: &Manifest) -> Tombstone {
    let at = DateTime::UNIX_EPOCH;
    let review = |who: &str| Review { who: who.to_owned(), reason: "term over".to_owned(), at };
    Tombstone {
        format: tombstone::Format::V1,
        exhibit: manifest.exhibit,
        reference: "ALC/7F3K9Q2M/1".to_owned(),
        seal_sha256: Digest::of(b"seal"),
        log_index: Some(5),
        class: "default".to_owned(),
        reviews: vec![review("Insp 7"), review("Supt 9")],
        who: "records 12".to_owned(),
        reason: "reviewed by two".to_owned(),
        disposed_at: at,
    }
}

fn disclosure(manifest: &Manifest) -> Disclosure {
    Disclosure {
        format: disclosure::Format::V1,
        exhibit: manifest.exhibit,
        reference: "ALC/7F3K9Q2M/1".to_owned(),
        seal_sha256: Digest::of(b"seal"),
        made_at: DateTime::UNIX_EPOCH,
        who: "records 12".to_owned(),
        reason: "for the defence".to_owned(),
        disclosed: vec!["tracks/caller-1.mkv".to_owned()],
        withheld: vec!["tracks/officer-1.mkv".to_owned()],
        software: "fuzz".to_owned(),
    }
}
