//! Clocks that are near and that run out: said once, in order, whatever happens to processes, to the bus and to the time of day.

mod replicas;
mod screens;
mod year;

use std::{path::PathBuf, time::Duration};

use chassis::{Clock, Entropy, ManualClock, Shutdown, Trace, config::Profile, grpc::connect_lazy};
use chrono::{DateTime, TimeDelta, Utc};
use ids::{CallId, ForceId, ReferralId};
use outbox::{Scope, Tx, Wakeups};
use referral::{
    app::{App, Done, On, Start, clocks_of, stop},
    books::Books,
    callers::Callers,
    config,
    domain::clock::{Milestone, Standing},
    records::Records,
    store::{self, Store},
};
use sqlx::PgPool;
use tempfile::TempDir;
use testkit::{Service, TestDatabase};

use crate::desk::FORCE;

const PATIENCE: Duration = Duration::from_secs(30);

/// Clocks that a test can wait for.
const QUICK: &str = r#"
version = "test"
[[clock]]
key = "quick"
title = "Be quick"
source = "a test"
rule = { within_seconds = 2 }
near_seconds = 1
ends_with = "sent"
[[clock]]
key = "later"
title = "Hear from them"
source = "a test"
rule = { within_seconds = 7200 }
near_seconds = 3600
ends_with = "acknowledged"
"#;

/// A database, and the use cases over it in this process.
struct Room {
    db: TestDatabase,
    app: App,
}

impl Room {
    async fn open(clock: impl Into<Clock>) -> Self {
        let db = testkit::database().await;
        Service::migrate("referral", &[("ALCOVE_REFERRAL__DATABASE__URL", &db.url())]).await.unwrap();
        let books = TempDir::new().unwrap();
        // And those that the kinds of referral begin.
        let shipped = include_str!("../clocks.toml").split_once("[[clock]]").unwrap().1;
        std::fs::write(books.path().join("clocks.toml"), format!("{QUICK}[[clock]]{shipped}")).unwrap();
        let app = app(db.pool(), Some(books.path().join("clocks.toml")), clock);
        Self { db, app }
    }

