//! What can't be handled is set aside with its reason, and nothing waits behind it for long.

use crate::world;
use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use crate::world::{World, effect};
use chassis::Shutdown;
use outbox::{Delivery, Failure, Handler, Tx};
use sqlx::Row;
use testkit::until;

const NAMES: &[&str] = &["good", "poison", "fails", "panics", "swallows", "recovers", "undecodable"];

#[derive(Clone, Default)]
struct Fussy {
    tries: Arc<AtomicU32>,
}

impl Handler for Fussy {
    async fn handle(&self, tx: &mut Tx, delivery: &Delivery) -> Result<(), Failure> {
        // An effect that must be rolled back with the failure.
        effect("fussy", tx, delivery).await?;
        match delivery.name.as_str() {
            "poison" => Err(Failure::Poison("a state that can't be".to_owned())),
            "fails" => Err(Failure::Retry("never works".into())),
            "panics" => panic!("in the handler"),
            "recovers" if self.tries.fetch_add(1, Ordering::SeqCst) < 3 => Err(Failure::Retry("not yet".into())),
            "swallows" => {
                // A handler's bug: the transaction has failed, and it says that all is well.
                let _ = sqlx::query("select no_such_column from effects").execute(&mut **tx).await;
                Ok(())
            }
            "undecodable" => {
                delivery.decode::<api::intake::v1::TransferRequested>()?;
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

#[tokio::test]
async fn poison_is_parked_and_the_rest_goes_on() {
    let world = World::new().await;
    let (trigger, shutdown) = Shutdown::manual();
    let relay = tokio::spawn(world.relay().run(shutdown.clone()));
    let consumer = tokio::spawn(world.consumer("fussy", NAMES).run(shutdown, Fussy::default()));

    let mut calls = Vec::new();
    for name in NAMES {
        let call = world.call();
        world.write(call, &["good", name, "good"]).await.unwrap();
        calls.push((*name, call));
    }
    until("all to be handled", async || {
        world.count("select count(*) from outbox.inbox").await == 3 * i64::try_from(NAMES.len()).unwrap()
    })
    .await;
    world.settled("fussy").await;

    let effects = world.effects("fussy").await;
    for (name, call) in &calls {
        let expected: &[i64] = if ["good", "recovers"].contains(name) { &[1, 2, 3] } else { &[1, 3] };
        assert_eq!(effects[call], expected, "{name}");
    }
    let parked = sqlx::query("select reason, tries, call_id, payload, headers->'ce-type'->>0 from outbox.parked")
        .fetch_all(&world.pool)
        .await
        .unwrap();
    let mut found: Vec<(String, i32, String)> = parked
        .iter()
        .map(|row| {
            let (_, call) = calls.iter().find(|(_, call)| call.uuid() == row.get::<uuid::Uuid, _>(2)).unwrap();
            let name = calls.iter().find(|(_, other)| other == call).unwrap().0;
            assert_eq!(row.get::<Vec<u8>, _>(3), name.as_bytes());
            assert_eq!(row.get::<String, _>(4), format!("alcove.intake.v1.{name}"));
            (name.to_owned(), row.get(1), row.get(0))
        })
        .collect();
    found.sort();
    let reasons: Vec<_> = found.iter().map(|(name, tries, _)| (name.as_str(), *tries)).collect();
    assert_eq!(reasons, [("fails", 5), ("panics", 5), ("poison", 1), ("swallows", 5), ("undecodable", 1)]);
    assert!(found[0].2.contains("never works"), "{found:?}");
    assert!(found[3].2.contains("current transaction is aborted"), "{found:?}");

    trigger.request();
    relay.await.unwrap();
    consumer.await.unwrap();
}

#[tokio::test]
async fn a_message_that_is_no_event_is_parked_once() {
    let world = World::new().await;
    outbox::ensure_stream(&world.jetstream, world::SOURCE).await.unwrap();
    let publish = world.jetstream.publish("alcove.intake.v1.good.wmp", "who am I".into());
    publish.await.unwrap().await.unwrap();
    let (trigger, shutdown) = Shutdown::manual();
    let consumer = tokio::spawn(world.consumer("fussy", NAMES).run(shutdown, Fussy::default()));
    until("it to be parked", async || world.count("select count(*) from outbox.parked").await == 1).await;
    world.settled("fussy").await;
    let row = sqlx::query("select reason, payload, event_id from outbox.parked").fetch_one(&world.pool).await.unwrap();
    assert_eq!(row.get::<String, _>(0), "no headers");
    assert_eq!(row.get::<Vec<u8>, _>(1), b"who am I");
    assert_eq!(row.get::<Option<uuid::Uuid>, _>(2), None);
    trigger.request();
    consumer.await.unwrap();
}
