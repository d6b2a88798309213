//! Going out: by one's own will everywhere, by the issuer's, and when a token can't be renewed.

use std::time::Duration;

use api::transfer::v1::{HeartbeatRequest, WatchDeskRequest, WatchDeskResponse};
use chassis::{Clock, Tokens, config};
use reqwest::{StatusCode, header};
use testkit::{Mint, RefreshTokens, SigningKey, until};

use crate::{
    browser::Browser,
    scribe::{HEARTBEAT, Scribe, WATCH},
    support::{Console, problem},
};

async fn beats(browser: &Browser) -> StatusCode {
    browser.rpc(HEARTBEAT, &HeartbeatRequest::default()).send().await.unwrap().status()
}

/// The token that the last heartbeat came with.
fn bearer(scribe: &Scribe) -> String {
    scribe.seen().unwrap().get("authorization").unwrap().to_str().unwrap().to_owned()
}

#[tokio::test]
async fn signing_out_ends_every_browser() {
    let scribe = Scribe::open().await;
    let console = Console::start(&[("UPSTREAMS__TRANSFER", scribe.url.clone())]).await;
    let (one, other) = (console.signed_in("pc-okafor").await, console.signed_in("pc-okafor").await);
    let colleague = console.signed_in("pc-singh").await;
    let mut desks = Vec::new();
    for browser in [&one, &other, &colleague] {
        desks.push(browser.call(WATCH, &WatchDeskRequest::default()).await);
    }
    assert_eq!(console.issuer.refresh_tokens().await.unwrap().held, 3);

    let out = one.post("/sign-out").send().await.unwrap();
    assert_eq!(out.status(), StatusCode::OK);
    let gone = out.headers()[header::SET_COOKIE].to_str().unwrap();
    assert!(gone.starts_with("__Host-alcove=;") && gone.contains("Max-Age=0") && gone.contains("Secure"), "{gone}");
    let said: serde_json::Value = out.json().await.unwrap();
    let next = said["next"].as_str().unwrap();
    assert!(next.starts_with(&format!("{}/session/end?", console.issuer.url())) && !next.contains("token"), "{next}");
    assert_eq!((one.me().await, other.me().await), (None, None));
    assert!(colleague.me().await.is_some());
    // What they were worth goes, too; the officer need not wait for that.
    until("two are revoked", async || console.issuer.refresh_tokens().await.unwrap().held == 1).await;

    scribe.say(Ok(WatchDeskResponse::default())).await;
    let mut desks = desks.into_iter();
    for _ in 0..2 {
        let (code, said) = desks.next().unwrap().end().await;
        assert_eq!(code, tonic::Code::Unauthenticated as i32, "{said}");
    }
    desks.next().unwrap().message::<WatchDeskResponse>().await;
    // Signing out twice is signing out.
    assert_eq!(one.post("/sign-out").send().await.unwrap().status(), StatusCode::NO_CONTENT);
    console.stop().await;
}

