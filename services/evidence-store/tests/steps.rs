//! Sealing interrupted between every two steps, and taken up by the next process: every exhibit is sealed once.

use crate::support::{
    inside::{app, ended, force, pool, receipts, recorded, settings},
    *,
};
use api::evidence::v1::ExhibitSealed;
use chassis::{Ambient, Health, Shutdown};
use evidence_store::{
    app::{Step, WaitsFor},
    domain::State,
    journal::Disk,
    store::Key,
};
use exhibit::verify::Outcome;
use ids::CallId;

/// Steps from open to sealed.
const STEPS: usize = 6;

#[tokio::test(flavor = "multi_thread")]
async fn a_seal_that_was_interrupted_is_taken_up_again() {
    let mut room = Room::open().await;
    room.service.kill().await.unwrap();
    let config = settings(&room, &[]);
    let calls: Vec<CallId> = (0..=STEPS).map(|_| fresh().parse().unwrap()).collect();

    // A process of our own, which stops after so many steps of each.
    let ambient = Ambient::real();
    let disk = Disk::lock(&config.journal.data_dir).unwrap();
    let pool = pool(&config).await;
    let clock = ambient.clock.clone();
    let app = app(&config, pool.clone(), &disk, &ambient);
    let (stop, shutdown) = Shutdown::manual();
    let log = tokio::spawn(app.log().clone().sequence(shutdown.clone()));
    app.log().compare(&room.nats.jetstream().await.unwrap()).await.unwrap();
    let found = app.recover(&disk).await.unwrap();
    let thread = app.serve(found, disk, receipts(&config, &ambient), 64 << 20, &Health::new()).unwrap();
    let index = tokio::spawn(app.index().run(shutdown));
    for (steps, call) in calls.iter().enumerate() {
        let exhibit = recorded(&app, &clock, *call, 4).await;
        ended(&app, &clock, *call, 4).await;
        for _ in 0..steps {
            // The log has to have got its turn first; nobody wakes it here but its own look.
            app.log().wake.notify_one();
            loop {
                match app.step(exhibit).await.unwrap() {
                    Step::Done => break,
                    waits => assert_eq!(waits, Step::Waits(WaitsFor::Log)),
                }
                tokio::task::yield_now().await;
            }
        }
        let exhibit = app.get(&force(), Key::Call(*call)).await.unwrap().exhibit;
        let names = ["open", "fenced", "manifested", "signed", "timestamped", "logged", "sealed"];
        assert_eq!(exhibit.state.name(), names[steps]);
        if let State::Sealed(sealed) = &exhibit.state {
            // No authority is configured: no token, and none made up.
            assert_eq!(sealed.logged.timestamped.token, None);
        }
    }
    app.close().await;
    thread.join().unwrap();
    stop.request();
    index.await.unwrap();
    log.await.unwrap();
    drop(app);
    pool.close().await;

    room.restart().await;
    for call in calls {
        let events = room.published(&call.to_string(), "exhibit_sealed").await;
        let names: Vec<_> = events.iter().map(|event| event.name.as_str()).collect();
        assert_eq!(names, ["exhibit_opened", "exhibit_sealed"]);
        let sealed: ExhibitSealed = events.last().unwrap().decode();
        let report = room.verified(&sealed.exhibit_id).await;
        assert_eq!(report.outcome(), Outcome::InPart, "{report:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_who_seal_at_once_make_one_seal() {
    let room = Room::open().await;
    let others = Others::at(&room.nats).await;
    let call = room.call().await;
    let mut stream = room.append().await;
    for seq in 0..50 {
        stream.send(segment(&call, "caller-1", seq)).await.unwrap();
    }
    others.ended(&call, &[("caller-1", 50)]).await;
    let seal = async || loop {
        let request = api::evidence::v1::SealRequest {
            request_id: fresh(),
            force_id: FORCE.into(),
            call_id: call.clone(),
            ..Default::default()
        };
        match room.client.clone().seal(request).await {
            Ok(answer) => break answer.into_inner().seal_sha256,
            Err(status) => {
                assert_eq!(chassis::status::reason_of(&status).as_deref(), Some("SESSION_NOT_ENDED"));
                tokio::task::yield_now().await;
            }
        }
    };
    let (a, b, c) = tokio::time::timeout(PATIENCE, async { tokio::join!(seal(), seal(), seal()) }).await.unwrap();
    assert!(!a.is_empty() && a == b && b == c);
    let events = room.published(&call, "exhibit_sealed").await;
    assert_eq!(events.last().unwrap().decode::<ExhibitSealed>().seal_sha256, a);
}
