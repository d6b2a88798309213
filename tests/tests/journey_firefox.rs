//! Firefox at either end of a call, and at both: what it sends is recorded, and it sees and hears.

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
async fn a_caller_with_firefox_covers_the_call_and_is_back() {
    let desk = Desk::open(desk::off_loopback().unwrap()).await.unwrap();
    let browsers = [Browser::start().await.unwrap(), Browser::start_as(Engine::Firefox).await.unwrap()];
    let [officers, callers] = &browsers;
    let Pages { officer, caller, .. } = Pages::meet(&desk, [officers, callers], "2604", ["", ""]).await.unwrap();
    let title = caller.evaluate("document.title").await.unwrap();
    caller.click("#cover").await.unwrap();
    let shows =
        "[document.title, document.querySelector('#front h1').textContent, document.querySelector('#other').srcObject]";
    let shown = caller.evaluate(shows).await.unwrap();
    assert!(shown[0] != title && shown[1].is_string() && shown[2].is_null(), "{shown}");
    officer.see("#call[data-cover=yes] #cover").await.unwrap();
    // Pressed, and not let go.
    caller
        .evaluate("document.querySelector('#front h1').dispatchEvent(new Event('pointerdown')); undefined")
        .await
        .unwrap();
    officer.see("#call[data-cover=no]").await.unwrap();
    for (page, other) in [(officer, "#caller"), (caller, "#other")] {
        let moves = "((one) => one.srcObject && one.videoWidth > 0 && one.currentTime > 0)";
        page.until(&format!("{moves}(document.querySelector('{other}'))")).await.unwrap();
        assert_eq!(page.complaints().await.unwrap(), Vec::<String>::new());
    }
    assert_eq!(caller.evaluate("document.title").await.unwrap(), title);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_officer_with_firefox() {
    call(Engine::Chromium, Engine::Firefox, "2603").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn firefox_at_both_ends() {
    call(Engine::Firefox, Engine::Firefox, "2602").await;
}
