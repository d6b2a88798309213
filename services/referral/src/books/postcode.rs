//! Which part of the country: an area ("CT"), or a district ("CT2", "EC1A").

/// What a partner serves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Area(String);

/// The outward half of a postcode.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outward(String);

impl Area {
    /// From "CT", "CT2" or "EC1A".
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let rest = after_letters(text)?;
        (rest.is_empty() || is_district(rest)).then(|| Self(text.to_owned()))
    }

    /// Is it there? "CT" has CT2 and CT21, "CT2" only itself.
    #[must_use]
    pub fn has(&self, outward: &Outward) -> bool {
        let is_whole = after_letters(&self.0) == Some("");
        let letters = outward.0.split(|c: char| c.is_ascii_digit()).next().unwrap_or_default();
        self.0 == if is_whole { letters } else { outward.0.as_str() }
    }
}

impl Outward {
    /// From a postcode, or its outward half, however it is written; none if it is neither.
    #[must_use]
    pub fn of(postcode: &str) -> Option<Self> {
        let text: String = postcode.chars().filter(|c| !c.is_whitespace()).map(|c| c.to_ascii_uppercase()).collect();
        let rest = after_letters(&text)?;
        if is_district(rest) {
            return Some(Self(text));
        }
        let (outward, inward) = text.split_at_checked(text.len().checked_sub(3)?)?;
        let is_inward = matches!(inward.as_bytes(), [b'0'..=b'9', b'A'..=b'Z', b'A'..=b'Z']);
        (is_inward && after_letters(outward).is_some_and(is_district)).then(|| Self(outward.to_owned()))
    }
}

/// What follows the one or two letters that it begins with.
fn after_letters(text: &str) -> Option<&str> {
    let rest = text.trim_start_matches(|c: char| c.is_ascii_uppercase());
    (1..=2).contains(&(text.len() - rest.len())).then_some(rest)
}

/// "2", "21" or "1A".
fn is_district(text: &str) -> bool {
    matches!(text.as_bytes(), [b'0'..=b'9'] | [b'0'..=b'9', b'0'..=b'9' | b'A'..=b'Z'])
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_postcode_is_read_however_it_is_written() {
        let outward = |text| Outward::of(text).map(|outward| outward.0);
        for (text, half) in [
            ("CT2 7NF", "CT2"),
            ("ct27nf", "CT2"),
            ("CT21 4AB", "CT21"),
            ("EC1A 1BB", "EC1A"),
            ("B1", "B1"),
            (" m1 1ae ", "M1"),
            ("CT214", ""),
        ] {
            assert_eq!(outward(text).unwrap_or_default(), half, "{text}");
        }
        for text in ["", "12345", "CT", "Canterbury", "CT2 7N", "É1 1AA", "ABC1 1AA", "CT2 77F"] {
            assert_eq!(outward(text), None, "{text}");
        }
    }

    #[test]
    fn an_area_has_its_districts_and_a_district_only_itself() {
        let has = |area, postcode| Area::read(area).unwrap().has(&Outward::of(postcode).unwrap());
        assert!(has("CT", "CT2 7NF") && has("CT", "CT21 4AB") && has("CT2", "CT2 7NF") && has("EC", "EC1A 1BB"));
        assert!(has("EC1A", "EC1A 1BB") && has("B", "B1 1AA"));
        assert!(!has("CT2", "CT21 4AB") && !has("B", "BT1 1AA") && !has("BT", "B1 1AA") && !has("EC1", "EC1A 1BB"));
        for text in ["", "ct", "CT2 7NF", "CTX", "123", "C-", "CT123"] {
            assert_eq!(Area::read(text), None, "{text}");
        }
    }
}
