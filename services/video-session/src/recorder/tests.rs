//! What is owed comes to a real disk, however it behaves.
#![allow(clippy::unwrap_used)]

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    time::Duration,
};

use chrono::DateTime;
use ids::SessionId;
use tokio::sync::mpsc::UnboundedReceiver;
use uuid::Uuid;

use super::*;
use crate::{
    media::RecordedSegment,
    spool::{Lines, Owner, Place},
};

const PATIENCE: Duration = Duration::from_secs(20);

struct Stage {
    keeper: Keeper,
    facts: UnboundedReceiver<Fact>,
    dir: tempfile::TempDir,
}

impl Stage {
    /// With two sessions whose folders are there.
    fn set(most: usize) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let spool = Spool::open(&dir.path().join("spool"), &dir.path().join("receipts"), None).unwrap();
        for number in 1..=2 {
            spool.prepare(&Owner::numbered(number)).unwrap();
        }
        let (told, facts) = unbounded_channel();
        let owed = Arc::new(Mutex::new(Owed::new(most)));
        let (rooms, health, tasks) = (Rooms::default(), Health::new(), TaskTracker::new());
        Self { keeper: Keeper { owed, spool, rooms, facts: told, health, tasks }, facts, dir }
    }

    fn folder(&self, number: u128) -> PathBuf {
        self.dir.path().join("spool").join(session(number).to_string())
    }

    fn segments(&self, number: u128, seqs: std::ops::Range<u64>) {
        for seq in seqs {
            let segment = RecordedSegment {
                session: session(number),
                participant: Uuid::from_u128(3).into(),
                track: "caller-1".parse().unwrap(),
                seq,
                starts_at: DateTime::from_timestamp(1_800_000_000, 0).unwrap(),
                ends_at: DateTime::from_timestamp(1_800_000_001, 0).unwrap(),
                bytes: vec![7; 300].into(),
            };
            self.keeper.owe(session(number), |owed| owed.segment(segment));
        }
    }

    fn line(&self, number: u128, line: &str) {
        self.keeper.owe(session(number), |owed| owed.line(session(number), DateTime::UNIX_EPOCH, line.to_owned()));
    }

    /// Its publication is over, after so many segments.
    fn over(&self, number: u128, segments: u64) {
        let over = Over {
            participant: Uuid::from_u128(3).into(),
            track: "caller-1".parse().unwrap(),
            segments,
            at: DateTime::UNIX_EPOCH,
        };
        self.keeper.owe(session(number), |owed| owed.over(session(number), over));
    }

    /// Of which session the next publication's end is told, and after how many segments.
    async fn told(&mut self) -> (SessionId, u64) {
        match tokio::time::timeout(PATIENCE, self.facts.recv()).await.unwrap().unwrap() {
            Fact::Seen(Seen { session, what: What::Ended { segments }, .. }) => (session, segments),
            other => panic!("{other:?}"),
        }
    }

    async fn alarmed(&self) {
        testkit::until("the alarm", async || !self.keeper.health.is_ready()).await;
    }

    fn kept(&self, number: u128) -> Vec<usize> {
        let track = "caller-1".parse().unwrap();
        let bytes = |seq| {
            let place = Place { track: "caller-1".parse().unwrap(), seq };
            self.keeper.spool.load(session(number), &place).unwrap().data.len()
        };
        let recorded = self.keeper.spool.recorded(session(number)).into_iter().find(|(name, _)| *name == track);
        (0..recorded.map_or(0, |(_, count)| count)).map(bytes).collect()
    }

    fn noted(&self, number: u128) -> Vec<String> {
        self.keeper.spool.lines(session(number), Lines::Ledger).unwrap()
    }
}

fn session(number: u128) -> SessionId {
    Uuid::from_u128(number).into()
}

fn beside(path: &Path) -> PathBuf {
    path.with_extension("away")
}

#[tokio::test]
async fn a_session_that_cant_be_kept_holds_up_no_other() {
    let mut stage = Stage::set(MOST_OWED);
    let folder = stage.folder(1);
    fs::rename(&folder, beside(&folder)).unwrap();
    stage.segments(1, 0..3);
    stage.over(1, 3);
    stage.alarmed().await;
    stage.segments(2, 0..3);
    stage.line(2, "{}");
    stage.over(2, 3);
    assert_eq!(stage.told().await, (session(2), 3));
    assert_eq!((stage.kept(2), stage.noted(2).len()), (vec![300; 3], 1));
    assert!(!stage.keeper.health.is_ready(), "the other is sick still");

    fs::rename(beside(&folder), &folder).unwrap();
    assert_eq!(stage.told().await, (session(1), 3));
    assert_eq!(stage.kept(1), [300; 3]);
    stage.keeper.health.ready().await;
}

#[tokio::test]
async fn lines_wait_for_the_disk_and_are_there_before_the_end_is_told() {
    let mut stage = Stage::set(MOST_OWED);
    stage.line(1, "one");
    testkit::until("the first line", async || stage.noted(1).len() == 1).await;
    // From here on the disk is full, for the ledger only.
    let ledger = stage.folder(1).join("ledger.jsonl");
    fs::rename(&ledger, beside(&ledger)).unwrap();
    symlink("/dev/full", &ledger).unwrap();
    stage.line(1, "two");
    stage.over(1, 1);
    stage.alarmed().await;
    stage.segments(1, 0..1);
    stage.line(1, "three");
    testkit::until("the segment", async || stage.kept(1) == [300]).await;
    assert!(stage.facts.try_recv().is_err(), "lines are owed");

    fs::rename(beside(&ledger), &ledger).unwrap();
    assert_eq!(stage.told().await, (session(1), 1));
    assert_eq!(stage.noted(1), ["one", "two", "three"]);
}

#[tokio::test]
async fn what_there_is_no_room_for_is_a_hole_and_the_ledger_says_so() {
    let mut stage = Stage::set(1_000);
    let folder = stage.folder(1);
    fs::rename(&folder, beside(&folder)).unwrap();
    stage.segments(1, 0..7);
    stage.over(1, 7);
    stage.alarmed().await;
    fs::rename(beside(&folder), &folder).unwrap();
    assert_eq!(stage.told().await, (session(1), 7));
    assert_eq!(stage.kept(1), [300, 300, 300, 2, 2, 2, 2], "numbers go on without a gap");
    let [line] = &stage.noted(1)[..] else { panic!("{:?}", stage.noted(1)) };
    assert!(line.contains(r#""first_segment":"3""#) && line.contains(r#""segments":"4""#), "{line}");
    stage.segments(1, 7..8);
    stage.over(1, 8);
    assert_eq!((stage.told().await, stage.kept(1).last()), ((session(1), 8), Some(&300)));
}

#[tokio::test]
async fn what_has_no_folder_any_more_is_not_tried_for_ever() {
    let mut stage = Stage::set(MOST_OWED);
    stage.keeper.spool.retire(session(1));
    stage.segments(1, 0..2);
    stage.over(1, 2);
    assert_eq!(stage.told().await, (session(1), 2));
    stage.keeper.tasks.close();
    tokio::time::timeout(PATIENCE, stage.keeper.tasks.wait()).await.unwrap();
}
