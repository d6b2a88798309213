//! Every bit of a record counts, and what is encrypted belongs to one place.
#![allow(clippy::unwrap_used, clippy::expect_used)]
use super::*;

fn key() -> DataKey {
    DataKey::from_bytes([7; 32])
}

fn header(stored: &Stored) -> Header {
    Header {
        kind: Kind::Segment,
        exhibit: Uuid::from_u128(7).into(),
        track: Some("a".repeat(64).parse().unwrap()),
        seq: 3,
        item: Uuid::nil(),
        attempt: 0,
        len: stored.len,
        starts_at: DateTime::from_timestamp_micros(1_800_000_000_000_001).unwrap(),
        ends_at: DateTime::from_timestamp_micros(1_800_000_001_000_001).unwrap(),
        synced: 16,
        prev: Digest::of(b"before"),
        sha256: stored.sha256,
        stored_sha256: stored.stored_sha256,
        nonce: stored.nonce,
    }
}

fn encrypted() -> (Header, Stored) {
    let plain = header(&Stored::plain(Bytes::from_static(b"hello")));
    let identity = Identity {
        kind: plain.kind,
        exhibit: plain.exhibit,
        track: plain.track.as_ref(),
        seq: plain.seq,
        item: plain.item,
        starts_at: plain.starts_at,
        ends_at: plain.ends_at,
    };
    let stored = Stored::encrypt(&key(), [9; NONCE], &identity, b"hello", Digest::of(b"hello")).unwrap();
    (header(&stored), stored)
}

#[test]
fn reads_what_it_wrote_and_notices_every_bit() {
    let (header, stored) = encrypted();
    let mut bytes = Vec::new();
    header.encode(&mut bytes);
    let mut bytes: [u8; HEADER] = bytes.try_into().unwrap();
    assert_eq!(Header::decode(&bytes), Some(header.clone()));
    for bit in 0..HEADER * 8 {
        bytes[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(Header::decode(&bytes), None, "bit {bit}");
        bytes[bit / 8] ^= 1 << (bit % 8);
    }
    assert!(header.covers(&stored.bytes));
    assert!(!header.covers(b"hello") && !header.covers(&stored.bytes[1..]));
    assert_eq!(header.open(&key(), &stored.bytes).unwrap(), b"hello");
}

#[test]
fn every_bit_of_ciphertext_and_tag_is_authenticated() {
    let (header, stored) = encrypted();
    for bit in 0..stored.bytes.len() * 8 {
        let mut bytes = stored.bytes.to_vec();
        bytes[bit / 8] ^= 1 << (bit % 8);
        assert!(!header.covers(&bytes), "bit {bit}");
        assert!(header.open(&key(), &bytes).is_err(), "bit {bit}");
    }
    assert!(header.open(&DataKey::from_bytes([8; 32]), &stored.bytes).is_err());
}

/// Someone who can write the journal re-makes the header's own hash: the ciphertext still belongs to one place only.
#[test]
fn what_is_encrypted_can_not_be_moved_to_another_place() {
    let (good, stored) = encrypted();
    let moves: [fn(&mut Header); 10] = [
        |h| h.exhibit = Uuid::from_u128(8).into(),
        |h| h.track = Some("b".parse().unwrap()),
        |h| h.seq = 4,
        |h| h.kind = Kind::Item,
        |h| h.kind = Kind::Seal,
        |h| h.item = Uuid::from_u128(1),
        |h| h.starts_at += chrono::TimeDelta::microseconds(1),
        |h| h.ends_at += chrono::TimeDelta::microseconds(1),
        |h| h.sha256 = Digest::of(b"other"),
        |h| h.nonce = Some([8; NONCE]),
    ];
    for (n, change) in moves.into_iter().enumerate() {
        let mut header = good.clone();
        change(&mut header);
        assert!(header.open(&key(), &stored.bytes).is_err(), "change {n}");
    }
    // Which attempt it was, and where the chain stood, the sender didn't know.
    let mut kept = good.clone();
    (kept.kind, kept.attempt, kept.prev, kept.synced) = (Kind::Conflict, 2, Digest::of(b"x"), 99);
    assert_eq!(kept.open(&key(), &stored.bytes).unwrap(), b"hello");
    let mut unencrypted = good;
    unencrypted.nonce = None;
    assert!(!unencrypted.covers(&stored.bytes) && unencrypted.open(&key(), &stored.bytes).is_err());
}

/// With the right hash over the wrong bytes: what `encode` wouldn't write is no header.
#[test]
fn a_header_has_one_spelling() {
    let (encrypted, _) = encrypted();
    let unencrypted = header(&Stored::plain(Bytes::from_static(b"hello")));
    let spellings: [(&Header, usize, u8); 5] = [
        (&encrypted, 5, Kind::Seal as u8),
        (&encrypted, 7, 2),
        (&encrypted, CHECKED - 1, 1),
        (&unencrypted, 160, 1),
        (&unencrypted, 7, 2),
    ];
    for (header, at, byte) in spellings {
        let mut bytes = Vec::new();
        header.encode(&mut bytes);
        bytes[at] = byte;
        let check = Digest::of(&bytes[..CHECKED]);
        bytes[CHECKED..].copy_from_slice(check.as_bytes());
        assert_eq!(Header::decode(bytes.first_chunk().unwrap()), None, "byte {at}");
    }
}
