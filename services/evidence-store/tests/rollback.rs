//! A store that was put back to an earlier day: its database, its tiles, its journal, singly and together. Whoever still holds what
//! it once said is believed, and it serves nothing.

use std::{fs, path::Path};

use crate::support::*;
use api::evidence::v1::{ExhibitState, IntegrityAlarm};
use async_nats::jetstream::kv;
use chassis::{Clock, Shutdown, ShutdownTrigger};
use exhibit::{
    Digest,
    tlog::{Checkpoint, note::SignerKey},
};
use tempfile::TempDir;
use testkit::{TestDatabase, until};
use tonic::Code;

/// Intake, as far as it keeps the log's newest checkpoint.
struct Keeper {
    db: TestDatabase,
    _stop: ShutdownTrigger,
}

impl Keeper {
    async fn at(room: &Room) -> Self {
        let (stop, shutdown) = Shutdown::manual();
        let db = testkit::database().await;
        outbox::migrate(&db.pool()).await.unwrap();
        let jetstream = room.nats.jetstream().await.unwrap();
        let keeper = outbox::CheckpointKeeper::new(db.pool(), jetstream, "intake-checkpoints", Clock::system());
        tokio::spawn(keeper.run(shutdown));
        Self { db, _stop: stop }
    }

    /// Waits until it holds, and shows, what the store says.
    async fn has_heard(&self, room: &Room) {
        let size = room.checkpoint().size;
        let jetstream = room.nats.jetstream().await.unwrap();
        until("the keeper", async || {
            let kept: Option<i64> = sqlx::query_scalar("select max(size) from outbox.checkpoints")
                .fetch_one(&self.db.pool())
                .await
                .unwrap();
            let shown = outbox::shown_checkpoints(&jetstream).await.unwrap();
            kept == Some(size as i64) && shown.iter().any(|shown| shown.note.contains(&format!("\n{size}\n")))
        })
        .await;
    }
}

/// Two calls are sealed; the backup has the first alone.
async fn two_days(room: &mut Room) -> (String, String, TempDir) {
    let others = Others::at(&room.nats).await;
    let first = room.ended_call(&others, 2).await;
    room.sealed(&first).await;
    room.service.terminate().await.unwrap();
    room.db.back_up().await.unwrap();
    let backup = TempDir::new().unwrap();
    copy(room.data.path(), &backup.path().join("data"));
    room.restart().await;
    let second = room.ended_call(&others, 2).await;
    room.sealed(&second).await;
    let shown = |data: &Path| fs::read(data.join("log/checkpoint")).unwrap();
    assert_ne!(shown(&backup.path().join("data")), shown(room.data.path()));
    (first, second, backup)
}

/// What of a store can be put back to an earlier day.
#[derive(Debug, Clone, Copy)]
enum Part {
    Database,
    Tiles,
    Journal,
}

/// Puts these back, as they were when the backup was made, and starts the store on them.
async fn put_back(room: &mut Room, backup: &TempDir, parts: &[Part]) {
    room.service.terminate().await.unwrap();
    let then = backup.path().join("data");
    for part in parts {
        match part {
            Part::Database => room.db.put_back().await.unwrap(),
            Part::Tiles => copy(&then.join("log"), &room.data.path().join("log")),
            Part::Journal => {
                room.journal().iter().for_each(|file| fs::remove_file(file).unwrap());
                for file in journal_in(&then) {
                    fs::copy(&file, room.data.path().join(file.file_name().unwrap())).unwrap();
                }
            }
        }
    }
    room.restart().await;
}

/// The journal lacks what the second call said: there is an alarm, and nothing of it is handed out.
async fn is_noticed(room: &Room, first: &str, second: &str) {
    let alarm: IntegrityAlarm = room.published(second, "integrity_alarm").await.pop().unwrap().decode();
    assert_eq!(alarm.kind, "JOURNAL_CORRUPT");
    let (first, second) = (room.exhibit(first).await.unwrap(), room.exhibit(second).await.unwrap());
    room.export(&first.exhibit_id).await;
    let mut chunks = room.client.clone().export(exporting(&second.exhibit_id)).await.unwrap().into_inner();
    let end = loop {
        match chunks.message().await {
            Ok(Some(_)) => {}
            end => break end,
        }
    };
    refused(end, Code::DataLoss, "JOURNAL_CORRUPT");
}

/// Two of the three together.
#[tokio::test]
async fn whatever_is_put_back_together_is_refused_or_noticed() {
    use Part::{Database, Journal, Tiles};
    let pairs = [
        // The tiles remember.
        ([Database, Journal], Some("the tiles")),
        // Nothing of its own does. The journal's newer records are no excuse.
        ([Database, Tiles], Some("intake-checkpoints")),
        // The database remembers: what was sealed, and every tile.
        ([Tiles, Journal], None),
    ];
    for (parts, refused_by) in pairs {
        let mut room = Room::open().await;
        let keeper = Keeper::at(&room).await;
        let (first, second, backup) = two_days(&mut room).await;
        keeper.has_heard(&room).await;
        let newest = room.checkpoint();
        put_back(&mut room, &backup, &parts).await;
        match refused_by {
            Some(holder) => {
                room.refuses(&first, holder).await;
                refused(room.client.clone().export(exporting(&fresh())).await, Code::Unavailable, "LOG_BEHIND");
            }
            None => {
                is_noticed(&room, &first, &second).await;
                until("the tiles", async || room.checkpoint().size >= newest.size).await;
                room.audit();
            }
        }
    }
}

