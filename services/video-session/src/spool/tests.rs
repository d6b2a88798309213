//! What the spool still knows after a crash at any point.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use chrono::DateTime;
use proptest::prelude::*;
use uuid::Uuid;

use super::*;

fn owner() -> Owner {
    Owner::numbered(1)
}

fn place(track: &str, seq: u64) -> Place {
    Place { track: track.parse().unwrap(), seq }
}

fn open(dir: &Path) -> Spool {
    Spool::open(&dir.join("spool"), &dir.join("receipts"), None).unwrap()
}

/// An ack as the uploader takes it: the receipt first.
fn acknowledge(spool: &Spool, at: &Place) {
    let leaf = exhibit::receipt::Leaf {
        exhibit: Uuid::from_u128(3).into(),
        track: at.track.clone(),
        seq: at.seq,
        sha256: [7; 32].into(),
        chain: [8; 32].into(),
    };
    let proof = exhibit::receipt::Proof {
        key_id: [9; 32].into(),
        at: DateTime::UNIX_EPOCH,
        leaves: 1,
        index: 0,
        path: vec![],
        signature: [0; 64],
    };
    spool.keep_receipt(owner().session, &Receipt { leaf, proof }).unwrap();
    spool.acknowledge(owner().session, at);
}

fn piece(seq: u64) -> Piece {
    let at = DateTime::from_timestamp(1_800_000_000 + i64::try_from(seq).unwrap(), 0).unwrap();
    Piece::new(at, at, format!("segment {seq}").into_bytes().into())
}

#[test]
fn a_new_process_finds_what_the_old_one_kept() {
    let dir = tempfile::tempdir().unwrap();
    let session = owner().session;
    let spool = open(dir.path());
    spool.prepare(&owner()).unwrap();
    for seq in 0..4 {
        spool.keep(session, &place("caller-1", seq), &piece(seq)).unwrap();
    }
    spool.keep(session, &place("officer-1", 0), &piece(0)).unwrap();
    acknowledge(&spool, &place("caller-1", 1));
    assert_eq!(spool.owed(session), 3);
    let film = dir.path().join("spool").join(session.to_string()).join("caller-1.film");
    let torn = [fs::read(&film).unwrap(), b"ALCSPL2\ntorn".to_vec()].concat();
    fs::write(&film, torn).unwrap();

    let spool = open(dir.path());
    assert_eq!(spool.owner(session), Some(owner()));
    let recorded: Vec<_> = spool.recorded(session).into_iter().map(|(track, n)| (track.to_string(), n)).collect();
    assert_eq!(recorded, [("caller-1".to_owned(), 4), ("officer-1".to_owned(), 1)]);
    assert_eq!(spool.next_to_send(session, &BTreeMap::new()), Some(place("officer-1", 0)));
    let sent = BTreeMap::from([("officer-1".parse().unwrap(), 1)]);
    assert_eq!(spool.next_to_send(session, &sent), Some(place("caller-1", 1)), "the last acknowledged goes again");
    assert_eq!(spool.load(session, &place("caller-1", 3)).unwrap(), piece(3));
    // A line torn by the crash is no receipt, and doesn't spoil the next.
    let receipts = dir.path().join("receipts").join(format!("{session}.jsonl"));
    let torn = fs::read_to_string(&receipts).unwrap() + "{\"at\":";
    fs::write(&receipts, torn).unwrap();
    acknowledge(&spool, &place("caller-1", 2));
    let spool = open(dir.path());
    assert_eq!((spool.owed(session), fs::read_to_string(&receipts).unwrap().lines().count()), (3, 3));
    spool.retire(session);
    assert_eq!(open(dir.path()).sessions(), []);
    assert!(receipts.exists(), "receipts stay for good");
}

#[test]
fn without_receipts_everything_is_sent_again() {
    let dir = tempfile::tempdir().unwrap();
    let spool = open(dir.path());
    spool.prepare(&owner()).unwrap();
    for seq in 0..4 {
        spool.keep(owner().session, &place("caller-1", seq), &piece(seq)).unwrap();
        acknowledge(&spool, &place("caller-1", seq));
    }
    assert_eq!(spool.owed(owner().session), 0);
    spool.doubt(owner().session);
    assert_eq!(spool.next_to_send(owner().session, &BTreeMap::new()), Some(place("caller-1", 3)));
    assert!(spool.rewind(owner().session, &place("caller-1", 0)));
    assert_eq!(spool.owed(owner().session), 4);
    fs::remove_dir_all(dir.path().join("receipts")).unwrap();
    assert_eq!(open(dir.path()).owed(owner().session), 4);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    /// Whenever the process dies, everything kept and not acknowledged is there, in order and without a gap.
    #[test]
    fn nothing_unacknowledged_is_ever_lost(steps in prop::collection::vec(0_u8..10, 1..40)) {
        let dir = tempfile::tempdir().unwrap();
        let session = owner().session;
        let mut spool = open(dir.path());
        spool.prepare(&owner()).unwrap();
        let (mut kept, mut acked) = (0, 0);
        for step in steps {
            match step {
                0..=5 => {
                    spool.keep(session, &place("caller-1", kept), &piece(kept)).unwrap();
                    kept += 1;
                }
                6..=8 if acked < kept => {
                    acknowledge(&spool, &place("caller-1", acked));
                    acked += 1;
                }
                9 => spool = open(dir.path()),
                _ => {}
            }
            prop_assert!(spool.owed(session) >= kept - acked);
            prop_assert!(spool.owed(session) <= kept - acked + 1);
            // What was acknowledged stays, too.
            for seq in 0..kept {
                prop_assert_eq!(spool.load(session, &place("caller-1", seq)).unwrap(), piece(seq));
            }
            let recorded = spool.recorded(session).first().map_or(0, |(_, n)| *n);
            prop_assert_eq!(recorded, kept);
        }
    }
}

#[test]
fn a_torn_line_does_not_spoil_the_next_one() {
    let dir = tempfile::tempdir().unwrap();
    let spool = open(dir.path());
    let session = owner().session;
    assert!(spool.append(session, Lines::Chat, &["early".to_owned()]).is_err(), "nobody's yet");
    spool.prepare(&owner()).unwrap();
    spool.append(session, Lines::Chat, &["one".to_owned(), "two".to_owned()]).unwrap();
    spool.append(session, Lines::Chat, &[]).unwrap();
    let file = spool.folder(session).join("chat.jsonl");
    let kept = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, kept + "thr").unwrap();
    let spool = open(dir.path());
    spool.append(session, Lines::Chat, &["four".to_owned()]).unwrap();
    assert_eq!(spool.lines(session, Lines::Chat).unwrap(), ["one", "two", "thr", "four"]);
    assert_eq!(spool.lines(session, Lines::Ledger).unwrap(), [""; 0]);
}
