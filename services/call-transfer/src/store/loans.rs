//! Which officers which force lends to which. Each loan is kept for both.

use chrono::{DateTime, Utc};
use ids::{ForceId, LoanId, OfficerId};
use sqlx::PgConnection;
use uuid::Uuid;

use super::rows;
use crate::{
    domain::{Loan, Window},
    error::Error,
};

struct Row {
    loan_id: Uuid,
    from_force: String,
    to_force: String,
    officers: Vec<String>,
    from_at: DateTime<Utc>,
    until_at: DateTime<Utc>,
    offered_by: String,
    agreed_by: Option<String>,
    ended_by: Option<String>,
    ended_at: Option<DateTime<Utc>>,
}

impl Row {
    fn into_loan(self) -> Result<Loan, Error> {
        let ended_by = self.ended_by.as_deref().map(rows::officer_id).transpose()?;
        Ok(Loan {
            id: self.loan_id.into(),
            from: rows::force(&self.from_force)?,
            to: rows::force(&self.to_force)?,
            officers: self.officers.iter().map(|officer| rows::officer_id(officer)).collect::<Result<_, _>>()?,
            window: Window { from: self.from_at, until: self.until_at },
            offered_by: rows::officer_id(&self.offered_by)?,
            agreed_by: self.agreed_by.as_deref().map(rows::officer_id).transpose()?,
            ended: ended_by.zip(self.ended_at),
        })
    }
}

/// The loan of that id, if it is one from or to the force.
pub async fn loan(conn: &mut PgConnection, force: &ForceId, id: LoanId) -> Result<Option<Loan>, Error> {
    let row = sqlx::query_as!(
        Row,
        "select loan_id, from_force, to_force, officers, from_at, until_at, offered_by, agreed_by, ended_by, ended_at \
         from transfer.loans where force_id = $1 and loan_id = $2",
        force.as_str(),
        id.uuid()
    )
    .fetch_optional(conn)
    .await?;
    row.map(Row::into_loan).transpose()
}

/// The force's loans that weren't over at a time, by their beginning: the newest, as many as a screen holds.
pub async fn loans(conn: &mut PgConnection, force: &ForceId, since: DateTime<Utc>) -> Result<Vec<Loan>, Error> {
    let mut rows = sqlx::query_as!(
        Row,
        "select loan_id, from_force, to_force, officers, from_at, until_at, offered_by, agreed_by, ended_by, ended_at \
         from transfer.loans where force_id = $1 and until_at >= $2 and (ended_at is null or ended_at >= $2) \
         order by from_at desc, loan_id desc limit 200",
        force.as_str(),
        since
    )
    .fetch_all(conn)
    .await?;
    rows.reverse();
    rows.into_iter().map(Row::into_loan).collect()
}

/// Keeps one force's copy, in a transaction that sees that force's rows.
pub async fn save_loan(conn: &mut PgConnection, force: &ForceId, loan: &Loan) -> Result<(), Error> {
    let officers: Vec<String> = loan.officers.iter().map(ToString::to_string).collect();
    let (ended_by, ended_at) = loan.ended.as_ref().map(|(by, at)| (by.as_str(), *at)).unzip();
    sqlx::query!(
        "insert into transfer.loans (force_id, loan_id, from_force, to_force, officers, from_at, until_at, offered_by, \
         agreed_by, ended_by, ended_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) \
         on conflict (force_id, loan_id) do update set agreed_by = excluded.agreed_by, ended_by = excluded.ended_by, \
         ended_at = excluded.ended_at",
        force.as_str(),
        loan.id.uuid(),
        loan.from.as_str(),
        loan.to.as_str(),
        &officers,
        loan.window.from,
        loan.window.until,
        loan.offered_by.as_str(),
        loan.agreed_by.as_ref().map(OfficerId::as_str),
        ended_by,
        ended_at
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Where an officer of the force may go now, and until when.
pub async fn may_go_to(
    conn: &mut PgConnection,
    (force, officer): (&ForceId, &OfficerId),
    now: DateTime<Utc>,
) -> Result<Vec<(ForceId, DateTime<Utc>)>, Error> {
    let rows = sqlx::query!(
        r#"select to_force, max(until_at) as "until_at!" from transfer.loans
        where force_id = $1 and from_force = $1 and $2 = any(officers) and agreed_by is not null and ended_by is null
              and from_at <= $3 and until_at > $3
        group by to_force order by to_force"#,
        force.as_str(),
        officer.as_str(),
        now
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(|row| Ok((rows::force(&row.to_force)?, row.until_at))).collect()
}

/// Whether this officer, so called at the force's desk, is lent to it now.
pub async fn is_lent(
    conn: &mut PgConnection,
    (force, officer): (&ForceId, &OfficerId),
    now: DateTime<Utc>,
) -> Result<bool, Error> {
    let Some(home) = officer.lent_by() else { return Ok(false) };
    let id = officer.at_home();
    let is_lent = sqlx::query_scalar!(
        r#"select exists (select from transfer.loans where force_id = $1 and to_force = $1 and from_force = $2
             and $3 = any(officers) and agreed_by is not null and ended_by is null
             and from_at <= $4 and until_at > $4) as "is_lent!""#,
        force.as_str(),
        home.as_str(),
        id.as_str(),
        now
    );
    Ok(is_lent.fetch_one(conn).await?)
}
