//! From SessionEnded to a package that verifies without us; who may look, and who looked.

use crate::support::{foreign::bagit_accepts, items::reading, retention::*, *};
use api::evidence::v1::{
    ExhibitOpened, ExhibitSealed, ExhibitState, ExportRequest, GetExhibitRequest, ListAccessRequest, SealRequest,
    get_exhibit_request::Key,
};
use exhibit::{Manifest, package, verify::Outcome};
use sqlx::{Executor, Row};
use tonic::{Code, Response, Status, Streaming};

fn sealing(call: &str) -> SealRequest {
    SealRequest { request_id: fresh(), force_id: FORCE.into(), call_id: call.into(), ..SealRequest::default() }
}

/// The manifest within an exported archive.
fn manifest(archive: &[u8]) -> Manifest {
    Manifest::parse(&file_in(archive, "bag/data/manifest.json").unwrap()).unwrap()
}

/// How many chunks came, and how that ended.
async fn chunks<T>(answer: Result<Response<Streaming<T>>, Status>) -> (usize, Result<(), Status>) {
    let mut chunks = match answer {
        Ok(answer) => answer.into_inner(),
        Err(status) => return (0, Err(status)),
    };
    let mut count = 0;
    loop {
        match chunks.message().await {
            Ok(Some(_)) => count += 1,
            Ok(None) => return (count, Ok(())),
            Err(status) => return (count, Err(status)),
        }
    }
}

/// Every way there is to look at a sealed exhibit.
async fn looks(room: &Room, exhibit: &str) -> [(usize, Result<(), Status>); 4] {
    let mut client = room.client.clone();
    let part = ExportRequest { only: vec!["tracks/caller-1.mkv".into()], ..exporting(exhibit) };
    [
        chunks(client.read_item(reading(exhibit, "tracks/caller-1.mkv", 0, 0)).await).await,
        chunks(client.read_item(reading(exhibit, "manifest.json", 0, 0)).await).await,
        chunks(client.export(exporting(exhibit)).await).await,
        chunks(client.export(part).await).await,
    ]
}

#[tokio::test]
async fn a_call_becomes_a_package_that_proves_itself() {
    let room = Room::open().await;
    let others = Others::at(&room.nats).await;
    let call = fresh();
    others.accepted(&call).await;
    let opened: ExhibitOpened = room.published(&call, "exhibit_opened").await.pop().unwrap().decode();
    let mut stream = room.append().await;
    for (track, segments) in [("caller-1", 12), ("officer-1", 9)] {
        for seq in 0..segments {
            stream.send(segment(&call, track, seq)).await.unwrap();
        }
    }
    let mut client = room.client.clone();
    refused(client.seal(sealing(&call)).await, Code::FailedPrecondition, "SESSION_NOT_ENDED");
    refused(client.export(exporting(&opened.exhibit_id)).await, Code::FailedPrecondition, "NOT_SEALED");
    assert_eq!(room.exhibit(&call).await.unwrap().state(), ExhibitState::Open);

    others.ended(&call, &[("caller-1", 12), ("officer-1", 9)]).await;
    let events = room.published(&call, "exhibit_sealed").await;
    let sealed: ExhibitSealed = events.last().unwrap().decode();
    assert_eq!((&sealed.exhibit_id, &sealed.reference), (&opened.exhibit_id, &opened.reference));
    assert_eq!(sealed.missing_segments, 0);
    // One call is one trace.
    let trace = chassis::Trace::parse(TRACE);
    assert!(events.iter().all(|event| event.trace.trace_id() == trace.trace_id()));

    let report = room.verified(&sealed.exhibit_id).await;
    assert_eq!(report.outcome(), Outcome::InPart, "{report:?}");
    let archive = room.export(&sealed.exhibit_id).await;
    let manifest = manifest(&archive);
    assert_eq!(manifest.reference, sealed.reference);
    let tracks = manifest.tracks.iter().map(|t| (t.name.as_str(), t.role.as_str(), t.segments.count, t.bytes));
    assert!(tracks.eq([("caller-1", "caller", 12, 120_000), ("officer-1", "officer", 9, 90_000)]));
    assert_eq!(archive.len() % 512, 0);
    bagit_accepts(&archive, "bag/data/tracks/officer-1.mkv");
    assert!(archive.windows(package::SEAL.len()).any(|w| w == package::SEAL.as_bytes()));

    // Sealing again is asking for the seal.
    let seal = client.seal(sealing(&call)).await.unwrap().into_inner();
    assert_eq!((seal.state(), &seal.seal_sha256), (ExhibitState::Sealed, &sealed.seal_sha256));
    let request = sealing(&call);
    assert_eq!(client.seal(request.clone()).await.unwrap().into_inner(), seal);
    assert_eq!(client.seal(request.clone()).await.unwrap().into_inner(), seal);
    let reused = SealRequest { call_id: fresh(), ..request };
    refused(client.seal(reused).await, Code::AlreadyExists, "REQUEST_ID_REUSED");
    refused(client.seal(sealing(&fresh())).await, Code::NotFound, "UNKNOWN_EXHIBIT");
    let got = room.exhibit(&call).await.unwrap();
    assert_eq!((got.state(), &got.seal_sha256), (ExhibitState::Sealed, &sealed.seal_sha256));
    assert!(got.sealed_at.is_some());

    // What it holds is still acknowledged; what it doesn't hold is acknowledged too, and held beside it.
    assert_eq!(room.append().await.send(segment(&call, "caller-1", 3)).await.unwrap().seq, 3);
    for late in [segment(&call, "caller-1", 12), segment(&call, "caller-2", 0)] {
        room.append().await.send(late).await.unwrap();
    }
    let other = room.append().await.send(holding(&call, "caller-1", 3, vec![1])).await;
    refused(other, Code::DataLoss, "SEGMENT_CONFLICT");
    let after = room.exhibit(&call).await.unwrap();
    assert_eq!((after.seal_sha256, after.tracks), (sealed.seal_sha256, got.tracks));
    assert!(!after.addendum_exhibit_ids.is_empty());
}

