//! Connections that have reached their largest age: the next request goes by another, and nothing is lost.

use api::referral::v1::referral_service_client::ReferralServiceClient;
use chassis::{
    Clock, Entropy, Health, Shutdown,
    config::{Base, Grpc},
    grpc::{Server, connect_lazy},
};
use futures::future::join_all;
use testkit::Proxy;
use tonic_health::pb::{HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient};

use crate::obedient::{Obedient, RULES, ask, base};

#[tokio::test(flavor = "multi_thread")]
async fn what_is_asked_goes_by_a_new_connection_and_what_is_under_way_ends_on_the_old_one() {
    let (service, health, (_trigger, shutdown)) = (Obedient::default(), Health::new(), Shutdown::manual());
    let base = Base { grpc: Some(Grpc { max_connection_age_ms: 100, ..Grpc::default() }), ..base() };
    let server = Server::new(&base, &Entropy::os(), shutdown).guarded(RULES, Clock::system());
    let server = server.add(service.clone()).bind(&health).await.unwrap();
    let proxy = Proxy::start(server.local_addr().to_string()).await.unwrap();
    tokio::spawn(server.serve());
    let channel = connect_lazy(&format!("http://{}", proxy.address()), None).unwrap();
    let client = ReferralServiceClient::new(channel.clone());

    let mut watch = HealthClient::new(channel).watch(HealthCheckRequest::default()).await.unwrap().into_inner();
    assert_eq!(watch.message().await.unwrap().unwrap().status(), ServingStatus::Serving);
    let slow = tokio::spawn({
        let mut client = client.clone();
        async move { client.get_package(ask("wait")).await }
    });
    service.started.notified().await;

    // Several at once, as a console's officers ask, until the fourth connection after those is there.
    let until = proxy.accepted() + 4;
    let asking = (0..8).map(|_| {
        let (mut client, proxy) = (client.clone(), &proxy);
        async move {
            while proxy.accepted() < until {
                client.get_package(ask("nothing")).await.unwrap();
            }
        }
    });
    join_all(asking).await;

    health.set("database", false);
    assert_eq!(watch.message().await.unwrap().unwrap().status(), ServingStatus::NotServing);
    assert!(!slow.is_finished());
    service.go_on.notify_one();
    slow.await.unwrap().unwrap();
}
