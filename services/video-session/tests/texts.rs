//! Ways in by text message: who may be sent one, how it fares, and that its link lets in.

use std::{collections::HashSet, time::Duration};

use crate::rig::{
    Rig, Time, reason,
    texts::{ControlRoom, Delivery, NUMBER, RECEIPT_KEY, WITHHELD, call_back, key_in, pauses, words},
};
use api::session::v1::{IssueInvitationRequest, Role, TextState, Way};
use chassis::Clock;
use serde_json::json;
use testkit::until;
use tonic::Code;

/// In this process, with a clock of its own, sending by Notify.
async fn rig() -> (Rig, Delivery, ControlRoom) {
    let (room, delivery) = (ControlRoom::start().await, Delivery::start().await);
    let mut more = delivery.notify();
    more.push(room.setting());
    more.push(("rules__never_came_s", "86400".to_owned()));
    let rig = Rig::start(Time::Manual, &more).await;
    delivery.goes_by(Clock::from(rig.clock.clone()));
    (rig, delivery, room)
}

async fn receipts(rig: &Rig) -> String {
    testkit::listening(&rig.dir.path().join("addresses.json")).await.unwrap()["receipts"].clone()
}

#[tokio::test]
async fn a_link_lets_in_once_and_spends_the_code_with_it() {
    let (rig, delivery, room) = rig().await;
    room.says(true, NUMBER);
    let call = rig.accepted(true).await;
    let issued = rig.text(&rig.texting(call, "")).await.unwrap();
    let sent = rig.asked(call, TextState::Sent).await;
    assert_eq!((sent.way(), sent.tries, sent.failure.as_str()), (Way::Sms, 1, ""));
    let [body] = delivery.asked().try_into().unwrap();
    assert_eq!(
        (&body["phone_number"], &body["template_id"]),
        (&json!(NUMBER), &json!("0d6ff4f5-1f2b-4c3c-9b9b-3f7b5e5a1f11"))
    );
    assert!(words(&body).starts_with(&format!("Here is the link you asked for: {}/#", rig.base)), "{body}");
    let link = key_in(words(&body));
    assert_eq!(call_back(&receipts(&rig).await, RECEIPT_KEY, &body["reference"], "delivered").await, 204);
    rig.asked(call, TextState::Delivered).await;

    for (shown, wanted) in [
        (json!({ "link": "0".repeat(26) }), (404, "CODE_UNKNOWN")),
        (json!({ "link": "no link" }), (404, "CODE_UNKNOWN")),
        (json!({ "link": link, "code": issued.code }), (400, "MALFORMED_BODY")),
        (json!({}), (400, "MALFORMED_BODY")),
    ] {
        let (status, body) = rig.come_in(shown.clone()).await;
        assert_eq!((status, body["reason"].as_str().unwrap()), wanted, "{shown}");
    }
    // The first answer gets lost: the same page gets the same one again, and no other page does.
    let page = "0123456789abcdef0123456789abcdef";
    let first = rig.come_in(json!({ "link": link.to_lowercase(), "page": page })).await;
    assert_eq!((first.0, first.1["standing"].as_str().unwrap()), (200, "in"));
    let again = rig.come_in(json!({ "link": link, "page": page })).await;
    assert_eq!((again.0, &again.1["token"]), (200, &first.1["token"]));
    for shown in [json!({ "link": link }), json!({ "code": issued.code }), json!({ "code": issued.code, "page": page })]
    {
        let (status, body) = rig.come_in(shown).await;
        assert_eq!((status, body["reason"].as_str().unwrap()), (410, "CODE_USED"));
    }

    // And the other way round.
    let issued = rig.text(&rig.texting(call, "")).await.unwrap();
    until("the second message", async || delivery.asked().len() == 2).await;
    assert_eq!(rig.come_in(json!({ "code": issued.code })).await.0, 200);
    let link = key_in(words(&delivery.asked()[1]));
    assert_eq!(rig.come_in(json!({ "link": link })).await.1["reason"], "CODE_USED");
    // A code that is only read out has no link beside it.
    let spoken = rig.invite(call).await.unwrap();
    assert!(!spoken.code.is_empty());
    let asked =
        rig.watched(call, |session| session.invitation.as_ref().is_some_and(|one| one.way() == Way::SpokenCode)).await;
    assert_eq!(asked.invitation.unwrap().state(), TextState::Unspecified);
    let links: i64 = sqlx::query_scalar("select count(link_hash) from session.invitations")
        .fetch_one(&rig.database.pool())
        .await
        .unwrap();
    assert_eq!((links, delivery.asked().len()), (2, 2));
}

