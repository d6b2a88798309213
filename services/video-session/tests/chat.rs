//! What is written in a call: who may, what is refused and how, and who reads it.

use std::time::Duration;

use crate::rig::{
    OFFICER, Rig,
    chat::{Ear, next_line},
    reason,
};
use api::session::v1::{Role, SendChatRequest, send_chat_request::What};
use reqwest::Response;
use serde_json::{Value, json};
use tonic::Code;

async fn refusal(answer: Response) -> (u16, String) {
    let status = answer.status().as_u16();
    let body: Value = answer.json().await.unwrap();
    (status, body["reason"].as_str().unwrap_or_default().to_owned())
}

#[tokio::test]
async fn each_refusal_has_its_own_reason() {
    let rig = Rig::alone().await;
    let call = rig.accepted(true).await;
    let early = rig.say_to(&rig.saying(call, What::Text("hello".to_owned()))).await.unwrap_err();
    assert_eq!((early.code(), reason(&early)), (Code::NotFound, "UNKNOWN_PARTICIPANT".to_owned()));
    let officer = rig.join(call).await;
    let caller = rig.caller(call).await;
    let long = "ж".repeat(501);
    for (body, wanted) in [
        (json!({ "text": "no id" }), (400, "MALFORMED_BODY")),
        (json!({ "id": "1", "text": "x", "x": 1 }), (400, "MALFORMED_BODY")),
        (json!({ "id": "", "text": "x" }), (400, "MALFORMED_ID")),
        (json!({ "id": "a b", "text": "x" }), (400, "MALFORMED_ID")),
        (json!({ "id": "1" }), (400, "TEXT_EMPTY")),
        (json!({ "id": "1", "text": "  " }), (400, "TEXT_EMPTY")),
        (json!({ "id": "1", "text": long }), (400, "TEXT_TOO_LONG")),
        (json!({ "id": "1", "text": "x".repeat(5_000) }), (413, "BODY_TOO_LARGE")),
        (json!({ "id": "1", "text": "\u{0}" }), (400, "TEXT_MALFORMED")),
        (json!({ "id": "1", "text": "x", "phrase": "yes" }), (400, "TEXT_MALFORMED")),
        (json!({ "id": "1", "phrase": "sing" }), (400, "UNKNOWN_PHRASE")),
        (json!({ "id": "1", "language": "tlh" }), (400, "UNKNOWN_LANGUAGE")),
    ] {
        let wanted = (wanted.0, wanted.1.to_owned());
        assert_eq!(refusal(rig.post(&caller, &body).await).await, wanted, "{body}");
    }
    let line = json!({ "id": "1", "text": "x" });
    assert_eq!(refusal(rig.post("nobody", &line).await).await, (401, "TOKEN_UNKNOWN".to_owned()));
    assert_eq!(rig.post(&caller, &line).await.json::<Value>().await.unwrap()["number"], 1);
    assert_eq!(rig.post(&caller, &line).await.json::<Value>().await.unwrap()["number"], 1, "a repeat");
    let other = json!({ "id": "1", "text": "y" });
    assert_eq!(refusal(rig.post(&caller, &other).await).await, (409, "REQUEST_ID_REUSED".to_owned()));

    // Whoever waits, only watches or was sent away.
    let code = rig.invite_as(call, Role::Interpreter).await.unwrap();
    let (_, interpreter) = rig.type_code(&code).await;
    let waits = interpreter["token"].as_str().unwrap();
    assert_eq!(refusal(rig.post(waits, &line).await).await, (403, "NOT_ADMITTED".to_owned()));
    let sergeant = rig.join_as(call, "s.one", Role::Observer).await.unwrap();
    rig.admit(call, &sergeant.participant_id).await.unwrap();
    assert_eq!(refusal(rig.post(&sergeant.token, &line).await).await, (403, "NOT_YOURS_TO_PUBLISH".to_owned()));
    rig.remove(call, interpreter["participant_id"].as_str().unwrap()).await.unwrap();
    assert_eq!(refusal(rig.post(waits, &line).await).await, (401, "TOKEN_UNKNOWN".to_owned()));

    // The officer's door.
    let request = rig.saying(call, What::Text("hello".to_owned()));
    let first = rig.say_to(&request).await.unwrap();
    assert_eq!((first.number, rig.say_to(&request).await.unwrap()), (2, first));
    let with = |change: &dyn Fn(&mut SendChatRequest)| {
        let mut changed = SendChatRequest { request_id: rig.request(), ..request.clone() };
        change(&mut changed);
        changed
    };
    for (request, wanted) in [
        (SendChatRequest { what: Some(What::Phrase("yes".to_owned())), ..request.clone() }, "REQUEST_ID_REUSED"),
        (with(&|request| request.officer_id = "o.two".to_owned()), "NOT_YOUR_CALL"),
        (with(&|request| request.force_id = "kent".to_owned()), "UNKNOWN_SESSION"),
        (with(&|request| request.what = None), "TEXT_EMPTY"),
        (with(&|request| request.what = Some(What::Text(long.clone()))), "TEXT_TOO_LONG"),
        (with(&|request| request.what = Some(What::Phrase("sing".to_owned()))), "UNKNOWN_PHRASE"),
        (with(&|request| request.language = "tlh".to_owned()), "UNKNOWN_LANGUAGE"),
        (with(&|request| request.request_id = "1".to_owned()), "MALFORMED_ID"),
    ] {
        assert_eq!(reason(&rig.say_to(&request).await.unwrap_err()), wanted);
    }

    // Sixty a minute, and everybody for themselves.
    for n in 2..=60 {
        assert_eq!(rig.post(&caller, &json!({ "id": n.to_string(), "phrase": "yes" })).await.status(), 200, "{n}");
    }
    let hasty = rig.post(&caller, &json!({ "id": "61", "phrase": "yes" })).await;
    assert_eq!(hasty.headers()["retry-after"], "1");
    assert_eq!(refusal(hasty).await, (429, "TOO_MANY_REQUESTS".to_owned()));
    assert_eq!(rig.post(&officer.token, &line).await.status(), 200);
    rig.clock.advance(Duration::from_secs(60));
    assert_eq!(rig.post(&caller, &json!({ "id": "61", "phrase": "yes" })).await.status(), 200);

    rig.end(call).await;
    assert_eq!(refusal(rig.post(&caller, &json!({ "id": "62", "phrase": "no" })).await).await.1, "SESSION_ENDED");
    let late = rig.say_to(&rig.saying(call, What::Text("bye".to_owned()))).await.unwrap_err();
    assert_eq!((late.code(), reason(&late)), (Code::FailedPrecondition, "SESSION_ENDED".to_owned()));
}

