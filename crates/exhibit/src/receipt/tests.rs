//! What a receipt proves, and that nothing in it can be changed.
#![allow(clippy::unwrap_used, clippy::expect_used)]
use proptest::prelude::*;

use super::*;

fn key(seed: u8) -> ReceiptKey {
    ReceiptKey::from_pem(&ReceiptKey::pem_of_seed([seed; 32])).unwrap()
}

fn exhibit(number: u8) -> ExhibitId {
    format!("00000000-0000-0000-0000-00000000000{number}").parse().unwrap()
}

fn leaf(seq: u64) -> Leaf {
    Leaf {
        exhibit: exhibit(7),
        track: "caller-1".parse().unwrap(),
        seq,
        sha256: Digest::of(&seq.to_be_bytes()),
        chain: Digest::of(b"chain"),
    }
}

fn at() -> DateTime<Utc> {
    "2026-11-24T18:39:00.123456Z".parse().unwrap()
}

fn receipts(count: u64) -> Vec<Receipt> {
    let leaves: Vec<Leaf> = (0..count).map(leaf).collect();
    let proofs = key(1).sign(at(), &leaves).unwrap();
    leaves.into_iter().zip(proofs).map(|(leaf, proof)| Receipt { leaf, proof }).collect()
}

/// As another implementation would make it: `printf`, `xxd` and `sha256sum`.
#[test]
fn the_encoding_is_what_the_document_says() {
    let bytes = leaf(3).to_bytes();
    let mut expected = b"alcove receipt leaf v1\n".to_vec();
    expected.extend([0; 15]);
    expected.extend([7, 8]);
    expected.extend(b"caller-1");
    expected.extend([0, 0, 0, 0, 0, 0, 0, 3]);
    expected.extend(Digest::of(&[0, 0, 0, 0, 0, 0, 0, 3]).as_bytes());
    expected.extend(Digest::of(b"chain").as_bytes());
    assert_eq!(bytes, expected);
    let mut hashed = vec![0];
    hashed.extend(&bytes);
    assert_eq!(leaf(3).hash(), Digest::of(&hashed));
    // Two leaves: the root is the node over both.
    let both = receipts(2);
    assert_eq!(both[0].proof.path, [leaf(1).hash()]);
    let mut node = vec![1];
    node.extend(leaf(0).hash().as_bytes());
    node.extend(leaf(1).hash().as_bytes());
    let mut signed = b"alcove receipt v1\n".to_vec();
    signed.extend(at().timestamp_micros().to_be_bytes());
    signed.extend([0, 0, 0, 2]);
    signed.extend(Digest::of(&node).as_bytes());
    let public = hex::decode(key(1).public().to_string()).unwrap();
    UnparsedPublicKey::new(&ED25519, public).verify(&signed, &both[1].proof.signature).unwrap();
}

#[test]
fn every_leaf_of_every_tree_is_proved() {
    let public = key(1).public();
    for count in 1..=65 {
        for receipt in receipts(count) {
            receipt.verify(&public).unwrap();
        }
    }
    assert!(key(1).sign(at(), &[]).unwrap().is_empty());
}

#[test]
fn nothing_in_a_receipt_can_be_changed() {
    let public = key(1).public();
    let good = receipts(5).remove(3);
    let text = good.to_text();
    assert_eq!(Receipt::parse(&text), Ok(good.clone()));
    let changed = |change: fn(&mut Receipt)| {
        let mut receipt = good.clone();
        change(&mut receipt);
        receipt.verify(&public)
    };
    assert_eq!(changed(|r| r.leaf.seq += 1), Err(Error::Signature));
    assert_eq!(changed(|r| r.leaf.sha256 = Digest::of(b"other")), Err(Error::Signature));
    assert_eq!(changed(|r| r.leaf.chain = Digest::of(b"other")), Err(Error::Signature));
    assert_eq!(changed(|r| r.leaf.track = "caller-2".parse().unwrap()), Err(Error::Signature));
    assert_eq!(changed(|r| r.leaf.exhibit = exhibit(8)), Err(Error::Signature));
    assert_eq!(changed(|r| r.proof.at += chrono::TimeDelta::microseconds(1)), Err(Error::Signature));
    assert_eq!(changed(|r| r.proof.index = 2), Err(Error::Signature));
    assert_eq!(changed(|r| r.proof.index = 5), Err(Error::Path));
    assert_eq!(changed(|r| r.proof.leaves = 0), Err(Error::Path));
    assert!(changed(|r| r.proof.leaves = 6).is_err());
    assert_eq!(changed(|r| r.proof.path.truncate(1)), Err(Error::Path));
    assert_eq!(changed(|r| r.proof.path.push(Digest::of(b"more"))), Err(Error::Path));
    assert_eq!(changed(|r| r.proof.signature[9] ^= 1), Err(Error::Signature));
    assert_eq!(good.verify(&key(2).public()), Err(Error::OtherKey));
    for bad in ["", "{}", &text[1..], &format!("{text} "), &text.replace("receipt/1", "receipt/2")] {
        assert_eq!(Receipt::parse(bad), Err(Error::Malformed), "{bad}");
    }
}

#[test]
fn a_key_is_what_openssl_writes() {
    // openssl genpkey -algorithm ed25519, with the seed of RFC 8032, section 7.1, test 1.
    let pem = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n-----END PRIVATE KEY-----\n";
    let key = ReceiptKey::from_pem(pem).unwrap();
    let public = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
    assert_eq!(key.public().to_string(), public);
    assert_eq!(public.parse(), Ok(key.public()));
    assert!(ReceiptKey::from_pem("nothing").is_err() && "d7".parse::<PublicKey>().is_err());
}

proptest! {
    /// Any line: read or refused, never believed for what it isn't.
    #[test]
    fn a_flipped_character_is_noticed(at in 0_usize..900, with in "[0-9a-f]") {
        let good = receipts(9).remove(8);
        let text = good.to_text();
        let at = at % text.len();
        let mut other = text.clone();
        other.replace_range(at..=at, &with);
        if other != text {
            let believed = Receipt::parse(&other).is_ok_and(|receipt| receipt.verify(&key(1).public()).is_ok());
            prop_assert!(!believed);
        }
    }
}
