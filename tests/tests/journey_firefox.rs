//! Firefox at either end of a call, and at both: what it sends is recorded, and it sees and hears.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use alcove_tests::{
    browser::{Browser, Engine},
    desk::{self, Desk},
    media_probe::Probe,
    pages::Pages,
};

/// Each side has sent and shown this much.
const TALKED: &str = "window.callStats().then((now) => now && now.framesEncoded > 60 && now.framesDecoded > 60
    && now.audioSent > 200 && now.audioReceived > 200)";

async fn call(caller: Engine, officer: Engine, incident: &str) {
    let desk = Desk::open(desk::off_loopback().unwrap()).await.unwrap();
    let browsers = [Browser::start_as(officer).await.unwrap(), Browser::start_as(caller).await.unwrap()];
    let [officers, callers] = &browsers;
    let pages = Pages::meet(&desk, [officers, callers], incident, ["", ""]).await.unwrap();
    for page in [pages.officer, pages.caller] {
        page.until(TALKED).await.unwrap();
        assert_eq!(page.complaints().await.unwrap(), Vec::<String>::new());
    }
    let folder = tempfile::tempdir().unwrap();
    let package = pages.end(&desk, folder.path()).await.unwrap();
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
async fn an_officer_with_firefox() {
    call(Engine::Chromium, Engine::Firefox, "2603").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn firefox_at_both_ends() {
    call(Engine::Firefox, Engine::Firefox, "2602").await;
}
