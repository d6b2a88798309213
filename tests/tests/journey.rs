//! The main job, as people do it: a control room hands over, an officer and a caller talk through two real browsers, and
//! what they said becomes an exhibit that decodes, is complete, and is one trace with the call that began it.

use std::{collections::BTreeSet, path::Path, time::Duration};

use alcove_tests::{
    browser::{Browser, Page},
    desk::Desk,
    media_probe::Probe,
    pages::{enter, sign_in},
};
use api::intake::v1::call_update::Kind;
use exhibit::tlog::{
    Checkpoint, Proof,
    note::{SignedNote, VerifierKey},
};
use testkit::{OtlpSink, StackOptions};

/// Keeps what a page says of its own encoder up to the end of the call: afterwards nobody can be asked.
const KEEP_COUNTING: &str = "setInterval(async () => {
    const now = await window.callStats();
    if (now && now.framesEncoded) window.encoded = now.framesEncoded;
}, 40)";

/// Both have talked long enough for 2% to be more than the frames that are under way when it ends.
const LONG_ENOUGH: &str = "window.encoded > 400";

/// Those who have nothing to gain keep the log's checkpoint that has this call's seal in it, and show it.
async fn assert_kept(desk: &Desk, package: &Path) {
    let log: VerifierKey = std::fs::read_to_string(desk.stack.log_key()).unwrap().trim().parse().unwrap();
    let proof = Proof::parse(std::fs::read(package.join("proof/seal.tlog-proof")).unwrap()).unwrap();
    let jetstream = desk.stack.nats.jetstream().await.unwrap();
    let keepers = ["intake", "referral", "video-session"].map(|service| format!("{service}-checkpoints"));
    let all = async || {
        let shown = outbox::shown_checkpoints(&jetstream).await.unwrap();
        keepers.iter().all(|keeper| {
            let note =
                shown.iter().find(|shown| shown.keeper.split('.').next() == Some(keeper)).map(|shown| &shown.note);
            note.is_some_and(|note| {
                let checkpoint = Checkpoint::open(&SignedNote::parse(note).unwrap(), &log).unwrap();
                checkpoint.size > proof.index
            })
        })
    };
    testkit::until("all three to keep the checkpoint", all).await;
}

/// The offered frame rate is the fake camera's; frames that the browser encoded but the end cut off are under 2%.
fn assert_recorded(package: &Path, track: &str, encoded: u64) {
    let recording = Probe::file(&package.join(format!("bag/data/tracks/{track}.mkv"))).unwrap();
    let apart = recording.video_frames.abs_diff(encoded);
    assert!(apart * 50 <= encoded, "{track}: {} frames recorded of {encoded} encoded", recording.video_frames);
    let started = (recording.video_span.0 - recording.audio_span.0).abs();
    let ended = (recording.video_span.1 - recording.audio_span.1).abs();
    assert!(
        ended < 1.0 && started < 1.0,
        "{track}: audio {:?}, video {:?}",
        recording.audio_span,
        recording.video_span
    );
}

async fn encoded(page: &Page<'_>) -> u64 {
    page.evaluate("window.encoded").await.unwrap().as_u64().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_999_call_becomes_a_sealed_exhibit() {
    let sink = OtlpSink::start().await.unwrap();
    let options = StackOptions { otlp_endpoint: Some(sink.endpoint()), ..StackOptions::default() };
    let desk = Desk::open(options).await.unwrap();
    let browser = Browser::start().await.unwrap();

    let officer = browser.open("officer", &desk.stack.console(), (1280, 800)).await.unwrap();
    sign_in(officer, "pc-okafor").await.unwrap();
    officer.click("#presence").await.unwrap();
    officer.see("#presence[data-state=free]").await.unwrap();

    let call = desk.control_room.hand_over("2001").await.unwrap();
    let mut watch = desk.control_room.watch(&call.call_id, 0).await.unwrap();
    officer.click("#accept").await.unwrap();
    officer.see("#code-card[data-state=shown]").await.unwrap();
    let code = officer.text("#code").await.unwrap();

    let caller = browser.open("caller", &desk.stack.caller_page(), (390, 844)).await.unwrap();
    enter(caller, &code).await.unwrap();
    caller.until("document.querySelector('#other').videoWidth > 0").await.unwrap();
    officer.until("document.querySelector('#caller').videoWidth > 0").await.unwrap();
    watch.until(|kind| matches!(kind, Kind::CallerJoined(_))).await.unwrap();
    for page in [officer, caller] {
        page.evaluate(KEEP_COUNTING).await.unwrap();
        page.until(LONG_ENOUGH).await.unwrap();
        // Before the end: after it, a page may hang up what the server has closed already, and be told so (404).
        assert_eq!(page.complaints().await.unwrap(), Vec::<String>::new());
    }

    officer.click("#end").await.unwrap();
    officer.click("#confirm-end").await.unwrap();
    caller.see("#over").await.unwrap();
    let sealed = watch.until(|kind| matches!(kind, Kind::Sealed(_))).await.unwrap();
    let Kind::Sealed(sealed) = sealed else { unreachable!() };
    officer.until("document.querySelector('#seal-digest').textContent.length >= 64").await.unwrap();
    assert_eq!(officer.text("#seal-digest").await.unwrap().replace(char::is_whitespace, ""), sealed.seal_sha256);
    assert_eq!(officer.text("#exhibit-reference").await.unwrap(), sealed.exhibit_reference);

    let folder = tempfile::tempdir().unwrap();
    let package = desk.verified_package(&call.call_id, &folder.path().join("package")).await.unwrap();
    assert_recorded(&package, "caller-1", encoded(&caller).await);
    assert_recorded(&package, "officer-1", encoded(&officer).await);
    assert_kept(&desk, &package).await;
    let opened = "alcove.intake.v1.IntakeService/OpenCall";
    let through: BTreeSet<_> =
        ["intake", "call-transfer", "video-session", "evidence-store", "referral"].map(str::to_owned).into();
    // By this the collector knows a call, whose trace it keeps whole.
    let collector = std::fs::read_to_string(testkit::workspace().join("deploy/observability/collector.yaml")).unwrap();
    assert!(collector.contains(&format!("key: rpc.method\n          values: [{opened}]\n")), "{collector}");
    let one_trace = |spans: &[testkit::SeenSpan]| {
        let is_opening = |span: &&testkit::SeenSpan| span.attributes.get("rpc.method").is_some_and(|rpc| rpc == opened);
        let Some(trace) = spans.iter().find(is_opening).map(|span| span.trace_id.clone()) else {
            return false;
        };
        let ours = spans.iter().filter(|span| span.trace_id == trace);
        let services: BTreeSet<_> = ours.clone().map(|span| span.service.clone()).collect();
        // Both pages say which call what they ask is about: by the road of media, and the officer's through the console, too.
        let asked = |service: &str, name: &str| {
            ours.clone().filter(|span| span.service == service && span.name == name).count()
        };
        services.is_superset(&through)
            && ours.clone().any(|span| span.name == "evidence/exhibit_sealed")
            && ["POST /whip", "POST /whep/{participant}", "GET /events"]
                .iter()
                .all(|road| asked("video-session", road) >= 2)
            && asked("console", "alcove.session.v1.SessionService/EndSession") > 0
    };
    sink.wait_for(Duration::from_secs(30), one_trace).await.unwrap();
}
