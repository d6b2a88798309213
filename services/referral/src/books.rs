//! What the service goes by, as data: read once at the start and refused, by name, if it makes no sense.

mod kinds;

pub use kinds::{KindBook, UnusableKinds};

use crate::{config, domain::Checklist};

/// Everything that is data.
#[derive(Debug)]
pub struct Books {
    /// What a package needs.
    pub checklist: Checklist,
    /// What referrals can be made.
    pub kinds: KindBook,
}

/// Data that can't be gone by.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    /// The embedded checklist makes no sense.
    #[error("the checklist is not usable")]
    Checklist(#[from] toml::de::Error),
    /// A kind of referral makes no sense.
    #[error("the kinds of referral are not usable")]
    Kinds(#[from] UnusableKinds),
}

impl Books {
    /// Reads them.
    ///
    /// # Errors
    /// Says which is wrong, and what with it.
    pub fn read(config: &config::Books) -> Result<Self, Unusable> {
        let checklist: Checklist = toml::from_str(include_str!("../checklist.toml"))?;
        tracing::info!(version = checklist.version(), items = checklist.items().len(), "checklist");
        Ok(Self { checklist, kinds: KindBook::read(config)? })
    }
}
