//! The picture changes its size in mid-call, with either codec, or comes in another codec: the recordings decode throughout, and the
//! ledger says what changed, and where.

use std::{path::Path, process::Command};

use alcove_tests::{
    browser::Browser,
    desk::{Desk, FORCE},
    media_probe::Probe,
    package,
    pages::{PHONE, Pages, enter},
};
use serde_json::Value;
use testkit::StackOptions;

/// The codec that a page offers first: another one once it has been reloaded.
const OTHER_ONE: &str =
    "(performance.getEntriesByType('navigation')[0].type === 'reload' ? 'video/H264' : 'video/VP8')";

/// Keeps each connection of a page, for its statistics.
const KEEP_LINKS: &str = "window.links = [];
    window.RTCPeerConnection = class extends RTCPeerConnection {
        constructor(...given) { super(...given); window.links.push(this); }
    }";

/// Two seconds of pictures in this codec have been decoded.
fn decoded(codec: &str) -> String {
    format!(
        "Promise.all(window.links.map((link) => link.getStats())).then((all) => all.some((stats) => [...stats.values()].some((one) =>
            one.type === 'inbound-rtp' && one.kind === 'video' && one.framesDecoded > 40 && stats.get(one.codecId).mimeType === '{codec}')))"
    )
}

/// Has the page offer this codec (an expression) first, and keeps its sender at hand.
fn prefer(codec: &str) -> String {
    format!(
        "const made = RTCPeerConnection.prototype.addTransceiver;
        RTCPeerConnection.prototype.addTransceiver = function (track, init) {{
            const transceiver = made.call(this, track, init);
            if (track.kind === 'video') {{
                const {{ codecs }} = RTCRtpSender.getCapabilities('video');
                const first = codecs.filter(({{ mimeType }}) => mimeType === {codec});
                transceiver.setCodecPreferences(first.concat(codecs.filter((one) => !first.includes(one))));
                window.sender = transceiver.sender;
            }}
            return transceiver;
        }};"
    )
}

/// Sends a picture so many times smaller, and waits until sixty of them are encoded.
fn scaled(by: u32) -> String {
    format!(
        "(async () => {{
            const wanted = window.sender.getParameters();
            wanted.encodings[0].scaleResolutionDownBy = {by};
            await window.sender.setParameters(wanted);
            window.after = (await window.callStats()).framesEncoded + 60;
        }})()"
    )
}

const ENCODED: &str = "window.callStats().then((now) => now && now.framesEncoded > window.after)";

/// The sizes of a recording's pictures, one after the other where they change, and where in the file each is first seen.
fn sizes(recording: &Path) -> Vec<((u64, u64), u64)> {
    let show = ["-v", "error", "-select_streams", "v:0", "-show_entries", "frame=width,height,pkt_pos", "-of", "json"];
    let output = Command::new("ffprobe").args(show).arg(recording).output().unwrap();
    let shown: Value = serde_json::from_slice(&output.stdout).unwrap();
    let mut sizes: Vec<((u64, u64), u64)> = Vec::new();
    for frame in shown["frames"].as_array().unwrap() {
        let size = (frame["width"].as_u64().unwrap(), frame["height"].as_u64().unwrap());
        if sizes.last().is_none_or(|(last, _)| *last != size) {
            sizes.push((size, frame["pkt_pos"].as_str().unwrap().parse().unwrap()));
        }
    }
    sizes
}

/// Where each segment begins in a track's file.
fn begins(list: &Path) -> Vec<u64> {
    let lines = std::fs::read_to_string(list).unwrap();
    let segments = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    segments.map(|segment| segment["offset"].as_str().unwrap().parse().unwrap()).collect()
}

/// What the gap ledger says.
fn ledger(data: &Path) -> Vec<Value> {
    let ledger = std::fs::read(data.join("items/gap-ledger/gap-ledger/1.json")).unwrap();
    serde_json::from_slice::<Value>(&ledger).unwrap()["events"].as_array().unwrap().clone()
}

