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

/// A line that isn't even text names nothing, but it is there.
fn parsed(headers: &HeaderMap) -> Option<Condition> {
    let mut lines = headers.get_all(header::IF_MATCH).iter().peekable();
    lines.peek()?;
    Some(Condition::parse(lines.filter_map(|line| line.to_str().ok())))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use http::HeaderValue;

    use super::*;

    #[test]
    fn none_is_another_thing_than_one_that_names_nothing() {
        let of = |lines: &[&[u8]]| {
            let line = |line: &&[u8]| (header::IF_MATCH, HeaderValue::from_bytes(line).unwrap());
            parsed(&lines.iter().map(line).collect())
        };
        let tags = |tags: &[&str]| Some(Condition::Tags(tags.iter().map(|tag| format!("\"{tag}\"")).collect()));
        assert_eq!(of(&[]), None);
        assert_eq!(of(&[b"\xff"]), tags(&[]));
        assert_eq!(of(&[b"\xff", b"\"a\"", b"\"b\""]), tags(&["a", "b"]));
    }
}