    async fn start(&self, on: &On, key: &str, begun: Start<'_>) {
        let mut tx = self.case(on).await;
        self.app.start_clock(&mut tx, on, key, begun).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// A call's case, locked.
    async fn case(&self, on: &On) -> Tx {
        let mut tx = outbox::begin(&self.db.pool(), Scope::Force(&on.force)).await.unwrap();
        let trace = Trace::parse("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
        store::lock_or_begin(&mut tx, &on.force, on.call, &trace).await.unwrap().unwrap();
        tx
    }

    async fn stop(&self, on: &On, done: Done<'_>, at: DateTime<Utc>) {
        let mut tx = self.case(on).await;
        stop(&mut tx, on, done, at).await.unwrap();
        tx.commit().await.unwrap();
    }

    async fn standings(&self, on: &On) -> Vec<(String, Standing)> {
        let mut tx = self.case(on).await;
        let clocks = clocks_of(&mut tx, on).await.unwrap();
        clocks.into_iter().map(|clock| (clock.key.clone(), clock.standing())).collect()
    }

    /// Name and call of all events, each call's in their order.
    async fn said(&self) -> Vec<(String, CallId)> {
        let events = "select name, call_id from outbox.events order by call_id, version";
        let events: Vec<(String, uuid::Uuid)> = sqlx::query_as(events).fetch_all(&self.db.pool()).await.unwrap();
        events.into_iter().map(|(name, call)| (name, call.into())).collect()
    }

    async fn version(&self, on: &On) -> i64 {
        let version = "select version from referral.packages where call_id = $1";
        sqlx::query_scalar(version).bind(on.call.uuid()).fetch_one(&self.db.pool()).await.unwrap()
    }

    /// So many calls with the clock "later", due a second after each other, in another order than that of their ids.
    async fn fill(&self, count: i32, started: DateTime<Utc>) {
        let fill = "with calls as (
                insert into referral.packages (call_id, force_id, facts, trace)
                select gen_random_uuid(), $1, '{}', '' from generate_series(1, $2) returning call_id),
            numbered as (select call_id, row_number() over () as n from calls)
            insert into referral.clocks (id, call_id, force_id, key, title, source, ends_with, started_at, near_at, due_at)
            select gen_random_uuid(), call_id, $1, 'later', 'Hear from them', 'a test', 'acknowledged',
                   $3, $3 + n * interval '1 second' - interval '1 millisecond', $3 + n * interval '1 second' from numbered";
        sqlx::query(fill).bind(FORCE).bind(count).bind(started).execute(&self.db.pool()).await.unwrap();
    }
}

fn app(pool: PgPool, clocks: Option<PathBuf>, clock: impl Into<Clock>) -> App {
    let clock = clock.into();
    let books = Books::read(&config::Books { clocks, ..Default::default() }, Profile::Dev, clock.now()).unwrap();
    // Nobody drafts a statement or asks for a number here, so there is nobody to ask for them.
    let nobody = || connect_lazy("http://127.0.0.1:1", None).unwrap();
    let others = (Records::new(nobody(), Entropy::os()), Callers::new(nobody()));
    App::new(Store::new(pool), books, clock, Entropy::os(), Wakeups::default(), others)
}

/// A clock of a call that is known.
pub async fn begun(pool: &PgPool, force: &str, call: &str) {
    let on = On { force: force.parse().unwrap(), call: call.parse().unwrap() };
    let mut tx = outbox::begin(pool, Scope::Force(&on.force)).await.unwrap();
    let app = app(pool.clone(), None, Clock::system());
    app.start_clock(&mut tx, &on, "photographs", from(Clock::system().now())).await.unwrap();
    tx.commit().await.unwrap();
}

fn call() -> On {
    On { force: FORCE.parse::<ForceId>().unwrap(), call: Entropy::os().id(Clock::system().now()) }
}

fn from(from: DateTime<Utc>) -> Start<'static> {
    Start { referral: None, area: None, from }
}

