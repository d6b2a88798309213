//! `evidence-store reindex`: the journal and the key store are enough to know again what there was, and what there is no more.

use crate::support::{items::*, retention::*, *};
use api::evidence::v1::{AddendumSealed, ExhibitSealed, ExhibitState, IntegrityAlarm, ItemKind};
use exhibit::verify::Outcome;
use testkit::until;
use tonic::Code;

/// Every row of the index; not what the worker says of an exhibit that waits, which it says anew at each look.
async fn index(room: &Room) -> Vec<serde_json::Value> {
    let mut all = vec![];
    for table in ["exhibits", "tracks", "segments", "items", "conflicts", "artefacts"] {
        let query = format!(
            "select coalesce(jsonb_agg(to_jsonb(t) - 'noticed_at' - 'waits_for' order by to_jsonb(t)), '[]') from evidence.{table} t"
        );
        let rows = sqlx::query_scalar(sqlx::AssertSqlSafe(query)).fetch_one(&room.db.pool()).await.unwrap();
        all.push(rows);
    }
    all
}

/// As if the database were new.
async fn lose(room: &Room) {
    let lose = "truncate evidence.exhibits, evidence.tracks, evidence.segments, evidence.items, evidence.conflicts,
                evidence.artefacts, evidence.alarms, evidence.accesses, evidence.journal_files cascade";
    sqlx::raw_sql(lose).execute(&room.db.pool()).await.unwrap();
}

/// Emptied whole, by `reindex`: exhibits, tracks, segments, items, conflicts and seals.
#[tokio::test]
async fn reindex_makes_the_same_index_out_of_the_journal_alone() {
    let mut room = Room::with(&[NO_GRACE, NEVER_QUIET]).await;
    let others = Others::at(&room.nats).await;
    let (done, open) = (room.call().await, room.call().await);
    let statement = header(&done, ItemKind::Statement, "statement", b"first words");
    add(&room.client, &statement, b"first words").await.unwrap();
    let mut stream = room.append().await;
    for seq in 0..20 {
        stream.send(segment(&done, "caller-1", seq)).await.unwrap();
        stream.send(segment(&open, "officer-1", seq)).await.unwrap();
    }
    refused(stream.send(holding(&open, "officer-1", 3, b"other".to_vec())).await, Code::DataLoss, "SEGMENT_CONFLICT");
    room.published(&open, "integrity_alarm").await;
    others.ended(&done, &[("caller-1", 25)]).await;
    let sealed: ExhibitSealed = room.published(&done, "exhibit_sealed").await.pop().unwrap().decode();
    // What came later: an addendum with an item of its own, sealed.
    let added = header_for(&sealed.exhibit_id, ItemKind::Other, "photo-list", b"later");
    let added = add(&room.client, &added, b"later").await.unwrap();
    room.client.clone().seal(sealing(&added.exhibit_id)).await.unwrap();
    let addendum: AddendumSealed = room.published(&done, "addendum_sealed").await.pop().unwrap().decode();
    // And one that is still open, for more is owed, whose track begins where the sealed parts end.
    room.append().await.send(segment(&done, "caller-1", 20)).await.unwrap();
    let archives = [room.export(&sealed.exhibit_id).await, room.export(&addendum.exhibit_id).await];
    let before = (room.exhibit(&done).await.unwrap(), room.exhibit(&open).await.unwrap());
    assert!(room.errand("reindex", &[]).await.is_err(), "while the service runs");
    assert!(room.service.terminate().await.unwrap().success());
    let index = index(&room).await;
    assert!(index.iter().all(|table| !table.as_array().unwrap().is_empty()), "each table has something to lose");
    // With the index there; with rows of it changed behind our back; and with none of it.
    room.errand("reindex", &[]).await.unwrap();
    assert_eq!(self::index(&room).await, index);
    let meddle = "alter table evidence.segments disable trigger write_once; alter table evidence.segments disable trigger sent_again;
                  alter table evidence.artefacts disable trigger write_once;
                  update evidence.segments set sha256 = stored_sha256; update evidence.artefacts set content = '';
                  delete from evidence.segments where seq > 15; update evidence.exhibits set seal_sha256 = tagmanifest_sha256
                  where state = 'sealed'";
    sqlx::raw_sql(meddle).execute(&room.db.pool()).await.unwrap();
    room.errand("reindex", &[]).await.unwrap();
    assert_eq!(self::index(&room).await, index);
    lose(&room).await;
    room.errand("reindex", &[]).await.unwrap();
    assert_eq!(self::index(&room).await, index);

    room.restart().await;
    assert_eq!((room.exhibit(&done).await.unwrap(), room.exhibit(&open).await.unwrap()), before);
    // All but who looked at it, which grows by a line with each look.
    let sealed_files = |archive: &[u8]| {
        let mut files = files_in(archive);
        files.retain(|path, _| !path.starts_with("access/"));
        files
    };
    for (id, archive) in [&sealed.exhibit_id, &addendum.exhibit_id].into_iter().zip(&archives) {
        assert!(sealed_files(&room.export(id).await) == sealed_files(archive));
        assert_eq!(room.verified(id).await.outcome(), Outcome::InPart);
    }
    room.append().await.send(segment(&open, "officer-1", 20)).await.unwrap();
    room.append().await.send(segment(&done, "caller-1", 21)).await.unwrap();
    others.ended(&open, &[("officer-1", 21)]).await;
    let events = room.published(&open, "exhibit_sealed").await;
    assert_eq!(events.iter().filter(|event| event.name == "exhibit_sealed").count(), 1);
    // Nobody is told again of what was sealed long ago.
    let told = room.everything().await;
    let seals = [sealed.seal_sha256.as_str(), addendum.seal_sha256.as_str()];
    let told_of = |event: &Published| match event.name.as_str() {
        "exhibit_sealed" => event.decode::<ExhibitSealed>().seal_sha256,
        "addendum_sealed" => event.decode::<AddendumSealed>().seal_sha256,
        _ => String::new(),
    };
    assert_eq!(told.iter().map(told_of).filter(|seal| seals.contains(&seal.as_str())).count(), 2);
}

