//! The verifier that is handed to anybody (`make alcove-verify`): one static file, small, that needs no network. Built for
//! release with flags of its own, so it isn't there for every `cargo test`: `make test` builds it and then runs this.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::sample::Sample;
use tempfile::tempdir;

/// What docs/exhibit-format.md promises.
const BYTES_AT_MOST: u64 = 4_000_000;

fn verifier() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/alcove-verify").canonicalize().expect("make alcove-verify")
}

#[test]
#[ignore = "needs `make alcove-verify`; `make test` runs it"]
fn it_is_one_small_static_file() {
    let verifier = verifier();
    let bytes = fs::metadata(&verifier).unwrap().len();
    assert!(bytes < BYTES_AT_MOST, "{bytes} bytes");
    let read =
        Command::new("readelf").args(["--wide", "--program-headers", "--dynamic"]).arg(&verifier).output().unwrap();
    let elf = String::from_utf8(read.stdout).unwrap();
    assert!(read.status.success() && elf.contains("LOAD"), "{elf}");
    assert!(!elf.contains("INTERP") && !elf.contains("(NEEDED)"), "it wants a loader or a library: {elf}");
}

#[test]
#[ignore = "needs `make alcove-verify`; `make test` runs it"]
fn it_proves_a_package_with_no_network_there() {
    let (sample, temp) = (Sample::full(3_000), tempdir().unwrap());
    let world = sample.world.as_ref().unwrap();
    let write = |name: &str, bytes: &[u8]| fs::write(temp.path().join(name), bytes).unwrap();
    write("package.tar", &sample.tar());
    write("roots.pem", sample.identity.roots_pem.as_bytes());
    write("tsa-roots.pem", world.authority.roots_pem().as_bytes());
    let (log, witness) = (world.log.verifier().to_string(), world.witness.cosignature_verifier().to_string());
    let trust = ["--roots", "roots.pem", "--tsa-roots", "tsa-roots.pem", "--log-key", &log, "--witness-key", &witness];
    let run = |wrapper: &[&str]| {
        let mut command = Command::new(wrapper.first().map_or(verifier(), PathBuf::from));
        if let [_, rest @ ..] = wrapper {
            command.args(rest).arg(verifier());
        }
        let done = command.arg("package.tar").args(trust).env_clear().current_dir(temp.path()).output().unwrap();
        (done.status.code(), String::from_utf8([done.stdout, done.stderr].concat()).unwrap())
    };
    let (code, out) = run(&[]);
    assert_eq!(code, Some(0), "{out}");
    assert!(out.starts_with("VERIFIED\n"), "{out}");

    // A namespace of its own, in which even the loopback interface is down.
    let alone = ["unshare", "--net", "--map-root-user"];
    let permitted = Command::new(alone[0]).args(&alone[1..]).arg("true").output().unwrap().status.success();
    if permitted {
        assert_eq!(run(&alone), (Some(0), out));
    } else {
        eprintln!("left out: the verifier without a network, which needs permission for `unshare --net`");
    }
}
