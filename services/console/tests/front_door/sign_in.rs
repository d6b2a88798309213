//! Coming in: the code flow, what is refused on the way, and how long it lasts.

use std::time::Duration;

use api::transfer::v1::{HeartbeatRequest, WatchDeskRequest};
use reqwest::{StatusCode, Url, header};
use serde_json::json;

use crate::{
    browser::leads_to,
    scribe::{HEARTBEAT, Scribe, WATCH},
    support::{Console, problem},
};

const MINUTE: Duration = Duration::from_secs(60);

fn query(url: &str, name: &str) -> Option<String> {
    Url::parse(url).unwrap().query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

#[tokio::test]
async fn the_code_flow_with_pkce_signs_in() {
    let console = Console::start(&[]).await;
    let browser = console.browser();
    assert_eq!(browser.me().await, None);

    let begun = browser.get("/sign-in").await;
    let door = leads_to(&begun);
    assert!(door.starts_with(console.issuer.url()), "{door}");
    for (name, wanted) in [
        ("response_type", "code"),
        ("client_id", "alcove-console"),
        ("code_challenge_method", "S256"),
        ("redirect_uri", &format!("{}/callback", console.url)),
    ] {
        assert_eq!(query(&door, name).as_deref(), Some(wanted), "{name}");
    }
    for name in ["state", "nonce", "code_challenge"] {
        assert!(query(&door, name).is_some_and(|value| value.len() >= 43), "{name}");
    }
    // On its way back the browser comes from another site.
    let ticket = begun.headers()[header::SET_COOKIE].to_str().unwrap();
    for wanted in ["__Host-alcove-begun=", "Secure", "HttpOnly", "SameSite=Lax", "Path=/;", "Max-Age=600"] {
        assert!(ticket.contains(wanted), "{ticket}");
    }
    assert!(!door.contains(&browser.cookie("__Host-alcove-begun").unwrap()));

    let callback = browser.brought_back_by(&door, "sgt-price").await;
    let back = browser.visit(&callback).await;
    assert_eq!(leads_to(&back), "/");
    let cookies: Vec<_> = back.headers().get_all(header::SET_COOKIE).iter().map(|c| c.to_str().unwrap()).collect();
    let cookie = cookies.iter().find(|cookie| cookie.starts_with("__Host-alcove=")).unwrap();
    for wanted in ["Secure", "HttpOnly", "SameSite=Strict", "Path=/;", "Max-Age=43200"] {
        assert!(cookie.contains(wanted), "{cookie}");
    }
    assert!(!cookie.contains("Domain"));
    assert_eq!(browser.cookie("__Host-alcove-begun"), None, "the ticket is used up");
    let me =
        json!({"id": "sgt-price", "name": "Sgt Carys Price", "force": "wmp", "roles": ["desk_officer", "sergeant"]});
    assert_eq!(browser.me().await, Some(me));
    console.stop().await;
}

#[tokio::test]
async fn a_stolen_code_or_state_is_refused() {
    let console = Console::start(&[]).await;
    let refused = "/?refused=SIGN_IN_REFUSED";
    let officer = console.browser();
    let callback = officer.to_the_callback("pc-okafor").await;

    // Somebody who saw the address: without a ticket, and with one of their own, whatever they put into it.
    let thief = console.browser();
    assert_eq!(leads_to(&thief.visit(&callback).await), refused);
    let own = leads_to(&thief.get("/sign-in").await);
    assert_eq!(leads_to(&thief.visit(&callback).await), refused);
    let mixed = |state: &str| {
        let mut url = Url::parse(&callback).unwrap();
        let code = query(&callback, "code").unwrap();
        url.query_pairs_mut().clear().append_pair("code", &code).append_pair("state", state);
        url.to_string()
    };
    // The right state for their own ticket: the verifier is another. That spends the code, as it should.
    leads_to(&thief.get("/sign-in").await);
    let own_again = leads_to(&thief.get("/sign-in").await);
    assert_ne!(query(&own, "state"), query(&own_again, "state"));
    assert_eq!(leads_to(&thief.visit(&mixed(&query(&own_again, "state").unwrap())).await), refused);
    assert_eq!(thief.me().await, None);
    assert_eq!(thief.cookie("__Host-alcove"), None);

    // Neither does a page of theirs bring an officer in as somebody else (login CSRF).
    let theirs = console.browser();
    let planted = theirs.to_the_callback("pc-marsh").await;
    let victim = console.browser();
    leads_to(&victim.get("/sign-in").await);
    assert_eq!(leads_to(&victim.visit(&planted).await), refused);
    assert_eq!(victim.me().await, None);

    // Nothing, nonsense, another issuer's word, a refusal; and what is used is used.
    for (path, reason) in [
        ("/callback", refused),
        ("/callback?code=x", refused),
        ("/callback?code=x&state=y", refused),
        ("/callback?error=access_denied&state=y", refused),
    ] {
        let browser = console.browser();
        leads_to(&browser.get("/sign-in").await);
        assert_eq!(leads_to(&browser.get(path).await), reason, "{path}");
        assert_eq!(browser.cookie("__Host-alcove-begun"), None);
    }
    let browser = console.browser();
    let callback = browser.to_the_callback("pc-okafor").await;
    let ticket = browser.cookie("__Host-alcove-begun").unwrap();
    let elsewhere = callback.replace(
        &query(&callback, "iss").unwrap().replace(':', "%3A").replace('/', "%2F"),
        "https%3A%2F%2Fevil.example",
    );
    assert_ne!(callback, elsewhere);
    assert_eq!(leads_to(&browser.visit(&elsewhere).await), refused);
    browser.set_cookie("__Host-alcove-begun", &ticket);
    assert_eq!(leads_to(&browser.visit(&callback).await), "/");
    browser.set_cookie("__Host-alcove-begun", &ticket);
    assert_eq!(leads_to(&browser.visit(&callback).await), refused, "a code is good once");

    // Ten minutes at the issuer's page are enough.
    let slow = console.browser();
    let callback = slow.to_the_callback("pc-singh").await;
    console.clock.advance(10 * MINUTE);
    assert_eq!(leads_to(&slow.visit(&callback).await), refused);
    console.stop().await;
}

#[tokio::test]
async fn without_the_issuer_nobody_comes_in() {
    let console = Console::start(&[("SIGN_IN__ISSUER", "http://127.0.0.1:9".to_owned())]).await;
    let browser = console.browser();
    assert_eq!(leads_to(&browser.get("/sign-in").await), "/?refused=ISSUER_AWAY");
    assert_eq!(browser.me().await, None);
    console.stop().await;
}

#[tokio::test]
async fn idle_and_absolute_ends() {
    let scribe = Scribe::open().await;
    let settings = [("UPSTREAMS__TRANSFER", scribe.url.clone()), ("SIGN_IN__HOURS", "2".to_owned())];
    // Longer than the shift: what ends here isn't the token.
    let console = Console::start_with(600 * MINUTE, &settings).await;
    let browser = console.signed_in("pc-okafor").await;
    let mut desk = browser.call(WATCH, &WatchDeskRequest::default()).await;
    // Heartbeats and streams are the page's doing: nobody need be there.
    for _ in 0..29 {
        console.clock.advance(MINUTE);
        assert_eq!(browser.rpc(HEARTBEAT, &HeartbeatRequest::default()).send().await.unwrap().status(), 200);
        assert!(browser.me().await.is_some());
    }
    console.clock.advance(MINUTE);
    assert_eq!(desk.end().await.0, tonic::Code::Unauthenticated as i32, "also if nothing else is asked for");
    assert_eq!(browser.me().await, None);
    let late = browser.rpc(HEARTBEAT, &HeartbeatRequest::default()).send().await.unwrap();
    assert_eq!(problem(late).await, (401, "NOT_SIGNED_IN".to_owned()));
    assert_eq!(problem(browser.post("/here").send().await.unwrap()).await.0, 401);

    // With somebody there it goes on until the shift is over.
    let browser = console.signed_in("pc-okafor").await;
    let mut desk = browser.call(WATCH, &WatchDeskRequest::default()).await;
    for _ in 0..5 {
        console.clock.advance(20 * MINUTE);
        assert_eq!(browser.post("/here").send().await.unwrap().status(), StatusCode::NO_CONTENT);
    }
    console.clock.advance(19 * MINUTE);
    assert!(browser.me().await.is_some());
    console.clock.advance(MINUTE);
    assert_eq!(desk.end().await.0, tonic::Code::Unauthenticated as i32);
    assert_eq!(browser.me().await, None);
    console.stop().await;
}

#[tokio::test]
async fn there_is_room_for_so_many_and_no_more() {
    let console = Console::start(&[("SIGN_IN__MOST", "2".to_owned())]).await;
    let (first, second) = (console.signed_in("pc-okafor").await, console.signed_in("pc-singh").await);
    console.clock.advance(MINUTE);
    assert_eq!(first.post("/here").send().await.unwrap().status(), StatusCode::NO_CONTENT);
    let third = console.signed_in("sgt-price").await;
    assert!(first.me().await.is_some() && third.me().await.is_some());
    assert_eq!(second.me().await, None, "whoever was idle longest");
    console.stop().await;
}
