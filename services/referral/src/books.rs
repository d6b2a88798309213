//! What the service goes by, as data: read once at the start and refused, by name, if it makes no sense.

mod questions;

pub use questions::{QuestionBook, Unusable as UnusableQuestions};

use crate::{config, domain::Checklist};

/// Everything that is data.
#[derive(Debug)]
pub struct Books {
    /// What a package needs.
    pub checklist: Checklist,
    /// What is asked about risk.
    pub questions: QuestionBook,
}

/// Data that can't be gone by.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    /// The embedded checklist makes no sense.
    #[error("the checklist is not usable")]
    Checklist(#[from] toml::de::Error),
    /// A question set makes no sense.
    #[error("the question sets are not usable")]
    Questions(#[from] UnusableQuestions),
}

impl Books {
    /// Reads them.
    ///
    /// # Errors
    /// Says which is wrong, and what with it.
    pub fn read(config: &config::Books) -> Result<Self, Unusable> {
        let checklist: Checklist = toml::from_str(include_str!("../checklist.toml"))?;
        tracing::info!(version = checklist.version(), items = checklist.items().len(), "checklist");
        Ok(Self { checklist, questions: QuestionBook::read(config)? })
    }
}
