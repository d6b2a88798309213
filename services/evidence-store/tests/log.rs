//! The log: every seal is in it once, with a proof that holds for whoever has the log's key and nothing of ours.

use std::fs;

use crate::support::*;
use api::evidence::v1::{CheckpointPublished, GetCheckpointRequest};
use chassis::{Ambient, Shutdown, config::load};
use evidence_store::{
    Config,
    config::DEFAULTS,
    log::Log,
    store::{self, Store},
};
use exhibit::{
    Digest,
    tlog::{Checkpoint, Entry, Proof, WitnessPolicy, note::SignedNote, tile, tree_root},
};
use ids::ExhibitId;
use tempfile::TempDir;
use testkit::until;
use tonic::Code;

#[tokio::test]
async fn a_seal_is_in_the_log_with_a_proof_that_holds() {
    let room = Room::stamped(&[]).await;
    let others = Others::at(&room.nats).await;
    let mut client = room.client.clone();
    refused(client.get_checkpoint(GetCheckpointRequest {}).await, Code::Unavailable, "NOTHING_LOGGED");

    let call = room.ended_call(&others, 3).await;
    let sealed = room.sealed(&call).await;
    let archive = room.export(&sealed.exhibit_id).await;
    let file = |path| file_in(&archive, path).unwrap();
    let entry = file("proof/log-entry.txt");
    let (seal, token) = (Digest::of(&file("proof/seal.p7s")), Digest::of(&file("proof/seal.tsr")));
    let said = format!("alcove seal v1\n{}\n{seal}\n{token}\n", sealed.exhibit_id);
    assert_eq!(String::from_utf8(entry.clone()).unwrap(), said);
    assert_eq!(seal.to_string(), sealed.seal_sha256);
    let proof = Proof::parse(file("proof/seal.tlog-proof")).unwrap();
    proof.verify(&entry, &room.log_key(), &WitnessPolicy::default()).unwrap();
    room.tsa().authority().openssl_verifies(&file("proof/seal.tsr"), &file("proof/seal.p7s")).unwrap();
    let exhibit = room.exhibit(&call).await.unwrap();
    assert_eq!((exhibit.log_index, exhibit.waits_for.as_str()), (Some(proof.index), ""));

    let note = client.get_checkpoint(GetCheckpointRequest {}).await.unwrap().into_inner().note;
    let shown = Checkpoint::open(&SignedNote::parse(&note).unwrap(), &room.log_key()).unwrap();
    assert!(shown.size > proof.index);
    assert_eq!(room.checkpoint(), shown);
    let nobody = uuid::Uuid::nil().to_string();
    let published: CheckpointPublished = room.published(&nobody, "checkpoint_published").await.pop().unwrap().decode();
    let heard = Checkpoint::open(&SignedNote::parse(&published.note).unwrap(), &room.log_key()).unwrap();
    assert_eq!((published.size, published.root.as_slice()), (heard.size, &heard.root.as_bytes()[..]));
}

#[tokio::test]
async fn the_heads_of_a_live_call_are_logged_when_they_have_moved() {
    let room = Room::with(&[("ALCOVE_EVIDENCE_STORE__LOG__HEADS_EVERY_SECONDS", "1")]).await;
    let (first, second) = (room.call().await, room.call().await);
    let mut stream = room.append().await;
    let head = stream.send(segment(&first, "caller-1", 0)).await.unwrap();
    let id = room.exhibit(&first).await.unwrap().exhibit_id;
    let wanted = format!("alcove heads v1\n{id}\ncaller-1 1 {}\n", hex::encode(&head.chain));
    let logged = async |entry: &str| {
        let rows = sqlx::query_scalar::<_, i64>("select count(*) from evidence.log_entries where entry = $1");
        rows.bind(entry.as_bytes().to_vec()).fetch_one(&room.db.pool()).await.unwrap()
    };
    until("the first heads", async || logged(&wanted).await == 1).await;
    let head = stream.send(segment(&second, "caller-1", 0)).await.unwrap();
    let id = room.exhibit(&second).await.unwrap().exhibit_id;
    let moved = format!("alcove heads v1\n{id}\ncaller-1 1 {}\n", hex::encode(&head.chain));
    until("the second heads", async || logged(&moved).await == 1).await;
    // The first call's have not moved since.
    assert_eq!(room.count("select count(*) from evidence.log_entries").await, 2);
}

