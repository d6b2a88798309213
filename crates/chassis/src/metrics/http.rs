//! Rate, errors and duration of each route, by OpenTelemetry's HTTP conventions.

use std::{sync::LazyLock, time::Duration};

use http::{Method, StatusCode};
use opentelemetry::{KeyValue, metrics::Histogram};

use super::durations;

static REQUESTS: LazyLock<Histogram<f64>> = LazyLock::new(|| {
    durations("http.server.request.duration", "How long requests took until their answer began, as the server saw it")
});

/// A request was answered. The route, never the path: that may hold an invitation's token. Of a method that nobody offers no name.
pub(crate) fn request_took(method: &Method, route: &str, status: StatusCode, took: Duration) {
    let known = [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::OPTIONS];
    let method = if known.contains(method) { method.as_str() } else { "_OTHER" };
    let mut attributes = vec![
        KeyValue::new("http.request.method", method.to_owned()),
        KeyValue::new("http.response.status_code", i64::from(status.as_u16())),
        KeyValue::new("url.scheme", "http"),
    ];
    if !route.is_empty() {
        attributes.push(KeyValue::new("http.route", route.to_owned()));
    }
    if status.is_server_error() {
        attributes.push(KeyValue::new("error.type", status.as_str().to_owned()));
    }
    REQUESTS.record(took.as_secs_f64(), &attributes);
}