#[tokio::test]
async fn who_looks_is_recorded_and_must_say_why() {
    let room = Room::open().await;
    let others = Others::at(&room.nats).await;
    let call = room.call().await;
    room.append().await.send(segment(&call, "caller-1", 0)).await.unwrap();
    others.ended(&call, &[("caller-1", 1)]).await;
    room.published(&call, "exhibit_sealed").await;
    let exhibit = room.exhibit(&call).await.unwrap().exhibit_id;
    let mut client = room.client.clone();
    let good = || exporting(&exhibit);
    for reason in ["", "  ", &"x".repeat(501)] {
        let bad = ExportRequest { reason: reason.into(), ..good() };
        refused(client.export(bad).await, Code::InvalidArgument, "REASON_REQUIRED");
    }
    for who in ["", &"x".repeat(65), "a\nb"] {
        let bad = ExportRequest { who: who.into(), ..good() };
        refused(client.export(bad).await, Code::InvalidArgument, "INVALID_WHO");
    }
    let bad = ExportRequest { force_id: "kent".into(), ..good() };
    refused(client.export(bad).await, Code::NotFound, "UNKNOWN_EXHIBIT");
    refused(client.export(exporting(&fresh())).await, Code::NotFound, "UNKNOWN_EXHIBIT");
    refused(client.export(exporting("x")).await, Code::InvalidArgument, "MALFORMED_ID");

    let list = |page_size, page_token: &str| ListAccessRequest {
        force_id: FORCE.into(),
        exhibit_id: exhibit.clone(),
        page_size,
        page_token: page_token.into(),
    };
    let nobody = client.list_access(list(0, "")).await.unwrap().into_inner();
    assert!(nobody.accesses.is_empty() && nobody.next_page_token.is_empty());
    let request = good();
    for _ in 0..2 {
        // The record is there before the first byte.
        let mut chunks = client.export(request.clone()).await.unwrap().into_inner();
        chunks.message().await.unwrap().unwrap();
    }
    let reused = ExportRequest { reason: "another".into(), ..request };
    refused(client.export(reused).await, Code::AlreadyExists, "REQUEST_ID_REUSED");
    room.export(&exhibit).await;
    let mut seen = 0;
    let mut token = String::new();
    loop {
        let page = client.list_access(list(2, &token)).await.unwrap().into_inner();
        assert!(page.accesses.iter().all(|a| (a.who.as_str(), a.what.as_str()) == ("DO 4411", "export")));
        assert!(page.accesses.iter().all(|a| a.reason == "disclosure to the CPS" && a.at.is_some()));
        seen += page.accesses.len();
        token = page.next_page_token;
        if token.is_empty() {
            break;
        }
    }
    assert_eq!(seen, 3);
    refused(client.list_access(list(2, "nonsense")).await, Code::InvalidArgument, "INVALID_PAGE_TOKEN");
    let other = ListAccessRequest { force_id: "kent".into(), ..list(2, "") };
    refused(client.list_access(other).await, Code::NotFound, "UNKNOWN_EXHIBIT");

    for key in [Key::ExhibitId(exhibit.clone()), Key::CallId(call.clone())] {
        let request = GetExhibitRequest { force_id: "kent".into(), key: Some(key) };
        refused(client.get_exhibit(request).await, Code::NotFound, "UNKNOWN_EXHIBIT");
    }
    let request = GetExhibitRequest { force_id: FORCE.into(), key: None };
    refused(client.get_exhibit(request).await, Code::InvalidArgument, "MALFORMED_ID");
}

