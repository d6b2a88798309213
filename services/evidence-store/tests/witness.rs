//! The witness: nothing is sealed without its word, and who holds the log's key alone can't rewrite what it has seen.

use std::fs;

use crate::support::*;
use api::evidence::v1::{ExhibitState, GetCheckpointRequest};
use exhibit::{
    Digest,
    tlog::{
        Checkpoint, Frontier, Proof, WitnessPolicy, consistency_path, digest_to_base64, leaf_hash, node_hash,
        note::{SignedNote, SignerKey},
    },
    verify::Outcome,
};
use reqwest::StatusCode;
use tempfile::TempDir;
use tonic::Code;

fn policy(room: &Room) -> WitnessPolicy {
    WitnessPolicy::all(vec![room.witness.as_ref().unwrap().key()])
}

#[tokio::test]
async fn a_seal_has_the_witness_s_word() {
    let room = Room::vouched(&[]).await;
    let others = Others::at(&room.nats).await;
    let mut calls = Vec::new();
    for _ in 0..3 {
        calls.push(room.ended_call(&others, 2).await);
    }
    for call in &calls {
        let exhibit = room.sealed(call).await.exhibit_id;
        let proof = Proof::parse(room.file(&exhibit, "proof/seal.tlog-proof").await).unwrap();
        let entry = room.file(&exhibit, "proof/log-entry.txt").await;
        let proved = proof.verify(&entry, &room.log_key(), &policy(&room)).unwrap();
        assert_eq!(proved.cosigned.len(), 1);
        assert_eq!(room.verified(&exhibit).await.outcome(), Outcome::Proved);
    }
    room.audit();
    let note = room.client.clone().get_checkpoint(GetCheckpointRequest {}).await.unwrap().into_inner().note;
    let shown = SignedNote::parse(&note).unwrap();
    policy(&room).check(&shown).unwrap();
    assert!(Checkpoint::open(&shown, &room.log_key()).unwrap().size >= 3, "the seals, and who looked at them");
    let nobody = uuid::Uuid::nil().to_string();
    let published: api::evidence::v1::CheckpointPublished =
        room.published(&nobody, "checkpoint_published").await.pop().unwrap().decode();
    policy(&room).check(&SignedNote::parse(&published.note).unwrap()).unwrap();
}

#[tokio::test]
async fn while_the_witness_is_away_seals_wait_and_say_so_and_calls_go_on() {
    let mut room = Room::vouched(&[]).await;
    let others = Others::at(&room.nats).await;
    let first = room.ended_call(&others, 1).await;
    room.sealed(&first).await;
    room.witness().service.kill().await.unwrap();
    let mut calls = Vec::new();
    for _ in 0..3 {
        calls.push(room.ended_call(&others, 2).await);
    }
    for call in &calls {
        let exhibit = room.exhibit_until(call, |exhibit| !exhibit.waits_for.is_empty()).await;
        let told = (exhibit.state(), exhibit.waits_for.as_str());
        assert_eq!(told, (ExhibitState::Timestamped, "the witness doesn't answer"));
    }
    // A start without it: segments are taken, what waits goes on waiting.
    room.restart().await;
    let open = room.call().await;
    room.append().await.send(segment(&open, "caller-1", 0)).await.unwrap();
    assert_eq!(room.exhibit(&calls[0]).await.unwrap().state(), ExhibitState::Timestamped);
    let log = fs::read_to_string(room.service.log_file()).unwrap();
    assert!(log.contains("serving all the same"), "{log}");

    room.witness().service.restart().await.unwrap();
    for call in &calls {
        let exhibit = room.sealed(call).await.exhibit_id;
        let proof = Proof::parse(room.file(&exhibit, "proof/seal.tlog-proof").await).unwrap();
        let entry = room.file(&exhibit, "proof/log-entry.txt").await;
        proof.verify(&entry, &room.log_key(), &policy(&room)).unwrap();
    }
}

#[tokio::test]
async fn a_witness_that_forgot_is_shown_the_log_again() {
    let mut room = Room::vouched(&[]).await;
    let others = Others::at(&room.nats).await;
    for _ in 0..2 {
        let call = room.ended_call(&others, 1).await;
        room.sealed(&call).await;
    }
    room.witness().service.kill().await.unwrap();
    let seen = room.witness().folder.path().join("seen");
    for file in fs::read_dir(&seen).unwrap().map(|entry| entry.unwrap().path()) {
        if !file.file_name().unwrap().to_string_lossy().starts_with("witness.") {
            let _ = fs::remove_file(&file).or_else(|_| fs::remove_dir_all(&file));
        }
    }
    room.witness().service.restart().await.unwrap();
    let call = room.ended_call(&others, 1).await;
    let exhibit = room.sealed(&call).await.exhibit_id;
    let proof = Proof::parse(room.file(&exhibit, "proof/seal.tlog-proof").await).unwrap();
    let entry = room.file(&exhibit, "proof/log-entry.txt").await;
    proof.verify(&entry, &room.log_key(), &policy(&room)).unwrap();
}

