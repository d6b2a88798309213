//! Exactly once, in order, whatever dies when: random schedules of writes, deaths between any two steps of relay and
//! consumer, second copies, and losses of NATS and Postgres.

use crate::world;
use std::collections::BTreeMap;

use crate::world::{Effect, Mortal, World};
use async_nats::jetstream;
use ids::CallId;
use outbox::probe::Step;
use proptest::{prelude::*, test_runner::TestRunner};
use testkit::until;

const NAMES: &[&str] = &["call_opened", "consent_recorded", "transfer_requested"];
const SOME: &[&str] = &["call_opened", "transfer_requested"];
const CALLS: usize = 3;

#[derive(Debug, Clone)]
enum Op {
    /// A transaction with some events of a call.
    Write { call: usize, names: Vec<usize>, commit: bool },
    /// The relay dies when it next comes to this step.
    KillRelay(Step),
    /// A consumer dies when it next comes to this step.
    KillConsumer { which: usize, step: Step },
    /// An event that was published comes again, so late that the stream takes it for a new one.
    Again { nth: usize },
    /// Time passes until all that was written is published.
    Published,
    /// NATS is killed and comes back.
    Nats,
    /// Postgres is killed and comes back.
    Postgres,
}

fn op() -> impl Strategy<Value = Op> {
    let write = (0..CALLS, prop::collection::vec(0..NAMES.len(), 1..4), prop::bool::weighted(0.9))
        .prop_map(|(call, names, commit)| Op::Write { call, names, commit });
    prop_oneof![
        6 => write,
        3 => prop::sample::select(vec![Step::Claimed, Step::Published, Step::Marked]).prop_map(Op::KillRelay),
        4 => (0..2_usize, prop::sample::select(vec![Step::Received, Step::Claiming, Step::Handled, Step::Committed]))
            .prop_map(|(which, step)| Op::KillConsumer { which, step }),
        2 => (0..50_usize).prop_map(|nth| Op::Again { nth }),
        3 => Just(Op::Published),
        1 => Just(Op::Nats),
        1 => Just(Op::Postgres),
    ]
}

#[test]
fn effects_are_exactly_once_and_in_order_through_any_crash() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(12);
    let mut runner = TestRunner::new(ProptestConfig {
        cases,
        // Each case is some seconds of real servers.
        max_shrink_iters: 20,
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    let schedule = prop::collection::vec(op(), 8..30);
    runner.run(&schedule, |schedule| runtime.block_on(play(&schedule))).unwrap();
}

async fn play(schedule: &[Op]) -> Result<(), TestCaseError> {
    let mut world = World::new().await;
    let relay = Mortal::start({
        let relay = world.relay();
        move |probe, shutdown| relay.clone().probe(probe).run(shutdown)
    });
    let consumers = [("all", NAMES), ("some", SOME)].map(|(durable, names)| {
        let consumer = world.consumer(durable, names);
        Mortal::start(move |probe, shutdown| consumer.clone().probe(probe).run(shutdown, Effect(durable)))
    });

    let calls: Vec<CallId> = (0..CALLS).map(|_| world.call()).collect();
    let mut expected: BTreeMap<CallId, Vec<usize>> = BTreeMap::new();
    for op in schedule {
        match op {
            Op::Write { call, names, commit } => {
                let (call, chosen): (_, Vec<_>) = (calls[*call], names.iter().map(|name| NAMES[*name]).collect());
                world::write(&world.pool, &world.entropy, &world.clock, call, &chosen, *commit).await.unwrap();
                if *commit {
                    expected.entry(call).or_default().extend(names);
                }
            }
            Op::KillRelay(step) => relay.dies_at(*step),
            Op::KillConsumer { which, step } => consumers[*which].dies_at(*step),
            Op::Again { nth } => again(&world, *nth).await,
            Op::Published => published(&world).await,
            Op::Nats => {
                world.nats.stop().await.unwrap();
                world.nats.start().await.unwrap();
            }
            Op::Postgres => {
                world.database.crash().await.unwrap();
                world.database.start().await.unwrap();
                // The pool notices its dead connections one by one.
                until("postgres", async || sqlx::query("select 1").execute(&world.pool).await.is_ok()).await;
            }
        }
    }
    for (durable, names) in [("all", NAMES), ("some", SOME)] {
        let wanted: BTreeMap<CallId, Vec<i64>> = expected
            .iter()
            .map(|(call, written)| {
                let versions = written.iter().zip(1_i64..).filter(|(name, _)| names.contains(&NAMES[**name]));
                (*call, versions.map(|(_, version)| version).collect::<Vec<_>>())
            })
            .filter(|(_, versions)| !versions.is_empty())
            .collect();
        let total = wanted.values().map(Vec::len).sum::<usize>();
        until("all effects", async || world.effects(durable).await.values().map(Vec::len).sum::<usize>() >= total)
            .await;
        if total > 0 {
            world.settled(durable).await;
        }
        prop_assert_eq!(world.effects(durable).await, wanted, "effects of {}", durable);
    }
    prop_assert_eq!(world.count("select count(*) from outbox.parked").await, 0);
    published(&world).await;
    relay.stop().await;
    for consumer in consumers {
        consumer.stop().await;
    }
    Ok(())
}

async fn published(world: &World) {
    let unpublished = "select count(*) from outbox.events where published_at is null";
    until("all to be published", async || world.count(unpublished).await == 0).await;
}

/// Publishes a copy of one of the stream's messages under another message id.
async fn again(world: &World, nth: usize) {
    let Ok(mut stream) = world.jetstream.get_stream("ALCOVE_INTAKE").await else { return };
    let Ok(info) = stream.info().await else { return };
    let last = usize::try_from(info.state.last_sequence).unwrap();
    if last == 0 {
        return;
    }
    let sequence = u64::try_from(nth % last + 1).unwrap();
    let Ok(message) = stream.get_raw_message(sequence).await else { return };
    let mut headers = message.headers;
    headers.insert("Nats-Msg-Id", format!("again-{}", world.call()));
    let sent = world.jetstream.publish_with_headers(message.subject, headers, message.payload).await;
    if let Ok(ack) = sent {
        // Lost with NATS: then it just didn't come again.
        let _: Result<jetstream::publish::PublishAck, _> = ack.await;
    }
}
