//! The database is away from whoever carries a call: after a lease its pages are told to ask whether another knows more, what needs no
//! database is told as ever, and the same streams go on once it is back.

use std::time::Duration;

use testkit::Passage;
use video_session::store::CHANGED;

use crate::rig::{Rig, Time, chat::Ear};

const LEASE: Duration = Duration::from_millis(500);

#[tokio::test]
async fn pages_ask_elsewhere_after_a_lease_whether_the_database_refuses_or_says_nothing() {
    let (database, nats) = tokio::join!(testkit::database(), testkit::nats());
    let (network, url) = database.network().await.unwrap();
    let settings = [("database__url", url), ("instance__lease_ms", LEASE.as_millis().to_string())];
    let rig = Rig::on((database, nats), Time::Real, &settings).await;
    let call = rig.accepted(true).await;
    let (officer, caller) = rig.both(call).await;
    rig.watched(call, |session| session.participants.iter().all(|one| one.connected)).await;
    let tap = async |n, what| assert_eq!(rig.tap(&caller.pass().token, n, what).await.status(), 204);
    let mut caller_s = Ear::open(&rig, &caller.pass().token).await;
    let mut officer_s = Ear::open(&rig, &officer.pass().token).await;
    recorded([&mut caller_s, &mut officer_s], "on").await;

    let mut watching = rig.watch(call).await;
    assert!(watching.message().await.unwrap().is_some());
    network.cut();
    told_to_ask([&mut caller_s, &mut officer_s]).await;
    tap(1, "away").await;
    assert_eq!(officer_s.next("cover").await["covered"], true);
    network.heal();
    Rig::seen(watching, |session| session.covered_since.is_some()).await;
    recorded([&mut caller_s, &mut officer_s], "paused").await;

    let mut watching = rig.watch(call).await;
    assert!(watching.message().await.unwrap().is_some());
    // They look when they hear of a change, so that gets through; and no answer does within a lease.
    network.be(Passage::Slow { delay: LEASE, lost: 0.0 });
    sqlx::query("select pg_notify($1, '')").bind(CHANGED).execute(&rig.database.pool()).await.unwrap();
    told_to_ask([&mut caller_s, &mut officer_s]).await;
    network.be(Passage::HalfOpen);
    tap(2, "back").await;
    assert_eq!(officer_s.next("cover").await["covered"], false);
    tap(1, "corner").await;
    assert_eq!(officer_s.next("call").await["how"], "corner");
    network.heal();
    Rig::seen(watching, |session| session.covered_since.is_none() && session.duress.is_some()).await;
    recorded([&mut caller_s, &mut officer_s], "on").await;
}

async fn told_to_ask(pages: [&mut Ear; 2]) {
    for page in pages {
        page.next("again").await;
    }
}

/// They hear so of the session, by its rows.
async fn recorded(pages: [&mut Ear; 2], how: &str) {
    for page in pages {
        while page.next("session").await["recording"] != how {}
    }
}
