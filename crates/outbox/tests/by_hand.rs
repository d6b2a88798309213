//! What an engineer does by hand, by the statements that docs/operations.md and docs/runbooks.md give: after NATS was lost with its disks,
//! and of an event that was parked.

use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use async_nats::jetstream::stream::Config;
use chassis::Shutdown;
use outbox::{Delivery, Failure, Handler, Tx};
use sqlx::Row;
use testkit::until;

use crate::world::{Effect, World, effect};

const TOLD_AGAIN: &str = "update outbox.events set published_at = null where published_at > now() - interval '1 day'";
const ONE_TOLD_AGAIN: &str = "update outbox.events set published_at = null where event_id = '$EVENT'";
const TAKEN_BACK: &str = "delete from outbox.inbox where consumer = '$CONSUMER' and event_id = '$EVENT'; \
                          delete from outbox.parked where consumer = '$CONSUMER' and event_id = '$EVENT'";

fn says(document: &str, statement: &str) {
    let text = fs::read_to_string(testkit::workspace().join("docs").join(document)).unwrap();
    assert!(text.contains(statement), "{document} says something else than {statement}");
}

#[tokio::test]
async fn what_nats_lost_is_told_again_and_taken_once() {
    says("operations.md", TOLD_AGAIN);
    let mut world = World::new().await;
    let (trigger, shutdown) = Shutdown::manual();
    let relay = tokio::spawn(world.relay().run(shutdown.clone()));
    let first = tokio::spawn(world.consumer("first", &["good"]).run(shutdown.clone(), Effect("first")));
    let call = world.call();
    world.write(call, &["good", "good"]).await.unwrap();
    until("both to be taken", async || world.effects("first").await.get(&call).is_some_and(|had| had == &[1, 2])).await;

    world.nats.lose().await.unwrap();
    sqlx::raw_sql(TOLD_AGAIN).execute(&world.pool).await.unwrap();
    world.write(call, &["good"]).await.unwrap();
    // One who had heard nothing yet hears all of it; one who had, what is new.
    let late = tokio::spawn(world.consumer("late", &["good"]).run(shutdown, Effect("late")));
    for consumer in ["late", "first"] {
        until(consumer, async || world.effects(consumer).await.get(&call).is_some_and(|had| had == &[1, 2, 3])).await;
        world.settled(consumer).await;
        assert_eq!(world.effects(consumer).await[&call], [1, 2, 3], "{consumer}");
    }
    trigger.request();
    for task in [relay, first, late] {
        task.await.unwrap();
    }
}

/// Fails until it is mended.
#[derive(Clone, Default)]
struct Mendable(Arc<AtomicBool>);

impl Handler for Mendable {
    async fn handle(&self, tx: &mut Tx, delivery: &Delivery) -> Result<(), Failure> {
        if delivery.name == "parked" && !self.0.load(Ordering::SeqCst) {
            return Err(Failure::Poison("not understood yet".to_owned()));
        }
        effect("mendable", tx, delivery).await
    }
}

#[tokio::test]
async fn a_parked_event_has_its_effect_once_its_cause_is_gone() {
    says("runbooks.md", TAKEN_BACK);
    says("runbooks.md", ONE_TOLD_AGAIN);
    let world = World::new().await;
    outbox::ensure_stream(&world.jetstream, "intake").await.unwrap();
    let mut stream = world.jetstream.get_stream("ALCOVE_INTAKE").await.unwrap();
    let there = stream.info().await.unwrap().config.clone();
    let (handler, (trigger, shutdown)) = (Mendable::default(), Shutdown::manual());
    let relay = tokio::spawn(world.relay().run(shutdown.clone()));
    let consumer = tokio::spawn(world.consumer("mendable", &["good", "parked"]).run(shutdown, handler.clone()));
    let call = world.call();
    world.write(call, &["good", "parked", "good"]).await.unwrap();
    until("the others", async || world.effects("mendable").await.get(&call).is_some_and(|had| had == &[1, 3])).await;
    let row = sqlx::query("select event_id, consumer from outbox.parked").fetch_one(&world.pool).await.unwrap();
    let (event, name): (uuid::Uuid, String) = (row.get(0), row.get(1));

    handler.0.store(true, Ordering::SeqCst);
    let filled = |statement: &str| statement.replace("$EVENT", &event.to_string()).replace("$CONSUMER", &name);
    sqlx::raw_sql(sqlx::AssertSqlSafe(filled(TAKEN_BACK))).execute(&world.pool).await.unwrap();
    // The ten minutes in which the stream takes it for a second copy are over sooner here.
    let soon = Config { duplicate_window: std::time::Duration::from_millis(100), ..there };
    world.jetstream.update_stream(soon).await.unwrap();
    until("its effect", async || {
        sqlx::raw_sql(sqlx::AssertSqlSafe(filled(ONE_TOLD_AGAIN))).execute(&world.pool).await.unwrap();
        world.effects("mendable").await[&call] == [1, 3, 2]
    })
    .await;
    assert_eq!(world.count("select count(*) from outbox.parked").await, 0);
    trigger.request();
    relay.await.unwrap();
    consumer.await.unwrap();
}