/// Other bytes for what is sealed: refused, and kept all the same, once, also for whoever has nothing but the journal.
#[tokio::test]
async fn other_bytes_for_a_sealed_segment_are_kept() {
    let mut room = Room::open().await;
    let (call, exhibit) = room.sealed_call().await;
    for _ in 0..2 {
        let other = room.append().await.send(holding(&call, "caller-1", 1, b"other".to_vec())).await;
        refused(other, Code::DataLoss, "SEGMENT_CONFLICT");
    }
    let alarm: IntegrityAlarm = room.published(&call, "integrity_alarm").await.pop().unwrap().decode();
    assert_eq!((alarm.exhibit_id.as_str(), alarm.track.as_str(), alarm.seq), (exhibit.as_str(), "caller-1", 1));
    let third = room.append().await.send(holding(&call, "caller-1", 1, b"a third".to_vec())).await;
    refused(third, Code::DataLoss, "SEGMENT_CONFLICT");
    let kept = async |room: &Room| {
        room.count("select count(*) from evidence.conflicts where track = 'caller-1' and seq = 1").await
    };
    until("the index has both", async || kept(&room).await == 2).await;
    assert_eq!(room.verified(&exhibit).await.outcome(), Outcome::InPart, "what is sealed is what came first");
    room.service.terminate().await.unwrap();
    lose(&room).await;
    room.errand("reindex", &[]).await.unwrap();
    assert_eq!(kept(&room).await, 2);
    room.restart().await;
    assert_eq!(room.verified(&exhibit).await.outcome(), Outcome::InPart);
}

