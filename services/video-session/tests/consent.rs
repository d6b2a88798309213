//! The recording under the officer's command: paused, gone on with, and stopped for good when consent is withdrawn in mid-call; with
//! the database there, away, and with the process killed before it could write it down.

use crate::rig::{
    FORCE, PATIENCE, Rig, Time,
    evidence::{Evidence, declared},
    reason,
    record::{ByThen, goes_beyond},
};
use api::intake::v1::ConsentKind;
use api::session::v1::{
    DuressHow, DuressRaised, GetSessionRequest, RecordingAction, RecordingChanged, RecordingState, Session,
    SessionEnded, SetRecordingRequest,
};
use chrono::DateTime;
use ids::CallId;
use sqlx::PgPool;
use testkit::{phone::Phone, until};
use tonic::Code;

/// Orders it, and what had been sent when it was carried out.
async fn ordered(rig: &Rig, order: SetRecordingRequest, phones: (&Phone, &Phone)) -> (RecordingState, ByThen) {
    let what = if order.action() == RecordingAction::Pause { "paused" } else { "recording-stopped" };
    let (state, by_then) = tokio::join!(rig.order(order), rig.sent_when(what, phones));
    (state.unwrap(), by_then)
}

/// Once the service has stopped: nothing was recorded but what had been sent by then.
fn nothing_but(rig: &Rig, by_then: &ByThen) {
    let recorded = rig.recorded();
    assert!(!recorded.is_empty());
    for (track, there) in recorded {
        assert!(!goes_beyond(by_then, &track, there), "of {track} {there:?} are there, and {by_then:?} had been sent");
    }
}

/// Both phones send more.
async fn send_more(officer: &Phone, caller: &Phone) {
    for phone in [officer, caller] {
        phone.has_sent(phone.sent().video_frames + 30, PATIENCE).await.unwrap();
    }
}

/// The officer goes on seeing and hearing.
async fn goes_on(officer: &mut Phone, whom: &str) {
    let then = officer.received(whom);
    let goes_on = officer.wait_for(whom, PATIENCE, |now| {
        now.video_frames >= then.video_frames + 20 && now.audio_packets >= then.audio_packets + 50
    });
    goes_on.await.unwrap();
}

#[tokio::test]
async fn consent_withdrawn_in_mid_call_stops_the_recording_and_not_the_help() {
    let evidence = Evidence::start().await;
    let mut rig = Rig::beside(&evidence).await;
    let call = rig.accepted(true).await;
    let (mut officer, caller) = rig.both(call).await;
    let whom = caller.pass().participant_id.clone();
    officer.watch(&whom).await.unwrap();
    until("two segments", async || evidence.holds(call).await.get("caller-1").is_some_and(|held| *held > 1)).await;
    let withdrawn = rig.ordering(call, RecordingAction::Stop);
    let (state, by_then) = ordered(&rig, withdrawn.clone(), (&officer, &caller)).await;
    assert_eq!(state, RecordingState::Stopped);
    assert_eq!(rig.order(withdrawn).await.unwrap(), RecordingState::Stopped, "the same request");
    assert_eq!(rig.order(rig.ordering(call, RecordingAction::Stop)).await.unwrap(), RecordingState::Stopped);
    for action in [RecordingAction::Resume, RecordingAction::Pause] {
        let refused = rig.order(rig.ordering(call, action)).await.unwrap_err();
        assert_eq!((refused.code(), reason(&refused)), (Code::FailedPrecondition, "RECORDING_STOPPED".to_owned()));
    }
    let seen = rig.watched(call, |session| session.recording_state() == RecordingState::Stopped).await;
    assert!(!seen.recording);
    assert_eq!(rig.event::<RecordingChanged>("recording_changed", call).await.state(), RecordingState::Stopped);
    goes_on(&mut officer, &whom).await;

    // Whoever comes back is not recorded.
    let pass = caller.pass().clone();
    caller.hang_up().await.unwrap();
    let mut caller = Phone::new(pass);
    caller.publish().await.unwrap();
    caller.has_sent(30, PATIENCE).await.unwrap();
    rig.end(call).await;
    let ended = rig.ended(call).await;
    let declared = declared(&ended);
    assert_eq!(declared.keys().collect::<Vec<_>>(), ["caller-1", "officer-1"]);
    assert!(ended.recorded, "something was, and stays");
    assert_eq!(evidence.holds(call).await, declared);
    rig.stop().await;
    nothing_but(&rig, &by_then);
    let ledger = rig.kept();
    let stopped: Vec<_> = ledger.iter().filter(|line| line["what"] == "recording-stopped").collect();
    let [stopped] = stopped[..] else { panic!("{stopped:?}") };
    assert_eq!((&stopped["officer"], &stopped["reason"]), (&"o.one".into(), &"asked for by the caller".into()));
    let ends = ledger.iter().filter(|line| line["what"] == "ended" && line["why"] == "recording-stopped");
    assert_eq!(ends.count(), 2);
}

