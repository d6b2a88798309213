//! Two workers seal the same exhibits at once, and the clock is wrong: each exhibit is sealed once, and its time is the authority's.

use std::collections::BTreeMap;

use crate::support::*;
use chassis::{Ambient, Clock, Health, ManualClock, Shutdown, Trace, config::load};
use chrono::TimeDelta;
use evidence_store::{
    Config,
    app::{App, Notary, Segment, Step, WaitsFor, receipt_key},
    config::DEFAULTS,
    domain::{Declaration, Declared, State},
    error::Error,
    journal::{Disk, receipts::Receipts},
    store::{Key, Store, Wake},
};
use exhibit::{
    Digest,
    seal::CheckedSeal,
    timestamp::{TsaRoots, verify},
    verify::CLOCK_TOLERANCE,
};
use ids::{CallId, ExhibitId, ForceId, IncidentRef};
use sqlx::postgres::PgListener;
use uuid::Uuid;

fn force() -> ForceId {
    FORCE.parse().unwrap()
}

fn receipts(config: &Config, ambient: &Ambient) -> Receipts {
    Receipts::new(receipt_key(config, ambient).unwrap(), ambient.clock.clone())
}

/// The settings of a room whose own process is gone, with the log's tiles in a folder of this name.
fn settings(room: &Room, tiles: &str) -> Config {
    let roots = room.data.path().join("tsa-roots.pem");
    std::fs::write(&roots, room.tsa().roots_pem()).unwrap();
    let at = |name: &str| room.data.path().join(name).display().to_string();
    let env = [
        ("DATABASE__URL", room.db.url()),
        ("JOURNAL__DATA_DIR", room.data.path().display().to_string()),
        ("TIMESTAMPING__URL", room.tsa().url()),
        ("TIMESTAMPING__ROOTS_FILE", at("tsa-roots.pem")),
        ("LOG__DIR", at(tiles)),
        ("LOG__KEY_FILE", at("log/dev-log.key")),
    ];
    let env = env.map(|(key, value)| (format!("ALCOVE_EVIDENCE_STORE__{key}"), value));
    load("evidence-store", DEFAULTS, env).unwrap()
}

async fn worker(config: &Config, disk: &Disk, ambient: &Ambient) -> App {
    let store = Store::new(outbox::pg_pool(&config.database, config.profile).await.unwrap());
    let notary = Notary::new(config, ambient, &store).unwrap();
    let keys = evidence_store::app::keys(config, ambient).unwrap();
    App::new(config, store, ambient, disk.reader(), notary, keys)
}

/// An exhibit with four segments, whose session has ended.
async fn ended(app: &App, clock: &Clock) -> ExhibitId {
    let call: CallId = fresh().parse().unwrap();
    let incident = IncidentRef::parse("2026-11-24", "1123").unwrap();
    let mut tx = app.begin("test", outbox::Scope::All).await.unwrap();
    let exhibit = app.open(&mut tx, &force(), call, &incident, &Trace::parse(TRACE)).await.unwrap().exhibit.id;
    tx.commit().await.unwrap();
    for seq in 0..4 {
        let data = bytes("caller-1", seq, 5_000);
        let segment = Segment {
            force: force(),
            call,
            track: "caller-1".parse().unwrap(),
            seq,
            sha256: Digest::of(&data),
            data: data.into(),
            starts_at: clock.now(),
            ends_at: clock.now(),
        };
        let pending = app.append(segment).await.unwrap();
        app.appended(pending).await.unwrap();
    }
    let declared = Declared { participant: Uuid::nil().into(), role: "caller".into(), segments: 4 };
    let declaration = Declaration {
        session: Uuid::nil().into(),
        reason: "CALLER_LEFT".into(),
        started_at: None,
        ended_at: clock.now(),
        heard_at: clock.now(),
        recorded: true,
        tracks: BTreeMap::from([("caller-1".parse().unwrap(), declared)]),
    };
    let mut tx = app.begin("test", outbox::Scope::All).await.unwrap();
    app.session_ended(&mut tx, &force(), call, &declaration).await.unwrap();
    tx.commit().await.unwrap();
    exhibit
}

