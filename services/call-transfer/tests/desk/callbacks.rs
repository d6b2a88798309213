//! Callers for whom there was no officer are rung back.

use std::time::Duration;

use crate::support::{Officer, TestDesk, asked, clock, reason, request_id, within};
use api::{
    intake::v1::{CallbackOutcome, CallbackState, Incident, RiskGrade, TransferRequested},
    transfer::v1::{
        AlertKind, CallAccepted, CallReturned, Callback, CallbackChanged, CancelCallbackRequest, ListCallbacksRequest,
        ListCallbacksResponse, Presence, RecordCallbackAttemptRequest, RecordCallbackAttemptResponse,
        ScheduleCallbackRequest, TakeCallbackRequest, TakeCallbackResponse,
    },
};
use chassis::ManualClock;
use ids::CallId;
use prost_types::Timestamp;
use tonic::Status;

/// Presences outlive the test's turns of the clock.
pub const PATIENT: (&str, &str) = ("DESK__PRESENCE_TIMEOUT_MS", "86400000");
/// Eight in the morning in London, when every test begins.
pub const EIGHT: i64 = 1_800_000_000;
const HOUR: i64 = 3600;
const NUMBER: &str = "+447700900123";
const WORD: &str = "blue teapot";
const WHO: &str = "her sister Ana; to others: the dentist";

fn seconds(at: i64) -> Option<Timestamp> {
    Some(Timestamp { seconds: at, nanos: 0 })
}

/// What is agreed about a call: in the hour from nine.
fn agreement(by: &Officer, call: CallId) -> ScheduleCallbackRequest {
    ScheduleCallbackRequest {
        request_id: request_id(),
        force_id: by.force.clone(),
        officer_id: by.id.clone(),
        call_id: call.to_string(),
        from: seconds(EIGHT + HOUR),
        until: seconds(EIGHT + 2 * HOUR),
        number: NUMBER.to_owned(),
        word: WORD.to_owned(),
        who_may_answer: WHO.to_owned(),
        language: "pa".to_owned(),
    }
}

/// The call-back's id.
pub async fn agree(by: &mut Officer, asked: ScheduleCallbackRequest) -> Result<String, Status> {
    Ok(by.client.schedule_callback(asked).await?.into_inner().callback_id)
}

/// Agreed for ten minutes from now on.
pub async fn agree_now(by: &mut Officer, call: CallId, now: i64) -> String {
    let asked = ScheduleCallbackRequest { from: seconds(now), until: seconds(now + 600), ..agreement(by, call) };
    agree(by, asked).await.unwrap()
}

/// Without what nothing may print.
pub async fn take(officer: &mut Officer, callback: &str) -> Result<(), Status> {
    take_whole(officer, callback).await.map(drop)
}

pub async fn take_whole(officer: &mut Officer, callback: &str) -> Result<TakeCallbackResponse, Status> {
    let request = TakeCallbackRequest {
        request_id: request_id(),
        force_id: officer.force.clone(),
        officer_id: officer.id.clone(),
        callback_id: callback.to_owned(),
    };
    Ok(officer.client.take_callback(request).await?.into_inner())
}

pub async fn tried(
    officer: &mut Officer,
    callback: &str,
    outcome: CallbackOutcome,
) -> Result<RecordCallbackAttemptResponse, Status> {
    let request = RecordCallbackAttemptRequest {
        request_id: request_id(),
        force_id: officer.force.clone(),
        officer_id: officer.id.clone(),
        callback_id: callback.to_owned(),
        outcome: outcome.into(),
    };
    Ok(officer.client.record_callback_attempt(request).await?.into_inner())
}

async fn cancel(by: &mut Officer, callback: &str) -> Result<(), Status> {
    let (force_id, officer_id) = (by.force.clone(), by.id.clone());
    let callback_id = callback.to_owned();
    let request = CancelCallbackRequest { request_id: request_id(), force_id, officer_id, callback_id };
    by.client.cancel_callback(request).await.map(drop)
}

