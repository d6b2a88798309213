//! Certificates that OpenSSL made, as a force's CA would: RSA root, P-384 issuing CA, P-256 signer. And those that must not pass.

use std::{fs, path::Path, process::Command};

use crate::sample::{Sample, proofs};
use chrono::TimeDelta;
use exhibit::{
    bag::Bag,
    package::Package,
    seal::{DevIdentity, Error, Roots, Signer},
    verify::{Outcome, Report, Trust, verify},
};
use tempfile::tempdir;

const CA: &str = "basicConstraints=critical,CA:TRUE,pathlen:0\nkeyUsage=critical,keyCertSign,cRLSign";
const SIGNER: &str = "keyUsage=critical,digitalSignature,nonRepudiation\nextendedKeyUsage=emailProtection";

/// Makes root.pem, sub.pem, signer.key and signer.pem with these extensions.
fn certify(folder: &Path, sub: &str, signer: &str) {
    let script = "
        openssl req -x509 -newkey rsa:2048 -nodes -keyout root.key -out root.pem -days 3650 -subj /CN=Root \
            -addext basicConstraints=critical,CA:TRUE
        openssl ecparam -name secp384r1 -genkey -out sub.key
        openssl req -new -key sub.key -subj /CN=Issuing -out sub.csr
        openssl x509 -req -in sub.csr -CA root.pem -CAkey root.key -set_serial 2 -days 3000 -out sub.pem -extfile sub.ext
        openssl ecparam -name prime256v1 -genkey -out signer.key
        openssl req -new -key signer.key -subj '/O=Force/CN=Exhibits, sealing' -out signer.csr
        openssl x509 -req -in signer.csr -CA sub.pem -CAkey sub.key -set_serial 3 -days 2000 -out signer.pem -extfile signer.ext";
    fs::write(folder.join("sub.ext"), sub).unwrap();
    fs::write(folder.join("signer.ext"), signer).unwrap();
    let output = Command::new("bash").args(["-euc", script]).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Seals a package with that signer, the certificates of `chain` in the seal, and verifies it against the root.
fn judge(folder: &Path, chain: &[&str]) -> Report {
    let read = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
    let certificate_pem = chain.iter().map(|name| read(name)).collect();
    let identity = DevIdentity { roots_pem: read("root.pem"), certificate_pem, key_pem: read("signer.key") };
    let signer = Signer::from_pem(&identity.key_pem, &identity.certificate_pem).unwrap();
    // OpenSSL took the machine's time: so the certificate says when it is.
    let signing_time = signer.certificate().validity().0 + TimeDelta::hours(1);
    let honest = Sample::new(3_000);
    let bag = Bag::new(&honest.manifest).unwrap();
    let seal = signer.sign(bag.tagmanifest(), signing_time).unwrap();
    let sample = Sample { package: Package::new(bag, &proofs(&seal)).unwrap(), identity, signer, ..honest };
    let root = folder.join("package");
    sample.write_folder(&root);
    verify(&root, &Trust { signers: Some(Roots::from_pem(&read("root.pem")).unwrap()), ..Trust::default() }).unwrap()
}

#[test]
fn a_proper_hierarchy_is_followed_by_us_and_by_openssl() {
    let temp = tempdir().unwrap();
    certify(temp.path(), CA, SIGNER);
    let report = judge(temp.path(), &["signer.pem", "sub.pem"]);
    assert_eq!(report.outcome(), Outcome::InPart, "{report}");
    assert_eq!(report.way_to_root.map(|way| way.len()), Some(3));
    let package = temp.path().join("package");
    let text = fs::read_to_string(package.join("proof/VERIFY.txt")).unwrap();
    let cms = text.lines().find(|line| line.trim().starts_with("openssl cms")).unwrap();
    fs::copy(temp.path().join("root.pem"), temp.path().join("roots.pem")).unwrap();
    assert!(Command::new("bash").args(["-c", cms]).current_dir(package).status().unwrap().success());
}

#[test]
fn without_the_issuing_certificate_there_is_no_way() {
    let temp = tempdir().unwrap();
    certify(temp.path(), CA, SIGNER);
    let report = judge(temp.path(), &["signer.pem"]);
    assert_eq!(report.outcome(), Outcome::Failed);
    assert!(report.to_string().contains("not issued by any of the given trust roots"), "{report}");
}

#[test]
fn who_may_not_issue_does_not_lead_to_the_root() {
    for (what, sub) in [
        ("not a CA", "basicConstraints=critical,CA:FALSE"),
        ("no basic constraints", "keyUsage=critical,keyCertSign"),
        ("may not sign certificates", "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,digitalSignature"),
        ("a limit that we don't understand", &format!("{CA}\n1.2.3.4=critical,ASN1:NULL")),
        ("limited to other names", &format!("{CA}\nnameConstraints=critical,permitted;email:example.org")),
    ] {
        let temp = tempdir().unwrap();
        certify(temp.path(), sub, SIGNER);
        let report = judge(temp.path(), &["signer.pem", "sub.pem"]);
        assert_eq!(report.outcome(), Outcome::Failed, "{what}: {report}");
        assert!(report.failures.iter().all(|f| f.file == "proof/seal.p7s"), "{what}: {report}");
    }
}

#[test]
fn a_certificate_for_something_else_can_not_sign() {
    for signer in ["keyUsage=critical,keyAgreement", "extendedKeyUsage=serverAuth"] {
        let temp = tempdir().unwrap();
        certify(temp.path(), CA, signer);
        let read = |name: &str| fs::read_to_string(temp.path().join(name)).unwrap();
        let refused = Signer::from_pem(&read("signer.key"), &read("signer.pem"));
        assert!(matches!(refused, Err(Error::Certificate(_))), "{signer}");
    }
}
