//! A caller covers the call: nothing of the others gets to their phone any more, nothing is recorded unless it may be, and the officer
//! knows; with the database there and away, and whatever order the taps come in.

use crate::rig;
use std::time::Duration;

use crate::rig::{PATIENCE, Rig, Time, chat::Ear, pass, reason, record::goes_beyond, several::Several};
use api::{
    intake::v1::ConsentKind,
    session::v1::{CoverChanged, RecordingAction, RecordingState},
};
use reqwest::Method;
use testkit::{
    phone::{Phone, Received},
    until,
};
use tonic::Code;

/// So many pictures later.
async fn plays(phone: &Phone, frames: u64) {
    phone.has_sent(phone.sent().video_frames + frames, PATIENCE).await.unwrap();
}

/// They see and hear them, from now on again or still.
async fn sees(phone: &Phone, whom: &str) {
    let then = phone.received(whom);
    let more =
        |now: &Received| now.video_frames >= then.video_frames + 20 && now.audio_packets >= then.audio_packets + 50;
    phone.wait_for(whom, PATIENCE, more).await.unwrap();
}

/// Nothing of the other comes, however much they send; but for what was under way.
async fn is_cut_off(phone: &Phone, from: &Phone) {
    let whom = &from.pass().participant_id;
    plays(from, 5).await;
    let then = phone.received(whom);
    plays(from, 40).await;
    assert_eq!(phone.received(whom), then);
}

#[tokio::test]
async fn nothing_of_the_others_gets_to_a_phone_that_is_covered_and_their_officer_knows() {
    let mut rig = Rig::start(Time::Real, &[]).await;
    let call = rig.accepted(true).await;
    let (mut officer, mut caller) = rig.both(call).await;
    let [them, us] = [&officer, &caller].map(|phone| phone.pass().participant_id.clone());
    officer.watch(&us).await.unwrap();
    caller.watch(&them).await.unwrap();
    sees(&caller, &them).await;
    let mut ear = Ear::open(&rig, &officer.pass().token).await;
    assert_eq!(ear.next("cover").await["covered"], false);
    let token = caller.pass().token.clone();

    assert_eq!(rig.tap(&token, 1, "away").await.status(), 204);
    assert_eq!(ear.next("cover").await["covered"], true);
    is_cut_off(&caller, &officer).await;
    let seen = rig.covered(call, true).await;
    assert_eq!((seen.state, seen.pretext.as_str(), seen.recording_state()), (3, "recipe", RecordingState::Paused));
    assert!(rig.event::<CoverChanged>("cover_changed", call).await.covered);
    sees(&officer, &us).await;
    // Nor to what they make anew meanwhile.
    let mut again = Phone::new(caller.pass().clone());
    again.watch(&them).await.unwrap();
    is_cut_off(&again, &officer).await;
    let more = rig.order(rig.ordering(call, RecordingAction::Resume)).await.unwrap_err();
    assert_eq!((more.code(), reason(&more)), (Code::FailedPrecondition, "CALL_COVERED".to_owned()));

    for (n, what) in [(3, "back"), (2, "away"), (3, "back"), (1, "away")] {
        assert_eq!(rig.tap(&token, n, what).await.status(), 204, "a repeat, and what was overtaken");
    }
    assert_eq!(ear.next("cover").await["covered"], false);
    sees(&again, &them).await;
    let seen = rig.covered(call, false).await;
    assert_eq!(seen.recording_state(), RecordingState::On);
    // Covered again: every change is told.
    rig.tap(&token, 4, "away").await;
    assert_eq!(ear.next("cover").await["covered"], true);
    drop((officer, caller, again));
    rig.stop().await;
    let ledger = rig.kept();
    let said = ledger.iter().filter(|line| line["what"].as_str().unwrap().ends_with("covered"));
    let said: Vec<_> = said.map(|line| (line["what"].as_str().unwrap(), line["recording"].as_str().unwrap())).collect();
    assert_eq!(said, [("covered", "paused"), ("uncovered", "on"), ("covered", "paused")]);
    assert!(ledger.iter().all(|line| line["what"] != "covered" || line["participant"] == us.as_str()));
}

