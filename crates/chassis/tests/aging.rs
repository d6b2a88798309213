//! Connections that have reached their largest age: the next request goes by another, and nothing is lost.

use std::net::SocketAddr;

use api::referral::v1::referral_service_client::ReferralServiceClient;
use chassis::{
    Clock, Entropy, Health, Shutdown,
    config::{Base, Grpc},
    grpc::{Server, connect_lazy},
};
use futures::future::join_all;
use testkit::Proxy;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional},
    net::{TcpListener, TcpStream},
};
use tonic_health::pb::{HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient};

use crate::obedient::{Obedient, RULES, ask, base, serve};

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

/// With so many bytes a client's connection begins, before its frames.
const PREFACE: usize = 24;
const DATA: u8 = 0;
const SETTINGS: u8 = 4;
const GOAWAY: u8 = 7;
/// The flag of a stream's last frame.
const END_STREAM: u8 = 1;

/// A server ends a connection when a request is there whole, and says whether it has taken that up.
#[tokio::test]
async fn what_a_server_has_not_taken_up_is_sent_again_and_what_it_may_have_heard_is_not() {
    let (_trigger, shutdown) = Shutdown::manual();
    let (server, _serving, _) = serve(Obedient::default(), &Health::new(), shutdown).await;
    for (taken_up, is_answered) in [(0, true), (1, false)] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(ends_once(listener, taken_up, server));
        let mut client = ReferralServiceClient::new(connect_lazy(&url, None).unwrap());
        let answer = client.get_package(ask("nothing")).await;
        assert_eq!(answer.is_ok(), is_answered, "{answer:?}");
    }
}

/// The first connection ends behind that stream, in order (RFC 9113, 6.8), and each one after it is the server's.
async fn ends_once(listener: TcpListener, taken_up: u32, server: SocketAddr) {
    let (mut first, _) = listener.accept().await.unwrap();
    first.write_all(&frame(SETTINGS, &[])).await.unwrap();
    first.read_exact(&mut [0; PREFACE]).await.unwrap();
    loop {
        let mut head = [0; 9];
        first.read_exact(&mut head).await.unwrap();
        let [_, a, b, kind, flags, ..] = head;
        first.read_exact(&mut vec![0; usize::from(u16::from_be_bytes([a, b]))]).await.unwrap();
        if kind == DATA && flags & END_STREAM != 0 {
            break;
        }
    }
    let no_error = 0_u32;
    let end = [taken_up.to_be_bytes(), no_error.to_be_bytes()].concat();
    first.write_all(&frame(GOAWAY, &end)).await.unwrap();
    first.shutdown().await.unwrap();
    // Until the other end has closed it, too.
    let _ = first.read_to_end(&mut Vec::new()).await;
    while let Ok((mut near, _)) = listener.accept().await {
        let mut far = TcpStream::connect(server).await.unwrap();
        tokio::spawn(async move { copy_bidirectional(&mut near, &mut far).await });
    }
}

/// Of the whole connection.
fn frame(kind: u8, payload: &[u8]) -> Vec<u8> {
    let length = u8::try_from(payload.len()).unwrap();
    [&[0, 0, length, kind, 0, 0, 0, 0, 0][..], payload].concat()
}