#[tokio::test]
async fn a_pause_is_told_to_the_pages_and_over() {
    let mut rig = Rig::start(Time::Real, &[]).await;
    let call = rig.accepted(true).await;
    let phones = rig.both(call).await;
    let paused = rig.ordering(call, RecordingAction::Pause);
    assert_eq!(rig.order(paused.clone()).await.unwrap(), RecordingState::Paused);
    rig.watched(call, |session| session.recording_state() == RecordingState::Paused && !session.recording).await;
    let silent = SetRecordingRequest { reason: String::new(), ..rig.ordering(call, RecordingAction::Resume) };
    assert_eq!(rig.order(silent).await.unwrap(), RecordingState::On, "to go on needs no reason");
    assert_eq!(rig.order(paused).await.unwrap(), RecordingState::Paused, "a repeat gets the first answer");
    rig.watched(call, |session| session.recording_state() == RecordingState::On && session.recording).await;

    let wrong = |request: SetRecordingRequest| async { reason(&rig.order(request).await.unwrap_err()) };
    let base = || rig.ordering(call, RecordingAction::Stop);
    assert_eq!(wrong(SetRecordingRequest { reason: " ".to_owned(), ..base() }).await, "INVALID_REASON");
    assert_eq!(wrong(SetRecordingRequest { reason: "x".repeat(201), ..base() }).await, "INVALID_REASON");
    assert_eq!(wrong(SetRecordingRequest { reason: "two\nlines".to_owned(), ..base() }).await, "INVALID_REASON");
    assert_eq!(wrong(SetRecordingRequest { action: 0, ..base() }).await, "INVALID_ACTION");
    assert_eq!(wrong(SetRecordingRequest { officer_id: "o.two".to_owned(), ..base() }).await, "NOT_YOUR_CALL");
    assert_eq!(wrong(SetRecordingRequest { force_id: "kent".to_owned(), ..base() }).await, "UNKNOWN_SESSION");
    let refused = rig.accepted(false).await;
    assert_eq!(wrong(rig.ordering(refused, RecordingAction::Resume)).await, "NOT_RECORDED");
    let still = rig.watched(call, |_| true).await;
    assert_eq!(still.recording_state(), RecordingState::On, "none of these did anything");
    drop(phones);
    rig.stop().await;
    let ledger = rig.kept();
    let orders = ledger.iter().filter(|line| line["track"].is_null()).map(|line| line["what"].as_str().unwrap());
    assert_eq!(orders.collect::<Vec<_>>(), ["paused", "resumed"]);
}

#[tokio::test]
async fn consent_withdrawn_at_the_control_room_counts_as_well() {
    let mut rig = Rig::start(Time::Real, &[]).await;
    let call = rig.accepted(true).await;
    let (officer, caller) = rig.both(call).await;
    // What is about one child or one referral is not the session's, and what comes after it is heard.
    rig.say_nth_consent(1, call, ConsentKind::Child, false).await;
    rig.say_nth_consent(2, call, ConsentKind::Referral, false).await;
    rig.say_nth_consent(3, call, ConsentKind::Recording, false).await;
    let by_then = rig.sent_when("recording-stopped", (&officer, &caller)).await;
    rig.watched(call, |session| session.recording_state() == RecordingState::Stopped).await;
    send_more(&officer, &caller).await;
    drop((officer, caller));
    rig.stop().await;
    nothing_but(&rig, &by_then);
    let ledger = rig.kept();
    let stopped = ledger.iter().find(|line| line["what"] == "recording-stopped" && line["track"].is_null()).unwrap();
    assert!(stopped["officer"].is_null(), "{stopped}");
}