#[tokio::test]
async fn triage_decides_and_each_refusal_says_why() {
    let (rig, delivery, room) = rig().await;
    let call = rig.accepted(true).await;
    let refused = async |request: &IssueInvitationRequest| {
        let status = rig.text(request).await.err().expect("a refusal");
        assert!(!status.message().contains("7700"), "{status:?}");
        (status.code(), reason(&status))
    };
    let early = |reason: &str| (Code::FailedPrecondition, reason.to_owned());
    let bad = |reason: &str| (Code::InvalidArgument, reason.to_owned());
    assert_eq!(refused(&rig.texting(call, "")).await, (Code::Unavailable, "INTAKE_UNAVAILABLE".to_owned()));
    room.says(false, NUMBER);
    assert_eq!(refused(&rig.texting(call, "")).await, early("MESSAGES_READ"));
    room.says(false, "");
    assert_eq!(refused(&rig.texting(call, WITHHELD)).await, early("MESSAGES_READ"));
    room.says(true, "");
    assert_eq!(refused(&rig.texting(call, "")).await, early("NO_NUMBER"));
    room.says(true, NUMBER);
    assert_eq!(refused(&rig.texting(call, WITHHELD)).await, early("NUMBER_KNOWN"));
    assert_eq!(refused(&rig.texting(call, "07700 900123")).await, bad("INVALID_NUMBER"));
    let by = |way: i32, to: &str| IssueInvitationRequest { way, ..rig.texting(call, to) };
    assert_eq!(refused(&by(0, WITHHELD)).await, bad("INVALID_NUMBER"));
    assert_eq!(refused(&by(9, "")).await, bad("INVALID_WAY"));
    let helper = IssueInvitationRequest { role: Role::Interpreter.into(), ..rig.texting(call, "") };
    assert_eq!(refused(&helper).await, bad("WRONG_ROLE"));
    // Whoever may not command the call learns nothing of the caller's phone.
    room.says(false, NUMBER);
    let other = IssueInvitationRequest { officer_id: "o.two".to_owned(), ..rig.texting(call, "") };
    assert_eq!(refused(&other).await, (Code::PermissionDenied, "NOT_YOUR_CALL".to_owned()));
    let elsewhere = IssueInvitationRequest { force_id: "kent".to_owned(), ..rig.texting(call, "") };
    assert_eq!(refused(&elsewhere).await, (Code::NotFound, "UNKNOWN_SESSION".to_owned()));
    assert!(delivery.asked().is_empty());
    assert!(rig.watched(call, |_| true).await.invitation.is_none(), "nothing was issued");

    // A repeat gets its first answer, whatever intake says by then; with another number it is another request.
    room.says(true, "");
    let request = rig.texting(call, WITHHELD);
    let first = rig.text(&request).await.unwrap();
    rig.asked(call, TextState::Sent).await;
    room.is_away();
    assert_eq!(rig.text(&request).await.unwrap().code, first.code);
    let changed = IssueInvitationRequest { to_number: NUMBER.to_owned(), ..request };
    assert_eq!(refused(&changed).await, (Code::AlreadyExists, "REQUEST_ID_REUSED".to_owned()));
    assert_eq!(delivery.asked().len(), 1);
    rig.end(call).await;
    assert_eq!(refused(&rig.texting(call, "")).await, early("SESSION_ENDED"));

    let alone = Rig::alone().await;
    let call = alone.accepted(true).await;
    let status = alone.text(&alone.texting(call, "")).await.err().unwrap();
    assert_eq!((status.code(), reason(&status)), early("SMS_NOT_CONFIGURED"));
}

