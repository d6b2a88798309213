//! The number that the caller rang from, from the real intake.

use api::{
    intake::v1::{Incident, Line, OpenCallRequest, intake_service_client::IntakeServiceClient},
    referral::v1::GetCallerNumberRequest,
};
use testkit::Service;
use tonic::{Code, Status};

use crate::{
    desk::{Desk, FORCE, new_call, refused},
    people::request_id,
};

impl Desk {
    async fn number(&self, force: &str, call: &str) -> Result<String, Status> {
        let (force_id, call_id, officer_id) = (force.into(), call.into(), "PC1".into());
        let request = GetCallerNumberRequest { force_id, call_id, officer_id };
        Ok(self.client().get_caller_number(request).await?.into_inner().number)
    }
}

#[tokio::test]
async fn nobody_types_the_number_that_the_control_room_gave() {
    // On a bus of its own: what this test says as the desk isn't what intake would believe of a call that nobody asked the desk for.
    let (db, nats) = tokio::join!(testkit::database(), testkit::nats());
    let (url, bus) = (db.url(), nats.url().to_owned());
    let env = [("ALCOVE_INTAKE__DATABASE__URL", url.as_str()), ("ALCOVE_INTAKE__NATS__URL", bus.as_str())];
    Service::migrate("intake", &env).await.unwrap();
    let mut intake = Service::start("intake", &env).await.unwrap();
    let mut control_room = IntakeServiceClient::connect(intake.url("grpc")).await.unwrap();
    let desk = Desk::open_with(&[("ALCOVE_REFERRAL__INTAKE__URL", &intake.url("grpc"))]).await;
    let mut calls = vec![];
    for (incident, number) in [("1123", "+447700900123"), ("1124", "")] {
        let request = OpenCallRequest {
            request_id: request_id(),
            force_id: FORCE.into(),
            line: Line::Line999.into(),
            incident: Some(Incident { date: "2026-11-24".into(), number: incident.into() }),
            caller_number: number.into(),
            ..Default::default()
        };
        calls.push(control_room.open_call(request).await.unwrap().into_inner().call_id);
    }
    let [call, withheld] = calls.as_slice() else { unreachable!() };
    refused(desk.number(FORCE, call).await, Code::NotFound, "UNKNOWN_CALL");
    for call in &calls {
        desk.accepted(call).await;
        desk.known(call).await;
    }
    assert_eq!(desk.number(FORCE, call).await.unwrap(), "+447700900123");
    assert_eq!(desk.number(FORCE, withheld).await.unwrap(), "");
    refused(desk.number("kent", call).await, Code::NotFound, "UNKNOWN_CALL");
    // A call that intake doesn't know has no number.
    let other = new_call();
    desk.accepted(&other).await;
    desk.known(&other).await;
    assert_eq!(desk.number(FORCE, &other).await.unwrap(), "");

    intake.kill().await.unwrap();
    refused(desk.number(FORCE, call).await, Code::Unavailable, "INTAKE_UNAVAILABLE");
    intake.restart().await.unwrap();
    assert_eq!(desk.number(FORCE, call).await.unwrap(), "+447700900123");
}