/// The seal's own record went with the key; the tombstone's didn't.
#[tokio::test]
async fn what_was_disposed_of_stays_disposed_of() {
    let mut room = Room::with(&[DUE_AT_ONCE]).await;
    let others = Others::at(&room.nats).await;
    let (call, exhibit) = room.sealed_call_by(&others).await;
    let (kept, _) = room.sealed_call_by(&others).await;
    room.reviewed_twice(&exhibit).await;
    let disposed = room.client.clone().dispose(disposing(&exhibit)).await.unwrap().into_inner();
    room.published(&call, "exhibit_disposed").await;
    // What the tombstone's record has. Who looked, and the log's places, are the database's alone.
    let left = |archive: &[u8]| {
        let mut files = files_in(archive);
        files.retain(|path, _| {
            let listed = ["proof/tombstone.json", "proof/tombstone.p7s", "proof/seal.p7s"];
            path.starts_with("bag/") || listed.contains(&path.as_str())
        });
        files
    };
    let before = left(&room.export(&exhibit).await);
    assert!(before.contains_key("proof/tombstone.p7s") && before.contains_key("bag/data/manifest.json"));
    let tombstones = async |room: &Room| -> Vec<(Vec<u8>, Vec<u8>, bool)> {
        let query = "select tombstone, signature, destroyed_at is not null from evidence.disposals";
        sqlx::query_as(query).fetch_all(&room.db.pool()).await.unwrap()
    };
    let stone = tombstones(&room).await;
    room.service.terminate().await.unwrap();
    lose(&room).await;
    assert_eq!(tombstones(&room).await, []);
    room.errand("reindex", &[]).await.unwrap();
    assert_eq!(tombstones(&room).await, stone);

    room.restart().await;
    assert_eq!(room.exhibit(&call).await.unwrap().state(), ExhibitState::Disposed);
    assert_eq!(room.exhibit(&kept).await.unwrap().state(), ExhibitState::Sealed);
    refused(room.read(reading(&exhibit, "manifest.json", 0, 0)).await, Code::FailedPrecondition, "DISPOSED");
    assert_eq!(left(&room.export(&exhibit).await), before);
    let again = room.client.clone().dispose(disposing(&exhibit)).await.unwrap().into_inner();
    assert_eq!(again.tombstone_sha256, disposed.tombstone_sha256);
    // Late segments of what is gone are turned away, and nobody is told of the disposal again.
    refused(room.append().await.send(segment(&call, "caller-1", 3)).await, Code::FailedPrecondition, "DISPOSED");
    let told = room.published(&call, "exhibit_disposed").await;
    assert_eq!(told.iter().filter(|event| event.name == "exhibit_disposed").count(), 1);
}

/// The index said so much and now says less: that is damage, of items as of segments, and not a shorter exhibit.
#[tokio::test]
async fn an_item_that_the_index_lost_is_not_sealed_over() {
    let mut room = Room::open().await;
    let others = Others::at(&room.nats).await;
    let call = room.call().await;
    for words in [&b"first"[..], b"second"] {
        add(&room.client, &header(&call, ItemKind::Statement, "statement", words), words).await.unwrap();
    }
    let items = "select count(*) from evidence.items";
    until("both items to be in the index", async || room.count(items).await == 2).await;
    let lose = "alter table evidence.items disable trigger write_once; delete from evidence.items where seq = 1";
    sqlx::raw_sql(lose).execute(&room.db.pool()).await.unwrap();
    others.ended(&call, &[]).await;
    let alarm: IntegrityAlarm = room.published(&call, "integrity_alarm").await.pop().unwrap().decode();
    assert_eq!((alarm.track.as_str(), alarm.seq), ("items", 1));
    assert_eq!(room.exhibit(&call).await.unwrap().state(), ExhibitState::Fenced);
    // The journal has it: with the index made again, it is sealed whole.
    room.service.terminate().await.unwrap();
    room.errand("reindex", &[]).await.unwrap();
    room.restart().await;
    let sealed = room.sealed(&call).await;
    let manifest = String::from_utf8(room.file(&sealed.exhibit_id, "bag/data/manifest.json").await).unwrap();
    assert!(manifest.contains("items/statement/statement/2."), "{manifest}");
}
