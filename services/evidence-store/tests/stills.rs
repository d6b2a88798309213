//! A still is the very frame of the sealed master that was asked for, and anybody can take it again.

use std::{fs, path::Path};

use crate::support::{films::*, items::*, *};
use api::evidence::v1::{AddendumSealed, ItemKind};
use evidence_store::working_copy::{FACTS, FILM};
use exhibit::Digest;
use serde_json::{Value, json};
use tempfile::tempdir;
use tonic::Code;

/// The frames of a recording: each one's time in the file, in milliseconds.
fn frames(folder: &Path, name: &str) -> Vec<u64> {
    let probe = format!("-v error -of csv=p=0 -select_streams v -show_entries packet=pts -f matroska {name}");
    tool("ffprobe", folder, &probe).lines().map(|line| line.trim_end_matches(',').parse().unwrap()).collect()
}

/// A file's only or nth frame, decoded.
fn decoded(folder: &Path, name: &str, number: usize) -> Vec<u8> {
    let filter = format!("select=eq(n\\,{number})");
    let arguments = format!(
        "-v error -y -i {name} -map 0:v:0 -vf {filter} -frames:v 1 -sws_flags accurate_rnd+full_chroma_int+bitexact \
         -f rawvideo -pix_fmt rgb24 frame"
    );
    tool("ffmpeg", folder, &arguments);
    fs::read(folder.join("frame")).unwrap()
}

async fn want(room: &Room, call: &str, number: u32, file_ms: u64) -> Digest {
    let item = json!({ "format": "alcove-still/1", "track": "caller-1", "file_ms": file_ms.to_string() }).to_string();
    add(&room.client, &header(call, ItemKind::Still, &format!("still-{number}"), item.as_bytes()), item.as_bytes())
        .await
        .unwrap();
    Digest::of(item.as_bytes())
}

#[tokio::test]
async fn a_still_is_the_very_frame_and_the_same_whenever_it_is_taken() {
    let mut room = Room::open().await;
    let others = Others::at(&room.nats).await;
    let folder = tempdir().unwrap();
    let call = room.call().await;
    let caller = recording(folder.path(), "caller.mkv", "testsrc=s=320x240", 440, 3);
    let segments = send(&room, &call, "caller-1", &caller, 0, 3).await;
    let frames = frames(folder.path(), "caller.mkv");
    let item_sha256 = want(&room, &call, 1, frames[31]).await;
    // Nothing is there at that time: no still, and no harm.
    want(&room, &call, 2, frames[31] + 1).await;
    want(&room, &call, 3, frames[60]).await;
    others.ended(&call, &[("caller-1", segments)]).await;
    let sealed = room.sealed(&call).await;
    made(&room, &sealed.exhibit_id).await;

    let still = derived(&room, &sealed.exhibit_id, "still-1.1.png").await;
    fs::write(folder.path().join("still.png"), &still).unwrap();
    let picture = decoded(folder.path(), "still.png", 0);
    assert_eq!(picture.len(), 320 * 240 * 3);
    assert!(picture == decoded(folder.path(), "caller.mkv", 31), "not the frame that was asked for");
    for other in [30, 32] {
        assert!(picture != decoded(folder.path(), "caller.mkv", other), "no two frames of it are alike");
    }
    let facts: Value = serde_json::from_slice(&derived(&room, &sealed.exhibit_id, FACTS).await).unwrap();
    let expected = json!({
        "name": "still-1.1.png", "reference": sealed.reference, "item": "items/still/still-1/1.json", "item_sha256": item_sha256.to_string(),
        "path": "tracks/caller-1.mkv", "track_sha256": Digest::of(&caller).to_string(),
        "file_ms": frames[31].to_string(), "bytes": still.len(), "sha256": Digest::of(&still).to_string(),
    });
    assert_eq!(facts["stills"].as_array().unwrap().len(), 2, "{facts}");
    assert_eq!(facts["stills"][0], expected);
    for name in ["still-2.1.png", "still-9.1.png", "../still-1.1.png"] {
        refused(room.read(reading(&sealed.exhibit_id, name, 0, 0)).await, Code::NotFound, "UNKNOWN_ITEM");
    }

    // Made anew, as after a crash: the same bytes.
    room.service.kill().await.unwrap();
    let kept = derived_folder(&room, &sealed.exhibit_id);
    for name in [FILM, FACTS, "still-1.1.png", "still-3.1.png"] {
        fs::remove_file(kept.join(name)).unwrap();
    }
    fs::write(kept.join("wanted"), "").unwrap();
    room.restart().await;
    made(&room, &sealed.exhibit_id).await;
    assert!(derived(&room, &sealed.exhibit_id, "still-1.1.png").await == still, "not the same bytes");
}

#[tokio::test]
async fn a_still_that_comes_after_the_fence_is_taken_from_the_master_too() {
    let room = Room::with(&[NEVER_QUIET]).await;
    let others = Others::at(&room.nats).await;
    let folder = tempdir().unwrap();
    let call = room.call().await;
    let caller = recording(folder.path(), "caller.mkv", "testsrc=s=320x240", 440, 2);
    let segments = send(&room, &call, "caller-1", &caller, 0, 2).await;
    let frames = frames(folder.path(), "caller.mkv");
    want(&room, &call, 1, frames[5]).await;
    others.ended(&call, &[("caller-1", segments)]).await;
    let own = room.sealed(&call).await;
    made(&room, &own.exhibit_id).await;

    let item_sha256 = want(&room, &call, 2, frames[31]).await;
    let addendum = room.exhibit(&call).await.unwrap().addendum_exhibit_ids.pop().unwrap();
    room.client.clone().seal(sealing(&addendum)).await.unwrap();
    let sealed: AddendumSealed = room.published(&call, "addendum_sealed").await.pop().unwrap().decode();
    let kept = derived_folder(&room, &own.exhibit_id);
    testkit::until("the late still", async || kept.join("still-2.2-1.png").exists()).await;
    made(&room, &own.exhibit_id).await;

    for (name, frame) in [("still-1.1.png", 5), ("still-2.2-1.png", 31)] {
        fs::write(folder.path().join("still.png"), derived(&room, &own.exhibit_id, name).await).unwrap();
        assert!(decoded(folder.path(), "still.png", 0) == decoded(folder.path(), "caller.mkv", frame), "{name}");
    }
    let facts: Value = serde_json::from_slice(&derived(&room, &own.exhibit_id, FACTS).await).unwrap();
    let [first, late] = &facts["stills"].as_array().unwrap()[..] else { panic!("{facts}") };
    assert_eq!((&first["reference"], &late["reference"]), (&own.reference.into(), &sealed.reference.into()));
    assert_eq!(late["item_sha256"], item_sha256.to_string());
    assert_eq!(late["track_sha256"], Digest::of(&caller).to_string(), "of the master, whose key it is under");
    refused(room.read(reading(&addendum, "still-2.2-1.png", 0, 0)).await, Code::NotFound, "UNKNOWN_ITEM");
}
