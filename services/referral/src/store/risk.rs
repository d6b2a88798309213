//! Assessments, their answers, and the grades that were given.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use ids::{AssessmentId, CallId, OfficerId};
use sqlx::PgConnection;

use super::{StoreError, json};
use crate::{
    app::On,
    domain::risk::{Answer, Assessment, By, Decision, Finding, Given, Grade, Grading},
};

struct AnswerRow {
    question: String,
    version: i64,
    choice: String,
    note: String,
    words: String,
    said_at: Option<DateTime<Utc>>,
    saved_by: String,
    saved_at: DateTime<Utc>,
}

/// The present assessment of a call, if one was begun.
///
/// # Errors
/// The database is away, or a row is impossible.
pub async fn assessment(tx: &mut PgConnection, call: CallId) -> Result<Option<Assessment>, StoreError> {
    let failed = |error| StoreError::Database("assessment", error);
    let row = sqlx::query!(
        "select assessment_id, questions, version from referral.assessments where call_id = $1 order by n desc limit 1",
        call.uuid(),
    )
    .fetch_optional(&mut *tx)
    .await
    .map_err(failed)?;
    let Some(row) = row else { return Ok(None) };
    let answers = sqlx::query_as!(
        AnswerRow,
        "select distinct on (question) question, version, choice, note, words, said_at, saved_by, saved_at
         from referral.answers where assessment_id = $1 order by question, version desc",
        row.assessment_id,
    )
    .fetch_all(tx)
    .await
    .map_err(failed)?;
    let id = AssessmentId::from(row.assessment_id);
    let corrupt = |_| StoreError::Corrupt { table: "referral.assessments", column: "questions", row: id.to_string() };
    let set = serde_json::from_value(row.questions).map_err(corrupt)?;
    let answers = answers.into_iter().map(|row| Ok((row.question.clone(), answer(row, id)?)));
    let answers = answers.collect::<Result<BTreeMap<_, _>, StoreError>>()?;
    Ok(Some(Assessment { id, set, answers, version: row.version.unsigned_abs() }))
}

/// Begins an assessment of a locked case; it is the present one from now on.
///
/// # Errors
/// The database is away.
pub async fn begin_assessment(
    tx: &mut PgConnection,
    on: &On,
    assessment: &Assessment,
    (by, at): (&OfficerId, DateTime<Utc>),
) -> Result<(), StoreError> {
    sqlx::query!(
        "insert into referral.assessments (assessment_id, call_id, force_id, n, questions, version, begun_at, begun_by)
         select $1, $2, $3, coalesce(max(n), 0) + 1, $4, $5, $6, $7 from referral.assessments where call_id = $2",
        assessment.id.uuid(),
        on.call.uuid(),
        on.force.as_str(),
        json(&assessment.set),
        number(assessment.version),
        at,
        by.as_str(),
    )
    .execute(tx)
    .await
    .map_err(|error| StoreError::Database("begin_assessment", error))?;
    Ok(())
}

/// Adds what was answered.
///
/// # Errors
/// The database is away.
pub async fn save_answers(
    tx: &mut PgConnection,
    on: &On,
    assessment: &Assessment,
    saved: &[Answer],
) -> Result<(), StoreError> {
    let failed = |error| StoreError::Database("save_answers", error);
    for Answer { given, version, saved_by, saved_at } in saved {
        sqlx::query!(
            "insert into referral.answers
                 (assessment_id, force_id, question, version, choice, note, words, said_at, saved_by, saved_at)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
            assessment.id.uuid(),
            on.force.as_str(),
            given.question,
            number(*version),
            given.choice,
            given.note,
            given.words,
            given.said_at,
            saved_by.as_str(),
            saved_at,
        )
        .execute(&mut *tx)
        .await
        .map_err(failed)?;
    }
    sqlx::query!(
        "update referral.assessments set version = $2 where assessment_id = $1",
        assessment.id.uuid(),
        number(assessment.version),
    )
    .execute(tx)
    .await
    .map_err(failed)?;
    Ok(())
}

/// Adds a grade, with what it was given on.
///
/// # Errors
/// The database is away.
pub async fn add_grading(
    tx: &mut PgConnection,
    on: &On,
    assessment: AssessmentId,
    grading: &Grading,
    finding: &Finding,
) -> Result<(), StoreError> {
    sqlx::query!(
        "insert into referral.gradings
             (call_id, assessment_id, force_id, version, grade, graded_by, reason, officer_id, at, finding)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        on.call.uuid(),
        assessment.uuid(),
        on.force.as_str(),
        number(grading.version),
        grading.decision.grade.word(),
        grading.decision.by.word(),
        grading.reason,
        grading.officer.as_str(),
        grading.at,
        json(finding),
    )
    .execute(tx)
    .await
    .map_err(|error| StoreError::Database("add_grading", error))?;
    Ok(())
}

/// The grade that a call has.
///
/// # Errors
/// The database is away, or the row is impossible.
pub async fn last_grading(tx: &mut PgConnection, call: CallId) -> Result<Option<Grading>, StoreError> {
    let row = sqlx::query!(
        "select id, version, grade, graded_by, reason, officer_id, at
         from referral.gradings where call_id = $1 order by id desc limit 1",
        call.uuid(),
    )
    .fetch_optional(tx)
    .await
    .map_err(|error| StoreError::Database("last_grading", error))?;
    let Some(row) = row else { return Ok(None) };
    let corrupt = |column| StoreError::Corrupt { table: "referral.gradings", column, row: row.id.to_string() };
    Ok(Some(Grading {
        decision: Decision {
            grade: Grade::read(&row.grade).ok_or_else(|| corrupt("grade"))?,
            by: By::read(&row.graded_by).ok_or_else(|| corrupt("graded_by"))?,
        },
        reason: row.reason,
        officer: row.officer_id.parse().map_err(|_| corrupt("officer_id"))?,
        at: row.at,
        version: row.version.unsigned_abs(),
    }))
}

fn answer(row: AnswerRow, assessment: AssessmentId) -> Result<Answer, StoreError> {
    let AnswerRow { question, version, choice, note, words, said_at, saved_by, saved_at } = row;
    let corrupt = |_| StoreError::Corrupt {
        table: "referral.answers",
        column: "saved_by",
        row: format!("{assessment} {question} {version}"),
    };
    let saved_by = saved_by.parse().map_err(corrupt)?;
    let given = Given { question, choice, note, words, said_at };
    Ok(Answer { given, version: version.unsigned_abs(), saved_by, saved_at })
}

/// Versions are counted from 0 and never get there.
fn number(version: u64) -> i64 {
    i64::try_from(version).unwrap_or(i64::MAX)
}
