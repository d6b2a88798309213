//! Who may sign, when, and with what: refused while sealing, not found out in court.

use crate::sample::{Sample, now, proofs};
use chrono::TimeDelta;
use exhibit::{
    bag::Bag,
    package::{self, Package},
    seal::{CheckedSeal, DevIdentity, Error, Roots, Signer},
};

#[test]
fn the_same_content_and_time_give_the_same_seal() {
    let sample = Sample::new(1_000);
    let sign = |seconds| sample.signer.sign(b"content", now() + TimeDelta::seconds(seconds)).unwrap();
    assert_eq!(sign(0), sign(0));
    assert_ne!(sign(0), sign(1));
    let seal = CheckedSeal::open(&sign(0)).unwrap();
    assert!(seal.is_over(b"content") && !seal.is_over(b"Content"));
    assert_eq!(seal.signing_time().timestamp(), now().timestamp());
}

#[test]
fn a_key_that_is_not_the_certificates_is_refused() {
    let (one, other) = (DevIdentity::make([1; 32], now()).unwrap(), DevIdentity::make([2; 32], now()).unwrap());
    assert!(matches!(Signer::from_pem(&one.key_pem, &other.certificate_pem), Err(Error::KeyMismatch)));
    assert!(matches!(Signer::from_pem("no key", &one.certificate_pem), Err(Error::Key)));
    assert!(matches!(Signer::from_pem(&one.key_pem, "no certificate"), Err(Error::NoCertificate)));
    assert!(matches!(Signer::from_pem(&one.key_pem, &one.roots_pem), Err(Error::KeyMismatch)));
    let signer = Signer::from_pem(&one.key_pem, &one.certificate_pem).unwrap();
    assert!(!format!("{signer:?}").contains("PRIVATE"));
}

#[test]
fn nothing_is_signed_outside_of_the_certificates_validity() {
    let signer = Sample::new(1_000).signer;
    for days in [-2, 800] {
        let signed = signer.sign(b"content", now() + TimeDelta::days(days));
        assert!(matches!(signed, Err(Error::NotValidThen { .. })), "{days}");
    }
}

#[test]
fn a_seal_over_something_else_makes_no_package() {
    let sample = Sample::new(1_000);
    let seal = sample.signer.sign(b"something else", now()).unwrap();
    let bag = Bag::new(&sample.manifest).unwrap();
    assert!(matches!(Package::new(bag.clone(), &proofs(&seal)), Err(package::Error::Seal(Error::OtherContent))));
    assert!(matches!(Package::new(bag, &proofs(b"no seal")), Err(package::Error::Seal(Error::BadSeal(_)))));
}

#[test]
fn roots_are_certificates() {
    for pem in ["", "\n", "-----BEGIN CERTIFICATE-----", "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----"] {
        assert!(Roots::from_pem(pem).is_err(), "{pem:?}");
    }
    // A signer's certificate may be pinned as a root.
    let sample = Sample::new(1_000);
    let seal = CheckedSeal::open(&sample.signer.sign(b"content", now()).unwrap()).unwrap();
    let pinned = Roots::from_pem(&sample.identity.certificate_pem).unwrap();
    assert_eq!(pinned.establish(&seal, now()).unwrap().len(), 1);
    assert_eq!(sample.roots().establish(&seal, now()).unwrap().len(), 2);
}

/// An authority that renews its certificate keeps its name and key: a verifier who was given both takes the one that was good.
#[test]
fn of_a_root_that_was_renewed_the_one_of_that_time_counts() {
    let (then, later) = (now(), now() + TimeDelta::days(3_650));
    let [old, new] = [then, later].map(|at| DevIdentity::make([42; 32], at).unwrap());
    let sealed = |identity: &DevIdentity, at| {
        let signer = Signer::from_pem(&identity.key_pem, &identity.certificate_pem).unwrap();
        CheckedSeal::open(&signer.sign(b"content", at).unwrap()).unwrap()
    };
    for pem in [[&*old.roots_pem, &*new.roots_pem], [&*new.roots_pem, &*old.roots_pem]] {
        let roots = Roots::from_pem(&pem.concat()).unwrap();
        for (identity, at) in [(&old, then), (&new, later)] {
            assert_eq!(roots.establish(&sealed(identity, at), at).unwrap().len(), 2);
        }
        assert!(roots.establish(&sealed(&old, then), later).is_err(), "neither was good for it then");
    }
}
