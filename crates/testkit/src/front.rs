//! Stands for the ingress in front of several instances of a service: `/i/<name>/...` goes to the instance of that name, everything
//! else to each in turn, and on to the next one where nobody listens. Whoever doesn't answer is not asked for a while.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::{Body, Bytes, to_bytes},
    extract::{Request, State},
    http::{HeaderMap, HeaderName, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use tokio::net::TcpListener;
use tokio_util::task::AbortOnDropHandle;

use crate::Error;

/// No request of ours is longer.
const LONGEST: usize = 1 << 20;
/// An instance that is well has begun to answer by then.
const ANSWERS_WITHIN: Duration = Duration::from_secs(2);
const LEFT_OUT_FOR: Duration = Duration::from_secs(5);
/// What concerns one connection only.
const HOP: [HeaderName; 4] = [header::HOST, header::CONNECTION, header::TRANSFER_ENCODING, header::CONTENT_LENGTH];

/// A running ingress; ends when dropped.
#[derive(Debug)]
pub struct Front {
    address: SocketAddr,
    ways: Arc<Ways>,
    _serving: AbortOnDropHandle<std::io::Result<()>>,
}

#[derive(Debug)]
struct Ways {
    instances: Mutex<Vec<(String, String)>>,
    unwell: Mutex<HashMap<String, Instant>>,
    asked: AtomicUsize,
    http: reqwest::Client,
}

impl Front {
    /// Opens a free port of 127.0.0.1, with nothing behind it yet.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn open() -> Result<Self, Error> {
        let listener = TcpListener::bind("127.0.0.1:0").await.map_err(Error::io("a port for an ingress"))?;
        let address = listener.local_addr().map_err(Error::io("a port for an ingress"))?;
        // A redirect is for whoever asked; and a dead instance's connections are no longer to be used.
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).pool_max_idle_per_host(0);
        let (instances, unwell, asked) = (Mutex::default(), Mutex::default(), AtomicUsize::new(0));
        let ways = Ways { instances, unwell, asked, http: http.build()? };
        let ways = Arc::new(ways);
        let router = Router::new().fallback(pass_on).with_state(Arc::clone(&ways));
        let serving = tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Self { address, ways, _serving: AbortOnDropHandle::new(serving) })
    }

    /// Its origin.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Leads to an instance (`127.0.0.1:1234`), too. The next request without a name goes to the first that was told of.
    pub fn lead(&self, name: &str, to: &str) {
        let mut instances = self.ways.instances.lock().unwrap_or_else(PoisonError::into_inner);
        instances.push((name.to_owned(), to.to_owned()));
        self.ways.asked.store(0, Ordering::Relaxed);
    }
}

impl Ways {
    /// Whom to ask, one after the other.
    fn targets(&self, path: &str) -> Vec<String> {
        let instances = self.instances.lock().unwrap_or_else(PoisonError::into_inner);
        let named = path.strip_prefix("/i/").and_then(|rest| rest.split_once('/'));
        if let Some((name, _)) = named {
            return instances.iter().filter(|(own, _)| own == name).map(|(_, to)| to.clone()).collect();
        }
        let first = self.asked.fetch_add(1, Ordering::Relaxed);
        let unwell = self.unwell.lock().unwrap_or_else(PoisonError::into_inner);
        let is_well = |to: &String| unwell.get(to).is_none_or(|since| since.elapsed() > LEFT_OUT_FOR);
        (0..instances.len()).map(|n| instances[(first + n) % instances.len()].1.clone()).filter(is_well).collect()
    }

    fn leave_out(&self, target: String) {
        self.unwell.lock().unwrap_or_else(PoisonError::into_inner).insert(target, Instant::now());
    }

    async fn ask(&self, parts: &Parts, body: Bytes, target: &str) -> Result<Response, reqwest::Error> {
        let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
        let request = self.http.request(parts.method.clone(), format!("http://{target}{path}"));
        let answer = request.headers(passed(&parts.headers)).body(body).send().await?;
        let (status, headers) = (answer.status(), passed(answer.headers()));
        Ok((status, headers, Body::from_stream(answer.bytes_stream())).into_response())
    }
}

async fn pass_on(State(ways): State<Arc<Ways>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, LONGEST).await else { return StatusCode::BAD_REQUEST.into_response() };
    for target in ways.targets(parts.uri.path()) {
        match tokio::time::timeout(ANSWERS_WITHIN, ways.ask(&parts, body.clone(), &target)).await {
            Ok(Ok(answer)) => return answer,
            Ok(Err(error)) if error.is_connect() => {}
            Ok(Err(_)) => break,
            Err(_) => {
                ways.leave_out(target);
                return StatusCode::GATEWAY_TIMEOUT.into_response();
            }
        }
    }
    StatusCode::BAD_GATEWAY.into_response()
}

fn passed(headers: &HeaderMap) -> HeaderMap {
    let mut passed = headers.clone();
    for name in HOP {
        passed.remove(name);
    }
    passed
}
