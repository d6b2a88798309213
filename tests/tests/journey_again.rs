//! Bruises show days later: the officer rings the caller of a sealed call back, starts a follow-up, and has them on video again.

use alcove_tests::desk::{Desk, FORCE};
use api::{
    intake::v1::{
        Consent, ConsentKind, DeviceSafety, JoinRoute, StartFollowUpRequest, call_update::Kind,
        intake_service_client::IntakeServiceClient,
    },
    referral::v1::{GetCaseRequest, referral_service_client::ReferralServiceClient},
    session::v1::SessionState,
};
use testkit::{StackOptions, phone::Phone, until};

const WHO: &str = "pc.again";

#[tokio::test(flavor = "multi_thread")]
async fn who_was_here_is_asked_in_again_by_a_further_call_with_an_exhibit_of_its_own() {
    let desk = Desk::open(StackOptions::default()).await.unwrap();
    let mut first = desk.accepted_call("3301", WHO).await.unwrap();
    first.officer.end(&first.call.call_id).await.unwrap();
    let sealed = first.sealed().await.unwrap();

    let consent = |kind: ConsentKind| Consent {
        kind: kind.into(),
        given: true,
        how: "spoken, when rung back".into(),
        ..Default::default()
    };
    let request = StartFollowUpRequest {
        request_id: desk.control_room.request_id(),
        force_id: FORCE.into(),
        call_id: first.call.call_id.clone(),
        officer_id: WHO.into(),
        device_safety: Some(DeviceSafety { messages_read: true, ..Default::default() }),
        consents: [ConsentKind::Video, ConsentKind::Recording, ConsentKind::Stills].map(consent).to_vec(),
        can_join: true,
        ..Default::default()
    };
    first.officer.heartbeat().await.unwrap();
    let mut intake = IntakeServiceClient::new(desk.way("intake", WHO).unwrap());
    let started = intake.start_follow_up(request).await.unwrap().into_inner();
    assert_eq!(started.route(), JoinRoute::SpokenCode);
    let call = started.call_id;

    // It is theirs without an offer; the session, the code and the caller are as in any call.
    let mut watch = desk.control_room.watch(&call, 0).await.unwrap();
    let accepted = watch.until(|kind| matches!(kind, Kind::Accepted(_) | Kind::Offered(_))).await.unwrap();
    assert!(matches!(accepted, Kind::Accepted(by) if by.officer_id == WHO));
    first.officer.session_until(&call, |_| true).await.unwrap();
    let mut officers = alcove_tests::desk::phone(first.officer.join(&call).await.unwrap());
    officers.publish().await.unwrap();
    let code = first.officer.invite(&call).await.unwrap().code;
    let mut caller = Phone::new(testkit::phone::join(&desk.stack.caller_page(), &code).await.unwrap());
    caller.publish().await.unwrap();
    first.officer.session_until(&call, |session| session.state() == SessionState::Live).await.unwrap();

    first.officer.end(&call).await.unwrap();
    let Kind::Sealed(own) = watch.until(|kind| matches!(kind, Kind::Sealed(_))).await.unwrap() else { unreachable!() };
    assert_ne!((&own.exhibit_id, &own.exhibit_reference), (&sealed.exhibit_id, &sealed.exhibit_reference));
    let referral = ReferralServiceClient::new(desk.way("referral", WHO).unwrap());
    until("the follow-up's case to say what it follows", async || {
        let request = GetCaseRequest { force_id: FORCE.into(), call_id: call.clone() };
        let case = referral.clone().get_case(request).await.ok().and_then(|told| told.into_inner().case);
        case.is_some_and(|case| case.follow_up_of == first.call.call_id)
    })
    .await;
}
