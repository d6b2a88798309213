//! Text messages with more than one process: none is lost, none is sent twice, and neither number nor link is left anywhere on the way.

use std::collections::HashSet;

use crate::rig::{
    PATIENCE, Rig,
    rows::every_row,
    settings,
    texts::{ControlRoom, Delivery, NUMBER, RECEIPT_KEY, WITHHELD, call_back, key_in, pauses, words},
};
use api::session::v1::TextState;
use chassis::{Clock, ManualClock};
use ids::CallId;
use serde_json::json;
use testkit::{OtlpSink, SeenSpan, Service, until};

/// Two processes on one database; the test's clock is the real one.
struct Two {
    rig: Rig,
    a: Service,
    b: Service,
    delivery: Delivery,
    room: ControlRoom,
    sink: OtlpSink,
}

impl Two {
    async fn start() -> Self {
        let (database, nats) = tokio::join!(testkit::database(), testkit::nats());
        let (room, delivery) = (ControlRoom::start().await, Delivery::start().await);
        let sink = OtlpSink::start().await.unwrap();
        let dir = tempfile::tempdir().unwrap();
        let env = |name: &str| {
            let mut more = delivery.notify();
            more.push(room.setting());
            more.push(("instance__name", name.to_owned()));
            more.push(("telemetry__log", "debug".to_owned()));
            more.push(("telemetry__otlp_endpoint", sink.endpoint()));
            settings(&database, &nats, &dir.path().join(name), &more)
        };
        let (env_a, env_b) = (env("a"), env("b"));
        fn refs(env: &[(String, String)]) -> Vec<(&str, &str)> {
            env.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect()
        }
        Service::migrate("video-session", &refs(&env_a)).await.unwrap();
        let a = Service::start("video-session", &refs(&env_a)).await.unwrap();
        let b = Service::start("video-session", &refs(&env_b)).await.unwrap();
        let clock = ManualClock::new("2026-11-24T12:00:00Z".parse().unwrap());
        let rig = Rig::reach(database, nats, dir, clock, a.address("grpc"), a.address("http"), None).await;
        Self { rig, a, b, delivery, room, sink }
    }

    async fn stands(&self, call: CallId, state: TextState) {
        self.rig.asked(call, state).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_survives_restarts_and_leaves_neither_number_nor_link_anywhere() {
    let mut two = Two::start().await;
    two.room.says(true, "");
    two.b.kill().await.unwrap();
    let call = two.rig.accepted(true).await;
    for _ in 0..2 {
        two.delivery.answer(503, json!({}));
    }
    let request = two.rig.texting(call, WITHHELD);
    let issued = two.rig.text(&request).await.unwrap();
    until("two tries", async || two.delivery.asked().len() == 2).await;
    pauses(&two.rig, Clock::system().now()).await;
    // While the message waits, its number waits with it, and nobody can read it.
    let waiting = every_row(&two.rig.database.pool()).await;
    two.a.kill().await.unwrap();
    two.a.restart().await.unwrap();
    two.stands(call, TextState::Sent).await;
    two.a.terminate().await.unwrap();
    two.a.restart().await.unwrap();
    let body = two.delivery.asked().pop().unwrap();
    assert_eq!(body["phone_number"], WITHHELD);
    assert_eq!(call_back(two.a.address("receipts"), RECEIPT_KEY, &body["reference"], "delivered").await, 204);
    two.stands(call, TextState::Delivered).await;
    let link = key_in(words(&body));
    let (status, joined) = two.rig.come_in(json!({ "link": link })).await;
    assert_eq!(status, 200);

    // And one whose number the control room has.
    two.room.says(true, NUMBER);
    let other = two.rig.accepted(true).await;
    two.rig.text(&two.rig.texting(other, "")).await.unwrap();
    two.stands(other, TextState::Sent).await;
    let other_link = key_in(words(&two.delivery.asked().pop().unwrap()));

    let numbers = [NUMBER, WITHHELD].map(|number| number.trim_start_matches('+').to_owned());
    let token = joined["token"].as_str().unwrap().to_owned();
    let plain: Vec<String> =
        [link, other_link, issued.code.replace('-', ""), token].into_iter().chain(numbers).collect();
    let canaries: Vec<String> =
        plain.iter().flat_map(|one| [one.clone(), hex::encode(one), one.to_lowercase()]).collect();
    let forgotten: i64 = sqlx::query_scalar("select count(to_number) from session.texts")
        .fetch_one(&two.rig.database.pool())
        .await
        .unwrap();
    assert_eq!(forgotten, 0, "a number that was sent to is kept no longer");
    let finished = every_row(&two.rig.database.pool()).await;
    assert!(waiting.iter().any(|(table, text)| table == "session.texts" && text.contains("queued")));
    let sent = |spans: &[SeenSpan]| spans.iter().any(|span| span.name == "text_message");
    two.sink.wait_for(PATIENCE, sent).await.unwrap();
    two.a.terminate().await.unwrap();
    let logs = std::fs::read_to_string(two.a.log_file()).unwrap();
    assert!(logs.contains("lease begun"), "the log is read");
    let spans = format!("{:?}", two.sink.spans());
    for canary in &canaries {
        for (table, text) in waiting.iter().chain(&finished) {
            assert!(!text.contains(canary.as_str()), "{table} has {canary}");
        }
        assert!(!logs.contains(canary.as_str()), "a log has {canary}");
        assert!(!spans.contains(canary.as_str()), "a span has {canary}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_instances_send_each_message_once() {
    let two = Two::start().await;
    two.room.says(true, NUMBER);
    let mut calls = Vec::new();
    for _ in 0..12 {
        calls.push(two.rig.accepted(true).await);
    }
    for call in &calls {
        two.rig.text(&two.rig.texting(*call, "")).await.unwrap();
    }
    for call in &calls {
        assert_eq!(two.rig.asked(*call, TextState::Sent).await.tries, 1);
    }
    let references: HashSet<_> = two.delivery.asked().iter().map(|body| body["reference"].to_string()).collect();
    assert_eq!((two.delivery.asked().len(), references.len()), (12, 12));
    // Whichever of them hears of it.
    for (receipts, body) in [two.a.address("receipts"), two.b.address("receipts")].iter().zip(two.delivery.asked()) {
        assert_eq!(call_back(receipts, RECEIPT_KEY, &body["reference"], "permanent-failure").await, 204);
    }
    let failed = "select count(*) from session.texts where failure = 'NUMBER_UNKNOWN'";
    let failed: i64 = sqlx::query_scalar(failed).fetch_one(&two.rig.database.pool()).await.unwrap();
    assert_eq!(failed, 2);
}