async fn list(by: &mut Officer, states: &[CallbackState], token: &str) -> Result<ListCallbacksResponse, Status> {
    let request = ListCallbacksRequest {
        force_id: by.force.clone(),
        officer_id: by.id.clone(),
        states: states.iter().map(|state| (*state).into()).collect(),
        page_size: 1,
        page_token: token.to_owned(),
    };
    Ok(by.client.list_callbacks(request).await?.into_inner())
}

pub async fn comes(desk: &mut TestDesk, state: CallbackState) -> CallbackChanged {
    let changed: CallbackChanged = desk.event("callback_changed").await;
    assert_eq!(changed.state(), state);
    changed
}

/// Number, word, and who may answer, as far as they are kept.
async fn kept(desk: &TestDesk) -> Vec<Option<String>> {
    let kept = "select unnest(array[number, word, who_may_answer]) from transfer.callbacks";
    sqlx::query_scalar(kept).fetch_all(&desk.pool).await.unwrap()
}

/// A desk at eight in the morning, and a caller for whom there is no officer.
pub async fn begun(clock: ManualClock, replicas: usize) -> (TestDesk, CallId) {
    let mut desk = TestDesk::start(clock.into(), replicas, &[PATIENT]).await;
    let call = desk.queued().await;
    (desk, call)
}

#[tokio::test]
async fn a_call_back_is_tried_only_in_its_window_and_who_reaches_the_caller_has_the_call() {
    let clock = clock();
    let (mut desk, call) = begun(clock.clone(), 1).await;
    let mut control_room = desk.officer(0, "wmp", "CR-4711");
    let asked = agreement(&control_room, call);
    let id = agree(&mut control_room, asked.clone()).await.unwrap();
    assert_eq!(agree(&mut control_room, asked).await.unwrap(), id, "asked once more");
    let returned: CallReturned = desk.event("call_returned").await;
    assert_eq!((returned.call_id, returned.reason.as_str()), (call.to_string(), "CALL_BACK_AGREED"));
    let agreed = comes(&mut desk, CallbackState::Agreed).await;
    assert_eq!((agreed.callback_id.as_str(), agreed.call_id), (id.as_str(), call.to_string()));
    assert_eq!((agreed.from, agreed.until), (seconds(EIGHT + HOUR), seconds(EIGHT + 2 * HOUR)));

    let mut one = desk.free("pc-1").await;
    assert_eq!(reason(take(&mut one, &id).await), "CALLBACK_NOT_DUE");
    clock.advance(Duration::from_secs(3600));
    comes(&mut desk, CallbackState::Due).await;
    let shown = one.look().await.unwrap().unwrap().callbacks;
    assert_eq!((shown.len(), shown[0].state()), (1, CallbackState::Due));
    assert_eq!(reason(tried(&mut one, &id, CallbackOutcome::Reached).await), "CALLBACK_NOT_TAKEN");
    let told = take_whole(&mut one, &id).await.unwrap();
    assert!((told.number.as_str(), told.word.as_str(), told.who_may_answer.as_str()) == (NUMBER, WORD, WHO));
    assert!(told.call_id == call.to_string() && told.language == "pa");
    assert!(told.taken_until == seconds(EIGHT + HOUR + 900));
    comes(&mut desk, CallbackState::Taken).await;

    // While they ring they are offered nothing; then they are.
    let next = desk.call_as(another_incident(RiskGrade::Standard)).await;
    let mut watch = one.watch().await;
    let seen = watch.until(|desk| desk.queue.len() == 1).await;
    assert_eq!(seen.offer, None);
    assert_eq!(tried(&mut one, &id, CallbackOutcome::NoAnswer).await.unwrap().state(), CallbackState::Due);
    let due = comes(&mut desk, CallbackState::Due).await;
    assert_eq!((due.attempts, due.last_outcome()), (1, CallbackOutcome::NoAnswer));
    one.offered(next).await;
    assert_eq!(reason(take(&mut one, &id).await), "OFFICER_IN_CALL");
    one.decline(next, "a call-back").await.unwrap();
    one.presence(Presence::Away).await.unwrap();
    clock.advance(Duration::from_secs(60));
    take(&mut one, &id).await.unwrap();
    comes(&mut desk, CallbackState::Taken).await;
    let reached = tried(&mut one, &id, CallbackOutcome::Reached).await.unwrap();
    assert_eq!((reached.state(), reached.call_id), (CallbackState::Kept, call.to_string()));
    let accepted: CallAccepted = desk.event("call_accepted").await;
    assert!(accepted.called_back && accepted.recording_consented);
    assert_eq!((accepted.call_id.as_str(), accepted.officer_id.as_str()), (call.to_string().as_str(), "pc-1"));
    assert_eq!(accepted.incident.unwrap().number, "1123");
    comes(&mut desk, CallbackState::Kept).await;
    watch.until(|desk| desk.current_call_id == call.to_string() && desk.callbacks.is_empty()).await;
    assert_eq!(reason(take(&mut one, &id).await), "OFFICER_IN_CALL");

    // What was done is kept; whom they rang is not.
    let Callback { taken_by, attempts, .. } = list(&mut one, &[], "").await.unwrap().callbacks.remove(0);
    assert_eq!(taken_by, "pc-1");
    let attempts: Vec<_> = attempts.iter().map(|one| (one.officer_id.as_str(), one.at, one.outcome())).collect();
    let (nine, later) = (seconds(EIGHT + HOUR), seconds(EIGHT + HOUR + 60));
    let wanted = [("pc-1", nine, CallbackOutcome::NoAnswer), ("pc-1", later, CallbackOutcome::Reached)];
    assert_eq!(attempts, wanted);
    let looks: Vec<String> =
        sqlx::query_scalar("select officer_id from transfer.callback_looks").fetch_all(&desk.pool).await.unwrap();
    assert_eq!(looks, ["pc-1", "pc-1"]);
    assert_eq!(kept(&desk).await, [None, None, None]);
    desk.end(call).await;
    watch.until(|desk| desk.current_call_id.is_empty()).await;
    assert_eq!(reason(take(&mut one, &id).await), "CALLBACK_OVER");
    desk.stop().await;
}

