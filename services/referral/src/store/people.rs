//! Rows of persons: who is part of a case now, and every version that ever was.

use chrono::{DateTime, Utc};
use ids::{OfficerId, PersonId};
use sqlx::PgConnection;

use super::{StoreError, json};
use crate::{
    app::On,
    domain::{Details, Person},
};

/// Who is part of a case, in the order in which they were written down.
///
/// # Errors
/// The database is away, or a row is impossible.
pub async fn people(tx: &mut PgConnection, on: &On) -> Result<Vec<Person>, StoreError> {
    let rows = sqlx::query!(
        "select id, details, version, saved_by, saved_at from referral.people
         where force_id = $1 and call_id = $2 order by id",
        on.force.as_str(),
        on.call.uuid(),
    )
    .fetch_all(tx)
    .await
    .map_err(|error| StoreError::Database("people", error))?;
    let person = |id: uuid::Uuid, details, version: i64, saved_by: String, saved_at| {
        let corrupt = |column| StoreError::Corrupt { table: "referral.people", column, row: id.to_string() };
        Ok(Person {
            id: id.into(),
            details: serde_json::from_value::<Details>(details).map_err(|_| corrupt("details"))?,
            version: version.unsigned_abs(),
            saved_by: saved_by.parse().map_err(|_| corrupt("saved_by"))?,
            saved_at,
        })
    };
    rows.into_iter().map(|row| person(row.id, row.details, row.version, row.saved_by, row.saved_at)).collect()
}

/// Adds somebody.
///
/// # Errors
/// The database is away.
pub async fn insert_person(tx: &mut PgConnection, on: &On, person: &Person) -> Result<(), StoreError> {
    sqlx::query!(
        "with kept as (insert into referral.person_versions
                (person_id, version, call_id, force_id, details, saved_by, saved_at) values ($1, $2, $3, $4, $5, $6, $7))
         insert into referral.people (id, version, call_id, force_id, details, saved_by, saved_at)
         values ($1, $2, $3, $4, $5, $6, $7)",
        person.id.uuid(),
        signed(person.version),
        on.call.uuid(),
        on.force.as_str(),
        json(&person.details),
        person.saved_by.as_str(),
        person.saved_at,
    )
    .execute(tx)
    .await
    .map_err(|error| StoreError::Database("insert_person", error))?;
    Ok(())
}

/// Writes somebody down anew; what was there is kept beside it.
///
/// # Errors
/// The database is away.
pub async fn update_person(tx: &mut PgConnection, on: &On, person: &Person) -> Result<(), StoreError> {
    sqlx::query!(
        "with kept as (insert into referral.person_versions
                (person_id, version, call_id, force_id, details, saved_by, saved_at) values ($1, $2, $3, $4, $5, $6, $7))
         update referral.people set version = $2, details = $5, saved_by = $6, saved_at = $7
         where id = $1 and call_id = $3 and force_id = $4",
        person.id.uuid(),
        signed(person.version),
        on.call.uuid(),
        on.force.as_str(),
        json(&person.details),
        person.saved_by.as_str(),
        person.saved_at,
    )
    .execute(tx)
    .await
    .map_err(|error| StoreError::Database("update_person", error))?;
    Ok(())
}

/// Takes somebody out; that, and why, is their last version.
///
/// # Errors
/// The database is away.
pub async fn remove_person(
    tx: &mut PgConnection,
    on: &On,
    (id, version): (PersonId, u64),
    reason: &str,
    (officer, at): (&OfficerId, DateTime<Utc>),
) -> Result<(), StoreError> {
    sqlx::query!(
        "with kept as (insert into referral.person_versions
                (person_id, version, call_id, force_id, reason, saved_by, saved_at) values ($1, $2, $3, $4, $5, $6, $7))
         delete from referral.people where id = $1 and call_id = $3 and force_id = $4",
        id.uuid(),
        signed(version),
        on.call.uuid(),
        on.force.as_str(),
        reason,
        officer.as_str(),
        at,
    )
    .execute(tx)
    .await
    .map_err(|error| StoreError::Database("remove_person", error))?;
    Ok(())
}

fn signed(version: u64) -> i64 {
    i64::try_from(version).unwrap_or(i64::MAX)
}
