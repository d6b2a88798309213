//! A real server and a real client: errors, panics, health, drain.

use crate::obedient::{Obedient, RULES, ask, base, serve};
use chassis::{
    Clock, Entropy, Health, Shutdown,
    grpc::connect_lazy,
    status::{metadata_of, reason_of},
};
use tonic::Code;
use tonic_health::pb::{HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient};
use tonic_reflection::pb::v1::{
    ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
    server_reflection_request::MessageRequest, server_reflection_response::MessageResponse,
};

#[tokio::test]
async fn an_error_arrives_with_its_reason_and_facts() {
    let (_trigger, shutdown) = Shutdown::manual();
    let (_, _, mut client) = serve(Obedient::default(), &Health::new(), shutdown).await;
    let refused = client.get_package(ask("refuse")).await.unwrap_err();
    assert_eq!((refused.code(), refused.message()), (Code::FailedPrecondition, "the call is over"));
    assert_eq!(reason_of(&refused).as_deref(), Some("WRONG_STATE"));
    assert_eq!(metadata_of(&refused, "state").as_deref(), Some("RETURNED"));
    assert_eq!(reason_of(&tonic::Status::internal("a stranger's")), None);
}

#[tokio::test]
async fn a_panic_fails_one_request_only() {
    let (_trigger, shutdown) = Shutdown::manual();
    let (_, _, mut client) = serve(Obedient::default(), &Health::new(), shutdown).await;
    let failed = client.get_package(ask("panic")).await.unwrap_err();
    assert_eq!(failed.code(), Code::Internal);
    assert_eq!(reason_of(&failed).as_deref(), Some("INTERNAL"));
    assert!(!failed.message().contains("told to"));
    client.get_package(ask("nothing")).await.unwrap();
}

#[tokio::test]
async fn a_server_that_is_away_is_unavailable_and_found_again() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    drop(listener);
    let channel = connect_lazy(&format!("http://{addr}"), None).unwrap();
    let mut client = api::referral::v1::referral_service_client::ReferralServiceClient::new(channel);
    assert_eq!(client.get_package(ask("nothing")).await.unwrap_err().code(), Code::Unavailable);

    let (_trigger, shutdown) = Shutdown::manual();
    let mut base = base();
    base.grpc = Some(chassis::config::Grpc { listen: addr, ..Default::default() });
    let service = Obedient::default();
    let server = chassis::grpc::Server::new(&base, &Entropy::os(), shutdown)
        .guarded(RULES, Clock::system())
        .add(service)
        .bind(&Health::new())
        .await
        .unwrap();
    tokio::spawn(server.serve());
    client.get_package(ask("nothing")).await.unwrap();
}

#[tokio::test]
async fn a_bad_url_is_refused() {
    assert!(connect_lazy("not a url", None).is_err());
}

#[tokio::test]
async fn the_drain_lets_a_request_finish_and_takes_no_new_one() {
    let (trigger, shutdown) = Shutdown::manual();
    let service = Obedient::default();
    let (addr, serving, client) = serve(service.clone(), &Health::new(), shutdown).await;
    let waiting = tokio::spawn({
        let mut client = client.clone();
        async move { client.get_package(ask("wait")).await }
    });
    service.started.notified().await;
    trigger.request();
    // The listener closes: that is how we see that the drain has begun.
    while tokio::net::TcpStream::connect(addr).await.is_ok() {
        tokio::task::yield_now().await;
    }
    assert!(!waiting.is_finished());
    service.go_on.notify_one();
    waiting.await.unwrap().unwrap();
    serving.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_stream_that_waits_for_news_ends_with_the_shutdown() {
    let (trigger, shutdown) = Shutdown::manual();
    let (addr, serving, _) = serve(Obedient::default(), &Health::new(), shutdown).await;
    let mut health = HealthClient::new(connect_lazy(&format!("http://{addr}"), None).unwrap());
    let mut watch = health.watch(HealthCheckRequest::default()).await.unwrap().into_inner();
    assert_eq!(watch.message().await.unwrap().unwrap().status(), ServingStatus::Serving);
    trigger.request();
    let ended = loop {
        match watch.message().await {
            Ok(Some(state)) => assert_eq!(state.status(), ServingStatus::NotServing),
            Ok(None) => unreachable!("it never ends by itself"),
            Err(status) => break status,
        }
    };
    assert_eq!((ended.code(), reason_of(&ended).as_deref()), (Code::Unavailable, Some("SHUTTING_DOWN")));
    serving.await.unwrap().unwrap();
}

#[tokio::test]
async fn health_is_the_same_over_http_and_grpc() {
    let (trigger, shutdown) = Shutdown::manual();
    let health = Health::new();
    health.set("database", false);
    let http = health.serve(&base(), shutdown.clone()).await.unwrap();
    let (addr, _serving, _) = serve(Obedient::default(), &health, shutdown).await;
    let get = async |path: &str| {
        let answer = reqwest::get(format!("http://{}{path}", http.local_addr())).await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    let mut client = HealthClient::new(connect_lazy(&format!("http://{addr}"), None).unwrap());
    let service = "alcove.referral.v1.ReferralService".to_owned();
    let mut watch = client.watch(HealthCheckRequest { service: service.clone() }).await.unwrap().into_inner();
    let mut wait_for = async |wanted| while watch.message().await.unwrap().unwrap().status() != wanted {};

    wait_for(ServingStatus::NotServing).await;
    assert_eq!(get("/livez").await.0, 200);
    let (code, body) = get("/readyz").await;
    assert_eq!((code, body.as_str()), (503, r#"{"ready":false,"checks":{"database":false}}"#));

    health.set("database", true);
    wait_for(ServingStatus::Serving).await;
    health.ready().await;
    assert_eq!(get("/readyz").await.0, 200);

    trigger.request();
    wait_for(ServingStatus::NotServing).await;
    assert_eq!(get("/readyz").await.0, 503, "not ready while draining");
}

#[tokio::test]
async fn reflection_knows_our_services() {
    let (_trigger, shutdown) = Shutdown::manual();
    let (addr, _serving, _) = serve(Obedient::default(), &Health::new(), shutdown).await;
    let mut client = ServerReflectionClient::new(connect_lazy(&format!("http://{addr}"), None).unwrap());
    let request = ServerReflectionRequest {
        host: String::new(),
        message_request: Some(MessageRequest::ListServices(String::new())),
    };
    let mut answers =
        client.server_reflection_info(tonic::codegen::tokio_stream::iter([request])).await.unwrap().into_inner();
    let answer = answers.message().await.unwrap().unwrap();
    let Some(MessageResponse::ListServicesResponse(list)) = answer.message_response else { unreachable!() };
    assert!(list.service.iter().any(|service| service.name == "alcove.referral.v1.ReferralService"));
}
