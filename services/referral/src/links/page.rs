//! What a partner sees in a browser: plain, without scripts, and whole without the style. Nothing in it is of the victim, nor of what
//! happened: it says a reference, who the partner is, and where the referral stands.

use std::sync::LazyLock;

use axum::response::Html;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{HeaderValue, StatusCode};
use ring::digest::{SHA256, digest};

use crate::{
    app::{Linked, Standing},
    domain::statement::moment,
};

const STYLE: &str = "\
body{font:1.1875rem/1.4 Arial,sans-serif;color:#0b0c0c;background:#fff;margin:0 auto;max-width:38rem;padding:1rem}\
h1{font-size:2rem}h2{font-size:1.5rem;margin-top:2.5rem}\
label{display:block;font-weight:bold}.hint{color:#505a5f;margin:0 0 .5rem}\
input,textarea{box-sizing:border-box;width:100%;font:inherit;padding:.4rem;border:2px solid #0b0c0c;border-radius:0}\
button{font:inherit;color:#fff;background:#00703c;border:0;border-bottom:3px solid #002d18;padding:.5rem 1rem;margin-top:1rem}\
input:focus,textarea:focus,button:focus,a:focus{outline:3px solid #fd0;outline-offset:0;box-shadow:inset 0 0 0 2px #0b0c0c}";

const HAVE_IT: &str = r#"
<form method="post">
<h2>Say that you have it</h2>
<label for="acknowledged_by">Your name</label>
<p class="hint" id="who">Up to 100 characters. The officer sees who has it.</p>
<input id="acknowledged_by" name="acknowledged_by" type="text" maxlength="100" autocomplete="name" aria-describedby="who" required>
<button type="submit">We have it</button>
</form>"#;

const WHAT_CAME_OF_IT: &str = r#"
<form method="post">
<h2>Say what came of it</h2>
<label for="outcome">What came of it</label>
<p class="hint" id="what">Up to 500 characters. The officer sees it; it is not shown here.</p>
<textarea id="outcome" name="outcome" rows="5" maxlength="500" aria-describedby="what" required></textarea>
<button type="submit">Send this</button>
</form>"#;

/// What may be done in a page of ours: look as it does, and post to where it is from.
pub(super) static POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
    let style = STANDARD.encode(digest(&SHA256, STYLE.as_bytes()));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{style}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    );
    // ASCII throughout.
    HeaderValue::try_from(policy).unwrap_or(HeaderValue::from_static("default-src 'none'"))
});

/// The page of a referral.
pub(super) fn referral(linked: &Linked) -> Html<String> {
    let Linked { reference, partner, standing, takes_outcome } = linked;
    let stands = match standing {
        Standing::Sent(at) => format!("It was sent to you at {}. Nobody has said yet that you have it.", moment(*at)),
        Standing::Acknowledged(at) => format!("You have it: we were told so at {}.", moment(*at)),
        Standing::Outcome(at) => format!("We were told at {} what came of it.", moment(*at)),
        Standing::Withdrawn(at) => format!(
            "It was taken back at {}. Please stop what was begun because of it. There is nothing more to do here.",
            moment(*at)
        ),
    };
    let is_open = !matches!(standing, Standing::Withdrawn(_));
    let have_it = if matches!(standing, Standing::Sent(_)) { HAVE_IT } else { "" };
    let what_came_of_it = if is_open && *takes_outcome { WHAT_CAME_OF_IT } else { "" };
    let partner = escaped(partner);
    page(
        &format!("Referral {reference}"),
        &format!("<p>To: {partner}</p>\n<h2>Where it stands</h2>\n<p>{stands}</p>{have_it}{what_came_of_it}"),
    )
}

/// The page of what can't be seen, or done.
pub(super) fn refused(status: StatusCode, sentence: &str) -> Html<String> {
    let title = match status {
        StatusCode::NOT_FOUND => "There is no such page",
        StatusCode::GONE => "This link has expired",
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE | StatusCode::REQUEST_TIMEOUT => {
            "Please try again"
        }
        _ => "This was not kept",
    };
    let is_there = !matches!(status, StatusCode::NOT_FOUND | StatusCode::GONE | StatusCode::METHOD_NOT_ALLOWED);
    let back = if is_there { "\n<p><a href=\"\">Back to the referral</a></p>" } else { "" };
    page(title, &format!("<p>{}</p>{back}", escaped(sentence)))
}

fn page(title: &str, content: &str) -> Html<String> {
    Html(format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"robots\" content=\"noindex\">\n\
         <title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n<h1>{title}</h1>\n{content}\n</main>\n</body>\n</html>\n"
    ))
}

/// As text, in an element.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use chrono::DateTime;

    use super::*;

    fn shown(standing: fn(chrono::DateTime<chrono::Utc>) -> Standing, takes_outcome: bool) -> String {
        let (reference, partner) = ("ALC-0000-0000-0001".to_owned(), "Help & <b>Hope</b>".to_owned());
        let at = DateTime::from_timestamp(1_790_000_000, 0).unwrap();
        referral(&Linked { reference, partner, standing: standing(at), takes_outcome }).0
    }

    #[test]
    fn what_can_be_said_depends_on_where_it_stands() {
        let says = |page: &str| (page.contains("name=\"acknowledged_by\""), page.contains("name=\"outcome\""));
        assert_eq!(says(&shown(Standing::Sent, true)), (true, true));
        assert_eq!(says(&shown(Standing::Sent, false)), (true, false));
        assert_eq!(says(&shown(Standing::Acknowledged, true)), (false, true));
        assert_eq!(says(&shown(Standing::Outcome, true)), (false, true));
        assert_eq!(says(&shown(Standing::Withdrawn, true)), (false, false));
    }

    #[test]
    fn a_page_is_whole_without_style_and_every_field_has_its_label() {
        let page = shown(Standing::Sent, true);
        for part in ["lang=\"en\"", "<title>Referral ALC-0000-0000-0001</title>", "Help &amp; &lt;b&gt;Hope&lt;/b&gt;"]
        {
            assert!(page.contains(part), "{part}");
        }
        for field in ["acknowledged_by", "outcome"] {
            assert!(page.contains(&format!("<label for=\"{field}\">")) && page.contains(&format!("id=\"{field}\"")));
        }
        for alien in ["<script", "http:", "https:", "style=", "onclick", "<img", "<link"] {
            assert!(!page.contains(alien), "{alien}");
        }
        assert!(POLICY.to_str().unwrap().contains("'sha256-"));
    }
}
