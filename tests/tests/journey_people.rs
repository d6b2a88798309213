//! More than two in a call, as the console shows it: an interpreter and a sergeant are let in, seen or shown, and in the exhibit.

use std::time::Duration;

use alcove_tests::{
    browser::Browser,
    desk::{Desk, phone},
    media_probe::Probe,
    pages::{Invited, PHONE, enter, picture},
};
use api::intake::v1::call_update::Kind;
use serde_json::Value;
use testkit::{
    StackOptions,
    phone::{Phone, join},
};

const PATIENCE: Duration = Duration::from_secs(40);

#[tokio::test(flavor = "multi_thread")]
async fn an_interpreter_helps_and_a_sergeant_looks_on() {
    let desk = Desk::open(StackOptions::default()).await.unwrap();
    let browser = Browser::start().await.unwrap();
    let Invited { call_id, mut watch, officer } = Invited::officer(&desk, &browser, "2201", "").await.unwrap();
    let page = desk.stack.caller_page();
    let mut caller = Phone::new(join(&page, &officer.text("#code").await.unwrap()).await.unwrap());
    caller.publish().await.unwrap();
    officer.see("#call[data-state=live]").await.unwrap();

    // The interpreter has a code of their own, and waits behind it.
    officer.click("#ask-interpreter").await.unwrap();
    officer.until("document.querySelector('#code-title').textContent.includes('interpreter')").await.unwrap();
    let interpreter = browser.open("interpreter", &page, PHONE).await.unwrap();
    enter(interpreter, &officer.text("#code").await.unwrap()).await.unwrap();
    officer.click("#people li[data-role=interpreter][data-standing=waiting] [data-act=admit]").await.unwrap();
    officer.until("document.querySelector('#others video')?.videoWidth > 0").await.unwrap();
    interpreter.until("document.body.dataset.remote === 'yes'").await.unwrap();
    interpreter.until("document.querySelector('#more video')?.videoWidth > 0").await.unwrap();

    // The sergeant sees and hears, and the officer sees that.
    let mut sergeant = phone(desk.officer("sgt-grey").unwrap().observe(&call_id).await.unwrap());
    officer.click("#people li[data-role=observer] [data-act=admit]").await.unwrap();
    officer.see("#people li[data-role=observer][data-standing=in]").await.unwrap();
    let caller_id = caller.pass().participant_id.clone();
    sergeant.watch(&caller_id).await.unwrap();
    sergeant.wait_for(&caller_id, PATIENCE, |got| got.video_frames > 20 && got.audio_packets > 20).await.unwrap();
    officer.see("#people li[data-role=observer][data-connected=true]").await.unwrap();
    interpreter.until("document.querySelector('#company').textContent.includes('listening')").await.unwrap();
    picture(officer, "console.png").await.unwrap();
    assert_eq!(officer.complaints().await.unwrap(), Vec::<String>::new());

    officer.click("#end").await.unwrap();
    officer.click("#confirm-end").await.unwrap();
    interpreter.see("#over").await.unwrap();
    watch.until(|kind| matches!(kind, Kind::Sealed(_))).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let package = desk.verified_package(&call_id, &folder.path().join("package")).await.unwrap();
    for track in ["caller-1", "officer-1", "interpreter-1"] {
        let recording = Probe::file(&package.join(format!("bag/data/tracks/{track}.mkv"))).unwrap();
        assert!(recording.video_frames > 0, "{track}");
    }
    let document = std::fs::read(package.join("bag/data/items/participants/participants/1.json")).unwrap();
    let document: Value = serde_json::from_slice(&document).unwrap();
    let people = document["participants"].as_array().unwrap();
    let observer = people.iter().find(|person| person["role"] == "observer").unwrap();
    assert_eq!((observer["officer"].as_str(), people.len()), (Some("sgt-grey"), 4));
    let looked_on = &observer["presences"][0];
    assert_eq!(looked_on["watched"], caller_id.as_str());
    assert!(looked_on["joined_at"].as_str().unwrap() < looked_on["left_at"].as_str().unwrap());
}
