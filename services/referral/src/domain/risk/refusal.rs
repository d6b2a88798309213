//! What the officer is told when something about the risk can't be done.

use ids::AssessmentId;

use super::Grade;

/// Why not. None says what was answered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The force has no such question set.
    #[error("the force goes by no such question set")]
    UnknownSet,
    /// None of this call's, or one that another has replaced.
    #[error("that is not the call's present assessment")]
    UnknownAssessment(Option<AssessmentId>),
    /// Not one of the set's.
    #[error("the assessment has no such question")]
    UnknownQuestion(String),
    /// Somebody else has answered meanwhile: this question, or any.
    #[error("somebody has answered meanwhile")]
    Changed(Option<String>),
    /// Not an answer to it.
    #[error("that is no answer to the question: {rule}")]
    InvalidAnswer {
        /// To which.
        question: String,
        /// What is wrong with it.
        rule: &'static str,
    },
    /// Not a grade.
    #[error("there is no such grade")]
    InvalidGrade,
    /// Count and history say more.
    #[error("the grade is below what count and history say")]
    BelowCount(Grade),
    /// Two answers can't both be right.
    #[error("answers contradict each other: correct them, or say why the grade is right")]
    Contradiction(String),
    /// There may have been calls before.
    #[error("earlier calls that may be of the same people have not been judged")]
    MatchesOpen,
    /// It takes a grade back.
    #[error("a grade lower than the one before is a sergeant's to give")]
    SergeantRequired,
    /// It needs words.
    #[error("it needs a reason, in 1 to 1,000 characters")]
    ReasonRequired,
    /// Not found as being of the same people.
    #[error("no such earlier call was found")]
    UnknownMatch,
}
