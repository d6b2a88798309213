//! A caller asks for help without saying so: the officer and the control room hear of it, and nothing else changes; with the database
//! and intake there and away, and whatever order it comes in.

use crate::rig::{
    FORCE, OFFICER, PATIENCE, Rig, Time, chat::Ear, pass, reason, rows::every_row, several::Several, texts::ControlRoom,
};
use api::session::v1::{DuressAcknowledged, DuressHow, DuressRaised, RecordingState};
use reqwest::Method;
use serde_json::json;
use testkit::{phone::Phone, until};
use tonic::Code;

/// What the ledger has of it: what, and how.
fn asked(ledger: &[serde_json::Value]) -> Vec<(&str, &str)> {
    let word = |line: &serde_json::Value, name: &str| line[name].as_str().unwrap_or_default().to_owned();
    let is_of_it = |line: &&serde_json::Value| ["asked-for-help", "asking-seen"].contains(&word(line, "what").as_str());
    let lines = ledger.iter().filter(is_of_it);
    lines.map(|line| (line["what"].as_str().unwrap(), line["how"].as_str().unwrap())).collect()
}

async fn reason_of(answer: reqwest::Response) -> (u16, String) {
    let status = answer.status().as_u16();
    let said: serde_json::Value = answer.json().await.unwrap();
    (status, said["reason"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn three_taps_on_a_corner_are_told_to_officer_and_control_room_once_and_change_nothing() {
    let mut rig = Rig::start(Time::Real, &[]).await;
    let call = rig.accepted(true).await;
    let (officer, caller) = rig.both(call).await;
    let (token, us) = (caller.pass().token.clone(), caller.pass().participant_id.clone());
    let mut ear = Ear::open(&rig, &officer.pass().token).await;
    let early = rig.see(rig.seeing(call)).await.unwrap_err();
    assert_eq!((early.code(), reason(&early)), (Code::FailedPrecondition, "NOTHING_ASKED".to_owned()));
    let before = rig.watched(call, |_| true).await;

    for n in [2, 1, 2] {
        assert_eq!(rig.tap(&token, n, "corner").await.status(), 204, "a repeat, and what was overtaken");
    }
    assert_eq!(ear.next("call").await["how"], "corner");
    let mut after = rig.pleaded(call, 1).await;
    let duress = after.duress.take().unwrap();
    assert_eq!(after, before, "nothing else has changed");
    assert_eq!((duress.how(), duress.acknowledged_at, duress.acknowledged_by.as_str()), (DuressHow::Corner, None, ""));
    let raised: DuressRaised = rig.event("duress_raised", call).await;
    assert_eq!((raised.how(), raised.force_id.as_str()), (DuressHow::Corner, FORCE));
    assert_eq!(raised.occurred_at, duress.raised_at);

    // Again, and covered: counted, and no news.
    assert_eq!(rig.tap(&token, 1, "away").await.status(), 204);
    assert_eq!(rig.tap(&token, 3, "corner").await.status(), 204);
    let covered = rig.pleaded(call, 2).await;
    assert_eq!(covered.duress.as_ref().unwrap().raised_at, duress.raised_at);
    let mut another = rig.seeing(call);
    another.officer_id = "o.two".to_owned();
    assert_eq!(reason(&rig.see(another).await.unwrap_err()), "NOT_YOUR_CALL");
    let seeing = rig.seeing(call);
    let seen = rig.see(seeing.clone()).await.unwrap();
    for repeat in [seeing, rig.seeing(call)] {
        assert_eq!(rig.see(repeat).await.unwrap(), seen);
    }
    let duress = rig.watched(call, |session| session.duress.as_ref().unwrap().acknowledged_at.is_some()).await.duress;
    let duress = duress.unwrap();
    assert_eq!((duress.acknowledged_at, duress.acknowledged_by.as_str()), (seen.acknowledged_at, OFFICER));
    let told: DuressAcknowledged = rig.event("duress_acknowledged", call).await;
    assert_eq!((told.how(), told.officer_id.as_str()), (DuressHow::Corner, OFFICER));
    assert_eq!(told.raised_at, duress.raised_at);
    drop((officer, caller));
    rig.stop().await;
    let ledger = rig.kept();
    assert_eq!(asked(&ledger), [("asked-for-help", "corner"), ("asked-for-help", "corner"), ("asking-seen", "corner")]);
    let mut lines = ledger.iter().filter(|line| line["what"] == "asked-for-help");
    assert!(lines.all(|line| line["participant"] == us.as_str() && line["track"].is_null()));
    let seen = ledger.iter().find(|line| line["what"] == "asking-seen").unwrap();
    assert_eq!(seen["officer"], OFFICER);
}

#[tokio::test]
async fn the_officer_hears_of_it_without_postgres_and_the_control_room_afterwards() {
    let mut rig = Rig::start(Time::Real, &[]).await;
    let call = rig.accepted(true).await;
    let (officer, caller) = rig.both(call).await;
    let mut ear = Ear::open(&rig, &officer.pass().token).await;
    ear.next("cover").await;
    rig.database.stop().await.unwrap();
    for n in [1, 1, 2] {
        assert_eq!(rig.tap(&caller.pass().token, n, "corner").await.status(), 204);
    }
    assert_eq!(ear.next("call").await["how"], "corner");
    until("the line", async || rig.ledger().matches(r#""what":"asked-for-help""#).count() == 2).await;
    rig.database.start().await.unwrap();
    rig.pleaded(call, 2).await;
    assert_eq!(rig.event::<DuressRaised>("duress_raised", call).await.how(), DuressHow::Corner);
    drop((officer, caller));
    rig.stop().await;
}

#[tokio::test]
async fn it_is_the_callers_alone_before_anybody_is_there_and_where_nothing_is_recorded() {
    let rig = Rig::start(Time::Real, &[]).await;
    let (call, refused) = (rig.accepted(true).await, rig.accepted(false).await);
    // Before any media, and before the officer.
    let (_, page) = rig.type_code(&rig.invite(call).await.unwrap().code).await;
    assert_eq!(page["corner"], 0);
    let token = page["token"].as_str().unwrap();
    assert_eq!(rig.tap(token, 4, "corner").await.status(), 204);
    rig.pleaded(call, 1).await;
    until("the line", async || rig.ledger().contains(r#""what":"asked-for-help""#)).await;
    // An officer who comes now is told, and nobody else may ask.
    let officer = rig.join(call).await;
    assert_eq!(Ear::open(&rig, &officer.token).await.next("call").await["how"], "corner");
    assert_eq!(reason_of(rig.tap(&officer.token, 1, "corner").await).await, (400, "WRONG_ROLE".to_owned()));
    assert_eq!(reason_of(rig.tap("nobody", 1, "corner").await).await, (401, "TOKEN_UNKNOWN".to_owned()));
    // Asked back, their page counts on; of nothing else it hears.
    let (_, page) = rig.type_code(&rig.invite(call).await.unwrap().code).await;
    assert_eq!(page["corner"], 4);
    let page = page.to_string();
    assert!(["duress", "help", "asked", "raised"].iter().all(|word| !page.contains(word)), "{page}");

    let token = rig.caller(refused).await;
    assert_eq!(rig.tap(&token, 1, "corner").await.status(), 204);
    let seen = rig.pleaded(refused, 1).await;
    assert_eq!(seen.recording_state(), RecordingState::Refused);
    rig.see(rig.seeing(refused)).await.unwrap();
    rig.end(refused).await;
    assert_eq!(rig.tap(&token, 2, "corner").await.status(), 410);
    assert_eq!(reason(&rig.see(rig.seeing(refused)).await.unwrap_err()), "SESSION_ENDED");
}

#[tokio::test]
async fn their_word_in_what_they_write_asks_and_is_kept_nowhere_but_in_the_line() {
    let control_room = ControlRoom::start().await;
    control_room.says_word("Auntie Zebedee");
    let mut rig = Rig::start(Time::Real, &[control_room.setting()]).await;
    let call = rig.accepted(true).await;
    let pool = rig.database.pool();
    until("the word is known", async || {
        let known = "select count(*) from session.sessions where word_asked and word_hash is not null";
        sqlx::query_scalar::<_, i64>(known).fetch_one(&pool).await.unwrap() == 1
    })
    .await;
    let (officer, caller) = rig.both(call).await;
    let (ours, theirs) = (&officer.pass().token, &caller.pass().token);
    let mut ear = Ear::open(&rig, ours).await;
    let mut own = Ear::open(&rig, theirs).await;
    let write = async |token: &str, id: &str, text: &str| {
        let body = json!({ "id": id, "text": text, "language": "en" });
        assert_eq!(rig.post(token, &body).await.status(), 200);
    };
    write(theirs, "a", "my aunt is well").await;
    write(ours, "b", "how is Auntie Zebedee?").await;
    let said = "Oh, and AUNTIE-zebedee, she\u{2019}s fine!";
    write(theirs, "c", said).await;
    assert_eq!(ear.next("call").await["how"], "word");
    rig.pleaded(call, 1).await;
    // Sent again because its answer got lost: the same line, and the same asking.
    write(theirs, "c", said).await;
    write(theirs, "d", "auntie zebedee").await;
    rig.pleaded(call, 2).await;
    let raised: DuressRaised = rig.event("duress_raised", call).await;
    assert_eq!(raised.how(), DuressHow::Word);
    // The line is shown like any other.
    let lines = [own.next("chat").await, own.next("chat").await, own.next("chat").await];
    assert_eq!(lines[2]["text"], said);

    let in_hex: String = "zebedee".bytes().map(|byte| format!("{byte:02x}")).collect();
    for (table, text) in every_row(&pool).await {
        let text = text.to_lowercase();
        assert!(!text.contains("zebedee") && !text.contains(&in_hex), "{table}");
    }
    drop((officer, caller));
    rig.stop().await;
    let ledger = rig.kept();
    assert_eq!(asked(&ledger), [("asked-for-help", "word"), ("asked-for-help", "word")]);
    assert!(!rig.ledger().to_lowercase().contains("zebedee"));
}

#[tokio::test]
async fn a_word_that_was_written_while_intake_was_away_asks_once_it_is_back() {
    let control_room = ControlRoom::start().await;
    let rig = Rig::start(Time::Real, &[control_room.setting()]).await;
    let call = rig.accepted(true).await;
    let officer = rig.join(call).await;
    let mut ear = Ear::open(&rig, &officer.token).await;
    let token = rig.caller(call).await;
    let body = json!({ "id": "a", "text": "milk and coffee, beans!", "language": "en" });
    assert_eq!(rig.post(&token, &body).await.status(), 200);
    assert_eq!(ear.next("chat").await["text"], "milk and coffee, beans!");
    assert!(rig.watched(call, |_| true).await.duress.is_none());
    control_room.says_word("Coffee Beans");
    assert_eq!(ear.next("call").await["how"], "word");
    rig.pleaded(call, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_asked_before_a_takeover_is_told_and_not_counted_again() {
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
    assert_eq!(all.rig.tap(&token, 1, "corner").await.status(), 204, "whichever instance is asked");
    all.rig.pleaded(call, 1).await;

    all.a.kill().await.unwrap();
    officer.sees("guest-2", 60, PATIENCE).await.unwrap();
    // The page says it again to whoever carries the call now.
    assert_eq!(all.rig.tap(&token, 1, "corner").await.status(), 204);
    assert_eq!(all.rig.tap(&token, 2, "corner").await.status(), 204);
    let session = all.rig.pleaded(call, 2).await;
    assert!(session.duress.unwrap().acknowledged_at.is_none());
    // Whichever is asked: it is written down where the call is.
    all.rig.see(all.rig.seeing(call)).await.unwrap();
    let ledger = || {
        let file = all.spool("b").join(&session.session_id).join("ledger-2.jsonl");
        std::fs::read_to_string(file).unwrap_or_default()
    };
    until("that it was seen", async || ledger().contains(r#""what":"asking-seen""#)).await;
    assert_eq!(ledger().matches(r#""what":"asked-for-help""#).count(), 1);
    drop(caller);
}
