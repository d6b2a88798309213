//! Risk: question sets that are data, answers, the grade that follows from them, and earlier calls of the same people. Pure.

mod assessment;
mod finding;
mod grading;
mod history;
pub mod matching;
mod questions;
mod refusal;
#[cfg(test)]
mod tests;
mod words;

pub use assessment::{Answer, Assessment, Given, TEXT};
pub use finding::{Contradiction, Finding};
pub use grading::{By, Decision, Grading, Judgement};
pub use history::{Match, Verdict, reports, window};
pub use questions::{BadQuestions, Choice, Grades, Question, QuestionSet};
pub use refusal::Refusal;
pub use words::{Answered, answered, in_words};

use serde::{Deserialize, Serialize};

/// How great the risk is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Grade {
    /// No sign of serious harm at the moment.
    Standard,
    /// Serious harm is possible if something changes.
    Medium,
    /// Serious harm may come at any time.
    High,
}

impl Grade {
    /// Each, the lowest first.
    pub const ALL: [Self; 3] = [Self::Standard, Self::Medium, Self::High];

    /// As it is written.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }

    /// The one that is written so.
    #[must_use]
    pub fn read(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|grade| grade.word() == word)
    }
}
