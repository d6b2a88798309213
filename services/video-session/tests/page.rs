//! The caller's page in a real Chromium, against the real service and a synthetic officer; and a helper's beside it.

use std::time::Duration;

use crate::rig::{
    PATIENCE, Rig, Time,
    chat::Ear,
    pass,
    texts::{ControlRoom, Delivery, NUMBER, words},
};
use api::session::v1::{RecordingState, Role, Session, SessionState, Standing, TextState};
use testkit::phone::Phone;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    process::{Child, Command},
};

/// A story of `tests/*.mjs`, in a browser.
fn story(script: &str, args: &[&str]) -> Command {
    let mut node = Command::new("node");
    node.arg(format!("{}/tests/{script}", env!("CARGO_MANIFEST_DIR"))).args(args);
    // Where to put pictures of it, for whoever wants to look.
    node.args(std::env::var_os("PAGE_PICTURES")).kill_on_drop(true);
    node
}

async fn ends_well(mut browser: Child) {
    let ended = tokio::time::timeout(Duration::from_secs(90), browser.wait()).await.expect("it ends").unwrap();
    assert!(ended.success(), "the page's own story is above");
}

#[tokio::test]
async fn a_caller_joins_is_seen_comes_back_and_leaves() {
    let settings = [
        ("page__exit_url", "https://exit.test/".to_owned()),
        ("turn__urls", "turn:127.0.0.1:9?transport=tcp".to_owned()),
        ("turn__secret", "north wind".to_owned()),
    ];
    let rig = Rig::start(Time::Real, &settings).await;
    let call = rig.accepted(true).await;
    let mut officer = Phone::new(pass(rig.join(call).await));
    officer.publish().await.unwrap();
    let code = rig.invite(call).await.unwrap().code;

    let browser = story("page.mjs", &[&rig.base, &code]).spawn().expect("node is installed");
    let live = rig.watched(call, |session| session.state == 3).await;
    let caller = live.participants.iter().find(|who| who.participant_id != officer.pass().participant_id).unwrap();
    officer.watch(&caller.participant_id).await.unwrap();
    officer
        .wait_for(&caller.participant_id, PATIENCE, |got| got.video_frames > 10 && got.audio_packets > 10)
        .await
        .unwrap();

    ends_well(browser).await;
    rig.watched(call, |session| session.participants.iter().filter(|who| who.connected).count() == 1).await;
    let chosen = |line: &&str| line.contains("audio") && line.contains("choice") && line.contains("turned-off");
    assert!(rig.ledger().lines().filter(chosen).count() >= 2, "they were unheard by choice, before and after a reload");
    assert_eq!(rig.watched(call, |_| true).await.state, 3, "leaving is not the end of the call");
}

#[tokio::test]
async fn a_caller_and_a_helper_see_each_other_and_hear_of_whoever_listens() {
    let rig = Rig::start(Time::Real, &[]).await;
    let call = rig.accepted(true).await;
    let mut officer = Phone::new(pass(rig.join(call).await));
    officer.publish().await.unwrap();
    let sergeant = rig.join_as(call, "s.one", Role::Observer).await.unwrap();
    rig.admit(call, &sergeant.participant_id).await.unwrap();
    let code = rig.invite(call).await.unwrap().code;
    let helpers = rig.invite_as(call, Role::Interpreter).await.unwrap();

    let mut browser = story("page_people.mjs", &[&rig.base, &code, &helpers])
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("node is installed");
    let mut says = BufReader::new(browser.stdout.take().unwrap()).lines();
    let mut hears = async |wanted: &str| {
        let line = tokio::time::timeout(Duration::from_secs(60), says.next_line()).await.expect("it says something");
        assert_eq!(line.unwrap().as_deref(), Some(wanted), "the page's own story is above");
    };
    let helper = |session: &Session| session.participants.iter().find(|who| who.role() == Role::Interpreter).cloned();
    hears("waiting").await;
    let waits = helper(&rig.watched(call, |session| helper(session).is_some()).await).unwrap();
    assert_eq!(waits.standing(), Standing::Waiting);
    rig.admit(call, &waits.participant_id).await.unwrap();
    hears("all see all").await;
    rig.watched(call, |session| session.participants.iter().filter(|who| who.connected).count() == 3).await;
    rig.remove(call, &waits.participant_id).await.unwrap();
    ends_well(browser).await;
}

#[tokio::test]
async fn a_call_is_in_one_tab_and_no_way_back_leads_to_it() {
    let rig = Rig::start(Time::Real, &[]).await;
    let call = rig.accepted(true).await;
    let mut officer = Phone::new(pass(rig.join(call).await));
    officer.publish().await.unwrap();
    let code = rig.invite(call).await.unwrap().code;

    let browser = story("page_tabs.mjs", &[&rig.base, &code]).spawn().expect("node is installed");
    ends_well(browser).await;
    let alone = rig.watched(call, |session| session.participants.iter().filter(|who| who.connected).count() == 1).await;
    assert_eq!(alone.participants.len(), 2, "it was one person all the time");
}

#[tokio::test]
async fn whatever_is_in_a_cameras_way_there_is_a_way_on_and_the_code_is_still_good() {
    let rig = Rig::start(Time::Real, &[]).await;
    let call = rig.accepted(true).await;
    let mut officer = Phone::new(pass(rig.join(call).await));
    officer.publish().await.unwrap();
    let code = rig.invite(call).await.unwrap().code;

    let browser = story("page_ways.mjs", &[&rig.base, &code]).spawn().expect("node is installed");
    ends_well(browser).await;
    let taken = |line: &&str| line.contains("turned-off") && line.contains("audio") && line.contains("taken");
    assert_eq!(rig.ledger().lines().filter(taken).count(), 1, "a phone call took the microphone");
}

