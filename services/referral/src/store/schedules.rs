//! Disclosure schedules, each version a row that is added, and the assessments that they list.

use ids::OfficerId;
use sqlx::PgConnection;

use super::{StoreError, json};
use crate::{
    app::On,
    domain::schedule::{Assessed, SavedSchedule},
};

/// The version that was saved last.
///
/// # Errors
/// The database is away, or the row is impossible.
pub async fn last(tx: &mut PgConnection, on: &On) -> Result<Option<SavedSchedule>, StoreError> {
    let row = sqlx::query!(
        "select version, entries, saved_by, saved_at from referral.schedules
         where force_id = $1 and call_id = $2 order by version desc limit 1",
        on.force.as_str(),
        on.call.uuid(),
    )
    .fetch_optional(tx)
    .await
    .map_err(|error| StoreError::Database("last_schedule", error))?;
    let Some(row) = row else { return Ok(None) };
    let corrupt = |column| StoreError::Corrupt { table: "referral.schedules", column, row: on.call.to_string() };
    Ok(Some(SavedSchedule {
        version: row.version.unsigned_abs(),
        by: row.saved_by.parse::<OfficerId>().map_err(|_| corrupt("saved_by"))?,
        at: row.saved_at,
        entries: serde_json::from_value(row.entries).map_err(|_| corrupt("entries"))?,
    }))
}

/// Keeps a further version.
///
/// # Errors
/// The database is away.
pub async fn insert(tx: &mut PgConnection, on: &On, schedule: &SavedSchedule) -> Result<(), StoreError> {
    sqlx::query!(
        "insert into referral.schedules (call_id, force_id, version, entries, saved_by, saved_at)
         values ($1, $2, $3, $4, $5, $6)",
        on.call.uuid(),
        on.force.as_str(),
        i32::try_from(schedule.version).unwrap_or(i32::MAX),
        json(&schedule.entries),
        schedule.by.as_str(),
        schedule.at,
    )
    .execute(tx)
    .await
    .map_err(|error| StoreError::Database("insert_schedule", error))?;
    Ok(())
}

/// Each assessment that was begun, the first one first, but for what was answered.
///
/// # Errors
/// The database is away, or a row is impossible.
pub async fn assessments(tx: &mut PgConnection, on: &On) -> Result<Vec<Assessed>, StoreError> {
    let rows = sqlx::query!(
        r#"select a.assessment_id, a.questions ->> 'title' as title, a.version, a.begun_at, g.id as "grading?", g.grade as "grade?"
           from referral.assessments a
           left join lateral (
               select id, grade from referral.gradings where assessment_id = a.assessment_id order by id desc limit 1) g on true
           where a.force_id = $1 and a.call_id = $2 order by a.n"#,
        on.force.as_str(),
        on.call.uuid(),
    )
    .fetch_all(tx)
    .await
    .map_err(|error| StoreError::Database("assessments", error))?;
    let assessed = rows.into_iter().map(|row| {
        let key = row.assessment_id.to_string();
        let corrupt = || StoreError::Corrupt { table: "referral.assessments", column: "questions", row: key };
        Ok(Assessed {
            id: row.assessment_id.into(),
            title: row.title.ok_or_else(corrupt)?,
            version: row.version.unsigned_abs(),
            at: row.begun_at,
            grade: row.grade.zip(row.grading),
        })
    });
    assessed.collect()
}
