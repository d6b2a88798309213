//! Earlier calls of the same people: by what they are found, and what officers said of them. Of one force: its transaction sees
//! no other's.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use ids::{CallId, IncidentRef, OfficerId};
use sqlx::PgConnection;

use super::{StoreError, json};
use crate::{
    app::On,
    domain::{
        Facts,
        risk::{Grade, Verdict, matching::Profile},
    },
};

/// A call as it is compared with others.
pub struct Compared {
    /// When it was.
    pub at: DateTime<Utc>,
    /// Its victim and suspects.
    pub people: Vec<Profile>,
}

/// An earlier call that has something in common with this one, or was judged to have.
pub struct Earlier {
    /// Which.
    pub call: CallId,
    /// The force's reference of it.
    pub incident: Option<IncidentRef>,
    /// When, and who.
    pub compared: Compared,
    /// What was said of it last.
    pub verdict: Option<Verdict>,
    /// The grade that was given then.
    pub grade: Option<Grade>,
}

/// Keeps how a locked case's people are compared from now on.
///
/// # Errors
/// The database is away.
pub async fn save_compared(
    tx: &mut PgConnection,
    on: &On,
    compared: &Compared,
    keys: &BTreeSet<String>,
) -> Result<(), StoreError> {
    let failed = |error| StoreError::Database("save_compared", error);
    sqlx::query!(
        "insert into referral.profiles (call_id, force_id, at, people) values ($1, $2, $3, $4)
         on conflict (call_id) do update set people = excluded.people",
        on.call.uuid(),
        on.force.as_str(),
        compared.at,
        json(&compared.people),
    )
    .execute(&mut *tx)
    .await
    .map_err(failed)?;
    let keys: Vec<String> = keys.iter().cloned().collect();
    sqlx::query!("delete from referral.match_keys where call_id = $1", on.call.uuid())
        .execute(&mut *tx)
        .await
        .map_err(failed)?;
    sqlx::query!(
        "insert into referral.match_keys (force_id, key, call_id) select $1, key, $2 from unnest($3::text[]) as key",
        on.force.as_str(),
        on.call.uuid(),
        &keys,
    )
    .execute(tx)
    .await
    .map_err(failed)?;
    Ok(())
}

/// How a call's people are compared; `None` as long as nobody was written down.
///
/// # Errors
/// The database is away, or the row is impossible.
pub async fn compared(tx: &mut PgConnection, call: CallId) -> Result<Option<Compared>, StoreError> {
    let row = sqlx::query!("select at, people from referral.profiles where call_id = $1", call.uuid())
        .fetch_optional(tx)
        .await
        .map_err(|error| StoreError::Database("compared", error))?;
    row.map(|row| Ok(Compared { at: row.at, people: people(row.people, call)? })).transpose()
}

/// Calls since then and before this one that have one of these keys, or of which an officer has said something here. A follow-up is
/// of the same incident as its first call: an incident counts once, as its first call, and not at all in its own follow-up.
///
/// # Errors
/// The database is away, or a row is impossible.
pub async fn earlier(
    tx: &mut PgConnection,
    on: &On,
    (since, until): (DateTime<Utc>, DateTime<Utc>),
    keys: &BTreeSet<String>,
) -> Result<Vec<Earlier>, StoreError> {
    let keys: Vec<String> = keys.iter().cloned().collect();
    let rows = sqlx::query!(
        r#"with found as (
               select call_id from referral.match_keys where force_id = $1 and key = any($2)
               union select earlier_call_id from referral.verdicts where call_id = $3)
           select found.call_id as "call_id!", profiles.at, profiles.people, packages.facts,
                  (select same_people from referral.verdicts v
                   where v.call_id = $3 and v.earlier_call_id = found.call_id order by v.id desc limit 1) as same_people,
                  (select grade from referral.gradings g
                   where g.call_id = found.call_id order by g.id desc limit 1) as grade
           from found
           join referral.profiles on profiles.call_id = found.call_id
           join referral.packages on packages.call_id = found.call_id
           where profiles.at >= $4 and (profiles.at, found.call_id) < ($5, $3) and packages.follow_up_of is null
             and found.call_id is distinct from (select follow_up_of from referral.packages where call_id = $3)"#,
        on.force.as_str(),
        &keys,
        on.call.uuid(),
        since,
        until,
    )
    .fetch_all(tx)
    .await
    .map_err(|error| StoreError::Database("earlier", error))?;
    rows.into_iter()
        .map(|row| {
            let call = CallId::from(row.call_id);
            let corrupt = |table, column| StoreError::Corrupt { table, column, row: call.to_string() };
            let facts: Facts = serde_json::from_value(row.facts).map_err(|_| corrupt("referral.packages", "facts"))?;
            let grade = row.grade.map(|word| Grade::read(&word).ok_or_else(|| corrupt("referral.gradings", "grade")));
            let verdict = row.same_people.map(|same| if same { Verdict::SamePeople } else { Verdict::OtherPeople });
            let compared = Compared { at: row.at, people: people(row.people, call)? };
            Ok(Earlier { call, incident: facts.incident, compared, verdict, grade: grade.transpose()? })
        })
        .collect()
}

/// Adds what an officer says of an earlier call.
///
/// # Errors
/// The database is away.
pub async fn add_verdict(
    tx: &mut PgConnection,
    on: &On,
    earlier: CallId,
    verdict: Verdict,
    (by, at): (&OfficerId, DateTime<Utc>),
) -> Result<(), StoreError> {
    sqlx::query!(
        "insert into referral.verdicts (call_id, earlier_call_id, force_id, same_people, officer_id, at)
         values ($1, $2, $3, $4, $5, $6)",
        on.call.uuid(),
        earlier.uuid(),
        on.force.as_str(),
        verdict == Verdict::SamePeople,
        by.as_str(),
        at,
    )
    .execute(tx)
    .await
    .map_err(|error| StoreError::Database("add_verdict", error))?;
    Ok(())
}

fn people(people: serde_json::Value, call: CallId) -> Result<Vec<Profile>, StoreError> {
    let corrupt = |_| StoreError::Corrupt { table: "referral.profiles", column: "people", row: call.to_string() };
    serde_json::from_value(people).map_err(corrupt)
}
