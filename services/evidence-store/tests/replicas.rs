//! Two workers seal the same exhibits at once, and the clock is wrong: each exhibit is sealed once, and its time is the authority's.

use crate::support::{
    inside::{app, ended, force, pool, receipts, recorded, settings},
    *,
};
use chassis::{Ambient, Clock, Health, ManualClock, Shutdown};
use chrono::TimeDelta;
use evidence_store::{
    Config,
    app::{App, Step, WaitsFor},
    domain::State,
    error::Error,
    journal::Disk,
    store::{Key, Wake},
};
use exhibit::{
    seal::CheckedSeal,
    timestamp::{TsaRoots, verify},
    verify::CLOCK_TOLERANCE,
};
use ids::ExhibitId;
use sqlx::postgres::PgListener;

/// The settings of a room with an authority, with the log's tiles in a folder of this name.
fn stamped(room: &Room, tiles: &str) -> Config {
    let roots = room.data.path().join("tsa-roots.pem");
    std::fs::write(&roots, room.tsa().roots_pem()).unwrap();
    let at = |name: &str| room.data.path().join(name).display().to_string();
    let more = [
        ("TIMESTAMPING__URL", room.tsa().url()),
        ("TIMESTAMPING__ROOTS_FILE", at("tsa-roots.pem")),
        ("LOG__DIR", at(tiles)),
        ("LOG__KEY_FILE", at("log/dev-log.key")),
    ];
    settings(room, &more.each_ref().map(|(key, value)| (*key, value.as_str())))
}

async fn worker(config: &Config, disk: &Disk, ambient: &Ambient) -> App {
    app(config, pool(config).await, disk, ambient)
}

/// An exhibit with four segments, whose session has ended.
async fn whole(app: &App, clock: &Clock) -> ExhibitId {
    let call = fresh().parse().unwrap();
    let exhibit = recorded(app, clock, call, 4).await;
    ended(app, clock, call, 4).await;
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
    let first_config = stamped(&room, "tiles-1");
    let disk = Disk::lock(&first_config.journal.data_dir).unwrap();
    let first = worker(&first_config, &disk, &ambient).await;
    let second = worker(&stamped(&room, "tiles-2"), &disk, &ambient).await;
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
        let exhibit = whole(&first, &ambient.clock).await;
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
    let config = stamped(&room, "log");
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
        let exhibit = whole(&app, &ambient.clock).await;
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
