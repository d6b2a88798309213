//! What the service goes by, as data: read once at the start and refused, by name, if it makes no sense.

pub mod partners;
pub mod postcode;

use chassis::config::Profile;

use self::partners::{PartnerBook, WrongPartner};
use crate::{config, domain::Checklist};

/// Everything that is data.
#[derive(Debug)]
pub struct Books {
    /// What a package needs.
    pub checklist: Checklist,
    /// Who helps.
    pub partners: PartnerBook,
}

/// Data that can't be gone by.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    /// The embedded checklist makes no sense.
    #[error("the checklist is not usable")]
    Checklist(#[from] toml::de::Error),
    /// A file that the configuration names can't be read.
    #[error("books.{0} can't be read")]
    Unreadable(&'static str, #[source] std::io::Error),
    /// The partners' file is no such file.
    #[error("the partners are not usable")]
    PartnersFile(#[source] toml::de::Error),
    /// A partner makes no sense.
    #[error(transparent)]
    Partner(#[from] WrongPartner),
}

impl Books {
    /// Reads them.
    ///
    /// # Errors
    /// Says which is wrong, and what with it.
    pub fn read(files: &config::Books, profile: Profile) -> Result<Self, Unusable> {
        let checklist: Checklist = toml::from_str(include_str!("../checklist.toml"))?;
        tracing::info!(version = checklist.version(), items = checklist.items().len(), "checklist");
        let own = files.partners.as_ref().map(std::fs::read_to_string).transpose();
        let own = own.map_err(|error| Unusable::Unreadable("partners", error))?;
        let partners = PartnerBook::read(own.as_deref().unwrap_or(include_str!("../partners.toml")), profile)?;
        tracing::info!(partners = partners.count(), "partners");
        Ok(Self { checklist, partners })
    }
}