/// What is recorded while it is covered, as the force has it and the caller agreed.
async fn recorded(policy: &str, agrees: bool) -> RecordingState {
    let mut rig = Rig::start(Time::Real, &[("cover__record", policy.to_owned())]).await;
    let call = rig.accepted(true).await;
    if agrees {
        rig.say_consent(call, ConsentKind::Covered, true).await;
    }
    let may = agrees && policy == "with_consent";
    rig.watched(call, |session| session.covered_recording == may).await;
    let phones = rig.both(call).await;
    plays(&phones.1, 20).await;
    rig.tap(&phones.1.pass().token, 1, "away").await;
    let by_then = rig.sent_when("covered", (&phones.0, &phones.1)).await;
    let state = rig.covered(call, true).await.recording_state();
    plays(&phones.1, 45).await;
    rig.stop().await;
    drop(phones);
    let ledger = rig.kept();
    let covered = ledger.iter().find(|line| line["what"] == "covered").unwrap();
    for (track, there) in rig.recorded() {
        let goes_on = goes_beyond(&by_then, &track, there);
        assert_eq!(goes_on, state == RecordingState::On, "of {track} {there:?} are there: {by_then:?} {covered}");
    }
    assert_eq!(covered["recording"] == "on", state == RecordingState::On);
    state
}

#[tokio::test]
async fn it_is_recorded_meanwhile_only_if_the_force_allows_it_and_the_caller_agrees() {
    let rows = [("never", false), ("never", true), ("with_consent", false), ("with_consent", true)];
    let states = futures::future::join_all(rows.map(|(policy, agrees)| recorded(policy, agrees))).await;
    let (paused, on) = (RecordingState::Paused, RecordingState::On);
    assert_eq!(states, [paused, paused, paused, on]);
}

#[tokio::test]
async fn consent_to_it_counts_while_it_is_covered_too() {
    let rig = Rig::start(Time::Real, &[("cover__record", "with_consent".to_owned())]).await;
    let call = rig.accepted(true).await;
    rig.say_consent(call, ConsentKind::Covered, true).await;
    rig.watched(call, |session| session.covered_recording).await;
    let (officer, caller) = rig.both(call).await;
    rig.tap(&caller.pass().token, 1, "away").await;
    assert_eq!(rig.covered(call, true).await.recording_state(), RecordingState::On);
    let folder = rig.folder(call).await;
    let segments = || rig::evidence::segments(&std::fs::read(folder.join("caller-1.film")).unwrap_or_default());
    until("the recording of it", async || segments() > 3).await;
    rig.take_back_covered(call).await;
    rig.watched(call, |session| session.recording_state() == RecordingState::Paused).await;
    // It is carried out where it is recorded, once the rows know.
    until("its end", async || {
        let then = segments();
        plays(&caller, 30).await;
        segments() == then
    })
    .await;
    drop(officer);
}

