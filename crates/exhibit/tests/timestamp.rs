//! Timestamps as real authorities make them (OpenSSL), and everything that must not pass for one.

use chrono::TimeDelta;
use exhibit::{
    Digest,
    timestamp::{Error, Request, Response, Token, TsaRoots, verify},
};
use testkit::tsa::{Authority, AuthorityOptions, POLICY, Wrong};

const SEAL: &[u8] = b"the bytes of proof/seal.p7s";

fn authority(options: AuthorityOptions) -> (Authority, TsaRoots) {
    let authority = Authority::make(&options).unwrap();
    let roots = TsaRoots::from_pem(authority.roots_pem()).unwrap();
    (authority, roots)
}

fn request() -> Request {
    Request::new(Digest::of(SEAL), [7; 8], Some(POLICY)).unwrap()
}

fn ask(authority: &Authority, wrong: Wrong) -> Vec<u8> {
    authority.reply(&request().to_der(), wrong).unwrap()
}

fn check(tsr: &[u8], roots: &TsaRoots) -> Result<Token, Error> {
    Response::parse(tsr)?.check(&request(), roots)
}

#[test]
fn what_authorities_make_is_accepted_by_us_and_by_openssl() {
    let rsa = "-algorithm RSA -pkeyopt rsa_keygen_bits:3072";
    let p384 = "-algorithm EC -pkeyopt ec_paramgen_curve:P-384";
    let default = AuthorityOptions::default;
    for options in [
        default(),
        AuthorityOptions { with_ca: true, ..default() },
        AuthorityOptions { ess: "sha1", ..default() },
        AuthorityOptions { key: rsa, ..default() },
        AuthorityOptions { key: rsa, digest: "sha384", ess: "sha1", ..default() },
        AuthorityOptions { key: rsa, digest: "sha512", ess: "sha512", with_ca: true },
        AuthorityOptions { key: p384, digest: "sha384", ess: "sha384", ..default() },
    ] {
        let name = format!("{options:?}");
        let (authority, roots) = authority(options);
        let tsr = ask(&authority, Wrong::Nothing);
        authority.openssl_verifies(&tsr, SEAL).unwrap();
        let token = check(&tsr, &roots).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(verify(&tsr, SEAL, &roots), Ok(token.clone()), "{name}");
        assert_eq!(token.policy, POLICY);
        assert_eq!(token.imprint, Digest::of(SEAL));
        assert_eq!(token.serial, "2");
        assert_eq!(token.authority, "CN=Alcove development timestamps - not for evidence");
        assert_eq!(token.accuracy, Some(TimeDelta::seconds(1)));
        // Six digits were asked of OpenSSL; a whole second among a million would be an unlucky day.
        assert_ne!(token.gen_time.timestamp_subsec_micros(), 0, "{name}");
    }
}

#[test]
fn each_wrong_answer_is_refused_by_its_name() {
    let (authority, roots) = authority(AuthorityOptions::default());
    let refused = |wrong| check(&ask(&authority, wrong), &roots).unwrap_err();
    assert_eq!(refused(Wrong::Nonce), Error::OtherNonce);
    assert_eq!(refused(Wrong::Imprint), Error::OtherImprint);
    let policy = refused(Wrong::Policy);
    assert_eq!(policy, Error::OtherPolicy { asked: POLICY.into(), given: "1.3.6.1.4.1.32473.2".into() });
    assert!(matches!(refused(Wrong::Expired), Error::NotValidThen { .. }), "{}", refused(Wrong::Expired));
    let rejection = refused(Wrong::Rejection);
    assert_eq!(rejection.to_string(), "the authority refused: rejection, unacceptedPolicy");
    for garbage in [&b""[..], b"not a timestamp", &[0x30, 0x80, 0, 0]] {
        assert!(matches!(check(garbage, &roots), Err(Error::Malformed(_))));
    }
}