/// A record that can't be written, and one that turns out only at the commit not to have been: a look that were sent before its
/// record is committed would pass the second.
#[tokio::test]
async fn nothing_is_seen_before_it_is_on_record_who_sees_it() {
    const REFUSALS: [&str; 2] = [
        "create trigger no_record before insert on evidence.accesses
         for each row execute function evidence.refuse()",
        "create constraint trigger no_record after insert on evidence.accesses deferrable initially deferred
         for each row execute function evidence.refuse()",
    ];
    const AGAIN: &str = "drop trigger no_record on evidence.accesses";
    let room = Room::with(&[DUE_AT_ONCE]).await;
    let (_, exhibit) = room.sealed_call().await;
    for refusal in REFUSALS {
        room.db.pool().execute(refusal).await.unwrap();
        for (count, end) in looks(&room, &exhibit).await {
            assert_eq!(count, 0, "{refusal}");
            refused(end, Code::Internal, "INTERNAL");
        }
        assert!(room.accesses(&exhibit).await.is_empty());
        room.db.pool().execute(AGAIN).await.unwrap();
    }
    for (count, end) in looks(&room, &exhibit).await {
        assert!(count > 0);
        end.unwrap();
    }
    assert_eq!(room.accesses(&exhibit).await.len(), 4);

    // Of what is left of it, too.
    room.reviewed_twice(&exhibit).await;
    room.client.clone().dispose(disposing(&exhibit)).await.unwrap();
    let recorded = room.accesses(&exhibit).await.len();
    for refusal in REFUSALS {
        room.db.pool().execute(refusal).await.unwrap();
        let (count, end) = chunks(room.client.clone().export(exporting(&exhibit)).await).await;
        assert_eq!(count, 0, "{refusal}");
        refused(end, Code::Internal, "INTERNAL");
        room.db.pool().execute(AGAIN).await.unwrap();
    }
    assert_eq!(room.accesses(&exhibit).await.len(), recorded);
    assert!(!room.export(&exhibit).await.is_empty());
}

#[tokio::test]
async fn a_call_that_was_not_recorded_is_sealed_with_its_facts() {
    let room = Room::open().await;
    let others = Others::at(&room.nats).await;
    let call = fresh();
    // The two come by different streams: this order is as good as the other.
    others.ended(&call, &[]).await;
    others.accepted(&call).await;
    room.published(&call, "exhibit_sealed").await;
    let exhibit = room.exhibit(&call).await.unwrap();
    assert!(exhibit.tracks.is_empty());
    let report = room.verified(&exhibit.exhibit_id).await;
    assert_eq!(report.outcome(), Outcome::InPart, "{report:?}");
}

