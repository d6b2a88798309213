//! The package of a call, as an officer sees it, from the events of four services in any order.

use api::referral::v1::{GetPackageResponse, ItemState};
use tonic::Code;

use crate::desk::{Desk, FORCE, new_call, refused};

fn state<'p>(package: &'p GetPackageResponse, key: &str) -> (ItemState, &'p str) {
    let item = package.items.iter().find(|item| item.key == key).unwrap();
    (item.state(), item.evidence.as_str())
}

#[tokio::test]
async fn what_came_before_the_end_is_in_the_package_and_what_comes_after_joins_it() {
    let desk = Desk::open().await;
    let call = new_call();
    desk.consented(&call, true).await;
    desk.accepted(&call).await;
    desk.opened(&call).await;
    desk.taken(3).await;
    refused(desk.get(FORCE, &call).await, Code::NotFound, "UNKNOWN_PACKAGE");

    desk.ended(&call, true).await;
    let (opened, trace) = desk.announced(&call).await.pop().unwrap();
    assert_eq!(trace.trace_id(), "0af7651916cd43dd8448eb211c80319c");
    let package = desk.get(FORCE, &call).await.unwrap();
    assert_eq!((&package.package_id, &package.call_id), (&opened.package_id, &call));
    assert_eq!(package.opened_at, opened.occurred_at);
    assert_eq!(state(&package, "emergency-call-reference"), (ItemState::Present, "2026-11-24 1123"));
    assert_eq!(state(&package, "consent"), (ItemState::Present, "video: given"));
    assert_eq!(state(&package, "exhibit-list"), (ItemState::Present, "WMP/1"));
    assert_eq!(state(&package, "initial-account"), (ItemState::Missing, ""));
    assert!(package.missing.contains(&"initial-account".to_owned()));

    // The seal, and a changed mind, and the end once more.
    desk.sealed(&call).await;
    desk.consented(&call, false).await;
    desk.ended(&call, true).await;
    desk.taken(7).await;
    let after = desk.get(FORCE, &call).await.unwrap();
    assert_eq!(state(&after, "initial-account"), (ItemState::Present, "WMP/1"));
    assert_eq!(state(&after, "consent"), (ItemState::Present, "video: refused"));
    assert!(after.score_percent > package.score_percent && after.score_percent < 100);
    assert_eq!(after.package_id, package.package_id);
    let opened = desk.announced(&call).await;
    assert_eq!(opened.len(), 1, "once");
}

#[tokio::test]
async fn who_may_not_see_it_and_what_is_malformed() {
    let desk = Desk::open().await;
    let call = new_call();
    desk.ended(&call, false).await;
    desk.announced(&call).await;
    let package = desk.get(FORCE, &call).await.unwrap();
    assert_eq!(state(&package, "initial-account").0, ItemState::NotApplicable);
    refused(desk.get("kent", &call).await, Code::NotFound, "UNKNOWN_PACKAGE");
    refused(desk.get("Kent", &call).await, Code::InvalidArgument, "INVALID_FORCE");
    refused(desk.get(FORCE, "1").await, Code::InvalidArgument, "MALFORMED_ID");
    refused(desk.get(FORCE, &new_call()).await, Code::NotFound, "UNKNOWN_PACKAGE");
}

#[tokio::test]
async fn postgres_and_nats_may_go_and_come_back() {
    let mut desk = Desk::open().await;
    let call = new_call();
    desk.accepted(&call).await;
    desk.taken(1).await;
    desk.db.stop().await.unwrap();
    refused(desk.get(FORCE, &call).await, Code::Unavailable, "DATABASE_UNAVAILABLE");
    desk.ended(&call, true).await;
    desk.db.start().await.unwrap();
    desk.announced(&call).await;
    assert!(desk.get(FORCE, &call).await.is_ok());

    desk.nats.stop().await.unwrap();
    let second = new_call();
    desk.ended(&second, true).await;
    refused(desk.get(FORCE, &second).await, Code::NotFound, "UNKNOWN_PACKAGE");
    desk.nats.start().await.unwrap();
    desk.announced(&second).await;
    assert!(desk.service.terminate().await.unwrap().success());
}
