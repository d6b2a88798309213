//! Photographs: asked for by the officer, taken by the caller's tap, hashed on the phone, and in the exhibit as they were hashed.

use crate::rig::{FORCE, OFFICER, PATIENCE, Rig, Time, evidence::Evidence, reason};
use api::{
    intake::v1::ConsentKind,
    session::v1::{AskForPhotographRequest, RecordingAction, StillCaptured},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use exhibit::Digest;
use futures::StreamExt;
use ids::CallId;
use testkit::phone::{Pass, Phone};
use tonic::{Response, Status};

/// A picture that no two calls share.
fn jpeg(number: u8) -> Vec<u8> {
    [&[0xff, 0xd8, 0xff, 0xe0, number][..], &[7; 70_000]].concat()
}

fn digest(bytes: &[u8]) -> String {
    format!("sha-256=:{}:", STANDARD.encode(Digest::of(bytes).as_bytes()))
}

impl Rig {
    async fn ask_for_photograph(&self, call: CallId) -> Result<(), Status> {
        let request = AskForPhotographRequest {
            request_id: self.request(),
            force_id: FORCE.to_owned(),
            officer_id: OFFICER.to_owned(),
            call_id: call.to_string(),
        };
        self.desk.clone().ask_for_photograph(request).await.map(Response::into_inner).map(drop)
    }

    /// A call whose caller agrees to stills, and of whom one is wanted: its phones, and what their page holds.
    async fn wanting_one(&self) -> (CallId, (Phone, Phone), Pass) {
        let call = self.accepted(true).await;
        self.say_consent(call, ConsentKind::Stills, true).await;
        let (officer, caller) = self.both(call).await;
        self.watched(call, |session| session.stills).await;
        self.ask_for_photograph(call).await.unwrap();
        let pass = caller.pass().clone();
        (call, (officer, caller), pass)
    }

    /// Sends one: the status, and the reason or the number.
    async fn send(&self, pass: &Pass, digest: &str, bytes: Vec<u8>) -> (u16, String) {
        let post = self.http.post(format!("{}/photo", self.base)).bearer_auth(&pass.token);
        let post = post.header("content-type", "image/jpeg").header("content-digest", digest).body(bytes);
        let answer = post.send().await.unwrap();
        let (status, said) = (answer.status().as_u16(), answer.json::<serde_json::Value>().await.unwrap());
        (status, said["reason"].as_str().map_or_else(|| said["number"].to_string(), str::to_owned))
    }

    /// Follows a page's events until one of that name has come.
    async fn hears(&self, pass: &Pass, event: &str) {
        let answer = self.http.get(&pass.events_url).bearer_auth(&pass.token).send().await.unwrap();
        let (mut stream, mut text) = (answer.bytes_stream(), String::new());
        let hearing = async {
            while !text.contains(&format!("event: {event}\n")) {
                text.push_str(std::str::from_utf8(&stream.next().await.unwrap().unwrap()).unwrap());
            }
        };
        tokio::time::timeout(PATIENCE, hearing).await.unwrap_or_else(|_| panic!("{event} never came"));
    }
}

#[tokio::test]
async fn a_photograph_is_in_the_exhibit_as_the_phone_hashed_it() {
    let evidence = Evidence::start().await;
    let mut rig = Rig::beside(&evidence).await;
    let call = rig.accepted(true).await;
    let (officer, caller) = rig.both(call).await;
    let pass = caller.pass().clone();
    assert_eq!(reason(&rig.ask_for_photograph(call).await.unwrap_err()), "NO_STILLS_CONSENT");
    rig.say_consent(call, ConsentKind::Stills, true).await;
    rig.watched(call, |session| session.stills).await;

    let (one, two) = (jpeg(1), jpeg(2));
    assert_eq!(rig.send(&pass, &digest(&one), one.clone()).await, (409, "NOT_ASKED".to_owned()));
    rig.ask_for_photograph(call).await.unwrap();
    rig.hears(&pass, "photo").await;
    for wrong in [digest(&two), "sha-256=:AAAA:".to_owned(), String::new()] {
        assert_eq!(rig.send(&pass, &wrong, one.clone()).await, (400, "DIGEST_WRONG".to_owned()));
    }
    let text = b"<svg/>".to_vec();
    assert_eq!(rig.send(&pass, &digest(&text), text.clone()).await, (400, "MALFORMED_BODY".to_owned()));
    let large = [jpeg(3), vec![0; 8 * 1024 * 1024]].concat();
    assert_eq!(rig.send(&pass, &digest(&large), large.clone()).await, (413, "BODY_TOO_LARGE".to_owned()));
    assert_eq!(rig.send(officer.pass(), &digest(&one), one.clone()).await, (400, "WRONG_ROLE".to_owned()));

    assert_eq!(rig.send(&pass, &digest(&one), one.clone()).await, (201, "1".to_owned()));
    assert_eq!(rig.send(&pass, &digest(&one), one.clone()).await, (201, "1".to_owned()), "sent again, it is the same");
    assert_eq!(
        rig.send(&pass, &digest(&two), two.clone()).await,
        (409, "NOT_ASKED".to_owned()),
        "one wish, one photograph"
    );
    assert_eq!(evidence.items(call).await, ["items/still/photograph-1/1.jpg"]);
    assert!(evidence.read(call, "items/still/photograph-1/1.jpg").await == one);
    rig.watched(call, |session| session.photographs_taken == 1).await;
    let event: StillCaptured = rig.event("still_captured", call).await;
    assert_eq!((event.number, event.item_name.as_str()), (1, "photograph-1"));

    // Nothing is kept in a pause, and nothing once consent is withdrawn.
    rig.ask_for_photograph(call).await.unwrap();
    rig.order(rig.ordering(call, RecordingAction::Pause)).await.unwrap();
    assert_eq!(reason(&rig.ask_for_photograph(call).await.unwrap_err()), "RECORDING_PAUSED");
    assert_eq!(rig.send(&pass, &digest(&two), two.clone()).await, (409, "RECORDING_PAUSED".to_owned()));
    rig.order(rig.ordering(call, RecordingAction::Stop)).await.unwrap();
    assert_eq!(rig.send(&pass, &digest(&two), two.clone()).await, (409, "RECORDING_STOPPED".to_owned()));
    drop((officer, caller));
    rig.stop().await;
    let ledger = rig.kept();
    let taken: Vec<_> = ledger.iter().filter(|line| line["what"] == "photograph").collect();
    let [taken] = taken[..] else { panic!("{taken:?}") };
    assert_eq!((&taken["sha256"], &taken["track"]), (&Digest::of(&one).to_string().into(), &"caller-1".into()));
}

#[tokio::test]
async fn sent_twice_at_once_and_given_up_in_between_it_is_one_photograph() {
    let mut rig = Rig::start(Time::Real, &[]).await;
    let (call, phones, pass) = rig.wanting_one().await;
    let held = rig.hold_session().await;
    let (one, digest) = (jpeg(1), digest(&jpeg(1)));
    let twice = async { tokio::join!(rig.send(&pass, &digest, one.clone()), rig.send(&pass, &digest, one.clone())) };
    let let_go = async {
        rig.waiting(2).await;
        held.rollback().await.unwrap();
    };
    let (twice, ()) = tokio::join!(twice, let_go);
    assert_eq!(twice, ((202, "1".to_owned()), (202, "1".to_owned())));

    // And another one, whose sender hangs up before it is kept.
    rig.ask_for_photograph(call).await.unwrap();
    let held = rig.hold_session().await;
    let (two, digest) = (jpeg(2), self::digest(&jpeg(2)));
    tokio::select! {
        biased;
        answer = rig.send(&pass, &digest, two.clone()) => panic!("{answer:?}"),
        () = rig.waiting(1) => {}
    }
    held.rollback().await.unwrap();
    rig.watched(call, |session| session.photographs_taken == 2).await;
    assert_eq!(rig.send(&pass, &digest, two.clone()).await, (202, "2".to_owned()));
    drop(phones);
    rig.stop().await;
    let ledger = rig.kept();
    assert_eq!(ledger.iter().filter(|line| line["what"] == "photograph").count(), 2);
}

#[tokio::test]
async fn without_evidence_store_a_photograph_waits_and_there_are_no_more_than_twenty() {
    let mut rig = Rig::start(Time::Real, &[]).await;
    let (call, phones, pass) = rig.wanting_one().await;
    assert_eq!(rig.send(&pass, &digest(&jpeg(1)), jpeg(1)).await, (202, "1".to_owned()));
    let spool = std::fs::read_dir(rig.dir.path().join("spool")).unwrap().next().unwrap().unwrap().path();
    let kept = std::fs::read(spool.join("photograph-1.doc")).unwrap();
    assert!(kept.ends_with(&jpeg(1)), "it is on our own disk");

    // As many as there may be, as if they had come before.
    for number in 2..=20 {
        std::fs::copy(spool.join("photograph-1.doc"), spool.join(format!("photograph-{number}.doc"))).unwrap();
    }
    rig.ask_for_photograph(call).await.unwrap();
    assert_eq!(rig.send(&pass, &digest(&jpeg(2)), jpeg(2)).await, (409, "ENOUGH_PHOTOGRAPHS".to_owned()));
    drop(phones);
    rig.stop().await;
}
