//! What was acknowledged can be proved against the store itself: after it lost everything, and after it was put back to
//! an earlier state and sealed that.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod support;

use std::{fs, path::Path};

use api::evidence::v1::{AppendSegmentsResponse, ExhibitSealed};
use exhibit::{
    Digest,
    receipt::{Judgement, Leaf, Proof, PublicKey, Receipt, check},
};
use support::*;
use tonic::Code;

/// What a sender keeps of an ack.
fn kept(exhibit: &str, sha256: &[u8], ack: &AppendSegmentsResponse) -> Receipt {
    let receipt = ack.receipt.clone().expect("a receipt");
    let digest = |bytes: &[u8]| Digest::try_from(bytes).unwrap();
    let at = receipt.at.unwrap();
    let leaf = Leaf {
        exhibit: exhibit.parse().unwrap(),
        track: ack.track.parse().unwrap(),
        seq: ack.seq,
        sha256: digest(sha256),
        chain: digest(&ack.chain),
    };
    let proof = Proof {
        key_id: receipt.key_id.parse().unwrap(),
        at: chrono::DateTime::from_timestamp(at.seconds, at.nanos as u32).unwrap(),
        leaves: receipt.leaves,
        index: receipt.index,
        path: receipt.path.iter().map(|hash| digest(hash)).collect(),
        signature: receipt.signature.try_into().unwrap(),
    };
    Receipt { leaf, proof }
}

fn public_key(data: &Path) -> PublicKey {
    fs::read_to_string(data.join("receipts/receipt-key.hex")).unwrap().trim().parse().unwrap()
}

fn journals(data: &Path) -> Vec<std::path::PathBuf> {
    let files = fs::read_dir(data).unwrap().map(|entry| entry.unwrap().path());
    files.filter(|path| path.extension().is_some_and(|e| e == "alj")).collect()
}

/// Sends these and gives a line for each receipt.
async fn acknowledged(room: &Room, call: &str, exhibit: &str, seqs: std::ops::Range<u64>) -> String {
    let mut stream = room.append().await;
    let sent: Vec<_> = seqs.map(|seq| segment(call, "caller-1", seq)).collect();
    for segment in &sent {
        stream.segments.send(segment.clone()).await.unwrap();
    }
    let mut lines = String::new();
    for segment in &sent {
        let receipt = kept(exhibit, &segment.sha256, &stream.ack().await.unwrap());
        lines += &(receipt.to_text() + "\n");
    }
    lines
}

async fn lose_the_database(room: &Room) {
    let lose = "truncate evidence.exhibits, evidence.tracks, evidence.segments, evidence.conflicts, evidence.alarms,
                         evidence.journal_files cascade";
    sqlx::query(lose).execute(&room.db.pool()).await.unwrap();
}

#[tokio::test]
async fn a_store_that_lost_everything_is_shown_its_own_signature() {
    let mut room = Room::open().await;
    let call = room.call().await;
    let exhibit = room.exhibit(&call).await.unwrap().exhibit_id;
    let receipts = acknowledged(&room, &call, &exhibit, 0..40).await;
    // A repeat is signed anew, and says the same of the same segment.
    let again = acknowledged(&room, &call, &exhibit, 3..4).await;
    assert_eq!(
        Receipt::parse(again.trim()).unwrap().leaf,
        Receipt::parse(receipts.lines().nth(3).unwrap()).unwrap().leaf
    );

    room.service.kill().await.unwrap();
    journals(room.data.path()).iter().for_each(|file| fs::remove_file(file).unwrap());
    lose_the_database(&room).await;
    room.restart().await;
    refused(room.exhibit(&call).await, Code::NotFound, "UNKNOWN_EXHIBIT");
    let checked = check(&receipts, &public_key(room.data.path()), None).unwrap();
    assert_eq!(checked.receipts.len(), 40);
    assert!(checked.receipts.iter().all(|(.., judged)| *judged == Judgement::Acknowledged), "{checked}");
}

#[tokio::test]
async fn a_seal_over_an_earlier_state_is_found_out() {
    let mut room = Room::open().await;
    let others = Others::at(&room.nats).await;
    let call = room.call().await;
    let exhibit = room.exhibit(&call).await.unwrap().exhibit_id;
    let early = acknowledged(&room, &call, &exhibit, 0..5).await;
    assert!(room.service.terminate().await.unwrap().success());
    let backup: Vec<_> = journals(room.data.path()).into_iter().map(|f| (fs::read(&f).unwrap(), f)).collect();
    room.restart().await;
    let late = acknowledged(&room, &call, &exhibit, 5..9).await;
    room.service.kill().await.unwrap();

    journals(room.data.path()).iter().for_each(|file| fs::remove_file(file).unwrap());
    backup.iter().for_each(|(bytes, file)| fs::write(file, bytes).unwrap());
    lose_the_database(&room).await;
    room.restart().await;
    // Whoever put it back says that this was all.
    others.ended(&call, &[("caller-1", 5)]).await;
    let sealed: ExhibitSealed = room.published(&call, "exhibit_sealed").await.pop().unwrap().decode();
    assert_eq!(sealed.missing_segments, 0);
    assert!(room.verified(&sealed.exhibit_id).await.failures.is_empty(), "the package by itself is fine");

    let package = room.data.path().join("package.tar");
    let judged = |receipts: &str| {
        let checked = check(receipts, &public_key(room.data.path()), Some(&package)).unwrap();
        checked.receipts.into_iter().map(|(.., judged)| judged).collect::<Vec<_>>()
    };
    assert_eq!(judged(&early), vec![Judgement::Held; 5]);
    assert_eq!(judged(&late), vec![Judgement::Lost; 4]);
}
