//! The risk as it is read.

use super::{Answer, Assessment, Finding, Grading, Question};
use crate::domain::RiskWords;

/// A question, and what was answered, both as they are read. Personal data: no `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Answered {
    /// The question's key.
    pub key: String,
    /// The question.
    pub label: String,
    /// The choice; the caller's words and the officer's note behind it.
    pub text: String,
}

/// Each question that was come to, in the set's order.
#[must_use]
pub fn answered(assessment: &Assessment) -> Vec<Answered> {
    let one = |question: &Question| {
        let choice = question.choice(assessment.chosen(&question.key)?)?;
        let Answer { given, .. } = assessment.answers.get(&question.key)?;
        let said = |words: &String| (!words.is_empty()).then(|| format!("\u{201c}{words}\u{201d}"));
        let noted = |note: &String| (!note.is_empty()).then(|| format!("Officer: {note}"));
        let parts = [Some(choice.text.clone()), said(&given.words), noted(&given.note)];
        let text = parts.into_iter().flatten().collect::<Vec<_>>().join(". ");
        Some(Answered { key: question.key.clone(), label: question.text.clone(), text })
    };
    assessment.set.questions().iter().filter_map(one).collect()
}

/// As a partner reads it: the grade that was given, why, and the answers.
#[must_use]
pub fn in_words(grading: Option<&Grading>, finding: &Finding, answers: Vec<Answered>) -> RiskWords {
    let answers = answers.into_iter().map(|answered| (answered.label, answered.text)).collect();
    let Some(grading) = grading else { return RiskWords { answers, ..RiskWords::default() } };
    let mut because = finding.because.clone();
    if !grading.reason.is_empty() {
        because.push(format!("officer: {}", grading.reason));
    }
    RiskWords { grade: grading.decision.grade.word().to_owned(), because: because.join("; "), answers }
}
