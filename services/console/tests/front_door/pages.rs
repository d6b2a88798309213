//! The page, the sign-in, and what is refused.

use reqwest::{StatusCode, header};

use crate::support::{Console, problem};

#[tokio::test]
async fn the_page_is_served_locked_down_and_never_kept() {
    let console = Console::start(&[("WEB__MEDIA_ORIGIN", "https://meet.example".to_owned())]).await;
    let browser = console.browser();
    for (path, status, kind) in [
        ("/", StatusCode::OK, "text/html"),
        ("/assets/a.js", StatusCode::OK, "text/javascript"),
        ("/assets/none.js", StatusCode::NOT_FOUND, "application/problem+json"),
        ("/../Cargo.toml", StatusCode::NOT_FOUND, "application/problem+json"),
    ] {
        let answer = browser.get(path).await;
        assert_eq!(answer.status(), status, "{path}");
        let headers = answer.headers();
        assert_eq!(headers[header::CONTENT_TYPE], kind, "{path}");
        assert_eq!(headers[header::CACHE_CONTROL], "no-store");
        assert_eq!(headers[header::REFERRER_POLICY], "no-referrer");
        let policy = headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"));
        assert!(policy.contains("connect-src 'self' https://meet.example;"), "{policy}");
        assert!(!policy.contains("unsafe"));
    }
    console.stop().await;
}

#[tokio::test]
async fn only_those_on_the_list_sign_in_and_only_from_our_page() {
    let console = Console::start(&[]).await;
    let stranger = console.browser();
    assert_eq!(stranger.get("/me").await.status(), StatusCode::NO_CONTENT);
    for (body, status, reason) in [
        (r#"{"officer_id":"pc-nobody"}"#, 403, "UNKNOWN_OFFICER"),
        (r#"{"officer_id":1}"#, 400, "MALFORMED_SIGN_IN"),
        (r#"{"officer_id":"pc-okafor","force":"kent"}"#, 400, "MALFORMED_SIGN_IN"),
        ("", 400, "MALFORMED_SIGN_IN"),
    ] {
        assert_eq!(problem(stranger.sign_in(body).await).await, (status, reason.to_owned()), "{body}");
    }
    // A form on another site can send this; it can't choose these two headers.
    for (name, value) in [("origin", "https://evil.example"), ("sec-fetch-site", "cross-site")] {
        let sent = stranger.post("/sign-in").json(&serde_json::json!({"officer_id": "pc-okafor"})).header(name, value);
        assert_eq!(problem(sent.send().await.unwrap()).await, (403, "CROSS_ORIGIN".to_owned()));
    }

    let browser = console.signed_in("pc-okafor").await;
    let me: serde_json::Value = browser.get("/me").await.json().await.unwrap();
    assert_eq!(me, serde_json::json!({"id": "pc-okafor", "name": "PC Ada Okafor", "force": "wmp"}));
    let own = browser.post("/sign-out").header("origin", &console.url).send().await.unwrap();
    assert_eq!(own.status(), StatusCode::NO_CONTENT);
    assert!(own.headers()[header::SET_COOKIE].to_str().unwrap().contains("Max-Age=0"));
    assert_eq!(browser.get("/me").await.status(), StatusCode::NO_CONTENT);
    assert_eq!(browser.post("/sign-out").send().await.unwrap().status(), StatusCode::NO_CONTENT);
    console.stop().await;
}

#[test]
fn it_does_not_start_for_real_with_the_development_sign_in() {
    let refused = std::process::Command::new(env!("CARGO_BIN_EXE_console"))
        .env("ALCOVE_CONSOLE__PROFILE", "production")
        .output()
        .unwrap();
    assert!(!refused.status.success());
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(said.contains("sign_in.officers"), "{said}");
}
