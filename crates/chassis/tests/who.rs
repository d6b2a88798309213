//! Who asks, and who is let in: real certificates, a real handshake.

use std::net::SocketAddr;

use api::referral::v1::{GetPackageRequest, GetPackageResponse, referral_service_client::ReferralServiceClient};
use chassis::{
    Clock, Entropy, Error, Health, Shutdown, ShutdownTrigger, Tls,
    access::Rule,
    config::{self, Base, Profile},
    grpc::{Server, connect_lazy},
    status::reason_of,
};
use tempfile::TempDir;
use testkit::{Identities, Papers};
use tonic::{
    Code, Request, Status,
    transport::{Certificate, ClientTlsConfig, Endpoint},
};
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};

use crate::obedient::{Obedient, RULES, ask, base};

/// A server with a certificate, and the authority that made it.
struct Room {
    identities: Identities,
    _folder: TempDir,
    addr: SocketAddr,
    _trigger: ShutdownTrigger,
}

pub fn section(papers: &Papers) -> config::Tls {
    let Papers { certificate, key, roots, .. } = papers.clone();
    config::Tls { certificate, key, roots }
}

impl Room {
    async fn open(rules: &'static [Rule]) -> Self {
        let folder = TempDir::new().unwrap();
        let identities = Identities::new(folder.path()).unwrap();
        let base = Base { tls: Some(section(&identities.service("referral").unwrap())), ..base() };
        let (trigger, addr) = serve(&base, rules).await.unwrap();
        Self { identities, _folder: folder, addr, _trigger: trigger }
    }

    async fn ask(
        &self,
        papers: &Papers,
        request: impl tonic::IntoRequest<GetPackageRequest>,
    ) -> Result<String, Status> {
        let tls = Tls::read(Some(&section(papers)), Clock::system()).unwrap();
        let channel = connect_lazy(&format!("https://{}", self.addr), tls.as_ref()).unwrap();
        let answer = ReferralServiceClient::new(channel).get_package(request).await;
        answer.map(|answer: tonic::Response<GetPackageResponse>| answer.into_inner().package_id)
    }

    /// A channel of somebody who has no certificate.
    fn nameless(&self) -> tonic::transport::Channel {
        let roots = std::fs::read(self.identities.service("console").unwrap().roots).unwrap();
        let endpoint = Endpoint::from_shared(format!("https://{}", self.addr)).unwrap();
        let tls = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(roots));
        endpoint.tls_config(tls).unwrap().connect_lazy()
    }
}

async fn serve(base: &Base, rules: &'static [Rule]) -> Result<(ShutdownTrigger, SocketAddr), Error> {
    let (trigger, shutdown) = Shutdown::manual();
    let server = Server::new(base, &Entropy::os(), shutdown).guarded(rules, Clock::system());
    let server = server.add(Obedient::default()).bind(&Health::new()).await?;
    let addr = server.local_addr();
    tokio::spawn(server.serve());
    Ok((trigger, addr))
}

fn who(force: &str) -> GetPackageRequest {
    GetPackageRequest { force_id: force.to_owned(), ..ask("who") }
}

fn refusal<T: std::fmt::Debug>(answer: Result<T, Status>) -> (Code, String) {
    let status = answer.unwrap_err();
    (status.code(), reason_of(&status).unwrap_or_else(|| status.message().to_owned()))
}

