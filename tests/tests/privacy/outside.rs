//! Who is outside: the gateway of text messages, a partner with the link of their letter, a control room that speaks MAIT.

use std::{
    io,
    net::SocketAddr,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use alcove_tests::desk::FORCE;
use axum::{Json, Router, http::StatusCode, routing::post, serve::Listener};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use chassis::{
    Clock, Shutdown, Tls, config,
    http::{Limits, serve},
    tls::Speaking,
};
use serde_json::{Value, json};
use testkit::{Papers, Port, key};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::mpsc::{UnboundedReceiver, unbounded_channel},
};
use tokio_rustls::server::TlsStream;

use super::{GATEWAY, RANG, SWEPT, room::Room};

/// For what follows of itself.
const PATIENCE: Duration = Duration::from_secs(30);

/// Delivers text messages.
pub async fn gateway() -> (String, UnboundedReceiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (sent, messages) = unbounded_channel();
    let take =
        post(async move |Json(message): Json<Value>| drop(sent.send(message["text"].as_str().unwrap().to_owned())));
    tokio::spawn(async move { axum::serve(listener, Router::new().route("/", take)).await });
    (url, messages)
}

/// By which the services know all of these.
pub fn settings(gateway: &str, mait: &Port, folder: &Path) -> Vec<(String, String)> {
    let link_keys = folder.join("link-keys");
    std::fs::write(&link_keys, STANDARD.encode([7; 32])).unwrap();
    let by_mait = format!("mait__forces__{FORCE}__url");
    [
        ("video-session", "texts__provider", "webhook"),
        ("video-session", "texts__url", gateway),
        ("video-session", "texts__key", GATEWAY),
        ("video-session", "texts__receipt_key", "quibble receipts of this test"),
        ("referral", "links__listen", "127.0.0.1:0"),
        ("referral", "links__public_url", "http://referrals.example"),
        ("referral", "links__key_file", &link_keys.display().to_string()),
        ("intake", "mait__listen", "127.0.0.1:0"),
        ("intake", "mait__retry_after_ms", "50"),
        ("intake", &by_mait, &format!("https://{}/mait", mait.address())),
    ]
    .map(|(service, setting, value)| (key(service, setting), value.to_owned()))
    .into()
}

/// The control room was told by MAIT, too, up to the end, and once more what it was in trouble with.
pub async fn told_up_to_the_seal(messages: &mut UnboundedReceiver<String>) {
    let mut told: Vec<String> = Vec::new();
    while told.last().is_none_or(|last| !last.contains("<Kind>SEALED</Kind>")) {
        let next = tokio::time::timeout(PATIENCE, messages.recv()).await;
        told.push(next.expect("the seal is told").unwrap());
    }
    let firsts = told.iter().filter(|update| update.contains("<Sequence>1</Sequence>")).count();
    assert!(told.len() > 5 && firsts == 2, "{told:?}");
}

/// A listener that shows a control room's certificate.
struct Secured(TcpListener, Tls);

