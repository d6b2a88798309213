//! The neutral host: the caller's page, joining by code, WHIP and WHEP, the session's events, and what is written.
//!
//! Plain HTTP handlers with our own security headers on every answer. TLS ends in front of it.

mod address;
pub(crate) mod body;
mod chat;
mod condition;
mod events;
mod fronts;
mod headers;
pub(crate) mod ice;
mod join;
mod leave;
mod limits;
mod listeners;
mod pace;
mod page;
mod pages;
mod photo;
mod redirect;
mod rejoin;
mod seen;
mod slim;
mod state;
mod strangers;
mod tap;
mod to_the_end;
mod tongue;
mod whep;
mod whip;

use std::sync::{Arc, Mutex};

use axum::{
    Router,
    extract::{DefaultBodyLimit, FromRequestParts},
    middleware,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use chassis::{Shutdown, http::problem};
use http::{HeaderName, HeaderValue, Method, StatusCode, header, request::Parts};
use tower_http::cors::{AllowOrigin, CorsLayer};

pub use limits::Limiter;
pub use listeners::Listeners;
pub use pace::Paces;
pub use page::Assets;
pub use pages::Pages;
pub use strangers::Strangers;

use crate::{
    app::App, changes::Changes, config::Turn, domain::Link, error::Error, keys::Token, media::Media, rooms::Rooms,
    spool::Spool, store::Named, talk::Talk, wishes::Wishes,
};

/// Nothing that is asked for here takes longer: the longest is a photograph over a slow network, which is waited for by itself.
pub const LONGEST: std::time::Duration = std::time::Duration::from_secs(200);
/// The longest sensible offer is a tenth of this.
const SDP_LIMIT: usize = 64 * 1024;

/// What the handlers work with.
#[derive(Debug)]
pub struct Web {
    /// The use cases.
    pub app: App,
    /// The media core.
    pub media: Media,
    /// Who holds what.
    pub rooms: Rooms,
    /// Where recordings will be kept.
    pub spool: Spool,
    /// What the event streams follow.
    pub changes: Changes,
    /// Photographs that were asked for.
    pub wishes: Wishes,
    /// What is written in the calls.
    pub talk: Talk,
    /// Ends the event streams.
    pub shutdown: Shutdown,
    /// How often a code may be guessed.
    pub limiter: Mutex<Limiter>,
    /// How fast participants ask.
    pub pace: Paces,
    /// Who follows the events.
    pub listeners: Listeners,
    /// Which page of a browser has the call.
    pub pages: Pages,
    /// Where tokens come from that nobody holds.
    pub strangers: Strangers,
    /// How we are reached.
    pub urls: Urls,
    /// What helps those whose network blocks UDP.
    pub turn: Turn,
    /// The page, ready to be served.
    pub assets: Assets,
    /// Whose pages may use us from elsewhere.
    pub console_origins: Vec<HeaderValue>,
    /// Whether X-Forwarded-For is ours.
    pub behind_proxy: bool,
}

/// Absolute URLs of what participants use.
#[derive(Debug, Clone)]
pub struct Urls(String);

impl Urls {
    /// From the public base, without its trailing slash.
    #[must_use]
    pub fn new(base: &str) -> Self {
        Self(base.trim_end_matches('/').to_owned())
    }

    /// The caller's page.
    #[must_use]
    pub fn page(&self) -> String {
        format!("{}/", self.0)
    }

    /// What is sent in a text message. Behind the `#`: a browser tells it to no server, and no log has it.
    #[must_use]
    pub fn link(&self, link: &Link) -> String {
        format!("{}/#{}", self.0, link.text())
    }

    /// Is it ours, this `Origin` of a request?
    #[must_use]
    pub fn is_origin(&self, origin: &HeaderValue) -> bool {
        origin.as_bytes() == self.0.as_bytes()
    }

    /// Where to publish.
    #[must_use]
    pub fn whip(&self) -> String {
        format!("{}/whip", self.0)
    }

    /// Where to watch: add "/" and a participant.
    #[must_use]
    pub fn whep(&self) -> String {
        format!("{}/whep", self.0)
    }

    /// The session's events.
    #[must_use]
    pub fn events(&self) -> String {
        format!("{}/events", self.0)
    }
}

/// All routes.
pub fn router(web: Arc<Web>) -> Router {
    let policy = web.assets.policy.clone();
    let wire = Router::new()
        .route("/whip", get(whip::endpoint).post(whip::publish))
        .route("/whip/{resource}", get(whip::session).patch(whip::patch).delete(whip::close))
        .route("/whep/{participant}", get(whep::endpoint).post(whep::watch))
        .route("/whep/{participant}/{resource}", get(whep::session).patch(whep::patch).delete(whep::close));
    let beside =
        Router::new().route("/events", get(events::follow)).route("/state", post(state::state)).merge(page::words());
    // The caller's page alone has these; officers write by way of the console.
    let pages_own = Router::new()
        .route("/photo", post(photo::photo).layer(DefaultBodyLimit::max(photo::LARGEST)))
        .route("/chat", post(chat::write))
        .route("/tap", post(tap::tap))
        .route("/leave", post(leave::leave))
        .route("/away", post(leave::away));
    let about_a_session = |routes: Router<Arc<Web>>| {
        let to_owner = middleware::from_fn_with_state(web.clone(), redirect::to_owner);
        routes.method_not_allowed_fallback(not_allowed).layer(to_owner)
    };
    // Outside of all else, or a preflight would find the inner one's 405, and a redirect would be nobody's to follow.
    let consoles_too = |routes| about_a_session(routes).layer(cors(&web.console_origins));
    let routes = Router::new()
        .route("/", get(page::document))
        .route("/join", post(join::join))
        .route("/rejoin", post(rejoin::rejoin).delete(rejoin::forget))
        .merge(consoles_too(wire).layer(middleware::from_fn(headers::accept_post)))
        .merge(consoles_too(beside))
        .merge(about_a_session(pages_own))
        .method_not_allowed_fallback(not_allowed)
        .with_state(web);
    let by_name = routes.clone().fallback(redirect::nothing);
    routes
        .fallback(move |request| redirect::by_name(by_name.clone(), request))
        .layer(DefaultBodyLimit::max(SDP_LIMIT))
        .layer(middleware::from_fn_with_state(policy, headers::secure))
}

async fn not_allowed() -> Response {
    problem(StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", "this can't be done here")
}

fn cors(origins: &[HeaderValue]) -> CorsLayer {
    CorsLayer::new()
        .allow_origin(AllowOrigin::list(origins.iter().cloned()))
        .allow_methods([Method::GET, Method::POST, Method::PATCH, Method::DELETE])
        .allow_headers([header::AUTHORIZATION, header::CONTENT_TYPE, header::IF_MATCH, TRACEPARENT])
        .expose_headers([header::LOCATION, header::ETAG, header::LINK, header::RETRY_AFTER])
        .max_age(std::time::Duration::from_secs(600))
}

const TRACEPARENT: HeaderName = HeaderName::from_static(chassis::trace::TRACEPARENT);

/// Whoever holds the request's bearer token, in a session that is carried here. Known from `redirect`.
#[derive(Debug, Clone)]
struct Bearer {
    named: Named,
    token: Token,
}

impl<S: Sync> FromRequestParts<S> for Bearer {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Response> {
        parts.extensions.get().cloned().ok_or_else(|| Error::TokenUnknown.into_response())
    }
}

/// The same, for what makes, changes or ends something: at a pace.
struct Paced(Bearer);

impl FromRequestParts<Arc<Web>> for Paced {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, web: &Arc<Web>) -> Result<Self, Response> {
        let bearer = Bearer::from_request_parts(parts, web).await?;
        let is_slow = web.pace.asks(bearer.named.participant, web.app.now());
        if is_slow { Ok(Self(bearer)) } else { Err(Error::TooFast.into_response()) }
    }
}
