//! The manifest: one spelling, no unknown field, no contradiction.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod sample;

use exhibit::{Encryption, ItemFacts, Manifest, Missing, Parent, bag, manifest::Error};
use proptest::prelude::*;
use sample::{Sample, media, track};

fn json() -> String {
    String::from_utf8(Sample::new(3_000).manifest.to_bytes().unwrap()).unwrap()
}

#[test]
fn integers_are_text_and_times_have_microseconds() {
    let json = json();
    assert!(
        json.contains(r#""bytes":"3000""#) && json.contains(r#""fenced_at":"2026-11-24T18:50:00.123456Z""#),
        "{json}"
    );
    assert!(json.starts_with(r#"{"call":""#) && json.contains(r#""format":"alcove-exhibit/1""#), "{json}");
}

#[test]
fn only_the_canonical_spelling_is_read() {
    let good = json();
    assert!(Manifest::parse(good.as_bytes()).is_ok());
    let reordered = good.replacen(r#"{"call""#, r#"{ "call""#, 1);
    assert!(matches!(Manifest::parse(reordered.as_bytes()), Err(Error::NotCanonical)));
    for (what, bad) in [
        ("an unknown field", good.replacen('{', r#"{"a":"b","#, 1)),
        ("an unknown field within", good.replacen(r#"{"date""#, r#"{"a":"b","date""#, 1)),
        ("a field twice", good.replacen(r#""force":"wmp""#, r#""force":"wmp","force":"wmp""#, 1)),
        ("a number", good.replacen(r#""bytes":"3000""#, r#""bytes":3000"#, 1)),
        ("a leading zero", good.replacen(r#""bytes":"3000""#, r#""bytes":"03000""#, 1)),
        ("another format", good.replacen("alcove-exhibit/1", "alcove-exhibit/2", 1)),
        ("a time without microseconds", good.replacen(".123456Z", "Z", 1)),
        ("a path out of the package", good.replacen("tracks/caller-1.mkv", "../caller-1.mkv", 1)),
        ("nothing", String::new()),
    ] {
        assert!(Manifest::parse(bad.as_bytes()).is_err(), "{what}");
    }
}

#[test]
fn a_manifest_that_contradicts_itself_is_not_written() {
    type Harm = (&'static str, fn(&mut Manifest));
    let harms: &[Harm] = &[
        ("a chain broken", |m| m.tracks[0].segments[1].chain = m.tracks[0].segments[0].chain),
        ("another digest under the same chain", |m| m.tracks[0].segments[1].sha256 = m.tracks[0].sha256),
        ("a gap that nobody declared", |m| m.tracks[0].segments.retain(|s| s.seq != 1)),
        ("segments exchanged", |m| m.tracks[0].segments.swap(0, 1)),
        ("a length that is not the sum", |m| m.tracks[0].bytes += 1),
        ("a track twice", |m| m.tracks[1] = m.tracks[0].clone()),
        ("held and missing", |m| m.missing[0].first_seq = 1),
        ("a range backwards", |m| m.missing[0].last_seq = 1),
        ("ranges that touch", |m| m.missing.push(Missing { first_seq: 102, last_seq: 102, ..m.missing[0].clone() })),
        ("a reference of two lines", |m| m.reference = "A\nBagging-Date: 1970-01-01".into()),
        ("no end reason", |m| m.end_reason = String::new()),
        ("the exhibit renamed", |m| m.exhibit = m.call.uuid().into()),
    ];
    for (what, harm) in harms {
        let mut manifest = Sample::new(3_000).manifest;
        harm(&mut manifest);
        assert!(matches!(manifest.to_bytes(), Err(Error::Inconsistent(_))), "{what}");
        assert!(bag::Bag::new(&manifest).is_err(), "{what}");
    }
}

#[test]
fn an_exhibit_with_gaps_or_with_nothing_can_be_sealed() {
    let bytes = media(1, 3_000);
    let mut late = track("caller-1", "caller", &bytes, 1_000);
    let mut head = exhibit::chain::genesis(sample::exhibit(), &late.name);
    for (segment, seq) in late.segments.iter_mut().zip([2, 3, 7]) {
        segment.seq = seq;
        segment.chain = segment.link(sample::exhibit(), &late.name).after(head);
        head = segment.chain;
    }
    let gap = |first_seq, last_seq| Missing { track: late.name.clone(), first_seq, last_seq };
    let mut manifest = sample::manifest(vec![late.clone()]);
    manifest.missing = vec![gap(0, 1), gap(4, 6), gap(8, 9)];
    assert_eq!(manifest.missing_segments(), 7);
    assert!(manifest.to_bytes().is_ok());
    manifest.tracks.clear();
    manifest.missing.clear();
    assert!(manifest.to_bytes().is_ok());
}

proptest! {
    #[test]
    fn what_is_written_is_read_back_and_written_the_same(
        len in 0_usize..5_000, piece in 1_usize..2_000, salt: [u8; 32], reference in "[A-Z0-9/é\"\\\\-]{1,30}",
    ) {
        let mut manifest = sample::manifest(vec![track("caller-1", "caller", &media(3, len), piece)]);
        (manifest.salt, manifest.reference) = (salt, reference);
        let bytes = manifest.to_bytes().unwrap();
        let back = Manifest::parse(&bytes).unwrap();
        prop_assert_eq!(&back, &manifest);
        prop_assert_eq!(back.to_bytes().unwrap(), bytes);
        prop_assert_eq!(bag::Bag::new(&back).unwrap(), bag::Bag::new(&manifest).unwrap());
    }
}

#[test]
fn items_that_contradict_themselves_are_not_written() {
    type Harm = (&'static str, fn(&mut Manifest));
    let harms: &[Harm] = &[
        ("one left out", |m| drop(m.items.remove(1))),
        ("exchanged", |m| m.items.swap(0, 2)),
        ("a version skipped", |m| {
            (m.items[2].version, m.items[2].path) = (3, "items/chat-transcript/chat/3.json".into())
        }),
        ("a version twice", |m| {
            (m.items[2].version, m.items[2].path) = (1, "items/chat-transcript/chat/1.json".into())
        }),
        ("another name", |m| m.items[0].name = "Chat".into()),
        ("a name that leads out", |m| m.items[0].name = "../x".into()),
        ("a path that leads out", |m| m.items[0].path = "../x".into()),
        ("another kind", |m| m.items[0].kind = exhibit::ItemKind::Other),
        ("another payload", |m| m.items[1].payload_sha256 = m.items[0].payload_sha256),
        ("another length", |m| m.items[1].payload_bytes += 1),
        ("stored as another, and nothing encrypted", |m| m.items[1].stored_sha256 = m.items[0].stored_sha256),
        ("the chain broken", |m| m.items[1].chain = m.items[0].chain),
        ("made at another time", |m| m.items[1].made_at = m.items[0].made_at),
        ("said to be encrypted, and not", |m| m.encryption = Some(encryption())),
        ("a track with the items' name", |m| m.tracks[1] = track("items", "officer", b"x", 1)),
    ];
    for (what, harm) in harms {
        let mut manifest = Sample::new(3_000).manifest;
        harm(&mut manifest);
        assert!(matches!(manifest.to_bytes(), Err(Error::Inconsistent(_))), "{what}");
        // Nor with chains that fit, unless the chain is all that was wrong.
        let broken_chain = ["one left out", "another payload", "the chain broken", "made at another time"];
        if !broken_chain.contains(what) {
            assert!(sample::rechained(manifest).to_bytes().is_err(), "{what}");
        }
    }
}

fn encryption() -> Encryption {
    Encryption { algorithm: Encryption::AES_256_GCM.into(), key_id: "kek-1".into() }
}

#[test]
fn what_is_encrypted_says_so_throughout() {
    let mut manifest = Sample::new(3_000).manifest;
    manifest.encryption = Some(encryption());
    for segment in manifest.tracks.iter_mut().flat_map(|t| &mut t.segments) {
        segment.stored_sha256 = exhibit::Digest::of(segment.sha256.as_bytes());
    }
    for item in &mut manifest.items {
        item.stored_sha256 = exhibit::Digest::of(item.sha256.as_bytes());
    }
    let manifest = sample::rechained(manifest);
    let bytes = manifest.to_bytes().unwrap();
    assert_eq!(Manifest::parse(&bytes).unwrap(), manifest);
    for algorithm in ["none", ""] {
        let other = Encryption { algorithm: algorithm.into(), ..encryption() };
        assert!(Manifest { encryption: Some(other), ..manifest.clone() }.to_bytes().is_err());
    }
    let mut half = manifest.clone();
    half.tracks[0].segments[0].stored_sha256 = half.tracks[0].segments[0].sha256;
    assert!(sample::rechained(half).to_bytes().is_err());
}

#[test]
fn only_an_addendum_starts_in_the_middle() {
    let mut manifest = sample::manifest(vec![track("caller-1", "caller", &media(1, 2_000), 1_000)]);
    for (segment, seq) in manifest.tracks[0].segments.iter_mut().zip([7, 8]) {
        segment.seq = seq;
    }
    let mut manifest = sample::rechained(manifest);
    assert!(manifest.to_bytes().is_err());
    let parent = Parent {
        exhibit: manifest.call.uuid().into(),
        reference: "ALC/7F3K9Q2M/0".into(),
        seal_sha256: exhibit::Digest::of(b""),
        log_entry_sha256: Some(exhibit::Digest::of(b"x")),
        log_origin: Some("evidence.example/log".into()),
        log_index: Some(u64::MAX),
    };
    manifest.parent = Some(parent.clone());
    let bytes = manifest.to_bytes().unwrap();
    assert_eq!(Manifest::parse(&bytes).unwrap(), manifest);
    for (what, bad) in [
        ("half a place in the log", Parent { log_index: None, ..parent.clone() }),
        ("itself", Parent { exhibit: manifest.exhibit, ..parent.clone() }),
        ("no reference", Parent { reference: String::new(), ..parent.clone() }),
    ] {
        assert!(Manifest { parent: Some(bad), ..manifest.clone() }.to_bytes().is_err(), "{what}");
    }
    manifest.parent = Some(Parent { log_entry_sha256: None, log_origin: None, log_index: None, ..parent });
    assert!(Manifest::parse(&manifest.to_bytes().unwrap()).is_ok());
}

#[test]
fn a_payload_is_taken_apart_as_it_was_put_together() {
    for (facts, data) in sample::items() {
        let payload = [facts.prefix().unwrap(), data.clone()].concat();
        assert_eq!(ItemFacts::split(&payload), Some((facts.clone(), &data[..])));
        assert_eq!(ItemFacts::split(&payload[..payload.len() - 1]), None);
        assert_eq!(ItemFacts::split(&[&payload[..], b"x"].concat()), None);
        assert!(payload[4..].starts_with(br#"{"added_at":""#));
    }
    for kind in ["still", "gap-ledger", "other"] {
        assert_eq!(kind.parse::<exhibit::ItemKind>().unwrap().as_str(), kind);
    }
    assert!("stills".parse::<exhibit::ItemKind>().is_err() && "image/gif".parse::<exhibit::MediaType>().is_err());
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_panic(bytes: Vec<u8>, text in ".{0,200}") {
        prop_assert!(Manifest::parse(&bytes).is_err() && Manifest::parse(text.as_bytes()).is_err());
        prop_assert_eq!(ItemFacts::split(&bytes), None);
    }

    #[test]
    fn a_flipped_bit_is_refused_or_read_as_written(at: prop::sample::Index, bit in 0_u8..8) {
        let mut bytes = Sample::new(1_000).manifest.to_bytes().unwrap();
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        if let Ok(read) = Manifest::parse(&bytes) {
            prop_assert_eq!(read.to_bytes().unwrap(), bytes);
        }
    }
}
