//! The caller's page: one document, its script (put together of the files of [`SCRIPT`]), its style sheet and its words all in it,
//! in the language that the browser asks for. The words of the others are fetched when they are chosen.
//!
//! One answer, because a phone on one bar pays for every way there and back; and because a script of its own address leaves that
//! address in Chromium's code cache, whatever the headers say. Nothing else may run here: the policy names the two by their hashes.

use std::{
    io::Write,
    sync::{Arc, OnceLock},
};

use axum::{
    Router,
    extract::State,
    response::{IntoResponse, Response},
    routing::get,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use ring::digest;

use super::{Web, fronts, headers::policy, slim, tongue};
use crate::{config::Page, domain::Catalogue};

const HTML: &str = include_str!("../../web/index.html");
const SCRIPT: &str = concat!(
    include_str!("../../web/words.js"),
    include_str!("../../web/code.js"),
    include_str!("../../web/link.js"),
    include_str!("../../web/picture.js"),
    include_str!("../../web/photo.js"),
    include_str!("../../web/sheet.js"),
    include_str!("../../web/chat.js"),
    include_str!("../../web/call.js"),
    include_str!("../../web/silence.js"),
    include_str!("../../web/camera.js"),
    include_str!("../../web/regain.js"),
    include_str!("../../web/battery.js"),
    include_str!("../../web/ways.js"),
    include_str!("../../web/tap.js"),
    include_str!("../../web/front.js"),
    include_str!("../../web/cover.js"),
    include_str!("../../web/corner.js"),
    include_str!("../../web/enter.js"),
    include_str!("../../web/live.js"),
    include_str!("../../web/gone.js"),
    include_str!("../../web/fit.js"),
    include_str!("../../web/page.js")
);
const STYLE: &str = include_str!("../../web/page.css");

/// The page, ready to be served.
#[derive(Debug)]
pub struct Assets {
    /// The content security policy that goes with it.
    pub policy: HeaderValue,
    status: StatusCode,
    documents: Vec<Document>,
}

/// In one language.
#[derive(Debug)]
struct Document {
    language: &'static str,
    plain: Bytes,
    gzip: OnceLock<Bytes>,
}

impl Assets {
    /// The page in a force's own words.
    #[must_use]
    #[expect(clippy::expect_used, reason = "a policy of our own and two hashes in base64 are a header's value")]
    pub fn new(page: &Page) -> Self {
        let (script, style) = (slim::script(SCRIPT), slim::style(STYLE));
        let policy = HeaderValue::try_from(policy(&hash(&script), &hash(&style))).expect("a header's value");
        let html = slim::markup(HTML);
        let documents = Catalogue::all().iter().map(|catalogue| {
            let html = worded(&html, catalogue);
            let html = html.replace("{{style}}", &style).replace("{{script}}", &script);
            let html = html.replace("{{title}}", &escaped(&page.title));
            let plain = html.replace("{{exit_url}}", &escaped(&page.exit_url)).into();
            Document { language: catalogue.language, plain, gzip: OnceLock::new() }
        });
        let status = StatusCode::from_u16(page.status).unwrap_or(StatusCode::NOT_FOUND);
        Self { policy, status, documents: documents.collect() }
    }
}

impl Document {
    /// Made once, as small as can be.
    #[expect(clippy::expect_used, reason = "memory takes what is written to it")]
    fn gzip(&self) -> Bytes {
        let pack = || {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
            encoder.write_all(&self.plain).expect("memory takes it");
            encoder.finish().expect("memory takes it").into()
        };
        self.gzip.get_or_init(pack).clone()
    }
}

pub(super) async fn document(State(web): State<Arc<Web>>, asked: HeaderMap) -> Response {
    let Assets { status, documents, .. } = &web.assets;
    let language = tongue::asked_for(&asked);
    let Some(document) = documents.iter().find(|one| one.language == language) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let kind = (header::CONTENT_TYPE, "text/html; charset=utf-8");
    if unpacks(&asked) {
        (*status, [kind, (header::CONTENT_ENCODING, "gzip")], document.gzip()).into_response()
    } else {
        (*status, [kind], document.plain.clone()).into_response()
    }
}

/// The words, one file a language: nobody fetches those of the others.
pub(super) fn words() -> Router<Arc<Web>> {
    Catalogue::all().iter().fold(Router::new(), |router, catalogue| {
        let file = || async { ([(header::CONTENT_TYPE, "application/json")], catalogue.file) };
        router.route(&format!("/words/{}.json", catalogue.language), get(file))
    })
}

fn unpacks(asked: &HeaderMap) -> bool {
    let codings = asked.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    codings.flat_map(|line| line.split(',')).any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
        let is_refused = weight.trim().strip_prefix("q=").is_some_and(|weight| weight.parse() == Ok(0.0_f32));
        name.trim().eq_ignore_ascii_case("gzip") && !is_refused
    })
}

