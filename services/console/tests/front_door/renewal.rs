//! Access tokens renewed while officers work, and what an issuer that hangs, fails or loses its answers does to them.

use std::time::Duration;

use api::transfer::v1::{HeartbeatRequest, WatchDeskRequest};
use reqwest::StatusCode;
use testkit::until;

use crate::{
    browser::Browser,
    scribe::{HEARTBEAT, Scribe, WATCH},
    support::{Console, problem},
    teller::{Mood, Teller},
};

struct Scene {
    teller: Teller,
    scribe: Scribe,
    console: Console,
    browser: Browser,
}

impl Scene {
    /// One officer, with a token for five minutes.
    async fn new() -> Self {
        let (teller, scribe) = (Teller::open().await, Scribe::open().await);
        let console = Console::start(&[("UPSTREAMS__TRANSFER", scribe.url.clone()), teller.setting()]).await;
        let browser = console.signed_in("pc-okafor").await;
        Self { teller, scribe, console, browser }
    }

    /// The token that a heartbeat comes through with, or the status that it is answered.
    async fn beats(&self) -> Result<String, StatusCode> {
        let answer = self.browser.rpc(HEARTBEAT, &HeartbeatRequest::default()).send().await.unwrap();
        if answer.status() != StatusCode::OK {
            return Err(answer.status());
        }
        let bearer = self.scribe.seen().unwrap().get("authorization").unwrap().to_str().unwrap().to_owned();
        Ok(bearer.strip_prefix("Bearer ").unwrap().to_owned())
    }

    fn pass(&self, seconds: u64) {
        self.console.clock.advance(Duration::from_secs(seconds));
    }
}

fn access(n: usize) -> Result<String, StatusCode> {
    Ok(format!("access-{n}"))
}

#[tokio::test]
async fn nobody_waits_for_a_renewal_while_the_old_token_is_good() {
    let scene = Scene::new().await;
    scene.pass(149);
    assert_eq!(scene.beats().await, access(1));
    assert_eq!(scene.teller.asked(), 0, "not before half of its life");
    scene.teller.set_open(false);
    scene.pass(1);
    assert_eq!(scene.beats().await, access(1), "answered while the issuer isn't");
    until("the renewal", async || scene.teller.asked() == 1).await;
    for _ in 0..5 {
        assert_eq!(scene.beats().await, access(1));
    }
    assert_eq!(scene.teller.asked(), 1, "one at a time");
    scene.teller.set_open(true);
    until("the new token", async || scene.beats().await == access(2)).await;
    assert_eq!(scene.teller.asked(), 1);
    // Without a heartbeat in the second half: there is nothing to go on with, so all wait, for one renewal.
    scene.pass(300);
    let beats = futures::future::join_all((0..8).map(|_| scene.beats())).await;
    assert!(beats.iter().all(|beat| *beat == access(3)), "{beats:?}");
    assert_eq!(scene.teller.asked(), 2);
    scene.console.stop().await;
}

#[tokio::test]
async fn a_failed_renewal_is_everybodys_who_waited() {
    let scene = Scene::new().await;
    scene.teller.set_mood(Mood::Away);
    scene.pass(300);
    let beat = || async { scene.browser.rpc(HEARTBEAT, &HeartbeatRequest::default()).send().await.unwrap() };
    for answer in futures::future::join_all((0..8).map(|_| beat())).await {
        assert_eq!(problem(answer).await, (503, "ISSUER_AWAY".to_owned()));
    }
    assert_eq!(scene.teller.asked(), 1, "nobody tries again what has just failed");
    scene.pass(2);
    scene.teller.set_mood(Mood::Kind);
    assert_eq!(scene.beats().await, access(2));
    assert_eq!(scene.teller.asked(), 2);
    scene.console.stop().await;
}

#[tokio::test]
async fn after_a_lost_answer_a_session_holds_to_its_tokens_end() {
    let scene = Scene::new().await;
    scene.teller.set_mood(Mood::Losing);
    scene.pass(150);
    assert_eq!(scene.beats().await, access(1));
    until("the renewal", async || scene.teller.asked() == 1).await;
    // The next try is with a refresh token that is spent.
    let again = async || {
        scene.pass(2);
        assert_eq!(scene.beats().await, access(1));
        scene.teller.asked() == 2
    };
    until("the next try", again).await;
    for _ in 0..5 {
        scene.pass(2);
        assert_eq!(scene.beats().await, access(1), "that is no word against the officer");
    }
    assert_eq!(scene.teller.asked(), 2, "and there is nothing more to be had");
    scene.pass(150);
    assert_eq!(scene.beats().await, Err(StatusCode::UNAUTHORIZED));
    assert_eq!(scene.browser.me().await, None);
    scene.console.stop().await;
}

#[tokio::test]
async fn a_new_grant_is_kept_when_its_id_token_cannot_be_checked() {
    let scene = Scene::new().await;
    scene.teller.take_keys_away();
    scene.pass(300);
    assert_eq!(scene.beats().await, access(2));
    assert_eq!(scene.browser.me().await.unwrap()["id"], "pc-okafor");
    // And it is worth another.
    scene.pass(300);
    assert_eq!(scene.beats().await, access(3));
    scene.console.stop().await;
}

#[tokio::test]
async fn an_issuer_that_hangs_holds_up_no_end() {
    let scene = Scene::new().await;
    let other = scene.console.signed_in("pc-okafor").await;
    let mut desks = Vec::new();
    for browser in [&scene.browser, &other] {
        desks.push(browser.call(WATCH, &WatchDeskRequest::default()).await);
    }
    scene.teller.set_open(false);
    scene.pass(30 * 60);
    for desk in &mut desks {
        assert_eq!(desk.end().await.0, tonic::Code::Unauthenticated as i32);
    }
    until("both at a time", async || scene.teller.revoking() == 2).await;
    // Before the console ends the issuer has heard of both.
    scene.console.stop.request();
    scene.teller.set_open(true);
    scene.console.stop().await;
    assert_eq!(scene.teller.revoked(), 2);
}