#[tokio::test]
async fn an_old_database_beside_its_tiles_is_refused() {
    let mut room = Room::open().await;
    let (first, second, backup) = two_days(&mut room).await;
    let [first_exhibit, second_exhibit] =
        [room.exhibit(&first).await, room.exhibit(&second).await].map(|exhibit| exhibit.unwrap().exhibit_id);
    put_back(&mut room, &backup, &[Part::Database]).await;
    room.refuses(&first, "the tiles").await;
    // What it lacks is said to whoever has to bring it forward, and nothing else is.
    room.service.terminate().await.unwrap();
    let lacks = room.errand("behind", &[]).await.unwrap();
    assert!(lacks.contains(&format!(": the seal of {second_exhibit}")), "{lacks}");
    let held = lacks.lines().find(|line| line.starts_with(&format!("  of {second_exhibit}"))).unwrap();
    assert!(held.contains("(which it doesn't know): its opening, 2 segments of "), "{held}");
    assert!(held.ends_with("its seal") && lacks.ends_with("Until then nothing is served.\n"), "{lacks}");
    assert!(!lacks.contains(&first_exhibit), "{lacks}");
    // And it stays so.
    room.restart().await;
    room.refuses(&first, "the tiles").await;
    // Brought forward, it lacks nothing.
    room.service.terminate().await.unwrap();
    room.db.put_back().await.unwrap();
    let lacks = room.errand("behind", &[]).await.unwrap();
    assert_eq!(lacks, "The database lacks nothing that the log's tiles and the journal hold.\n");
    room.restart().await;
    assert_eq!(room.exhibit(&second).await.unwrap().state(), ExhibitState::Sealed);
}

#[tokio::test]
async fn an_old_database_with_old_tiles_and_an_old_journal_is_refused_by_those_who_remember() {
    let mut room = Room::open().await;
    let keeper = Keeper::at(&room).await;
    let (first, _, backup) = two_days(&mut room).await;
    keeper.has_heard(&room).await;
    put_back(&mut room, &backup, &[Part::Database, Part::Tiles, Part::Journal]).await;
    room.refuses(&first, "intake-checkpoints").await;
}

#[tokio::test]
async fn old_tiles_are_made_new_from_the_database() {
    let mut room = Room::open().await;
    let (_, second, backup) = two_days(&mut room).await;
    let newest = room.checkpoint();
    put_back(&mut room, &backup, &[Part::Tiles]).await;
    until("the tiles", async || room.checkpoint() == newest).await;
    assert_eq!(room.exhibit(&second).await.unwrap().state(), ExhibitState::Sealed);
    let others = Others::at(&room.nats).await;
    let third = room.ended_call(&others, 1).await;
    room.sealed(&third).await;
}

#[tokio::test]
async fn an_old_journal_is_noticed_and_what_it_lacks_is_never_handed_out() {
    let mut room = Room::open().await;
    let (first, second, backup) = two_days(&mut room).await;
    put_back(&mut room, &backup, &[Part::Journal]).await;
    is_noticed(&room, &first, &second).await;
}

#[tokio::test]
async fn a_store_that_serves_is_told_later_too_and_not_by_a_forger() {
    let mut room = Room::open().await;
    let others = Others::at(&room.nats).await;
    let call = room.ended_call(&others, 1).await;
    room.sealed(&call).await;
    let jetstream = room.nats.jetstream().await.unwrap();
    let config = kv::Config { bucket: "ALCOVE_CHECKPOINTS".into(), ..kv::Config::default() };
    let bucket = jetstream.create_key_value(config).await.unwrap();
    let origin = room.log_key().name().to_owned();
    let later = Checkpoint { origin: origin.clone(), size: 1_000, root: Digest::of(b"another history") };

    let forged = later.sign(&SignerKey::from_seed(&origin, &[7; 32]).unwrap()).unwrap();
    bucket.put("forger.x", forged.to_text().into()).await.unwrap();
    let log = || fs::read_to_string(room.service.log_file()).unwrap();
    until("the forgery", async || log().contains("not a checkpoint of this log")).await;
    room.exhibit(&call).await.unwrap();

    // The stolen key: a second history of the same log.
    let seed = hex::decode(fs::read_to_string(room.data.path().join("log/dev-log.key")).unwrap().trim()).unwrap();
    let stolen = SignerKey::from_seed(&origin, &seed.try_into().unwrap()).unwrap();
    let mut stream = room.append().await;
    let open = room.call().await;
    stream.send(segment(&open, "caller-1", 0)).await.unwrap();
    bucket.put("referral.x", later.sign(&stolen).unwrap().to_text().into()).await.unwrap();
    room.refuses(&call, "referral.x").await;
    // A stream that was open takes no more either: the sender keeps what it has.
    refused(stream.send(segment(&open, "caller-1", 1)).await, Code::Unavailable, "LOG_BEHIND");
    assert!(room.service.terminate().await.unwrap().success());
}