async fn call(codec: &str, incident: &str) {
    let desk = Desk::open(StackOptions::default()).await.unwrap();
    let mut call = desk.accepted_call(incident, "pc.shapes").await.unwrap();
    let _officer = call.officers_phone().await.unwrap();
    let code = call.officer.invite(&call.call.call_id).await.unwrap().code;
    let browser = Browser::start().await.unwrap();
    let caller = browser.open_with("caller", &desk.stack.caller_page(), PHONE, &prefer(codec)).await.unwrap();
    enter(caller, &code).await.unwrap();
    caller.until("window.callStats().then((now) => now && now.framesEncoded > 60)").await.unwrap();
    for by in [4, 1] {
        caller.evaluate(&scaled(by)).await.unwrap();
        caller.until(ENCODED).await.unwrap();
    }
    call.officer.end(&call.call.call_id).await.unwrap();
    call.sealed().await.unwrap();

    let folder = tempfile::tempdir().unwrap();
    let package = desk.verified_package(&call.call.call_id, &folder.path().join("package")).await.unwrap();
    let data = package.join("bag/data");
    let recording = data.join("tracks/caller-1.mkv");
    Probe::file(&recording).unwrap();
    let ledger = ledger(&data);
    let number = |event: &Value, name: &str| event[name].as_str().unwrap().parse::<u64>().unwrap();
    let noted: Vec<_> = ledger
        .iter()
        .filter(|event| event["what"] == "size" && event["track"] == "caller-1")
        .map(|event| (number(event, "width"), number(event, "height")))
        .collect();
    let found = sizes(&recording);
    assert!(found.len() >= 3, "it grew small and large again: {found:?}");
    assert_eq!(
        found.iter().map(|(size, _)| *size).collect::<Vec<_>>(),
        noted,
        "the ledger has what the recording shows"
    );

    let begins = begins(&data.join("segments/caller-1.jsonl"));
    for (size, at) in &found[1..] {
        // Behind a cluster's head, and at most a few packets of sound that were heard while it was made.
        let from = begins.iter().rev().find(|begins| *begins <= at).unwrap();
        assert!(at - from < 2_000, "{size:?} is {} bytes into its segment", at - from);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn vp8_changes_its_size() {
    call("'video/VP8'", "2701").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn h264_changes_its_size() {
    call("'video/H264'", "2702").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_comes_back_with_another_codec() {
    let desk = Desk::open(StackOptions::default()).await.unwrap();
    let browser = Browser::start().await.unwrap();
    let other_one = prefer(OTHER_ONE);
    let pages = Pages::meet(&desk, [&browser; 2], "2703", [KEEP_LINKS, &other_one]).await.unwrap();
    pages.officer.until(&decoded("video/VP8")).await.unwrap();
    pages.caller.reload().await.unwrap();
    pages.officer.until(&decoded("video/H264")).await.unwrap();
    let (folder, call_id) = (tempfile::tempdir().unwrap(), pages.call_id.clone());
    let data = pages.end(&desk, folder.path()).await.unwrap().join("bag/data");

    let began: Vec<_> = ledger(&data)
        .iter()
        .filter(|event| event["what"] == "began" && event["track"] != "officer-1")
        .map(|event| [&event["track"], &event["video"]].map(|word| word.as_str().unwrap().to_owned()))
        .collect();
    assert_eq!(began, [["caller-1", "vp8"], ["caller-2", "h264"]].map(|words| words.map(str::to_owned)));
    for track in ["caller-1", "caller-2"] {
        let recording = Probe::file(&data.join(format!("tracks/{track}.mkv"))).unwrap();
        assert!(recording.video_frames > 40, "{track}: {recording:?}");
    }
    // The working copy shows both.
    let evidence = desk.way("evidence-store", alcove_tests::package::WHO).unwrap();
    let exhibit = package::exhibit_of(evidence.clone(), FORCE, &call_id).await.unwrap().exhibit_id;
    let read = async |path: &str| package::item(evidence.clone(), FORCE, &exhibit, path).await.ok();
    let facts = testkit::eventually("the working copy", async || read("working-copy.json").await).await.unwrap();
    let facts: Value = serde_json::from_slice(&facts).unwrap();
    let shown: Vec<_> = facts["tracks"].as_array().unwrap().iter().map(|track| track["track"].as_str()).collect();
    for track in ["caller-1", "caller-2", "officer-1"] {
        assert!(shown.contains(&Some(track)), "{facts}");
    }
    let film = folder.path().join("film.mp4");
    std::fs::write(&film, read("working-copy.mp4").await.unwrap()).unwrap();
    Probe::file(&film).unwrap();
}
