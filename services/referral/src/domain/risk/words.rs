//! The risk as a partner reads it.

use super::{Answer, Assessment, Finding, Grading, Question};
use crate::domain::RiskWords;

/// The grade that was given, why, and what was asked and answered, in the set's order.
#[must_use]
pub fn in_words(assessment: &Assessment, finding: &Finding, grading: Option<&Grading>) -> RiskWords {
    let Some(grading) = grading else {
        return RiskWords { answers: answers(assessment), ..RiskWords::default() };
    };
    let mut because = finding.because.join("; ");
    if !grading.reason.is_empty() {
        because.push_str("; officer: ");
        because.push_str(&grading.reason);
    }
    RiskWords { grade: grading.decision.grade.word().to_owned(), because, answers: answers(assessment) }
}

/// Each question that was come to; behind the choice the caller's words and the officer's note.
fn answers(assessment: &Assessment) -> Vec<(String, String)> {
    let one = |question: &Question| {
        let choice = question.choice(assessment.chosen(&question.key)?)?;
        let Answer { given, .. } = assessment.answers.get(&question.key)?;
        let mut text = choice.text.clone();
        if !given.words.is_empty() {
            text.push_str(". Caller: ");
            text.push_str(&given.words);
        }
        if !given.note.is_empty() {
            text.push_str(". Officer: ");
            text.push_str(&given.note);
        }
        Some((question.text.clone(), text))
    };
    assessment.set.questions().iter().filter_map(one).collect()
}
