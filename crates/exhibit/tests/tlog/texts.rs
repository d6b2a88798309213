//! Entries, tiles and proofs.

use std::collections::BTreeSet;

use exhibit::{
    Digest,
    tlog::{
        AddCheckpoint, Checkpoint, Entry, Error, Proof, WitnessPolicy, inclusion_path, leaf_hash,
        note::VerifierKey,
        tile::{self, Holds, Tile},
    },
};
use ids::{ExhibitId, TrackName};
use proptest::prelude::*;
use uuid::Uuid;

use crate::tlog::{
    Tree,
    notes::{log, witness},
};

fn exhibit_id() -> ExhibitId {
    Uuid::from_u128(0x0190_abcd_0000_7000_8000_0000_0000_0001).into()
}

#[test]
fn entries_are_these_bytes() {
    let (a, b) = (Digest::of(b"a"), Digest::of(b"b"));
    let track = |name: &str| name.parse::<TrackName>().unwrap();
    let id = "0190abcd-0000-7000-8000-000000000001";
    for (entry, text) in [
        (
            Entry::Seal { exhibit: exhibit_id(), seal: a, timestamp: Some(b) },
            format!("alcove seal v1\n{id}\n{a}\n{b}\n"),
        ),
        (Entry::Seal { exhibit: exhibit_id(), seal: a, timestamp: None }, format!("alcove seal v1\n{id}\n{a}\n-\n")),
        (
            Entry::Heads { exhibit: exhibit_id(), heads: vec![(track("items"), 2, b), (track("caller-1"), 60, a)] },
            format!("alcove heads v1\n{id}\ncaller-1 60 {a}\nitems 2 {b}\n"),
        ),
        (Entry::Heads { exhibit: exhibit_id(), heads: vec![] }, format!("alcove heads v1\n{id}\n")),
        (Entry::Access { exhibit: exhibit_id(), n: 3, head: a }, format!("alcove access v1\n{id}\n3\n{a}\n")),
        (
            Entry::Tombstone { exhibit: exhibit_id(), signature: a, timestamp: Some(b) },
            format!("alcove tombstone v1\n{id}\n{a}\n{b}\n"),
        ),
    ] {
        assert_eq!(String::from_utf8(entry.to_bytes()).unwrap(), text);
        assert_eq!(Entry::parse(text.as_bytes()).unwrap().to_bytes(), text.as_bytes());
        assert_eq!(entry.exhibit(), exhibit_id());
        let leaf = Digest::of(&[b"\0", text.as_bytes()].concat());
        assert_eq!(entry.leaf_hash(), leaf);
        for bad in [
            text.trim_end().to_owned(),
            format!("{text}\n"),
            format!("{text}-\n"),
            text.replace('\n', "\r\n"),
            text.replace(id, &id.to_uppercase()),
            text.replace(id, &id.replace('-', "")),
            text.replace("v1", "v2"),
            text.to_uppercase(),
            text.replacen("\n3\n", "\n03\n", 1).replace(" 60 ", " +60 ").replace("-\n", "--\n") + " ",
        ] {
            assert!(Entry::parse(bad.as_bytes()).is_err(), "{bad}");
        }
    }
    for bad in [
        format!("alcove access v1\n{id}\n03\n{a}\n"),
        format!("alcove heads v1\n{id}\ncaller-1 +60 {a}\n"),
        format!("alcove heads v1\n{id}\nb 1 {a}\na 1 {a}\n"),
        format!("alcove heads v1\n{id}\na 1 {a}\na 2 {a}\n"),
        format!("alcove heads v1\n{id}\na  1 {a}\n"),
        format!("alcove heads v1\n{id}\n{}", format!("a 1 {a}\n").repeat(1_000)),
        format!("alcove seal v1\n{id}\n-\n{a}\n"),
    ] {
        assert!(Entry::parse(bad.as_bytes()).is_err(), "{bad}");
    }
}

