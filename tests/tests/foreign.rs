//! Peers that share no code with us: callers of aiortc, GStreamer and werift, control rooms in Python and TypeScript, a BagIt validator, OpenSSL.

use std::{path::PathBuf, process::Stdio, time::Duration};

use alcove_tests::{
    desk::{Desk, FORCE, off_loopback},
    media_probe::{Probe, beeps},
};
use api::intake::v1::call_update::Kind;
use serde_json::Value;
use testkit::{Proxy, StackOptions};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::Command,
};

/// The Python that `make tools` made, with the foreign peers' packages.
fn python() -> Command {
    let mut command = Command::new(testkit::workspace().join("target/tools/venv/bin/python"));
    command.kill_on_drop(true).stdin(Stdio::null());
    command
}

fn script(name: &str) -> PathBuf {
    testkit::workspace().join("tests/foreign").join(name)
}

/// A whole call with this caller: its package, and what the caller counted.
async fn call_with(
    options: StackOptions,
    mut caller: Command,
    incident: &str,
    more: &[&str],
) -> (Desk, tempfile::TempDir, PathBuf, Value) {
    let desk = Desk::open(options).await.unwrap();
    let mut call = desk.accepted_call(incident, "pc.foreign").await.unwrap();
    let officer = call.officers_phone().await.unwrap();
    let code = call.officer.invite(&call.call.call_id).await.unwrap().code;

    let caller = caller.args([&desk.stack.caller_page(), &code, "6"]).args(more).output().await.unwrap();
    assert!(caller.status.success(), "{}", String::from_utf8_lossy(&caller.stderr));
    let counted: Value = serde_json::from_slice(&caller.stdout).unwrap();
    let count = |what: &str| counted[what].as_u64().unwrap();
    assert!(count("video") > 30 && count("audio") > 100, "it saw and heard the officer: {counted}");
    assert!(officer.is_connected());

    call.watch.until(|kind| matches!(kind, Kind::CallerJoined(_))).await.unwrap();
    call.officer.end(&call.call.call_id).await.unwrap();
    call.sealed().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let package = desk.verified_package(&call.call.call_id, &folder.path().join("package")).await.unwrap();

    let caller = Probe::file(&package.join("bag/data/tracks/caller-1.mkv")).unwrap();
    // Whoever sends all the time is never squeezed.
    assert!(more.contains(&"ticks") || caller.squeezed.is_empty(), "{:?}", caller.squeezed);
    let sent = count("sent_frames");
    assert!(caller.video_frames * 10 >= sent * 9, "{} of {sent} frames recorded", caller.video_frames);
    (desk, folder, package, counted)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_aiortc_caller_is_in_the_exhibit() {
    let mut caller = python();
    caller.arg(script("caller.py"));
    let (desk, _folder, package, _) = call_with(StackOptions::default(), caller, "1001", &[]).await;
    bag_is_valid(&package).await;
    openssl_accepts(&package, &desk).await;
}

/// GStreamer's Python bindings belong to the system's Python.
fn gstreamer() -> Command {
    let mut command = Command::new("/usr/bin/python3");
    command.kill_on_drop(true).stdin(Stdio::null()).arg(script("gst_caller.py"));
    command
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gstreamer_caller_is_in_the_exhibit() {
    call_with(off_loopback().unwrap(), gstreamer(), "1003", &["vp8", "tone"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gstreamer_caller_with_h264_who_leaves_out_silence_is_in_the_exhibit() {
    let (_desk, _folder, package, counted) =
        call_with(off_loopback().unwrap(), gstreamer(), "1004", &["h264", "ticks"]).await;
    let track = package.join("bag/data/tracks/caller-1.mkv");
    let Probe { audio_span: (began, ended), .. } = Probe::file(&track).unwrap();
    let sounds = counted["sent_sounds"].as_f64().unwrap();
    assert!(sounds < 0.8 * 50.0 * (ended - began), "{sounds} packets in {began} to {ended}: nothing was left out");
    // What was left out takes its time, and is no loss. (How long it was silent after what it held back until it was connected, nothing says.)
    let ticks = beeps(&track).unwrap();
    let steady = ticks.last_chunk::<4>().unwrap();
    assert!(steady.windows(2).all(|two| (two[1] - two[0] - 1.0).abs() < 0.05), "{ticks:?}");
    let ledger = std::fs::read(package.join("bag/data/items/gap-ledger/gap-ledger/1.json")).unwrap();
    let ledger: Value = serde_json::from_slice(&ledger).unwrap();
    let lost: Vec<_> = ledger["events"].as_array().unwrap().iter().filter(|event| event["what"] == "lost").collect();
    assert!(lost.iter().all(|event| event["track"] != "caller-1"), "{lost:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_werift_caller_is_in_the_exhibit() {
    let mut caller = Command::new("node");
    caller.kill_on_drop(true).stdin(Stdio::null()).arg(script("werift_caller.mjs"));
    call_with(off_loopback().unwrap(), caller, "1005", &[]).await;
}

/// A BagIt validator of another maker accepts the bag, and refuses it once a byte is flipped.
async fn bag_is_valid(package: &std::path::Path) {
    let check = "import bagit, sys; bagit.Bag(sys.argv[1]).validate()";
    let validate = || async { python().args(["-c", check]).arg(package.join("bag")).output().await.unwrap() };
    let verdict = validate().await;
    assert!(verdict.status.success(), "{}", String::from_utf8_lossy(&verdict.stderr));

    let manifest = package.join("bag/data/manifest.json");
    let original = std::fs::read(&manifest).unwrap();
    let mut flipped = original.clone();
    flipped[original.len() / 2] ^= 1;
    std::fs::write(&manifest, flipped).unwrap();
    assert!(!validate().await.status.success(), "a flipped byte went unnoticed");
    std::fs::write(&manifest, original).unwrap();
}

async fn openssl_accepts(package: &std::path::Path, desk: &Desk) {
    let verdict = Command::new("openssl")
        .args(["cms", "-verify", "-binary", "-inform", "DER", "-in"])
        .arg(package.join("proof/seal.p7s"))
        .arg("-content")
        .arg(package.join("bag/tagmanifest-sha256.txt"))
        .arg("-CAfile")
        .arg(desk.stack.roots())
        .args(["-out", "/dev/null"])
        .output()
        .await
        .unwrap();
    assert!(verdict.status.success(), "{}", String::from_utf8_lossy(&verdict.stderr));
}

/// A control room of another make hands a call over, and its connection breaks in mid-call: it takes its watch up again.
async fn control_room_sees_its_call_sealed(mut client: Command, incident: &str) {
    let desk = Desk::open(StackOptions::default()).await.unwrap();
    let network = Proxy::start(desk.stack.service("intake").address("grpc")).await.unwrap();
    let identity = desk.stack.secure().identities.control_room(FORCE).unwrap().folder;
    client.args([&network.address().to_string(), FORCE, incident]).arg(identity);
    let mut control_room = client.stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(control_room.stdout.take().unwrap()).lines();
    let mut said =
        async || -> Option<Value> { lines.next_line().await.unwrap().map(|line| serde_json::from_str(&line).unwrap()) };
    let call_id = said().await.unwrap()["call_id"].as_str().unwrap().to_owned();

    let officer = desk.officer("pc.foreign").unwrap();
    officer.go_free().await.unwrap();
    assert_eq!(officer.next_offer().await.unwrap().call_id, call_id);
    let mut kinds = vec!["queued".to_owned()];
    assert_eq!(said().await.unwrap()["kind"], kinds[0]);
    network.cut();
    officer.accept(&call_id).await.unwrap();
    officer.session_until(&call_id, |_| true).await.unwrap();
    officer.end(&call_id).await.unwrap();
    network.heal();

    let mut refused = Value::Null;
    while let Some(line) = said().await {
        if let Some(kind) = line["kind"].as_str() {
            kinds.push(kind.to_owned());
            assert_eq!(line["sequence"], kinds.len(), "a gap in WatchCall");
        } else {
            refused = line;
        }
    }
    assert_eq!(kinds.last().map(String::as_str), Some("sealed"), "{kinds:?}");
    for kind in ["queued", "offered", "accepted", "ended"] {
        assert!(kinds.iter().any(|seen| seen == kind), "no {kind} in {kinds:?}");
    }
    assert_eq!(refused["refused"], "NOT_FOUND");
    assert_eq!(refused["reason"], "UNKNOWN_CALL");
    let ended = tokio::time::timeout(Duration::from_secs(30), control_room.wait()).await.unwrap().unwrap();
    assert!(ended.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_python_control_room_sees_its_call_sealed() {
    let mut client = python();
    client.arg(script("control_room.py")).arg(testkit::workspace().join("proto"));
    control_room_sees_its_call_sealed(client, "1002").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_typescript_control_room_sees_its_call_sealed() {
    let mut client = Command::new("node");
    client.kill_on_drop(true).stdin(Stdio::null()).arg(script("control-room/dist/control_room.js"));
    control_room_sees_its_call_sealed(client, "1006").await;
}
