//! The manifest: one spelling, no unknown field, no contradiction.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod sample;

use exhibit::{Manifest, Missing, bag, manifest::Error};
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