#[tokio::test]
async fn a_message_is_tried_again_while_there_is_hope() {
    let (rig, delivery, room) = rig().await;
    room.says(true, NUMBER);
    let call = rig.accepted(true).await;
    let tried = async |tries: u32| {
        let wanted =
            |session: &api::session::v1::Session| session.invitation.as_ref().is_some_and(|one| one.tries == tries);
        rig.watched(call, wanted).await;
        until("the try", async || delivery.asked().len() == tries as usize).await;
    };
    let busy = json!({ "errors": [{ "error": "RateLimitError", "message": "Exceeded rate limit" }] });
    delivery.answer(429, busy.clone());
    delivery.answer(500, json!({}));
    rig.text(&rig.texting(call, "")).await.unwrap();
    tried(1).await;
    let waits = async || pauses(&rig, rig.clock.now()).await;
    waits().await;
    rig.clock.advance(Duration::from_secs(1));
    tried(2).await;
    waits().await;
    rig.clock.advance(Duration::from_secs(2));
    tried(3).await;
    assert_eq!(rig.asked(call, TextState::Sent).await.tries, 3);
    let links: HashSet<_> = delivery.asked().iter().map(|body| words(body).to_owned()).collect();
    let references: HashSet<_> = delivery.asked().iter().map(|body| body["reference"].clone()).collect();
    assert_eq!((links.len(), references.len()), (1, 1), "one message, and the same link each time");

    // Told to the officer: a number that isn't one, and a refusal.
    let refusal = json!({ "errors": [{ "error": "ValidationError", "message": "phone_number Not enough digits" }] });
    for (status, body, failure) in [(400, refusal, "NUMBER_UNKNOWN"), (403, json!({}), "REFUSED")] {
        delivery.answer(status, body);
        rig.text(&rig.texting(call, "")).await.unwrap();
        let failed = rig.asked(call, TextState::Failed).await;
        assert_eq!((failed.failure.as_str(), failed.tries), (failure, 1));
        // A new message is a new chance.
        rig.text(&rig.texting(call, "")).await.unwrap();
        rig.asked(call, TextState::Sent).await;
    }

    // Never past the end of the invitation, and told before it.
    for _ in 0..2 {
        delivery.answer(503, json!({}));
    }
    rig.text(&rig.texting(call, "")).await.unwrap();
    waits().await;
    rig.clock.advance(Duration::from_millis(598_500));
    let failed = rig.asked(call, TextState::Failed).await;
    assert_eq!((failed.failure.as_str(), failed.tries), ("PROVIDER_AWAY", 2));

    // Triage was taken again in between.
    delivery.answer(503, json!({}));
    rig.text(&rig.texting(call, "")).await.unwrap();
    waits().await;
    room.says(false, NUMBER);
    let before = delivery.asked().len();
    rig.clock.advance(Duration::from_secs(1));
    assert_eq!(rig.asked(call, TextState::Failed).await.failure, "MESSAGES_READ");
    // The caller was quicker, by the code.
    room.says(true, NUMBER);
    delivery.answer(503, json!({}));
    let issued = rig.text(&rig.texting(call, "")).await.unwrap();
    waits().await;
    assert_eq!(rig.come_in(json!({ "code": issued.code })).await.0, 200);
    rig.clock.advance(Duration::from_secs(1));
    assert_eq!(rig.asked(call, TextState::Failed).await.failure, "EXPIRED");
    assert_eq!(delivery.asked().len(), before + 1, "neither was sent again");
}

