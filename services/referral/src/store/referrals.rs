//! Rows of referrals.

use chrono::{DateTime, Utc};
use ids::OfficerId;
use sqlx::PgConnection;

use super::{StoreError, json};
use crate::{
    app::On,
    domain::{Referral, Stage},
};

/// A case's referrals, in the order in which they were drafted.
///
/// # Errors
/// The database is away, or a row is impossible.
pub async fn referrals(tx: &mut PgConnection, on: &On) -> Result<Vec<Referral>, StoreError> {
    let rows = sqlx::query!(
        "select id, body from referral.referrals where force_id = $1 and call_id = $2 order by id",
        on.force.as_str(),
        on.call.uuid(),
    )
    .fetch_all(tx)
    .await
    .map_err(|error| StoreError::Database("referrals", error))?;
    let read = |id: uuid::Uuid, body| {
        let corrupt = |_| StoreError::Corrupt { table: "referral.referrals", column: "body", row: id.to_string() };
        serde_json::from_value(body).map_err(corrupt)
    };
    rows.into_iter().map(|row| read(row.id, row.body)).collect()
}

/// Saves one, new or not; what it was stays beside it. By nobody is by a rule, by the caller who took their consent back, or by the partner,
/// whose link it was.
///
/// # Errors
/// The database is away.
pub async fn save_referral(
    tx: &mut PgConnection,
    on: &On,
    referral: &Referral,
    (by, at): (Option<&OfficerId>, DateTime<Utc>),
) -> Result<(), StoreError> {
    sqlx::query!(
        "with saved as (
             insert into referral.referrals as r (id, call_id, force_id, kind, person_id, state, body, revision)
             values ($1, $2, $3, $4, $5, $6, $7, 1)
             on conflict (id) do update set state = $6, body = $7, revision = r.revision + 1
             returning id, revision)
         insert into referral.referral_versions (referral_id, revision, call_id, force_id, body, saved_by, saved_at)
         select id, revision, $2, $3, $7, $8, $9 from saved",
        referral.id.uuid(),
        on.call.uuid(),
        on.force.as_str(),
        referral.kind,
        referral.person.map(ids::PersonId::uuid),
        state(&referral.stage),
        json(referral),
        by.map(OfficerId::as_str),
        at,
    )
    .execute(tx)
    .await
    .map_err(|error| StoreError::Database("save_referral", error))?;
    Ok(())
}

fn state(stage: &Stage) -> &'static str {
    match stage {
        Stage::Draft => "draft",
        Stage::Sent(_) => "sent",
        Stage::Acknowledged(..) => "acknowledged",
        Stage::Outcome(..) => "outcome",
        Stage::Withdrawn(..) => "withdrawn",
    }
}
