//! Timestamps that somebody has tampered with, or has made with a key that may not: none may pass.

use std::{fs, process::Command};

use exhibit::{
    Digest,
    timestamp::{Error, Request, Response, Token, TsaRoots, verify},
};
use testkit::tsa::{Authority, AuthorityOptions, POLICY, Wrong};

const SEAL: &[u8] = b"the bytes of proof/seal.p7s";

struct Forge {
    authority: Authority,
    roots: TsaRoots,
    tsr: Vec<u8>,
    token: Token,
}

impl Forge {
    fn new(options: &AuthorityOptions) -> Self {
        let authority = Authority::make(options).unwrap();
        let roots = TsaRoots::from_pem(authority.roots_pem()).unwrap();
        let request = Request::new(Digest::of(SEAL), [7; 8], Some(POLICY)).unwrap();
        let tsr = authority.reply(&request.to_der(), Wrong::Nothing).unwrap();
        let token = verify(&tsr, SEAL, &roots).unwrap();
        Self { authority, roots, tsr, token }
    }

    fn verify(&self, tsr: &[u8]) -> Result<Token, Error> {
        verify(tsr, SEAL, &self.roots)
    }

    /// Runs a script in the authority's folder, where `content` is what the good token signed, and puts what it leaves in
    /// `token` into an answer.
    fn sign(&self, script: &str) -> Vec<u8> {
        let folder = self.authority.folder();
        fs::write(folder.join("good.tsr"), &self.tsr).unwrap();
        let begin = "
            certify() {
                # Of long ago: it must not begin in the second after the good token's.
                openssl ca -batch -notext -config tsa.cnf -in tsa.csr -out \"$1.pem\" \
                    -startdate 20200101000000Z -enddate 20490101000000Z \
                    -extfile <(printf 'keyUsage=critical,digitalSignature\\n%s\\n' \"$2\")
            }
            sign='openssl cms -sign -binary -nodetach -econtent_type 1.2.840.113549.1.9.16.1.4 -inkey tsa.key -md sha256
                -outform DER -nosmimecap -out token'
            openssl ts -reply -in good.tsr -token_out -out good.token
            openssl cms -verify -inform DER -in good.token -noverify -out content -binary";
        let output =
            Command::new("bash").args(["-euc", &format!("{begin}\n{script}")]).current_dir(folder).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let token = fs::read(folder.join("token")).unwrap();
        let length = u16::try_from(5 + token.len()).unwrap().to_be_bytes();
        [&[0x30, 0x82][..], &length, &[0x30, 3, 2, 1, 0], &token].concat()
    }
}

#[test]
fn one_bit_changes_nothing_that_matters() {
    for options in [
        AuthorityOptions::default(),
        AuthorityOptions { key: "-algorithm RSA", ess: "sha1", ..AuthorityOptions::default() },
    ] {
        let forge = Forge::new(&options);
        let mut passed = Vec::new();
        for at in 0..forge.tsr.len() {
            for bit in 0..8 {
                let mut tsr = forge.tsr.clone();
                tsr[at] ^= 1 << bit;
                if let Ok(token) = forge.verify(&tsr) {
                    assert_eq!(token, forge.token, "byte {at}, bit {bit}");
                    passed.push((at, bit));
                }
            }
        }
        println!("{} bytes, not covered (byte, bit): {passed:?}", forge.tsr.len());
        // "granted" (0) may become "granted with modifications" (1): no signature covers it, and the token is the same.
        assert_eq!(passed, [(8, 0)]);
        for end in 0..forge.tsr.len() {
            assert!(forge.verify(&forge.tsr[..end]).is_err(), "cut off at {end}");
        }
        assert!(forge.verify(&[&forge.tsr[..], &[0]].concat()).is_err());
    }
}

#[test]
fn a_certificate_that_comes_along_without_need_may_break_but_says_nothing() {
    let forge = Forge::new(&AuthorityOptions { with_ca: true, ..AuthorityOptions::default() });
    let root = forge.authority.folder().join("ca.pem");
    let root = Command::new("openssl").args(["x509", "-outform", "DER", "-in"]).arg(root).output().unwrap().stdout;
    let from = forge.tsr.windows(root.len()).position(|window| window == root).unwrap();
    let mut harmless = 0;
    for at in 0..forge.tsr.len() {
        let mut tsr = forge.tsr.clone();
        tsr[at] ^= 0x04;
        if let Ok(token) = forge.verify(&tsr) {
            assert_eq!(token, forge.token, "byte {at}");
            assert!((from..from + root.len()).contains(&at), "byte {at} is not of the copied root");
            harmless += 1;
        }
    }
    println!("{harmless} of {} bytes: in the copy of the root, which nobody trusts for being there", forge.tsr.len());
}

