//! Postgres away, NATS away, the process killed: each is told plainly, nothing is lost, and the call goes on.

use crate::support::*;
use api::intake::v1::{CallState, GetCallRequest, call_update::Kind};
use chassis::status::reason_of;
use tonic::Code;

#[tokio::test]
async fn without_postgres_it_says_so_and_goes_on_afterwards() {
    let mut room = Room::open().await;
    let others = Others::at(&room.nats).await;
    let call = room.waiting_call("1").await;
    others.queued(&call).await;
    let mut watch = room.watch(&call, 0).await;
    assert!(matches!(next(&mut watch).await, Some((1, Kind::Queued(_)))));

    room.db.stop().await.unwrap();
    let mut client = room.client.clone();
    let open = opening("2");
    refused(client.open_call(open.clone()).await, Code::Unavailable, "DATABASE_UNAVAILABLE");
    let get = GetCallRequest { force_id: FORCE.into(), call_id: call.clone() };
    refused(client.get_call(get.clone()).await, Code::Unavailable, "DATABASE_UNAVAILABLE");
    let broken = tokio::time::timeout(PATIENCE, watch.message()).await.unwrap().unwrap_err();
    assert_eq!(reason_of(&broken).as_deref(), Some("DATABASE_UNAVAILABLE"));
    others.offered(&call).await;
    others.accepted(&call).await;

    room.db.start().await.unwrap();
    // The same request, sent again, is the first one.
    let opened = client.open_call(open.clone()).await.unwrap().into_inner();
    assert_eq!(client.open_call(open).await.unwrap().into_inner(), opened);
    let mut watch = room.watch(&call, 1).await;
    assert!(matches!(next(&mut watch).await, Some((2, Kind::Offered(_)))));
    assert!(matches!(next(&mut watch).await, Some((3, Kind::Accepted(_)))));
    assert_eq!(client.get_call(get).await.unwrap().get_ref().state(), CallState::WithDesk);
    // News still wakes a watch that was opened after the outage.
    others.invited(&call).await;
    assert!(matches!(next(&mut watch).await, Some((4, Kind::InvitationReady(_)))));
}

#[tokio::test]
async fn without_nats_calls_are_taken_and_events_arrive_when_it_is_back() {
    let mut room = Room::open().await;
    room.nats.stop().await.unwrap();
    let call = room.waiting_call("1").await;
    room.nats.start().await.unwrap();
    let published = room.published(&call, "transfer_requested").await;
    assert_eq!(published.len(), 3);
    let others = Others::at(&room.nats).await;
    others.queued(&call).await;
    assert!(matches!(next(&mut room.watch(&call, 0).await).await, Some((1, Kind::Queued(_)))));
}

#[tokio::test]
async fn it_starts_without_either_and_a_kill_loses_nothing() {
    let mut room = Room::open().await;
    let call = room.waiting_call("1").await;
    room.service.kill().await.unwrap();
    room.db.stop().await.unwrap();
    room.nats.stop().await.unwrap();
    room.service.restart().await.unwrap();
    let get = GetCallRequest { force_id: FORCE.into(), call_id: call.clone() };
    let url = room.service.url("grpc");
    let mut client = api::intake::v1::intake_service_client::IntakeServiceClient::connect(url).await.unwrap();
    refused(client.get_call(get.clone()).await, Code::Unavailable, "DATABASE_UNAVAILABLE");
    room.db.start().await.unwrap();
    room.nats.start().await.unwrap();
    assert_eq!(client.get_call(get).await.unwrap().get_ref().state(), CallState::TransferRequested);
    let names: Vec<_> = room.published(&call, "transfer_requested").await.into_iter().map(|e| e.name).collect();
    assert_eq!(names, ["call_opened", "consent_recorded", "transfer_requested"]);
    assert!(room.service.terminate().await.unwrap().success());
}