#[test]
fn tiles_have_the_paths_of_c2sp() {
    for (tile, path) in [
        (Tile { holds: Holds::Hashes(0), index: 1_234_067, width: 256 }, "tile/0/x001/x234/067"),
        (Tile { holds: Holds::Hashes(0), index: 273, width: 112 }, "tile/0/273.p/112"),
        (Tile { holds: Holds::Hashes(2), index: 0, width: 1 }, "tile/2/000.p/1"),
        (Tile { holds: Holds::Entries, index: 1_000, width: 255 }, "tile/entries/x001/000.p/255"),
    ] {
        assert_eq!((tile.path().as_str(), Tile::parse(path)), (path, Some(tile)));
    }
    assert_eq!(
        (tile::path(1, 2, 3), tile::entries_path(4, 256)),
        ("tile/1/002.p/3".to_owned(), "tile/entries/004".to_owned())
    );
    for bad in [
        "",
        "tile",
        "tile/0",
        "tile/0/",
        "tile/0/0",
        "tile/0/00",
        "tile/0/0000",
        "tile/0/x000/001",
        "tile/0/x001/x234",
        "tile/0/001/234",
        "tile/00/000",
        "tile/+0/000",
        "tile/8/000",
        "tile/64/000",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/07",
        "tile/0/000.p/",
        "tile/0/000.p",
        "tile/0/000.p/1/2",
        "/tile/0/000",
        "tile/0/000/",
        "tile/-1/000",
        "tile/entries",
        "tile/entry/000",
        "tile/0/x/000",
        "tile/0/+00",
        "tile/0/../000",
        "tile/0/x999/x999/x999/x999/x999/x999/x999/999",
    ] {
        assert_eq!(Tile::parse(bad), None, "{bad}");
    }
}

/// The specification's own example: 70,000 leaves.
#[test]
fn seventy_thousand_leaves_have_these_tiles() {
    let tiles: Vec<_> = tile::changed(0, 70_000).filter(|tile| tile.holds != Holds::Entries).collect();
    let of = |level, whole: bool| {
        tiles
            .iter()
            .filter(|t| t.holds == Holds::Hashes(level) && (t.width == 256) == whole)
            .map(|t| t.width)
            .collect::<Vec<_>>()
    };
    assert_eq!((of(0, true).len(), of(0, false)), (273, vec![112]));
    assert_eq!((of(1, true).len(), of(1, false)), (1, vec![17]));
    assert_eq!((of(2, true).len(), of(2, false)), (0, vec![1]));
    let at_256: Vec<_> = tile::changed(0, 256).map(|tile| tile.path()).collect();
    assert_eq!(at_256, ["tile/entries/000", "tile/0/000", "tile/1/000.p/1"]);
    assert_eq!(tile::changed(7, 7).count(), 0);
    assert_eq!(tile::changed(8, 7).count(), 0);
    assert_eq!(tile::tile_at(Holds::Hashes(7), 0, u64::MAX).unwrap().width, 255);
    assert_eq!(tile::tile_at(Holds::Hashes(200), u64::MAX, u64::MAX), None);
}

#[test]
fn nodes_are_read_from_tiles_as_from_the_tree() {
    let tree = Tree::numbered(70_000);
    for size in [1, 2, 255, 256, 257, 511, 65_535, 65_536, 65_537, 70_000] {
        let fetch = |tile: Tile| -> Result<Vec<Digest>, Error> {
            let Holds::Hashes(row) = tile.holds else { panic!() };
            (0..u64::from(tile.width)).map(|n| tree.read(row * 8, tile.start() + n)).collect()
        };
        for index in [0, size / 2, size - 1] {
            let path: Vec<_> = inclusion_path::<Error>(index, size, |l, i| tree.read(l, i)).unwrap();
            let from_tiles = inclusion_path(index, size, |l, i| tile::read_node(l, i, size, fetch));
            assert_eq!(from_tiles, Ok(path));
        }
        assert_eq!(tile::read_node(0, size, size, fetch), Err(Error::OutOfRange));
        assert_eq!(tile::read_node(255, u64::MAX, size, fetch), Err(Error::OutOfRange));
    }
    assert_eq!(
        tile::read_node(3, 0, 8, |_| Ok::<_, Error>(vec![])),
        Err(Error::OutOfRange),
        "a tile that is too narrow"
    );
    assert!(tile::subtree_root(&[]).is_err() && tile::subtree_root(&[Digest::of(b""); 3]).is_err());
}

