//! Each binary started, ready, asked to end, gone; and nothing of what it had taken on is lost by that.

use alcove_tests::desk::{Desk, FORCE};
use api::intake::v1::call_update::Kind;
use rustix::process::{Pid, Signal, kill_process};
use testkit::StackOptions;

const SERVICES: [&str; 6] = ["intake", "call-transfer", "video-session", "evidence-store", "referral", "console"];

#[tokio::test(flavor = "multi_thread")]
async fn every_service_is_ready_and_ends_when_asked() {
    let desk = Desk::open(StackOptions::default()).await.unwrap();
    for name in SERVICES {
        let url = format!("{}/readyz", desk.stack.service(name).url("health"));
        let ready = reqwest::get(&url).await.unwrap();
        assert!(ready.status().is_success(), "{name}: {}", ready.text().await.unwrap());
        let log = std::fs::read_to_string(desk.stack.service(name).log_file()).unwrap();
        assert!(!log.contains("ERROR"), "{name}: {log}");
    }
    let ended = desk.stack.stop().await.unwrap();
    // And the witness, which is nobody's service.
    assert_eq!(ended.len(), SERVICES.len() + 1);
    for (name, status) in ended {
        assert!(status.success(), "{name} ended with {status}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_answered_before_the_end_has_its_effect_after_it() {
    let mut desk = Desk::open(StackOptions::default()).await.unwrap();
    let call = desk.control_room.hand_over("0417").await.unwrap();
    // Both at once, with the hand-over just answered: its event may not have left the outbox yet.
    for name in ["intake", "call-transfer"] {
        assert!(desk.stack.service_mut(name).terminate().await.unwrap().success(), "{name}");
    }
    for name in ["call-transfer", "intake"] {
        desk.stack.service_mut(name).restart().await.unwrap();
    }
    let officer = desk.officer("pc.shutdown").unwrap();
    officer.go_free().await.unwrap();
    assert_eq!(officer.next_offer().await.unwrap().call_id, call.call_id);
    let mut watch = desk.control_room.watch(&call.call_id, 0).await.unwrap();
    watch.until(|kind| matches!(kind, Kind::Offered(_))).await.unwrap();

    // Nor does anybody wait for whoever doesn't answer: frozen, connections stay, and nothing comes.
    desk.stack.postgres.freeze().unwrap();
    desk.stack.nats.freeze().unwrap();
    // All at once, or each would be waited for in its turn.
    for (_, service) in desk.stack.services() {
        kill_process(Pid::from_raw(service.pid().try_into().unwrap()).unwrap(), Signal::TERM).unwrap();
    }
    for name in SERVICES {
        let status = desk.stack.service_mut(name).terminate().await.unwrap();
        assert!(status.success(), "{name} ended with {status}: {}", desk.stack.service(name).log());
    }
    desk.stack.nats.thaw().unwrap();
    desk.stack.postgres.thaw().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_goes_on_through_a_restart_of_everything_but_its_media() {
    let mut desk = Desk::open(StackOptions::default()).await.unwrap();
    let mut call = desk.accepted_call("0418", "pc.shutdown").await.unwrap();
    let mut officer = call.officers_phone().await.unwrap();
    let code = call.officer.invite(&call.call.call_id).await.unwrap().code;
    let pass = testkit::phone::join(&desk.stack.caller_page(), &code).await.unwrap();
    let caller_id = pass.participant_id.clone();
    let mut caller = testkit::phone::Phone::new(pass);
    caller.publish().await.unwrap();
    officer.watch(&caller_id).await.unwrap();
    call.watch.until(|kind| matches!(kind, Kind::CallerJoined(_))).await.unwrap();

    for name in ["evidence-store", "referral", "call-transfer"] {
        assert!(desk.stack.service_mut(name).terminate().await.unwrap().success(), "{name}");
        desk.stack.service_mut(name).restart().await.unwrap();
    }
    let before = officer.received(&caller_id).video_frames;
    officer
        .wait_for(&caller_id, std::time::Duration::from_secs(30), |received| received.video_frames > before + 30)
        .await
        .unwrap();

    call.officer.end(&call.call.call_id).await.unwrap();
    call.sealed().await.unwrap();
    let exhibit = alcove_tests::package::exhibit_of(
        desk.way("evidence-store", alcove_tests::package::WHO).unwrap(),
        FORCE,
        &call.call.call_id,
    );
    let exhibit = exhibit.await.unwrap();
    assert_eq!(exhibit.tracks.len(), 2, "{:?}", exhibit.tracks);
    let folder = tempfile::tempdir().unwrap();
    desk.verified_package(&call.call.call_id, &folder.path().join("package")).await.unwrap();
}
