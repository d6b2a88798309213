//! The consumer's span belongs to the call's trace, below the span that wrote the event.

use std::time::Duration;

use crate::world::World;
use chassis::{ServiceInfo, Shutdown, Trace, config, telemetry};
use outbox::{Delivery, Failure, Handler, NewEvent, Tx};
use testkit::{OtlpSink, until};
use tracing::Instrument;

struct Following;

impl Handler for Following {
    async fn handle(&self, tx: &mut Tx, delivery: &Delivery) -> Result<(), Failure> {
        // What a use case does with its call's stored trace: it is in it already, so its span hangs below the consumer's.
        let span = delivery.trace.follow(tracing::info_span!("use_case"));
        async { sqlx::query("insert into effects (consumer) values ('all')").execute(&mut **tx).await }
            .instrument(span)
            .await?;
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_carries_its_trace_over_nats() {
    let sink = OtlpSink::start().await.unwrap();
    let settings = config::Telemetry {
        log: "warn".to_owned(),
        format: config::LogFormat::Text,
        otlp_endpoint: Some(sink.endpoint()),
        metrics_every_ms: 60_000,
        sample_ratio: 1.0,
    };
    let telemetry = telemetry::init(&ServiceInfo { name: "t", version: "1", defaults: "" }, &settings).unwrap();
    let world = World::new().await;
    let (trigger, shutdown) = Shutdown::manual();
    let relay = tokio::spawn(world.relay().run(shutdown.clone()));
    let consumer = tokio::spawn(world.consumer("all", &["call_opened"]).run(shutdown, Following));

    let span = tracing::info_span!("open_call");
    let trace = Trace::of(&span);
    async {
        let mut tx = world.pool.begin().await.unwrap();
        let event = NewEvent::new("call_opened", world.call(), "wmp".parse().unwrap(), trace.clone(), &());
        outbox::write_in_tx(&mut tx, &world.entropy, world.clock.now(), [event]).await.unwrap();
        tx.commit().await.unwrap();
    }
    .instrument(span)
    .await;
    until("the effect", async || world.count("select count(*) from effects").await == 1).await;
    trigger.request();
    relay.await.unwrap();
    consumer.await.unwrap();
    tokio::task::spawn_blocking(|| telemetry.flush()).await.unwrap();

    let spans = sink
        .wait_for(Duration::from_secs(20), |spans| spans.iter().any(|span| span.name == "intake/call_opened"))
        .await
        .unwrap();
    let named = |name: &str| spans.iter().find(|span| span.name == name).unwrap();
    let (writer, receiver, below) = (named("open_call"), named("intake/call_opened"), named("use_case"));
    assert_eq!(receiver.trace_id, trace.trace_id());
    assert_eq!(receiver.parent_span_id, writer.span_id);
    assert_eq!(below.parent_span_id, receiver.span_id);
}