/// A log of its own folder in a room's database; the room's own process is gone.
async fn log_in(room: &Room, folder: &TempDir) -> Log {
    let env = [
        ("ALCOVE_EVIDENCE_STORE__DATABASE__URL", room.db.url()),
        ("ALCOVE_EVIDENCE_STORE__JOURNAL__DATA_DIR", room.data.path().display().to_string()),
        ("ALCOVE_EVIDENCE_STORE__LOG__DIR", folder.path().display().to_string()),
        ("ALCOVE_EVIDENCE_STORE__LOG__KEY_FILE", room.data.path().join("log/dev-log.key").display().to_string()),
    ];
    let config: Config = load("evidence-store", DEFAULTS, env.map(|(key, value)| (key.to_owned(), value))).unwrap();
    let ambient = Ambient::real();
    let log = Log::new(&config, Store::new(room.db.pool()), ambient.clock, ambient.entropy).unwrap();
    log.compare(&room.nats.jetstream().await.unwrap()).await.unwrap();
    log
}

fn entry(number: u64) -> (Entry, ExhibitId) {
    let exhibit = ExhibitId::from(uuid::Uuid::from_u128(number.into()));
    (Entry::Access { exhibit, n: number, head: Digest::of(&number.to_be_bytes()) }, exhibit)
}

