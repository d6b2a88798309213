//! NATS or Postgres away, a leader gone, a shutdown in the middle: nothing is lost, nothing is counted against an event.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use crate::world::{Effect, Slow, World, effect};
use chassis::{Health, Shutdown};
use outbox::{Delivery, Failure, Handler, Tx, is_away};
use sqlx::{Connection, PgConnection};
use testkit::until;
use tokio::{io::AsyncReadExt, net::TcpListener};

const NAMES: &[&str] = &["call_opened"];

#[tokio::test]
async fn what_was_written_while_nats_was_away_comes_when_it_is_back() {
    let mut world = World::new().await;
    world.nats.stop().await.unwrap();
    let (trigger, shutdown) = Shutdown::manual();
    let relay = tokio::spawn(world.relay().run(shutdown.clone()));
    let consumer = tokio::spawn(world.consumer("all", NAMES).run(shutdown, Effect("all")));
    let call = world.call();
    for _ in 0..5 {
        world.write(call, NAMES).await.unwrap();
    }
    world.nats.start().await.unwrap();
    until("the effects", async || world.effects("all").await.get(&call) == Some(&vec![1, 2, 3, 4, 5])).await;
    trigger.request();
    relay.await.unwrap();
    consumer.await.unwrap();
}

/// Says that something is away more often than a failing event may be tried.
#[derive(Clone, Default)]
struct AwayForLong(Arc<AtomicU32>);

impl Handler for AwayForLong {
    async fn handle(&self, tx: &mut Tx, delivery: &Delivery) -> Result<(), Failure> {
        effect("all", tx, delivery).await?;
        if self.0.fetch_add(1, Ordering::SeqCst) < 8 {
            return Err(Failure::of(sqlx::Error::PoolTimedOut, false));
        }
        Ok(())
    }
}

#[tokio::test]
async fn an_event_whose_needs_are_away_is_never_parked() {
    let world = World::new().await;
    let (trigger, shutdown) = Shutdown::manual();
    let relay = tokio::spawn(world.relay().run(shutdown.clone()));
    let consumer = tokio::spawn(world.consumer("all", NAMES).run(shutdown, AwayForLong::default()));
    let call = world.call();
    world.write(call, &["call_opened", "call_opened"]).await.unwrap();
    until("the effects", async || world.effects("all").await.get(&call) == Some(&vec![1, 2])).await;
    assert_eq!(world.count("select count(*) from outbox.parked").await, 0);
    trigger.request();
    relay.await.unwrap();
    consumer.await.unwrap();
}

#[tokio::test]
async fn a_database_that_is_away_is_told_from_a_wrong_statement() {
    let mut world = World::new().await;
    let wrong = sqlx::query("select nothing").execute(&world.pool).await.unwrap_err();
    assert!(!is_away(&wrong), "{wrong}");
    let settings = chassis::config::Database { url: ids::Secret::new(world.database.url()), max_connections: 2 };
    let pool = outbox::pg_pool(&settings, chassis::config::Profile::Dev).await.unwrap();
    let (client, _) =
        outbox::nats("outbox", &chassis::config::Nats { url: world.nats.url().to_owned(), stream_replicas: 1 }, None)
            .await
            .unwrap();
    let health = Health::new();
    health.set("database", false);
    let (trigger, shutdown) = Shutdown::manual();
    let watching = tokio::spawn(outbox::watch_health(pool.clone(), client, health.clone(), shutdown));
    health.ready().await;

    world.database.stop().await.unwrap();
    let away = sqlx::query("select 1").execute(&pool).await.unwrap_err();
    assert!(is_away(&away), "{away}");
    assert!(outbox::Error::from(away).is_unavailable());
    until("the health check to notice", async || !health.is_ready()).await;

    world.database.start().await.unwrap();
    health.ready().await;
    trigger.request();
    watching.await.unwrap();
}

#[tokio::test]
async fn the_next_relay_takes_over_when_the_leader_goes() {
    let world = World::new().await;
    let (first_trigger, first) = Shutdown::manual();
    let leader = tokio::spawn(world.relay().run(first));
    let published = async || world.count("select count(*) from outbox.events where published_at is not null").await;
    let call = world.call();
    world.write(call, NAMES).await.unwrap();
    until("the first to lead", async || published().await == 1).await;

    let (second_trigger, second) = Shutdown::manual();
    let standby = tokio::spawn(world.relay().run(second));
    first_trigger.request();
    leader.await.unwrap();
    world.write(call, NAMES).await.unwrap();
    until("the second to lead", async || published().await == 2).await;
    second_trigger.request();
    standby.await.unwrap();
}

#[tokio::test]
async fn a_relay_publishes_what_is_there_before_it_ends() {
    let world = World::new().await;
    let (trigger, shutdown) = Shutdown::manual();
    let call = world.call();
    for _ in 0..3 {
        world.write(call, NAMES).await.unwrap();
    }
    let published = async || world.count("select count(*) from outbox.events where published_at is not null").await;
    let relay = tokio::spawn(world.relay().run(shutdown));
    until("it to lead", async || published().await > 0).await;
    world.write(call, NAMES).await.unwrap();
    trigger.request();
    relay.await.unwrap();
    assert_eq!(published().await, 4);
}

#[tokio::test]
async fn a_shutdown_waits_for_the_handler_in_hand_and_gives_the_rest_back() {
    let world = World::new().await;
    let (relay_trigger, relay_shutdown) = Shutdown::manual();
    let relay = tokio::spawn(world.relay().run(relay_shutdown));
    let slow = Slow::default();
    let (trigger, shutdown) = Shutdown::manual();
    let consumer = tokio::spawn(world.consumer("slow", NAMES).run(shutdown, slow.clone()));
    let call = world.call();
    world.write(call, &["call_opened", "call_opened", "call_opened"]).await.unwrap();
    slow.started.notified().await;
    // Longer than the stream waits for a sign of life: it gets one, and gives the event to nobody else.
    let twin = tokio::time::timeout(Duration::from_millis(1_500), slow.started.notified()).await;
    assert!(twin.is_err(), "the handler was called a second time");
    trigger.request();
    assert!(!consumer.is_finished());
    slow.go_on.notify_one();
    consumer.await.unwrap();
    assert_eq!(world.effects("slow").await[&call], [1]);

    let (trigger, shutdown) = Shutdown::manual();
    let consumer = tokio::spawn(world.consumer("slow", NAMES).run(shutdown, Effect("slow")));
    until("the rest", async || world.effects("slow").await[&call] == [1, 2, 3]).await;
    trigger.request();
    relay_trigger.request();
    consumer.await.unwrap();
    relay.await.unwrap();
}

#[tokio::test]
async fn a_connection_that_is_closed_before_the_server_has_said_a_word_is_a_database_that_is_away() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let closing = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        // Whether it may speak TLS is what it is asked first.
        stream.read_exact(&mut [0; 8]).await.unwrap();
    });
    let error = PgConnection::connect(&format!("postgres://nobody@{address}/none")).await.unwrap_err();
    assert!(matches!(error, sqlx::Error::Protocol(_)) && is_away(&error), "{error:?}");
    assert!(!is_away(&sqlx::Error::Protocol("too many parameters".into())), "that is wrong each time");
    closing.await.unwrap();
}