#[tokio::test]
async fn a_receipt_is_believed_from_whoever_delivers_and_on_no_neutral_host() {
    let (rig, delivery, room) = rig().await;
    room.says(true, NUMBER);
    let call = rig.accepted(true).await;
    rig.text(&rig.texting(call, "")).await.unwrap();
    rig.asked(call, TextState::Sent).await;
    let reference = delivery.asked()[0]["reference"].clone();
    let receipts = receipts(&rig).await;
    for wrong in ["", "another", &RECEIPT_KEY[1..]] {
        assert_eq!(call_back(&receipts, wrong, &reference, "delivered").await, 401, "{wrong}");
    }
    let neutral = rig.base.trim_start_matches("http://");
    assert_eq!(call_back(neutral, RECEIPT_KEY, &reference, "delivered").await, 404);
    // Not a last word; another service's message; not ours at all.
    for (reference, status) in
        [(&reference, "sending"), (&json!("x"), "delivered"), (&json!(uuid::Uuid::nil()), "delivered")]
    {
        assert_eq!(call_back(&receipts, RECEIPT_KEY, reference, status).await, 204, "{reference} {status}");
    }
    let no_receipt = rig.http.post(format!("http://{receipts}/receipts")).bearer_auth(RECEIPT_KEY).json(&json!({}));
    assert_eq!(no_receipt.send().await.unwrap().status(), 400);
    assert_eq!(rig.asked(call, TextState::Sent).await.failure, "");

    assert_eq!(call_back(&receipts, RECEIPT_KEY, &reference, "temporary-failure").await, 204);
    assert_eq!(rig.asked(call, TextState::Failed).await.failure, "UNREACHABLE");
    // It came in the end: the phone was turned on.
    assert_eq!(call_back(&receipts, RECEIPT_KEY, &reference, "delivered").await, 204);
    rig.asked(call, TextState::Delivered).await;
    assert_eq!(call_back(&receipts, RECEIPT_KEY, &reference, "permanent-failure").await, 204);
    assert_eq!(rig.asked(call, TextState::Delivered).await.failure, "");
}

#[tokio::test]
async fn a_gateway_of_the_forces_own_is_sent_signed_messages() {
    let room = ControlRoom::start().await;
    room.says(true, NUMBER);
    let delivery = Delivery::start().await;
    let mut more = delivery.webhook();
    more.push(room.setting());
    let rig = Rig::start(Time::Real, &more).await;
    let call = rig.accepted(true).await;
    delivery.answer(422, json!({}));
    rig.text(&rig.texting(call, "")).await.unwrap();
    assert_eq!(rig.asked(call, TextState::Failed).await.failure, "NUMBER_UNKNOWN");
    delivery.answer(502, json!({}));
    rig.text(&rig.texting(call, "")).await.unwrap();
    assert_eq!(rig.asked(call, TextState::Sent).await.tries, 2, "after a second");
    let body = delivery.asked().pop().unwrap();
    assert_eq!((&body["to"], &body["sender"]), (&json!(NUMBER), &json!("Garden")));
    assert_eq!(rig.come_in(json!({ "link": key_in(body["text"].as_str().unwrap()) })).await.0, 200);

    let receipt = json!({ "reference": body["id"], "status": "delivered" }).to_string();
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, RECEIPT_KEY.as_bytes());
    let signature = format!("sha256={}", hex::encode(ring::hmac::sign(&key, receipt.as_bytes())));
    let told = async |signature: &str| {
        let request = rig
            .http
            .post(format!("http://{}/receipts", receipts(&rig).await))
            .header("x-signature", signature)
            .header("content-type", "application/json");
        request.body(receipt.clone()).send().await.unwrap().status().as_u16()
    };
    assert_eq!([told("sha256=00").await, told(&signature).await], [401, 204]);
    rig.asked(call, TextState::Delivered).await;
}
