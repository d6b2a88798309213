//! The caller's page: three small files, put together once at the start.

use std::sync::Arc;

use axum::{extract::State, response::IntoResponse};
use bytes::Bytes;
use http::{HeaderName, header};

use super::Web;
use crate::config::Page;

const HTML: &str = include_str!("../../web/index.html");
/// One file on the wire: a phone on one bar pays for every request.
const SCRIPT: &str = concat!(
    include_str!("../../web/code.js"),
    include_str!("../../web/link.js"),
    include_str!("../../web/picture.js"),
    include_str!("../../web/photo.js"),
    include_str!("../../web/call.js"),
    include_str!("../../web/page.js")
);
const STYLE: &str = include_str!("../../web/page.css");

/// The page, ready to be served.
#[derive(Debug, Clone)]
pub struct Assets {
    html: Bytes,
}

impl Assets {
    /// The page in a force's own words.
    #[must_use]
    pub fn new(page: &Page) -> Self {
        let html = HTML.replace("{{title}}", &escaped(&page.title)).replace("{{exit_url}}", &escaped(&page.exit_url));
        Self { html: html.into() }
    }
}

pub(super) async fn html(State(web): State<Arc<Web>>) -> impl IntoResponse {
    (typed("text/html; charset=utf-8"), web.assets.html.clone())
}

pub(super) async fn script() -> impl IntoResponse {
    (typed("text/javascript; charset=utf-8"), SCRIPT)
}

pub(super) async fn style() -> impl IntoResponse {
    (typed("text/css; charset=utf-8"), STYLE)
}

fn typed(kind: &'static str) -> [(HeaderName, &'static str); 1] {
    [(header::CONTENT_TYPE, kind)]
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn configuration_can_not_become_markup() {
        let page = Page { title: "\"><script>".to_owned(), exit_url: "https://a.test/?a&b".to_owned() };
        let html = String::from_utf8_lossy(&Assets::new(&page).html).into_owned();
        assert!(html.contains("&quot;&gt;&lt;script&gt;") && html.contains("https://a.test/?a&amp;b"));
        assert!(!html.contains("{{"));
    }
}
