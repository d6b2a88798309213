//! The language of the page: the first of ours among those that the browser asks for.

use http::{HeaderMap, header};

use crate::domain::{Catalogue, ENGLISH};

pub(super) fn asked_for(headers: &HeaderMap) -> &'static str {
    let listed = headers.get_all(header::ACCEPT_LANGUAGE).iter().filter_map(|value| value.to_str().ok());
    let mut wishes: Vec<_> = listed.flat_map(|line| line.split(',')).filter_map(wish).collect();
    // Stable: of equals the first.
    wishes.sort_by(|(one, _), (other, _)| other.total_cmp(one));
    wishes.first().map_or(ENGLISH, |(_, language)| language)
}

/// "ur-PK;q=0.8": how much, and which of ours. Regions are all the same here.
fn wish(range: &str) -> Option<(f32, &'static str)> {
    let (tag, weight) = range.split_once(';').unwrap_or((range, "q=1"));
    let weight = weight.trim().strip_prefix("q=")?.parse::<f32>().ok().filter(|weight| *weight > 0.0)?;
    let language = tag.trim().split('-').next()?.to_ascii_lowercase();
    Some((weight, Catalogue::of(&language)?.language))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_first_of_ours_that_is_wanted_most() {
        for (asked, language) in [
            ("", "en"),
            ("ur", "ur"),
            ("UR-pk, en;q=0.9", "ur"),
            ("fr-FR,fr;q=0.9,pl;q=0.8,en;q=0.7", "pl"),
            ("en;q=0.5, cy;q=0.9 , so", "so"),
            ("en;q=0, *;q=0.1", "en"),
            ("uk;q=0,ro;q=0.2", "ro"),
            ("pa-Guru-IN;q=none,bn", "bn"),
            ("fr,de", "en"),
        ] {
            let headers = HeaderMap::from_iter([(header::ACCEPT_LANGUAGE, asked.parse().unwrap())]);
            assert_eq!(asked_for(&headers), language, "{asked}");
        }
        assert_eq!(asked_for(&HeaderMap::new()), ENGLISH);
    }
}
