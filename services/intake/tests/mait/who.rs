//! Who may send, and to whom is sent: a control room, about its own force, by its certificate.

use std::{fs, sync::Arc};

use chassis::Principal;
use intake::mait::schema::Field;
use reqwest::{Certificate, Identity, StatusCode};
use testkit::{Identities, Papers, Port, Service, TestDatabase, TestNats};
use tokio::{io::AsyncReadExt, net::TcpListener};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        RootCertStore, ServerConfig,
        crypto::ring::default_provider,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
        server::WebPkiClientVerifier,
    },
};

use crate::support::PATIENCE;

use super::{
    opening::{LISTEN, rejected, send},
    samples::{plain, xml},
};

fn client(papers: &Papers, shows: bool) -> reqwest::Client {
    let read = |path| fs::read(path).unwrap();
    let roots = Certificate::from_pem(&read(&papers.roots)).unwrap();
    let client = reqwest::Client::builder().use_rustls_tls().tls_built_in_root_certs(false).add_root_certificate(roots);
    let pem = [read(&papers.certificate), read(&papers.key)].concat();
    let client = if shows { client.identity(Identity::from_pem(&pem).unwrap()) } else { client };
    client.build().unwrap()
}

/// Intake with certificates.
struct Secure {
    db: TestDatabase,
    _nats: TestNats,
    _service: Service,
    papers: Papers,
    url: String,
}

impl Secure {
    async fn open(authority: &Identities, settings: &[(&str, &str)]) -> Self {
        let papers = authority.service("intake").unwrap();
        let (db, nats) = tokio::join!(testkit::database(), testkit::nats());
        let (postgres, bus) = (db.url(), nats.url().to_owned());
        let tls = papers.settings().map(|(setting, value)| (testkit::key("intake", setting), value));
        let mut env = vec![
            ("ALCOVE_INTAKE__DATABASE__URL", postgres.as_str()),
            ("ALCOVE_INTAKE__NATS__URL", bus.as_str()),
            LISTEN,
        ];
        env.extend(tls.iter().map(|(key, value)| (key.as_str(), value.as_str())));
        env.extend(settings);
        Service::migrate("intake", &env).await.unwrap();
        let service = Service::start("intake", &env).await.unwrap();
        let url = format!("https://{}", service.address("mait"));
        Self { db, _nats: nats, _service: service, papers, url }
    }
}

#[tokio::test]
async fn another_forces_certificate_opens_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Identities::new(&folder.path().join("ours")).unwrap();
    let Secure { db, papers, url, _nats, _service } = Secure::open(&authority, &[]).await;

    let kent = client(&authority.control_room("kent").unwrap(), true);
    let refused = send(&kent, &url, xml(&plain("cad-1", "1"))).await;
    assert_eq!(refused.1.get(Field::To), Some("kent"), "it is told who it is, not who it says it is");
    rejected(refused, 403, "UNKNOWN_SENDER", None);
    let intake = client(&papers, true);
    rejected(send(&intake, &url, xml(&plain("cad-1", "1"))).await, 403, "NOT_FOR_YOU", None);
    // Without a certificate, or with another authority's, there is no connection to say anything on.
    let strangers = Identities::new(&folder.path().join("theirs")).unwrap().control_room("wmp").unwrap();
    let stranger = Papers { roots: papers.roots.clone(), ..strangers };
    for client in [client(&papers, false), client(&stranger, true)] {
        assert!(client.post(format!("{url}/mait")).body(xml(&plain("cad-1", "1"))).send().await.is_err());
    }
    let calls = async || -> i64 {
        sqlx::query_scalar("select count(*) from intake.calls").fetch_one(&db.pool()).await.unwrap()
    };
    assert_eq!(calls().await, 0);
    let own = plain("cad-1", "1").with(Field::From, "kent");
    assert_eq!(send(&kent, &url, xml(&own)).await.0, StatusCode::OK);
    assert_eq!(calls().await, 1);
    // Another force's message by the same id is another message.
    let wmp = client(&authority.control_room("wmp").unwrap(), true);
    assert_eq!(send(&wmp, &url, xml(&plain("cad-1", "1"))).await.0, StatusCode::OK);
    assert_eq!(calls().await, 2);
}

/// A control room that asks who comes: by whom it was sent its first message.
async fn first_sender(listener: TcpListener, papers: &Papers) -> Option<Principal> {
    let read = |path| fs::read(path).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(&read(&papers.roots)).unwrap()).unwrap();
    let provider = Arc::new(default_provider());
    let clients = WebPkiClientVerifier::builder_with_provider(roots.into(), provider.clone()).build().unwrap();
    let chain = vec![CertificateDer::from_pem_slice(&read(&papers.certificate)).unwrap()];
    let key = PrivateKeyDer::from_pem_slice(&read(&papers.key)).unwrap();
    let server = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let server = server.with_client_cert_verifier(clients).with_single_cert(chain, key).unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(server));
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let Ok(mut stream) = acceptor.accept(stream).await else { continue };
        let mut begins = [0; 10];
        stream.read_exact(&mut begins).await.unwrap();
        assert_eq!(&begins, b"POST /mait");
        return Principal::of_certificate(&stream.get_ref().1.peer_certificates()?[0]);
    }
}

#[tokio::test]
async fn a_message_is_sent_with_our_certificate_and_to_nobody_of_another_authority() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Identities::new(&folder.path().join("ours")).unwrap();
    let theirs = Identities::new(&folder.path().join("theirs")).unwrap();
    let (port, strange) = (Port::claim().unwrap(), Port::claim().unwrap());
    let (url, elsewhere) = (format!("https://{}/mait", port.address()), format!("https://{}/mait", strange.address()));
    let kents = ("ALCOVE_INTAKE__MAIT__FORCES__KENT__URL", url.as_str());
    let wmps = ("ALCOVE_INTAKE__MAIT__FORCES__WMP__URL", elsewhere.as_str());
    let soon = ("ALCOVE_INTAKE__MAIT__RETRY_AFTER_MS", "50");
    let secure = Secure::open(&authority, &[kents, wmps, soon]).await;
    let ours = TcpListener::bind(port.address()).await.unwrap();
    let stranger = TcpListener::bind(strange.address()).await.unwrap();
    let (ours_papers, their_papers) = (authority.control_room("kent").unwrap(), theirs.control_room("wmp").unwrap());
    // It believes our certificate, and isn't believed.
    let fooled = Papers { roots: ours_papers.roots.clone(), ..their_papers };
    for force in ["kent", "wmp"] {
        let client = client(&authority.control_room(force).unwrap(), true);
        let message = plain("cad-1", "1").with(Field::From, force);
        assert_eq!(send(&client, &secure.url, xml(&message)).await.0, StatusCode::OK);
    }
    // Something happens to both calls.
    for statement in [
        "insert into intake.call_updates (call_id, sequence, at, body) select id, 1, now(), '{\"kind\": \"offered\"}' from intake.calls",
        "update intake.mait_sent set told = 1",
        "select pg_notify('intake_call_updates', 'mait')",
    ] {
        sqlx::query(statement).execute(&secure.db.pool()).await.unwrap();
    }
    let sender = tokio::time::timeout(PATIENCE, async {
        tokio::select! {
            sender = first_sender(ours, &ours_papers) => sender,
            _ = first_sender(stranger, &fooled) => panic!("a message went to a stranger"),
        }
    });
    assert_eq!(sender.await.expect("a message comes"), Some(Principal::Service("intake".into())));
}
