//! The process killed at any moment, the index lost, bytes altered on the disk: nothing acknowledged is lost, and
//! what is damaged is never sealed as if it were whole.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod support;

use std::{fs, os::unix::fs::FileExt};

use api::evidence::v1::{ExhibitSealed, ExhibitState, IntegrityAlarm};
use exhibit::verify::Outcome;
use support::*;
use tonic::Code;

#[tokio::test]
async fn a_kill_in_the_middle_loses_nothing_acknowledged() {
    let mut room = Room::open().await;
    let others = Others::at(&room.nats).await;
    let call = room.call().await;
    let mut next = 0;
    let mut acks = vec![];
    for round in 0..3 {
        let mut stream = room.append().await;
        for seq in next..next + 200 {
            stream.segments.send(segment(&call, "caller-1", seq)).await.unwrap();
        }
        // Some are acknowledged, some on their way, when it dies.
        for _ in 0..40 + round * 7 {
            acks.push(stream.ack().await.unwrap());
        }
        room.service.kill().await.unwrap();
        next = acks.len() as u64;
        room.restart().await;
        let mut again = room.append().await;
        for ack in &acks {
            assert_eq!(again.send(segment(&call, "caller-1", ack.seq)).await.unwrap(), *ack);
        }
    }
    room.append().await.send(segment(&call, "caller-1", next)).await.unwrap();
    assert!(room.service.terminate().await.unwrap().success());
    room.restart().await;
    // Whatever was written and never acknowledged is held all the same: the recorder declares what it recorded.
    let held = room.exhibit(&call).await.unwrap().tracks[0].segments;
    others.ended(&call, &[("caller-1", held)]).await;
    let sealed: ExhibitSealed = room.published(&call, "exhibit_sealed").await.pop().unwrap().decode();
    assert_eq!(sealed.missing_segments, 0);
    let report = room.verified(&sealed.exhibit_id).await;
    assert_eq!(report.outcome(), Outcome::Proved, "{report:?}");
}

#[tokio::test]
async fn the_index_is_rebuilt_from_the_journal() {
    let mut room = Room::open().await;
    let others = Others::at(&room.nats).await;
    let call = room.call().await;
    let mut stream = room.append().await;
    let mut acks = vec![];
    for seq in 0..30 {
        acks.push(stream.send(segment(&call, "caller-1", seq)).await.unwrap());
    }
    let conflict = holding(&call, "caller-1", 3, b"other".to_vec());
    refused(stream.send(conflict).await, Code::DataLoss, "SEGMENT_CONFLICT");
    room.published(&call, "integrity_alarm").await;
    let before = room.exhibit(&call).await.unwrap();
    assert!(room.service.terminate().await.unwrap().success());
    let lose = "truncate evidence.exhibits, evidence.tracks, evidence.segments, evidence.conflicts, evidence.alarms,
                         evidence.journal_files cascade";
    sqlx::query(lose).execute(&room.db.pool()).await.unwrap();
    room.restart().await;
    assert_eq!(room.exhibit(&call).await.unwrap(), before);
    let mut again = room.append().await;
    for ack in acks {
        assert_eq!(again.send(segment(&call, "caller-1", ack.seq)).await.unwrap(), ack);
    }
    others.ended(&call, &[("caller-1", 30)]).await;
    let sealed: ExhibitSealed = room.published(&call, "exhibit_sealed").await.pop().unwrap().decode();
    assert_eq!(room.verified(&sealed.exhibit_id).await.outcome(), Outcome::Proved);
}

#[tokio::test]
async fn an_altered_byte_is_found_before_the_seal_and_calls_for_a_person() {
    let room = Room::open().await;
    let others = Others::at(&room.nats).await;
    let (bad, good) = (room.call().await, room.call().await);
    let mut stream = room.append().await;
    for seq in 0..5 {
        stream.send(segment(&bad, "caller-1", seq)).await.unwrap();
        stream.send(segment(&good, "caller-1", seq)).await.unwrap();
    }
    alter(&room, &bytes("caller-1", 3, 10_000));

    others.ended(&bad, &[("caller-1", 5)]).await;
    let alarm: IntegrityAlarm = room.published(&bad, "integrity_alarm").await.pop().unwrap().decode();
    assert_eq!((alarm.kind.as_str(), alarm.track.as_str(), alarm.seq), ("JOURNAL_CORRUPT", "caller-1", 3));
    assert_eq!(room.exhibit(&bad).await.unwrap().state(), ExhibitState::Fenced);
    // The others are sealed as ever.
    others.ended(&good, &[("caller-1", 5)]).await;
    room.published(&good, "exhibit_sealed").await;
}

