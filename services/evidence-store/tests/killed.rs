//! kill -9 in the middle of every step of a seal: a lock in the database holds the process there until it is dead. Whatever was under
//! way is done again by the next process, and every exhibit is sealed once, with one leaf.

use crate::support::*;
use api::evidence::v1::ExhibitSealed;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use testkit::until;

/// Where the process is held: the table, the event, and when.
const PLACES: [(&str, &str, &str); 11] = [
    ("exhibits", "update", "new.state = 'fenced' and old.state <> new.state"),
    ("exhibits", "update", "new.state = 'manifested' and old.state <> new.state"),
    ("exhibits", "update", "new.state = 'signed' and old.state <> new.state"),
    ("exhibits", "update", "new.state = 'timestamped' and old.state <> new.state"),
    ("log_queue", "delete", "true"),
    ("log_entries", "insert", "true"),
    ("log_checkpoints", "insert", "true"),
    ("log_checkpoints", "update", "new.cosigned is not null"),
    ("exhibits", "update", "new.state = 'logged' and old.state <> new.state"),
    ("exhibits", "update", "new.state = 'sealed' and old.state <> new.state"),
    ("artefacts", "insert", "true"),
];

#[tokio::test]
async fn a_kill_at_every_step_leaves_one_seal_and_one_leaf() {
    let mut room = Room::vouched(&[]).await;
    let others = Others::at(&room.nats).await;
    let mut warden = PgConnection::connect(&room.db.url()).await.unwrap();
    let mut run = async |sql: String| {
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut warden).await.unwrap();
    };
    run("create function hold() returns trigger language plpgsql as $$
         begin perform pg_advisory_lock(4711); perform pg_advisory_unlock(4711); return coalesce(new, old); end $$"
        .into())
    .await;
    let mut calls = Vec::new();
    for (table, event, when) in PLACES {
        run(format!(
            "select pg_advisory_lock(4711);
             create trigger hold before {event} on evidence.{table} for each row when ({when}) execute function hold()"
        ))
        .await;
        let call = room.ended_call(&others, 3).await;
        until(&format!("{event} on {table} when {when}"), async || {
            room.count("select count(*) from pg_locks where locktype = 'advisory' and not granted and objid = 4711")
                .await
                > 0
        })
        .await;
        room.service.kill().await.unwrap();
        // The dead one's transaction is let go, and comes to nothing.
        run(format!("select pg_advisory_unlock(4711); drop trigger hold on evidence.{table}")).await;
        room.restart().await;
        room.sealed(&call).await;
        calls.push(call);
    }
    for call in &calls {
        let events = room.published(call, "exhibit_sealed").await;
        assert_eq!(events.iter().filter(|event| event.name == "exhibit_sealed").count(), 1);
        let sealed: ExhibitSealed = events.last().unwrap().decode();
        let leaves = sqlx::query_scalar::<_, i64>(
            "select count(*) from evidence.log_entries where exhibit_id = $1::uuid and entry like 'alcove seal%'",
        );
        let id = uuid::Uuid::parse_str(&sealed.exhibit_id).unwrap();
        assert_eq!(leaves.bind(id).fetch_one(&room.db.pool()).await.unwrap(), 1);
        let report = room.verified(&sealed.exhibit_id).await;
        assert_eq!(report.outcome(), exhibit::verify::Outcome::Proved, "{report:?}");
    }
    let seals = "select count(*) from evidence.log_entries where entry like 'alcove seal%'";
    assert_eq!(room.count(seals).await, calls.len() as i64);
    assert_eq!(room.count("select count(*) from evidence.log_queue").await, 0);
    // Each look at a package has a leaf, too.
    let leaves = room.count("select count(*) from evidence.log_entries").await;
    until("the tiles", async || room.checkpoint().size == leaves as u64).await;
    room.audit();
}