/// A call of somebody else's.
pub fn another_incident(risk: RiskGrade) -> TransferRequested {
    TransferRequested {
        incident: Some(Incident { date: "2026-11-24".to_owned(), number: "2207".to_owned() }),
        ..asked(risk)
    }
}

#[tokio::test]
async fn no_number_and_no_word_is_published_or_remembered() {
    let (mut desk, call) = begun(clock(), 1).await;
    let mut one = desk.officer(0, "wmp", "pc-1");
    let id = agree_now(&mut one, call, EIGHT).await;
    take(&mut one, &id).await.unwrap();
    tried(&mut one, &id, CallbackOutcome::NotSafe).await.unwrap();
    let mut states = 0;
    while states < 4 {
        let (name, message) = desk.next_event().await;
        states += usize::from(name == "callback_changed");
        for private in [NUMBER, WORD, "Ana"] {
            let mut parts = message.payload.windows(private.len());
            assert!(!parts.any(|part| part == private.as_bytes()), "{name}");
        }
    }
    for private in [NUMBER, WORD, "Ana"] {
        let found = "select count(*) from outbox.answers where position(convert_to($1, 'UTF8') in answer) > 0";
        let found: i64 = sqlx::query_scalar(found).bind(private).fetch_one(&desk.pool).await.unwrap();
        assert_eq!(found, 0);
    }
    assert_eq!(kept(&desk).await, [None, None, None]);
    desk.stop().await;
}

