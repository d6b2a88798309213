//! The manifest: one spelling, no unknown field, no contradiction.

use crate::sample;
use crate::sample::{Held, Sample, media, track};
use exhibit::{Encryption, ItemFacts, Manifest, Missing, Parent, Segment, Track, bag, manifest::Error};
use proptest::prelude::*;

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
        ("more segments than there are numbers", |m| m.tracks[0].segments.count += 1),
        ("a gap that nobody declared", |m| m.tracks[0].segments.count -= 1),
        ("no segments", |m| (m.tracks[0].segments.count, m.tracks[0].segments.last_seq) = (0, 0)),
        ("an end before the start", |m| m.tracks[0].segments.first_seq = 3),
        ("a start in the middle", |m| (m.tracks[0].segments.first_seq, m.tracks[0].segments.count) = (1, 2)),
        ("more numbers than there can be", |m| m.tracks[0].segments.last_seq = u64::MAX),
        ("a list elsewhere", |m| m.tracks[0].segments.path = "segments/officer-1.jsonl".into()),
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
fn a_list_that_contradicts_itself_or_its_manifest_is_refused() {
    type Harm = (&'static str, fn(&mut Track, &mut Vec<Segment>));
    let harms: &[Harm] = &[
        ("the chain broken", |_, list| list[1].chain = list[0].chain),
        ("another digest under the same chain", |_, list| list[1].sha256 = list[0].sha256),
        ("a gap that nobody declared", |_, list| list.retain(|s| s.seq != 1)),
        ("one cut off", |_, list| list.truncate(2)),
        ("one more", |_, list| list.push(list[2].clone())),
        ("exchanged", |_, list| list.swap(0, 1)),
        ("an offset moved", |_, list| list[1].offset += 1),
        ("made at another time", |_, list| list[1].starts_at = list[0].starts_at),
        ("nothing", |_, list| list.clear()),
        ("a file of another length", |track, _| track.bytes += 1),
        ("said to start at another time", |track, _| track.segments.starts_at = track.segments.ends_at),
        ("said to have another head", |track, _| track.segments.chain = track.sha256),
    ];
    let sample = Sample::new(3_000);
    let (honest, list) = (&sample.manifest.tracks[0], &sample.lists[&sample.manifest.tracks[0].name]);
    assert!(sample.manifest.check_list(honest, list).is_ok());
    for (what, harm) in harms {
        let (mut track, mut list) = (honest.clone(), list.clone());
        harm(&mut track, &mut list);
        assert!(matches!(sample.manifest.check_list(&track, &list), Err(Error::Inconsistent(_))), "{what}");
    }
    let elsewhere = Manifest { exhibit: sample.manifest.call.uuid().into(), ..sample.manifest.clone() };
    assert!(elsewhere.check_list(honest, list).is_err());
}

#[test]
fn a_list_has_one_spelling() {
    let sample = Sample::new(3_000);
    let list = &sample.lists[&sample.manifest.tracks[0].name];
    let text = String::from_utf8(sample::list_file(list)).unwrap();
    assert_eq!(Segment::read_list(text.as_bytes()).unwrap(), *list);
    assert_eq!(Segment::read_list(b"").unwrap(), []);
    assert!(text.starts_with(r#"{"bytes":"1000","chain":""#) && text.contains(r#""seq":"1""#), "{text}");
    for (what, bad, line) in [
        ("a space", text.replacen("{", "{ ", 1), 1),
        ("an unknown field", text.replacen('{', r#"{"a":"b","#, 1), 1),
        ("a number", text.replacen(r#""seq":"1""#, r#""seq":1"#, 1), 2),
        ("an empty line", text.replacen('\n', "\n\n", 1), 2),
        ("no newline at the end", text.trim_end().to_owned(), 3),
        ("a line end of another system", text.replace('\n', "\r\n"), 1),
    ] {
        assert!(matches!(Segment::read_list(bad.as_bytes()), Err(Error::Line(at)) if at == line), "{what}");
    }
}

#[test]
fn an_exhibit_with_gaps_or_with_nothing_can_be_sealed() {
    let (late, mut list) = track("caller-1", "caller", &media(1, 3_000), 1_000);
    for (segment, seq) in list.iter_mut().zip([2, 3, 7]) {
        segment.seq = seq;
    }
    let gap = |first_seq, last_seq| Missing { track: late.name.clone(), first_seq, last_seq };
    let gaps = [gap(0, 1), gap(4, 6), gap(8, 9)];
    let (mut manifest, lists) = sample::rechained(sample::manifest(vec![(late.clone(), list)]));
    manifest.missing = gaps.to_vec();
    assert_eq!(manifest.missing_segments(), 7);
    assert!(manifest.to_bytes().is_ok());
    assert!(manifest.check_list(&manifest.tracks[0], &lists[&late.name]).is_ok());
    for harm in [vec![gap(0, 1)], vec![gap(4, 6)], vec![gap(0, 1), gap(4, 7)], vec![gap(0, 1), gap(4, 5)]] {
        manifest.missing = harm;
        assert!(matches!(manifest.to_bytes(), Err(Error::Inconsistent(_))), "{:?}", manifest.missing);
    }
    // As many as are left out, but not these.
    manifest.missing = vec![gap(0, 1), gap(3, 5), gap(8, 9)];
    assert!(manifest.check_list(&manifest.tracks[0], &lists[&late.name]).is_err());
    manifest.tracks.clear();
    manifest.missing.clear();
    assert!(manifest.to_bytes().is_ok());
}

proptest! {
    #[test]
    fn what_is_written_is_read_back_and_written_the_same(
        len in 1_usize..5_000, piece in 1_usize..2_000, salt: [u8; 32], reference in "[A-Z0-9/é\"\\\\-]{1,30}",
    ) {
        let (mut manifest, lists) = sample::manifest(vec![track("caller-1", "caller", &media(3, len), piece)]);
        (manifest.salt, manifest.reference) = (salt, reference);
        let bytes = manifest.to_bytes().unwrap();
        let back = Manifest::parse(&bytes).unwrap();
        prop_assert_eq!(&back, &manifest);
        prop_assert_eq!(back.to_bytes().unwrap(), bytes);
        for (track, list) in back.tracks.iter().zip(lists.into_values()) {
            let read = Segment::read_list(&sample::list_file(&list)).unwrap();
            prop_assert!(back.check_list(track, &read).is_ok());
            prop_assert_eq!(read, list);
        }
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
        ("a track with the items' name", |m| m.tracks[1] = track("items", "officer", b"x", 1).0),
    ];
    for (what, harm) in harms {
        let Held { mut manifest, mut lists, .. } = Sample::new(3_000).held();
        lists.insert(ids::TrackName::items(), track("items", "officer", b"x", 1).1);
        harm(&mut manifest);
        assert!(matches!(manifest.to_bytes(), Err(Error::Inconsistent(_))), "{what}");
        // Nor with chains that fit, unless the chain is all that was wrong.
        let broken_chain = ["one left out", "another payload", "the chain broken", "made at another time"];
        if !broken_chain.contains(what) {
            assert!(sample::rechained((manifest, lists)).0.to_bytes().is_err(), "{what}");
        }
    }
}

fn encryption() -> Encryption {
    Encryption { algorithm: Encryption::AES_256_GCM.into(), key_id: "kek-1".into() }
}

#[test]
fn what_is_encrypted_says_so_throughout() {
    let Held { mut manifest, mut lists, .. } = Sample::new(3_000).held();
    manifest.encryption = Some(encryption());
    for segment in lists.values_mut().flatten() {
        segment.stored_sha256 = exhibit::Digest::of(segment.sha256.as_bytes());
    }
    for item in &mut manifest.items {
        item.stored_sha256 = exhibit::Digest::of(item.sha256.as_bytes());
    }
    let (manifest, mut lists) = sample::rechained((manifest, lists));
    let bytes = manifest.to_bytes().unwrap();
    assert_eq!(Manifest::parse(&bytes).unwrap(), manifest);
    assert!(manifest.tracks.iter().all(|track| manifest.check_list(track, &lists[&track.name]).is_ok()));
    for algorithm in ["none", ""] {
        let other = Encryption { algorithm: algorithm.into(), ..encryption() };
        assert!(Manifest { encryption: Some(other), ..manifest.clone() }.to_bytes().is_err());
    }
    let name = manifest.tracks[0].name.clone();
    let first = &mut lists.get_mut(&name).unwrap()[0];
    first.stored_sha256 = first.sha256;
    let (half, lists) = sample::rechained((manifest, lists));
    assert!(half.check_list(&half.tracks[0], &lists[&name]).is_err());
}

#[test]
fn only_an_addendum_starts_in_the_middle() {
    let (track, mut list) = track("caller-1", "caller", &media(1, 2_000), 1_000);
    for (segment, seq) in list.iter_mut().zip([7, 8]) {
        segment.seq = seq;
    }
    let (mut manifest, lists) = sample::rechained(sample::manifest(vec![(track, list)]));
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
    assert!(manifest.check_list(&manifest.tracks[0], &lists[&manifest.tracks[0].name]).is_ok());
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
        prop_assert!(bytes.is_empty() || Segment::read_list(&bytes).is_err());
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