async fn queue(room: &Room, numbers: std::ops::Range<u64>) {
    let mut tx = room.db.pool().begin().await.unwrap();
    for (entry, exhibit) in numbers.map(entry) {
        store::queue_log_entry(&mut tx, &entry, exhibit).await.unwrap();
    }
    tx.commit().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn two_sequencers_make_one_log_and_each_its_tiles() {
    let mut room = Room::open().await;
    room.service.kill().await.unwrap();
    let folders = [TempDir::new().unwrap(), TempDir::new().unwrap()];
    let logs = [log_in(&room, &folders[0]).await, log_in(&room, &folders[1]).await];
    let mut sequencing = Vec::new();
    for log in &logs {
        let (stop, shutdown) = Shutdown::manual();
        sequencing.push((stop, tokio::spawn(log.clone().sequence(shutdown))));
    }
    // Twice the same: what is told twice is one leaf.
    for _ in 0..2 {
        queue(&room, 0..300).await;
        queue(&room, 300..700).await;
        logs.iter().for_each(|log| log.wake.notify_one());
        until("700 leaves", async || room.count("select count(*) from evidence.log_entries").await == 700).await;
    }
    // The one that leads is gone in mid-course; the other goes on.
    for gone in 0..2_u64 {
        let (stop, task) = sequencing.remove(0);
        if gone == 1 {
            stop.request();
            task.await.unwrap();
            break;
        }
        queue(&room, 700..900).await;
        task.abort();
        logs.iter().for_each(|log| log.wake.notify_one());
        until("900 leaves", async || room.count("select count(*) from evidence.log_entries").await == 900).await;
    }
    assert_eq!(room.count("select count(*) from evidence.log_queue").await, 0);
    let gaps = "select count(*) from (select log_index, row_number() over (order by log_index) - 1 as n
                from evidence.log_entries) e where log_index <> n";
    assert_eq!(room.count(gaps).await, 0);

    for (log, folder) in logs.iter().zip(&folders) {
        for number in [0, 255, 256, 511, 512, 699, 700, 899] {
            let (entry, _) = entry(number);
            let proof = log.proof(&entry).await.unwrap().unwrap();
            let proved = proof.verify(&entry.to_bytes(), log.key(), &WitnessPolicy::default()).unwrap();
            assert_eq!(proved.checkpoint.size, 900);
            let root = tree_root(900, |level, index| {
                tile::read_node(level, index, 900, |tile| {
                    let bytes = fs::read(folder.path().join(tile.path())).unwrap();
                    tile::decode_hashes(&bytes)
                })
            });
            assert_eq!(root.unwrap(), proved.checkpoint.root);
        }
        assert_eq!(log.proof(&entry(900).0).await.unwrap(), None);
        // Narrow tiles are gone where the whole one is.
        assert!(folder.path().join("tile/0/000").exists() && !folder.path().join("tile/0/000.p").exists());
        assert!(folder.path().join("tile/entries/002").exists() && folder.path().join("tile/1/000.p/3").exists());
        audited(folder.path(), log.key().clone(), Vec::new());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tiles_that_were_lost_or_altered_are_made_anew() {
    let mut room = Room::open().await;
    room.service.kill().await.unwrap();
    let folder = TempDir::new().unwrap();
    let log = log_in(&room, &folder).await;
    let (stop, shutdown) = Shutdown::manual();
    let sequencing = tokio::spawn(log.clone().sequence(shutdown));
    queue(&room, 0..600).await;
    log.wake.notify_one();
    until("a proof", async || log.proof(&entry(599).0).await.unwrap().is_some()).await;
    let file = |path: &str| folder.path().join(path);
    let good = ["tile/0/000", "tile/0/001", "tile/entries/001"].map(|path| (path, fs::read(file(path)).unwrap()));

    fs::remove_file(file("tile/0/001")).unwrap();
    let mut bytes = good[0].1.clone();
    bytes[77] ^= 1;
    fs::write(file("tile/0/000"), &bytes).unwrap();
    fs::write(file("tile/entries/001"), b"not entries").unwrap();
    let (wanted, _) = entry(300);
    let proof = log.proof(&wanted).await.unwrap().unwrap();
    proof.verify(&wanted.to_bytes(), log.key(), &WitnessPolicy::default()).unwrap();
    for (path, bytes) in &good {
        assert_eq!(fs::read(file(path)).unwrap(), *bytes, "{path}");
    }
    // What was there is kept for whoever asks how it came about.
    assert_eq!(fs::read(file("altered/tile_0_000")).unwrap(), bytes);
    assert!(file("altered/tile_entries_001").exists());
    until("the checkpoint", async || file("checkpoint").exists()).await;
    audited(folder.path(), log.key().clone(), Vec::new());
    stop.request();
    sequencing.await.unwrap();
}

/// Every byte of it, one bit each, before a process starts: it starts, and puts right what the database knows better.
#[tokio::test(flavor = "multi_thread")]
async fn a_checkpoint_that_was_altered_is_kept_aside_and_made_anew() {
    let mut room = Room::open().await;
    room.service.kill().await.unwrap();
    let folder = TempDir::new().unwrap();
    let log = log_in(&room, &folder).await;
    let (stop, shutdown) = Shutdown::manual();
    let sequencing = tokio::spawn(log.clone().sequence(shutdown));
    queue(&room, 0..300).await;
    log.wake.notify_one();
    let (wanted, _) = entry(299);
    until("a proof", async || log.proof(&wanted).await.unwrap().is_some()).await;
    stop.request();
    sequencing.await.unwrap();
    let (file, aside) = (folder.path().join("checkpoint"), folder.path().join("altered/checkpoint"));
    let good = fs::read(&file).unwrap();
    assert!(!aside.exists());
    let flipped = (0..good.len()).map(|at| {
        let mut bytes = good.clone();
        bytes[at] ^= 1 << (at % 8);
        bytes
    });
    let not_text = [vec![0xff; 40], vec![]];
    for altered in flipped.chain(not_text) {
        fs::write(&file, &altered).unwrap();
        let log = log_in(&room, &folder).await;
        log.standing().check().unwrap();
        log.proof(&wanted).await.unwrap().unwrap();
        let shown = String::from_utf8_lossy(&altered);
        assert_eq!(fs::read(&file).unwrap(), good, "{shown}");
        assert_eq!(fs::read(&aside).unwrap(), altered, "{shown}");
    }
    audited(folder.path(), log.key().clone(), Vec::new());
}

/// As above, in a whole service: its log says so.
#[tokio::test]
async fn an_altered_checkpoint_is_an_alarm() {
    let mut room = Room::open().await;
    let others = Others::at(&room.nats).await;
    let call = room.ended_call(&others, 1).await;
    let exhibit = room.sealed(&call).await.exhibit_id;
    let good = room.checkpoint();
    room.service.terminate().await.unwrap();
    let file = room.data.path().join("log/checkpoint");
    // Its size, so that it seems to be ahead.
    let note = fs::read_to_string(&file).unwrap();
    fs::write(&file, note.replacen(&format!("\n{}\n", good.size), "\n1000\n", 1)).unwrap();
    room.restart().await;
    let alarmed = |log: &str| log.lines().any(|line| line.contains("ERROR") && line.contains("CHECKPOINT_ALTERED"));
    let log = || fs::read_to_string(room.service.log_file()).unwrap();
    until("the alarm", async || alarmed(&log())).await;
    room.export(&exhibit).await;
    assert!(room.checkpoint().size >= good.size);
    room.audit();
}
