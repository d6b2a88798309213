//! Who carries a session is decided by the database, whoever asks and however many at once.

use crate::rig;
use std::time::Duration;

use crate::rig::Rig;
use chassis::{Clock, Entropy, Trace};
use chrono::TimeDelta;
use ids::{CallId, IncidentRef, InstanceId, InstanceName, SessionId};
use sqlx::{PgPool, postgres::PgPoolOptions};
use uuid::Uuid;
use video_session::{
    app::{App, Own},
    domain::{Accepted, Door, Instance, Patience, Recording},
    keys::Keys,
    store::{self, Named},
};

const LEASE: Duration = Duration::from_secs(60);

struct One {
    app: App,
    instance: Instance,
}

impl One {
    /// An instance that has been there for a while.
    async fn standing(pool: &PgPool, number: u128, name: &str) -> Self {
        let instance = Instance { id: InstanceId::from(Uuid::from_u128(number)), name: name.parse().unwrap() };
        let mut connection = pool.acquire().await.unwrap();
        store::register(&mut connection, &instance, "http://one.test", LEASE).await.unwrap();
        let long_ago = "update session.instances set since = since - interval '1 hour' where instance_id = $1";
        sqlx::query(long_ago).bind(instance.id.uuid()).execute(&mut *connection).await.unwrap();
        let own = Own { instance: instance.clone(), lease: LEASE };
        let patience = Patience { both_gone: TimeDelta::minutes(1), never_came: TimeDelta::minutes(15) };
        let door = Door { forces: Vec::new(), wrong_a_minute: 20 };
        let keys = Keys::new(&ids::Secret::new("0123456789abcdef0123456789abcdef".to_owned()));
        Self { app: App::new(pool.clone(), Clock::system(), Entropy::os(), keys, (patience, door), own), instance }
    }
}

async fn session(pool: &PgPool, app: &App) -> SessionId {
    let call: CallId = Entropy::os().id(Clock::system().now());
    let accepted = Accepted {
        call,
        force: rig::FORCE.parse().unwrap(),
        officer: rig::OFFICER.parse().unwrap(),
        incident: IncidentRef::parse("2026-11-24", "1123").unwrap(),
        recording: true,
        stills: false,
        covered: false,
        silent: None,
    };
    let mut tx = pool.begin().await.unwrap();
    app.open_session(&mut tx, accepted, &Trace::parse("")).await.unwrap();
    tx.commit().await.unwrap();
    app.find(&rig::FORCE.parse().unwrap(), call).await.unwrap().unwrap().session.id
}

/// Both ask at once: the one that got it, after making sure that the other knows.
async fn race(one: &One, other: &One, session: SessionId) -> InstanceName {
    let both = tokio::join!(one.app.claim(session), other.app.claim(session));
    let (winner, told) = match (both.0.unwrap(), both.1.unwrap()) {
        (None, Some(told)) => (one, told),
        (Some(told), None) => (other, told),
        both => panic!("not one owner: {both:?}"),
    };
    assert_eq!(told.name, winner.instance.name);
    told.name
}

async fn epoch(app: &App, session: SessionId) -> u64 {
    app.look(session).await.unwrap().epoch
}

#[tokio::test(flavor = "multi_thread")]
async fn two_that_ask_at_once_are_never_both_owners() {
    let rig = Rig::alone().await;
    let pool = rig.database.pool();
    let (a, b) = (One::standing(&pool, 1, "a").await, One::standing(&pool, 2, "b").await);
    let mut sessions = Vec::new();
    for _ in 0..100 {
        let session = session(&pool, &a.app).await;
        let owner = race(&a, &b, session).await;
        assert_eq!(epoch(&a.app, session).await, 1);
        assert_eq!(race(&a, &b, session).await, owner, "it stays there");
        sessions.push((session, owner));
    }
    // One of them is gone: what it had is taken over once, by one of those that are left, and the rest stays where it is.
    store::release(&mut pool.acquire().await.unwrap(), a.instance.id).await.unwrap();
    let c = One::standing(&pool, 3, "c").await;
    for (session, owner) in sessions {
        let was_its = owner == a.instance.name;
        let now = race(&b, &c, session).await;
        assert_eq!(epoch(&b.app, session).await, if was_its { 2 } else { 1 });
        assert!(was_its || now == owner);
    }
}

