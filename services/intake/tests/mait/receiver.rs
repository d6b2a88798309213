//! A control room that takes messages, or doesn't: an HTTP server on a port of its own, which can be killed and come back.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use axum::{Router, body::Bytes, extract::State, http::StatusCode, response::IntoResponse, routing::post};
use intake::mait::{
    document::Document,
    read::read,
    schema::{Field, Kind},
};
use testkit::Port;
use tokio::{net::TcpListener, sync::watch};
use tokio_util::task::AbortOnDropHandle;

use super::samples::{complete, xml};
use crate::support::PATIENCE;

/// What it says to the next message.
#[derive(Debug, Clone, Copy)]
pub enum Mood {
    /// 503.
    Failing,
    /// 422.
    Refusing,
    /// 429.
    Busy,
    /// 200, and a message that says no.
    Rejecting,
    /// Nothing, for ever.
    Hanging,
}

/// What came, and in which mood it was met: `None` was taken.
type Came = Vec<(Document, Option<Mood>)>;

#[derive(Clone)]
struct Desk {
    moods: Arc<Mutex<VecDeque<Mood>>>,
    came: Arc<watch::Sender<Came>>,
}

pub struct Receiver {
    port: Port,
    desk: Desk,
    serving: Option<AbortOnDropHandle<()>>,
}

impl Receiver {
    /// One that isn't there yet.
    pub fn away() -> Self {
        let desk = Desk { moods: Arc::default(), came: Arc::new(watch::Sender::default()) };
        Self { port: Port::claim().unwrap(), desk, serving: None }
    }

    pub fn url(&self) -> String {
        format!("http://{}/mait", self.port.address())
    }

    /// It listens, and meets the first messages in these moods.
    pub async fn comes(&mut self, moods: &[Mood]) {
        self.desk.moods.lock().unwrap().extend(moods);
        let listener = TcpListener::bind(self.port.address()).await.unwrap();
        let router = Router::new().route("/mait", post(take)).with_state(self.desk.clone());
        self.serving = Some(AbortOnDropHandle::new(tokio::spawn(async move {
            axum::serve(listener, router).await.unwrap();
        })));
    }

    /// Killed, with all its connections.
    pub fn goes(&mut self) {
        self.serving = None;
    }

    /// What was taken, once there are so many.
    pub async fn taken(&self, count: usize) -> Vec<Document> {
        let taken = |came: &Came| came.iter().filter(|(_, mood)| mood.is_none()).count();
        let mut came = self.desk.came.subscribe();
        let came = tokio::time::timeout(PATIENCE, came.wait_for(|came| taken(came) >= count)).await;
        let came = came.expect("messages come").unwrap().clone();
        came.into_iter().filter(|(_, mood)| mood.is_none()).map(|(message, _)| message).collect()
    }

    /// Once so many have come, however they were met.
    pub async fn met(&self, count: usize) -> Came {
        let mut came = self.desk.came.subscribe();
        let came = tokio::time::timeout(PATIENCE, came.wait_for(|came| came.len() >= count)).await;
        came.expect("messages come").unwrap().clone()
    }
}

async fn take(State(desk): State<Desk>, body: Bytes) -> impl IntoResponse {
    let message = read(&body).unwrap();
    assert_eq!(message.kind, Kind::Update);
    let mood = desk.moods.lock().unwrap().pop_front();
    desk.came.send_modify(|came| came.push((message, mood)));
    match mood {
        None => (StatusCode::OK, xml(&complete(Kind::Acknowledgement))),
        Some(Mood::Failing) => (StatusCode::SERVICE_UNAVAILABLE, String::new()),
        Some(Mood::Refusing) => (StatusCode::UNPROCESSABLE_ENTITY, String::new()),
        Some(Mood::Busy) => (StatusCode::TOO_MANY_REQUESTS, String::new()),
        Some(Mood::Rejecting) => (StatusCode::OK, xml(&complete(Kind::Rejection))),
        Some(Mood::Hanging) => std::future::pending().await,
    }
}

/// The numbers of these messages.
pub fn sequences(messages: &[Document]) -> Vec<u64> {
    messages.iter().map(|message| message.get(Field::Sequence).unwrap().parse().unwrap()).collect()
}

/// What these messages tell of.
pub fn kinds(messages: &[Document]) -> Vec<&str> {
    messages.iter().map(|message| message.get(Field::Kind).unwrap()).collect()
}
