//! If-Match, as RFC 9110 (section 13.1.1) has it.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use http::{HeaderMap, header, request::Parts};

use crate::{error::Error, media::Condition};

/// The request's If-Match, if there is one.
pub(super) struct IfMatch(Option<Condition>);

impl<S: Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self(parsed(&parts.headers)))
    }
}

impl IfMatch {
    /// The condition, which a PATCH can't do without.
    pub(super) fn required(self) -> Result<Condition, Error> {
        self.0.ok_or(Error::IfMatchMissing)
    }
}

/// What isn't an entity-tag matches nothing; a weak one never does, for the comparison is the strong one. `"*"` is how
/// RFC 9725's own figure writes `*`, and no tag of ours.
fn parsed(headers: &HeaderMap) -> Option<Condition> {
    let mut tags = Vec::new();
    let mut lines = headers.get_all(header::IF_MATCH).iter().peekable();
    lines.peek()?;
    for line in lines {
        let Ok(mut rest) = line.to_str() else { continue };
        if matches!(rest.trim(), "*" | "\"*\"") {
            return Some(Condition::Any);
        }
        // A tag may hold a comma, so it is not enough to split.
        while let Some((before, opened)) = rest.split_once('"') {
            let Some((tag, after)) = opened.split_once('"') else { break };
            let is_strong = matches!(before.trim_matches([' ', '\t', ',']), "");
            if is_strong {
                tags.push(format!("\"{tag}\""));
            }
            rest = after;
        }
    }
    Some(Condition::Tags(tags))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use http::HeaderValue;

    use super::*;

    fn of(lines: &[&'static str]) -> Option<Condition> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(header::IF_MATCH, HeaderValue::from_static(line));
        }
        parsed(&headers)
    }

    #[test]
    fn every_form_of_it_is_read() {
        let tags = |tags: &[&str]| Some(Condition::Tags(tags.iter().map(|tag| format!("\"{tag}\"")).collect()));
        assert_eq!(of(&[]), None);
        assert_eq!(of(&["*"]), Some(Condition::Any));
        assert_eq!(of(&["\"*\""]), Some(Condition::Any));
        assert_eq!(of(&["\"a\""]), tags(&["a"]));
        assert_eq!(of(&["\"a\", \"b,c\" ,\"\"", "\"d\""]), tags(&["a", "b,c", "", "d"]));
        assert_eq!(of(&["W/\"a\", \"b\""]), tags(&["b"]), "a weak tag never matches");
        for nothing in ["", "a", "\"a", "W/\"a\"", "x\"a\""] {
            assert_eq!(of(&[nothing]), tags(&[]), "{nothing}");
        }
    }
}
