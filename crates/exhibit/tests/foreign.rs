//! A package against tools that are not ours: sha256sum, openssl, tar. They are required: a machine without them fails here.

use crate::sample;
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use crate::sample::{ORIGIN, Sample};
use exhibit::{
    seal::seal_sha256,
    tlog::note::SignerKey,
    verify::{Outcome, verify},
};
use tempfile::{TempDir, tempdir};

fn shell(folder: &Path, command: &str) -> Output {
    // What the commands make for themselves goes with the test, and is none of the package's.
    let mut bash = Command::new("bash");
    bash.env("TMPDIR", folder.parent().unwrap());
    bash.args(["-euo", "pipefail", "-c", command]).current_dir(folder).output().unwrap()
}

fn succeeds(folder: &Path, command: &str) -> String {
    let output = shell(folder, command);
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success(), "{command}\n{said}");
    said
}

/// A package on disk, and beside it what the reader brings, as the instructions have it.
fn on_disk(sample: &Sample) -> (TempDir, PathBuf) {
    let temp = tempdir().unwrap();
    let root = temp.path().join("package");
    sample.write_folder(&root);
    let beside = |name: &str, text: &str| fs::write(temp.path().join(name), text).unwrap();
    beside("roots.pem", &sample.identity.roots_pem);
    if let Some(world) = &sample.world {
        beside("tsa-roots.pem", world.authority.roots_pem());
        beside("log.vkey", &format!("{}\n", world.log.verifier()));
        beside("witness.vkey", &format!("{}\n", world.witness.cosignature_verifier()));
    }
    (temp, root)
}

fn package() -> (Sample, TempDir, PathBuf) {
    let sample = Sample::new(5_000);
    let (temp, root) = on_disk(&sample);
    (sample, temp, root)
}

/// What the instructions want pasted, in blocks.
fn blocks(sample: &Sample) -> Vec<String> {
    let text = String::from_utf8(sample.file("proof/VERIFY.txt")).unwrap();
    let mut blocks = vec![String::new()];
    for line in text.lines() {
        match (line.strip_prefix("    "), blocks.last_mut().unwrap()) {
            (Some(command), block) => *block += &format!("{command}\n"),
            (None, block) if !block.is_empty() => blocks.push(String::new()),
            (None, _) => {}
        }
    }
    blocks.retain(|block| !block.is_empty());
    blocks
}

#[test]
fn the_instructions_in_a_package_with_all_proofs_work_as_written() {
    let sample = Sample::full(5_000);
    let (temp, root) = on_disk(&sample);
    let blocks = blocks(&sample);
    let [files, added, cms, names, stamp, time, entry, inclusion, log, witness] = &blocks[..] else {
        panic!("{blocks:#?}")
    };
    assert_eq!(succeeds(&root, files).matches(": OK").count(), 12 + 8);
    let lists = succeeds(&root, added);
    let lists: Vec<_> = lists.lines().collect();
    assert_eq!(lists[..lists.len() / 2], lists[lists.len() / 2..]);
    assert!(succeeds(&root, cms).contains("CAdES Verification successful"));
    // And without -cades.
    assert!(succeeds(&root, &cms.replace("-cades ", "")).contains("CMS Verification successful"));
    assert!(succeeds(&root, names).contains("Alcove development signer - not for evidence"));
    assert!(succeeds(&root, stamp).contains("Verification: OK"));
    assert!(succeeds(&root, time).contains("Time stamp: "));
    assert_eq!(succeeds(&root, entry), "entry OK\n");
    assert_eq!(succeeds(&root, inclusion), "inclusion OK: evidence.example/log, 7 entries\n");
    assert!(succeeds(&root, log).contains("Signature Verified Successfully"));
    let said = succeeds(&root, &format!("{log}\n{witness}"));
    assert_eq!(said.matches("Signature Verified Successfully").count(), 2);
    assert!(said.contains("2027"), "{said}");

    // All of that left the package as it was.
    assert_eq!(verify(&root, &sample.trust()).unwrap().outcome(), Outcome::Proved);
    drop(temp);
}

