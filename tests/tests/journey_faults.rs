//! Whatever is away comes back; meanwhile the two go on talking, and not an acknowledged second is lost.

use std::time::Duration;

use alcove_tests::{
    desk::{AcceptedCall, Desk, FORCE},
    media_probe::Probe,
    package::exhibit_of,
};
use api::intake::v1::call_update::Kind;
use testkit::{
    StackOptions,
    phone::{Phone, join},
};

const PATIENCE: Duration = Duration::from_secs(40);

/// Two synthetic phones in a call that the control room sees joined.
struct Talk {
    call: AcceptedCall,
    officer: Phone,
    caller: Phone,
    caller_id: String,
}

impl Talk {
    async fn begin(desk: &Desk, incident: &str) -> Self {
        let mut call = desk.accepted_call(incident, "pc.faults").await.unwrap();
        let mut officer = call.officers_phone().await.unwrap();
        let code = call.officer.invite(&call.call.call_id).await.unwrap().code;
        let pass = join(&desk.stack.caller_page(), &code).await.unwrap();
        let caller_id = pass.participant_id.clone();
        let mut caller = Phone::new(pass);
        caller.publish().await.unwrap();
        officer.watch(&caller_id).await.unwrap();
        call.watch.until(|kind| matches!(kind, Kind::CallerJoined(_))).await.unwrap();
        Self { call, officer, caller, caller_id }
    }

    /// Waits until the officer has seen this many more frames of the caller: the clip has 15 a second.
    async fn goes_on(&self, frames: u64) {
        let before = self.officer.received(&self.caller_id).video_frames;
        self.officer
            .wait_for(&self.caller_id, PATIENCE, |received| received.video_frames >= before + frames)
            .await
            .unwrap();
    }

    /// Ends the call, and checks that the exhibit has all of what the caller's phone sent.
    async fn ends_whole(mut self, desk: &Desk) {
        let sent = self.caller.sent().video_frames;
        self.call.officer.end(&self.call.call.call_id).await.unwrap();
        self.call.sealed().await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let package = desk.verified_package(&self.call.call.call_id, &folder.path().join("package")).await.unwrap();
        let manifest = std::fs::read(package.join("bag/data/manifest.json")).unwrap();
        assert_eq!(exhibit::Manifest::parse(&manifest).unwrap().missing_segments(), 0);
        let recorded = Probe::file(&package.join("bag/data/tracks/caller-1.mkv")).unwrap().video_frames;
        assert!(recorded * 100 >= sent * 98, "{recorded} of {sent} frames");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn evidence_store_killed_in_mid_call_loses_nothing() {
    let mut desk = Desk::open(StackOptions::default()).await.unwrap();
    let talk = Talk::begin(&desk, "3001").await;
    talk.goes_on(30).await;
    desk.stack.service_mut("evidence-store").kill().await.unwrap();
    talk.goes_on(45).await;
    desk.stack.service_mut("evidence-store").restart().await.unwrap();
    talk.goes_on(30).await;
    talk.ends_whole(&desk).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nats_away_in_mid_call_only_delays_what_others_hear() {
    let mut desk = Desk::open(StackOptions::default()).await.unwrap();
    let mut talk = Talk::begin(&desk, "3002").await;
    desk.stack.nats.stop().await.unwrap();
    talk.goes_on(30).await;
    // The end is decided without NATS; its news waits in the outbox.
    talk.call.officer.end(&talk.call.call.call_id).await.unwrap();
    desk.stack.nats.start().await.unwrap();
    talk.call.watch.until(|kind| matches!(kind, Kind::Ended(_))).await.unwrap();
    talk.call.sealed().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_away_in_mid_call_is_said_and_the_talk_goes_on() {
    let mut desk = Desk::open(StackOptions::default()).await.unwrap();
    let mut talk = Talk::begin(&desk, "3003").await;
    desk.stack.postgres.crash().await.unwrap();
    let refused = talk.call.officer.end(&talk.call.call.call_id).await.unwrap_err();
    assert_eq!(refused.code(), tonic::Code::Unavailable, "{refused:?}");
    assert_eq!(chassis::status::reason_of(&refused).as_deref(), Some("DATABASE_UNAVAILABLE"));
    talk.goes_on(30).await;
    desk.stack.postgres.start().await.unwrap();
    talk.goes_on(30).await;
    // The control room's stream broke with the database: it takes it up again where it was.
    let broken = talk.call.watch.until(|_| false).await.unwrap_err();
    assert_eq!(chassis::status::reason_of(&broken).as_deref(), Some("DATABASE_UNAVAILABLE"));
    let seen = talk.call.watch.last_sequence();
    talk.call.watch = desk.control_room.watch(&talk.call.call.call_id, seen).await.unwrap();
    talk.ends_whole(&desk).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn video_session_killed_in_mid_call_loses_no_acknowledged_second() {
    let mut desk = Desk::open(StackOptions::default()).await.unwrap();
    let mut talk = Talk::begin(&desk, "3004").await;
    talk.goes_on(45).await;
    let call_id = talk.call.call.call_id.clone();
    let evidence = desk.way("evidence-store", alcove_tests::package::WHO).unwrap();
    let held = |exhibit: &api::evidence::v1::GetExhibitResponse| {
        exhibit.tracks.iter().map(|track| (track.track.clone(), track.segments)).collect::<Vec<_>>()
    };
    let before = held(&exhibit_of(evidence.clone(), FORCE, &call_id).await.unwrap());
    assert!(before.iter().any(|(_, segments)| *segments > 0), "{before:?}");
    desk.stack.service_mut("video-session").kill().await.unwrap();
    desk.stack.service_mut("video-session").restart().await.unwrap();

    talk.call.officer.end(&call_id).await.unwrap();
    talk.call.sealed().await.unwrap();
    let after = held(&exhibit_of(evidence, FORCE, &call_id).await.unwrap());
    for (track, segments) in &before {
        let now = after.iter().find(|(name, _)| name == track).map_or(0, |(_, segments)| *segments);
        assert!(now >= *segments, "{track} had {segments} segments, has {now}");
    }
    let folder = tempfile::tempdir().unwrap();
    desk.verified_package(&call_id, &folder.path().join("package")).await.unwrap();
}