/// What a sealing worker is told when somebody's transaction commits.
async fn news(room: &Room) -> PgListener {
    let mut news = PgListener::connect_with(&room.db.pool()).await.unwrap();
    news.listen(Wake::CHANNEL).await.unwrap();
    news
}

/// Waits for what a step waits for.
async fn rest(what: WaitsFor, news: &mut PgListener, app: &App) {
    match what {
        WaitsFor::Log => {
            // As a worker that listens does.
            app.log().wake.notify_one();
            news.recv().await.unwrap();
        }
        // It is left alone for that long, whoever asks.
        WaitsFor::Authority(pause) => tokio::time::sleep(pause).await,
        WaitsFor::Parent => panic!("none of these is an addendum"),
    }
}

/// Takes an exhibit as far as `Sealed`, whoever else does.
async fn seal(app: App, exhibit: ExhibitId, mut news: PgListener) {
    let sealing = async {
        loop {
            match app.step(exhibit).await {
                Ok(Step::Sealed) => return,
                // This worker has no journal to tell.
                Ok(Step::Done) | Err(Error::Starting) => {}
                Ok(Step::Waits(what)) => rest(what, &mut news, &app).await,
                other => panic!("{other:?}"),
            }
        }
    };
    tokio::time::timeout(PATIENCE, sealing).await.expect("sealed");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_workers_at_once_make_one_seal_and_one_leaf_of_each_exhibit() {
    let mut room = Room::stamped(&[]).await;
    room.service.kill().await.unwrap();
    let ambient = Ambient::real();
    let first_config = settings(&room, "tiles-1");
    let disk = Disk::lock(&first_config.journal.data_dir).unwrap();
    let first = worker(&first_config, &disk, &ambient).await;
    let second = worker(&settings(&room, "tiles-2"), &disk, &ambient).await;
    for app in [&first, &second] {
        app.log().compare(&room.nats.jetstream().await.unwrap()).await.unwrap();
    }
    let found = first.recover(&disk).await.unwrap();
    let thread = first.serve(found, disk.clone(), receipts(&first_config, &ambient), 64 << 20, &Health::new()).unwrap();
    let (stop, shutdown) = Shutdown::manual();
    let mut tasks = vec![tokio::spawn(first.index().run(shutdown.clone()))];
    for app in [&first, &second] {
        tasks.push(tokio::spawn(app.log().clone().sequence(shutdown.clone())));
    }

    let mut exhibits = Vec::new();
    for _ in 0..12 {
        let exhibit = ended(&first, &ambient.clock).await;
        // The fence is the journal's, which one process has.
        assert_eq!(first.step(exhibit).await.unwrap(), Step::Done);
        exhibits.push(exhibit);
    }
    let mut sealing = Vec::new();
    for exhibit in &exhibits {
        for app in [&first, &second] {
            sealing.push(tokio::spawn(seal(app.clone(), *exhibit, news(&room).await)));
        }
    }
    for done in sealing {
        done.await.unwrap();
    }
    let once = "select count(*) from evidence.exhibits e where state = 'sealed'
                and (select count(*) from evidence.log_entries l where l.exhibit_id = e.exhibit_id) = 1
                and (select count(*) from outbox.events o where o.call_id = e.call_id and name = 'exhibit_sealed') = 1
                and exists (select from evidence.artefacts a where a.exhibit_id = e.exhibit_id
                            and path = 'proof/seal.p7s' and sha256(content) = e.seal_sha256)";
    assert_eq!(room.count(once).await, exhibits.len() as i64);
    assert_eq!(room.count("select count(*) from evidence.log_entries").await, exhibits.len() as i64);
    stop.request();
    for task in tasks {
        task.await.unwrap();
    }
    first.close().await;
    thread.join().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_an_hour_off_or_goes_back_puts_no_wrong_time_on_a_seal() {
    let mut room = Room::stamped(&[]).await;
    room.service.kill().await.unwrap();
    let config = settings(&room, "log");
    let real = Ambient::real();
    let manual = ManualClock::new(real.clock.now());
    let ambient = Ambient { clock: manual.clone().into(), ..real.clone() };
    let disk = Disk::lock(&config.journal.data_dir).unwrap();
    let app = worker(&config, &disk, &ambient).await;
    app.log().compare(&room.nats.jetstream().await.unwrap()).await.unwrap();
    let found = app.recover(&disk).await.unwrap();
    let thread = app.serve(found, disk.clone(), receipts(&config, &ambient), 64 << 20, &Health::new()).unwrap();
    let (stop, shutdown) = Shutdown::manual();
    let index = tokio::spawn(app.index().run(shutdown.clone()));
    let sequencer = tokio::spawn(app.log().clone().sequence(shutdown));

    let mut news = news(&room).await;
    let roots = TsaRoots::from_pem(room.tsa().roots_pem()).unwrap();
    // How far off the clock is at each step: fast, slow, and jumping.
    let hours: [[i64; 6]; 3] = [[1; 6], [-1; 6], [0, 1, -1, 1, -1, 1]];
    for offsets in hours {
        manual.set(real.clock.now());
        let exhibit = ended(&app, &ambient.clock).await;
        let began = real.clock.now();
        for offset in offsets {
            manual.set(real.clock.now() + TimeDelta::hours(offset));
            let before = app.get(&force(), Key::Exhibit(exhibit)).await.unwrap().exhibit;
            if before.state.name() == "signed" {
                // The authority's time and ours can't both be right: somebody has to see to it first.
                assert!(matches!(app.step(exhibit).await.unwrap(), Step::Waits(WaitsFor::Authority(_))));
                let waits_for = app.get(&force(), Key::Exhibit(exhibit)).await.unwrap().waits_for;
                assert!(waits_for.starts_with("the timestamp says"), "{waits_for}");
                manual.set(real.clock.now());
                if matches!(before.state, State::Signed(signed) if signed.at > real.clock.now()) {
                    // Signed by the fast clock: a signature of a time that has come takes its place.
                    assert_eq!(app.step(exhibit).await.unwrap(), Step::Done);
                }
            }
            let step = async {
                loop {
                    match app.step(exhibit).await.unwrap() {
                        Step::Done => return,
                        Step::Waits(what) => rest(what, &mut news, &app).await,
                        other => panic!("{other:?}"),
                    }
                }
            };
            tokio::time::timeout(PATIENCE, step).await.expect("one step further");
        }
        let sealed = app.get(&force(), Key::Exhibit(exhibit)).await.unwrap().exhibit;
        let State::Sealed(sealed) = sealed.state else { panic!("{}", sealed.state.name()) };
        let token = sealed.logged.timestamped.token.unwrap();
        let signature: Vec<u8> = sqlx::query_scalar("select signature from evidence.exhibits where exhibit_id = $1")
            .bind(exhibit.uuid())
            .fetch_one(&room.db.pool())
            .await
            .unwrap();
        // The authority's time, to its accuracy of a second, and nobody else's.
        let stamped = verify(&token, &signature, &roots).unwrap().gen_time;
        assert!(
            stamped > began - TimeDelta::seconds(2) && stamped < real.clock.now() + TimeDelta::seconds(2),
            "{stamped}"
        );
        // Or no verifier would take it, for ever.
        let signed = CheckedSeal::open(&signature).unwrap().signing_time();
        assert!(signed < stamped + CLOCK_TOLERANCE, "signed at {signed}, and stamped before, at {stamped}");
    }
    stop.request();
    index.await.unwrap();
    sequencer.await.unwrap();
    app.close().await;
    thread.join().unwrap();
}