#[test]
fn tiles_and_bundles_have_one_spelling() {
    let hashes: Vec<_> = (0..256).map(crate::tlog::leaf).collect();
    assert_eq!(tile::decode_hashes(&tile::encode_hashes(&hashes)).unwrap(), hashes);
    for bad in [&[][..], &[0; 31], &[0; 33], &[0; 32 * 257]] {
        assert!(tile::decode_hashes(bad).is_err());
    }
    let entries: Vec<Vec<u8>> = vec![b"".to_vec(), b"one".to_vec(), vec![7; 65_535]];
    let bundle = tile::encode_bundle(&entries).unwrap();
    assert_eq!(&bundle[..7], b"\0\0\0\x03one");
    assert_eq!(tile::decode_bundle(&bundle).unwrap(), entries);
    for bad in [&[][..], &[0], &[0, 1], &bundle[..bundle.len() - 1], &[0; 2 * 257]] {
        assert!(tile::decode_bundle(bad).is_err());
    }
    assert!(tile::encode_bundle(&[vec![0; 65_536]]).is_err());
    assert!(tile::encode_bundle::<Vec<u8>>(&[]).is_err());
    assert!(tile::encode_bundle(&vec![b""; 257]).is_err());
}

pub fn sample(size: u64, index: u64) -> (Vec<u8>, Proof) {
    let entry = |n: u64| Entry::Access { exhibit: exhibit_id(), n, head: Digest::of(b"") }.to_bytes();
    let tree = Tree::new((0..size).map(|n| leaf_hash(&entry(n))).collect());
    let checkpoint = Checkpoint { origin: log().verifier().name().to_owned(), size, root: tree.root(size) };
    let mut note = checkpoint.sign(&log()).unwrap();
    note.add(witness().cosign(note.text(), 1_700_000_000)).unwrap();
    let path = inclusion_path::<Error>(index, size, |l, i| tree.read(l, i)).unwrap();
    (entry(index), Proof { index, path, checkpoint: note, extra: Vec::new() })
}

#[test]
fn a_proof_holds_and_no_changed_byte_of_it_does() {
    let policy = WitnessPolicy::all(vec![witness().cosignature_verifier()]);
    let log = log().verifier();
    for (size, index) in [(1, 0), (2, 1), (7, 6), (12, 3)] {
        let (entry, proof) = sample(size, index);
        let proved = proof.verify(&entry, &log, &policy).unwrap();
        assert_eq!(
            (proved.checkpoint.size, &proved.cosigned[..]),
            (size, &[("witness.example/w1".to_owned(), 1_700_000_000)][..])
        );
        let text = proof.to_text();
        assert_eq!(Proof::parse(&text), Ok(proof.clone()));
        for at in 0..text.len() {
            for bit in 0..8 {
                let mut bytes = text.clone().into_bytes();
                bytes[at] ^= 1 << bit;
                let refused = Proof::parse(&bytes).and_then(|proof| proof.verify(&entry, &log, &policy));
                assert!(refused.is_err(), "byte {at} bit {bit} of\n{text}");
            }
        }
        for at in 0..entry.len() {
            let mut changed = entry.clone();
            changed[at] ^= 1;
            assert_eq!(proof.verify(&changed, &log, &policy), Err(Error::NotIncluded));
        }
        for other in (0..20).filter(|other| *other != index) {
            assert!(Proof { index: other, ..proof.clone() }.verify(&entry, &log, &policy).is_err());
        }
    }
}

#[test]
fn witnesses_are_counted_once_and_by_key() {
    let (entry, mut proof) = sample(5, 2);
    let one = witness().cosignature_verifier();
    let other: VerifierKey = exhibit::tlog::note::SignerKey::from_seed("w2", &[8; 32]).unwrap().cosignature_verifier();
    let policy = |witnesses: &[&VerifierKey], at_least| WitnessPolicy {
        witnesses: witnesses.iter().copied().cloned().collect(),
        at_least,
    };
    let verify = |proof: &Proof, policy: &WitnessPolicy| {
        proof.verify(&entry, &log().verifier(), policy).map(|proved| proved.cosigned.len())
    };
    assert_eq!(verify(&proof, &WitnessPolicy::default()), Ok(0));
    assert_eq!(verify(&proof, &policy(&[&one, &other], 1)), Ok(1));
    assert_eq!(verify(&proof, &policy(&[&one, &one], 2)), Err(Error::TooFewWitnesses { have: 1, need: 2 }));
    assert_eq!(verify(&proof, &policy(&[&one, &other], 2)), Err(Error::TooFewWitnesses { have: 1, need: 2 }));
    assert_eq!(
        verify(&proof, &policy(&[&log().verifier()], 1)),
        Err(Error::TooFewWitnesses { have: 0, need: 1 }),
        "the log is no witness"
    );
    proof.checkpoint.add(witness().cosign("something else\n", 1)).unwrap();
    assert_eq!(verify(&proof, &policy(&[&one], 0)), Err(Error::FalseSignature(one.name().to_owned())));
}

