//! Sound and picture of a recording belong together: a clapper in a real browser, found again in the exhibit.

use alcove_tests::{
    browser::Browser,
    desk::Desk,
    media_probe::{beeps, flashes},
    pages::{PHONE, enter},
};
use testkit::StackOptions;

/// Beyond this people notice (ITU-R BT.1359 gives +45 to -125 ms); the issue asks for it.
const APART_AT_MOST_S: f64 = 0.080;

#[tokio::test(flavor = "multi_thread")]
async fn a_flash_and_its_beep_are_recorded_together() {
    let desk = Desk::open(StackOptions::default()).await.unwrap();
    let mut call = desk.accepted_call("2101", "pc.clapper").await.unwrap();
    let _officer = call.officers_phone().await.unwrap();
    let code = call.officer.invite(&call.call.call_id).await.unwrap().code;

    let browser = Browser::start().await.unwrap();
    let clapper = std::fs::read_to_string(testkit::workspace().join("tests/browser/clapper.js")).unwrap();
    let caller = browser.open_with("caller", &desk.stack.caller_page(), PHONE, &clapper).await.unwrap();
    enter(caller, &code).await.unwrap();
    caller.until("window.callStats().then((now) => now && now.framesEncoded > 300)").await.unwrap();
    call.officer.end(&call.call.call_id).await.unwrap();
    call.sealed().await.unwrap();

    let folder = tempfile::tempdir().unwrap();
    let package = desk.verified_package(&call.call.call_id, &folder.path().join("package")).await.unwrap();
    let recording = package.join("bag/data/tracks/caller-1.mkv");
    let (flashes, beeps) = (flashes(&recording).unwrap(), beeps(&recording).unwrap());
    assert!(flashes.len() >= 5, "flashes at {flashes:?}, beeps at {beeps:?}");
    for flash in &flashes {
        let apart = beeps.iter().map(|beep| (beep - flash).abs()).fold(f64::INFINITY, f64::min);
        assert!(apart <= APART_AT_MOST_S, "{apart:.3} s apart: flashes at {flashes:?}, beeps at {beeps:?}");
    }
}
