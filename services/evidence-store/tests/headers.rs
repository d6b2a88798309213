//! A bit flipped in a record's header: whoever is hit is named, by exhibit, track and number, wherever the index knows
//! what lay there; where it can't, the place is, and then whatever misses it.

use std::{fs, os::unix::fs::FileExt};

use crate::support::*;
use testkit::until;
use uuid::Uuid;

/// Each field of a header, and where it begins.
const FIELDS: [(&str, usize); 19] = [
    ("magic", 0),
    ("version", 4),
    ("kind", 5),
    ("name's length", 6),
    ("encrypted", 7),
    ("exhibit", 8),
    ("seq", 24),
    ("attempt", 32),
    ("len", 36),
    ("starts_at", 40),
    ("ends_at", 48),
    ("synced", 56),
    ("prev", 64),
    ("sha256", 96),
    ("stored_sha256", 128),
    ("nonce", 160),
    ("item", 172),
    ("name", 188),
    ("check", 256),
];
const SEGMENTS: u64 = 3;

/// Two exhibits, whose segments lie in turn behind their openings.
struct Stage {
    room: Room,
    exhibits: [Uuid; 2],
    /// Where each record begins.
    records: Vec<usize>,
}

impl Stage {
    /// Stopped, with all of it indexed.
    async fn set() -> Self {
        let mut room = Room::open().await;
        let calls = [room.call().await, room.call().await];
        let mut stream = room.append().await;
        for seq in 0..SEGMENTS {
            for call in &calls {
                stream.send(segment(call, "caller-1", seq)).await.unwrap();
            }
        }
        let mut exhibits = [Uuid::nil(); 2];
        for (id, call) in exhibits.iter_mut().zip(&calls) {
            let indexed = |e: &api::evidence::v1::GetExhibitResponse| {
                e.tracks.first().is_some_and(|track| track.segments == SEGMENTS)
            };
            *id = room.exhibit_until(call, indexed).await.exhibit_id.parse().unwrap();
        }
        assert!(room.service.terminate().await.unwrap().success());
        let content = fs::read(&room.journal()[0]).unwrap();
        let magic = content.windows(4).enumerate().filter(|(_, window)| window == b"ALCR");
        let records: Vec<usize> = magic.map(|(at, _)| at).collect();
        assert_eq!(records.len(), 2 + 2 * SEGMENTS as usize);
        Self { room, exhibits, records }
    }

    /// Which record holds a segment of one of the two.
    fn record(&self, exhibit: usize, seq: usize) -> usize {
        self.records[2 + 2 * seq + exhibit]
    }

    /// A second time: it is as it was.
    fn flip(&self, at: usize) {
        let file = fs::OpenOptions::new().read(true).write(true).open(&self.room.journal()[0]).unwrap();
        let mut byte = [0];
        file.read_exact_at(&mut byte, at as u64).unwrap();
        file.write_all_at(&[byte[0] ^ 1], at as u64).unwrap();
    }

    async fn run(&self, sql: &'static str) {
        sqlx::raw_sql(sql).execute(&self.room.db.pool()).await.unwrap();
    }

    /// Who was named, and how.
    async fn alarms(&self) -> Vec<(Uuid, String, String, i64)> {
        let alarms = "select exhibit_id, kind, track, seq from evidence.alarms order by exhibit_id, track, seq";
        sqlx::query_as(alarms).fetch_all(&self.room.db.pool()).await.unwrap()
    }

    fn named(&self, exhibit: usize, seq: i64) -> Vec<(Uuid, String, String, i64)> {
        vec![(self.exhibits[exhibit], "JOURNAL_CORRUPT".to_owned(), "caller-1".to_owned(), seq)]
    }

    /// Since when the log is of interest.
    fn log_len(&self) -> usize {
        fs::read(self.room.service.log_file()).unwrap().len()
    }

    fn logged_since(&self, from: usize) -> String {
        String::from_utf8_lossy(&fs::read(self.room.service.log_file()).unwrap()[from..]).into_owned()
    }

    async fn stop(&mut self) {
        assert!(self.room.service.terminate().await.unwrap().success());
    }
}

/// The last that the index has of a file: looked at by recovery itself.
#[tokio::test]
async fn in_the_last_indexed_record_recovery_names_it() {
    let mut stage = Stage::set().await;
    let record = stage.record(1, 2);
    for (field, at) in FIELDS {
        stage.flip(record + at);
        let from = stage.log_len();
        stage.room.restart().await;
        assert_eq!(stage.alarms().await, stage.named(1, 2), "{field}");
        let log = stage.logged_since(from);
        assert!(log.contains("the journal is damaged") && log.contains(&format!("at={record} ")), "{field}: {log}");
        stage.stop().await;
        // It is no torn tail for whoever makes the index anew, either.
        stage.run("truncate evidence.alarms").await;
        stage.room.errand("reindex", &[]).await.unwrap();
        assert_eq!(stage.alarms().await, stage.named(1, 2), "{field}");
        stage.flip(record + at);
        stage.run("truncate evidence.alarms").await;
        stage.room.errand("reindex", &[]).await.unwrap();
    }
    stage.room.restart().await;
    assert_eq!(stage.alarms().await, []);
}

/// Any other is looked at when what is open is read back, or when the index is made anew.
#[tokio::test]
async fn in_any_other_indexed_record_reading_back_and_reindex_name_it() {
    let mut stage = Stage::set().await;
    let record = stage.record(0, 1);
    for (field, at) in FIELDS {
        stage.flip(record + at);
        stage.room.restart().await;
        until(field, async || !stage.alarms().await.is_empty()).await;
        assert_eq!(stage.alarms().await, stage.named(0, 1), "{field}");
        stage.stop().await;

        stage.run("truncate evidence.alarms").await;
        stage.room.errand("reindex", &[]).await.unwrap();
        assert_eq!(stage.alarms().await, stage.named(0, 1), "{field}");
        stage.flip(record + at);
        stage.run("truncate evidence.alarms").await;
        stage.room.errand("reindex", &[]).await.unwrap();
        assert_eq!(stage.alarms().await, [], "{field}");
    }
}

/// Without an index nobody knows whose it was: recovery says its place, and where records can be read again. Whose it was
/// shows when the track is read back: the alarm names the segment that has nothing to follow any more.
#[tokio::test]
async fn in_a_record_that_nobody_indexed_the_place_is_said_and_the_gap_named() {
    let mut stage = Stage::set().await;
    let (record, next) = (stage.record(0, 1), stage.record(1, 1));
    for (field, at) in FIELDS {
        stage.flip(record + at);
        stage
            .run(
                "truncate evidence.exhibits, evidence.tracks, evidence.segments, evidence.conflicts, evidence.alarms,
                 evidence.journal_files cascade",
            )
            .await;
        let from = stage.log_len();
        stage.room.restart().await;
        let log = stage.logged_since(from);
        let damage: Vec<&str> = log.lines().filter(|line| line.contains("the journal is damaged")).collect();
        assert_eq!(damage.len(), 1, "{field}: {log}");
        assert!(damage[0].contains(&format!("file=1 at={record} until={next} ")), "{field}: {damage:?}");
        assert!(damage[0].contains("JOURNAL_CORRUPT"), "{field}: {damage:?}");
        until(field, async || !stage.alarms().await.is_empty()).await;
        assert_eq!(stage.alarms().await, stage.named(0, 2), "{field}");
        stage.stop().await;
        stage.flip(record + at);
    }
}
