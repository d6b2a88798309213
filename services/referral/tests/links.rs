//! What a partner says by the link in their letter.

mod rig;

use api::referral::v1::{ReferralState, WithdrawReferralRequest};
use reqwest::{Client, Method, StatusCode, header};
use serde_json::json;
use tempfile::TempDir;

use crate::{
    delivery::{
        mail::{Server, decoded, papers},
        rig::SECRET,
    },
    desk::{Desk, FORCE, new_call},
    people::{request_id, saving, victim},
    referrals::making,
};
use rig::{PARTNER, PUBLIC, Room, Told, ask, is_guarded, made, notice, read, rotated, send, sent, token_of};

/// What stays of a referral, from its draft: who wrote it, and how far it had come.
async fn versions(desk: &Desk, referral: &str) -> Vec<(Option<String>, String)> {
    let rows = "select saved_by, coalesce((select key from jsonb_each(case jsonb_typeof(body -> 'stage') when 'object'
                    then body -> 'stage' end) limit 1), body ->> 'stage')
                from referral.referral_versions where referral_id = $1::uuid order by revision";
    sqlx::query_as(rows).bind(referral).fetch_all(&desk.db.pool()).await.unwrap()
}

async fn events(desk: &Desk, call: &str, name: &str) -> i64 {
    let count = "select count(*) from outbox.events where call_id = $1::uuid and name = $2";
    sqlx::query_scalar(count).bind(call).bind(name).fetch_one(&desk.db.pool()).await.unwrap()
}

fn by(officer: &str, stage: &str) -> (Option<String>, String) {
    (Some(officer).filter(|officer| !officer.is_empty()).map(str::to_owned), stage.to_owned())
}

#[tokio::test]
async fn a_partner_says_by_a_form_that_they_have_it_and_what_came_of_it() {
    let room = Room::open().await;
    let told = room.told().await;
    let Told { call, referral, token } = &told;
    let mut watch = room.desk.watch(call).await;
    let before = watch.next().await;

    // Whoever looks, and be it a machine that follows links, changes nothing, and sees nothing of whom it is about.
    for method in [Method::GET, Method::HEAD, Method::GET] {
        let answer = room.ask(method, token).send().await.unwrap();
        is_guarded(&answer);
        assert_eq!(answer.status(), StatusCode::OK);
    }
    assert_eq!(room.desk.get_case(call).await.unwrap().version, before.version);
    let (_, page) = room.get(token).await;
    let reference = referral::domain::delivery::reference(referral.parse().unwrap());
    for part in [&reference, "To: Schools &lt;desk&gt;", "name=\"acknowledged_by\"", "name=\"outcome\""] {
        assert!(page.contains(part), "{part} is not in {page}");
    }
    let kind = notice(&before);
    let hidden = kind.fields.iter().map(|field| field.value.as_str()).chain([kind.title.as_str(), "ncompass", "child"]);
    for hidden in hidden.filter(|value| value.len() > 3) {
        assert!(!page.contains(hidden), "the page says {hidden}");
    }

    let answer = room.fill_in(token, "acknowledged_by", " Ada Adviser ").await;
    is_guarded(&answer);
    assert_eq!(answer.status(), StatusCode::SEE_OTHER);
    assert_eq!(answer.headers()[header::LOCATION], token.as_str(), "back to the page that it came from");
    let case = watch.until(|case| notice(case).state() == ReferralState::Acknowledged).await;
    assert_eq!(notice(&case).acknowledged_by, "Ada Adviser, by link");
    let clock = case.clocks.iter().find(|clock| clock.key == "acknowledgement").unwrap();
    assert!(clock.stopped_at.is_some(), "nobody waits for it any more");
    assert_eq!(events(&room.desk, call, "referral_acknowledged").await, 1);
    let (_, page) = room.get(token).await;
    assert!(
        page.contains("You have it") && !page.contains("name=\"acknowledged_by\"") && !page.contains("Ada"),
        "{page}"
    );

    // Said again, by whomever, it is answered alike and changes nothing.
    let version = room.desk.get_case(call).await.unwrap().version;
    for name in ["Ada Adviser", "Somebody Else"] {
        assert_eq!(room.fill_in(token, "acknowledged_by", name).await.status(), StatusCode::SEE_OTHER);
    }
    let case = room.desk.get_case(call).await.unwrap();
    assert_eq!((notice(&case).acknowledged_by.as_str(), case.version), ("Ada Adviser, by link", version));

    for _ in 0..2 {
        let answer = room.fill_in(token, "outcome", "a plan is made\r\nwith Marigold").await;
        assert_eq!(answer.status(), StatusCode::SEE_OTHER);
    }
    let case = watch.until(|case| notice(case).state() == ReferralState::Outcome).await;
    let outcome = (notice(&case).outcome.as_str(), case.version);
    assert_eq!(outcome, ("a plan is made\nwith Marigold (by link)", version + 1));
    let (_, page) = room.get(token).await;
    assert!(page.contains("what came of it.") && !page.contains("Marigold") && !page.contains("<form"), "{page}");
    assert_eq!(room.fill_in(token, "outcome", "all is well").await.status(), StatusCode::CONFLICT);
    assert_eq!(room.say(token, &json!({"outcome": "all is well"})).await, (409, "OUTCOME_KNOWN".to_owned()));
    let steps = [by("", "draft"), by("pc.a", "sent"), by("", "acknowledged"), by("", "outcome")];
    assert_eq!(versions(&room.desk, referral).await, steps, "what a partner says is no officer's");

    // Whoever had the letter may not have been who should: an officer takes it back, whatever was said by link.
    let withdrawal = WithdrawReferralRequest {
        request_id: request_id(),
        force_id: FORCE.into(),
        call_id: call.into(),
        officer_id: "pc.a".into(),
        referral_id: referral.into(),
        reason: "it went astray".into(),
    };
    room.desk.client().withdraw_referral(withdrawal).await.unwrap();
    let (_, page) = room.get(token).await;
    assert!(page.contains("It was taken back"), "{page}");

    let log = room.log();
    assert!(log.contains("said by link") && log.contains(referral.as_str()));
    for secret in [token.as_str(), "Ada", "Marigold", "all is well", SECRET] {
        assert!(!log.contains(secret), "the log says {secret}");
    }
    let kept: i64 = sqlx::query_scalar("select count(*) from referral.parcels where body::text like '%' || $1 || '%'")
        .bind(token)
        .fetch_one(&room.desk.db.pool())
        .await
        .unwrap();
    assert_eq!(kept, 0, "no link is kept");
}

