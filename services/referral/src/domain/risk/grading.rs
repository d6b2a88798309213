//! The grade: never below what count and history say, above it by judgement and with a reason.

use chrono::{DateTime, Utc};
use ids::OfficerId;

use super::{Assessment, Finding, Grade, Refusal, TEXT};

/// What made the grade what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// The answers.
    Count,
    /// Calls before.
    Escalation,
    /// The officer.
    Judgement,
}

impl By {
    /// As it is written.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Count => "count",
            Self::Escalation => "escalation",
            Self::Judgement => "judgement",
        }
    }

    /// The one that is written so.
    #[must_use]
    pub fn read(word: &str) -> Option<Self> {
        [Self::Count, Self::Escalation, Self::Judgement].into_iter().find(|by| by.word() == word)
    }
}

/// What an officer gives.
#[derive(Clone, PartialEq, Eq)]
pub struct Judgement {
    /// The grade.
    pub grade: Grade,
    /// Why; empty if there is nothing to say.
    pub reason: String,
    /// The assessment's version that they saw.
    pub seen: u64,
    /// They lead a desk.
    pub is_sergeant: bool,
}

/// What follows from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decision {
    /// The grade.
    pub grade: Grade,
    /// What made it so.
    pub by: By,
}

/// A grade as it was given. Each is kept. Its reason is personal data.
#[derive(Clone, PartialEq, Eq)]
pub struct Grading {
    /// The grade, and what made it so.
    pub decision: Decision,
    /// In the officer's words.
    pub reason: String,
    /// Who gave it.
    pub officer: OfficerId,
    /// When.
    pub at: DateTime<Utc>,
    /// On which version of the assessment.
    pub version: u64,
}

impl Judgement {
    /// Decides on the answers as they are. `before` is the grade that the call has, `open` whether earlier calls are unjudged.
    /// Nothing keeps from HIGH but, above what count and history say, the reason.
    ///
    /// # Errors
    /// The answers have changed, the grade is too low, or something is to be done or said first.
    pub fn decide(
        &self,
        assessment: &Assessment,
        finding: &Finding,
        before: Option<Grade>,
        open: bool,
    ) -> Result<Decision, Refusal> {
        let Self { grade, reason, seen, is_sergeant } = self;
        let has_reason = !reason.trim().is_empty();
        if reason.chars().count() > TEXT || reason.contains('\0') {
            return Err(Refusal::ReasonRequired);
        }
        if *seen != assessment.version {
            return Err(Refusal::Changed(None));
        }
        if *grade < finding.least {
            return Err(Refusal::BelowCount(finding.least));
        }
        if *grade < Grade::High {
            if let Some(contradiction) = finding.contradictions.first().filter(|_| !has_reason) {
                return Err(Refusal::Contradiction(contradiction.text.clone()));
            }
            if open {
                return Err(Refusal::MatchesOpen);
            }
        }
        let is_lower = before.is_some_and(|before| *grade < before);
        if is_lower && !is_sergeant {
            return Err(Refusal::SergeantRequired);
        }
        if (is_lower || *grade > finding.least) && !has_reason {
            return Err(Refusal::ReasonRequired);
        }
        let by = match () {
            () if *grade > finding.least => By::Judgement,
            () if finding.least > finding.by_count() => By::Escalation,
            () => By::Count,
        };
        Ok(Decision { grade: *grade, by })
    }
}
