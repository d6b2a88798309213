#![allow(clippy::unwrap_used, clippy::panic)]
//! Question sets that are refused, answers on top of each other, and what always holds of a grade.

mod grades;
mod sets;

use chrono::{DateTime, Utc};
use ids::OfficerId;

use super::{Assessment, Given, QuestionSet};

pub(super) const DASH: &str = include_str!("../../../questions/dash-demo.toml");
pub(super) const DARA: &str = include_str!("../../../questions/dara-demo.toml");

pub(super) fn dash() -> QuestionSet {
    QuestionSet::read(DASH).unwrap()
}

pub(super) fn begun(set: QuestionSet) -> Assessment {
    Assessment::begin(uuid::Uuid::from_u128(1).into(), set)
}

pub(super) fn officer() -> OfficerId {
    "PC1".parse().unwrap()
}

pub(super) fn now() -> DateTime<Utc> {
    "2026-11-27T10:00:00Z".parse().unwrap()
}

pub(super) fn given(question: &str, choice: &str) -> Given {
    let text = str::to_owned;
    Given { question: text(question), choice: text(choice), note: String::new(), words: String::new(), said_at: None }
}

/// Answered one by one, in this order.
pub(super) fn answered(set: QuestionSet, answers: &[(String, String)]) -> Assessment {
    answers.iter().fold(begun(set), |assessment, (question, choice)| {
        let stands = assessment.answers.get(question).map_or(0, |answer| answer.version);
        assessment.save(vec![(given(question, choice), stands)], &officer(), now()).unwrap().0
    })
}
