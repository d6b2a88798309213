//! Two versions of a service beside each other, for as long as an upgrade takes: an event that only the newer one knows is left to it.

use std::time::Duration;

use crate::world::{SOURCE, World, effect};
use async_nats::jetstream::consumer::{PullConsumer, pull};
use chassis::{Clock, ManualClock, Shutdown};
use outbox::{Consumer, Delivery, Failure, Handler, Tx};
use sqlx::Row;
use testkit::until;

const OLD: &[&str] = &["good"];
const NEW: &[&str] = &["good", "novel"];
const CALLS: i64 = 30;

/// A version that knows these events.
struct Knows(&'static [&'static str]);

impl Handler for Knows {
    async fn handle(&self, tx: &mut Tx, delivery: &Delivery) -> Result<(), Failure> {
        if !self.0.contains(&delivery.name.as_str()) {
            return Err(Failure::Poison("nobody asked for that".to_owned()));
        }
        effect("shared", tx, delivery).await
    }
}

/// What is asked for.
async fn asked_for(world: &World, count: usize) {
    until("the replica to have subscribed", async || {
        let consumer = world.jetstream.get_consumer_from_stream::<pull::Config, _, _>("shared", "ALCOVE_INTAKE").await;
        consumer.is_ok_and(|consumer| consumer.cached_info().config.filter_subjects.len() == count)
    })
    .await;
}

async fn shared(world: &World) -> PullConsumer {
    world.jetstream.get_consumer_from_stream("shared", "ALCOVE_INTAKE").await.unwrap()
}

/// How often anything has been delivered.
async fn deliveries(world: &World) -> u64 {
    shared(world).await.cached_info().delivered.consumer_sequence
}

#[tokio::test]
async fn an_old_replica_that_comes_again_takes_nothing_away_from_the_newer_one() {
    let world = World::new().await;
    outbox::ensure_stream(&world.jetstream, SOURCE).await.unwrap();
    let (_trigger, shutdown) = Shutdown::manual();
    let new = tokio::spawn(world.consumer("shared", NEW).run(shutdown.clone(), Knows(NEW)));
    asked_for(&world, 2).await;
    // It is set up otherwise, too, so that it can be seen to have come.
    let (old_trigger, old_shutdown) = Shutdown::manual();
    let ack_wait = Duration::from_millis(700);
    let old = world.consumer("shared", OLD).ack_wait(ack_wait);
    let old = tokio::spawn(old.run(old_shutdown, Knows(OLD)));
    until("the old replica", async || shared(&world).await.cached_info().config.ack_wait == ack_wait).await;
    asked_for(&world, 2).await;
    old_trigger.request();
    old.await.unwrap();

    let relay = tokio::spawn(world.relay().run(shutdown));
    let call = world.call();
    world.write(call, &["good", "novel", "good"]).await.unwrap();
    until("all to be handled", async || world.count("select count(*) from effects").await == 3).await;
    assert_eq!(world.effects("shared").await[&call], [1, 2, 3]);
    drop((relay, new));
}

#[tokio::test]
async fn an_event_that_only_the_newer_replica_knows_is_left_to_it_and_parked_once_there_is_none() {
    let world = World::new().await;
    let (trigger, shutdown) = Shutdown::manual();
    let (newer_trigger, newer) = Shutdown::manual();
    outbox::ensure_stream(&world.jetstream, SOURCE).await.unwrap();
    let relay = tokio::spawn(world.relay().run(shutdown.clone()));
    let hands = ManualClock::new(world.clock.now());
    let clock = Clock::from(hands.clone());
    let replica = |names| {
        let (pool, jetstream) = (world.pool.clone(), world.jetstream.clone());
        Consumer::new(pool, jetstream, "shared", SOURCE, names, clock.clone()).ack_wait(Duration::from_millis(40))
    };
    let old = tokio::spawn(replica(OLD).run(shutdown, Knows(OLD)));
    until("the old replica", async || {
        world.jetstream.get_consumer_from_stream::<pull::Config, _, _>("shared", "ALCOVE_INTAKE").await.is_ok()
    })
    .await;
    let new = tokio::spawn(replica(NEW).run(newer, Knows(NEW)));
    asked_for(&world, 2).await;

    for _ in 0..CALLS {
        world.write(world.call(), &["good", "novel", "good"]).await.unwrap();
    }
    until("all to be handled", async || world.count("select count(*) from outbox.inbox").await == 3 * CALLS).await;
    world.settled("shared").await;
    assert_eq!(world.count("select count(*) from effects").await, 3 * CALLS, "by whoever knows it");
    assert_eq!(world.count("select count(*) from outbox.parked").await, 0);

    // The upgrade is taken back: it doesn't wait for ever, and what comes after it goes on.
    newer_trigger.request();
    new.await.unwrap();
    let before = deliveries(&world).await;
    let call = world.call();
    world.write(call, &["good", "novel", "good"]).await.unwrap();
    // However often it comes meanwhile: only time says that the newer version isn't only being restarted.
    until("it to have come often", async || deliveries(&world).await > before + 150).await;
    assert_eq!(world.count("select count(*) from outbox.parked").await, 0);
    hands.advance(Duration::from_secs(6 * 60));
    until("it to be parked", async || world.count("select count(*) from outbox.parked").await == 1).await;
    world.settled("shared").await;
    assert_eq!(world.effects("shared").await[&call], [1, 3]);
    let row =
        sqlx::query("select reason, headers->'ce-type'->>0 from outbox.parked").fetch_one(&world.pool).await.unwrap();
    assert_eq!(row.get::<String, _>(0), "no replica knows novel");
    assert_eq!(row.get::<String, _>(1), "alcove.intake.v1.novel");
    trigger.request();
    relay.await.unwrap();
    old.await.unwrap();
}
