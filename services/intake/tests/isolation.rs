//! One force's rows, whatever a statement forgets to ask for.

use api::intake::v1::{ConsentKind, GetLocationRequest, Location, OpenCallRequest};
use testkit::isolation::Isolation;

use crate::support::*;

const ISOLATION: Isolation<'static> = Isolation {
    schema: "intake",
    nobodys: &[],
    filled: &[
        "call_updates",
        "calls",
        "consents",
        "fast_tracks",
        "force_updates",
        "forces",
        "location_looks",
        "locations",
        "triages",
    ],
};

#[tokio::test]
async fn a_query_that_forgets_the_filter_finds_nothing() {
    let room = Room::open().await;
    let mut client = room.client.clone();
    client.open_call(OpenCallRequest { force_id: "kent".into(), ..opening("1") }).await.unwrap();
    let place = Location { latitude: 52.5, longitude: -1.9, accuracy_m: 25, words: String::new(), taken_at: None };
    let opened = client.open_call(OpenCallRequest { location: Some(place), ..opening("1") }).await.unwrap();
    let call = opened.into_inner().call_id;
    client.record_triage(triage(&call)).await.unwrap();
    let mut agreed = consent(&call, &[ConsentKind::Video, ConsentKind::Recording]);
    agreed.consents[2].kind = ConsentKind::Location.into();
    agreed.consents[2].given = true;
    client.record_consent(agreed).await.unwrap();
    client.request_transfer(transfer_of(&call)).await.unwrap();
    let look = GetLocationRequest {
        force_id: FORCE.into(),
        call_id: call.clone(),
        officer_id: "PC1".into(),
        reason: "sending a unit".into(),
    };
    client.get_location(look).await.unwrap();
    let others = Others::at(&room.nats).await;
    others.queued(&call).await;
    others.offered(&call).await;
    others.accepted(&call).await;
    others.wants_a_unit(&call, "01900000-0000-7000-8000-0000000000f1").await;
    let mut watch = room.watch(&call, 0).await;
    while next(&mut watch).await.is_some_and(|(_, kind)| name(&kind) != "fast-track") {}
    ISOLATION.prove(&room.db.url(), "kent", FORCE).await;
    // And the other way round.
    Isolation { filled: &["calls"], ..ISOLATION }.prove(&room.db.url(), FORCE, "kent").await;
}
