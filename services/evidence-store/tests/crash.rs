//! The process killed at any moment, the index lost, bytes altered on the disk: nothing acknowledged is lost, and
//! what is damaged is never sealed as if it were whole.

use std::{fs, os::unix::fs::FileExt};

use crate::support::*;
use api::evidence::v1::{ExhibitSealed, ExhibitState, IntegrityAlarm};
use exhibit::verify::Outcome;
use testkit::{OtlpSink, SeenMetric};
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
            assert_eq!(held(again.send(segment(&call, "caller-1", ack.seq)).await.unwrap()), held(ack.clone()));
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
    assert_eq!(report.outcome(), Outcome::InPart, "{report:?}");
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
        assert_eq!(held(again.send(segment(&call, "caller-1", ack.seq)).await.unwrap()), held(ack));
    }
    others.ended(&call, &[("caller-1", 30)]).await;
    let sealed: ExhibitSealed = room.published(&call, "exhibit_sealed").await.pop().unwrap().decode();
    assert_eq!(room.verified(&sealed.exhibit_id).await.outcome(), Outcome::InPart);
}

/// One exhibit's row can't be read: the service starts and takes up the others. That one is told of until somebody has mended it, and is then
/// taken up, and read back, without anybody asking for it.
#[tokio::test]
async fn an_exhibit_that_cannot_be_read_keeps_no_other_from_being_taken_up() {
    let sink = OtlpSink::start().await.unwrap();
    let endpoint = sink.endpoint();
    let settings = [
        ("ALCOVE_EVIDENCE_STORE__TELEMETRY__OTLP_ENDPOINT", endpoint.as_str()),
        ("ALCOVE_EVIDENCE_STORE__TELEMETRY__METRICS_EVERY_MS", "100"),
    ];
    let mut room = Room::with(&settings).await;
    let (unreadable, other) = (room.call().await, room.call().await);
    let mut stream = room.append().await;
    let first = stream.send(segment(&unreadable, "caller-1", 0)).await.unwrap();
    for seq in 1..3 {
        stream.send(segment(&unreadable, "caller-1", seq)).await.unwrap();
    }
    stream.send(segment(&other, "caller-1", 0)).await.unwrap();
    assert!(room.service.terminate().await.unwrap().success());
    // Kept in the row itself, so that it can be mended.
    let damage = "update evidence.exhibits set incident_date = '?' || incident_date where call_id = $1::uuid";
    sqlx::query(damage).bind(&unreadable).execute(&room.db.pool()).await.unwrap();
    // Two openings, then its segments.
    alter(&room, 2 + 1);
    room.restart().await;
    room.append().await.send(segment(&other, "caller-1", 1)).await.unwrap();
    let refused = room.append().await.send(segment(&unreadable, "caller-1", 3)).await.unwrap_err();
    assert_eq!(refused.code(), Code::Internal);
    told(&sink, 1.0).await;
    let mend = "update evidence.exhibits set incident_date = ltrim(incident_date, '?') where call_id = $1::uuid";
    sqlx::query(mend).bind(&unreadable).execute(&room.db.pool()).await.unwrap();
    let alarm: IntegrityAlarm = room.published(&unreadable, "integrity_alarm").await.pop().unwrap().decode();
    assert_eq!((alarm.kind.as_str(), alarm.track.as_str(), alarm.seq), ("JOURNAL_CORRUPT", "caller-1", 1));
    told(&sink, 0.0).await;
    let mut stream = room.append().await;
    assert_eq!(held(stream.send(segment(&unreadable, "caller-1", 0)).await.unwrap()), held(first), "it is held still");
    stream.send(segment(&unreadable, "caller-1", 3)).await.unwrap();
}

/// Waits until so many exhibits are told of as unreadable.
async fn told(sink: &OtlpSink, exhibits: f64) {
    let is_so = |metric: &SeenMetric| {
        metric.name == "alcove.evidence.unreadable" && metric.points.iter().map(|(value, _)| *value).eq([exhibits])
    };
    let seen = sink.wait_for_metrics(PATIENCE, |seen| seen.iter().any(is_so)).await;
    assert!(seen.is_ok(), "never {exhibits}");
}

/// A database from before the seal, put back beside the journal: the exhibit is not sealed a second time.
#[tokio::test]
async fn an_older_database_learns_of_the_seal_from_the_journal() {
    let mut room = Room::open().await;
    let others = Others::at(&room.nats).await;
    let call = room.call().await;
    let mut stream = room.append().await;
    for seq in 0..5 {
        stream.send(segment(&call, "caller-1", seq)).await.unwrap();
    }
    others.ended(&call, &[("caller-1", 5)]).await;
    let sealed: ExhibitSealed = room.published(&call, "exhibit_sealed").await.pop().unwrap().decode();
    assert!(room.service.terminate().await.unwrap().success());
    let before = "alter table evidence.artefacts disable trigger write_once; delete from evidence.artefacts;
                  alter table evidence.segments disable trigger write_once; delete from evidence.segments;
                  delete from evidence.tracks; delete from evidence.journal_files; delete from evidence.exhibit_files;
                  delete from evidence.exhibits";
    sqlx::raw_sql(before).execute(&room.db.pool()).await.unwrap();
    room.restart().await;
    let exhibit = room.exhibit(&call).await.unwrap();
    assert_eq!((exhibit.state(), &exhibit.seal_sha256), (ExhibitState::Sealed, &sealed.seal_sha256));
    assert_eq!(room.verified(&sealed.exhibit_id).await.outcome(), Outcome::InPart);
}