/// Somebody has come, and published.
async fn come(pool: &PgPool, session: SessionId, number: u128) -> Named {
    let somebody = "with new as (update session.sessions set state = 'live' where session_id = $1 returning session_id)
        insert into session.participants (participant_id, session_id, role, token_hash, came_at, admitted_at, publications)
        select $2, session_id, 'caller', sha256(uuid_send($2)), now(), now(), 1 from new";
    let participant = Uuid::from_u128(number);
    sqlx::query(somebody).bind(session.uuid()).bind(participant).execute(pool).await.unwrap();
    Named { session, participant: participant.into() }
}

async fn recording(app: &App, session: SessionId) -> Recording {
    app.look(session).await.unwrap().session.recording
}

#[tokio::test(flavor = "multi_thread")]
async fn who_takes_over_what_it_could_not_watch_begins_with_a_pause() {
    let rig = Rig::alone().await;
    let pool = rig.database.pool();
    let (a, b) = (One::standing(&pool, 1, "a").await, One::standing(&pool, 2, "b").await);
    let (watched, unwatched, empty) =
        (session(&pool, &a.app).await, session(&pool, &a.app).await, session(&pool, &a.app).await);
    for session in [watched, unwatched, empty] {
        assert!(a.app.claim(session).await.unwrap().is_none());
    }
    for (number, session) in [(21, watched), (22, unwatched)] {
        come(&pool, session, number).await;
    }
    // It dies before our eyes.
    store::release(&mut pool.acquire().await.unwrap(), a.instance.id).await.unwrap();
    assert!(b.app.claim(watched).await.unwrap().is_none());
    assert_eq!(recording(&b.app, watched).await, Recording::On, "what it was told it could write down");
    // It died while nobody could renew; since then we have been there for long enough.
    let died = "update session.instances set lease_until = now() - interval '2 hours' where instance_id = $1";
    sqlx::query(died).bind(a.instance.id.uuid()).execute(&pool).await.unwrap();
    for session in [unwatched, empty] {
        assert!(b.app.claim(session).await.unwrap().is_none());
    }
    assert_eq!(recording(&b.app, unwatched).await, Recording::Paused);
    assert_eq!(recording(&b.app, empty).await, Recording::On, "nothing was recorded that could have been stopped");
}

async fn write(app: App, who: Named) {
    app.give_floor(who).await.unwrap().yield_up().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn those_who_wait_for_the_disk_leave_connections_to_the_others() {
    let rig = Rig::alone().await;
    let pool = PgPoolOptions::new().max_connections(4).connect_with((*rig.database.pool().connect_options()).clone());
    let pool = pool.await.unwrap();
    let one = One::standing(&pool, 1, "a").await;
    let mut writers = Vec::new();
    for number in 0..5 {
        let session = session(&pool, &one.app).await;
        assert!(one.app.claim(session).await.unwrap().is_none());
        writers.push(come(&pool, session, 100 + number).await);
    }
    let (first, second) =
        (one.app.give_floor(writers[0]).await.unwrap(), one.app.give_floor(writers[1]).await.unwrap());
    let waiting: Vec<_> = writers[2..].iter().map(|who| tokio::spawn(write(one.app.clone(), *who))).collect();
    for who in &writers {
        one.app.look(who.session).await.unwrap();
    }
    first.yield_up().await.unwrap();
    second.yield_up().await.unwrap();
    for waiting in waiting {
        waiting.await.unwrap();
    }
}
