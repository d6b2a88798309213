//! Processes that are killed, that are two, and that have no bus.

use api::referral::v1::{DeadlineMissed, DeadlineNear};
use async_nats::jetstream::{self, consumer::pull};
use chassis::{Clock, ManualClock};
use chrono::TimeDelta;
use futures::StreamExt;
use prost::Message;
use testkit::{Service, TestNats};

use super::{PATIENCE, Room, call, from};

/// All that referral publishes, from the first.
struct Heard(pull::Ordered);

impl Heard {
    async fn open(nats: &TestNats) -> Self {
        let jetstream = nats.jetstream().await.unwrap();
        outbox::ensure_stream(&jetstream, "referral").await.unwrap();
        let stream = jetstream.get_stream("ALCOVE_REFERRAL").await.unwrap();
        let config = jetstream::consumer::pull::OrderedConfig::default();
        Self(stream.create_consumer(config).await.unwrap().messages().await.unwrap())
    }

    /// Event and clock of the next.
    async fn next(&mut self) -> (String, String) {
        let next = tokio::time::timeout(PATIENCE, self.0.next()).await;
        let message = next.expect("an event").unwrap().unwrap();
        let name = message.subject.split('.').nth(3).unwrap().to_owned();
        let clock = match name.as_str() {
            "deadline_near" => DeadlineNear::decode(message.payload.clone()).unwrap().clock_id,
            "deadline_missed" => DeadlineMissed::decode(message.payload.clone()).unwrap().clock_id,
            other => panic!("{other} is not about a clock"),
        };
        (name, clock)
    }
}

#[tokio::test]
async fn a_deadline_that_passes_while_nobody_runs_is_raised_once_when_somebody_does() {
    let room = Room::open(Clock::system()).await;
    let mut nats = testkit::nats().await;
    let env =
        [("ALCOVE_REFERRAL__DATABASE__URL", room.db.url()), ("ALCOVE_REFERRAL__NATS__URL", nats.url().to_owned())];
    let env = env.each_ref().map(|(key, value)| (*key, value.as_str()));
    let (one, two) = tokio::join!(Service::start("referral", &env), Service::start("referral", &env));
    let (mut one, mut two) = (one.unwrap(), two.unwrap());
    let mut heard = Heard::open(&nats).await;

    // Both see it; one says it.
    let on = call();
    let begun = Clock::system().now();
    room.start(&on, "quick", from(begun)).await;
    let (name, clock) = heard.next().await;
    assert_eq!(name, "deadline_near");
    tokio::try_join!(one.kill(), two.kill()).unwrap();
    // A further one begins and runs out while nobody is there.
    let unseen = call();
    room.start(&unseen, "quick", from(begun - TimeDelta::hours(1))).await;
    Clock::system().sleep_until(begun + TimeDelta::seconds(2)).await;

    // The bus is away at the start: they are raised all the same, and told once it is back.
    nats.stop().await.unwrap();
    tokio::try_join!(one.restart(), two.restart()).unwrap();
    let standing = async |on| room.standings(on).await[0].1;
    testkit::until("both are raised", async || {
        standing(&on).await == super::Standing::Missed && standing(&unseen).await == super::Standing::Missed
    })
    .await;
    assert_eq!(room.said().await.len(), 4, "near and missed of both, each once");
    nats.start().await.unwrap();
    let mut heard = Heard::open(&nats).await;
    let mut told = vec![];
    for _ in 0..4 {
        told.push(heard.next().await);
    }
    let of = |clock: &str| told.iter().filter(|(_, id)| id == clock).map(|(name, _)| name.clone()).collect::<Vec<_>>();
    assert_eq!(of(&clock), ["deadline_near", "deadline_missed"]);
    let (_, unseen) = told.iter().find(|(_, id)| *id != clock).unwrap();
    assert_eq!(of(unseen), ["deadline_near", "deadline_missed"]);
}

#[tokio::test]
async fn two_replicas_say_each_once() {
    let now = Clock::system().now();
    let room = Room::open(ManualClock::new(now)).await;
    room.fill(300, now - TimeDelta::hours(1)).await;
    let url = room.db.url();
    // No bus: what is due doesn't wait for one.
    let env = [("ALCOVE_REFERRAL__DATABASE__URL", url.as_str()), ("ALCOVE_REFERRAL__NATS__URL", "nats://127.0.0.1:1")];
    let (one, two) = tokio::join!(Service::start("referral", &env), Service::start("referral", &env));
    let (_one, _two) = (one.unwrap(), two.unwrap());
    let missed = "select count(*) from referral.clocks where missed_raised_at is not null";
    testkit::until("all are raised", async || {
        sqlx::query_scalar::<_, i64>(missed).fetch_one(&room.db.pool()).await.unwrap() == 300
    })
    .await;
    let said = room.said().await;
    assert_eq!(said.iter().filter(|(name, _)| name == "deadline_near").count(), 300);
    assert_eq!(said.iter().filter(|(name, _)| name == "deadline_missed").count(), 300);
    assert!(said.chunk_by(|a, b| a.1 == b.1).all(|of_call| of_call.len() == 2));
}
