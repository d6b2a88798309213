//! Some of an exhibit's files, given out so that each can still be proved to be the original's.

use crate::support::{foreign::bagit_accepts, items::*, retention::*, *};
use api::evidence::v1::{ExportRequest, ItemKind};
use exhibit::verify::Outcome;
use tonic::{Code, Status};

const SECRET: &[u8] = b"where she lives now";

async fn disclosed(room: &Room, exhibit: &str, only: &[&str]) -> Result<Vec<u8>, Status> {
    let only = only.iter().map(ToString::to_string).collect();
    let request = ExportRequest { only, ..exporting(exhibit) };
    let mut chunks = room.client.clone().export(request).await?.into_inner();
    let mut archive = Vec::new();
    while let Some(chunk) = chunks.message().await? {
        archive.extend(chunk.chunk);
    }
    Ok(archive)
}

/// A vouched-for room with one sealed exhibit: a track, a statement, and something that is nobody else's business.
async fn exhibit_of(settings: &[(&str, &str)]) -> (Room, String) {
    let room = Room::vouched(settings).await;
    let others = Others::at(&room.nats).await;
    let call = room.call().await;
    room.append().await.send(segment(&call, "caller-1", 0)).await.unwrap();
    for (name, data) in [("statement", b"{}".as_slice()), ("address", SECRET)] {
        add(&room.client, &header(&call, ItemKind::Statement, name, data), data).await.unwrap();
    }
    others.ended(&call, &[("caller-1", 1)]).await;
    let exhibit = room.sealed(&call).await.exhibit_id;
    (room, exhibit)
}

#[tokio::test]
async fn a_part_is_given_out_that_proves_where_it_comes_from() {
    let (room, exhibit) = exhibit_of(&[]).await;
    let chosen = ["tracks/caller-1.mkv", "items/statement/statement/1.json"];
    let archive = disclosed(&room, &exhibit, &chosen).await.unwrap();
    // The recording's list of segments comes with it.
    for path in [&chosen[..], &["segments/caller-1.jsonl"]].concat() {
        let whole = room.read(reading(&exhibit, path, 0, 0)).await.unwrap();
        assert_eq!(file_in(&archive, &format!("bag/data/{path}")), Some(whole));
    }
    assert!(file_in(&archive, "bag/data/items/statement/address/1.json").is_none());
    assert!(!archive.windows(SECRET.len()).any(|w| w == SECRET), "what was withheld is in it");
    // Who looked at the original is no part of it.
    assert!(file_in(&archive, exhibit::access::ACCESS_LOG).is_none());
    let file = room.data.path().join("disclosure.tar");
    std::fs::write(&file, &archive).unwrap();
    let report = room.verified_file(&file);
    assert_eq!(
        (report.outcome(), &report.failures[..], &report.open[..]),
        (Outcome::Proved, &[][..], &[][..]),
        "{report}"
    );
    let selection = report.selection.as_ref().unwrap();
    let disclosed = ["items/statement/statement/1.json", "segments/caller-1.jsonl", "tracks/caller-1.mkv"];
    assert_eq!(selection.disclosed, disclosed);
    assert!(selection.withheld.contains(&"items/statement/address/1.json".to_owned()), "{selection:?}");
    bagit_accepts(&archive, "bag/data/tracks/caller-1.mkv");
    let seen = room.accesses(&exhibit).await;
    assert_eq!(seen[0].what, "export of items/statement/statement/1.json, tracks/caller-1.mkv");

    // One byte other than the original's, and it is no disclosure any more.
    let mut altered = archive;
    let at = altered.windows(200).position(|w| w == &segment("", "caller-1", 0).data[..200]).unwrap();
    altered[at + 99] ^= 1;
    std::fs::write(&file, &altered).unwrap();
    assert_eq!(room.verified_file(&file).outcome(), Outcome::Failed);
}

#[tokio::test]
async fn only_what_is_there_can_be_disclosed_and_nothing_of_what_is_gone() {
    let (room, exhibit) = exhibit_of(&[DUE_AT_ONCE]).await;
    for unknown in ["tracks/caller-2.mkv", "../manifest.json", "manifest.json", ""] {
        let asked = disclosed(&room, &exhibit, &["tracks/caller-1.mkv", unknown]).await;
        refused(asked, Code::InvalidArgument, "UNKNOWN_ITEM");
    }
    assert!(room.accesses(&exhibit).await.is_empty());
    room.reviewed_twice(&exhibit).await;
    room.client.clone().dispose(disposing(&exhibit)).await.unwrap();
    let asked = disclosed(&room, &exhibit, &["tracks/caller-1.mkv"]).await;
    refused(asked, Code::FailedPrecondition, "DISPOSED");
    // What is left is timestamped and logged as the seal was.
    let left = room.export(&exhibit).await;
    let (token, signature) =
        (file_in(&left, "proof/tombstone.tsr").unwrap(), file_in(&left, "proof/tombstone.p7s").unwrap());
    room.tsa().authority().openssl_verifies(&token, &signature).unwrap();
    let entry = file_in(&left, "proof/tombstone-log-entry.txt").unwrap();
    assert_eq!(
        String::from_utf8(entry.clone()).unwrap(),
        format!(
            "alcove tombstone v1\n{exhibit}\n{}\n{}\n",
            exhibit::Digest::of(&signature),
            exhibit::Digest::of(&token)
        )
    );
    let proof = String::from_utf8(file_in(&left, "proof/tombstone.tlog-proof").unwrap()).unwrap();
    let witnesses = exhibit::tlog::WitnessPolicy::all(room.witness.iter().map(Witness::key).collect());
    exhibit::tlog::Proof::parse(&proof).unwrap().verify(&entry, &room.log_key(), &witnesses).unwrap();
}