/// An older copy of the journal, put back beside a newer database: said at once, and never written over.
#[tokio::test]
async fn an_older_journal_is_noticed_at_start() {
    let mut room = Room::open().await;
    let others = Others::at(&room.nats).await;
    let call = room.call().await;
    let mut stream = room.append().await;
    for seq in 0..3 {
        stream.send(segment(&call, "caller-1", seq)).await.unwrap();
    }
    room.service.kill().await.unwrap();
    let file = room.journal().pop().unwrap();
    let older = fs::read(&file).unwrap();
    room.restart().await;
    let mut stream = room.append().await;
    for seq in 3..6 {
        stream.send(segment(&call, "caller-1", seq)).await.unwrap();
    }
    assert!(room.service.terminate().await.unwrap().success());
    room.restart().await;
    assert!(room.service.terminate().await.unwrap().success());
    fs::write(&file, &older).unwrap();
    room.restart().await;
    let alarm: IntegrityAlarm = room.published(&call, "integrity_alarm").await.pop().unwrap().decode();
    assert_eq!((alarm.kind.as_str(), alarm.track.as_str(), alarm.seq), ("JOURNAL_CORRUPT", "caller-1", 3));
    // What comes now goes into a new file; the old one stays as it was put back.
    let other = room.call().await;
    room.append().await.send(segment(&other, "caller-1", 0)).await.unwrap();
    assert_eq!(fs::read(&file).unwrap(), older);
    assert_eq!(room.journal().len(), 2);
    others.ended(&call, &[("caller-1", 6)]).await;
    others.ended(&other, &[("caller-1", 1)]).await;
    room.published(&other, "exhibit_sealed").await;
    assert_ne!(room.exhibit(&call).await.unwrap().state(), ExhibitState::Sealed);
}

/// Found while the call is still on: everything is read back from the start after a restart, and each second as it comes.
#[tokio::test]
async fn an_altered_byte_raises_the_alarm_while_the_call_is_on() {
    let mut room = Room::open().await;
    let call = room.call().await;
    let mut stream = room.append().await;
    for seq in 0..5 {
        stream.send(segment(&call, "caller-1", seq)).await.unwrap();
    }
    assert!(room.service.terminate().await.unwrap().success());
    alter(&room, 1 + 3);
    room.restart().await;
    let alarm: IntegrityAlarm = room.published(&call, "integrity_alarm").await.pop().unwrap().decode();
    assert_eq!((alarm.kind.as_str(), alarm.track.as_str(), alarm.seq), ("JOURNAL_CORRUPT", "caller-1", 3));
    assert_eq!(room.exhibit(&call).await.unwrap().state(), ExhibitState::Open);
    room.append().await.send(segment(&call, "caller-1", 5)).await.unwrap();
}

#[tokio::test]
async fn an_altered_byte_is_found_before_the_seal_and_calls_for_a_person() {
    let mut room = Room::open().await;
    let others = Others::at(&room.nats).await;
    let (bad, good) = (room.call().await, room.call().await);
    let mut stream = room.append().await;
    for seq in 0..5 {
        stream.send(segment(&bad, "caller-1", seq)).await.unwrap();
        stream.send(segment(&good, "caller-1", seq)).await.unwrap();
    }
    // What was read back is read again by the next process.
    assert!(room.service.terminate().await.unwrap().success());
    // Two openings, then a segment of each in turn.
    alter(&room, 2 + 2 * 3);
    room.restart().await;

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
    // Behind the opening.
    alter(&room, 1 + 2);
    room.db.start().await.unwrap();
    room.restart().await;
    let alarm: IntegrityAlarm = room.published(&call, "integrity_alarm").await.pop().unwrap().decode();
    assert_eq!((alarm.kind.as_str(), alarm.track.as_str(), alarm.seq), ("JOURNAL_CORRUPT", "caller-1", 2));
    let early = room.append().await.send(segment(&call, "caller-1", 6)).await;
    refused(early, Code::FailedPrecondition, "SEGMENT_OUT_OF_ORDER");
    // Before the damage nothing has changed. From there on the segments are encrypted anew, and take the place of those
    // that no longer have a chain to hang on.
    let mut again = room.append().await;
    for ack in &acks {
        let second = again.send(segment(&call, "caller-1", ack.seq)).await.unwrap();
        assert_eq!((&second.track, second.seq), (&ack.track, ack.seq));
        assert_eq!(second.chain == ack.chain, ack.seq < 2);
    }
    others.ended(&call, &[("caller-1", 6)]).await;
    let sealed: ExhibitSealed = room.published(&call, "exhibit_sealed").await.pop().unwrap().decode();
    assert_eq!(room.verified(&sealed.exhibit_id).await.outcome(), Outcome::InPart);
}

/// Changes one byte of what is stored for a segment: its header is 288 bytes long, and its ciphertext as long as what was
/// sent. Its place is looked for in the journal itself, since the index may not have it: the `nth` record in all.
fn alter(room: &Room, nth: usize) {
    let journal = room.journal();
    let content = fs::read(&journal[0]).unwrap();
    let records = content.windows(4).enumerate().filter(|(_, w)| w == b"ALCR").map(|(at, _)| at);
    let at = records.skip(nth).map(|at| at + 288 + 77).next().unwrap();
    let file = fs::OpenOptions::new().write(true).open(&journal[0]).unwrap();
    file.write_all_at(&[content[at] ^ 4], at as u64).unwrap();
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
    assert_eq!(held(again.await.unwrap()), held(first));
    others.ended(&call, &[("caller-1", 1)]).await;
    room.published(&call, "exhibit_sealed").await;
    assert!(room.service.terminate().await.unwrap().success());
}