#[tokio::test]
async fn consent_is_withdrawn_without_postgres_and_written_down_later() {
    let mut rig = Rig::start(Time::Real, &[]).await;
    let call = rig.accepted(true).await;
    let (mut officer, caller) = rig.both(call).await;
    let whom = caller.pass().participant_id.clone();
    officer.watch(&whom).await.unwrap();
    goes_on(&mut officer, &whom).await;
    rig.database.stop().await.unwrap();
    let mut other = rig.ordering(call, RecordingAction::Stop);
    other.officer_id = "o.two".to_owned();
    assert_eq!(reason(&rig.order(other).await.unwrap_err()), "NOT_YOUR_CALL");
    let (state, by_then) = ordered(&rig, rig.ordering(call, RecordingAction::Pause), (&officer, &caller)).await;
    assert_eq!(state, RecordingState::Paused);
    let resumed = rig.order(rig.ordering(call, RecordingAction::Resume)).await.unwrap_err();
    assert_eq!(resumed.code(), Code::Unavailable, "nothing is recorded on uncertain ground");
    assert_eq!(rig.order(rig.ordering(call, RecordingAction::Stop)).await.unwrap(), RecordingState::Stopped);
    goes_on(&mut officer, &whom).await;

    rig.database.start().await.unwrap();
    rig.watched(call, |session| session.recording_state() == RecordingState::Stopped).await;
    send_more(&officer, &caller).await;
    drop((officer, caller));
    rig.stop().await;
    nothing_but(&rig, &by_then);
    let ledger = rig.kept();
    let orders: Vec<_> = ledger.iter().filter(|line| line["track"].is_null()).collect();
    let [paused, stopped] = orders[..] else { panic!("{orders:?}") };
    assert_eq!((&paused["what"], &stopped["what"]), (&"paused".into(), &"recording-stopped".into()));
}