#[test]
fn the_instructions_in_what_is_left_after_disposal_work_as_written() {
    let sample = Sample::disposed(5_000);
    let (_temp, root) = on_disk(&sample);
    let blocks = blocks(&sample);
    let (seal, tombstone) = blocks.split_at(10);
    let [files, added, cms, ..] = seal else { panic!("{seal:#?}") };
    assert_eq!(succeeds(&root, files).matches(": OK").count(), 7 + 13);
    let lists = succeeds(&root, added);
    let lists: Vec<_> = lists.lines().collect();
    assert_eq!(lists[..lists.len() / 2], lists[lists.len() / 2..]);
    assert_eq!(lists.len(), 2 * 7);
    assert!(succeeds(&root, cms).contains("CAdES Verification successful"));
    assert_eq!(succeeds(&root, &seal[3..].join("\n")).matches("Signature Verified Successfully").count(), 2);

    let [names_this, cms, names, stamp, time, entry, inclusion, log, witness] = tombstone else {
        panic!("{tombstone:#?}")
    };
    let said = succeeds(&root, names_this);
    assert!(said.starts_with("tombstone OK\n") && said.contains("\"who\":\"Supt 9\""), "{said}");
    assert!(cms.contains("-content proof/tombstone.json") && cms.contains("-attime"), "{cms}");
    assert!(succeeds(&root, cms).contains("CAdES Verification successful"));
    assert!(succeeds(&root, names).contains("Alcove development signer - not for evidence"));
    assert!(stamp.contains("-data proof/tombstone.p7s") && stamp.contains("-attime"), "{stamp}");
    assert!(succeeds(&root, stamp).contains("Verification: OK"));
    assert!(succeeds(&root, time).contains("Time stamp: "));
    assert_eq!(succeeds(&root, entry), "entry OK\n");
    assert_eq!(succeeds(&root, inclusion), "inclusion OK: evidence.example/log, 11 entries\n");
    let said = succeeds(&root, &format!("{log}\n{witness}"));
    assert_eq!(said.matches("Signature Verified Successfully").count(), 2);

    // All of that left the package as it was.
    assert_eq!(verify(&root, &sample.trust()).unwrap().outcome(), Outcome::Proved);
    // An altered tombstone is refused by the same commands.
    let file = root.join("proof/tombstone.json");
    fs::write(&file, fs::read_to_string(&file).unwrap().replace("Supt 9", "Supt 8")).unwrap();
    assert!(!shell(&root, cms).status.success());
}

#[test]
fn the_shells_inclusion_proof_agrees_with_ours() {
    let sample = Sample::full(1_000);
    let (_temp, root) = on_disk(&sample);
    let inclusion = blocks(&sample).into_iter().find(|block| block.starts_with("inclusion()")).unwrap();
    let (world, entry) = (sample.world.as_ref().unwrap(), sample.file("proof/log-entry.txt"));
    let file = root.join("proof/seal.tlog-proof");
    for size in 1..=9 {
        for index in 0..size {
            let proof = world.prove(&entry, index, size);
            fs::write(&file, &proof).unwrap();
            assert!(succeeds(&root, &inclusion).contains("inclusion OK"), "{index} of {size}");
            // Another index, another size, another entry: no.
            let text = String::from_utf8(proof).unwrap();
            let other = text.replace(&format!("index {index}\n"), &format!("index {}\n", (index + 1) % size));
            let outside = text.replace(&format!("index {index}\n"), &format!("index {size}\n"));
            for wrong in [Some(outside), Some(other).filter(|_| size > 1)].into_iter().flatten() {
                fs::write(&file, wrong).unwrap();
                assert!(!shell(&root, &inclusion).status.success(), "{index} of {size}");
            }
        }
    }
    // What we don't read as a proof, the shell doesn't either.
    let text = String::from_utf8(world.prove(&entry, 5, 13)).unwrap();
    let path = text.lines().nth(2).unwrap();
    let flipped = if path.starts_with('A') { "B" } else { "A" };
    for wrong in [
        text.replace(path, &format!("{flipped}{}", &path[1..])),
        text.replacen(&format!("{path}\n"), "", 1),
        text.replacen(path, &format!("{path}\n{path}"), 1),
        text.replace("\n13\n", "\n30\n"),
        text.replace("index 5", "index 05"),
        text.replace("index 5", "index a[$(touch ../owned)]"),
        text.replace("\n13\n", "\na[$(touch ../owned)]\n"),
        text.replace(path, "*"),
        text.replace("@v1", "@v2"),
        String::new(),
    ] {
        fs::write(&file, &wrong).unwrap();
        assert!(!shell(&root, &inclusion).status.success(), "{wrong}");
    }
    fs::write(&file, &text).unwrap();
    fs::write(root.join("proof/log-entry.txt"), [&entry[..], b"x"].concat()).unwrap();
    assert!(!shell(&root, &inclusion).status.success(), "another entry");
    fs::write(root.join("proof/log-entry.txt"), &entry).unwrap();
    // What a package says never runs.
    let hostile = b"c2sp.org/tlog-proof@v1\nindex a[$(touch ../owned)]\n\nx\nb[$(touch ../owned)]\nAAAA\n\n";
    fs::write(&file, hostile).unwrap();
    assert!(!shell(&root, &inclusion).status.success());
    assert!(!root.join("../owned").exists());
}

