//! The application in the test's own process, for tests that go from one step of it to the next. The room's process is gone
//! by then, or the journal would not be ours.

use chassis::{Ambient, Clock, Trace, config::load};
use evidence_store::{
    Config,
    app::{App, Notary, Segment, keys, receipt_key},
    config::DEFAULTS,
    domain::{Declaration, Declared},
    journal::{Disk, receipts::Receipts},
    store::Store,
};
use exhibit::Digest;
use ids::{CallId, ExhibitId, ForceId, IncidentRef, TrackName};
use sqlx::PgPool;
use uuid::Uuid;

use super::{FORCE, Room, TRACE, bytes};

/// The room's settings, and these.
pub fn settings(room: &Room, more: &[(&str, &str)]) -> Config {
    let (url, data) = (room.db.url(), room.data.path().display().to_string());
    let own = [("DATABASE__URL", url.as_str()), ("JOURNAL__DATA_DIR", data.as_str())];
    let env = own.iter().chain(more).map(|(key, value)| (format!("ALCOVE_EVIDENCE_STORE__{key}"), (*value).to_owned()));
    load("evidence-store", DEFAULTS, env).unwrap()
}

pub async fn pool(config: &Config) -> PgPool {
    outbox::pg_pool(&config.database, config.profile).await.unwrap()
}

pub fn receipts(config: &Config, ambient: &Ambient) -> Receipts {
    Receipts::new(receipt_key(config, ambient).unwrap(), ambient.clock.clone())
}

pub fn app(config: &Config, pool: PgPool, disk: &Disk, ambient: &Ambient) -> App {
    let store = Store::new(pool);
    let notary = Notary::new(config, ambient, &store).unwrap();
    App::new(config, store, ambient, disk.reader(), notary, keys(config, ambient).unwrap())
}

pub fn force() -> ForceId {
    FORCE.parse().unwrap()
}

pub fn track() -> TrackName {
    "caller-1".parse().unwrap()
}

/// An open exhibit with so many segments.
pub async fn recorded(app: &App, clock: &Clock, call: CallId, segments: u64) -> ExhibitId {
    let incident = IncidentRef::parse("2026-11-24", "1123").unwrap();
    let mut tx = app.begin("test", outbox::Scope::All).await.unwrap();
    let exhibit = app.open(&mut tx, &force(), call, &incident, &Trace::parse(TRACE)).await.unwrap().exhibit.id;
    tx.commit().await.unwrap();
    for seq in 0..segments {
        let data = bytes("caller-1", seq, 5_000);
        let (sha256, data) = (Digest::of(&data), data.into());
        let (starts_at, ends_at) = (clock.now(), clock.now());
        let segment = Segment { force: force(), call, track: track(), seq, sha256, data, starts_at, ends_at };
        let pending = app.append(segment).await.unwrap();
        app.appended(pending).await.unwrap();
    }
    exhibit
}

/// The session of so many segments has ended. Said twice, as events are.
pub async fn ended(app: &App, clock: &Clock, call: CallId, segments: u64) {
    let declared = Declared { participant: Uuid::nil().into(), role: "caller".into(), segments };
    let declaration = Declaration {
        session: Uuid::nil().into(),
        reason: "CALLER_LEFT".into(),
        started_at: None,
        ended_at: clock.now(),
        heard_at: clock.now(),
        recorded: true,
        tracks: [(track(), declared)].into(),
    };
    let mut tx = app.begin("test", outbox::Scope::All).await.unwrap();
    for _ in 0..2 {
        app.session_ended(&mut tx, &force(), call, &declaration).await.unwrap();
    }
    tx.commit().await.unwrap();
}
