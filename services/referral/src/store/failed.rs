//! A force's parcels that did not get there.

use chrono::{DateTime, Utc};
use ids::{CallId, ForceId, IncidentRef, ReferralId};
use sqlx::PgConnection;

use super::StoreError;
use crate::domain::delivery::Problem;

/// What could not be delivered, and what the force calls its call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedParcel {
    /// The call.
    pub call: CallId,
    /// The force's reference.
    pub incident: Option<IncidentRef>,
    /// The referral.
    pub referral: ReferralId,
    /// Its kind.
    pub kind: String,
    /// It is the word that it was taken back.
    pub is_withdrawal: bool,
    /// To this partner.
    pub partner: String,
    /// Since when.
    pub at: DateTime<Utc>,
    /// Why.
    pub problem: Option<Problem>,
}

/// What of a force could not be delivered and nobody has seen to since (their partner was told by hand, has said that they have it, or it
/// was taken back), and withdrawals that failed since then: nothing says that they were seen to. The newest first.
///
/// # Errors
/// The database is away, or a row is impossible.
pub async fn failed(
    tx: &mut PgConnection,
    force: &ForceId,
    limit: i64,
    since: DateTime<Utc>,
) -> Result<Vec<FailedParcel>, StoreError> {
    let rows = sqlx::query!(
        r#"select a.id, a.call_id, a.referral_id, a.kind, a.what, a.partner_id, a.settled_at as "settled_at!", a.problem,
                  p.facts -> 'incident' as "incident"
           from referral.parcels a
           join referral.packages p on p.call_id = a.call_id
           join referral.referrals r on r.id = a.referral_id
           where a.force_id = $1 and a.state = 'failed' and (r.state = 'sent' or a.what = 'withdrawal' and a.settled_at > $3)
           order by a.settled_at desc limit $2"#,
        force.as_str(),
        limit,
        since,
    )
    .fetch_all(tx)
    .await
    .map_err(|error| StoreError::Database("failed", error))?;
    rows.into_iter()
        .map(|row| {
            let corrupt = |column| StoreError::Corrupt { table: "referral.parcels", column, row: row.id.to_string() };
            Ok(FailedParcel {
                call: row.call_id.into(),
                incident: serde_json::from_value(row.incident.unwrap_or_default()).map_err(|_| corrupt("call_id"))?,
                referral: row.referral_id.into(),
                kind: row.kind,
                is_withdrawal: row.what == "withdrawal",
                partner: row.partner_id,
                at: row.settled_at,
                problem: row.problem.as_deref().and_then(Problem::of),
            })
        })
        .collect()
}