/// The markup in a language: what its elements say (`data-say`) and are called (`data-label`), and all words for the script.
fn worded(html: &str, catalogue: &Catalogue) -> String {
    let said = catalogue.page.iter().fold(html.to_owned(), |html, (key, text)| {
        let (say, label, text) = (format!("data-say=\"{key}\">"), format!("data-label=\"{key}\""), escaped(text));
        html.replace(&say, &format!("{say}{text}")).replace(&label, &format!("{label} aria-label=\"{text}\""))
    });
    let languages: String =
        Catalogue::all().iter().map(|other| choice(other, other.language == catalogue.language)).collect();
    said.replace("{{languages}}", &languages)
        .replace("{{language}}", catalogue.language)
        .replace("{{dir}}", &catalogue.dir)
        // Inside a script element nothing else could end it.
        .replace("{{words}}", &catalogue.file.replace('<', "\\u003c"))
        .replace("{{fronts}}", &fronts::in_language(catalogue.language).replace('<', "\\u003c"))
}

fn choice(Catalogue { language, name, dir, .. }: &Catalogue, is_chosen: bool) -> String {
    let chosen = if is_chosen { " selected" } else { "" };
    format!("<option value=\"{language}\" lang=\"{language}\" dir=\"{dir}\"{chosen}>{}</option>", escaped(name))
}

/// As a content security policy names a part.
fn hash(part: &str) -> String {
    format!("sha256-{}", STANDARD.encode(digest::digest(&digest::SHA256, part.as_bytes())))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::io::Read;

    use flate2::read::GzDecoder;

    use super::*;

    fn page(title: &str, exit_url: &str) -> Assets {
        Assets::new(&Page { title: title.to_owned(), exit_url: exit_url.to_owned(), status: 404, forces: Vec::new() })
    }

    fn text(document: &Document) -> &str {
        std::str::from_utf8(&document.plain).unwrap()
    }

    /// What is between the last of these and what ends it.
    fn part<'a>(html: &'a str, from: &str, to: &str) -> &'a str {
        html.rsplit_once(from).unwrap().1.split_once(to).unwrap().0
    }

    #[test]
    fn configuration_can_not_become_markup() {
        for document in page("\"><script>", "https://a.test/?a&b").documents {
            let html = text(&document);
            assert!(html.contains("&quot;&gt;&lt;script&gt;") && html.contains("https://a.test/?a&amp;b"));
            assert!(!html.contains("{{"));
        }
    }

    #[test]
    fn under_40_kb_in_all_in_the_longest_of_the_languages() {
        for document in page("Video call", "https://a.test/").documents {
            let gzip = document.gzip();
            assert!((8_000..40_000).contains(&gzip.len()), "{}: {} bytes", document.language, gzip.len());
            let mut unpacked = Vec::new();
            GzDecoder::new(&*gzip).read_to_end(&mut unpacked).unwrap();
            assert_eq!(unpacked, document.plain);
            // An old phone has to read it all.
            assert!((30_000..90_000).contains(&unpacked.len()), "{}: {} bytes", document.language, unpacked.len());
            assert!(!text(&document).contains("\n//"), "comments stay at home");
        }
    }

    #[test]
    fn the_policy_names_the_two_parts_that_are_in_it() {
        let Assets { policy, documents, .. } = page("Video call", "https://a.test/");
        let policy = policy.to_str().unwrap().to_owned();
        for document in documents {
            let html = text(&document);
            let (script, style) = (part(html, "<script>", "</script>"), part(html, "<style>", "</style>"));
            assert!(script.len() > 20_000 && style.len() > 3_000);
            for named in [format!("script-src '{}';", hash(script)), format!("style-src '{}';", hash(style))] {
                assert!(policy.contains(&named), "{}: {policy}", document.language);
            }
        }
        // The hash of nothing, as everybody knows it.
        assert_eq!(hash(""), "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
    }

    #[test]
    fn each_language_says_it_before_any_script_runs() {
        for document in page("Video call", "https://a.test/").documents {
            let html = text(&document);
            let Catalogue { language, dir, page, file, .. } = Catalogue::of(document.language).unwrap();
            assert!(html.contains(&format!("<html lang=\"{language}\" dir=\"{dir}\">")), "{language}");
            assert!(html.contains(&format!("data-say=\"join\">{}</h1>", escaped(&page["join"]))), "{language}");
            assert!(html.contains(&format!("aria-label=\"{}\"", escaped(&page["own"]))), "{language}");
            assert_eq!(html.matches(" selected>").count(), 3, "{language}: here, in the chat and behind \"more\"");
            let read = |id: &str| -> serde_json::Value {
                let from = format!("id=\"{id}\" type=\"application/json\">");
                serde_json::from_str(part(html, &from, "</script>")).unwrap()
            };
            assert_eq!(read("words"), serde_json::from_str::<serde_json::Value>(file).unwrap());
            assert_eq!(read("fronts")[0]["id"], "recipe");
        }
    }

    #[test]
    fn it_is_packed_for_whoever_can_unpack_it() {
        for (asked, packed) in [
            ("gzip", true),
            ("br, GZIP;q=0.5", true),
            ("gzip, deflate, br, zstd", true),
            ("gzip;q=0", false),
            ("gzip; q=0.0, br", false),
            ("br", false),
            ("", false),
        ] {
            let asking = HeaderMap::from_iter([(header::ACCEPT_ENCODING, asked.parse().unwrap())]);
            assert_eq!(unpacks(&asking), packed, "{asked}");
        }
        assert!(!unpacks(&HeaderMap::new()));
    }
}