#[tokio::test]
async fn the_issuer_signs_out_by_the_back_channel() {
    let console = Console::start(&[]).await;
    let (browser, colleague) = (console.signed_in("pc-okafor").await, console.signed_in("pc-singh").await);
    // At the issuer's own page, without us.
    let end = format!("{}/session/end", console.issuer.url());
    let page = browser.visit(&end).await.text().await.unwrap();
    let xsrf = page.split("name=\"xsrf\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let confirmed = reqwest::Client::new()
        .post(format!("{end}/confirm"))
        .header(header::COOKIE, browser.cookies(&end))
        .form(&[("xsrf", xsrf.as_str()), ("logout", "yes")])
        .send()
        .await
        .unwrap();
    assert!(confirmed.status().is_success() || confirmed.status().is_redirection(), "{}", confirmed.status());
    until("the officer is signed out", async || browser.me().await.is_none()).await;
    assert!(colleague.me().await.is_some());

    for bad in ["", "logout_token=", "logout_token=a.b.c", "token=x"] {
        let form = reqwest::Client::new().post(format!("{}/backchannel-logout", console.url));
        let form = form.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded").body(bad);
        assert_eq!(problem(form.send().await.unwrap()).await, (400, "LOGOUT_REFUSED".to_owned()), "{bad}");
    }
    console.stop().await;
}

#[tokio::test]
async fn a_refresh_that_fails_signs_out() {
    let scribe = Scribe::open().await;
    let console = Console::start(&[("UPSTREAMS__TRANSFER", scribe.url.clone())]).await;
    let browser = console.signed_in("pc-okafor").await;
    let mut desk = browser.call(WATCH, &WatchDeskRequest::default()).await;
    assert_eq!(beats(&browser).await, 200);
    let first = bearer(&scribe);

    // Renewed when it has ended, if not before; once, however many ask.
    console.clock.advance(Duration::from_secs(300));
    let all = futures::future::join_all((0..8).map(|_| beats(&browser))).await;
    assert!(all.iter().all(|status| *status == 200), "{all:?}");
    assert_eq!(console.issuer.refresh_tokens().await.unwrap(), RefreshTokens { held: 1, spent: 1 });
    let next = bearer(&scribe);
    assert_ne!(next, first);
    while let Some(seen) = scribe.seen() {
        assert_eq!(seen.get("authorization").unwrap().to_str().unwrap(), next);
    }
    let (issuer, audience) = (console.issuer.url().to_owned(), "alcove".to_owned());
    let tokens = Tokens::new(&config::Tokens { issuer, audience, jwks_url: None }, Clock::system()).unwrap();
    assert!(tokens.check(next.strip_prefix("Bearer ").unwrap()).await.is_ok());

    // From half of its life on it is renewed, and that it can't be is noticed by whoever comes after that.
    console.clock.advance(Duration::from_secs(150));
    console.issuer.forget().await.unwrap();
    until("the session is over", async || beats(&browser).await == StatusCode::UNAUTHORIZED).await;
    while scribe.seen().is_some() {}
    assert_eq!(beats(&browser).await, StatusCode::UNAUTHORIZED);
    assert_eq!(browser.me().await, None);
    assert_eq!(desk.end().await.0, tonic::Code::Unauthenticated as i32);
    assert!(scribe.seen().is_none());
    console.stop().await;
}

#[tokio::test]
async fn while_the_issuer_is_away_a_token_holds_to_its_end_and_nobody_is_signed_out() {
    let scribe = Scribe::open().await;
    let console = Console::start(&[("UPSTREAMS__TRANSFER", scribe.url.clone())]).await;
    let browser = console.signed_in("pc-okafor").await;
    console.issuer.kill().unwrap();
    console.clock.advance(Duration::from_secs(295));
    assert_eq!(beats(&browser).await, 200);
    console.clock.advance(Duration::from_secs(5));
    let refused = browser.rpc(HEARTBEAT, &HeartbeatRequest::default()).send().await.unwrap();
    assert_eq!(problem(refused).await, (503, "ISSUER_AWAY".to_owned()));
    assert!(browser.me().await.is_some());
    console.stop().await;
}

#[tokio::test]
async fn only_a_logout_token_signs_out() {
    let key = SigningKey::es256("one").unwrap();
    let mint = Mint::open(vec![key.clone()]).await.unwrap();
    let console = Console::start(&[("SIGN_IN__ISSUER", mint.issuer())]).await;
    let now = console.clock.now().timestamp();
    let events = serde_json::json!({"http://schemas.openid.net/event/backchannel-logout": {}});
    let good = serde_json::json!({
        "iss": mint.issuer(), "aud": "alcove-console", "sub": "pc-okafor", "iat": now, "exp": now + 120, "events": events,
    });
    let told = async |claims: &serde_json::Value| {
        let form = [("logout_token", key.token(claims).unwrap())];
        let request = reqwest::Client::new().post(format!("{}/backchannel-logout", console.url)).form(&form);
        request.send().await.unwrap().status()
    };
    assert_eq!(told(&good).await, 200);
    for (name, value) in [
        ("aud", serde_json::json!("alcove")),
        ("iss", serde_json::json!("https://evil.example")),
        ("exp", serde_json::json!(now - 60)),
        ("nonce", serde_json::json!("an id token's")),
        ("events", serde_json::json!({})),
        ("events", serde_json::json!({"http://schemas.openid.net/event/backchannel-logout": 1})),
        ("sub", serde_json::json!(null)),
    ] {
        let mut bad = good.clone();
        bad[name] = value;
        assert_eq!(told(&bad).await, 400, "{name}");
    }
    console.stop().await;
}
