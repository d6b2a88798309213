//! A fast-track: told at once, again and to the sergeants until somebody takes it on, whatever happens to intake meanwhile.

use std::time::Duration;

use crate::support::*;
use api::intake::v1::{
    AcknowledgeFastTrackRequest, FastTrackAcknowledged, FastTrackEscalated, FastTrackState, RiskGrade,
    WatchCallRequest, WatchCallResponse, WatchForceRequest, call_update, force_update,
};
use chassis::{Ambient, Clock, Entropy, ManualClock, Shutdown, ShutdownTrigger};
use prost::Message;
use testkit::{TestDatabase, TestNats};
use tokio::task::JoinHandle;
use tonic::{Code, Streaming};

const ID: &str = "01900000-0000-7000-8000-0000000000f1";
const OTHER: &str = "01900000-0000-7000-8000-0000000000f2";
const MINUTE: Duration = Duration::from_secs(60);

/// Intake in this process, for a clock that stands still.
struct Hall {
    _db: TestDatabase,
    nats: TestNats,
    clock: ManualClock,
    client: Client,
    running: (ShutdownTrigger, JoinHandle<()>),
    _dir: tempfile::TempDir,
}

impl Hall {
    async fn open() -> Self {
        let (db, nats) = tokio::join!(testkit::database(), testkit::nats());
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("addresses.json");
        let key = |name: &str| testkit::key("intake", name);
        let env = [
            (key("database__url"), db.url()),
            (key("nats__url"), nats.url().to_owned()),
            (key("grpc__listen"), "127.0.0.1:0".to_owned()),
            (key("health__listen"), "127.0.0.1:0".to_owned()),
            (key("address_file"), file.display().to_string()),
        ];
        let config: intake::config::Config = chassis::config::load("intake", intake::config::DEFAULTS, env).unwrap();
        intake::migrate(config.clone()).await.unwrap();
        let clock = ManualClock::new("2026-11-26T22:00:00Z".parse().unwrap());
        let ambient = Ambient { clock: Clock::from(clock.clone()), entropy: Entropy::os() };
        let (trigger, shutdown) = Shutdown::manual();
        let task = tokio::spawn(async move { intake::run(config, ambient, shutdown).await.unwrap() });
        let addresses = testkit::listening(&file).await.unwrap();
        let client = Client::connect(format!("http://{}", addresses["grpc"])).await.unwrap();
        Self { _db: db, nats, clock, client, running: (trigger, task), _dir: dir }
    }

    async fn close(self) {
        self.running.0.request();
        tokio::time::timeout(PATIENCE, self.running.1).await.expect("it ends").unwrap();
    }
}

/// A call that an officer has, and a watch on it from there.
async fn with_desk(client: &Client, others: &Others, number: &str) -> (String, Streaming<WatchCallResponse>) {
    let mut client = client.clone();
    let call = client.open_call(opening(number)).await.unwrap().into_inner().call_id;
    client.record_triage(triage(&call)).await.unwrap();
    client.record_consent(consent(&call, &[api::intake::v1::ConsentKind::Video])).await.unwrap();
    client.request_transfer(transfer_of(&call)).await.unwrap();
    others.accepted(&call).await;
    let mut watch = watch(&client, &call, 0).await;
    assert_eq!(name(&next(&mut watch).await.unwrap().1), "accepted");
    (call, watch)
}

async fn watch(client: &Client, call: &str, after_sequence: u64) -> Streaming<WatchCallResponse> {
    let request = WatchCallRequest { force_id: FORCE.into(), call_id: call.into(), after_sequence };
    client.clone().watch_call(request).await.unwrap().into_inner()
}

async fn fast_track(watch: &mut Streaming<WatchCallResponse>) -> (u64, call_update::FastTrack) {
    match next(watch).await {
        Some((sequence, call_update::Kind::FastTrack(told))) => (sequence, told),
        other => panic!("something else was told: {:?}", other.map(|(_, kind)| name(&kind))),
    }
}

fn taking(call: &str, id: &str) -> AcknowledgeFastTrackRequest {
    AcknowledgeFastTrackRequest {
        request_id: fresh(),
        force_id: FORCE.into(),
        call_id: call.into(),
        fast_track_id: id.into(),
        taken_by: "CH4411".into(),
        unit: "Alpha 12".into(),
    }
}

