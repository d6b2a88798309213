//! Officers' names. At the desks of their own force officers are called by their id alone; at another's, to which they are
//! lent, by `id@own-force`. So the same id in two forces is two people, wherever both are named.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{ForceId, Malformed};

/// An officer, as the identity provider (or the development list) names them; with `@` and their own force behind it where
/// they are lent to another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct OfficerId(String);

impl OfficerId {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whose officer it is, if they are another force's.
    #[must_use]
    pub fn lent_by(&self) -> Option<ForceId> {
        // Parsed when the name was.
        self.0.split_once('@').and_then(|(_, force)| force.parse().ok())
    }

    /// The name at home.
    #[must_use]
    pub fn at_home(&self) -> Self {
        Self(self.0.split_once('@').map_or(self.0.as_str(), |(id, _)| id).to_owned())
    }

    /// The name at this desk of an officer of that force.
    #[must_use]
    pub fn at(&self, desk: &ForceId, own: &ForceId) -> Self {
        let id = self.at_home();
        if desk == own { id } else { Self(format!("{id}@{own}")) }
    }
}

impl FromStr for OfficerId {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let (id, force) = text.split_once('@').map_or((text, None), |(id, force)| (id, Some(force)));
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
        let is_id = (1..=64).contains(&id.len()) && id.bytes().all(plain);
        if is_id && force.is_none_or(|force| force.parse::<ForceId>().is_ok()) {
            return Ok(Self(text.to_owned()));
        }
        let rule = "1 to 64 of A-Z, a-z, 0-9, '.', '_' and '-', and of a lent officer '@' and their own force";
        Err(Malformed { kind: "officer id", rule })
    }
}

impl TryFrom<String> for OfficerId {
    type Error = Malformed;

    fn try_from(text: String) -> Result<Self, Malformed> {
        text.parse()
    }
}

impl From<OfficerId> for String {
    fn from(officer: OfficerId) -> Self {
        officer.0
    }
}

impl fmt::Display for OfficerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lent_officer_is_named_with_their_own_force_and_only_there() {
        let (kent, surrey): (ForceId, ForceId) = ("kent".parse().unwrap(), "surrey".parse().unwrap());
        let patel: OfficerId = "a.patel".parse().unwrap();
        let lent = patel.at(&surrey, &kent);
        assert_eq!(lent.as_str(), "a.patel@kent");
        assert_eq!((lent.lent_by(), lent.at_home()), (Some(kent.clone()), patel.clone()));
        assert_eq!((patel.lent_by(), patel.at_home()), (None, patel.clone()));
        // Whichever of their names is at hand.
        assert_eq!((lent.at(&surrey, &kent), lent.at(&kent, &kent)), (lent.clone(), patel));
        assert_eq!("a.patel@kent".parse(), Ok(lent));
    }

    #[test]
    fn half_a_name_is_none() {
        let long = format!("{}@kent", "a".repeat(65));
        for bad in ["", "@", "@kent", "a@", "a@k", "a@Kent", "a@kent@wmp", "a b", "a/b@kent", &long] {
            assert!(bad.parse::<OfficerId>().is_err(), "{bad}");
        }
        assert!(format!("{}@kent", "a".repeat(64)).parse::<OfficerId>().is_ok());
    }
}