#[tokio::test]
async fn systems_say_the_same_in_json_and_two_at_once_are_one() {
    let room = Room::open().await;
    let told = room.told().await;
    let (token, call) = (told.token.as_str(), told.call.as_str());
    for (body, status, reason) in [
        (json!({"acknowledged_by": " "}), 422, "INVALID_ACKNOWLEDGEMENT"),
        (json!({"acknowledged_by": "a".repeat(101)}), 422, "INVALID_ACKNOWLEDGEMENT"),
        (json!({"outcome": "o".repeat(501)}), 422, "INVALID_OUTCOME"),
        (json!({"outcome": "o", "acknowledged_by": "A"}), 400, "MALFORMED_BODY"),
        (json!({"outcome": 1}), 400, "MALFORMED_BODY"),
        (json!({"withdraw": "it"}), 400, "MALFORMED_BODY"),
        (json!({}), 400, "MALFORMED_BODY"),
        (json!({"outcome": "o".repeat(9000)}), 413, "BODY_TOO_LARGE"),
    ] {
        assert_eq!(room.say(token, &body).await, (status, reason.to_owned()));
    }
    let broken =
        room.ask(Method::POST, token).header("content-type", "application/json").body("{").send().await.unwrap();
    assert_eq!(broken.headers()[header::CONTENT_TYPE], "application/problem+json");
    is_guarded(&broken);
    for (kind, status) in [("text/plain", 415), ("application/x-www-form-urlencoded", 413)] {
        let body = format!("outcome={}", "o".repeat(9000));
        let answer = room.ask(Method::POST, token).header("content-type", kind).body(body).send().await.unwrap();
        let (said, page) = read(answer).await;
        assert!(said.as_u16() == status && page.starts_with("<!doctype html>"), "{said} {page}");
    }
    assert_eq!(room.ask(Method::DELETE, token).send().await.unwrap().status(), StatusCode::METHOD_NOT_ALLOWED);
    let nobody = room.fill_in(token, "acknowledged_by", "  ").await;
    let (status, page) = read(nobody).await;
    assert!(status == StatusCode::UNPROCESSABLE_ENTITY && page.contains("A name has 1 to 100 characters."), "{page}");
    assert_eq!(versions(&room.desk, &told.referral).await.len(), 2, "nothing of this was kept");

    let (a, b) = (json!({"acknowledged_by": "A"}), json!({"acknowledged_by": "B"}));
    let said = tokio::join!(room.say(token, &a), room.say(token, &b));
    let acknowledged = (200, "acknowledged".to_owned());
    assert_eq!(said, (acknowledged.clone(), acknowledged));
    assert_eq!(events(&room.desk, call, "referral_acknowledged").await, 1);
    let case = room.desk.get_case(call).await.unwrap();
    let who = notice(&case).acknowledged_by.as_str();
    assert!(["A, by link", "B, by link"].contains(&who), "{who}");
    let done = json!({"outcome": "🕊".repeat(500)});
    for _ in 0..2 {
        assert_eq!(room.say(token, &done).await, (200, "outcome".to_owned()));
    }
    assert_eq!(versions(&room.desk, &told.referral).await.len(), 4);
    let looked = room.ask(Method::GET, token).header("accept", "application/json").send().await.unwrap();
    let stands: serde_json::Value = serde_json::from_str(&looked.text().await.unwrap()).unwrap();
    assert_eq!((stands["state"].as_str(), stands["partner"].as_str()), (Some("outcome"), Some(PARTNER)));
}

