//! What a triage asks of a caller who doesn't speak, by which rules it is judged, and what is agreed to one by one.

use crate::support::*;
use api::intake::v1::{
    CallState, Consent, ConsentKind, ConsentRecorded, DeviceSafety, JoinRoute, RecordConsentRequest,
    RecordTriageRequest, SilentCaller, TransferRequested, WithdrawConsentRequest, call_update::Kind,
};
use prost::Message;
use testkit::{Service, TestDatabase};
use tonic::Code;
use tonic_types::StatusExt;

const SHIPPED: &str = include_str!("../eligibility.toml");

/// Her phone is another's too, and somebody is in the room.
fn silent(call: &str, can_listen: bool) -> RecordTriageRequest {
    let device_safety = Some(DeviceSafety { shared: true, overheard: true, ..Default::default() });
    let silent_caller = SilentCaller::Pressed55.into();
    RecordTriageRequest { device_safety, silent_caller, can_listen, ..triage(call) }
}

#[tokio::test]
async fn who_presses_55_is_read_a_code_only_if_they_listen_alone_and_the_desk_is_told() {
    let room = Room::open().await;
    let mut client = room.client.clone();
    let call = room.call("1").await;
    let answer = client.record_triage(silent(&call, false)).await.unwrap().into_inner().eligibility.unwrap();
    assert_eq!((answer.eligible, answer.reason.as_str()), (false, "NO_SAFE_ROUTE"));
    assert!(answer.instead.contains("in person") && answer.rules_version == "2026-11-27");
    let answer = client.record_triage(silent(&call, true)).await.unwrap().into_inner().eligibility.unwrap();
    assert_eq!((answer.route(), answer.rules_version.as_str()), (JoinRoute::SpokenCode, "2026-11-27"));
    let private = DeviceSafety { overheard: true, ..Default::default() };
    let alone = RecordTriageRequest { device_safety: Some(private), ..silent(&call, true) };
    let answer = client.record_triage(alone).await.unwrap().into_inner().eligibility.unwrap();
    assert_eq!(answer.route(), JoinRoute::Sms);

    client.record_consent(consent(&call, &[ConsentKind::Video])).await.unwrap();
    client.request_transfer(transfer_of(&call)).await.unwrap();
    let published = room.published(&call, "transfer_requested").await;
    let requested = TransferRequested::decode(published.last().unwrap().payload.as_slice()).unwrap();
    assert_eq!(requested.silent_caller(), SilentCaller::Pressed55);
    let kept: Vec<(String, bool, String)> =
        sqlx::query_as("select silent_caller, can_listen, rules_version from intake.triages order by version")
            .fetch_all(&room.db.pool())
            .await
            .unwrap();
    assert_eq!(kept, [false, true, true].map(|listens| ("pressed_55".into(), listens, "2026-11-27".into())));
}

#[tokio::test]
async fn without_a_yes_to_video_the_desk_is_refused_with_what_to_do_instead_and_without_one_to_recording_it_is_not() {
    let room = Room::open().await;
    let mut client = room.client.clone();
    let call = room.call("1").await;
    client.record_triage(triage(&call)).await.unwrap();
    client.record_consent(consent(&call, &[ConsentKind::Recording])).await.unwrap();
    let status = client.request_transfer(transfer_of(&call)).await.unwrap_err();
    let details = status.get_details_error_info().unwrap();
    assert_eq!((status.code(), details.reason.as_str()), (Code::FailedPrecondition, "NO_VIDEO_CONSENT"));
    assert_eq!((&*details.metadata["eligibility"], &*details.metadata["rules_version"]), ("NO_CONSENT", "2026-11-27"));
    assert!(details.metadata["instead"].contains("Go on by voice"));

    client.record_consent(consent(&call, &[ConsentKind::Video])).await.unwrap();
    let asked = client.request_transfer(transfer_of(&call)).await.unwrap().into_inner();
    assert_eq!(asked.state(), CallState::TransferRequested, "not being recorded is no reason to be refused help");

    let call = room.call("2").await;
    client.record_triage(RecordTriageRequest { immediate_danger: true, ..triage(&call) }).await.unwrap();
    let status = client.request_transfer(transfer_of(&call)).await.unwrap_err();
    let details = status.get_details_error_info().unwrap();
    assert_eq!((&*details.reason, &*details.metadata["eligibility"]), ("NOT_ELIGIBLE", "IMMEDIATE_DANGER"));
    assert!(details.metadata["instead"].contains("response unit") && details.metadata["rules_version"] == "2026-11-27");
}

#[tokio::test]
async fn a_force_is_judged_by_its_own_rules_and_rules_that_harm_keep_the_service_from_starting() {
    let dir = tempfile::tempdir().unwrap();
    let (own, bad) = (dir.path().join("wmp.toml"), dir.path().join("bad.toml"));
    let theirs = SHIPPED.replace("version = \"2026-11-27\"", "version = \"wmp-3\"");
    let theirs = theirs.replace("NO_SAFE_ROUTE = \"Send", "NO_SAFE_ROUTE = \"Ring the desk on 7411. Send");
    std::fs::write(&own, theirs).unwrap();
    std::fs::write(&bad, SHIPPED.replace("\"silent\", \"can_listen\"", "\"silent\"")).unwrap();
    let room = Room::with(&[("ALCOVE_INTAKE__ELIGIBILITY__FORCES__WMP", own.to_str().unwrap())]).await;
    let mut client = room.client.clone();
    let call = room.call("1").await;
    let answer = client.record_triage(silent(&call, false)).await.unwrap().into_inner().eligibility.unwrap();
    assert!(answer.instead.starts_with("Ring the desk on 7411") && answer.rules_version == "wmp-3", "{answer:?}");
    let other = api::intake::v1::OpenCallRequest { force_id: "kent".into(), ..opening("1") };
    let call = client.open_call(other).await.unwrap().into_inner().call_id;
    let theirs = RecordTriageRequest { force_id: "kent".into(), ..silent(&call, false) };
    let answer = client.record_triage(theirs).await.unwrap().into_inner().eligibility.unwrap();
    assert_eq!(answer.rules_version, "2026-11-27");

    let db: TestDatabase = testkit::database().await;
    let url = db.url();
    let env = [
        ("ALCOVE_INTAKE__DATABASE__URL", url.as_str()),
        ("ALCOVE_INTAKE__NATS__URL", room.nats.url()),
        ("ALCOVE_INTAKE__ELIGIBILITY__RULES", bad.to_str().unwrap()),
    ];
    let refused = Service::start("intake", &env).await.expect_err("it doesn't start").to_string();
    assert!(refused.contains("silent, and listens alone"), "{refused}");
}

