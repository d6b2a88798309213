//! A journal as the service writes it: two files, with every kind of record, in batches of one and of several.

use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use exhibit::Digest;
use ids::ExhibitId;
use uuid::Uuid;

use crate::{
    journal::{
        core::{Core, Entry, NewSegment, Purpose, StoredItem, Write},
        item::NewItem,
        ledger::Book,
        record::Stored,
        simulated::Simulated,
    },
    keys::{NONCE, TAG},
};

/// The files and what is in them, in order.
pub struct Written {
    pub files: [Vec<u8>; 2],
    pub entries: Vec<Entry>,
    /// An item's plain payload.
    pub item: Vec<u8>,
}

fn exhibit() -> ExhibitId {
    Uuid::from_u128(0x0192_0000_0000_7000_8000_0000_0000_0001).into()
}

fn at(seconds: u64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::seconds(1_800_000_000 + seconds as i64)
}

/// As good as encrypted: nobody here could tell.
fn encrypted(fill: u8, len: usize) -> Stored {
    let bytes = Bytes::from(vec![fill; len + TAG]);
    let (sha256, stored_sha256) = (Digest::of(&vec![fill; len]), Digest::of(&bytes));
    Stored { nonce: Some([fill; NONCE]), len: len as u32, sha256, stored_sha256, bytes }
}

fn segment(track: &str, seq: u64, fill: u8, len: usize) -> Write {
    let (track, stored) = (track.parse().expect("a track's name"), encrypted(fill, len));
    Write::Segment(NewSegment { exhibit: exhibit(), track, seq, starts_at: at(seq), ends_at: at(seq + 1), stored })
}

fn item() -> NewItem {
    NewItem {
        exhibit: exhibit(),
        id: Uuid::from_u128(2),
        kind: "still".into(),
        name: "still-1".into(),
        media_type: "image/jpeg".into(),
        sha256: Digest::of(b"jpeg"),
        data: Bytes::from_static(b"jpeg"),
        made_at: at(2),
        added_at: at(3),
    }
}

impl Written {
    pub fn make() -> Self {
        let disk = Simulated::default();
        let mut core = Core::new(disk.clone(), 1, 1 << 20);
        core.ledger.know(exhibit(), Book::default());
        let facts = item().facts(1);
        let payload = facts.payload(b"jpeg").expect("an item's payload");
        let opening = || Write::Opening {
            exhibit: exhibit(),
            at: at(0),
            facts: Bytes::from_static(b"{\"part\":1}"),
            purpose: Purpose::Hold,
        };
        let kept = StoredItem { exhibit: exhibit(), seq: 0, facts, stored: encrypted(9, payload.len()) };
        let seal = Write::Seal { exhibit: exhibit(), at: at(9), facts: encrypted(8, 60) };
        let mut entries = Vec::new();
        let mut run = |core: &mut Core<Simulated>, batch: &[Write]| {
            entries.extend(core.run(batch).expect("a good disk").entries);
        };
        run(&mut core, &[opening(), segment("caller-1", 0, 1, 40)]);
        run(&mut core, &[segment("caller-1", 1, 2, 500), segment("officer-1", 0, 3, 0), Write::Item(kept)]);
        run(&mut core, &[segment("caller-1", 1, 4, 30)]);
        core.close().expect("a good disk");
        run(&mut core, &[segment("caller-1", 2, 5, 100)]);
        run(&mut core, &[segment("caller-1", 3, 6, 100), segment("caller-1", 4, 7, 100)]);
        let facts = Bytes::from_static(b"what is left");
        run(&mut core, &[seal, Write::Tombstone { exhibit: exhibit(), at: at(10), facts }]);
        core.close().expect("a good disk");
        Self { files: [disk.bytes(1), disk.bytes(2)], entries, item: payload }
    }
}
