//! Webhooks.

use std::collections::BTreeSet;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ring::hmac;
use serde_json::Value;
use testkit::{Tls, isolation::Isolation};

use super::{
    hook::{Came, Hook, Mood, says},
    rig::{FORCE, NAME, NOTE, Rig, SECRET},
};

fn settled(state: &str, attempts: i32, problem: Option<&str>) -> (String, i32, Option<String>) {
    (state.to_owned(), attempts, problem.map(str::to_owned))
}

/// As a partner checks it, from the standard's text.
fn is_signed(came: &Came) -> bool {
    let key = STANDARD.decode(SECRET.strip_prefix("whsec_").unwrap()).unwrap();
    let text = format!("{}.{}.{}", came.headers["webhook-id"], came.headers["webhook-timestamp"], came.body);
    let signature = STANDARD.decode(came.headers["webhook-signature"].strip_prefix("v1,").unwrap()).unwrap();
    hmac::verify(&hmac::Key::new(hmac::HMAC_SHA256, &key), text.as_bytes(), &signature).is_ok()
}

#[tokio::test]
async fn whatever_goes_wrong_on_the_way_it_gets_there_once_under_one_id() {
    let mut hook = Hook::away();
    let rig = Rig::open(&[("idva", hook.route())], &[]).await;
    let sent = rig.send("idva").await;
    testkit::until("it is tried where nobody is", async || !rig.attempts(sent).await.is_empty()).await;
    assert_eq!(rig.attempts(sent).await[0], (1, Some("NO_CONNECTION".to_owned())));

    let later = Mood::Says(429, "retry-after: 1\r\n", String::new());
    let garbage = Mood::Says(200, "content-type: application/json\r\n", "{\"ok\": <html>".to_owned());
    hook.comes(&[says(500), later, Mood::CutsOff, Mood::Hangs, garbage, says(500)]).await;
    let (state, attempts, problem) = rig.settled(sent, "referral").await;
    assert_eq!((state.as_str(), problem), ("delivered", None));
    let went: Vec<_> = rig.attempts(sent).await.into_iter().map(|(_, problem)| problem).collect();
    assert_eq!(went.len(), usize::try_from(attempts).unwrap(), "none is missing");
    let went: Vec<_> = went.iter().map(|problem| problem.as_deref()).filter(|p| *p != Some("NO_CONNECTION")).collect();
    assert_eq!(went, [Some("THEIR_FAULT"), Some("BUSY"), Some("CUT_OFF"), Some("TOO_SLOW"), None]);

    let came = hook.came(5).await;
    let ids: BTreeSet<_> = came.iter().map(|came| came.headers["webhook-id"].as_str()).collect();
    assert_eq!((came.len(), ids.len()), (5, 1), "a repeat has the same id");
    assert!(came.iter().all(is_signed));
    let times: Vec<i64> = came.iter().map(|came| came.headers["webhook-timestamp"].parse().unwrap()).collect();
    assert!(times[2] > times[1], "who asked for a second got it");
    assert_eq!(came[0].head, "POST /hook HTTP/1.1");
    let body: Value = serde_json::from_str(&came[0].body).unwrap();
    assert_eq!(body["type"], "referral.made");
    assert_eq!(body["data"]["fields"][0]["value"], NAME);
    assert_eq!(body["data"]["note"], NOTE);
    assert_eq!(body["data"]["parcel_id"], came[0].headers["webhook-id"].as_str());
    let shown = rig.shown(sent).await.unwrap();
    assert_eq!((i32::try_from(shown.attempts).unwrap(), shown.problem), (attempts, None));
    rig.kept_to_itself();
    let isolation = Isolation { schema: "referral", nobodys: &[], filled: &["parcels", "attempts"] };
    isolation.prove(&rig.db.url(), "wmp", FORCE).await;
}

#[tokio::test]
async fn a_refusal_is_raised_at_once_and_once_and_nothing_is_sent_elsewhere() {
    let elsewhere = Hook::open(&[says(200)]).await;
    let location: &'static str = Box::leak(format!("location: http://{}/\r\n", elsewhere.address()).into_boxed_str());
    let gone = Hook::open(&[says(410)]).await;
    let moved = Hook::open(&[Mood::Says(307, location, String::new())]).await;
    let known = Hook::open(&[says(409)]).await;
    let partners = [("gone", gone.route()), ("moved", moved.route()), ("known", known.route())];
    let rig = Rig::open(&partners, &[]).await;
    let mut due = rig.due().await;

    let first = rig.send("gone").await;
    assert_eq!(rig.settled(first, "referral").await, settled("failed", 1, Some("REFUSED")));
    assert_eq!(due.recv().await.unwrap().payload(), FORCE);
    let second = rig.send("moved").await;
    assert_eq!(rig.settled(second, "referral").await, settled("failed", 1, Some("ELSEWHERE")));
    let third = rig.send("known").await;
    assert_eq!(rig.settled(third, "referral").await, settled("delivered", 1, None));
    let fourth = rig.send("nobody").await;
    assert_eq!(rig.settled(fourth, "referral").await, settled("failed", 1, Some("NO_ROUTE")));

    let failed = rig.failed(fourth).await;
    let raised: Vec<_> =
        failed.iter().map(|f| (f.referral_id.clone(), f.partner_id.as_str(), f.kind.as_str())).collect();
    let expected = [(first, "gone"), (second, "moved"), (fourth, "nobody")];
    assert_eq!(raised, expected.map(|(sent, partner)| (sent.referral.to_string(), partner, "idva")));
    assert_eq!((gone.count(), moved.count(), elsewhere.count()), (1, 1, 0));
    rig.kept_to_itself();
}

