//! A whole call in which everybody says who they are: control room and services by certificate, the officer by token.

use alcove_tests::desk::Desk;
use api::intake::v1::call_update::Kind;
use testkit::{
    StackOptions,
    phone::{self, Phone},
};

#[tokio::test(flavor = "multi_thread")]
async fn a_call_among_people_who_say_who_they_are_is_sealed() {
    let desk = Desk::open(StackOptions { secure: true, ..StackOptions::default() }).await.unwrap();
    let mut call = desk.accepted_call("5101", "pc-okafor").await.unwrap();
    let _officer = call.officers_phone().await.unwrap();
    let code = call.officer.invite(&call.call.call_id).await.unwrap().code;
    let mut caller = Phone::new(phone::join(&desk.stack.caller_page(), &code).await.unwrap());
    caller.publish().await.unwrap();
    call.watch.until(|kind| matches!(kind, Kind::CallerJoined(_))).await.unwrap();
    call.officer.end(&call.call.call_id).await.unwrap();
    call.sealed().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    desk.verified_package(&call.call.call_id, &folder.path().join("package")).await.unwrap();
}