#[tokio::test]
async fn two_officers_take_one_call_back_at_once_and_one_has_it() {
    let (mut desk, call) = begun(clock(), 2).await;
    let mut control_room = desk.officer(0, "wmp", "CR-4711");
    let id = agree_now(&mut control_room, call, EIGHT).await;
    let (mut one, mut two) = (desk.officer(0, "wmp", "pc-1"), desk.officer(1, "wmp", "pc-2"));
    let both = within("both", async { tokio::join!(take(&mut one, &id), take(&mut two, &id)) }).await;
    let (winner, loser, refusal) = match both {
        (Ok(()), refusal) => (&mut one, &mut two, refusal),
        (refusal, Ok(())) => (&mut two, &mut one, refusal),
        neither => panic!("somebody has it: {neither:?}"),
    };
    assert_eq!(reason(refusal), "CALLBACK_TAKEN");
    take(winner, &id).await.unwrap();
    assert_eq!(reason(tried(loser, &id, CallbackOutcome::Reached).await), "CALLBACK_NOT_TAKEN");
    assert_eq!(reason(cancel(loser, &id).await), "CALLBACK_TAKEN");
    // Nor does an officer ring two callers.
    let other = desk.queued().await;
    let second = agree_now(&mut control_room, other, EIGHT).await;
    assert_eq!(reason(take(winner, &second).await), "OFFICER_IN_CALL");
    take(loser, &second).await.unwrap();
    desk.stop().await;
}

#[tokio::test]
async fn a_missed_one_is_the_sergeants_and_its_number_is_forgotten() {
    let clock = clock();
    let (mut desk, call) = begun(clock.clone(), 1).await;
    let mut sergeant = desk.officer(0, "wmp", "sgt-1");
    let asked = agreement(&sergeant, call);
    let id = agree(&mut sergeant, asked).await.unwrap();
    let mut watch = sergeant.watch_alerts().await;
    clock.advance(Duration::from_secs(3600));
    comes(&mut desk, CallbackState::Agreed).await;
    comes(&mut desk, CallbackState::Due).await;
    // Five minutes in, nobody rings. Then somebody does, and doesn't say how it went.
    clock.advance(Duration::from_secs(300));
    watch.alerts(&[(AlertKind::CallbackDue, 1, "")]).await;
    let mut one = desk.officer(0, "wmp", "pc-1");
    take(&mut one, &id).await.unwrap();
    watch.alerts(&[]).await;
    clock.advance(Duration::from_secs(900));
    watch.alerts(&[(AlertKind::CallbackDue, 2, "")]).await;
    assert_eq!(reason(tried(&mut one, &id, CallbackOutcome::Reached).await), "CALLBACK_NOT_TAKEN");
    take(&mut one, &id).await.unwrap();
    tried(&mut one, &id, CallbackOutcome::WordNotGiven).await.unwrap();
    watch.alerts(&[]).await;
    clock.advance(Duration::from_secs(3600 - 1200));
    watch.alerts(&[(AlertKind::CallbackMissed, 1, "pc-1")]).await;
    assert_eq!(reason(take(&mut one, &id).await), "CALLBACK_OVER");
    assert_eq!(kept(&desk).await, [None, None, None]);
    sergeant.acknowledge(call, AlertKind::CallbackMissed, 1).await.unwrap();
    // Another may be agreed; that it isn't safe, a sergeant hears at once.
    let now = desk.clock.now().timestamp();
    let again = agree_now(&mut sergeant, call, now).await;
    take(&mut one, &again).await.unwrap();
    let unsafe_now = tried(&mut one, &again, CallbackOutcome::NotSafe).await.unwrap();
    assert_eq!((unsafe_now.state(), unsafe_now.call_id.as_str()), (CallbackState::Missed, ""));
    watch.alerts(&[(AlertKind::CallbackMissed, 2, "pc-1")]).await;
    desk.stop().await;
}