#[tokio::test]
async fn a_partner_that_is_dead_for_long_is_raised_once_and_holds_up_no_other() {
    let (dead, stuck, well) = (Hook::away(), Hook::open(&[Mood::Hangs]).await, Hook::open(&[says(204)]).await);
    let tls = Tls::open("idva.example").await.unwrap();
    tls.lead(&well.address().to_string());
    let untrusted = tls.url().replace("idva.example", "127.0.0.1");
    let untrusted = format!("webhook = \"{untrusted}/\", secret_file = \"SECRET\"");
    let partners = [("dead", dead.route()), ("stuck", stuck.route()), ("untrusted", untrusted), ("well", well.route())];
    let settings = [("DELIVERY__GIVE_UP_AFTER_MS", "300"), ("DELIVERY__AT_ONCE", "2")];
    let rig = Rig::open(&partners, &settings).await;

    // One worker waits for the one that is stuck; its next isn't claimed meanwhile.
    let waits = [rig.send("stuck").await, rig.send("stuck").await];
    stuck.came(1).await;
    let heard = rig.send("well").await;
    assert_eq!(rig.settled(heard, "referral").await, settled("delivered", 1, None));
    let unheard = [rig.send("dead").await, rig.send("untrusted").await];
    let (state, attempts, problem) = rig.settled(unheard[0], "referral").await;
    assert!(state == "failed" && attempts > 1 && problem.as_deref() == Some("NO_CONNECTION"), "{attempts} {problem:?}");
    let (state, _, problem) = rig.settled(unheard[1], "referral").await;
    assert_eq!((state.as_str(), problem.as_deref()), ("failed", Some("NOT_TRUSTED")));
    for sent in waits {
        let (state, _, problem) = rig.settled(sent, "referral").await;
        assert_eq!((state.as_str(), problem.as_deref()), ("failed", Some("TOO_SLOW")));
    }
    let last = rig.send("nobody").await;
    let failed = rig.failed(last).await;
    let ids: BTreeSet<_> = failed.iter().map(|failed| failed.referral_id.as_str()).collect();
    assert_eq!((failed.len(), ids.len()), (5, 5), "each once");
    assert_eq!(well.count(), 1, "nothing went to who couldn't show who they are");
}

#[tokio::test]
async fn killed_before_it_could_write_down_that_it_was_taken_it_sends_the_same_again() {
    let hook = Hook::open(&[Mood::Hangs]).await;
    let mut rig = Rig::open(&[("idva", hook.route())], &[]).await;
    let sent = rig.send("idva").await;
    // The partner has it; we never hear so.
    hook.came(1).await;
    rig.service.kill().await.unwrap();
    hook.now(&[says(409)]);
    rig.service.restart().await.unwrap();
    assert_eq!(rig.settled(sent, "referral").await, settled("delivered", 2, None));
    let came = hook.came(2).await;
    assert_eq!(came[0].headers["webhook-id"], came[1].headers["webhook-id"]);
    assert_eq!(came[0].body, came[1].body);
    assert_eq!(rig.attempts(sent).await, [(2, None)], "the first is of a process that never knew");
}

#[tokio::test]
async fn two_replicas_deliver_each_parcel_once() {
    let hooks = [Hook::open(&[says(200)]).await, Hook::open(&[says(200)]).await, Hook::open(&[says(200)]).await];
    let rig = Rig::open(&[("a", hooks[0].route()), ("b", hooks[1].route()), ("c", hooks[2].route())], &[]).await;
    let _other = rig.another().await;
    let mut sent = vec![];
    for _ in 0..6 {
        for partner in ["a", "b", "c"] {
            sent.push(rig.send(partner).await);
        }
    }
    for sent in sent {
        assert_eq!(rig.settled(sent, "referral").await, settled("delivered", 1, None));
    }
    for hook in &hooks {
        let came = hook.came(6).await;
        let ids: BTreeSet<_> = came.iter().map(|came| came.headers["webhook-id"].as_str()).collect();
        assert_eq!((came.len(), ids.len()), (6, 6));
    }
}
