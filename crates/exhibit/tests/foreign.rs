//! A package against tools that are not ours: sha256sum, openssl, tar. They are required: a machine without them fails here.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod sample;

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use exhibit::{
    seal::seal_sha256,
    verify::{Outcome, verify},
};
use sample::Sample;
use tempfile::{TempDir, tempdir};

fn shell(folder: &Path, command: &str) -> Output {
    Command::new("bash").args(["-euo", "pipefail", "-c", command]).current_dir(folder).output().unwrap()
}

fn succeeds(folder: &Path, command: &str) -> String {
    let output = shell(folder, command);
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success(), "{command}\n{said}");
    said
}

/// A package on disk, with the roots beside it as the instructions have it.
fn package() -> (Sample, TempDir, PathBuf) {
    let (sample, temp) = (Sample::new(5_000), tempdir().unwrap());
    let root = temp.path().join("package");
    sample.write_folder(&root);
    fs::rename(root.with_extension("roots.pem"), root.join("roots.pem")).unwrap();
    (sample, temp, root)
}

fn commands(sample: &Sample) -> Vec<String> {
    let text = String::from_utf8(sample.file("proof/HOW-TO-VERIFY.txt")).unwrap();
    let is_command = |line: &&str| ["(cd ", "sha256sum ", "openssl "].iter().any(|start| line.starts_with(start));
    text.lines().filter(is_command).map(str::to_owned).collect()
}

#[test]
fn the_instructions_in_the_package_work_as_written() {
    let (sample, _temp, root) = package();
    let commands = commands(&sample);
    let [bag, proof, cms, names, found, listed] = &commands[..] else { panic!("{commands:#?}") };
    assert_eq!(succeeds(&root, bag).matches(": OK").count(), 7);
    assert_eq!(succeeds(&root, proof).matches(": OK").count(), 4);
    assert!(succeeds(&root, cms).contains("CAdES Verification successful"));
    assert!(succeeds(&root, names).contains("Alcove development signer - not for evidence"));
    assert_eq!(succeeds(&root, found), succeeds(&root, listed));
    // And without -cades.
    assert!(succeeds(&root, &cms.replace("-cades ", "")).contains("CMS Verification successful"));
}

#[test]
fn openssl_refuses_what_we_refuse() {
    let (sample, _temp, root) = package();
    let cms = commands(&sample).into_iter().find(|c| c.starts_with("openssl cms")).unwrap();
    let list = root.join("bag/tagmanifest-sha256.txt");
    let honest = fs::read(&list).unwrap();
    let mut altered = honest.clone();
    altered[3] ^= 1;
    fs::write(&list, altered).unwrap();
    assert!(!shell(&root, &cms).status.success());
    fs::write(&list, honest).unwrap();
    let stranger = exhibit::seal::DevIdentity::make([1; 32], sample::now()).unwrap();
    fs::write(root.join("roots.pem"), stranger.roots_pem).unwrap();
    assert!(!shell(&root, &cms).status.success());
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
    assert_eq!(bytes.len() as u64, sample.package.tar_bytes());
    assert_eq!(bytes, sample.tar());
    fs::write(temp.path().join("p.tar"), &bytes).unwrap();
    fs::create_dir_all(temp.path().join("gnu")).unwrap();
    assert_eq!(succeeds(temp.path(), "tar -xf p.tar -C gnu"), "");
    tar::Archive::new(&bytes[..]).unpack(temp.path().join("crate")).unwrap();
    for name in ["gnu", "crate"] {
        let report = verify(&temp.path().join(name), Some(&sample.roots())).unwrap();
        assert_eq!(report.outcome(), Outcome::Proved, "{report}");
    }
}