#[tokio::test]
async fn a_long_call_leaves_in_small_pieces() {
    let room = Room::open().await;
    let others = Others::at(&room.nats).await;
    let call = room.call().await;
    let mut stream = room.append().await;
    for seq in 0..500 {
        stream.segments.send(holding(&call, "caller-1", seq, bytes("caller-1", seq, 64))).await.unwrap();
    }
    for _ in 0..500 {
        stream.ack().await.unwrap();
    }
    others.ended(&call, &[("caller-1", 500)]).await;
    room.published(&call, "exhibit_sealed").await;
    let exhibit = room.exhibit(&call).await.unwrap().exhibit_id;
    let mut chunks = room.client.clone().export(exporting(&exhibit)).await.unwrap().into_inner();
    let mut largest = 0;
    let mut all = 0;
    while let Some(chunk) = chunks.message().await.unwrap() {
        largest = largest.max(chunk.chunk.len());
        all += chunk.chunk.len();
    }
    assert!(largest <= 64 << 10 && all > 200_000, "{largest} of {all}");
    assert_eq!(room.verified(&exhibit).await.outcome(), Outcome::InPart);
}

#[tokio::test]
async fn what_is_owed_is_waited_for() {
    let room = Room::open().await;
    let others = Others::at(&room.nats).await;
    let call = room.call().await;
    let mut stream = room.append().await;
    stream.send(segment(&call, "caller-1", 0)).await.unwrap();
    others.ended(&call, &[("caller-1", 3)]).await;
    let mut client = room.client.clone();
    // Heard, and waited for: asking doesn't hurry it.
    let waiting = tokio::time::timeout(PATIENCE, async {
        loop {
            match client.seal(sealing(&call)).await {
                Ok(answer) => break answer.into_inner(),
                Err(_) => tokio::task::yield_now().await,
            }
        }
    });
    let waiting = waiting.await.unwrap();
    assert_eq!((waiting.state(), waiting.seal_sha256.as_str()), (ExhibitState::Open, ""));
    for seq in 1..3 {
        stream.send(segment(&call, "caller-1", seq)).await.unwrap();
    }
    let sealed: ExhibitSealed = room.published(&call, "exhibit_sealed").await.pop().unwrap().decode();
    assert_eq!(sealed.missing_segments, 0);
}

#[tokio::test]
async fn what_never_comes_is_declared_missing() {
    let room = Room::with(&[("ALCOVE_EVIDENCE_STORE__SEALING__GRACE_SECONDS", "0")]).await;
    let others = Others::at(&room.nats).await;
    let call = room.call().await;
    let mut stream = room.append().await;
    for seq in 0..2 {
        stream.send(segment(&call, "caller-1", seq)).await.unwrap();
    }
    others.ended(&call, &[("caller-1", 5), ("officer-1", 4)]).await;
    let sealed: ExhibitSealed = room.published(&call, "exhibit_sealed").await.pop().unwrap().decode();
    assert_eq!(sealed.missing_segments, 7);
    let manifest = manifest(&room.export(&sealed.exhibit_id).await);
    let missing = manifest.missing.iter().map(|m| (m.track.as_str(), m.first_seq, m.last_seq));
    assert!(missing.eq([("caller-1", 2, 4), ("officer-1", 0, 3)]));
    let report = room.verified(&sealed.exhibit_id).await;
    assert_eq!(report.outcome(), Outcome::InPart, "{report:?}");
}

#[tokio::test]
async fn a_row_of_evidence_can_not_be_changed_by_mistake() {
    let room = Room::open().await;
    let others = Others::at(&room.nats).await;
    let call = room.call().await;
    room.append().await.send(segment(&call, "caller-1", 0)).await.unwrap();
    others.ended(&call, &[("caller-1", 1)]).await;
    room.published(&call, "exhibit_sealed").await;
    room.export(&room.exhibit(&call).await.unwrap().exhibit_id).await;
    for table in ["segments", "artefacts", "accesses"] {
        let table = format!("evidence.{table}");
        let count = sqlx::query(sqlx::AssertSqlSafe(format!("select count(*) from {table}")));
        assert!(count.fetch_one(&room.db.pool()).await.unwrap().get::<i64, _>(0) > 0);
        let delete = sqlx::query(sqlx::AssertSqlSafe(format!("delete from {table}")));
        assert!(delete.execute(&room.db.pool()).await.is_err());
    }
}
