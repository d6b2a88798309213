//! A whole call in which everybody says who they are: control room and services by certificate, the officer by token. Only
//! its own officer speaks for its caller.

use alcove_tests::desk::{Desk, FORCE};
use api::intake::v1::{
    ConsentKind, WithdrawConsentRequest, call_update::Kind, intake_service_client::IntakeServiceClient,
};
use chassis::status::reason_of;
use testkit::{
    StackOptions,
    phone::{self, Phone},
};
use tonic::Code;

#[tokio::test(flavor = "multi_thread")]
async fn a_call_among_people_who_say_who_they_are_is_sealed() {
    let desk = Desk::open(StackOptions::default()).await.unwrap();
    let mut call = desk.accepted_call("5101", "pc-okafor").await.unwrap();
    let _officer = call.officers_phone().await.unwrap();
    let code = call.officer.invite(&call.call.call_id).await.unwrap().code;
    let mut caller = Phone::new(phone::join(&desk.stack.caller_page(), &code).await.unwrap());
    caller.publish().await.unwrap();
    call.watch.until(|kind| matches!(kind, Kind::CallerJoined(_))).await.unwrap();
    let withdraws = async |officer: &str, kind: ConsentKind| {
        let request = WithdrawConsentRequest {
            request_id: desk.control_room.request_id(),
            force_id: FORCE.to_owned(),
            call_id: call.call.call_id.clone(),
            kind: kind.into(),
            how: "said in the call".to_owned(),
            taken_by: officer.to_owned(),
            subject: String::new(),
        };
        IntakeServiceClient::new(desk.way("intake", officer).unwrap()).withdraw_consent(request).await
    };
    let refused = withdraws("pc-singh", ConsentKind::Recording).await.unwrap_err();
    assert_eq!((refused.code(), reason_of(&refused).as_deref()), (Code::PermissionDenied, Some("NOT_YOUR_CALL")));
    assert!(withdraws("pc-okafor", ConsentKind::Stills).await.unwrap().into_inner().was_given);
    let changed = call.watch.until(|kind| matches!(kind, Kind::ConsentChanged(_))).await.unwrap();
    assert!(matches!(changed, Kind::ConsentChanged(told) if told.kind() == ConsentKind::Stills && !told.given));
    call.officer.end(&call.call.call_id).await.unwrap();
    call.sealed().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    desk.verified_package(&call.call.call_id, &folder.path().join("package")).await.unwrap();
}