#[test]
fn proofs_have_one_spelling() {
    let (_, proof) = sample(12, 3);
    let extra = Proof { extra: b"ID".to_vec(), ..proof.clone() };
    assert_eq!(Proof::parse(extra.to_text()), Ok(extra));
    let text = proof.to_text();
    let path = text.lines().nth(2).unwrap();
    for bad in [
        text.replace("@v1", "@v2"),
        text.replace("index 3", "index 03"),
        text.replace("index 3", "index  3"),
        text.replace("index 3", "extra \nindex 3"),
        text.replace("index 3", "index 3\nindex 3"),
        text.replace("index 3", "extra SUQ=\nextra SUQ=\nindex 3"),
        text.replace('\n', "\r\n"),
        text.replace(path, ""),
        text.replace(path, &format!("{path} ")),
        text.replace(path, &[path; 65].join("\n")),
        format!("{text}\n"),
        format!("\n{text}"),
        text[..text.len() - 1].to_owned(),
        String::new(),
    ] {
        assert!(Proof::parse(&bad).is_err(), "{bad}");
    }
}

#[test]
fn what_a_witness_is_sent_has_one_spelling() {
    let (_, proof) = sample(12, 3);
    for path in [vec![], proof.path.clone(), vec![crate::tlog::leaf(1); 63]] {
        let request = AddCheckpoint { old: 7, path, note: proof.checkpoint.clone() };
        assert_eq!(AddCheckpoint::parse(request.to_text().as_bytes()), Ok(request));
    }
    let long = AddCheckpoint { old: 7, path: vec![crate::tlog::leaf(1); 64], note: proof.checkpoint.clone() };
    assert!(AddCheckpoint::parse(long.to_text().as_bytes()).is_err());
    let good = AddCheckpoint { old: 7, path: proof.path, note: proof.checkpoint }.to_text();
    for bad in
        [good.replace("old 7", "old 07"), good.replace("old", "Old"), good.replace('\n', "\r\n"), format!("{good}x")]
    {
        assert!(AddCheckpoint::parse(bad.as_bytes()).is_err(), "{bad}");
    }
}

proptest! {
    #[test]
    fn what_grew_is_what_differs(from in 0_u64..70_000, more in 0_u64..70_000) {
        let to = from + more;
        let had: BTreeSet<Tile> = tile::changed(0, from).collect();
        let has: BTreeSet<Tile> = tile::changed(0, to).collect();
        let new: BTreeSet<Tile> = tile::changed(from, to).collect();
        prop_assert_eq!(new, &has - &had);
        for tile in has {
            prop_assert_eq!(Tile::parse(&tile.path()), Some(tile));
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..300), text in "[a-z0-9 /.\n-]{0,80}") {
        for bytes in [&bytes[..], text.as_bytes()] {
            if let Ok(entry) = Entry::parse(bytes) {
                prop_assert_eq!(entry.to_bytes(), bytes.to_vec());
            }
            if let Ok(entries) = tile::decode_bundle(bytes) {
                prop_assert_eq!(tile::encode_bundle(&entries).unwrap(), bytes.to_vec());
            }
            prop_assert!(Proof::parse(bytes).is_err());
        }
        if let Some(tile) = Tile::parse(&text) {
            prop_assert_eq!(tile.path(), text);
        }
    }

    #[test]
    fn a_proof_with_changes_is_never_read_as_another_text(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut bytes = sample(12, 3).1.to_text().into_bytes();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if let Ok(proof) = Proof::parse(&bytes) {
            prop_assert_eq!(proof.to_text().into_bytes(), bytes);
        }
    }
}
