//! The caller's page: its markup, one script put together of the seven files of [`SCRIPT`], and one style sheet, all shortened once
//! at the start (what is only for readers of the source stays here); and the phrases in the language of choice.

use std::sync::Arc;

use axum::{Router, extract::State, response::IntoResponse, routing::get};
use bytes::Bytes;
use http::{HeaderName, header};

use super::Web;
use crate::{config::Page, domain::Catalogue};

const HTML: &str = include_str!("../../web/index.html");
/// One file on the wire: a phone on one bar pays for every request.
const SCRIPT: &str = concat!(
    include_str!("../../web/code.js"),
    include_str!("../../web/link.js"),
    include_str!("../../web/picture.js"),
    include_str!("../../web/photo.js"),
    include_str!("../../web/chat.js"),
    include_str!("../../web/call.js"),
    include_str!("../../web/page.js")
);
const STYLE: &str = include_str!("../../web/page.css");

/// The page, ready to be served.
#[derive(Debug, Clone)]
pub struct Assets {
    html: Bytes,
    script: Bytes,
    style: Bytes,
}

impl Assets {
    /// The page in a force's own words.
    #[must_use]
    pub fn new(page: &Page) -> Self {
        let html = HTML.replace("{{title}}", &escaped(&page.title)).replace("{{exit_url}}", &escaped(&page.exit_url));
        Self { html: markup(&html).into(), script: script_of(SCRIPT).into(), style: rules(STYLE).into() }
    }
}

/// Without what is for whoever reads the source: a phone on one bar pays for every byte.
fn slim(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim_start).filter(|line| !line.is_empty() && !line.starts_with("//"))
}

fn markup(text: &str) -> String {
    slim(text).flat_map(|line| [line, "\n"]).collect()
}

/// Where a line ends with one of these, its end says nothing. (No line of ours ends in a comment: `page.test.mjs`.)
fn code(text: &str) -> String {
    slim(text).flat_map(|line| [line, if line.ends_with([';', '{', ',', '(']) { "" } else { "\n" }]).collect()
}

/// What a page says has none of these. (`page.test.mjs`, too.)
fn script_of(text: &str) -> String {
    let gaps = [" = ", " => ", " === ", " !== ", " && ", " || ", ") {"];
    gaps.into_iter().fold(code(text), |text, gap| text.replace(gap, &gap.replace(' ', "")))
}

fn rules(text: &str) -> String {
    let gaps = [("; ", ";"), (" {", "{"), ("{ ", "{"), (": ", ":"), (", ", ","), (" }", "}"), (";}", "}")];
    gaps.into_iter().fold(code(text).replace('\n', ""), |text, (gap, closed)| text.replace(gap, closed))
}

pub(super) async fn html(State(web): State<Arc<Web>>) -> impl IntoResponse {
    (typed("text/html; charset=utf-8"), web.assets.html.clone())
}

pub(super) async fn script(State(web): State<Arc<Web>>) -> impl IntoResponse {
    (typed("text/javascript; charset=utf-8"), web.assets.script.clone())
}

pub(super) async fn style(State(web): State<Arc<Web>>) -> impl IntoResponse {
    (typed("text/css; charset=utf-8"), web.assets.style.clone())
}

/// The ready-made phrases, one file a language: nobody fetches those of the others.
pub(super) fn phrases() -> Router<Arc<Web>> {
    Catalogue::all().iter().fold(Router::new(), |router, catalogue| {
        let file = || async { (typed("application/json"), catalogue.file) };
        router.route(&format!("/phrases/{}.json", catalogue.language), get(file))
    })
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

    #[test]
    fn under_40_kb_in_all_with_the_longest_of_the_languages() {
        let Assets { html, script, style } =
            Assets::new(&Page { title: "Video call".to_owned(), exit_url: String::new() });
        let phrases = Catalogue::all().iter().map(|catalogue| catalogue.file.len()).max().unwrap_or_default();
        let all = html.len() + script.len() + style.len() + phrases;
        assert!((20_000..40_000).contains(&all), "{all} bytes");
        assert!(!String::from_utf8_lossy(&script).contains("\n//"), "comments stay at home");
        assert_eq!(rules("a,\nb {\n  top: calc(1px + 2px);\n  left: 0;\n}\n"), "a,b{top:calc(1px + 2px);left:0}");
        assert_eq!(script_of("if (a) {\n  b(\n    c,\n  );\n}\nd = () => e && 1;\n"), "if (a){b(c,);}\nd=()=>e&&1;");
    }
}
