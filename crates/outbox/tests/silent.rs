//! A database that takes connections and says nothing: nobody waits for it past the shutdown, and whoever listens finds out. From when it
//! falls silent, time is tokio's and passes only while nothing else can happen: what is asserted is which limits were waited for.

use std::{net::SocketAddr, time::Duration};

use chassis::{
    Health, Shutdown, Workers,
    config::{Database, Profile},
};
use outbox::{CheckpointKeeper, Relay, Wakeups};
use sqlx::PgPool;
use testkit::{Passage, Proxy};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::oneshot,
    time::{Instant, pause, resume, timeout},
};

use crate::world::{PATIENCE, SOURCE, Slow, World};

const NAMES: &[&str] = &["call_opened"];

/// A pool as a service has it, over a network of its own.
async fn over_a_network(world: &World) -> (PgPool, Proxy, String) {
    let (network, url) = world.database.network().await.unwrap();
    let settings = Database { url: ids::Secret::new(url.clone()), max_connections: 5 };
    (outbox::pg_pool(&settings, Profile::Dev).await.unwrap(), network, url)
}

/// Leads the first connection on; the second is given out, and nothing is ever said on it.
async fn past_the_first(far: SocketAddr) -> (SocketAddr, oneshot::Receiver<TcpStream>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (silent, second) = oneshot::channel();
    tokio::spawn(async move {
        let ((mut near, _), mut far) = (listener.accept().await.unwrap(), TcpStream::connect(far).await.unwrap());
        tokio::spawn(async move { copy_bidirectional(&mut near, &mut far).await });
        silent.send(listener.accept().await.unwrap().0).unwrap();
    });
    (address, second)
}

#[tokio::test]
async fn a_relay_whose_second_connection_is_never_answered_ends_when_asked() {
    let world = World::new().await;
    let (_, network, url) = over_a_network(&world).await;
    let (address, second) = past_the_first(network.address()).await;
    let pool = PgPool::connect_lazy(&url.replace(&network.address().to_string(), &address.to_string())).unwrap();
    let (trigger, shutdown) = Shutdown::manual();
    let relay = tokio::spawn(Relay::new(pool, world.jetstream.clone(), SOURCE).run(shutdown));
    // It has the lead, and is about to listen.
    let _silent = second.await.unwrap();
    pause();
    let since = Instant::now();
    trigger.request();
    timeout(PATIENCE, relay).await.expect("it ends").unwrap();
    assert!(since.elapsed() < Duration::from_secs(1), "it waited for a limit: {:?}", since.elapsed());
}

#[tokio::test]
async fn whoever_is_in_the_middle_of_something_ends_when_asked() {
    let world = World::new().await;
    let (pool, network, _) = over_a_network(&world).await;
    let (client, jetstream) =
        outbox::nats("outbox", &chassis::config::Nats { url: world.nats.url().to_owned(), stream_replicas: 1 }, None)
            .await
            .unwrap();
    let (trigger, shutdown) = Shutdown::manual();
    let (health, wakeups, caught) = (Health::new(), Wakeups::<u32>::default(), Slow::default());
    let mut mine = wakeups.subscribe(1);
    let keeper = CheckpointKeeper::new(pool.clone(), jetstream.clone(), "silent-checkpoints", world.clock.clone());
    let relay = Relay::new(pool.clone(), jetstream.clone(), SOURCE);
    let own = [
        ("relay", tokio::spawn(relay.run(shutdown.clone()))),
        ("health", tokio::spawn(outbox::watch_health(pool.clone(), client, health.clone(), shutdown.clone()))),
        ("wakeups", tokio::spawn(wakeups.run(pool.clone(), ("silent", "silent-watches"), shutdown.clone()))),
        ("checkpoints", tokio::spawn(keeper.run(shutdown.clone()))),
    ];
    let mut workers = Workers::default();
    let consumer = outbox::Consumer::new(pool, jetstream, "caught", SOURCE, NAMES, world.clock.clone());
    workers.spawn("consumer", consumer.run(shutdown, caught.clone()));

    health.ready().await;
    mine.news().await;
    world.write(world.call(), NAMES).await.unwrap();
    caught.started.notified().await;
    network.be(Passage::HalfOpen);
    caught.go_on.notify_one();
    pause();
    trigger.request();
    for (name, ends) in own {
        timeout(PATIENCE, ends).await.unwrap_or_else(|_| panic!("{name} never ends")).unwrap();
    }
    // A handler is waited for, and not for ever.
    timeout(PATIENCE, workers.end()).await.expect("all end");
    resume();
    assert_eq!(world.count("select count(*) from effects").await, 0);
}

#[tokio::test]
async fn whoever_only_listens_finds_out_that_nobody_speaks_any_more() {
    let world = World::new().await;
    let (pool, network, _) = over_a_network(&world).await;
    let (trigger, shutdown) = Shutdown::manual();
    let wakeups = Wakeups::<u32>::default();
    let mut mine = wakeups.subscribe(7);
    let listens = tokio::spawn(wakeups.run(pool, ("silent", "silent-watches"), shutdown));
    mine.news().await;
    let tell = async || sqlx::query("select pg_notify('silent', '7')").execute(&world.pool).await.unwrap();
    tell().await;
    mine.news().await;
    // The connection stays, and nothing comes: nobody is told.
    network.be(Passage::HalfOpen);
    pause();
    timeout(PATIENCE, mine.news()).await.expect("it looks by itself, for it may have missed something");
    resume();
    network.heal();
    // Once for the new line, and once for what is told on it.
    mine.news().await;
    tell().await;
    mine.news().await;
    trigger.request();
    listens.await.unwrap();
}