#[test]
fn a_timestamp_of_another_package_or_by_another_authority_is_refused() {
    let forge = Forge::new(&AuthorityOptions::default());
    assert_eq!(verify(&forge.tsr, b"another seal", &forge.roots), Err(Error::OtherImprint));
    let other = Forge::new(&AuthorityOptions::default());
    assert!(matches!(verify(&forge.tsr, SEAL, &other.roots), Err(Error::Untrusted(_))));
    // Its own certificate pinned instead of the CA's.
    let pinned = fs::read_to_string(forge.authority.folder().join("good.pem")).unwrap();
    assert_eq!(verify(&forge.tsr, SEAL, &TsaRoots::from_pem(&pinned).unwrap()), Ok(forge.token));
    let certificates = Response::parse(&forge.tsr).unwrap().certificates().unwrap();
    assert_eq!(certificates.len(), 1);
    assert_eq!(certificates[0].to_pem().unwrap(), pinned);
}

#[test]
fn a_key_that_is_not_for_timestamps_alone_makes_none() {
    let forge = Forge::new(&AuthorityOptions::default());
    let by = |uses: &str| {
        forge.verify(&forge.sign(&format!("certify 77 '{uses}'; $sign -cades -signer 77.pem -in content")))
    };
    // So the forge works: what is refused below is refused for its certificate.
    assert_eq!(by("extendedKeyUsage=critical,timeStamping"), Ok(forge.token.clone()));
    for uses in [
        "",
        "extendedKeyUsage=timeStamping",
        "extendedKeyUsage=critical,timeStamping,emailProtection",
        "extendedKeyUsage=critical,emailProtection",
        "extendedKeyUsage=critical,anyExtendedKeyUsage",
    ] {
        assert_eq!(by(uses), Err(Error::NotForTimestamps(forge.token.authority.clone())), "{uses}");
    }
}

#[test]
fn signatures_of_other_forms_are_refused() {
    let forge = Forge::new(&AuthorityOptions::default());
    let refused = |script: &str| forge.verify(&forge.sign(script)).unwrap_err();
    let bad = Error::BadSignature;
    assert_eq!(
        refused("$sign -signer good.pem -in content"),
        bad("it doesn't say which certificate signed (no ESS attribute)")
    );
    assert_eq!(refused("$sign -noattr -signer good.pem -in content"), bad("no signed attributes"));
    let twice = "$sign -cades -signer good.pem -signer ca.pem -inkey ca.key -in content";
    assert_eq!(refused(twice), bad("not exactly one signature"));
    assert_eq!(
        refused("$sign -cades -nocerts -signer good.pem -in content"),
        bad("the signer's certificate is not in it")
    );
    assert!(matches!(refused("$sign -cades -md sha1 -signer good.pem -in content"), Error::UnknownAlgorithm(_)));
    assert!(matches!(refused("$sign -cades -md sha224 -signer good.pem -in content"), Error::UnknownAlgorithm(_)));
    // By the subject key identifier instead of by issuer and number: that is as good.
    let keyed = "certify 78 $'extendedKeyUsage=critical,timeStamping\\nsubjectKeyIdentifier=hash'
        $sign -cades -keyid -signer 78.pem -in content";
    assert_eq!(forge.verify(&forge.sign(keyed)), Ok(forge.token.clone()));
}

#[test]
fn content_that_says_something_else_is_refused() {
    let forge = Forge::new(&AuthorityOptions::default());
    let with = |edit: &str| {
        let script = format!(
            "python3 -c 'import sys; b = open(\"content\", \"rb\").read(); {edit}; open(\"content\", \"wb\").write(b)'
            $sign -cades -signer good.pem -in content"
        );
        forge.verify(&forge.sign(&script))
    };
    assert_eq!(with("pass"), Ok(forge.token.clone()));
    assert!(matches!(with("b = b\"no timestamp\""), Err(Error::BadContent(_))));
    assert_eq!(
        with("b = b.replace(bytes([2, 1, 1, 6]), bytes([2, 1, 2, 6]), 1)"),
        Err(Error::BadContent("not of version 1"))
    );
    let sha3 = "b = b.replace(bytes.fromhex(\"608648016503040201\"), bytes.fromhex(\"608648016503040208\"))";
    assert_eq!(with(sha3), Err(Error::OtherDigest("2.16.840.1.101.3.4.2.8".into())));
    let renamed = "b = b.replace(b\"development timestamps\", b\"departments timestamps\")";
    assert_eq!(with(renamed), Err(Error::BadContent("it names another authority than its certificate")));
    let timeless = "i = b.index(b\"Z\"); b = b[:i] + b\"X\" + b[i+1:]";
    assert_eq!(with(timeless), Err(Error::BadContent("its time can't be read")));
    let extension = hex::encode([0xa1, 0x0f, 0x30, 0x0d, 6, 3, 0x2a, 3, 4, 1, 1, 0xff, 4, 3, 1, 2, 3]);
    let limited = format!("b = bytes([0x30, 0x81, b[2] + 17]) + b[3:] + bytes.fromhex(\"{extension}\")");
    assert_eq!(with(&limited), Err(Error::BadContent("it has a limit that this verifier doesn't understand")));
}
