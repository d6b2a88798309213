//! Segments up, acks down: what is taken, what is refused and by which name, and what happens without a database.

use crate::support::*;
use api::evidence::v1::{ExhibitState, IntegrityAlarm, OpenExhibitResponse};
use chassis::status::metadata_of;
use exhibit::chain;
use ids::ExhibitId;
use tonic::Code;

#[tokio::test]
async fn acks_carry_the_chain_and_a_repeat_gets_the_same_one() {
    let room = Room::open().await;
    let call = room.call().await;
    let exhibit: ExhibitId = room.exhibit(&call).await.unwrap().exhibit_id.parse().unwrap();
    let mut stream = room.append().await;
    let track = "caller-1".parse().unwrap();
    let mut acks = vec![];
    for seq in 0..5 {
        acks.push(stream.send(segment(&call, "caller-1", seq)).await.unwrap());
    }
    // The chain covers the ciphertext too: its hash is in the index, which comes a little later.
    let stored = tokio::time::timeout(PATIENCE, async {
        loop {
            let query = "select stored_sha256 from evidence.segments order by seq";
            let stored: Vec<Vec<u8>> = sqlx::query_scalar(query).fetch_all(&room.db.pool()).await.unwrap();
            if stored.len() == acks.len() {
                break stored;
            }
            tokio::task::yield_now().await;
        }
    });
    let mut head = chain::genesis(exhibit, &track);
    for (ack, stored) in acks.iter().zip(stored.await.unwrap()) {
        let sent = segment(&call, "caller-1", ack.seq);
        let time = |at: prost_types::Timestamp| chrono::DateTime::from_timestamp(at.seconds, at.nanos as u32).unwrap();
        let link = chain::Link {
            exhibit,
            track: &track,
            seq: ack.seq,
            plain: sent.sha256[..].try_into().unwrap(),
            stored: stored[..].try_into().unwrap(),
            starts_at: time(sent.starts_at.unwrap()),
            ends_at: time(sent.ends_at.unwrap()),
            bytes: sent.data.len() as u64,
        };
        assert_ne!(link.plain, link.stored);
        head = link.after(head);
        assert_eq!((ack.track.as_str(), &ack.chain[..]), ("caller-1", &head.as_bytes()[..]));
    }
    let mut again = room.append().await;
    for ack in acks {
        assert_eq!(held(again.send(segment(&call, "caller-1", ack.seq)).await.unwrap()), held(ack));
    }
}

#[tokio::test]
async fn each_refusal_has_its_name() {
    let room = Room::open().await;
    let call = room.call().await;
    let refuse = async |segment, code, reason| refused(room.append().await.send(segment).await, code, reason);
    let good = || segment(&call, "caller-1", 0);

    let mut bad = good();
    let mut flipped = bad.data.to_vec();
    flipped[7] ^= 1;
    bad.data = flipped.into();
    refuse(bad, Code::InvalidArgument, "HASH_MISMATCH").await;
    let mut bad = good();
    bad.sha256.pop();
    refuse(bad, Code::InvalidArgument, "HASH_MISMATCH").await;
    let large = holding(&call, "caller-1", 0, vec![7; (4 << 20) + 1]);
    refuse(large, Code::InvalidArgument, "SEGMENT_TOO_LARGE").await;
    for track in ["", "../etc/passwd", "Caller", &"a".repeat(65)] {
        refuse(segment(&call, track, 0), Code::InvalidArgument, "INVALID_TRACK").await;
    }
    let mut bad = good();
    bad.ends_at = Some(at(0));
    bad.starts_at = Some(at(1));
    refuse(bad, Code::InvalidArgument, "INVALID_TIME").await;
    refuse(segment(&call, "items", 0), Code::InvalidArgument, "INVALID_TRACK").await;
    let mut bad = good();
    bad.call_id = "not-an-id".into();
    refuse(bad, Code::InvalidArgument, "MALFORMED_ID").await;
    let mut bad = good();
    bad.call_id = fresh();
    refuse(bad, Code::NotFound, "UNKNOWN_EXHIBIT").await;
    let mut bad = good();
    bad.force_id = "kent".into();
    refuse(bad, Code::NotFound, "UNKNOWN_EXHIBIT").await;
    let mut bad = good();
    bad.force_id = "Kent!".into();
    refuse(bad, Code::InvalidArgument, "INVALID_FORCE").await;

    let early = refuse(segment(&call, "caller-1", 1), Code::FailedPrecondition, "SEGMENT_OUT_OF_ORDER").await;
    assert_eq!(metadata_of(&early, "track").as_deref(), Some("caller-1"));
    assert_eq!(metadata_of(&early, "expected_seq").as_deref(), Some("0"));

    // The largest is fine, and none of this got in the way.
    let largest = holding(&call, "caller-1", 0, vec![7; 4 << 20]);
    assert_eq!(room.append().await.send(largest).await.unwrap().seq, 0);
}

