//! deploy/k8s/ceremony is shell and OpenSSL, so that two people can read it. What it hands out is what our own code makes of its secrets.

use std::{fs, process::Command};

use exhibit::{receipt::ReceiptKey, tlog::note::SignerKey};

use super::root;

#[test]
fn what_a_ceremony_hands_out_belongs_to_what_it_keeps() {
    let folder = tempfile::tempdir().unwrap();
    let made = folder.path().join("made");
    let origin = "evidence.force.example/log";
    let ceremony = || {
        let mut command = Command::new(root().join("deploy/k8s/ceremony"));
        command.arg(&made).args([origin, "--own-ca"]).output().unwrap()
    };
    let output = ceremony();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let read = |file: &str| fs::read_to_string(made.join(file)).unwrap();

    let log = SignerKey::from_text(origin, &read("secret/log.key")).unwrap();
    assert_eq!(read("public/log.vkey").trim(), log.verifier().to_string());
    let receipts = ReceiptKey::from_pem(&read("secret/receipts.key.pem")).unwrap();
    assert_eq!(read("public/receipt-key.hex").trim(), receipts.public().to_string());
    let kek = hex::decode(read("secret/kek.hex").trim()).unwrap();
    assert_eq!(kek.len(), 32);
    let verified = Command::new("openssl")
        .args(["verify", "-CAfile"])
        .args([made.join("public/roots.pem"), made.join("secret/signing.cert.pem")])
        .output()
        .unwrap();
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stderr));

    let witness = folder.path().join("witness");
    let name = "witness.example/desk";
    let script = root().join("deploy/k8s/ceremony");
    let made_too = Command::new(script).arg("--witness").arg(&witness).arg(name).status().unwrap();
    assert!(made_too.success());
    let key = SignerKey::from_text(name, &fs::read_to_string(witness.join("secret/witness.key")).unwrap()).unwrap();
    let handed_out = fs::read_to_string(witness.join("public/witness.vkey")).unwrap();
    assert_eq!(handed_out.trim(), key.cosignature_verifier().to_string());

    assert!(!ceremony().status.success(), "keys that are there are not written over");
    assert_eq!(hex::decode(read("secret/kek.hex").trim()).unwrap(), kek);
}
