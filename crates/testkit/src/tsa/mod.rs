//! A timestamp authority of one's own (RFC 3161 over HTTP), by real OpenSSL, with faults to be switched on while it runs.

mod authority;

use std::{net::SocketAddr, sync::Arc};

pub use authority::{Authority, AuthorityOptions, POLICY, Wrong};
use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
    routing::post,
};
use tokio::{net::TcpListener, sync::watch};
use tokio_util::task::AbortOnDropHandle;

use crate::Error;

/// What is the matter with the authority.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It works, but its answers may be wrong.
    Answers(Wrong),
    /// It answers 503.
    Down,
    /// It doesn't answer until the fault changes.
    Slow,
    /// It answers with something that is no answer.
    Garbage,
    /// It answers with more than anybody should read.
    Endless,
    /// It answers with a page.
    WebPage,
}

/// An authority that listens; ends when dropped.
#[derive(Debug)]
pub struct Tsa {
    address: SocketAddr,
    authority: Arc<Authority>,
    fault: watch::Sender<Fault>,
    _server: AbortOnDropHandle<Result<(), std::io::Error>>,
}

impl Tsa {
    /// Makes an authority and listens on a free port of 127.0.0.1.
    ///
    /// # Errors
    /// When OpenSSL isn't there, or no port can be had.
    pub async fn start() -> Result<Self, Error> {
        let authority = Arc::new(Authority::make(&AuthorityOptions::default())?);
        let listener = TcpListener::bind("127.0.0.1:0").await.map_err(Error::io("a port for timestamps"))?;
        let address = listener.local_addr().map_err(Error::io("a port for timestamps"))?;
        let (fault, seen) = watch::channel(Fault::Answers(Wrong::Nothing));
        let app = Router::new().route("/", post(answer)).with_state((Arc::clone(&authority), seen));
        let server = tokio::spawn(axum::serve(listener, app).into_future());
        Ok(Self { address, authority, fault, _server: AbortOnDropHandle::new(server) })
    }

    /// For `timestamping.url`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// The root to trust.
    #[must_use]
    pub fn roots_pem(&self) -> &str {
        self.authority.roots_pem()
    }

    /// The authority behind it.
    #[must_use]
    pub fn authority(&self) -> &Authority {
        &self.authority
    }

    /// From now on something is the matter, or nothing any more.
    pub fn set(&self, fault: Fault) {
        self.fault.send_replace(fault);
    }
}

type Shared = (Arc<Authority>, watch::Receiver<Fault>);

async fn answer(State((authority, mut fault)): State<Shared>, headers: HeaderMap, query: Bytes) -> Response {
    if headers.get(CONTENT_TYPE).is_none_or(|kind| kind != "application/timestamp-query") {
        return StatusCode::UNSUPPORTED_MEDIA_TYPE.into_response();
    }
    let Ok(now) = fault.wait_for(|fault| *fault != Fault::Slow).await.map(|fault| *fault) else {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    let is_reply = [(CONTENT_TYPE, "application/timestamp-reply")];
    let wrong = match now {
        Fault::Answers(wrong) => wrong,
        Fault::Garbage => return (is_reply, "not a timestamp").into_response(),
        Fault::Endless => return (is_reply, vec![0; 1 << 20]).into_response(),
        Fault::WebPage => return ([(CONTENT_TYPE, "text/html")], "<p>Down for maintenance").into_response(),
        Fault::Down | Fault::Slow => return StatusCode::SERVICE_UNAVAILABLE.into_response(),
    };
    match tokio::task::spawn_blocking(move || authority.reply(&query, wrong)).await {
        Ok(Ok(reply)) => (is_reply, reply).into_response(),
        Ok(Err(error)) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