#[tokio::test]
async fn unacknowledged_it_is_raised_again_and_to_the_sergeant() {
    let hall = Hall::open().await;
    let others = Others::at(&hall.nats).await;
    let (call, mut watch) = with_desk(&hall.client, &others, "1").await;
    let force = WatchForceRequest { force_id: FORCE.into(), after_sequence: 0 };
    let mut force = hall.client.clone().watch_force(force).await.unwrap().into_inner();

    others.wants_a_unit(&call, ID).await;
    let (sequence, told) = fast_track(&mut watch).await;
    assert_eq!((sequence, told.state(), told.times_raised), (2, FastTrackState::Raised, 1));
    assert_eq!((told.risk(), &*told.reason, &*told.still_item), (RiskGrade::High, "OFFENDER_BACK", "still-2"));
    assert_eq!((&*told.fast_track_id, &*told.officer_id, told.has_location), (ID, "PC1", false));
    assert_eq!(told.requested_at.unwrap().seconds, 1_800_000_000);
    // The same fact again is the same one; then time goes by, and not a second early.
    others.wants_a_unit(&call, ID).await;
    hall.clock.advance(MINUTE - Duration::from_millis(1));
    hall.clock.advance(Duration::from_millis(1));
    let (sequence, told) = fast_track(&mut watch).await;
    assert_eq!((sequence, told.state(), told.times_raised), (3, FastTrackState::RaisedAgain, 2));
    // After an hour away, once.
    hall.clock.advance(60 * MINUTE);
    let (sequence, told) = fast_track(&mut watch).await;
    assert_eq!((sequence, told.times_raised), (4, 3));

    let mut client = hall.client.clone();
    let taken = taking(&call, ID);
    let first = client.acknowledge_fast_track(taken.clone()).await.unwrap().into_inner();
    assert_eq!((&*first.taken_by, &*first.unit), ("CH4411", "Alpha 12"));
    assert_eq!(client.acknowledge_fast_track(taken).await.unwrap().into_inner(), first);
    // Who was first stays.
    let second = AcknowledgeFastTrackRequest { taken_by: "CH9".into(), unit: String::new(), ..taking(&call, ID) };
    assert_eq!(client.acknowledge_fast_track(second).await.unwrap().into_inner(), first);
    let (sequence, told) = fast_track(&mut watch).await;
    assert_eq!((sequence, told.state(), told.times_raised), (5, FastTrackState::Acknowledged, 3));
    assert_eq!((&*told.taken_by, &*told.unit), ("CH4411", "Alpha 12"));

    // Another one, which nobody takes on before the end, and which that doesn't stop; the first is raised no more.
    others.wants_a_unit(&call, OTHER).await;
    assert_eq!(fast_track(&mut watch).await.1.state(), FastTrackState::Raised);
    hall.clock.advance(2 * MINUTE);
    assert_eq!(&*fast_track(&mut watch).await.1.fast_track_id, OTHER);
    others.ended(&call).await;
    assert_eq!(name(&next(&mut watch).await.unwrap().1), "ended");
    hall.clock.advance(MINUTE);
    let (_, told) = fast_track(&mut watch).await;
    assert_eq!((told.state(), told.times_raised, &*told.fast_track_id), (FastTrackState::RaisedAgain, 3, OTHER));
    client.acknowledge_fast_track(taking(&call, OTHER)).await.unwrap();
    assert_eq!(fast_track(&mut watch).await.1.state(), FastTrackState::Acknowledged);

    // The force's own watch has told all of it, and the sergeants hear of each further time.
    let mut states = vec![];
    while states.len() < 8 {
        let told = tokio::time::timeout(PATIENCE, force.message()).await.unwrap().unwrap().unwrap();
        if let Some(force_update::Kind::FastTrack(told)) = told.update.unwrap().kind {
            states.push((told.state(), told.times_raised));
        }
    }
    use FastTrackState::{Acknowledged, Raised, RaisedAgain};
    let as_told = |last| [(Raised, 1), (RaisedAgain, 2), (RaisedAgain, 3), last];
    assert_eq!((&states[..4], &states[4..7]), (&as_told((Acknowledged, 3))[..], &as_told((Raised, 1))[..3]));
    assert_eq!(states[7], (Acknowledged, 3));
    let four = |seen: &[Published]| seen.iter().filter(|event| event.name == "fast_track_escalated").count() == 4;
    let published = published_until(&hall.nats, &call, four).await;
    let escalated = published.iter().filter(|event| event.name == "fast_track_escalated");
    let escalated = escalated.map(|event| FastTrackEscalated::decode(event.payload.as_slice()).unwrap());
    let escalated: Vec<_> =
        escalated.map(|event| (event.fast_track_id, event.times_raised, event.officer_id)).collect();
    let pressed = |id: &str, times| (id.to_owned(), times, "PC1".to_owned());
    assert_eq!(escalated, [pressed(ID, 2), pressed(ID, 3), pressed(OTHER, 2), pressed(OTHER, 3)]);
    let taken = published.iter().find(|event| event.name == "fast_track_acknowledged").unwrap();
    let taken = FastTrackAcknowledged::decode(taken.payload.as_slice()).unwrap();
    assert_eq!((&*taken.taken_by, &*taken.unit, taken.times_raised), ("CH4411", "Alpha 12", 3));
    hall.close().await;
}

