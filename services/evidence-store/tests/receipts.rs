//! What was acknowledged can be proved against the store itself: after it lost everything, and after it was put back to
//! an earlier state and sealed that.

use std::{fs, path::Path};

use crate::support::{items::*, *};
use api::evidence::v1::{AddItemResponse, AppendSegmentsResponse, ExhibitSealed, ItemHeader, ItemKind};
use exhibit::{
    Digest,
    receipt::{Judgement, Leaf, Proof, PublicKey, Receipt, check},
};
use ids::TrackName;
use tonic::Code;

fn digest(bytes: &[u8]) -> Digest {
    Digest::try_from(bytes).unwrap()
}

/// What a sender keeps of a segment's ack.
fn kept(exhibit: &str, sha256: &[u8], ack: &AppendSegmentsResponse) -> Receipt {
    let (exhibit, track, chain) = (exhibit.parse().unwrap(), ack.track.parse().unwrap(), digest(&ack.chain));
    receipt(Leaf { exhibit, track, seq: ack.seq, sha256: digest(sha256), chain }, ack.receipt.as_ref())
}

/// The same of an item's.
fn kept_item(sha256: &[u8], answer: &AddItemResponse) -> Receipt {
    let (exhibit, track, chain) = (answer.exhibit_id.parse().unwrap(), TrackName::items(), digest(&answer.chain));
    receipt(Leaf { exhibit, track, seq: answer.seq, sha256: digest(sha256), chain }, answer.receipt.as_ref())
}

fn receipt(leaf: Leaf, receipt: Option<&api::evidence::v1::Receipt>) -> Receipt {
    let receipt = receipt.cloned().expect("a receipt");
    let at = receipt.at.unwrap();
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

#[tokio::test]
async fn an_items_receipt_is_proved_by_the_package_that_holds_it() {
    let room = Room::open().await;
    let others = Others::at(&room.nats).await;
    let call = room.call().await;
    room.append().await.send(segment(&call, "caller-1", 0)).await.unwrap();
    let data = [b"{}".as_slice(), b"{\"two\":2}", b"{\"late\":3}"];
    let [one, two, late] = data.map(|data| header(&call, ItemKind::Chapters, "chapters", data));
    let added = async |header: &ItemHeader, data: &[u8]| {
        kept_item(&header.sha256, &add(&room.client, header, data).await.unwrap())
    };
    let first = added(&one, data[0]).await;
    let second = added(&two, data[1]).await;
    assert_eq!((first.leaf.seq, second.leaf.seq), (0, 1));
    // A repeat has the first answer's; with that forgotten, a fresh one about the same.
    assert_eq!(added(&one, data[0]).await, first);
    sqlx::query("delete from outbox.answers where rpc = 'AddItem'").execute(&room.db.pool()).await.unwrap();
    let again = added(&one, data[0]).await;
    assert!(again.leaf == first.leaf && again.proof.at > first.proof.at, "{again:?}");

    others.ended(&call, &[("caller-1", 1)]).await;
    let sealed: ExhibitSealed = room.published(&call, "exhibit_sealed").await.pop().unwrap().decode();
    room.verified(&sealed.exhibit_id).await;
    // What comes after the fence is signed for where it went.
    let late = added(&late, data[2]).await;
    assert_ne!(late.leaf.exhibit, first.leaf.exhibit);
    let never = Receipt { leaf: Leaf { seq: 2, ..second.leaf.clone() }, ..second.clone() };
    let receipts = [first, second, again, late, never].map(|receipt| receipt.to_text()).join("\n");
    let package = room.data.path().join("package.tar");
    let checked = check(&receipts, &public_key(room.data.path()), Some(&package)).unwrap();
    let judged: Vec<_> = checked.receipts.iter().map(|(.., judged)| judged.clone()).collect();
    let [Judgement::Held, Judgement::Held, Judgement::Held, Judgement::OtherExhibit, Judgement::Worthless(_)] =
        &judged[..]
    else {
        panic!("{checked}")
    };
}

/// A late segment is in an addendum, and that is what its receipt says.
#[tokio::test]
async fn the_receipt_of_a_late_segment_names_the_addendum_that_holds_it() {
    let room = Room::with(&[("ALCOVE_EVIDENCE_STORE__SEALING__GRACE_SECONDS", "0")]).await;
    let others = Others::at(&room.nats).await;
    let call = room.call().await;
    let own = room.exhibit(&call).await.unwrap().exhibit_id;
    let first = room.append().await.send(segment(&call, "caller-1", 0)).await.unwrap();
    others.ended(&call, &[("caller-1", 2)]).await;
    room.sealed(&call).await;
    let sent = segment(&call, "caller-1", 1);
    let late = room.append().await.send(sent.clone()).await.unwrap();
    let addendum = room.exhibit(&call).await.unwrap().addendum_exhibit_ids.pop().unwrap();
    assert_eq!((first.exhibit_id, &late.exhibit_id), (own, &addendum));
    let lines = kept(&late.exhibit_id, &sent.sha256, &late).to_text();
    let checked = check(&lines, &public_key(room.data.path()), None).unwrap();
    assert_eq!(checked.receipts[0].2, Judgement::Acknowledged);
}
