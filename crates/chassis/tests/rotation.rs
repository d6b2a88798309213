//! Certificates that are replaced under a server and its clients, well and badly.

use std::{fs, io, net::SocketAddr, sync::Arc, time::Duration};

use api::referral::v1::referral_service_client::ReferralServiceClient;
use chassis::{
    Clock, Entropy, Health, ManualClock, Shutdown, ShutdownTrigger, Tls,
    config::Base,
    grpc::{Server, connect_lazy},
    status::reason_of,
};
use tempfile::TempDir;
use testkit::{Identities, Papers};
use tokio::net::TcpStream;
use tokio_rustls::{
    TlsConnector,
    rustls::{
        ClientConfig, RootCertStore, SupportedProtocolVersion,
        crypto::ring::default_provider,
        pki_types::{CertificateDer, ServerName, pem::PemObject},
        version::{TLS12, TLS13},
    },
};
use tonic_health::pb::{HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient};

use crate::{
    obedient::{Obedient, RULES, ask, base},
    who::section,
};

/// A server by a clock that a test turns.
struct Room {
    identities: Identities,
    papers: Papers,
    clock: ManualClock,
    health: Health,
    address: SocketAddr,
    _folder: TempDir,
    _trigger: ShutdownTrigger,
}

impl Room {
    async fn open() -> Self {
        let folder = TempDir::new().unwrap();
        let identities = Identities::new(folder.path()).unwrap();
        let papers = identities.service("referral").unwrap();
        let (clock, health) = (ManualClock::new(Clock::system().now()), Health::new());
        let base = Base { tls: Some(section(&papers)), ..base() };
        let (trigger, shutdown) = Shutdown::manual();
        let server =
            Server::new(&base, &Entropy::os(), shutdown).guarded(RULES, clock.clone().into()).add(Obedient::default());
        let server = server.bind(&health).await.unwrap();
        let address = server.local_addr();
        tokio::spawn(server.serve());
        Self { identities, papers, clock, health, address, _folder: folder, _trigger: trigger }
    }

    fn a_minute_passes(&self) {
        self.clock.advance(Duration::from_secs(60));
    }

    /// The certificate that somebody sees who connects now, as it is in its file.
    async fn shown(&self, version: &'static SupportedProtocolVersion) -> io::Result<Vec<u8>> {
        let mut roots = RootCertStore::empty();
        roots.add(der(&self.papers.roots)).unwrap();
        let client = ClientConfig::builder_with_provider(default_provider().into())
            .with_protocol_versions(&[version])
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let stream = TcpStream::connect(self.address).await?;
        let name = ServerName::try_from("127.0.0.1").unwrap();
        let stream = TlsConnector::from(Arc::new(client)).connect(name, stream).await?;
        Ok(stream.get_ref().1.peer_certificates().unwrap()[0].to_vec())
    }
}

fn der(path: &std::path::Path) -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(&fs::read(path).unwrap()).unwrap()
}

/// A new certificate, and then one that can't be used.
pub async fn one_is_taken_and_one_refused() {
    let room = Room::open().await;
    room.identities.service("referral").unwrap();
    room.a_minute_passes();
    room.shown(&TLS13).await.unwrap();
    fs::write(&room.papers.key, "half").unwrap();
    room.a_minute_passes();
    room.shown(&TLS13).await.unwrap();
}

#[tokio::test]
async fn nothing_before_tls_1_3_is_spoken() {
    let room = Room::open().await;
    assert!(room.shown(&TLS12).await.is_err());
    assert_eq!(room.shown(&TLS13).await.unwrap(), der(&room.papers.certificate).to_vec());
}

#[tokio::test]
async fn whoever_comes_sees_the_new_certificate_and_whoever_is_there_stays() {
    let room = Room::open().await;
    let first = der(&room.papers.certificate).to_vec();
    let own = room.identities.service("console").unwrap();
    let clock = Clock::from(room.clock.clone());
    let tls = Tls::read(Some(&section(&own)), clock).unwrap();
    let channel = connect_lazy(&format!("https://{}", room.address), tls.as_ref()).unwrap();
    let mut watch = HealthClient::new(channel).watch(HealthCheckRequest::default()).await.unwrap().into_inner();
    assert_eq!(watch.message().await.unwrap().unwrap().status(), ServingStatus::Serving);

    // Another certificate and key, in the same files.
    room.identities.service("referral").unwrap();
    let second = der(&room.papers.certificate).to_vec();
    assert_ne!(first, second);
    assert_eq!(room.shown(&TLS13).await.unwrap(), first, "looked at once a minute");
    room.a_minute_passes();
    assert_eq!(room.shown(&TLS13).await.unwrap(), second);

    // Half of a pair, none, and no certificate at all: the last good pair stays.
    let (key, certificate) = (fs::read(&room.papers.key).unwrap(), fs::read(&room.papers.certificate).unwrap());
    let other = room.identities.service("intake").unwrap();
    for (path, with) in [
        (&room.papers.key, Some(fs::read(&other.key).unwrap())),
        (&room.papers.certificate, Some(b"-----BEGIN CERTIFICATE-----\nhalf".to_vec())),
        (&room.papers.key, None),
    ] {
        match with {
            Some(bytes) => fs::write(path, bytes).unwrap(),
            None => fs::remove_file(path).unwrap(),
        }
        room.a_minute_passes();
        assert_eq!(room.shown(&TLS13).await.unwrap(), second);
        fs::write(&room.papers.key, &key).unwrap();
        fs::write(&room.papers.certificate, &certificate).unwrap();
    }
    // And once it is whole, the new one.
    room.identities.service("referral").unwrap();
    room.a_minute_passes();
    assert_eq!(room.shown(&TLS13).await.unwrap(), der(&room.papers.certificate).to_vec());

    // The stream of before all that is up.
    room.health.set("a dependency", false);
    assert_eq!(watch.message().await.unwrap().unwrap().status(), ServingStatus::NotServing);
}

#[tokio::test]
async fn a_client_shows_its_new_certificate_when_it_connects_again() {
    let room = Room::open().await;
    let own = room.identities.service("call-transfer").unwrap();
    let tls = Tls::read(Some(&section(&own)), room.clock.clone().into()).unwrap();
    let channel = || connect_lazy(&format!("https://{}", room.address), tls.as_ref()).unwrap();
    let before = channel();
    let asked = async |channel| ReferralServiceClient::new(channel).get_package(ask("who")).await;
    let refused = asked(before.clone()).await.unwrap_err();
    assert_eq!(reason_of(&refused).as_deref(), Some("NOT_FOR_YOU"));

    let other = room.identities.service("intake").unwrap();
    for (from, to) in [(&other.certificate, &own.certificate), (&other.key, &own.key)] {
        fs::copy(from, to).unwrap();
    }
    room.a_minute_passes();
    let answer = asked(channel()).await.unwrap().into_inner();
    assert_eq!(answer.package_id, r#"Service("intake")"#);
    assert!(asked(before).await.is_err(), "who is connected stays who they were");
}
