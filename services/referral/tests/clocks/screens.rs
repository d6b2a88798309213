//! ListDue and WatchDue of the running service.

use api::referral::v1::{
    ClockState, Due, ListDueRequest, ListDueResponse, WatchDueRequest, due::What,
    referral_service_client::ReferralServiceClient,
};
use chassis::Clock;
use chrono::TimeDelta;
use referral::app::Done;
use testkit::Service;
use tonic::{Code, Status, transport::Channel};

use super::{PATIENCE, Room, call, from};
use crate::desk::FORCE;

async fn list(
    client: &ReferralServiceClient<Channel>,
    force: &str,
    page_size: u32,
    page_token: &str,
) -> Result<ListDueResponse, Status> {
    let request = ListDueRequest { force_id: force.into(), page_size, page_token: page_token.into() };
    Ok(client.clone().list_due(request).await?.into_inner())
}

fn clock(due: &Due) -> &api::referral::v1::Clock {
    match &due.what {
        Some(What::Clock(clock)) => clock,
        other => panic!("a clock, please: {other:?}"),
    }
}

#[tokio::test]
async fn a_sergeant_sees_what_is_near_and_missed_and_everybody_all_of_it_page_by_page() {
    let room = Room::open(Clock::system()).await;
    let nats = testkit::nats().await;
    let env =
        [("ALCOVE_REFERRAL__DATABASE__URL", room.db.url()), ("ALCOVE_REFERRAL__NATS__URL", nats.url().to_owned())];
    let env = env.each_ref().map(|(key, value)| (*key, value.as_str()));
    let service = Service::start("referral", &env).await.unwrap();
    let client = ReferralServiceClient::connect(service.url("grpc")).await.unwrap();
    let request = WatchDueRequest { force_id: FORCE.into() };
    let mut watch = client.clone().watch_due(request).await.unwrap().into_inner();
    let mut until = async |count: usize, state: ClockState| loop {
        let shown = tokio::time::timeout(PATIENCE, watch.message()).await.expect("news").unwrap().unwrap().due;
        if shown.len() == count && shown.iter().all(|due| clock(due).state() == state) {
            break shown;
        }
    };
    until(0, ClockState::Near).await;

    let now = Clock::system().now();
    let calls = [call(), call(), call(), call(), call()];
    for (number, on) in calls.iter().enumerate() {
        // All near and none missed for longer than this test takes; the last is due first.
        let ago = TimeDelta::minutes(60 + i64::try_from(number).unwrap());
        room.start(on, "later", from(now - ago)).await;
    }
    let ahead = call();
    room.start(&ahead, "later", from(now)).await;
    let shown = until(5, ClockState::Near).await;
    let shown: Vec<_> = shown.iter().map(|due| due.call_id.clone()).collect();
    let expected: Vec<_> = calls.iter().rev().map(|on| on.call.to_string()).collect();
    assert_eq!(shown, expected, "the most urgent first");

    let first = list(&client, FORCE, 4, "").await.unwrap();
    assert_eq!(first.due.len(), 4);
    // What is dealt with between two pages moves none that comes after.
    room.stop(&calls[4], Done::Key("later"), now).await;
    let second = list(&client, FORCE, 4, &first.next_page_token).await.unwrap();
    assert_eq!(second.next_page_token, "");
    let paged: Vec<_> = first.due.iter().chain(&second.due).map(|due| due.call_id.clone()).collect();
    assert_eq!(paged, expected.into_iter().chain([ahead.call.to_string()]).collect::<Vec<_>>());
    let told = clock(&second.due[1]);
    assert_eq!(
        (told.state(), told.key.as_str(), told.title.as_str()),
        (ClockState::Running, "later", "Hear from them")
    );
    until(4, ClockState::Near).await;

    assert_eq!(list(&client, "kent", 0, "").await.unwrap().due, []);
    for (force, token, reason) in [("Kent", "", "INVALID_FORCE"), (FORCE, "zz", "INVALID_PAGE_TOKEN")] {
        let status = list(&client, force, 0, token).await.unwrap_err();
        assert_eq!(
            (status.code(), chassis::status::reason_of(&status).as_deref()),
            (Code::InvalidArgument, Some(reason))
        );
    }
}
