//! What is kept beside the media, and reading it back: while the call is on, after the seal, and after a crash.

use crate::support::{items::*, *};
use api::{
    evidence::v1::{
        AddItemRequest, AddItemResponse, ExhibitSealed, IntegrityAlarm, ItemHeader, ItemKind, ReadItemRequest,
        add_item_request::Part,
    },
    intake::v1::ConsentKind,
};
use exhibit::{Digest, verify::Outcome};
use futures::future::join_all;
use testkit::until;
use tonic::Code;

#[tokio::test]
async fn an_item_is_kept_by_version_and_a_repeat_gets_the_first_answer() {
    let mut room = Room::open().await;
    let call = room.call().await;
    let (one, two) = (br#"{"said":"first"}"#.as_slice(), br#"{"said":"second"}"#.as_slice());
    let first = header(&call, ItemKind::ChatTranscript, "chat", one);
    let answer = add(&room.client, &first, one).await.unwrap();
    assert_eq!(add(&room.client, &first, one).await.unwrap(), answer);
    let item = answer.item.clone().unwrap();
    assert_eq!(
        (item.path.as_str(), item.version, item.bytes),
        ("items/chat-transcript/chat/1.json", 1, one.len() as u64)
    );
    assert_eq!((item.kind(), item.sha256), (ItemKind::ChatTranscript, Digest::of(one).to_string()));
    let second = add(&room.client, &header(&call, ItemKind::ChatTranscript, "chat", two), two).await.unwrap();
    assert_eq!(second.item.as_ref().unwrap().path, "items/chat-transcript/chat/2.json");
    let other = add(&room.client, &header(&call, ItemKind::Statement, "chat", two), two).await.unwrap();
    assert_eq!(other.item.as_ref().unwrap().version, 1);
    assert!(answer.chain != second.chain && second.chain != other.chain);
    let reused = ItemHeader { name: "chat-2".into(), ..first.clone() };
    refused(add(&room.client, &reused, one).await, Code::AlreadyExists, "REQUEST_ID_REUSED");
    let reused =
        ItemHeader { request_id: first.request_id.clone(), ..header(&call, ItemKind::ChatTranscript, "chat", two) };
    refused(add(&room.client, &reused, two).await, Code::AlreadyExists, "REQUEST_ID_REUSED");

    room.service.kill().await.unwrap();
    room.restart().await;
    assert_eq!(add(&room.client, &first, one).await.unwrap(), answer);
    let got = room.exhibit(&call).await.unwrap();
    let paths: Vec<_> = got.items.iter().map(|item| item.path.as_str()).collect();
    let all = ["items/chat-transcript/chat/1.json", "items/chat-transcript/chat/2.json", "items/statement/chat/1.json"];
    assert_eq!(paths, all);
    // In the journal, and its answer not remembered: what a kill at the worst moment leaves.
    let forget = "delete from outbox.answers where rpc = 'AddItem'";
    sqlx::query(forget).execute(&room.db.pool()).await.unwrap();
    let again = add(&room.client, &first, one).await.unwrap();
    assert_eq!(AddItemResponse { receipt: answer.receipt.clone(), ..again }, answer);
    let reused = ItemHeader { request_id: first.request_id.clone(), ..header(&call, ItemKind::Statement, "s", one) };
    sqlx::query(forget).execute(&room.db.pool()).await.unwrap();
    refused(add(&room.client, &reused, one).await, Code::AlreadyExists, "REQUEST_ID_REUSED");
    for (path, bytes) in [(all[0], one), (all[1], two), (all[2], two)] {
        assert_eq!(room.read(reading(&got.exhibit_id, path, 0, 0)).await.unwrap(), bytes);
    }
}

#[tokio::test]
async fn items_are_sealed_and_leave_with_the_exhibit() {
    let room = Room::open().await;
    let others = Others::at(&room.nats).await;
    let call = room.call().await;
    room.append().await.send(segment(&call, "caller-1", 0)).await.unwrap();
    let large = bytes("still", 0, 16 << 20);
    let still = ItemHeader { media_type: "image/jpeg".into(), ..header(&call, ItemKind::Still, "still-3", &large) };
    add(&room.client, &still, &large).await.unwrap();
    others.ended(&call, &[("caller-1", 1)]).await;
    let sealed: ExhibitSealed = room.published(&call, "exhibit_sealed").await.pop().unwrap().decode();
    let report = room.verified(&sealed.exhibit_id).await;
    assert_eq!(report.outcome(), Outcome::InPart, "{report:?}");
    let archive = room.export(&sealed.exhibit_id).await;
    assert!(file_in(&archive, "bag/data/items/still/still-3/1.jpg").unwrap() == large);
    assert_eq!(room.read(reading(&sealed.exhibit_id, "items/still/still-3/1.jpg", 7, 9)).await.unwrap(), large[7..16]);
    let manifest = room.read(reading(&sealed.exhibit_id, "manifest.json", 0, 0)).await.unwrap();
    assert_eq!(file_in(&archive, "bag/data/manifest.json").unwrap(), manifest);
}

#[tokio::test]
async fn each_refusal_of_an_item_has_its_name() {
    let room = Room::open().await;
    let call = room.call().await;
    let data = b"{}".as_slice();
    let good = || header(&call, ItemKind::Chapters, "chapters", data);
    let refuse = async |header: ItemHeader, code, reason| refused(add(&room.client, &header, data).await, code, reason);
    let invalid = Code::InvalidArgument;
    refuse(ItemHeader { kind: 0, ..good() }, invalid, "INVALID_ITEM").await;
    for name in ["", "../x", "Chat", "a/b", &"x".repeat(65)] {
        refuse(ItemHeader { name: name.into(), ..good() }, invalid, "INVALID_ITEM").await;
    }
    for media_type in ["", "text/html", "application/octet-stream", "image/jpeg; x=1"] {
        refuse(ItemHeader { media_type: media_type.into(), ..good() }, invalid, "INVALID_ITEM").await;
    }
    refuse(ItemHeader { made_at: None, ..good() }, invalid, "INVALID_ITEM").await;
    refuse(ItemHeader { sha256: vec![1; 32], ..good() }, invalid, "HASH_MISMATCH").await;
    refuse(ItemHeader { sha256: vec![], ..good() }, invalid, "HASH_MISMATCH").await;
    refuse(ItemHeader { bytes: 3, ..good() }, invalid, "HASH_MISMATCH").await;
    refuse(ItemHeader { bytes: (16 << 20) + 1, ..good() }, invalid, "ITEM_TOO_LARGE").await;
    refuse(ItemHeader { request_id: "x".into(), ..good() }, invalid, "MALFORMED_ID").await;
    refuse(ItemHeader { exhibit: None, ..good() }, invalid, "MALFORMED_ID").await;
    refuse(ItemHeader { force_id: "kent".into(), ..good() }, Code::NotFound, "UNKNOWN_EXHIBIT").await;
    refuse(header(&fresh(), ItemKind::Other, "x", data), Code::NotFound, "UNKNOWN_EXHIBIT").await;
    refuse(header_for(&fresh(), ItemKind::Other, "x", data), Code::NotFound, "UNKNOWN_EXHIBIT").await;
    // More than was announced, and a stream without a header or with two.
    let large = vec![7; (16 << 20) + 1];
    let lying = ItemHeader { bytes: 5, ..header(&call, ItemKind::Other, "x", &large) };
    refused(add(&room.client, &lying, &large).await, invalid, "ITEM_TOO_LARGE");
    let headless = vec![AddItemRequest { part: Some(Part::Chunk(data.to_vec())) }];
    for parts in [vec![], headless, [parts(&good(), data), parts(&good(), data)].concat()] {
        let answer = room.client.clone().add_item(futures::stream::iter(parts)).await;
        refused(answer, invalid, "INVALID_ITEM");
    }
    assert!(room.exhibit(&call).await.unwrap().items.is_empty());
    add(&room.client, &good(), data).await.unwrap();
}

#[tokio::test]
async fn any_range_can_be_read_while_the_call_is_on() {
    let room = Room::open().await;
    let call = room.call().await;
    let mut stream = room.append().await;
    let mut whole = Vec::new();
    for seq in 0..6 {
        let sent = segment(&call, "caller-1", seq);
        whole.extend(sent.data.clone());
        stream.send(sent).await.unwrap();
    }
    let exhibit = room.exhibit(&call).await.unwrap().exhibit_id;
    let path = "tracks/caller-1.mkv";
    // The index may be a moment behind the acks.
    while room.exhibit(&call).await.unwrap().tracks.first().is_none_or(|track| track.segments < 6) {
        tokio::task::yield_now().await;
    }
    let len = whole.len() as u64;
    for (offset, length) in
        [(0, 0), (0, 1), (9_999, 2), (10_000, 10_000), (35_000, 12_345), (len - 1, 0), (len - 5, 99)]
    {
        let read = room.read(reading(&exhibit, path, offset, length)).await.unwrap();
        let end = if length == 0 { len } else { len.min(offset + length) };
        assert!(read == whole[offset as usize..end as usize], "{offset} {length}");
    }
    for offset in [len, len + 1, u64::MAX] {
        refused(room.read(reading(&exhibit, path, offset, 1)).await, Code::OutOfRange, "RANGE");
    }
    let paths = [
        "",
        "/",
        "../../../etc/passwd",
        "/etc/passwd",
        "tracks/../tracks/caller-1.mkv",
        "tracks/caller-2.mkv",
        "tracks/caller-1.mkv/",
        "items/still/x/1.jpg",
        "tracks/items.mkv",
        "manifest.json",
    ];
    for path in paths {
        refused(room.read(reading(&exhibit, path, 0, 0)).await, Code::NotFound, "UNKNOWN_ITEM");
    }
    let bad = ReadItemRequest { who: " ".into(), ..reading(&exhibit, path, 0, 0) };
    refused(room.read(bad).await, Code::InvalidArgument, "INVALID_WHO");
    let bad = ReadItemRequest { reason: String::new(), ..reading(&exhibit, path, 0, 0) };
    refused(room.read(bad).await, Code::InvalidArgument, "REASON_REQUIRED");
    let bad = ReadItemRequest { force_id: "kent".into(), ..reading(&exhibit, path, 0, 0) };
    refused(room.read(bad).await, Code::NotFound, "UNKNOWN_EXHIBIT");
    refused(room.read(reading(&fresh(), path, 0, 0)).await, Code::NotFound, "UNKNOWN_EXHIBIT");
    let seen = room.accesses(&exhibit).await;
    assert_eq!(seen.len(), 7);
    assert_eq!((seen[2].what.as_str(), seen[2].who.as_str()), ("read tracks/caller-1.mkv 9999-10001", "PC 1"));
    // A player asks again with the same id: recorded again; with the same id for something else: refused.
    let again = reading(&exhibit, path, 5, 5);
    for _ in 0..2 {
        assert_eq!(room.read(again.clone()).await.unwrap(), whole[5..10]);
    }
    let reused = ReadItemRequest { offset: 6, ..again };
    refused(room.read(reused).await, Code::AlreadyExists, "REQUEST_ID_REUSED");
    assert_eq!(room.accesses(&exhibit).await.len(), 9);
}

#[tokio::test(flavor = "multi_thread")]
async fn looks_at_the_same_moment_are_one_line_after_the_other() {
    let room = Room::open().await;
    let (_, exhibit) = room.sealed_call().await;
    let reads = (0..40).map(|n| room.read(reading(&exhibit, "tracks/caller-1.mkv", n, 1)));
    assert!(join_all(reads).await.into_iter().all(|read| read.is_ok_and(|bytes| bytes.len() == 1)));
    let archive = room.export(&exhibit).await;
    let log = file_in(&archive, "access/access-log.jsonl").unwrap();
    let (lines, _) = exhibit::access::check(&log, exhibit.parse().unwrap()).unwrap();
    assert_eq!(lines, 41);
    assert_eq!(room.accesses(&exhibit).await.len(), 41);
}

/// Killed at any moment of it, and asked again: the item is there, once.
#[tokio::test(flavor = "multi_thread")]
async fn killed_in_the_middle_an_item_is_there_once() {
    let mut room = Room::open().await;
    let call = room.call().await;
    let data = bytes("statement", 1, 3_000_000);
    for round in 0..8 {
        let header = header(&call, ItemKind::Statement, &format!("statement-{round}"), &data);
        let (client, asked, sent) = (room.client.clone(), header.clone(), data.clone());
        let adding = tokio::spawn(async move { add(&client, &asked, &sent).await });
        // Not a wait for anything: only to be killed at another moment each time.
        for _ in 0..round * 200 {
            tokio::task::yield_now().await;
        }
        room.service.kill().await.unwrap();
        let answered = adding.await.unwrap();
        room.restart().await;
        // Two at once, even.
        let (first, second) = tokio::join!(add(&room.client, &header, &data), add(&room.client, &header, &data));
        let first = first.unwrap();
        assert_eq!(second.unwrap(), first);
        assert!(answered.is_err() || answered.is_ok_and(|answer| answer == first));
        assert_eq!(first.item.unwrap().version, 1);
    }
    let got = room.exhibit(&call).await.unwrap();
    assert_eq!(got.items.len(), 8);
    for item in got.items {
        assert!(room.read(reading(&got.exhibit_id, &item.path, 0, 0)).await.unwrap() == data);
    }
}

#[tokio::test]
async fn an_altered_byte_is_found_when_it_is_read_and_calls_for_a_person() {
    let room = Room::open().await;
    let call = room.call().await;
    let data = bytes("still", 1, 200_000);
    let exhibit = add(&room.client, &header(&call, ItemKind::Still, "still", &data), &data).await.unwrap().exhibit_id;
    let journal = room.journal();
    let mut content = std::fs::read(&journal[0]).unwrap();
    content[100_000] ^= 1;
    std::fs::write(&journal[0], content).unwrap();
    let path = "items/still/still/1.json";
    refused(room.read(reading(&exhibit, path, 0, 10)).await, Code::DataLoss, "JOURNAL_CORRUPT");
    let alarm: IntegrityAlarm = room.published(&call, "integrity_alarm").await.pop().unwrap().decode();
    assert_eq!((alarm.kind.as_str(), alarm.track.as_str(), alarm.seq), ("JOURNAL_CORRUPT", "items", 0));
    // The look is on record all the same.
    assert_eq!(room.accesses(&exhibit).await.len(), 1);
}

#[tokio::test]
async fn what_the_caller_agreed_to_is_in_the_exhibit_by_version() {
    let room = Room::with(&[("ALCOVE_EVIDENCE_STORE__ADDENDUM__QUIET_SECONDS", "86400")]).await;
    let others = Others::at(&room.nats).await;
    let call = fresh();
    // Before there is an exhibit, as in life.
    others.consents(&call, &[(ConsentKind::Video, true), (ConsentKind::Recording, true)]).await;
    others.accepted(&call).await;
    let got = room.exhibit_until(&call, |exhibit| exhibit.items.len() == 1).await;
    let first = room.read(reading(&got.exhibit_id, "items/consents/consents/1.json", 0, 0)).await.unwrap();
    let expected = format!(
        "{{\"at\":\"2027-01-15T08:00:01.123456Z\",\"call\":\"{call}\",\"format\":\"alcove-consents/1\",\
         \"given\":{{\"recording\":true,\"video\":true}}}}"
    );
    assert_eq!(String::from_utf8(first).unwrap(), expected);
    // Taken back while the call is on, and something more afterwards; what is not about the recording is no item.
    others.consents(&call, &[(ConsentKind::Child, true)]).await;
    others.consents(&call, &[(ConsentKind::Recording, false), (ConsentKind::Referral, true)]).await;
    room.exhibit_until(&call, |exhibit| exhibit.items.len() == 2).await;
    others.ended(&call, &[]).await;
    room.sealed(&call).await;
    others.consents(&call, &[(ConsentKind::Stills, false)]).await;
    let got = room.exhibit_until(&call, |exhibit| !exhibit.addendum_exhibit_ids.is_empty()).await;
    assert_eq!(got.items.len(), 2);
    let part = got.addendum_exhibit_ids[0].clone();
    let late = async || {
        let read = room.read(reading(&part, "items/consents/consents/1.json", 0, 0)).await;
        read.is_ok_and(|bytes| String::from_utf8(bytes).unwrap().contains("\"given\":{\"stills\":false}"))
    };
    until("the consent in the addendum", late).await;
    let kept: Vec<Vec<u8>> = sqlx::query_scalar("select content from evidence.consents where added_at is not null")
        .fetch_all(&room.db.pool())
        .await
        .unwrap();
    assert!(kept.len() >= 2 && kept.iter().all(Vec::is_empty), "kept in clear beside the journal");
    let parked: i64 =
        sqlx::query_scalar("select count(*) from outbox.parked").fetch_one(&room.db.pool()).await.unwrap();
    assert_eq!(parked, 0);
}

/// Somebody has put another item under the id of what one caller said, and another's row can't be read: both wait for a
/// person, and nobody waits with them.
#[tokio::test]
async fn consents_that_cannot_be_kept_hold_up_no_other_callers() {
    let room = Room::with(&[]).await;
    let others = Others::at(&room.nats).await;
    let (stuck, unreadable, other) = (room.call().await, room.call().await, room.call().await);
    let mut taken = header(&stuck, ItemKind::Statement, "statement", b"{}");
    add(&room.client, &taken, b"{}").await.unwrap();
    let waits = "insert into evidence.consents (event_id, call_id, force_id, at, content) values ($1::uuid, $2::uuid, $3, $4, '{}')";
    let pool = room.db.pool();
    // No force has such a name.
    let rename = "update evidence.exhibits set force_id = '?' where call_id = $1::uuid";
    sqlx::query(rename).bind(&unreadable).execute(&pool).await.unwrap();
    for (id, call, force) in [(std::mem::take(&mut taken.request_id), &stuck, FORCE), (fresh(), &unreadable, "?")] {
        let waits = sqlx::query(waits).bind(id).bind(call).bind(force).bind(chrono::DateTime::UNIX_EPOCH);
        waits.execute(&pool).await.unwrap();
    }
    // More than are looked at together.
    let many = "insert into evidence.consents (event_id, call_id, force_id, at, content)
                select gen_random_uuid(), call_id, force_id, at, content from evidence.consents, generate_series(1, 600) where force_id = '?'";
    sqlx::query(many).execute(&pool).await.unwrap();
    others.consents(&other, &[(ConsentKind::Video, true)]).await;
    room.exhibit_until(&other, |exhibit| exhibit.items.len() == 1).await;
    assert_eq!(room.exhibit(&stuck).await.unwrap().items.len(), 1);
    assert_eq!(room.count("select count(*) from evidence.consents where added_at is null").await, 602);
}

#[tokio::test]
async fn an_export_carries_its_access_log_and_the_proof_of_it() {
    let room = Room::vouched(&[]).await;
    let (_, exhibit) = room.sealed_call().await;
    room.read(reading(&exhibit, "tracks/caller-1.mkv", 0, 1)).await.unwrap();
    let archive = room.export(&exhibit).await;
    let log = file_in(&archive, exhibit::access::ACCESS_LOG).unwrap();
    let (lines, head) = exhibit::access::check(&log, exhibit.parse().unwrap()).unwrap();
    assert_eq!(lines, 2);
    let text = String::from_utf8(log).unwrap();
    assert!(text.contains("\"what\":\"read tracks/caller-1.mkv 0-1\"") && text.contains("\"what\":\"export\""));
    let entry = file_in(&archive, exhibit::access::ACCESS_ENTRY).unwrap();
    assert_eq!(entry, format!("alcove access v1\n{exhibit}\n2\n{head}\n").into_bytes());
    assert!(file_in(&archive, exhibit::access::ACCESS_PROOF).is_some());
    let report = room.verified(&exhibit).await;
    assert_eq!(report.outcome(), Outcome::Proved, "{report:?}");
}

#[tokio::test]
async fn without_its_witness_an_export_leaves_all_the_same() {
    let mut room = Room::vouched(&[("ALCOVE_EVIDENCE_STORE__LOG__ACCESS_PROOF_WAIT_SECONDS", "1")]).await;
    let (_, exhibit) = room.sealed_call().await;
    // From here on nobody cosigns: however long it waited, there would be no proof.
    room.witness().service.kill().await.unwrap();
    let archive = room.export(&exhibit).await;
    assert!(file_in(&archive, exhibit::access::ACCESS_LOG).is_some());
    for absent in [exhibit::access::ACCESS_ENTRY, exhibit::access::ACCESS_PROOF] {
        assert!(file_in(&archive, absent).is_none());
    }
    let file = room.data.path().join("p.tar");
    std::fs::write(&file, archive).unwrap();
    let report = room.verified_file(&file);
    // The seal is as good as ever; what is wanting is said.
    assert_eq!((report.outcome(), &report.failures[..]), (Outcome::Proved, &[][..]), "{report}");
    assert!(report.not_proved.iter().any(|said| said.starts_with("That the access log is complete")), "{report}");
    // It was the witness, and nothing else, that the proof wanted.
    room.witness().service.restart().await.unwrap();
    let proved = async || file_in(&room.export(&exhibit).await, exhibit::access::ACCESS_PROOF).is_some();
    until("an export with its proof", proved).await;
}