fn utc(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

#[tokio::test]
async fn each_is_said_once_as_its_time_comes_and_clocks_that_jump_say_nothing_twice() {
    let hands = ManualClock::new(utc("2026-10-25T00:30:00Z"));
    let room = Room::open(hands.clone()).await;
    let (ours, jumped) = (call(), call());
    room.start(&ours, "later", from(hands.now())).await;
    // Start again for the same it is the one that runs.
    room.start(&ours, "later", from(hands.now() + TimeDelta::minutes(30))).await;
    assert_eq!(room.app.tick().await.unwrap(), Some(hands.now() + TimeDelta::hours(1)));
    assert_eq!(room.said().await, []);

    hands.advance(Duration::from_secs(3_600));
    let version = room.version(&ours).await;
    assert_eq!(room.app.tick().await.unwrap(), Some(hands.now() + TimeDelta::hours(1)));
    assert_eq!(room.said().await, [("deadline_near".to_owned(), ours.call)]);
    assert_eq!(room.version(&ours).await, version + 1, "who watches the case looks again");
    // Set back and on again.
    hands.set(utc("2026-10-24T00:00:00Z"));
    room.app.tick().await.unwrap();
    hands.set(utc("2026-10-25T01:30:00Z"));
    room.app.tick().await.unwrap();
    assert_eq!(room.said().await.len(), 1);

    // A jump over both moments says both, the near one first.
    room.start(&jumped, "later", from(hands.now())).await;
    hands.advance(Duration::from_secs(1_000_000));
    assert_eq!(room.app.tick().await.unwrap(), None);
    hands.set(utc("2026-10-24T00:00:00Z"));
    assert_eq!(room.app.tick().await.unwrap(), None);
    let mut expected = vec![
        ("deadline_near".to_owned(), ours.call),
        ("deadline_missed".to_owned(), ours.call),
        ("deadline_near".to_owned(), jumped.call),
        ("deadline_missed".to_owned(), jumped.call),
    ];
    expected.sort_by_key(|(_, call)| call.uuid());
    assert_eq!(room.said().await, expected);
    assert_eq!(room.standings(&ours).await, [("later".to_owned(), Standing::Missed)]);
}

#[tokio::test]
async fn what_is_done_stops_the_clocks_that_end_with_it_and_nothing_more_is_said_of_them() {
    let start = utc("2026-11-27T10:00:00Z");
    let hands = ManualClock::new(start);
    let room = Room::open(hands.clone()).await;
    let on = call();
    let referral: ReferralId = Entropy::os().id(start);
    let begun = Start { referral: Some(referral), ..from(start) };
    room.start(&on, "quick", begun).await;
    room.start(&on, "later", begun).await;
    room.start(&on, "later", from(start)).await;
    // Another referral's, and another call's, are nobody's business.
    room.stop(&on, Done::Referral(Entropy::os().id(start), Milestone::Outcome), start).await;
    room.stop(&call(), Done::Referral(referral, Milestone::Outcome), start).await;
    room.stop(&on, Done::Referral(referral, Milestone::Sent), start + TimeDelta::seconds(1)).await;
    let standings = |quick, later, own| {
        let named = |key: &str, standing| (key.to_owned(), standing);
        vec![named("quick", quick), named("later", later), named("later", own)]
    };
    let sorted = async || {
        let mut tx = room.case(&on).await;
        let mut clocks = clocks_of(&mut tx, &on).await.unwrap();
        // Dropped, it would hold the case's lock for a moment longer, and the ticker passes that by.
        tx.rollback().await.unwrap();
        clocks.sort_by_key(|clock| (clock.due_at, clock.referral.is_none()));
        clocks.into_iter().map(|clock| (clock.key.clone(), clock.standing())).collect::<Vec<_>>()
    };
    assert_eq!(sorted().await, standings(Standing::Stopped, Standing::Running, Standing::Running));

    hands.advance(Duration::from_secs(7_200));
    room.app.tick().await.unwrap();
    assert_eq!(room.said().await.len(), 4, "near and missed, of the two that ran");
    // Late; and the first word stays. One that was done before it was due, and is written down after, was in time.
    room.stop(&on, Done::Referral(referral, Milestone::Outcome), hands.now()).await;
    room.stop(&on, Done::Referral(referral, Milestone::Outcome), start).await;
    room.stop(&on, Done::Key("later"), start + TimeDelta::hours(1)).await;
    assert_eq!(sorted().await, standings(Standing::Stopped, Standing::StoppedLate, Standing::Stopped));
    hands.advance(Duration::from_secs(7_200));
    assert_eq!(room.app.tick().await.unwrap(), None);
    assert_eq!(room.said().await.len(), 4);
    let mut tx = room.case(&on).await;
    let unknown = room.app.start_clock(&mut tx, &on, "nothing", from(start)).await.unwrap_err();
    assert!(unknown.to_string().contains("nothing"));
}

#[tokio::test]
async fn many_that_are_due_at_once_are_raised_in_order_in_transactions_of_a_hundred() {
    let hands = ManualClock::new(utc("2026-11-27T12:00:00Z"));
    let room = Room::open(hands.clone()).await;
    room.fill(1_000, utc("2026-11-27T08:00:00Z")).await;
    // Two that share the work, as two replicas do.
    let other = app(room.db.pool(), None, hands.clone());
    let (one, two) = tokio::join!(room.app.tick(), other.tick());
    one.unwrap();
    two.unwrap();
    // What the other held while one looked.
    room.app.tick().await.unwrap();
    let names = "select call_id, array_agg(name order by version) from outbox.events group by call_id";
    let said: Vec<(uuid::Uuid, Vec<String>)> = sqlx::query_as(names).fetch_all(&room.db.pool()).await.unwrap();
    assert_eq!(said.len(), 1_000);
    assert!(said.iter().all(|(_, names)| names == &["deadline_near", "deadline_missed"]), "each once");

    // Alone, batch after batch: what is due earlier is never in a later transaction.
    room.fill(1_000, utc("2026-11-27T09:00:00Z")).await;
    let from: i64 = sqlx::query_scalar("select txid_current()").fetch_one(&room.db.pool()).await.unwrap();
    room.app.tick().await.unwrap();
    let batches = "select xmin::text::bigint from referral.clocks where xmin::text::bigint > $1 order by due_at, id";
    let batches: Vec<i64> = sqlx::query_scalar(batches).bind(from).fetch_all(&room.db.pool()).await.unwrap();
    assert_eq!(batches.len(), 1_000);
    assert!(batches.is_sorted());
    assert!(batches.chunk_by(|a, b| a == b).all(|batch| batch.len() == 100));
}

#[tokio::test]
async fn a_case_that_is_being_worked_on_holds_up_no_other_and_is_raised_after() {
    let hands = ManualClock::new(utc("2026-11-27T10:00:00Z"));
    let room = Room::open(hands.clone()).await;
    let (busy, done, free) = (call(), call(), call());
    for on in [&busy, &done, &free] {
        room.start(on, "quick", from(hands.now())).await;
    }
    hands.advance(Duration::from_secs(2));
    let mut working = room.case(&busy).await;
    let mut stopping = room.case(&done).await;
    stop(&mut stopping, &done, Done::Key("quick"), hands.now() - TimeDelta::seconds(1)).await.unwrap();
    // It waits for nobody, and says that there is more to come.
    assert_eq!(room.app.tick().await.unwrap(), Some(hands.now() - TimeDelta::seconds(1)));
    let both = |on: &On| vec![("deadline_near".to_owned(), on.call), ("deadline_missed".to_owned(), on.call)];
    assert_eq!(room.said().await, both(&free));

    // The running ticker comes back for it by itself.
    let (halt, shutdown) = Shutdown::manual();
    let ticker = tokio::spawn(room.app.clone().run_ticker(shutdown));
    stop(&mut working, &busy, Done::Key("nothing"), hands.now()).await.unwrap();
    stopping.commit().await.unwrap();
    working.commit().await.unwrap();
    testkit::until("the busy case is raised", async || room.said().await.len() == 4).await;
    assert_eq!(room.standings(&done).await, [("quick".to_owned(), Standing::Stopped)]);
    halt.request();
    ticker.await.unwrap();
}

#[tokio::test]
async fn the_ticker_is_woken_by_a_new_clock_and_by_the_next_of_them() {
    let hands = ManualClock::new(utc("2026-11-27T10:00:00Z"));
    let room = Room::open(hands.clone()).await;
    let (halt, shutdown) = Shutdown::manual();
    let ear = tokio::spawn(room.app.clone().hear_due(room.db.pool(), shutdown.clone()));
    let ticker = tokio::spawn(room.app.clone().run_ticker(shutdown));
    let on = call();
    let mut watch = room.app.watch_due(on.force.clone());
    let mut next = async || tokio::time::timeout(PATIENCE, watch.next()).await.expect("news").unwrap().clocks;
    assert_eq!(next().await, []);
    // The ticker sleeps for good: nothing is there that it could wait for.
    room.start(&on, "later", from(hands.now() - TimeDelta::hours(1))).await;
    assert_eq!(next().await[0].deadline.standing(), Standing::Near);
    hands.advance(Duration::from_secs(3_600));
    assert_eq!(next().await[0].deadline.standing(), Standing::Missed);
    room.stop(&on, Done::Key("later"), hands.now()).await;
    assert_eq!(next().await, []);
    halt.request();
    ticker.await.unwrap();
    ear.await.unwrap();
}