#[tokio::test]
async fn what_is_no_link_shows_one_page_and_what_was_one_says_so() {
    let mut room = Room::open().await;
    let told = room.told().await;
    let nobodys = Told { referral: new_call(), call: told.call.clone(), token: String::new() };
    let forged = made(&told, 1, 3600);
    let mut flipped = told.token.clone().into_bytes();
    flipped[30] ^= 1;
    let flipped = String::from_utf8(flipped).unwrap();
    let (_, nothing) = room.get("x").await;
    for token in [&forged, &flipped, &told.token[..60], &made(&nobodys, 0, 3600), "a/b", "%ff", &"a".repeat(9000)] {
        let answer = room.ask(Method::GET, token).send().await.unwrap();
        is_guarded(&answer);
        assert_eq!(read(answer).await, (StatusCode::NOT_FOUND, nothing.clone()), "{token}");
        let said = room.ask(Method::POST, token).json(&json!({"acknowledged_by": "A"})).send().await.unwrap();
        let (status, told) = read(said).await;
        assert!(status == StatusCode::NOT_FOUND && told.contains("UNKNOWN_LINK"), "{token}: {told}");
    }
    let expired = made(&told, 0, -1);
    let (status, page) = room.get(&expired).await;
    assert!(status == StatusCode::GONE && page.contains("This link has expired"), "{page}");
    assert_eq!(room.say(&expired, &json!({"acknowledged_by": "A"})).await, (410, "LINK_EXPIRED".to_owned()));
    assert_eq!(room.fill_in(&expired, "outcome", "o").await.status(), StatusCode::GONE);
    assert_eq!(versions(&room.desk, &told.referral).await.len(), 2, "nothing of this was kept");

    // One link is no way to keep us from others.
    let mut asked = 0;
    let status = loop {
        asked += 1;
        let (status, _) = room.get(&made(&nobodys, 0, 3600)).await;
        if status != StatusCode::NOT_FOUND || asked > 100 {
            break status;
        }
    };
    assert_eq!(status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(room.get(&told.token).await.0, StatusCode::OK);

    // Keys may be changed: what was signed before is a link as long as its key is known.
    room.with_keys(&rotated()).await;
    assert_eq!((room.get(&told.token).await.0, room.get(&forged).await.0), (StatusCode::OK, StatusCode::OK));
    room.with_keys(&rotated()[..1]).await;
    assert_eq!((room.get(&told.token).await.0, room.get(&forged).await.0), (StatusCode::NOT_FOUND, StatusCode::OK));
}

#[tokio::test]
async fn one_that_was_taken_back_and_one_that_is_decided_here_say_so() {
    let room = Room::open().await;
    let told = room.told().await;
    let withdrawal = WithdrawReferralRequest {
        request_id: request_id(),
        force_id: FORCE.into(),
        call_id: told.call.clone(),
        officer_id: "pc.a".into(),
        referral_id: told.referral.clone(),
        reason: "another child of that name".into(),
    };
    room.desk.client().withdraw_referral(withdrawal).await.unwrap();
    let (status, page) = room.get(&told.token).await;
    assert!(status == StatusCode::OK && page.contains("It was taken back") && !page.contains("<form"), "{page}");
    assert!(!page.contains("another child"));
    for body in [json!({"acknowledged_by": "A"}), json!({"outcome": "o"})] {
        assert_eq!(room.say(&told.token, &body).await, (409, "WITHDRAWN".to_owned()));
    }
    let (status, page) = read(room.fill_in(&told.token, "acknowledged_by", "A").await).await;
    assert!(status == StatusCode::CONFLICT && page.contains("was taken back"), "{page}");
    // The partner is told of that too, without a link.
    let came = room.hook.came(2).await;
    assert!(came[1].body.contains("referral.withdrawn") && !came[1].body.contains("link"));

    let call = room.desk.case().await;
    let application = room.desk.application(&call).await;
    send(&room.desk, &call, &application).await;
    room.hook.came(3).await;
    let token = room.token().await;
    let (_, page) = room.get(&token).await;
    assert!(page.contains("name=\"acknowledged_by\"") && !page.contains("name=\"outcome\""), "{page}");
    assert!(!page.contains("Clare") && !page.contains("Rook") && !page.contains("Finch"));
    assert_eq!(room.say(&token, &json!({"outcome": "told"})).await, (409, "DECIDED_BY_STAGES".to_owned()));
    assert_eq!(room.say(&token, &json!({"acknowledged_by": "A"})).await, (200, "acknowledged".to_owned()));
}

#[tokio::test]
async fn one_that_was_made_on_a_consent_that_is_no_more_is_taken_back_whatever_came_of_it() {
    let room = Room::open().await;
    let desk = &room.desk;
    let call = desk.case().await;
    desk.save_person(saving(&call, "pc.a", victim())).await.unwrap();
    let draft = desk.make(making(&call, "victim-support")).await.unwrap();
    let mut watch = desk.watch(&call).await;
    desk.agrees(&call, "victim-support", true).await;
    watch.until(|case| case.referrals[0].blocked_by.is_empty()).await;
    send(desk, &call, &draft.referral_id).await;
    let token = room.token().await;
    assert_eq!(room.say(&token, &json!({"outcome": "o"})).await, (200, "outcome".to_owned()));
    desk.agrees(&call, "victim-support", false).await;
    let case = watch.until(|case| case.referrals[0].consent_withdrawn).await;
    assert_eq!(case.referrals[0].state(), ReferralState::Outcome, "what came of it stays");

    let (status, page) = room.get(&token).await;
    assert!(status == StatusCode::OK && page.contains("It was taken back") && !page.contains("<form"), "{page}");
    let looked = room.ask(Method::GET, &token).header("accept", "application/json").send().await.unwrap();
    let stands: serde_json::Value = serde_json::from_str(&looked.text().await.unwrap()).unwrap();
    assert_eq!(stands["state"], "withdrawn");
    for body in [json!({"acknowledged_by": "A"}), json!({"outcome": "o"}), json!({"outcome": "another"})] {
        assert_eq!(room.say(&token, &body).await, (409, "WITHDRAWN".to_owned()));
    }
    assert!(desk.get_case(&call).await.unwrap().referrals[0].acknowledged_by.is_empty());
}

#[tokio::test]
async fn the_link_in_a_letter_works() {
    let (papers, folder) = (papers(), TempDir::new().unwrap());
    let server = Server::open("starttls", papers.path(), Some("ca-server")).await;
    let mail = server.settings(papers.path());
    let mail: Vec<_> = mail.iter().map(|(key, value)| (*key, value.as_str())).collect();
    let route = "email = \"schools@partner.example\", secure_mail = true";
    let desk = rig::desk(&folder, route, &mail).await;
    let (call, _) = sent(&desk).await;
    testkit::until("it is there", async || !server.letters().is_empty()).await;
    let text = decoded(&server.letters()[0]);
    let link = text.lines().find(|line| line.starts_with(PUBLIC)).expect("a link on a line of its own");
    let client = Client::new();
    let saying = ask(&client, &desk, Method::POST, &token_of(link)).json(&json!({"acknowledged_by": "The school"}));
    assert_eq!(saying.send().await.unwrap().status(), StatusCode::OK);
    let case = desk.get_case(&call).await.unwrap();
    assert_eq!(notice(&case).acknowledged_by, "The school, by link");
}
