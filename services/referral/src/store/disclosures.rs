//! Stages of Clare's Law applications: rows that are added, and never changed.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use ids::ReferralId;
use sqlx::PgConnection;

use super::{StoreError, json};
use crate::{
    app::On,
    domain::disclosure::{Disclosure, Recorded},
};

struct Row {
    referral_id: uuid::Uuid,
    stage: serde_json::Value,
    recorded_by: String,
    recorded_at: DateTime<Utc>,
}

/// The applications of a call that have come further than that they were made.
///
/// # Errors
/// The database is away, or a row is impossible.
pub async fn disclosures(tx: &mut PgConnection, on: &On) -> Result<BTreeMap<ReferralId, Disclosure>, StoreError> {
    let rows = sqlx::query_as!(
        Row,
        "select referral_id, stage, recorded_by, recorded_at from referral.disclosure_stages
         where force_id = $1 and call_id = $2 order by referral_id, version",
        on.force.as_str(),
        on.call.uuid(),
    )
    .fetch_all(tx)
    .await
    .map_err(|error| StoreError::Database("disclosures", error))?;
    let mut all: BTreeMap<ReferralId, Disclosure> = BTreeMap::new();
    for row in rows {
        let key = row.referral_id.to_string();
        let corrupt = |column| StoreError::Corrupt { table: "referral.disclosure_stages", column, row: key.clone() };
        let stage = serde_json::from_value(row.stage).map_err(|_| corrupt("stage"))?;
        let by = row.recorded_by.parse().map_err(|_| corrupt("recorded_by"))?;
        all.entry(row.referral_id.into()).or_default().stages.push(Recorded { stage, by, at: row.recorded_at });
    }
    Ok(all)
}

/// Keeps the newest stage of an application.
///
/// # Errors
/// The database is away.
pub async fn insert_stage(
    tx: &mut PgConnection,
    on: &On,
    referral: ReferralId,
    (version, recorded): (u64, &Recorded),
) -> Result<(), StoreError> {
    sqlx::query!(
        "insert into referral.disclosure_stages (call_id, force_id, referral_id, version, stage, recorded_by, recorded_at)
         values ($1, $2, $3, $4, $5, $6, $7)",
        on.call.uuid(),
        on.force.as_str(),
        referral.uuid(),
        i64::try_from(version).unwrap_or(i64::MAX),
        json(&recorded.stage),
        recorded.by.as_str(),
        recorded.at,
    )
    .execute(tx)
    .await
    .map_err(|error| StoreError::Database("insert_stage", error))?;
    Ok(())
}