impl Listener for Secured {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, SocketAddr) {
        loop {
            let (stream, from) = Listener::accept(&mut self.0).await;
            if let Ok(stream) = self.1.accept(stream, Speaking::Http).await {
                return (stream, from);
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

fn tls(Papers { certificate, key, roots, .. }: Papers) -> Tls {
    Tls::read(Some(&config::Tls { certificate, key, roots }), Clock::system()).unwrap().unwrap()
}

impl Room {
    fn control_rooms_tls(&self) -> Tls {
        tls(self.desk.stack.secure().identities.control_room(FORCE).unwrap())
    }

    /// The control room takes what it is told by MAIT, and answers in words of its own: at first that it is in trouble.
    pub async fn listens_to_mait(&self) -> UnboundedReceiver<String> {
        let listener = TcpListener::bind(self.mait.address()).await.unwrap();
        let (took, taken) = unbounded_channel();
        let was_in_trouble = Arc::new(AtomicBool::new(false));
        let take = post(async move |message: String| {
            let is_well = was_in_trouble.swap(true, Ordering::SeqCst);
            drop(took.send(message));
            let status = if is_well { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
            (status, [("x-words", SWEPT)], SWEPT)
        });
        let (router, (_, shutdown)) = (Router::new().route("/mait", take), Shutdown::manual());
        tokio::spawn(serve(Secured(listener, self.control_rooms_tls()), router, Limits::default(), shutdown));
        taken
    }

    /// The control room sends by MAIT what it has opened already, so that it is told the rest by MAIT, too; and then what is no message.
    /// What was said of that.
    pub async fn sent_by_mait(&self, number: &str) -> Vec<String> {
        let client = (*self.control_rooms_tls().of_http_client()).clone();
        let client = reqwest::Client::builder().use_preconfigured_tls(client).build().unwrap();
        let url = format!("https://{}", self.desk.stack.service("intake").address("mait"));
        let send = async |path: &str, message: &str| {
            let request = client.post(format!("{url}{path}")).header("content-type", "application/xml");
            let answer = request.body(message.to_owned()).send().await.unwrap();
            let (status, headers) = (answer.status(), format!("{:?}", answer.headers()));
            (status, format!("{headers} {}", answer.text().await.unwrap()))
        };
        let now = Clock::system().now();
        let (sent_at, date) = (now.format("%Y-%m-%dT%H:%M:%SZ"), now.format("%Y-%m-%d"));
        let message = format!(
            "<MAIT xmlns=\"urn:alcove:mait:1.0\"><Header><Version>1.0</Version><MessageId>cad-7701</MessageId>\
             <SentAt>{sent_at}</SentAt><From>{FORCE}</From><To>alcove</To></Header>\
             <IncidentCreation><IncidentDate>{date}</IncidentDate><IncidentNumber>{number}</IncidentNumber><Line>999</Line>\
             <IncidentType>quibble incident</IncidentType><CallerNumber>{RANG}</CallerNumber>\
             <CallerName>Quibble Caller</CallerName><Location><Latitude>52.4801</Latitude><Longitude>-1.9021</Longitude>\
             <PlaceDescription>quibble upstairs</PlaceDescription></Location><Details>quibble details</Details>\
             </IncidentCreation></MAIT>"
        );
        let (status, answer) = send("/mait", &message).await;
        assert!(status.is_success(), "{answer}");
        let mut said = Vec::new();
        for (path, message) in [
            ("/mait", SWEPT.to_owned()),
            ("/mait", message.replace(">999<", &format!(">{SWEPT}<"))),
            ("/mait", message.replace("cad-7701", SWEPT)),
            ("/mait", message.replace("</Header>", &format!("<Also>{SWEPT}</Also></Header>"))),
            ("/mait", message.replace(&format!(">{FORCE}<"), &format!(">{SWEPT}<"))),
            ("/mait", message.replace("quibble details", &SWEPT.repeat(500))),
            ("/quibble%20swept?quibble+swept", message),
        ] {
            let (status, answer) = send(path, &message).await;
            assert!(status.is_client_error(), "{status} {answer}");
            said.push(answer);
        }
        said
    }

    /// What the link in a partner's letter ends in: whoever has it may answer for them.
    pub async fn link(&self) -> String {
        let letters = self.partner.came(1).await.unwrap();
        let (_, token) = letters[0].body["data"]["link"].as_str().unwrap().rsplit_once("/r/").unwrap();
        token.to_owned()
    }

    /// The partner says by their link that they have it, and what came of it; and strangers say there what they like. What was said of
    /// that.
    pub async fn answered_by_link(&self, token: &str) -> Vec<String> {
        let (links, web) = (self.desk.stack.service("referral").url("links"), reqwest::Client::new());
        let post = async |path: &str, body: Value| {
            let answer = web.post(format!("{links}/r/{path}")).json(&body).send().await.unwrap();
            (answer.status(), format!("{:?} {}", answer.headers().clone(), answer.text().await.unwrap()))
        };
        for (field, words) in [("acknowledged_by", "quibble adviser"), ("outcome", "quibble rehoused")] {
            let (status, answer) = post(token, json!({ (field): words })).await;
            assert!(status.is_success(), "{answer}");
        }
        let mut said = Vec::new();
        for (path, body) in [
            (token, json!({ (SWEPT): SWEPT })),
            (token, json!({ "acknowledged_by": SWEPT.repeat(500) })),
            ("quibble%20swept?quibble+swept", json!({ "outcome": SWEPT })),
            (&*format!("{token}x"), json!({ "outcome": SWEPT })),
        ] {
            let (status, answer) = post(path, body).await;
            assert!(status.is_client_error(), "{status} {answer}");
            said.push(answer);
        }
        said
    }
}
