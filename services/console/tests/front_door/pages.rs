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
async fn what_changes_something_comes_from_our_own_page() {
    let console = Console::start(&[]).await;
    let browser = console.signed_in("pc-okafor").await;
    // A form on another site can send these; it can't choose these two headers.
    for path in ["/sign-out", "/here", "/alcove.transfer.v1.TransferService/Heartbeat"] {
        for (name, value) in [("origin", "https://evil.example"), ("sec-fetch-site", "cross-site")] {
            let sent = browser.post(path).header(name, value);
            assert_eq!(problem(sent.send().await.unwrap()).await, (403, "CROSS_ORIGIN".to_owned()), "{path} {name}");
        }
    }
    let own = browser.post("/here").header("origin", &console.url).send().await.unwrap();
    assert_eq!(own.status(), StatusCode::NO_CONTENT);
    console.stop().await;
}

#[test]
fn it_does_not_start_for_real_without_https() {
    let refused = std::process::Command::new(env!("CARGO_BIN_EXE_console"))
        .env("ALCOVE_CONSOLE__PROFILE", "production")
        .output()
        .unwrap();
    assert!(!refused.status.success());
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(said.contains("sign_in.issuer"), "{said}");
}