#[tokio::test]
async fn an_old_database_with_old_tiles_and_an_old_journal_is_refused_by_the_witness() {
    let mut room = Room::vouched(&[]).await;
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
    room.service.terminate().await.unwrap();
    room.db.put_back().await.unwrap();
    copy(&backup.path().join("data"), room.data.path());
    room.restart().await;
    room.refuses(&first, "the witness").await;
    // With the witness away at start it can't be known: it is told as soon as it is back, before anything is sealed.
    room.witness().service.kill().await.unwrap();
    room.restart().await;
    room.exhibit(&first).await.unwrap();
    let third = room.ended_call(&others, 1).await;
    room.exhibit_until(&third, |exhibit| exhibit.state() == ExhibitState::Timestamped).await;
    room.witness().service.restart().await.unwrap();
    room.refuses(&third, "the witness").await;
    let sealed = "select count(*) from evidence.exhibits where state = 'sealed'";
    assert_eq!(room.count(sealed).await, 1);
}

/// A thief with the log's key, who has read all of its entries.
struct Thief {
    key: SignerKey,
    leaves: Vec<Digest>,
}

impl Thief {
    async fn of(room: &Room) -> Self {
        let seed = fs::read_to_string(room.data.path().join("log/dev-log.key")).unwrap();
        let seed = hex::decode(seed.trim()).unwrap().try_into().unwrap();
        let key = SignerKey::from_seed(room.log_key().name(), &seed).unwrap();
        let leaves = "select leaf_sha256 from evidence.log_entries order by log_index";
        let leaves: Vec<Vec<u8>> = sqlx::query_scalar(leaves).fetch_all(&room.db.pool()).await.unwrap();
        Self { key, leaves: leaves.iter().map(|leaf| Digest::try_from(&leaf[..]).unwrap()).collect() }
    }

    fn node(&self, level: u8, index: u64) -> Digest {
        match level {
            0 => self.leaves[index as usize],
            _ => node_hash(&self.node(level - 1, 2 * index), &self.node(level - 1, 2 * index + 1)),
        }
    }

    /// Shows the witness these leaves as what follows from the tree of `old` leaves.
    async fn show(&self, room: &Room, old: u64) -> StatusCode {
        let mut frontier = Frontier::new();
        self.leaves.iter().for_each(|leaf| frontier.push(*leaf));
        let origin = self.key.verifier().name().to_owned();
        let note = Checkpoint { origin, size: frontier.size(), root: frontier.root() }.sign(&self.key).unwrap();
        let read = |level, index| Ok::<_, exhibit::tlog::Error>(self.node(level, index));
        let path = consistency_path(old, frontier.size(), read).unwrap();
        let path: String = path.iter().map(|hash| digest_to_base64(hash) + "\n").collect();
        let body = format!("old {old}\n{path}\n{}", note.to_text());
        let url = format!("{}/add-checkpoint", room.witness.as_ref().unwrap().service.url("http"));
        reqwest::Client::new().post(url).body(body).send().await.unwrap().status()
    }
}

#[tokio::test]
async fn a_second_history_with_the_stolen_key_is_refused_by_the_witness_and_ends_sealing() {
    let room = Room::vouched(&[]).await;
    let others = Others::at(&room.nats).await;
    for _ in 0..3 {
        let call = room.ended_call(&others, 1).await;
        room.sealed(&call).await;
    }
    // One seal left out, or another in its place: that doesn't follow from what the witness has seen.
    let mut thief = Thief::of(&room).await;
    let genuine = thief.leaves.clone();
    assert_eq!(genuine.len(), 3);
    thief.leaves[1] = leaf_hash(b"alcove seal v1\nanother\n");
    assert_eq!(thief.show(&room, 3).await, StatusCode::CONFLICT);
    thief.leaves.push(leaf_hash(b"and one more"));
    assert_eq!(thief.show(&room, 3).await, StatusCode::UNPROCESSABLE_ENTITY);
    let call = room.ended_call(&others, 1).await;
    room.sealed(&call).await;

    // Where the thief goes on from the true tree the witness can't tell: the store can.
    thief.leaves = Thief::of(&room).await.leaves;
    thief.leaves.push(leaf_hash(b"a seal that never was"));
    assert_eq!(thief.show(&room, 4).await, StatusCode::OK);
    let last = room.ended_call(&others, 1).await;
    room.refuses(&last, "the witness").await;
    refused(room.client.clone().open_exhibit(opening(&fresh())).await, Code::Unavailable, "LOG_BEHIND");
    assert_eq!(room.count("select count(*) from evidence.exhibits where state = 'sealed'").await, 4);
}
