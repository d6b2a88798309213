//! What the browser asks for: the page, the sign-in, and everything under `/alcove.*` for the services behind us.

mod cookies;
mod sign_in;

use std::sync::Arc;

use axum::{
    Router,
    extract::{DefaultBodyLimit, Request, State},
    handler::HandlerWithoutStateExt,
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use chrono::TimeDelta;
use http::{HeaderMap, HeaderValue, Method, header};
use tower_http::services::ServeDir;

use crate::{config::Config, domain::same_origin, door::Door, error::Error, grpc::Proxy};

/// The largest that anybody sends to ourselves is a logout token.
const MAX_BODY: usize = 16 * 1024;

/// What the handlers share. Cheap to clone.
#[derive(Clone)]
struct Web {
    door: Arc<Door>,
    proxy: Proxy,
    shift: TimeDelta,
}

/// The routes.
///
/// # Errors
/// When the configured media origin can't stand in a header.
pub fn router(config: &Config, door: Arc<Door>, proxy: Proxy) -> Result<Router, Error> {
    let policy = policy(&config.web.media_origin)?;
    let web = Web { door, proxy, shift: TimeDelta::hours(config.sign_in.hours.into()) };
    let page = ServeDir::new(&config.web.root).fallback((|| async { Error::NothingHere }).into_service());
    if !config.web.root.join("index.html").is_file() {
        tracing::warn!(root = %config.web.root.display(), "the page is not built: `npm run build` in services/console/web");
    }
    Ok(Router::new()
        .route("/sign-in", get(sign_in::begin))
        .route("/callback", get(sign_in::callback))
        .route("/me", get(sign_in::me))
        .route("/here", post(sign_in::here))
        .route("/sign-out", post(sign_in::out))
        .route("/backchannel-logout", post(sign_in::told_out))
        .route("/{service}/{method}", post(rpc).get_service(page.clone()))
        .fallback_service(page)
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(middleware::from_fn(own_page_only))
        .layer(middleware::map_response(move |response| with_headers(response, policy.clone())))
        .with_state(web))
}

/// Scripts and styles are our own files; connections go to us and to where the video is; nobody frames us.
fn policy(media_origin: &str) -> Result<HeaderValue, Error> {
    let policy = format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self' blob:; \
         connect-src 'self' {media_origin}; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    );
    HeaderValue::from_str(&policy).map_err(|error| chassis::ConfigError::unusable("web.media_origin", error).into())
}

async fn with_headers(mut response: Response, policy: HeaderValue) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    for (name, value) in [
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::HeaderName::from_static("permissions-policy"), "camera=(self), microphone=(self), geolocation=()"),
        (header::HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

async fn own_page_only(request: Request, next: Next) -> Response {
    if may_ask(&request) { next.run(request).await } else { Error::CrossOrigin.into_response() }
}

fn may_ask(request: &Request) -> bool {
    let text = |name| request.headers().get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let host = text("host").or(request.uri().authority().map(|authority| authority.as_str()));
    matches!(*request.method(), Method::GET | Method::HEAD) || same_origin(text("sec-fetch-site"), text("origin"), host)
}

async fn rpc(State(web): State<Web>, request: Request) -> Result<Response, Error> {
    let pass = web.door.pass(web.cookie(request.headers())?).await?;
    Ok(web.proxy.pass_on(pass, request).await?.map(axum::body::Body::new))
}

impl Web {
    fn cookie<'a>(&self, headers: &'a HeaderMap) -> Result<&'a str, Error> {
        cookies::get(headers, cookies::SESSION).ok_or(Error::NotSignedIn)
    }
}
