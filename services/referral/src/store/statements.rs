//! Statements and notes: rows that are added, and never changed.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use ids::{CallId, ForceId, OfficerId};
use sqlx::PgConnection;

use super::StoreError;
use crate::{
    app::On,
    domain::{Note, Statement},
};

struct StatementRow {
    version: i32,
    words: String,
    declared: bool,
    saved_by: String,
    saved_at: DateTime<Utc>,
}

/// The versions of a call's statement before one (none: from the newest on), the newest first; so many at the most (none: all).
///
/// # Errors
/// The database is away, or a row is impossible.
pub async fn statements(
    tx: &mut PgConnection,
    on: &On,
    (before, most): (Option<u32>, Option<u32>),
) -> Result<Vec<Statement>, StoreError> {
    let rows = sqlx::query_as!(
        StatementRow,
        "select version, words, declared, saved_by, saved_at from referral.statements
         where force_id = $1 and call_id = $2 and ($3::integer is null or version < $3) order by version desc limit $4",
        on.force.as_str(),
        on.call.uuid(),
        before.map(|version| i32::try_from(version).unwrap_or(i32::MAX)),
        most.map(i64::from),
    )
    .fetch_all(tx)
    .await
    .map_err(|error| StoreError::Database("statements", error))?;
    let statement = |row: StatementRow| {
        Ok(Statement {
            version: row.version.unsigned_abs(),
            text: row.words,
            declared: row.declared,
            saved_by: officer(&row.saved_by, "referral.statements", "saved_by", on.call)?,
            saved_at: row.saved_at,
        })
    };
    rows.into_iter().map(statement).collect()
}

/// The newest version, but for its words.
#[derive(Debug)]
pub struct Last {
    /// Which.
    pub version: u32,
    /// It is declared to be true.
    pub declared: bool,
    /// Whose.
    pub saved_by: String,
}

/// The newest version of a call's statement, but for its words.
///
/// # Errors
/// The database is away.
pub async fn last(tx: &mut PgConnection, on: &On) -> Result<Option<Last>, StoreError> {
    let row = sqlx::query!(
        "select version, declared, saved_by from referral.statements
         where force_id = $1 and call_id = $2 order by version desc limit 1",
        on.force.as_str(),
        on.call.uuid(),
    )
    .fetch_optional(tx)
    .await
    .map_err(|error| StoreError::Database("last_statement", error))?;
    let last =
        row.map(|row| Last { version: row.version.unsigned_abs(), declared: row.declared, saved_by: row.saved_by });
    Ok(last)
}

/// Of each version of a call's statement, the first one first: which, whether it is declared, when.
///
/// # Errors
/// The database is away.
pub async fn versions(tx: &mut PgConnection, on: &On) -> Result<Vec<(u32, bool, DateTime<Utc>)>, StoreError> {
    let rows = sqlx::query!(
        "select version, declared, saved_at from referral.statements
         where force_id = $1 and call_id = $2 order by version",
        on.force.as_str(),
        on.call.uuid(),
    )
    .fetch_all(tx)
    .await
    .map_err(|error| StoreError::Database("statement_versions", error))?;
    Ok(rows.into_iter().map(|row| (row.version.unsigned_abs(), row.declared, row.saved_at)).collect())
}

/// Keeps a further version.
///
/// # Errors
/// The database is away.
pub async fn insert_statement(tx: &mut PgConnection, on: &On, statement: &Statement) -> Result<(), StoreError> {
    sqlx::query!(
        "insert into referral.statements (call_id, force_id, version, words, declared, saved_by, saved_at)
         values ($1, $2, $3, $4, $5, $6, $7)",
        on.call.uuid(),
        on.force.as_str(),
        i32::try_from(statement.version).unwrap_or(i32::MAX),
        statement.text,
        statement.declared,
        statement.saved_by.as_str(),
        statement.saved_at,
    )
    .execute(tx)
    .await
    .map_err(|error| StoreError::Database("insert_statement", error))?;
    Ok(())
}

struct NoteRow {
    key: String,
    applies: bool,
    words: String,
    noted_by: String,
    noted_at: DateTime<Utc>,
}

/// The last note on each item.
///
/// # Errors
/// The database is away, or a row is impossible.
pub async fn notes(tx: &mut PgConnection, force: &ForceId, call: CallId) -> Result<BTreeMap<String, Note>, StoreError> {
    let rows = sqlx::query_as!(
        NoteRow,
        "select distinct on (key) key, applies, words, noted_by, noted_at from referral.package_notes
         where force_id = $1 and call_id = $2 order by key, number desc",
        force.as_str(),
        call.uuid(),
    )
    .fetch_all(tx)
    .await
    .map_err(|error| StoreError::Database("notes", error))?;
    let note = |row: NoteRow| {
        let by = officer(&row.noted_by, "referral.package_notes", "noted_by", call)?;
        Ok((row.key, Note { applies: row.applies, text: row.words, by, at: row.noted_at }))
    };
    rows.into_iter().map(note).collect()
}

/// Of each note: its item, its number among the item's, and when. The first one first.
///
/// # Errors
/// The database is away.
pub async fn note_times(tx: &mut PgConnection, on: &On) -> Result<Vec<(String, i64, DateTime<Utc>)>, StoreError> {
    let rows = sqlx::query!(
        r#"select key, row_number() over (partition by key order by number) as "nth!", noted_at
           from referral.package_notes where force_id = $1 and call_id = $2 order by number"#,
        on.force.as_str(),
        on.call.uuid(),
    )
    .fetch_all(tx)
    .await
    .map_err(|error| StoreError::Database("note_times", error))?;
    Ok(rows.into_iter().map(|row| (row.key, row.nth, row.noted_at)).collect())
}

/// Keeps a note.
///
/// # Errors
/// The database is away.
pub async fn insert_note(tx: &mut PgConnection, on: &On, key: &str, note: &Note) -> Result<(), StoreError> {
    sqlx::query!(
        "insert into referral.package_notes (call_id, force_id, key, applies, words, noted_by, noted_at)
         values ($1, $2, $3, $4, $5, $6, $7)",
        on.call.uuid(),
        on.force.as_str(),
        key,
        note.applies,
        note.text,
        note.by.as_str(),
        note.at,
    )
    .execute(tx)
    .await
    .map_err(|error| StoreError::Database("insert_note", error))?;
    Ok(())
}

fn officer(id: &str, table: &'static str, column: &'static str, call: CallId) -> Result<OfficerId, StoreError> {
    id.parse().map_err(|_| StoreError::Corrupt { table, column, row: call.to_string() })
}
