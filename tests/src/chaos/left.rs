//! What nobody is to find the next morning: a panic in a log, an event that waits for a person or was never published, a call that keeps its
//! officer.

use std::{fs, time::Duration};

use sqlx::{Connection, PgConnection};
use tokio::time::{Instant, sleep};

use super::{Outcome, inject::PROCESSES, place::Place, report::Invariant};

/// For what comes by itself.
const PATIENCE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(300);
/// What each of the services with a database may have left, and its words.
const LEFT: [(&str, &str); 2] = [
    ("select count(*) from outbox.parked", "events that wait for a person"),
    ("select count(*) from outbox.events where published_at is null", "events that were never published"),
];
/// The same of one of them alone.
const LEFT_OF_ONE: [(&str, &str, &str); 3] = [
    (
        "call_transfer",
        "select count(*) from transfer.calls where state in ('queued', 'offered', 'accepted')",
        "calls that wait, or keep their officer",
    ),
    ("video_session", "select count(*) from session.sessions where ended_at is null", "sessions that go on"),
    (
        "referral",
        "select count(*) from referral.parcels where state = 'waiting'",
        "letters to partners that wait for another time",
    ),
];
const DATABASES: [&str; 5] = ["intake", "call_transfer", "evidence_store", "referral", "video_session"];

/// Looks for it, once there was time for it to go by itself.
pub(super) async fn behind(place: &Place) -> Outcome<Invariant> {
    let began = Instant::now();
    let mut broken = loop {
        let left = left(place).await?;
        if left.is_empty() || began.elapsed() > PATIENCE {
            break left;
        }
        sleep(PAUSE).await;
    };
    for name in PROCESSES {
        let log = fs::read(place.desk.stack.logs().join(format!("{name}.log")))?;
        let panics = String::from_utf8_lossy(&log).lines().filter(|line| line.contains("panicked at")).count();
        if panics > 0 {
            broken.push(format!("{name} has panicked {panics} times"));
        }
    }
    let evidence = "the logs of all services have no panic; every event was published, and none waits for a person; no call keeps an \
                    officer, no session goes on, no letter waits"
        .to_owned();
    Ok(Invariant { what: "nothing is left behind", evidence, broken })
}

async fn left(place: &Place) -> Outcome<Vec<String>> {
    let mut all = Vec::new();
    for database in DATABASES {
        let mut connection = PgConnection::connect(&place.desk.stack.postgres.url_of_superuser(database)).await?;
        let own = LEFT_OF_ONE.iter().filter(|(of, ..)| *of == database).map(|(_, sql, what)| (*sql, *what));
        for (sql, what) in LEFT.into_iter().chain(own) {
            let count: i64 = sqlx::query_scalar(sql).fetch_one(&mut connection).await?;
            if count > 0 {
                all.push(format!("{database}: {count} {what}"));
            }
        }
    }
    Ok(all)
}
