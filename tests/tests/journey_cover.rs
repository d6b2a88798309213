//! Somebody comes in: the caller's page is a quiz at one tap, the officer knows what to say and is silent, and nothing is recorded; then
//! they are back, and all of it is in the exhibit's ledger.

use alcove_tests::{
    browser::{Browser, Page},
    desk::Desk,
    pages::{Invited, Pages, picture},
};
use api::intake::v1::call_update::Kind;
use serde_json::{Value, json};
use testkit::StackOptions;

/// Does that element say so?
async fn says(page: &Page<'_>, selector: &str, text: &str) {
    let text = Value::from(text);
    page.until(&format!("document.querySelector('{selector}').textContent === {text}")).await.unwrap();
}

/// The picture of that video goes on.
async fn moves(page: &Page<'_>, video: &str) {
    page.evaluate(&format!("window.then = document.querySelector('{video}').currentTime; undefined")).await.unwrap();
    let moves = "((one) => one.srcObject && one.videoWidth > 0 && one.currentTime !== window.then)";
    page.until(&format!("{moves}(document.querySelector('{video}'))")).await.unwrap();
}

async fn own_sound(officer: &Page<'_>) -> Value {
    officer.evaluate("document.querySelector('#own').srcObject.getAudioTracks()[0].enabled").await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_covers_the_call_and_the_officer_keeps_to_it() {
    let desk = Desk::open(StackOptions::default()).await.unwrap();
    let browser = Browser::start().await.unwrap();
    let invited = Invited::officer(&desk, &browser, "2302", "").await.unwrap();
    let officer = invited.officer;
    officer.until("document.querySelector('#pretext').options.length === 3").await.unwrap();
    officer.select("#pretext", "quiz").await.unwrap();
    let say = "A quiz: which questions were hard, and how many they got right.";
    says(&officer, "#pretext-say", say).await;
    let Pages { call_id, mut watch, caller, .. } = invited.joined(&desk, &browser, "").await.unwrap();

    caller.click("#cover").await.unwrap();
    assert_eq!(caller.evaluate("document.title").await.unwrap(), "The tea-break quiz");
    officer.see("#call[data-cover=yes] #cover").await.unwrap();
    says(&officer, "#cover-words", "They have covered the call. Your voice is off.").await;
    says(&officer, "#cover-say", &format!("If somebody asks: {say}")).await;
    says(&officer, "#cover-recording", "Nothing is recorded meanwhile.").await;
    says(&officer, "#recording", "Recording is paused").await;
    assert_eq!(own_sound(&officer).await, false);
    picture(officer, "cover-officer.png").await.unwrap();
    picture(caller, "cover-caller.png").await.unwrap();

    caller
        .evaluate("document.querySelector('#front h1').dispatchEvent(new Event('pointerdown')); undefined")
        .await
        .unwrap();
    caller.until("document.body.dataset.front === 'no'").await.unwrap();
    officer.see("#call[data-cover=no]").await.unwrap();
    says(&officer, "#recording", "Recording").await;
    assert_eq!(own_sound(&officer).await, true);
    for (page, video) in [(&officer, "#caller"), (&caller, "#other")] {
        moves(page, video).await;
        assert_eq!(page.complaints().await.unwrap(), Vec::<String>::new());
    }

    officer.click("#end").await.unwrap();
    officer.click("#confirm-end").await.unwrap();
    caller.see("#over").await.unwrap();
    watch.until(|kind| matches!(kind, Kind::Sealed(_))).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let package = desk.verified_package(&call_id, &folder.path().join("package")).await.unwrap();
    let ledger = std::fs::read(package.join("bag/data/items/gap-ledger/gap-ledger/1.json")).unwrap();
    let ledger: Value = serde_json::from_slice(&ledger).unwrap();
    let events = ledger["events"].as_array().unwrap();
    let covers = events.iter().filter(|event| event["what"].as_str().unwrap().ends_with("covered"));
    let covers: Vec<_> = covers.map(|event| json!([event["what"], event["recording"]])).collect();
    assert_eq!(covers, [json!(["covered", "paused"]), json!(["uncovered", "on"])]);
    let off = events.iter().find(|event| event["what"] == "turned-off" && event["medium"] == "audio").unwrap();
    assert_eq!((&off["track"], &off["reason"]), (&json!("officer-1"), &json!("The caller has covered the call")));
}