#[tokio::test]
async fn a_stream_ends_with_its_first_refusal_and_keeps_what_was_acknowledged() {
    let room = Room::open().await;
    let call = room.call().await;
    let mut stream = room.append().await;
    for seq in [0, 1, 3, 2] {
        stream.segments.send(segment(&call, "caller-1", seq)).await.unwrap();
    }
    assert_eq!(stream.ack().await.unwrap().seq, 0);
    assert_eq!(stream.ack().await.unwrap().seq, 1);
    let status = refused(stream.ack().await, Code::FailedPrecondition, "SEGMENT_OUT_OF_ORDER");
    assert_eq!(metadata_of(&status, "expected_seq").as_deref(), Some("2"));
    let mut again = room.append().await;
    assert_eq!(again.send(segment(&call, "caller-1", 1)).await.unwrap().seq, 1);
}

#[tokio::test]
async fn other_bytes_for_a_held_place_raise_one_alarm_and_change_nothing() {
    let room = Room::open().await;
    let call = room.call().await;
    let mut stream = room.append().await;
    let first = stream.send(segment(&call, "caller-1", 0)).await.unwrap();
    stream.send(segment(&call, "caller-1", 1)).await.unwrap();
    let other = || holding(&call, "caller-1", 0, b"not what was said".to_vec());
    for _ in 0..3 {
        refused(room.append().await.send(other()).await, Code::DataLoss, "SEGMENT_CONFLICT");
    }
    let events = room.published(&call, "integrity_alarm").await;
    let alarm: IntegrityAlarm = events.last().unwrap().decode();
    assert_eq!((alarm.kind.as_str(), alarm.track.as_str(), alarm.seq), ("SEGMENT_CONFLICT", "caller-1", 0));
    let mut again = room.append().await;
    assert_eq!(held(again.send(segment(&call, "caller-1", 0)).await.unwrap()), held(first));
    assert_eq!(again.send(segment(&call, "caller-1", 2)).await.unwrap().seq, 2);
    let kept: (i64, i64) =
        sqlx::query_as("select (select count(*) from evidence.conflicts), (select count(*) from evidence.alarms)")
            .fetch_one(&room.db.pool())
            .await
            .unwrap();
    assert_eq!(kept, (1, 1));
}

#[tokio::test]
async fn many_write_at_once_and_all_are_acknowledged_in_order() {
    let room = Room::open().await;
    let calls = futures::future::join_all((0..6).map(|_| room.call())).await;
    let writers = calls.iter().flat_map(|call| ["caller-1", "officer-1"].map(|track| (call, track)));
    futures::future::join_all(writers.map(async |(call, track)| {
        let mut stream = room.append().await;
        for seq in 0..40 {
            stream.segments.send(segment(call, track, seq)).await.unwrap();
        }
        for seq in 0..40 {
            assert_eq!(stream.ack().await.unwrap().seq, seq);
        }
    }))
    .await;
}

#[tokio::test]
async fn without_postgres_a_known_exhibit_still_takes_segments() {
    let mut room = Room::open().await;
    let call = room.call().await;
    let mut stream = room.append().await;
    stream.send(segment(&call, "caller-1", 0)).await.unwrap();
    room.db.stop().await.unwrap();
    for seq in 1..20 {
        stream.send(segment(&call, "caller-1", seq)).await.unwrap();
    }
    let unknown = segment(&fresh(), "caller-1", 0);
    refused(room.append().await.send(unknown).await, Code::Unavailable, "DATABASE_UNAVAILABLE");
    refused(room.exhibit(&call).await, Code::Unavailable, "DATABASE_UNAVAILABLE");
    refused(room.client.clone().open_exhibit(opening(&call)).await, Code::Unavailable, "DATABASE_UNAVAILABLE");
    room.db.start().await.unwrap();
    // The index catches up by itself: the seal needs it, and comes.
    let others = Others::at(&room.nats).await;
    others.ended(&call, &[("caller-1", 20)]).await;
    room.published(&call, "exhibit_sealed").await;
    assert_eq!(room.exhibit(&call).await.unwrap().tracks[0].segments, 20);
}

#[tokio::test]
async fn opening_is_idempotent_and_knows_its_requests() {
    let room = Room::open().await;
    let call = fresh();
    let mut client = room.client.clone();
    let request = opening(&call);
    let first: OpenExhibitResponse = client.open_exhibit(request.clone()).await.unwrap().into_inner();
    assert_eq!(first.state(), ExhibitState::Open);
    assert_eq!(client.open_exhibit(request.clone()).await.unwrap().into_inner(), first);
    assert_eq!(client.open_exhibit(opening(&call)).await.unwrap().into_inner().exhibit_id, first.exhibit_id);
    let mut reused = request.clone();
    reused.call_id = fresh();
    refused(client.open_exhibit(reused).await, Code::AlreadyExists, "REQUEST_ID_REUSED");
    let mut other = opening(&call);
    other.force_id = "kent".into();
    refused(client.open_exhibit(other).await, Code::NotFound, "UNKNOWN_EXHIBIT");
    let mut bad = opening(&call);
    bad.incident_date = "2026-02-30".into();
    refused(client.open_exhibit(bad).await, Code::InvalidArgument, "INVALID_INCIDENT");
    let mut bad = opening(&call);
    bad.request_id = String::new();
    refused(client.open_exhibit(bad).await, Code::InvalidArgument, "MALFORMED_ID");
    let events = room.published(&call, "exhibit_opened").await;
    assert_eq!(events.len(), 1);
}
