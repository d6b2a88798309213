//! The headers of every answer: nothing is kept, nothing third-party runs, nobody frames us, nothing is told onwards.

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use http::{HeaderName, HeaderValue, Method, header};

const ACCEPT_POST: HeaderName = HeaderName::from_static("accept-post");

/// What may run, and where it may ask: the one script and the one style sheet with these hashes, here and nowhere else.
pub(super) fn policy(script: &str, style: &str) -> String {
    format!(
        "default-src 'none'; script-src '{script}'; style-src '{style}'; connect-src 'self'; img-src data:; \
         media-src 'self' blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
}

/// No `Server` header is among them: hyper sends none.
pub(super) async fn secure(State(policy): State<HeaderValue>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    for (name, value) in [
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("permissions-policy"), "camera=(self), microphone=(self), geolocation=()"),
        (HeaderName::from_static("x-robots-tag"), "noindex"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// What a POST would take, for whoever asks (RFC 9725, section 4.2).
pub(super) async fn accept_post(request: Request, next: Next) -> Response {
    let is_options = request.method() == Method::OPTIONS;
    let mut response = next.run(request).await;
    if is_options {
        response.headers_mut().insert(ACCEPT_POST, HeaderValue::from_static("application/sdp"));
    }
    response
}
