//! Services keep the log's newest checkpoint, and show it whatever becomes of the bucket.

use crate::world::World;
use api::evidence::v1::CheckpointPublished;
use chassis::{Shutdown, Trace};
use outbox::{CheckpointKeeper, NewEvent, Relay, Shown, shown_checkpoints, watch_checkpoints};
use testkit::until;
use tokio::sync::mpsc;

async fn publish(world: &World, size: u64, note: &str) {
    let checkpoint = CheckpointPublished {
        origin: "evidence.example/log".into(),
        size,
        root: vec![7; 32],
        note: note.into(),
        occurred_at: None,
    };
    let nobody = uuid::Uuid::nil().into();
    let event = NewEvent::new("checkpoint_published", nobody, "log".parse().unwrap(), Trace::none(), &checkpoint);
    let mut tx = world.pool.begin().await.unwrap();
    outbox::write_in_tx(&mut tx, &world.entropy, world.clock.now(), [event]).await.unwrap();
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn the_newest_checkpoint_is_kept_and_shown() {
    let mut world = World::new().await;
    let (stop, shutdown) = Shutdown::manual();
    let relay = Relay::new(world.pool.clone(), world.jetstream.clone(), "evidence");
    tokio::spawn(relay.run(shutdown.clone()));
    let keeper = |name| CheckpointKeeper::new(world.pool.clone(), world.jetstream.clone(), name, world.clock.clone());
    tokio::spawn(keeper("intake-checkpoints").run(shutdown.clone()));
    let (seen, mut watched) = mpsc::channel(16);
    tokio::spawn(watch_checkpoints(world.jetstream.clone(), seen, shutdown.clone()));
    assert_eq!(shown_checkpoints(&world.jetstream).await.unwrap(), []);

    let shown = async || -> Vec<Shown> { shown_checkpoints(&world.jetstream).await.unwrap_or_default() };
    let notes = async || shown().await.into_iter().map(|shown| shown.note).collect::<Vec<_>>();
    publish(&world, 3, "three").await;
    until("the third", async || notes().await == ["three"]).await;
    // An earlier one, however late it comes, is no news; what is no checkpoint harms nobody.
    publish(&world, 2, "two").await;
    publish(&world, 0, "nothing").await;
    publish(&world, 5, "five").await;
    until("the fifth", async || notes().await == ["five"]).await;
    assert_eq!(world.count("select size from outbox.checkpoints").await, 5);
    assert_eq!(world.count("select count(*) from outbox.parked").await, 1);
    assert!(shown().await[0].keeper.starts_with("intake-checkpoints."));
    let mut last = watched.recv().await.unwrap();
    while last.note != "five" {
        last = watched.recv().await.unwrap();
    }

    // Put back to an earlier value, or lost altogether: set right.
    let bucket = world.jetstream.get_key_value("ALCOVE_CHECKPOINTS").await.unwrap();
    bucket.put(&shown().await[0].keeper, "three".into()).await.unwrap();
    until("the fifth again", async || notes().await == ["five"]).await;
    world.jetstream.delete_key_value("ALCOVE_CHECKPOINTS").await.unwrap();
    until("a new bucket", async || notes().await == ["five"]).await;

    // While the bus is away, nothing is forgotten.
    world.nats.stop().await.unwrap();
    publish(&world, 8, "eight").await;
    world.nats.start().await.unwrap();
    until("the eighth", async || {
        shown_checkpoints(&world.jetstream).await.is_ok_and(|shown| shown.iter().any(|shown| shown.note == "eight"))
    })
    .await;
    stop.request();
}
