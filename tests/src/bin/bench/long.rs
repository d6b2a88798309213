//! How long an exhibit takes to seal, by its length: five minutes, two hours, and a hundred that end at once. What they
//! hold is noise: the seal doesn't look at pictures. What they take on the disk beyond that noise is counted with them.

use std::time::{Duration, Instant};

use alcove_tests::desk::FORCE;
use api::session::v1::{RecordedTrack, Role, SessionEnded};
use chassis::{Clock, Entropy, Trace};
use futures::future::try_join_all;
use ids::{CallId, ForceId, ParticipantId, SessionId};
use outbox::NewEvent;
use sqlx::PgPool;

use crate::{
    Failure,
    append::{Call, TRACKS, opened},
    figures::{Figure, Figures, Target},
    samples::Samples,
    stage::Stage,
};

/// One second of a track at about half a megabit.
const SEGMENT: usize = 64 << 10;
const SHORT: u64 = 5 * 60;
const LONG: u64 = 2 * 60 * 60;
/// Seconds of each of the many.
const MANY_SECONDS: u64 = 10;
const MANY: usize = 100;
/// Segments of a call under way at once.
const WINDOW: usize = 32;
/// In life a call's last second comes a second after the one before it. Here the whole call came in seconds: the store is
/// given as long as this to have read it back, which it does while a real call goes on.
const SETTLE: Duration = Duration::from_secs(10);
const PATIENCE: Duration = Duration::from_secs(60);

/// Measures each in turn.
pub async fn measure(stage: &Stage, figures: &Figures, quick: bool) -> Result<(), Failure> {
    let (long, rounds) = if quick { (SHORT * 2, 1) } else { (LONG, 5) };
    let (mut of_short, mut of_long) = (Samples::default(), Samples::default());
    let before = Disk::used(stage).await?;
    for round in 0..rounds {
        of_short.add(sealed(stage, 1, SHORT).await?.max());
        // One long one says enough of the disk, three of the time.
        if round < 3 {
            of_long.add(sealed(stage, 1, long).await?.max());
        }
    }
    let after = Disk::used(stage).await?;
    let hours = (rounds as u64 * SHORT + rounds.min(3) as u64 * long) as f64 / 3600.0;
    let note = format!(
        "from SessionEnded to ExhibitSealed on the bus, {long} s of 2 tracks over {SHORT} s of 2 tracks, medians of {} and {}: \
         {:.3} s beside {:.3} s (the peer); each exhibit whole {} s before",
        of_long.count(),
        of_short.count(),
        of_long.median(),
        of_short.median(),
        SETTLE.as_secs(),
    );
    let ratio = of_long.median() / of_short.median();
    figures.add(Figure::new("seal_2h_over_5min", ratio, "ratio", Target::AtMost(1.5), note).beside(of_short.median()));

    let many = sealed(stage, MANY, MANY_SECONDS).await?;
    let note = format!(
        "{MANY} exhibits of {MANY_SECONDS} s that end at once; p50 {:.3} s, max {:.3} s, from the first SessionEnded written to \
         each ExhibitSealed on the bus",
        many.median(),
        many.max(),
    );
    figures.add(Figure::new("seal_100_at_once_p99_s", many.percentile(99.0), "s", Target::None, note));

    let media = hours * 3600.0 * (TRACKS.len() * SEGMENT) as f64;
    let overhead = (after.journal - before.journal - media) / hours / 1e6;
    let index = (after.database - before.database) / hours / 1e6;
    let note = format!(
        "journal beyond the media, MB per hour of a call of 2 tracks with a segment a second each; and {index:.1} MB of \
         Postgres; the media itself (the peer) at {} KiB a segment",
        SEGMENT >> 10
    );
    let figure = Figure::new("overhead_mb_per_h", overhead, "MB/h", Target::None, note);
    figures.add(figure.beside(media / hours / 1e6));
    Ok(())
}

/// So many exhibits of so many seconds, all ended at once: how long each took to be sealed.
async fn sealed(stage: &Stage, count: usize, seconds: u64) -> Result<Samples, Failure> {
    let mut calls = opened(stage, count, SEGMENT).await?;
    let all = seconds * TRACKS.len() as u64;
    for some in calls.chunks_mut(10) {
        try_join_all(some.iter_mut().map(|call| call.flat_out(WINDOW, |sent| sent < all))).await?;
    }
    tokio::time::sleep(SETTLE).await;
    let pool = PgPool::connect(&stage.desk.stack.postgres.url_of_all("video_session")).await?;
    let began = Instant::now();
    end(&pool, &calls, seconds).await?;
    let mut took = Samples::default();
    for call in &calls {
        let at = stage.heard(&call.id, "exhibit_sealed", PATIENCE).await?;
        let from = if count == 1 { stage.heard(&call.id, "session_ended", PATIENCE).await? } else { began };
        took.add(at.saturating_duration_since(from).as_secs_f64());
    }
    pool.close().await;
    Ok(took)
}

/// Says in video-session's name that these calls have ended: its relay publishes it.
async fn end(pool: &PgPool, calls: &[Call], seconds: u64) -> Result<(), Failure> {
    let (clock, entropy) = (Clock::system(), Entropy::os());
    let force: ForceId = FORCE.parse()?;
    let mut tx = pool.begin().await?;
    for call in calls {
        let now = clock.now();
        let tracks = TRACKS.iter().zip([Role::Caller, Role::Officer]).map(|(track, role)| RecordedTrack {
            track: (*track).to_owned(),
            participant_id: entropy.id::<ParticipantId>(now).to_string(),
            role: role.into(),
            segments: seconds,
        });
        let stamp = prost_types::Timestamp { seconds: now.timestamp(), nanos: 0 };
        let ended = SessionEnded {
            call_id: call.id.clone(),
            force_id: FORCE.into(),
            occurred_at: Some(stamp),
            session_id: entropy.id::<SessionId>(now).to_string(),
            reason: "OFFICER_ENDED".into(),
            started_at: Some(stamp),
            recorded: true,
            tracks: tracks.collect(),
        };
        let id: CallId = call.id.parse()?;
        let event = NewEvent::new("session_ended", id, force.clone(), Trace::current(), &ended);
        outbox::write_in_tx(&mut tx, &entropy, now, [event]).await?;
    }
    Ok(tx.commit().await?)
}

/// Bytes that the evidence store keeps.
struct Disk {
    journal: f64,
    database: f64,
}

impl Disk {
    /// As the index has them: a journal file is longer than what is in it.
    async fn used(stage: &Stage) -> Result<Self, Failure> {
        let pool = PgPool::connect(&stage.desk.stack.postgres.url_of_all("evidence_store")).await?;
        let journal: i64 = sqlx::query_scalar("select coalesce(sum(through), 0)::bigint from evidence.journal_files")
            .fetch_one(&pool)
            .await?;
        let database: i64 = sqlx::query_scalar("select pg_database_size(current_database())").fetch_one(&pool).await?;
        pool.close().await;
        Ok(Self { journal: journal as f64, database: database as f64 })
    }
}