#[tokio::test]
async fn each_side_reads_its_own_language_and_only_who_is_in_reads_at_all() {
    let rig = Rig::alone().await;
    // What a caller who refused recording writes is told, and kept nowhere.
    for recorded in [true, false] {
        let call = rig.accepted(recorded).await;
        let mut officer = rig.reading(call, OFFICER).await;
        rig.join(call).await;
        let token = rig.caller(call).await;
        let mut page = Ear::open(&rig, &token).await;
        let code = rig.invite_as(call, Role::Interpreter).await.unwrap();
        let (_, interpreter) = rig.type_code(&code).await;
        let mut waits = Ear::open(&rig, interpreter["token"].as_str().unwrap()).await;
        assert_eq!(waits.next("session").await["standing"], "waiting");
        let mut sergeant = rig.reading(call, "s.one").await;

        rig.post(&token, &json!({ "id": "1", "language": "ar" })).await;
        rig.post(&token, &json!({ "id": "2", "phrase": "yes", "language": "ar" })).await;
        let chosen = next_line(&mut officer).await;
        assert_eq!((chosen.number, chosen.role(), chosen.language.as_str()), (1, Role::Caller, "ar"));
        let said = next_line(&mut officer).await;
        let read = (said.number, said.phrase.as_str(), said.words.as_str(), said.english.as_str());
        assert_eq!(read, (2, "yes", "نعم", "Yes"));
        assert_eq!(page.next("chat").await["text"], Value::Null);
        assert_eq!(page.next("chat").await["words"], "نعم");

        // The answer is read in the caller's language.
        rig.say_to(&rig.saying(call, What::Phrase("help-coming".to_owned()))).await.unwrap();
        let heard = page.next("chat").await;
        assert_eq!((&heard["role"], &heard["language"]), (&json!("host"), &json!("ar")));
        assert_eq!((&heard["words"], &heard["english"]), (&json!("المساعدة في الطريق"), &json!("Help is on its way")));
        rig.say_to(&rig.saying(call, What::Text("one <b>moment</b>\nplease".to_owned()))).await.unwrap();
        assert_eq!(page.next("chat").await["text"], "one <b>moment</b>\nplease");

        // Who is let in late reads it all, from the first line on; a page that comes back, too.
        rig.admit(call, interpreter["participant_id"].as_str().unwrap()).await.unwrap();
        assert_eq!(waits.next("chat").await["number"], 1);
        let mut again = Ear::open(&rig, &token).await;
        for number in 1..=4 {
            assert_eq!(again.next("chat").await["number"], number);
        }
        let observer = rig.join_as(call, "s.one", Role::Observer).await.unwrap();
        let early = tokio::time::timeout(Duration::from_millis(300), next_line(&mut sergeant)).await;
        assert!(early.is_err(), "an observer who waits reads nothing: {early:?}");
        rig.admit(call, &observer.participant_id).await.unwrap();
        assert_eq!(next_line(&mut sergeant).await.number, 1);
        let kept = kept_lines(&rig.dir.path().join("spool"));
        assert_eq!(kept.len(), 4, "of the recorded call only: {kept:?}");
    }
}

/// What is in the spool's line files.
fn kept_lines(spool: &std::path::Path) -> Vec<Value> {
    let sessions = std::fs::read_dir(spool).unwrap().map(|session| session.unwrap().path().join("chat.jsonl"));
    let texts: Vec<_> = sessions.filter_map(|file| std::fs::read_to_string(file).ok()).collect();
    texts.iter().flat_map(|text| text.lines()).map(|line| serde_json::from_str(line).unwrap()).collect()
}