#[tokio::test]
async fn what_can_t_be_promised_is_refused_with_its_reason() {
    let hours = ("HOURS__EVERY_DAY", "07:00-10:00");
    let desk = TestDesk::start(clock().into(), 1, &[PATIENT, hours]).await;
    let mut one = desk.free("pc-1").await;
    let had = desk.call(RiskGrade::High).await;
    one.offered(had).await;
    one.accept(had).await.unwrap();
    let call = desk.call(RiskGrade::High).await;
    let mut watch = one.watch().await;
    watch.until(|desk| desk.queue.len() == 1).await;
    let good = |request_id: String, by: &Officer| ScheduleCallbackRequest { request_id, ..agreement(by, call) };
    let with = |change: &dyn Fn(&mut ScheduleCallbackRequest)| {
        let mut asked = good(request_id(), &one);
        change(&mut asked);
        asked
    };
    let bad = [
        ("INVALID_NUMBER", with(&|asked| asked.number = "07700900123".to_owned())),
        ("INVALID_CALLBACK", with(&|asked| asked.word = " ".to_owned())),
        ("INVALID_CALLBACK", with(&|asked| asked.who_may_answer = "x".repeat(201))),
        ("INVALID_CALLBACK", with(&|asked| asked.language = "Punjabi, please".to_owned())),
        ("INVALID_SAFE_WINDOW", with(&|asked| asked.from = None)),
        ("INVALID_SAFE_WINDOW", with(&|asked| asked.until = asked.from)),
        ("OUTSIDE_OPENING_HOURS", with(&|asked| asked.until = seconds(EIGHT + 2 * HOUR + 1))),
        ("UNKNOWN_CALL", with(&|asked| asked.call_id = desk.new_call().to_string())),
        ("UNKNOWN_CALL", with(&|asked| asked.force_id = "kent".to_owned())),
        ("CALL_NOT_CALLABLE", with(&|asked| asked.call_id = had.to_string())),
    ];
    let mut asks = one.clone();
    for (wanted, asked) in bad {
        assert_eq!(reason(agree(&mut asks, asked).await), wanted);
    }
    assert_eq!(watch_len(&mut asks).await, 1, "it waits on");
    let mut two = desk.free("pc-2").await;
    two.offered(call).await;
    // On offer it is taken off the officer's screen.
    let id = agree(&mut asks, good(request_id(), &one)).await.unwrap();
    assert_eq!(reason(two.accept(call).await), "CALL_NOT_WAITING");
    assert_eq!(reason(agree(&mut asks, good(request_id(), &one)).await), "CALLBACK_AGREED");
    for nobody_s in [&mut desk.officer(0, "kent", "pc-1")] {
        assert_eq!(reason(take(nobody_s, &id).await), "UNKNOWN_CALLBACK");
        assert_eq!(reason(cancel(nobody_s, &id).await), "UNKNOWN_CALLBACK");
    }
    cancel(&mut two, &id).await.unwrap();
    assert_eq!(reason(cancel(&mut two, &id).await), "CALLBACK_OVER");
    assert_eq!(reason(tried(&mut two, &id, CallbackOutcome::Reached).await), "CALLBACK_OVER");
    assert_eq!(reason(tried(&mut two, &id, CallbackOutcome::Unspecified).await), "INVALID_CALLBACK");
    // Page by page, and by state.
    let second = agree(&mut asks, good(request_id(), &one)).await.unwrap();
    let first_page = list(&mut two, &[], "").await.unwrap();
    let next_page = list(&mut two, &[], &first_page.next_page_token).await.unwrap();
    let all: Vec<_> = [&first_page, &next_page].iter().map(|page| page.callbacks[0].callback_id.clone()).collect();
    assert!(all.contains(&id) && all.contains(&second) && next_page.next_page_token.is_empty(), "{all:?}");
    let open = list(&mut two, &[CallbackState::Agreed], "").await.unwrap();
    assert_eq!((open.callbacks[0].callback_id.as_str(), open.next_page_token.as_str()), (second.as_str(), ""));
    assert_eq!(reason(list(&mut two, &[], "nonsense").await), "INVALID_PAGE_TOKEN");
    assert_eq!(reason(list(&mut two, &[CallbackState::Unspecified], "").await), "INVALID_CALLBACK");
    desk.stop().await;
}

async fn watch_len(officer: &mut Officer) -> usize {
    officer.look().await.unwrap().unwrap().queue.len()
}