#[tokio::test]
async fn it_survives_a_kill_at_every_point() {
    // Quick enough for a test to see it raised again and again.
    let mut room = Room::with(&[("ALCOVE_INTAKE__FAST_TRACK__AGAIN_AFTER_MS", "400")]).await;
    let others = Others::at(&room.nats).await;
    let (call, _) = with_desk(&room.client, &others, "1").await;

    // Before it is heard of.
    room.service.kill().await.unwrap();
    others.wants_a_unit(&call, ID).await;
    room.service.restart().await.unwrap();
    let mut seen = 1;
    // Killed as soon as it is raised, and each time that it is raised again: it is raised again all the same.
    for times in 1..=4 {
        let (sequence, told) = fast_track(&mut watch(&room.client, &call, seen).await).await;
        assert_eq!((sequence, told.times_raised), (seen + 1, times));
        seen = sequence;
        room.service.kill().await.unwrap();
        room.service.restart().await.unwrap();
    }
    // Taken on, and killed on the spot: it stays so, and the answer too.
    let taken = taking(&call, ID);
    let first = room.client.clone().acknowledge_fast_track(taken.clone()).await.unwrap().into_inner();
    room.service.kill().await.unwrap();
    others.ended(&call).await;
    room.service.restart().await.unwrap();
    assert_eq!(room.client.clone().acknowledge_fast_track(taken).await.unwrap().into_inner(), first);
    let mut watch = watch(&room.client, &call, 1).await;
    let mut told = vec![];
    loop {
        match next(&mut watch).await.unwrap() {
            (sequence, call_update::Kind::FastTrack(one)) => {
                assert_eq!(sequence, 2 + told.len() as u64, "no gap, no repeat");
                told.push((one.state(), one.times_raised));
            }
            (_, kind) => {
                assert_eq!(name(&kind), "ended");
                break;
            }
        }
    }
    // Every time once, and nothing after it was taken on.
    let (last, raised) = told.split_last().unwrap();
    assert_eq!(last.0, FastTrackState::Acknowledged);
    assert!(raised.iter().map(|(_, times)| *times).eq(1..=last.1), "{told:?}");
    let published = room.published(&call, "fast_track_acknowledged").await;
    let escalated = published.iter().filter(|event| event.name == "fast_track_escalated").count();
    assert_eq!(escalated, raised.len() - 1);
}

#[tokio::test]
async fn an_acknowledgement_that_is_none_is_named() {
    let room = Room::open().await;
    let others = Others::at(&room.nats).await;
    let (call, mut watch) = with_desk(&room.client, &others, "1").await;
    others.wants_a_unit(&call, ID).await;
    fast_track(&mut watch).await;
    let mut client = room.client.clone();
    let bad = Code::InvalidArgument;
    let nobody = AcknowledgeFastTrackRequest { taken_by: " ".into(), ..taking(&call, ID) };
    refused(client.acknowledge_fast_track(nobody).await, bad, "INVALID_ACKNOWLEDGEMENT");
    let long = AcknowledgeFastTrackRequest { unit: "x".repeat(65), ..taking(&call, ID) };
    refused(client.acknowledge_fast_track(long).await, bad, "INVALID_ACKNOWLEDGEMENT");
    refused(client.acknowledge_fast_track(taking(&call, "one")).await, bad, "MALFORMED_ID");
    refused(client.acknowledge_fast_track(taking(&call, OTHER)).await, Code::NotFound, "UNKNOWN_FAST_TRACK");
    let theirs = AcknowledgeFastTrackRequest { force_id: "kent".into(), ..taking(&call, ID) };
    refused(client.acknowledge_fast_track(theirs).await, Code::NotFound, "UNKNOWN_CALL");
    let another = room.call("2").await;
    refused(client.acknowledge_fast_track(taking(&another, ID)).await, Code::NotFound, "UNKNOWN_FAST_TRACK");
    // Nobody's word has done anything.
    client.acknowledge_fast_track(taking(&call, ID)).await.unwrap();
    assert_eq!(fast_track(&mut watch).await.1.state(), FastTrackState::Acknowledged);
}
