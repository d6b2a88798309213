//! Who is signed in, and which requests are ours. Pure.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use ids::{ForceId, OfficerId};
use serde::{Deserialize, Serialize};

/// An officer as they sign in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Officer {
    /// As the other services know them.
    pub id: OfficerId,
    /// For their own screen.
    pub name: String,
    /// Whose calls they take.
    pub force: ForceId,
}

/// The sign-ins that hold, by token.
#[derive(Debug, Default)]
pub struct Sessions(HashMap<String, (Officer, DateTime<Utc>)>);

impl Sessions {
    /// Begins one, and forgets those that are over.
    pub fn begin(&mut self, token: String, officer: Officer, now: DateTime<Utc>, length: TimeDelta) {
        self.0.retain(|_, (_, ends)| *ends > now);
        let ends = now.checked_add_signed(length).unwrap_or(DateTime::<Utc>::MAX_UTC);
        self.0.insert(token, (officer, ends));
    }

    /// Whose it is, while it lasts.
    #[must_use]
    pub fn whose(&self, token: &str, now: DateTime<Utc>) -> Option<&Officer> {
        self.0.get(token).filter(|(_, ends)| now < *ends).map(|(officer, _)| officer)
    }

    /// Ends one.
    pub fn end(&mut self, token: &str) {
        self.0.remove(token);
    }
}

/// May a request that changes something come from there? A browser says where a request comes from in one header or
/// the other; what says neither is no browser, and holds no officer's cookie by accident.
#[must_use]
pub fn same_origin(fetch_site: Option<&str>, origin: Option<&str>, host: Option<&str>) -> bool {
    match (fetch_site, origin) {
        (Some(site), _) => site == "same-origin",
        (None, Some(origin)) => {
            let origin = origin.strip_prefix("http://").or(origin.strip_prefix("https://"));
            origin.is_some() && origin == host
        }
        (None, None) => true,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn only_our_own_page_may_change_things() {
        let host = Some("desk.example:7306");
        for (site, origin, allowed) in [
            (Some("same-origin"), Some("http://desk.example:7306"), true),
            (Some("same-site"), Some("http://desk.example:7306"), false),
            (Some("cross-site"), None, false),
            (Some("none"), None, false),
            (None, Some("https://desk.example:7306"), true),
            (None, Some("http://desk.example"), false),
            (None, Some("null"), false),
            (None, None, true),
        ] {
            assert_eq!(same_origin(site, origin, host), allowed, "{site:?} {origin:?}");
        }
        assert!(!same_origin(None, Some("null"), None));
    }

    #[test]
    fn a_sign_in_ends_with_the_shift_or_before() {
        let officer = Officer { id: "a".parse().unwrap(), name: "A".to_owned(), force: "wmp".parse().unwrap() };
        let start = DateTime::UNIX_EPOCH;
        let mut sessions = Sessions::default();
        sessions.begin("t".to_owned(), officer.clone(), start, TimeDelta::hours(12));
        assert_eq!(sessions.whose("t", start + TimeDelta::hours(11)), Some(&officer));
        assert_eq!(sessions.whose("t", start + TimeDelta::hours(12)), None);
        assert_eq!(sessions.whose("u", start), None);
        sessions.begin("u".to_owned(), officer, start + TimeDelta::hours(13), TimeDelta::hours(12));
        assert_eq!(sessions.0.len(), 1, "what is over is forgotten");
        sessions.end("u");
        assert_eq!(sessions.whose("u", start + TimeDelta::hours(13)), None);
    }
}
