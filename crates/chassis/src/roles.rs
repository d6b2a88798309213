//! What an officer is there for, in the words of the identity provider's `roles` claim.

use std::fmt;

/// One of the things that an officer may be there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Answers calls.
    DeskOfficer,
    /// Leads a desk.
    Sergeant,
    /// Works on a case afterwards.
    Investigator,
    /// Decides what is handed out.
    Disclosure,
    /// Looks at who looked.
    Auditor,
    /// Sets the desk up.
    Admin,
}

impl Role {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::DeskOfficer, Self::Sergeant, Self::Investigator, Self::Disclosure, Self::Auditor, Self::Admin];

    /// Its word in the claim.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::DeskOfficer => "desk_officer",
            Self::Sergeant => "sergeant",
            Self::Investigator => "investigator",
            Self::Disclosure => "disclosure",
            Self::Auditor => "auditor",
            Self::Admin => "admin",
        }
    }

    fn bit(self) -> u8 {
        1 << self as u8
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// A set of roles.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Roles(u8);

impl Roles {
    /// Of a claim's words. Those that we don't know are some other system's, and give nothing here.
    pub fn of_words<W: AsRef<str>>(words: impl IntoIterator<Item = W>) -> Self {
        let role = |word: W| Role::ALL.into_iter().find(|role| role.word() == word.as_ref());
        words.into_iter().filter_map(role).collect()
    }

    /// Is it among them?
    #[must_use]
    pub fn has(self, role: Role) -> bool {
        self.0 & role.bit() != 0
    }

    /// Is one of these among them?
    #[must_use]
    pub fn has_any(self, roles: &[Role]) -> bool {
        roles.iter().any(|role| self.has(*role))
    }

    /// None at all?
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Each, in the order of [`Role::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Role> {
        Role::ALL.into_iter().filter(move |role| self.has(*role))
    }
}

impl FromIterator<Role> for Roles {
    fn from_iter<I: IntoIterator<Item = Role>>(roles: I) -> Self {
        Self(roles.into_iter().fold(0, |bits, role| bits | role.bit()))
    }
}

impl fmt::Debug for Roles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claims_words_make_a_set_and_foreign_ones_give_nothing() {
        let roles = Roles::of_words(["sergeant", "Admin", "desk_officer", "offline_access", "sergeant", ""]);
        assert_eq!(roles.iter().collect::<Vec<_>>(), [Role::DeskOfficer, Role::Sergeant]);
        assert!(roles.has_any(&[Role::Admin, Role::Sergeant]) && !roles.has_any(&[Role::Admin]) && !roles.is_empty());
        assert!(Roles::of_words(["root"]).is_empty() && !roles.has_any(&[]));
        for role in Role::ALL {
            assert_eq!(Roles::of_words([role.word()]).iter().collect::<Vec<_>>(), [role]);
        }
        assert_eq!(format!("{roles:?}"), "{DeskOfficer, Sergeant}");
    }
}