fn one(kind: ConsentKind, subject: &str, given: bool) -> Consent {
    Consent { kind: kind.into(), given, how: "the mother, on the 999 line".into(), subject: subject.into() }
}

fn these(call: &str, consents: &[Consent]) -> RecordConsentRequest {
    RecordConsentRequest { consents: consents.to_vec(), request_id: fresh(), ..consent(call, &[]) }
}

#[tokio::test]
async fn each_child_and_each_referral_has_a_consent_of_its_own_kept_published_and_told() {
    let room = Room::open().await;
    let mut client = room.client.clone();
    let call = room.waiting_call("1").await;
    let mut watch = room.watch(&call, 0).await;
    let yes = [
        one(ConsentKind::Child, "child-1", true),
        one(ConsentKind::Child, "child-2", true),
        one(ConsentKind::Referral, "IDVA/2026/114", true),
    ];
    client.record_consent(these(&call, &yes)).await.unwrap();
    let back = |kind: ConsentKind, subject: &str| WithdrawConsentRequest {
        request_id: fresh(),
        force_id: FORCE.into(),
        call_id: call.clone(),
        kind: kind.into(),
        how: "the mother, on the 999 line".into(),
        taken_by: "CH4411".into(),
        subject: subject.into(),
    };
    assert!(client.withdraw_consent(back(ConsentKind::Child, "child-2")).await.unwrap().get_ref().was_given);
    assert!(!client.withdraw_consent(back(ConsentKind::Child, "child-3")).await.unwrap().get_ref().was_given);
    let mut told = vec![];
    for _ in 0..5 {
        let Some((_, Kind::ConsentChanged(changed))) = next(&mut watch).await else { panic!("something else") };
        told.push((changed.kind(), changed.subject, changed.given));
    }
    let child = |subject: &str, given| (ConsentKind::Child, subject.to_owned(), given);
    let referral = (ConsentKind::Referral, "IDVA/2026/114".to_owned(), true);
    let all =
        [child("child-1", true), child("child-2", true), referral, child("child-2", false), child("child-3", false)];
    assert_eq!(told, all);

    let published = room.first_published(&call, 6).await;
    let facts = published[3..].iter().map(|event| ConsentRecorded::decode(event.payload.as_slice()).unwrap());
    let facts: Vec<_> =
        facts.flat_map(|event| event.consents).map(|fact| (fact.kind(), fact.subject.clone(), fact.given)).collect();
    assert_eq!(facts, all, "the others hear which");
    assert!(!published.iter().any(|event| String::from_utf8_lossy(&event.payload).contains("mother")));
    let kept: Vec<(String, String, bool, String, String)> = sqlx::query_as(
        "select kind, subject, given, how, taken_by from intake.consents where subject is not null order by id",
    )
    .fetch_all(&room.db.pool())
    .await
    .unwrap();
    let who = |kind: &str, subject: &str, given| {
        (kind.to_owned(), subject.to_owned(), given, "the mother, on the 999 line".to_owned(), "CH4411".to_owned())
    };
    assert_eq!(
        kept[1..4],
        [who("child", "child-2", true), who("referral", "IDVA/2026/114", true), who("child", "child-2", false)]
    );

    // A name is none, a child must be one, and nothing else has a subject. Each is named once.
    let bad = [
        vec![one(ConsentKind::Child, "Mia", true)],
        vec![one(ConsentKind::Child, "", true)],
        vec![one(ConsentKind::Referral, "Mia Jones 7", true)],
        vec![one(ConsentKind::Recording, "child-1", true)],
        vec![one(ConsentKind::Child, "child-1", true), one(ConsentKind::Child, "child-1", false)],
    ];
    for consents in bad {
        refused(client.record_consent(these(&call, &consents)).await, Code::InvalidArgument, "INVALID_CONSENT");
    }
    refused(client.withdraw_consent(back(ConsentKind::Child, "")).await, Code::InvalidArgument, "INVALID_CONSENT");
}

#[tokio::test]
async fn a_caller_who_covers_the_call_and_is_back_is_told_to_the_control_room() {
    let room = Room::open().await;
    let others = Others::at(&room.nats).await;
    let call = room.waiting_call("1").await;
    let mut watch = room.watch(&call, 0).await;
    others.accepted(&call).await;
    assert_eq!(name(&next(&mut watch).await.unwrap().1), "accepted");
    others.joined(&call).await;
    others.covered(&call, true).await;
    others.covered(&call, false).await;
    others.ended(&call).await;
    others.sealed(&call).await;
    assert_eq!(all(&mut watch, 2).await, ["caller joined", "covered", "uncovered", "ended", "sealed"]);
}
