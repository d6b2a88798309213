//! The timestamp authority down, slow, lying, or with another idea of the time: nothing of that becomes a timestamp.

use std::{fs, sync::Arc};

use chrono::{DateTime, TimeDelta, Utc};
use evidence_store::{
    config::Timestamping,
    tsa::{Client, Error, Stamped},
};
use exhibit::timestamp::{self, Response, TsaRoots};
use testkit::tsa::{Fault, POLICY, Tsa, Wrong};
use tokio::{io::copy_bidirectional, net::TcpListener, net::TcpStream};
use tokio_rustls::{TlsAcceptor, rustls};

const SEAL: &[u8] = b"the bytes of proof/seal.p7s";
const NONCE: [u8; 8] = [7; 8];

fn config(tsa: &Tsa) -> Timestamping {
    Timestamping {
        url: Some(tsa.url()),
        roots_file: Some(tsa.authority().roots_file()),
        policy: Some(POLICY.to_owned()),
        ca_file: None,
        timeout_seconds: 30,
        max_skew_seconds: 600,
    }
}

fn client(tsa: &Tsa) -> Client {
    Client::new(&config(tsa)).unwrap().unwrap()
}

/// OpenSSL takes the machine's time and no other: a first token says when it is, and our clock is set by that.
async fn now(client: &Client) -> DateTime<Utc> {
    match client.stamp(SEAL, NONCE, DateTime::UNIX_EPOCH).await {
        Err(Error::Skewed { theirs, .. }) => theirs,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_good_answer_is_taken_and_openssl_agrees() {
    let tsa = Tsa::start().await.unwrap();
    let client = client(&tsa);
    let now = now(&client).await;
    let Stamped { tsr, token } = client.stamp(SEAL, NONCE, now).await.unwrap();
    tsa.authority().openssl_verifies(&tsr, SEAL).unwrap();
    let roots = TsaRoots::from_pem(tsa.roots_pem()).unwrap();
    assert_eq!(timestamp::verify(&tsr, SEAL, &roots), Ok(token));
    // Without a policy asked for, the authority's own will do.
    let any = Client::new(&Timestamping { policy: None, ..config(&tsa) }).unwrap().unwrap();
    assert_eq!(any.stamp(SEAL, NONCE, now).await.unwrap().token.policy, POLICY);
}

#[tokio::test]
async fn an_authority_that_is_away_is_asked_again() {
    let tsa = Tsa::start().await.unwrap();
    let client = client(&tsa);
    let now = now(&client).await;
    tsa.set(Fault::Down);
    let down = client.stamp(SEAL, NONCE, now).await.unwrap_err();
    assert!(matches!(down, Error::Status(status) if status == 503) && down.is_away());

    let impatient = Client::new(&Timestamping { timeout_seconds: 1, ..config(&tsa) }).unwrap().unwrap();
    tsa.set(Fault::Slow);
    let slow = impatient.stamp(SEAL, NONCE, now).await.unwrap_err();
    assert!(matches!(&slow, Error::Away(error) if error.is_timeout()) && slow.is_away());

    // A patient one gets its answer when it comes.
    let waiting = tokio::spawn(async move { client.stamp(SEAL, NONCE, now).await });
    tsa.set(Fault::Answers(Wrong::Nothing));
    assert!(waiting.await.unwrap().is_ok());

    let port = testkit::Port::claim().unwrap();
    let nobody = port.address();
    let gone = Timestamping { url: Some(format!("http://user:secret@{nobody}/")), ..config(&tsa) };
    let gone = Client::new(&gone).unwrap().unwrap().stamp(SEAL, NONCE, now).await.unwrap_err();
    assert!(matches!(gone, Error::Away(_)) && gone.is_away());
    assert!(!format!("{gone:?} {}", chassis::chain(&gone)).contains("secret"), "{gone:?}");
}

#[tokio::test]
async fn a_wrong_answer_is_named_and_not_taken() {
    let tsa = Tsa::start().await.unwrap();
    let client = client(&tsa);
    let now = now(&client).await;
    let refused = async |fault| {
        tsa.set(fault);
        let error = client.stamp(SEAL, NONCE, now).await.unwrap_err();
        assert!(!error.is_away(), "{error:?}");
        error
    };
    let why = async |wrong| match refused(Fault::Answers(wrong)).await {
        Error::Refused(why) => why,
        other => panic!("{other:?}"),
    };
    assert_eq!(why(Wrong::Nonce).await, timestamp::Error::OtherNonce);
    assert_eq!(why(Wrong::Imprint).await, timestamp::Error::OtherImprint);
    assert!(matches!(why(Wrong::Policy).await, timestamp::Error::OtherPolicy { .. }));
    assert!(matches!(why(Wrong::Expired).await, timestamp::Error::NotValidThen { .. }));
    assert!(matches!(why(Wrong::Rejection).await, timestamp::Error::Rejected { temporary: false, .. }));
    let garbage = refused(Fault::Garbage).await;
    assert!(matches!(garbage, Error::Refused(timestamp::Error::Malformed(_))));
    assert!(matches!(refused(Fault::Endless).await, Error::TooLong));
    assert!(matches!(refused(Fault::WebPage).await, Error::ContentType));
    // Somebody else's authority, whose certificate doesn't lead to our roots.
    let other = Tsa::start().await.unwrap();
    let stranger = Timestamping { url: Some(other.url()), ..config(&tsa) };
    let stranger = Client::new(&stranger).unwrap().unwrap().stamp(SEAL, NONCE, now).await;
    assert!(matches!(stranger, Err(Error::Refused(timestamp::Error::Untrusted(_)))));
}

#[tokio::test]
async fn a_wrong_clock_on_either_side_is_seen_and_ours_never_stands_in() {
    let tsa = Tsa::start().await.unwrap();
    let client = client(&tsa);
    let now = now(&client).await;
    for minutes in [-60, -20, 20, 60] {
        let ours = now + TimeDelta::minutes(minutes);
        match client.stamp(SEAL, NONCE, ours).await {
            Err(error @ Error::Skewed { theirs, .. }) => assert!(theirs >= now && !error.is_away()),
            other => panic!("{minutes}: {other:?}"),
        }
    }
    // Within the limit theirs stands, also after our clock has gone backwards.
    for seconds in [300, -300] {
        let Stamped { tsr, token } = client.stamp(SEAL, NONCE, now + TimeDelta::seconds(seconds)).await.unwrap();
        assert_eq!(Response::parse(&tsr).unwrap().read().unwrap().gen_time, token.gen_time);
        assert!(token.gen_time >= now);
    }
}

#[tokio::test]
async fn https_is_checked_against_the_configured_ca() {
    let tsa = Tsa::start().await.unwrap();
    let now = now(&client(&tsa)).await;
    let folder = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let ca_file = folder.path().join("web.pem");
    fs::write(&ca_file, made.cert.pem()).unwrap();
    let key = rustls::pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let server = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let behind = tsa.url().trim_start_matches("http://").trim_end_matches('/').to_owned();
    let front = tokio::spawn(async move {
        let acceptor = TlsAcceptor::from(Arc::new(server));
        loop {
            let (socket, _) = listener.accept().await.unwrap();
            let Ok(mut tls) = acceptor.accept(socket).await else { continue };
            let mut plain = TcpStream::connect(&behind).await.unwrap();
            tokio::spawn(async move { copy_bidirectional(&mut tls, &mut plain).await });
        }
    });
    let https = Timestamping { url: Some(format!("https://localhost:{port}/")), ..config(&tsa) };
    let trusting = Timestamping { ca_file: Some(ca_file), ..https.clone() };
    assert!(Client::new(&trusting).unwrap().unwrap().stamp(SEAL, NONCE, now).await.is_ok());
    let web = Client::new(&https).unwrap().unwrap().stamp(SEAL, NONCE, now).await;
    assert!(matches!(web, Err(Error::Away(_))), "{web:?}");
    front.abort();
}

#[test]
fn without_an_authority_there_is_no_client_and_with_bad_files_no_start() {
    let none = Timestamping {
        url: None,
        roots_file: None,
        policy: None,
        ca_file: None,
        timeout_seconds: 1,
        max_skew_seconds: 1,
    };
    assert!(Client::new(&none).unwrap().is_none());
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("roots.pem");
    let with = Timestamping { url: Some("http://localhost/".into()), roots_file: Some(file.clone()), ..none };
    assert!(matches!(Client::new(&with), Err(Error::File { .. })));
    fs::write(&file, "no certificates").unwrap();
    assert!(matches!(Client::new(&with), Err(Error::Roots(_))));
}
