//! HTTP: problems, the drain, and the address file.

use std::{net::SocketAddr, sync::Arc};

use crate::obedient::base;
use axum::{Router, http::StatusCode, routing::get};
use chassis::{Shutdown, announce, chain, http};
use tokio::sync::Notify;

fn loopback() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

#[tokio::test]
async fn a_problem_is_problem_json() {
    let router = Router::new()
        .route("/join", get(|| async { http::problem(StatusCode::GONE, "CODE_USED", "this code was used before") }));
    let (_trigger, shutdown) = Shutdown::manual();
    let listener = http::bind("http", loopback()).await.unwrap();
    let url = format!("http://{}/join", listener.local_addr().unwrap());
    tokio::spawn(http::serve(listener, router, http::Limits::default(), shutdown));
    let answer = reqwest::get(url).await.unwrap();
    assert_eq!(answer.status(), 410);
    assert_eq!(answer.headers()["content-type"], "application/problem+json");
    let problem: serde_json::Value = answer.json().await.unwrap();
    let expected = serde_json::json!({
        "type": "about:blank", "title": "Gone", "status": 410,
        "detail": "this code was used before", "reason": "CODE_USED",
    });
    assert_eq!(problem, expected);
}

#[tokio::test]
async fn the_drain_lets_an_answer_finish() {
    let (started, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let slow = {
        let (started, go_on) = (started.clone(), go_on.clone());
        move || async move {
            started.notify_one();
            go_on.notified().await;
            "done"
        }
    };
    let (trigger, shutdown) = Shutdown::manual();
    let listener = http::bind("http", loopback()).await.unwrap();
    let addr = listener.local_addr().unwrap();
    let router = Router::new().route("/", get(slow));
    let serving = tokio::spawn(http::serve(listener, router, http::Limits::default(), shutdown));
    let asking = tokio::spawn(async move { reqwest::get(format!("http://{addr}/")).await.unwrap().text().await });
    started.notified().await;
    trigger.request();
    while tokio::net::TcpStream::connect(addr).await.is_ok() {
        tokio::task::yield_now().await;
    }
    go_on.notify_one();
    assert_eq!(asking.await.unwrap().unwrap(), "done");
    serving.await.unwrap();
}

#[tokio::test]
async fn a_taken_address_says_whose_it_was_to_be() {
    let taken = http::bind("http", loopback()).await.unwrap();
    let addr = taken.local_addr().unwrap();
    let refused = http::bind("http", addr).await.unwrap_err();
    assert!(chain(&refused).starts_with(&format!("can't listen for http on {addr}: ")), "{}", chain(&refused));
}

#[tokio::test]
async fn the_address_file_is_one_json_object() {
    let folder = tempfile::tempdir().unwrap();
    let mut base = base();
    base.address_file = Some(folder.path().join("addresses"));
    announce(&base, &[("grpc", "127.0.0.1:7101".parse().unwrap()), ("health", "127.0.0.1:7201".parse().unwrap())])
        .unwrap();
    let text = std::fs::read_to_string(folder.path().join("addresses")).unwrap();
    assert_eq!(text, r#"{"grpc":"127.0.0.1:7101","health":"127.0.0.1:7201"}"#);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing else is left beside it");

    base.address_file = Some(folder.path().join("missing/addresses"));
    assert!(announce(&base, &[]).is_err());
}
