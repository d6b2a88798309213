//! Who may send: a control room, about its own force, by its certificate.

use std::fs;

use intake::mait::schema::Field;
use reqwest::{Certificate, Identity, StatusCode};
use testkit::{Identities, Papers, Service};

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

#[tokio::test]
async fn another_forces_certificate_opens_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Identities::new(&folder.path().join("ours")).unwrap();
    let papers = authority.service("intake").unwrap();
    let (db, nats) = tokio::join!(testkit::database(), testkit::nats());
    let mut env = vec![
        ("ALCOVE_INTAKE__DATABASE__URL".to_owned(), db.url()),
        ("ALCOVE_INTAKE__NATS__URL".to_owned(), nats.url().to_owned()),
        (LISTEN.0.to_owned(), LISTEN.1.to_owned()),
    ];
    env.extend(papers.settings().map(|(setting, value)| (testkit::key("intake", setting), value)));
    let env: Vec<_> = env.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    Service::migrate("intake", &env).await.unwrap();
    let service = Service::start("intake", &env).await.unwrap();
    let url = format!("https://{}", service.address("mait"));

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