#[tokio::test]
async fn a_certificate_says_who_asks() {
    let room = Room::open(RULES).await;
    let intake = room.identities.service("intake").unwrap();
    assert_eq!(room.ask(&intake, who("kent")).await.unwrap(), r#"Service("intake")"#);
    let control_room = room.identities.control_room("wmp").unwrap();
    let named = room.ask(&control_room, who("wmp")).await.unwrap();
    assert!(named.contains("ControlRoom") && named.contains("wmp") && named.contains("cad"), "{named}");

    let other = room.identities.service("call-transfer").unwrap();
    assert_eq!(refusal(room.ask(&other, who("wmp")).await), (Code::PermissionDenied, "NOT_FOR_YOU".to_owned()));
    for stranger in ["spiffe://alcove/service/", "spiffe://elsewhere/service/intake", "spiffe://alcove/officer/wmp/pc"]
    {
        let stranger = room.identities.named(stranger).unwrap();
        let refused = refusal(room.ask(&stranger, who("wmp")).await);
        assert_eq!(refused, (Code::Unauthenticated, "NO_CERTIFICATE".to_owned()));
    }
}

#[tokio::test]
async fn another_force_s_thing_is_one_that_is_not_there() {
    let room = Room::open(RULES).await;
    let control_room = room.identities.control_room("wmp").unwrap();
    for other in ["kent", "", "WMP", "wmp "] {
        let refused = refusal(room.ask(&control_room, who(other)).await);
        assert_eq!(refused, (Code::NotFound, "UNKNOWN_PACKAGE".to_owned()), "{other}");
    }
}

#[tokio::test]
async fn without_one_the_call_is_refused() {
    let room = Room::open(RULES).await;
    let refused = ReferralServiceClient::new(room.nameless()).get_package(who("wmp")).await;
    assert_eq!(refusal(refused), (Code::Unauthenticated, "NO_CERTIFICATE".to_owned()));
    // Whoever looks after the machines has none, and asks all the same.
    HealthClient::new(room.nameless()).check(HealthCheckRequest::default()).await.unwrap();
}

#[tokio::test]
async fn an_rpc_in_no_table_is_refused() {
    let room = Room::open(&[]).await;
    let intake = room.identities.service("intake").unwrap();
    assert_eq!(refusal(room.ask(&intake, who("wmp")).await), (Code::PermissionDenied, "NOT_FOR_YOU".to_owned()));

    let (_trigger, addr) = serve(&base(), &[]).await.unwrap();
    let channel = connect_lazy(&format!("http://{addr}"), None).unwrap();
    let refused = ReferralServiceClient::new(channel).get_package(who("wmp")).await;
    assert_eq!(refusal(refused), (Code::PermissionDenied, "NOT_FOR_YOU".to_owned()), "in dev, too");
}

#[tokio::test]
async fn another_ca_is_refused() {
    let room = Room::open(RULES).await;
    let elsewhere = TempDir::new().unwrap();
    let theirs = Identities::new(elsewhere.path()).unwrap().service("intake").unwrap();
    // Believing our server they connect, and get no further.
    let mixed = Papers { roots: room.identities.service("intake").unwrap().roots, ..theirs.clone() };
    let refused = room.ask(&mixed, who("wmp")).await.unwrap_err();
    assert!(no_connection(&refused), "{refused:?}");
    // And nobody of ours believes a server of theirs.
    let refused = room.ask(&theirs, who("wmp")).await.unwrap_err();
    assert!(no_connection(&refused), "{refused:?}");
}

/// Whether it is the transport's own word: nobody behind it was asked. Which one depends on when the alert arrives.
fn no_connection(status: &Status) -> bool {
    matches!(status.code(), Code::Unavailable | Code::Unknown) && reason_of(status).is_none()
}

#[tokio::test]
async fn a_token_is_believed_over_the_console_s_certificate_only() {
    let room = Room::open(RULES).await;
    let bearing = |request| {
        let mut request = Request::new(request);
        request.metadata_mut().insert("authorization", "Bearer of.no.worth".parse().unwrap());
        request
    };
    let console = room.identities.service("console").unwrap();
    let refused = refusal(room.ask(&console, bearing(who("wmp"))).await);
    assert_eq!(refused, (Code::Unauthenticated, "TOKEN_INVALID".to_owned()));
    let control_room = room.identities.control_room("wmp").unwrap();
    assert!(room.ask(&control_room, bearing(who("wmp"))).await.unwrap().contains("ControlRoom"));
    // The console asks nothing in its own name.
    assert_eq!(refusal(room.ask(&console, who("wmp")).await), (Code::PermissionDenied, "NOT_FOR_YOU".to_owned()));
}

#[tokio::test]
async fn production_does_without_certificates_nowhere() {
    let production = Base { profile: Profile::Production, ..base() };
    assert!(production.check().unwrap_err().to_string().starts_with("tls"));
    let clear = config::Nats { url: "nats://bus:4222".to_owned(), stream_replicas: 1 };
    let guarded = config::Nats { url: "tls://bus:4222".to_owned(), ..clear.clone() };
    let over = |nats: &config::Nats| Base { grpc: None, nats: Some(nats.clone()), ..production.clone() }.check();
    assert!(over(&clear).unwrap_err().to_string().starts_with("nats.url"));
    over(&guarded).unwrap();
    Base { nats: Some(clear), ..base() }.check().unwrap();
    // Were it started all the same, nobody would be let in.
    let (_trigger, addr) = serve(&production, RULES).await.unwrap();
    let channel = connect_lazy(&format!("http://{addr}"), None).unwrap();
    let refused = ReferralServiceClient::new(channel).get_package(who("wmp")).await;
    assert_eq!(refusal(refused), (Code::Unauthenticated, "NO_CERTIFICATE".to_owned()));
}

#[tokio::test]
async fn certificates_and_addresses_go_together() {
    let room = Room::open(RULES).await;
    let tls = Tls::read(Some(&section(&room.identities.service("intake").unwrap())), Clock::system()).unwrap();
    assert!(connect_lazy("http://127.0.0.1:1", tls.as_ref()).is_err(), "nobody would know who asks");
    assert!(connect_lazy("https://127.0.0.1:1", None).is_err());
    let away = config::Tls { key: "/nowhere".into(), ..section(&room.identities.service("intake").unwrap()) };
    assert!(Tls::read(Some(&away), Clock::system()).unwrap_err().to_string().starts_with("tls.key"));
}
