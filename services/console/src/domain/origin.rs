//! Which requests are our own page's.

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
}