#[tokio::test]
async fn damage_found_at_start_is_reported_and_can_be_sent_again() {
    let mut room = Room::open().await;
    let others = Others::at(&room.nats).await;
    let call = room.call().await;
    let mut stream = room.append().await;
    let mut acks = vec![stream.send(segment(&call, "caller-1", 0)).await.unwrap()];
    // So that the index has none of these yet.
    room.db.stop().await.unwrap();
    for seq in 1..6 {
        acks.push(stream.send(segment(&call, "caller-1", seq)).await.unwrap());
    }
    room.service.kill().await.unwrap();
    alter(&room, &bytes("caller-1", 2, 10_000));
    room.db.start().await.unwrap();
    room.restart().await;
    let alarm: IntegrityAlarm = room.published(&call, "integrity_alarm").await.pop().unwrap().decode();
    assert_eq!((alarm.kind.as_str(), alarm.track.as_str(), alarm.seq), ("JOURNAL_CORRUPT", "caller-1", 2));
    let early = room.append().await.send(segment(&call, "caller-1", 6)).await;
    refused(early, Code::FailedPrecondition, "SEGMENT_OUT_OF_ORDER");
    let mut again = room.append().await;
    for ack in &acks {
        assert_eq!(again.send(segment(&call, "caller-1", ack.seq)).await.unwrap(), *ack);
    }
    others.ended(&call, &[("caller-1", 6)]).await;
    let sealed: ExhibitSealed = room.published(&call, "exhibit_sealed").await.pop().unwrap().decode();
    assert_eq!(room.verified(&sealed.exhibit_id).await.outcome(), Outcome::Proved);
}

/// Changes one byte where these lie in the journal.
fn alter(room: &Room, wanted: &[u8]) {
    let journal = fs::read_dir(room.data.path()).unwrap().map(|entry| entry.unwrap().path());
    let journal = journal.filter(|path| path.extension().is_some_and(|e| e == "alj")).collect::<Vec<_>>();
    let content = fs::read(&journal[0]).unwrap();
    let at = content.windows(wanted.len()).position(|w| w == wanted).unwrap();
    let file = fs::OpenOptions::new().write(true).open(&journal[0]).unwrap();
    file.write_all_at(&[content[at + 77] ^ 4], at as u64 + 77).unwrap();
}

#[tokio::test]
async fn it_starts_without_postgres_or_nats_and_one_process_has_the_folder() {
    let mut room = Room::open().await;
    let others = Others::at(&room.nats).await;
    let call = room.call().await;
    let first = room.append().await.send(segment(&call, "caller-1", 0)).await.unwrap();
    let dir = room.data.path().to_str().unwrap().to_owned();
    let twin = testkit::Service::start("evidence-store", &[("ALCOVE_EVIDENCE_STORE__JOURNAL__DATA_DIR", &dir)]).await;
    assert!(twin.is_err(), "two processes in one folder");

    room.service.kill().await.unwrap();
    room.db.stop().await.unwrap();
    room.nats.stop().await.unwrap();
    room.restart().await;
    let early = room.append().await.send(segment(&call, "caller-1", 0)).await;
    refused(early, Code::Unavailable, "DATABASE_UNAVAILABLE");
    room.db.start().await.unwrap();
    room.nats.start().await.unwrap();
    let again = tokio::time::timeout(PATIENCE, async {
        loop {
            match room.append().await.send(segment(&call, "caller-1", 0)).await {
                Ok(ack) => break ack,
                Err(status) => assert_eq!(status.code(), Code::Unavailable),
            }
        }
    });
    assert_eq!(again.await.unwrap(), first);
    others.ended(&call, &[("caller-1", 1)]).await;
    room.published(&call, "exhibit_sealed").await;
    assert!(room.service.terminate().await.unwrap().success());
}
