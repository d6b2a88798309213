//! From a commit to an effect, without any fault: once, in order, with the right headers, in the right trace.

use crate::world;
use crate::world::{Effect, World};
use chassis::{Shutdown, Trace};
use futures::StreamExt;
use outbox::NewEvent;
use testkit::until;

const BOTH: &[&str] = &["call_opened", "transfer_requested"];

#[tokio::test]
async fn every_event_has_its_effect_once_and_in_order() {
    let world = World::new().await;
    let (trigger, shutdown) = Shutdown::manual();
    let relays = [0, 1].map(|_| tokio::spawn(world.relay().run(shutdown.clone())));
    let all = tokio::spawn(world.consumer("all", BOTH).run(shutdown.clone(), Effect("all")));
    let some = tokio::spawn(world.consumer("some", &["transfer_requested"]).run(shutdown.clone(), Effect("some")));

    let calls: Vec<_> = (0..20).map(|_| world.call()).collect();
    for _ in 0..5 {
        for call in &calls {
            world.write(*call, BOTH).await.unwrap();
        }
    }
    until("all effects", async || world.count("select count(*) from effects").await == 300).await;
    for (consumer, expected) in [("all", (1..=10).collect::<Vec<i64>>()), ("some", vec![2, 4, 6, 8, 10])] {
        world.settled(consumer).await;
        let effects = world.effects(consumer).await;
        assert_eq!(effects.len(), calls.len());
        assert!(effects.values().all(|versions| *versions == expected), "{consumer}: {effects:?}");
    }
    trigger.request();
    for task in relays.into_iter().chain([all, some]) {
        task.await.unwrap();
    }
    assert_eq!(world.count("select count(*) from outbox.events where published_at is null").await, 0);
}

#[tokio::test]
async fn events_of_a_rolled_back_transaction_do_not_exist() {
    let world = World::new().await;
    let call = world.call();
    world::write(&world.pool, &world.entropy, &world.clock, call, BOTH, false).await.unwrap();
    world.write(call, &["call_opened"]).await.unwrap();
    assert_eq!(world.count("select count(*) from outbox.events").await, 1);
    assert_eq!(world.count("select version from outbox.events").await, 1);
}

#[tokio::test]
async fn the_wire_carries_what_a_stranger_needs() {
    let world = World::new().await;
    outbox::ensure_stream(&world.jetstream, world::SOURCE).await.unwrap();
    let mut heard = world.nats.client().await.unwrap().subscribe("alcove.>").await.unwrap();
    let traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let (trigger, shutdown) = Shutdown::manual();
    let relay = tokio::spawn(world.relay().run(shutdown));

    let call = world.call();
    let mut tx = world.pool.begin().await.unwrap();
    let event = NewEvent::new("call_opened", call, "wmp".parse().unwrap(), Trace::parse(traceparent), &());
    outbox::write_in_tx(&mut tx, &world.entropy, world.clock.now(), [event]).await.unwrap();
    tx.commit().await.unwrap();

    let message = heard.next().await.unwrap();
    assert_eq!(message.subject.as_str(), "alcove.intake.v1.call_opened.wmp");
    let headers = message.headers.unwrap();
    let header = |name: &str| headers.get(name).map(|value| value.as_str().to_owned()).unwrap_or_default();
    assert_eq!(header("Nats-Msg-Id"), header("ce-id"));
    assert_eq!(header("ce-specversion"), "1.0");
    assert_eq!(header("ce-type"), "alcove.intake.v1.call_opened");
    assert_eq!(header("ce-source"), "/alcove/intake");
    assert_eq!(header("ce-subject"), call.to_string());
    assert_eq!(header("ce-force"), "wmp");
    assert_eq!(header("ce-callversion"), "1");
    assert_eq!(header("traceparent"), traceparent);
    assert!(!header("ce-time").is_empty());

    trigger.request();
    relay.await.unwrap();
}