#[tokio::test]
async fn a_caller_who_can_only_write_is_there_and_opens_no_microphone() {
    let rig = Rig::start(Time::Real, &[]).await;
    let call = rig.accepted(true).await;
    let mut officer = Phone::new(pass(rig.join(call).await));
    officer.publish().await.unwrap();
    let code = rig.invite(call).await.unwrap().code;

    let browser = story("page_write.mjs", &[&rig.base, &code]).spawn().expect("node is installed");
    rig.watched(call, |session| session.state() == SessionState::Live).await;
    ends_well(browser).await;
    let chosen = |medium: &'static str| {
        move |line: &&str| line.contains("turned-off") && line.contains(medium) && line.contains("choice")
    };
    let ledger = rig.ledger();
    let of = |medium| ledger.lines().filter(chosen(medium)).count();
    assert!(of("audio") >= 1 && of("video") >= 1, "why there is nothing to see or hear: {ledger}");
}

#[tokio::test]
async fn everybody_can_use_it() {
    let rig = Rig::start(Time::Real, &[]).await;
    let call = rig.accepted(true).await;
    let mut officer = Phone::new(pass(rig.join(call).await));
    officer.publish().await.unwrap();
    let code = rig.invite(call).await.unwrap().code;

    let mut browser = story("page_fit.mjs", &[&rig.base, &code])
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("node is installed");
    let mut says = BufReader::new(browser.stdout.take().unwrap()).lines();
    let line = tokio::time::timeout(Duration::from_secs(120), says.next_line()).await.expect("it says something");
    assert_eq!(line.unwrap().as_deref(), Some("end it"), "the page's own story is above");
    rig.end(call).await;
    ends_well(browser).await;
}

#[tokio::test]
async fn a_caller_covers_the_call_and_comes_back_by_a_gesture() {
    let mut rig = Rig::start(Time::Real, &[]).await;
    let call = rig.accepted(true).await;
    let mut officer = Phone::new(pass(rig.join(call).await));
    officer.publish().await.unwrap();
    let code = rig.invite(call).await.unwrap().code;

    let mut browser = story("page_cover.mjs", &[&rig.base, &code])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("node is installed");
    let (mut says, mut hears) = (BufReader::new(browser.stdout.take().unwrap()).lines(), browser.stdin.take().unwrap());
    let mut is_seen = false;
    // What it shows next.
    for (said, pretext) in [("covered", "quiz"), ("back", "recipe"), ("covered", "recipe"), ("back", "parcel")] {
        let line = tokio::time::timeout(Duration::from_secs(60), says.next_line()).await.expect("it says something");
        assert_eq!(line.unwrap().as_deref(), Some(said), "the page's own story is above");
        let seen = rig.covered(call, said == "covered").await;
        let caller = seen.participants.iter().find(|who| who.role() == Role::Caller).unwrap();
        let recorded = if said == "covered" { RecordingState::Paused } else { RecordingState::On };
        assert_eq!(seen.recording_state(), recorded);
        if said == "back" {
            // It was reloaded before the first time, and not since.
            if !is_seen {
                officer.watch(&caller.participant_id).await.unwrap();
            }
            is_seen = true;
            let then = officer.received(&caller.participant_id).video_frames;
            officer.wait_for(&caller.participant_id, PATIENCE, |got| got.video_frames > then + 10).await.unwrap();
        }
        rig.agree(rig.agreeing(call, pretext)).await.unwrap();
        hears.write_all(b"\n").await.unwrap();
    }
    ends_well(browser).await;
    drop(officer);
    rig.stop().await;
}

#[tokio::test]
async fn three_taps_on_a_dull_corner_are_told_and_nothing_is_seen_of_them() {
    let mut rig = Rig::start(Time::Real, &[]).await;
    let call = rig.accepted(true).await;
    let mut officer = Phone::new(pass(rig.join(call).await));
    officer.publish().await.unwrap();
    let mut ear = Ear::open(&rig, &officer.pass().token).await;
    let code = rig.invite(call).await.unwrap().code;

    let mut browser = story("page_corner.mjs", &[&rig.base, &code])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("node is installed");
    let (mut says, mut hears) = (BufReader::new(browser.stdout.take().unwrap()).lines(), browser.stdin.take().unwrap());
    let line = tokio::time::timeout(Duration::from_secs(120), says.next_line()).await.expect("it says something");
    assert_eq!(line.unwrap().as_deref(), Some("7"), "the page's own story is above");
    assert_eq!(ear.next("call").await["how"], "corner");
    rig.pleaded(call, 7).await;
    hears.write_all(b"\n").await.unwrap();
    ends_well(browser).await;
    drop(officer);
    rig.stop().await;
    assert_eq!(rig.ledger().matches(r#""what":"asked-for-help""#).count(), 7);
}

#[tokio::test]
async fn a_link_that_was_sent_lets_in_once_and_no_server_hears_it() {
    let (room, delivery) = (ControlRoom::start().await, Delivery::start().await);
    let mut more = delivery.notify();
    more.push(room.setting());
    let rig = Rig::start(Time::Real, &more).await;
    room.says(true, NUMBER);
    let call = rig.accepted(true).await;
    let mut officer = Phone::new(pass(rig.join(call).await));
    officer.publish().await.unwrap();
    rig.text(&rig.texting(call, "")).await.unwrap();
    rig.asked(call, TextState::Sent).await;
    let sent = delivery.asked();
    let link = words(&sent[0]).split(' ').next_back().unwrap();

    let browser = story("page_link.mjs", &[link]).spawn().expect("node is installed");
    ends_well(browser).await;
    assert_eq!(rig.watched(call, |_| true).await.state(), SessionState::Live);
}