#[tokio::test]
async fn consent_withdrawn_and_a_call_for_help_hold_even_if_nobody_lived_to_write_them_down() {
    let (mut rig, mut service) = Rig::as_process(&[]).await;
    let call = rig.accepted(true).await;
    let (mut officer, caller) = rig.both(call).await;
    let whom = caller.pass().participant_id.clone();
    officer.watch(&whom).await.unwrap();
    goes_on(&mut officer, &whom).await;
    rig.database.stop().await.unwrap();
    let (state, by_then) = ordered(&rig, rig.ordering(call, RecordingAction::Stop), (&officer, &caller)).await;
    assert_eq!(state, RecordingState::Stopped);
    // The caller asks for help, too.
    assert_eq!(rig.tap(&caller.pass().token, 1, "corner").await.status(), 204);
    until("the line", async || rig.ledger().contains(r#""what":"asked-for-help""#)).await;
    // It was said to be so, and is: even if this is the process' last breath.
    service.kill().await.unwrap();
    rig.database.start().await.unwrap();
    service.restart().await.unwrap();
    let mut caller = Phone::new(caller.pass().clone());
    until("the caller is back", async || caller.publish().await.is_ok()).await;
    until("the session as it was left", async || {
        let request = GetSessionRequest { force_id: FORCE.to_owned(), call_id: call.to_string() };
        let found = rig.desk.clone().get_session(request).await.ok().and_then(|answer| answer.into_inner().session);
        found.is_some_and(|session| session.recording_state() == RecordingState::Stopped)
    })
    .await;
    // Their page says nothing any more, and the control room hears of it.
    let raised = rig.event::<DuressRaised>("duress_raised", call).await;
    assert_eq!(raised.how(), DuressHow::Corner);
    // Whoever comes back is not recorded: nor was the caller, who was back before the session's row could know.
    caller.has_sent(30, PATIENCE).await.unwrap();
    drop((officer, caller));
    assert!(service.terminate().await.unwrap().success());
    nothing_but(&rig, &by_then);
    let ledger = rig.kept();
    assert!(ledger.iter().any(|line| line["what"] == "recording-stopped"));
    let asked = ledger.iter().find(|line| line["what"] == "asked-for-help").unwrap()["at"].as_str().unwrap();
    let told = raised.occurred_at.map(|at| (at.seconds, at.nanos.unsigned_abs()));
    let asked = DateTime::parse_from_rfc3339(asked).unwrap();
    assert_eq!(told, Some((asked.timestamp(), asked.timestamp_subsec_nanos())), "as of when they asked");
}

/// How many consents wait for a session.
async fn early(pool: &PgPool, call: CallId) -> i64 {
    let count = sqlx::query_scalar("select count(*) from session.early_consents where call_id = $1").bind(call.uuid());
    count.fetch_one(pool).await.unwrap()
}

/// Both send for a while, and it ends.
async fn held(rig: &Rig, call: CallId) -> SessionEnded {
    let (officer, caller) = rig.both(call).await;
    caller.has_sent(30, PATIENCE).await.unwrap();
    drop((officer, caller));
    rig.end(call).await;
    rig.ended(call).await
}

#[tokio::test]
async fn a_consent_taken_back_before_the_session_is_there_holds_in_it() {
    let evidence = Evidence::start().await;
    let mut rig = Rig::beside(&evidence).await;
    let pool = rig.database.pool();
    // It overtakes the accept, and both come twice.
    let first: CallId = rig.id();
    for _ in 0..2 {
        rig.say_nth_consent(3, first, ConsentKind::Recording, true).await;
        rig.say_nth_consent(4, first, ConsentKind::Recording, false).await;
    }
    rig.say_nth_consent(5, first, ConsentKind::Stills, true).await;
    until("it to be kept", async || early(&pool, first).await == 3).await;
    for _ in 0..2 {
        rig.say_accepted(first, true).await;
    }
    // It follows at once.
    let second: CallId = rig.id();
    rig.say_accepted(second, true).await;
    for _ in 0..2 {
        rig.say_nth_consent(4, second, ConsentKind::Recording, false).await;
    }
    for call in [first, second] {
        let refused = |session: &Session| session.recording_state() == RecordingState::Refused;
        assert!(!rig.watched(call, refused).await.recording);
        assert_eq!(early(&pool, call).await, 0, "heeded");
        let ended = held(&rig, call).await;
        assert!(!ended.recorded && ended.tracks.is_empty(), "{ended:?}");
        assert_eq!(evidence.holds(call).await.len(), 0);
    }

    // Taken back, and given again before anybody has sent anything.
    let third: CallId = rig.id();
    rig.say_nth_consent(4, third, ConsentKind::Recording, false).await;
    until("it to be kept", async || early(&pool, third).await == 1).await;
    rig.say_accepted(third, true).await;
    rig.say_nth_consent(5, third, ConsentKind::Recording, true).await;
    rig.watched(third, |session| session.recording_state() == RecordingState::On).await;
    assert!(held(&rig, third).await.recorded);
    // Nobody takes this one.
    let fourth: CallId = rig.id();
    rig.say_nth_consent(4, fourth, ConsentKind::Video, false).await;
    until("it to be kept", async || early(&pool, fourth).await == 1).await;
    rig.say_abandoned(fourth).await;
    until("it to go", async || early(&pool, fourth).await == 0).await;
    rig.stop().await;
}

#[tokio::test]
async fn what_was_said_of_a_call_that_nobody_took_goes_after_a_while_in_a_quiet_force_too() {
    let days = |days: u64| std::time::Duration::from_secs(days * 24 * 60 * 60);
    let mut rig = Rig::start(Time::Manual, &[]).await;
    let pool = rig.database.pool();
    let (old, newer): (CallId, CallId) = (rig.id(), rig.id());
    rig.say_consent(old, ConsentKind::Recording, false).await;
    until("it to be kept", async || early(&pool, old).await == 1).await;
    rig.clock.advance(days(8));
    rig.say_consent(newer, ConsentKind::Recording, false).await;
    until("it to be kept", async || early(&pool, newer).await == 1).await;
    // Nothing else is heard of the force.
    rig.clock.advance(days(8));
    until("the old one to go", async || early(&pool, old).await == 0).await;
    assert_eq!(early(&pool, newer).await, 1);
    rig.stop().await;
}

#[tokio::test]
async fn a_caller_who_takes_back_their_consent_to_video_ends_the_call() {
    const WITHDRAWN: &str = "VIDEO_CONSENT_WITHDRAWN";
    let evidence = Evidence::start().await;
    let mut rig = Rig::beside(&evidence).await;
    let call = rig.accepted(true).await;
    let (officer, caller) = rig.both(call).await;
    until("a segment", async || evidence.holds(call).await.contains_key("caller-1")).await;
    for nth in [2, 2, 3] {
        rig.say_nth_consent(nth, call, ConsentKind::Video, false).await;
    }
    rig.watched(call, |session| session.end_reason == WITHDRAWN).await;
    let ended = rig.ended(call).await;
    assert_eq!((ended.reason.as_str(), ended.recorded), (WITHDRAWN, true));
    let declared = declared(&ended);
    assert_eq!(declared.keys().collect::<Vec<_>>(), ["caller-1", "officer-1"]);
    assert_eq!(evidence.holds(call).await, declared, "what was recorded is whole");
    assert_eq!(rig.end(call).await.reason, WITHDRAWN, "an ended session keeps its first ending");
    let ledger = evidence.items(call).await.into_iter().find(|path| path.contains("gap-ledger")).unwrap();
    let ledger: serde_json::Value = serde_json::from_slice(&evidence.read(call, &ledger).await).unwrap();
    let lines = ledger["events"].as_array().unwrap();
    assert_eq!(lines.iter().filter(|line| line["what"] == "ended").count(), 2, "as after an officer's end");
    drop((officer, caller));

    // Taken back before there is a session: nobody comes into it.
    let pool = rig.database.pool();
    let early_no: CallId = rig.id();
    rig.say_nth_consent(4, early_no, ConsentKind::Video, false).await;
    until("it to be kept", async || early(&pool, early_no).await == 1).await;
    rig.say_accepted(early_no, true).await;
    let ended = rig.ended(early_no).await;
    assert_eq!((ended.reason.as_str(), ended.tracks.len()), (WITHDRAWN, 0));
    assert_eq!(reason(&rig.invite(early_no).await.err().unwrap()), "SESSION_ENDED");
    rig.stop().await;
}

#[tokio::test]
async fn a_call_that_the_desk_gives_back_ends() {
    let mut rig = Rig::start(Time::Real, &[]).await;
    let pool = rig.database.pool();
    let call = rig.accepted(true).await;
    rig.say_returned(2, call).await;
    rig.watched(call, |session| session.end_reason == "RETURNED_TO_CONTROL_ROOM").await;
    assert_eq!(rig.ended(call).await.reason, "RETURNED_TO_CONTROL_ROOM");
    assert_eq!(reason(&rig.invite(call).await.err().unwrap()), "SESSION_ENDED");
    // Given back before anybody took it: what was said for its session goes.
    let waiting: CallId = rig.id();
    rig.say_nth_consent(4, waiting, ConsentKind::Recording, false).await;
    until("it to be kept", async || early(&pool, waiting).await == 1).await;
    rig.say_returned(1, waiting).await;
    until("it to go", async || early(&pool, waiting).await == 0).await;
    // Rung back, and reached: there is a session after all, with a code to read out.
    rig.say_nth_accepted(2, waiting, true).await;
    rig.watched(waiting, |session| session.end_reason.is_empty()).await;
    assert!(rig.invite(waiting).await.is_ok());
    rig.stop().await;
}