#[tokio::test]
async fn it_is_covered_and_the_officer_hears_of_it_without_postgres() {
    let mut rig = Rig::start(Time::Real, &[]).await;
    let call = rig.accepted(true).await;
    let (officer, mut caller) = rig.both(call).await;
    let them = officer.pass().participant_id.clone();
    caller.watch(&them).await.unwrap();
    sees(&caller, &them).await;
    let mut ear = Ear::open(&rig, &officer.pass().token).await;
    assert_eq!(ear.next("cover").await["covered"], false);
    rig.database.stop().await.unwrap();
    let token = caller.pass().token.clone();
    assert_eq!(rig.tap(&token, 1, "away").await.status(), 204);
    assert_eq!(ear.next("cover").await["covered"], true);
    is_cut_off(&caller, &officer).await;
    until("the line", async || rig.ledger().contains(r#""what":"covered""#)).await;
    assert_eq!(rig.tap(&token, 2, "back").await.status(), 204);
    assert_eq!(ear.next("cover").await["covered"], false, "though it has been away for a while");
    sees(&caller, &them).await;
    assert_eq!(rig.tap(&token, 3, "away").await.status(), 204);

    rig.database.start().await.unwrap();
    assert_eq!(rig.covered(call, true).await.recording_state(), RecordingState::Paused);
    drop((officer, caller));
    rig.stop().await;
}

#[tokio::test]
async fn only_the_caller_covers_it_and_a_reload_finds_it_covered() {
    let rig = Rig::start(Time::Real, &[]).await;
    let call = rig.accepted(true).await;
    let officer = rig.join(call).await;
    let code = rig.invite(call).await.unwrap().code;
    let joined = rig.http.post(format!("{}/join", rig.base)).json(&serde_json::json!({ "code": code }));
    let joined = joined.send().await.unwrap();
    let cookie = joined.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let page: serde_json::Value = joined.json().await.unwrap();
    assert_eq!((&page["pretext"], &page["covered"], &page["tap"]), (&"recipe".into(), &false.into(), &0.into()));
    // Before any media of theirs is there.
    let token = page["token"].as_str().unwrap();
    assert_eq!(rig.tap(token, 5, "away").await.status(), 204);
    rig.covered(call, true).await;
    for (token, n, what, refused) in [
        (officer.token.as_str(), 1, "away", (400, "WRONG_ROLE")),
        ("nobody", 1, "away", (401, "TOKEN_UNKNOWN")),
        (token, 6, "sideways", (400, "MALFORMED_BODY")),
        (token, 1 << 31, "back", (400, "MALFORMED_BODY")),
    ] {
        let answer = rig.tap(token, n, what).await;
        let status = answer.status().as_u16();
        let said: serde_json::Value = answer.json().await.unwrap();
        assert_eq!((status, said["reason"].as_str().unwrap()), refused);
    }
    let wrong = |pretext: &str| rig.agree(rig.agreeing(call, pretext));
    assert_eq!(reason(&wrong("weather").await.unwrap_err()), "UNKNOWN_PRETEXT");
    let mut another = rig.agreeing(call, "quiz");
    another.officer_id = "o.two".to_owned();
    assert_eq!(reason(&rig.agree(another).await.unwrap_err()), "NOT_YOUR_CALL");
    let quiz = rig.agreeing(call, "quiz");
    rig.agree(quiz.clone()).await.unwrap();
    rig.agree(quiz).await.unwrap();
    let seen = rig.watched(call, |session| session.pretext == "quiz").await;
    assert_eq!(seen.pretexts.iter().map(|one| one.id.as_str()).collect::<Vec<_>>(), ["recipe", "parcel", "quiz"]);
    assert!(seen.pretexts.iter().all(|one| !one.title.is_empty() && !one.say.is_empty()));

    let back = rig.http.post(format!("{}/rejoin", rig.base)).header("cookie", cookie).header("origin", &rig.base);
    let page: serde_json::Value = back.send().await.unwrap().json().await.unwrap();
    assert_eq!((&page["pretext"], &page["covered"], &page["tap"]), (&"quiz".into(), &true.into(), &5.into()));
    // Asked back by a code, they have a page that shows the call.
    let code = rig.invite(call).await.unwrap().code;
    let (_, page) = rig.type_code(&code).await;
    assert_eq!((&page["covered"], &page["tap"]), (&false.into(), &6.into()));
    let token = page["token"].as_str().unwrap();
    rig.end(call).await;
    let late = rig.tap(token, 7, "away").await;
    assert_eq!(late.status(), 410);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_covered_call_is_taken_over_covered() {
    let mut all = Several::start(&[]).await;
    let call = all.rig.accepted(true).await;
    let officer = Phone::new(pass(all.rig.join(call).await));
    let taken = all.ask(&all.a, Method::GET, "/events", &officer.pass().token).send().await.unwrap();
    assert_eq!(taken.status(), 200);
    let code = all.rig.invite(call).await.unwrap().code;
    let caller = Phone::new(testkit::phone::join(&all.front.url(), &code).await.unwrap());
    let token = caller.pass().token.clone();
    let (officer, caller) = (officer.stay(), caller.stay());
    officer.sees("guest-1", 15, PATIENCE).await.unwrap();
    caller.sees("host-1", 15, PATIENCE).await.unwrap();
    assert_eq!(all.rig.tap(&token, 1, "away").await.status(), 204, "whichever instance is asked");
    all.rig.covered(call, true).await;

    all.a.kill().await.unwrap();
    officer.sees("guest-2", 60, PATIENCE).await.unwrap();
    assert!(caller.sees("host-2", 1, Duration::ZERO).await.is_err(), "nothing of the others");
    let session = all.rig.covered(call, true).await;
    assert_eq!(session.recording_state(), RecordingState::Paused);
    let ledger = || {
        let file = all.spool("b").join(&session.session_id).join("ledger-2.jsonl");
        std::fs::read_to_string(file).unwrap_or_default()
    };
    let began = |track: &str| {
        let is_it = |line: &&str| line.contains(r#""what":"began""#) && line.contains(track);
        ledger().lines().find(is_it).map(|line| line.contains(r#""recording":"paused""#))
    };
    until("the new part", async || ["officer-2", "caller-2"].iter().all(|track| began(track) == Some(true))).await;
    assert_eq!(all.rig.tap(&token, 2, "back").await.status(), 204);
    caller.sees("host-2", 15, PATIENCE).await.unwrap();
    until("the way back", async || ledger().contains(r#""what":"uncovered""#)).await;
}