#[test]
fn the_shell_believes_no_other_signature_of_the_log_or_its_witness() {
    let sample = Sample::full(1_000);
    let (temp, root) = on_disk(&sample);
    let (world, entry) = (sample.world.as_ref().unwrap(), sample.file("proof/log-entry.txt"));
    let blocks = blocks(&sample);
    let [.., log, witness] = &blocks[..] else { panic!("{blocks:#?}") };
    // Whatever the log's step says: each is to be refused by its own.
    let witness = format!("{{\n{log}\n}} || true\n{witness}");
    let (file, key) = (root.join("proof/seal.tlog-proof"), temp.path().join("log.vkey"));
    let honest = String::from_utf8(world.prove(&entry, 5, 13)).unwrap();
    fs::write(&file, &honest).unwrap();
    succeeds(&root, log);
    succeeds(&root, &witness);
    // A checkpoint that nobody signed, under signatures of another.
    fs::write(&file, honest.replace("\n13\n", "\n14\n")).unwrap();
    assert!(!shell(&root, log).status.success());
    assert!(!shell(&root, &witness).status.success());
    // Another key by the log's name: in the place of its signature, and in the place of its key.
    let thief = SignerKey::from_seed(ORIGIN, &[9; 32]).unwrap();
    fs::write(&file, world.prove_with(&thief, &entry, 5, 13)).unwrap();
    assert!(!shell(&root, log).status.success());
    fs::write(&file, &honest).unwrap();
    fs::write(&key, format!("{}\n", thief.verifier())).unwrap();
    assert!(!shell(&root, log).status.success());
    // A witness's key for notes is none for cosignatures.
    fs::write(&key, format!("{}\n", world.log.verifier())).unwrap();
    fs::write(temp.path().join("witness.vkey"), format!("{}\n", world.witness.verifier())).unwrap();
    assert!(!shell(&root, &witness).status.success());
}

#[test]
fn the_instructions_in_a_package_that_is_only_signed_say_what_is_not_there() {
    let (sample, _temp, root) = package();
    let blocks = blocks(&sample);
    let [files, added, cms, names] = &blocks[..] else { panic!("{blocks:#?}") };
    assert_eq!(succeeds(&root, files).matches(": OK").count(), 12 + 4);
    succeeds(&root, added);
    assert!(succeeds(&root, cms).contains("CAdES Verification successful"));
    succeeds(&root, names);
    let text = String::from_utf8(sample.file("proof/VERIFY.txt")).unwrap();
    assert!(text.contains("no timestamp in this package") && text.contains("no proof of that in this package"));
}

#[test]
fn openssl_refuses_what_we_refuse() {
    let (sample, temp, root) = package();
    let cms = blocks(&sample).into_iter().find(|c| c.starts_with("openssl cms")).unwrap();
    let list = root.join("bag/tagmanifest-sha256.txt");
    let honest = fs::read(&list).unwrap();
    let mut altered = honest.clone();
    altered[3] ^= 1;
    fs::write(&list, altered).unwrap();
    assert!(!shell(&root, &cms).status.success());
    fs::write(&list, honest).unwrap();
    let stranger = exhibit::seal::DevIdentity::make([1; 32], sample::now()).unwrap();
    fs::write(temp.path().join("roots.pem"), stranger.roots_pem).unwrap();
    assert!(!shell(&root, &cms).status.success());
}

#[test]
fn the_bagit_library_accepts_the_bag_and_refuses_what_was_added() {
    let (_sample, _temp, root) = package();
    let python = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/tools/venv/bin/python");
    let validate = |root: &Path| {
        let script = "import bagit, sys; bagit.Bag('bag').validate()";
        Command::new(&python).args(["-c", script]).current_dir(root).output().unwrap()
    };
    let honest = validate(&root);
    assert!(honest.status.success(), "{}", String::from_utf8_lossy(&honest.stderr));
    fs::write(root.join("bag/data/extra"), "x").unwrap();
    assert!(!validate(&root).status.success());
}

#[test]
fn openssl_agrees_on_what_the_seal_says() {
    let (sample, _temp, root) = package();
    let text = succeeds(&root, "openssl cms -cmsout -print -noout -inform DER -in proof/seal.p7s");
    for attribute in ["contentType", "messageDigest", "signingTime", "signingCertificateV2", "Nov 24 18:51:00 2026 GMT"]
    {
        assert!(text.contains(attribute), "{attribute} in {text}");
    }
    let digest = succeeds(&root, "sha256sum proof/seal.p7s");
    assert!(digest.starts_with(&seal_sha256(&sample.file("proof/seal.p7s")).to_string()));
    // The certificate can be read in spite of the comment before it.
    assert!(succeeds(&root, "openssl x509 -in proof/signer.pem -noout -subject").contains("development signer"));
}

#[test]
fn other_tars_unpack_it_and_it_verifies_unpacked() {
    let (sample, temp) = (Sample::new(5_000), tempdir().unwrap());
    let bytes = sample.tar();
    assert_eq!(bytes, sample.tar());
    fs::write(temp.path().join("p.tar"), &bytes).unwrap();
    fs::create_dir_all(temp.path().join("gnu")).unwrap();
    assert_eq!(succeeds(temp.path(), "tar -xf p.tar -C gnu"), "");
    tar::Archive::new(&bytes[..]).unpack(temp.path().join("crate")).unwrap();
    for name in ["gnu", "crate"] {
        let report = verify(&temp.path().join(name), &sample.trust()).unwrap();
        assert_eq!(report.outcome(), Outcome::InPart, "{report}");
    }
}
