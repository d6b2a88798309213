//! Firefox at either end of a call, and at both: what it sends is recorded, and it sees and hears.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use alcove_tests::{
    browser::{Browser, Engine},
    desk::{self, Desk},
    media_probe::Probe,
};
use api::intake::v1::call_update::Kind;

/// Each side has sent and shown this much.
const TALKED: &str = "window.callStats().then((now) => now && now.framesEncoded > 60 && now.framesDecoded > 60
    && now.audioSent > 200 && now.audioReceived > 200)";

async fn call(caller: Engine, officer: Engine, incident: &str) {
    let desk = Desk::open(desk::off_loopback().unwrap()).await.unwrap();
    let callers = Browser::start_as(caller).await.unwrap();
    let officers = Browser::start_as(officer).await.unwrap();

    let officer = officers.open("officer", &desk.stack.console(), (1280, 800)).await.unwrap();
    officer.click("[data-officer=pc-okafor]").await.unwrap();
    officer.click("#presence").await.unwrap();
    officer.see("#presence[data-state=free]").await.unwrap();
    let call = desk.control_room.hand_over(incident).await.unwrap();
    let mut watch = desk.control_room.watch(&call.call_id, 0).await.unwrap();
    officer.click("#accept").await.unwrap();
    officer.see("#code-card[data-state=shown]").await.unwrap();
    let code = officer.text("#code").await.unwrap();

    let caller = callers.open("caller", &desk.stack.caller_page(), (390, 844)).await.unwrap();
    caller.fill("#code", &code).await.unwrap();
    caller.click("#go").await.unwrap();
    caller.until("document.querySelector('#other').videoWidth > 0").await.unwrap();
    officer.until("document.querySelector('#caller').videoWidth > 0").await.unwrap();
    for page in [officer, caller] {
        page.until(TALKED).await.unwrap();
        assert_eq!(page.complaints().await.unwrap(), Vec::<String>::new());
    }

    officer.click("#end").await.unwrap();
    officer.click("#confirm-end").await.unwrap();
    caller.see("#over").await.unwrap();
    watch.until(|kind| matches!(kind, Kind::Sealed(_))).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let package = desk.verified_package(&call.call_id, &folder.path().join("package")).await.unwrap();
    for track in ["caller-1", "officer-1"] {
        let recording = Probe::file(&package.join(format!("bag/data/tracks/{track}.mkv"))).unwrap();
        assert!(recording.video_frames > 60 && recording.audio_span.1 > 3.0, "{track}: {recording:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_with_firefox() {
    call(Engine::Firefox, Engine::Chromium, "2601").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn firefox_at_both_ends() {
    call(Engine::Firefox, Engine::Firefox, "2602").await;
}
