//! What a follow-up is begun with: what was found last of its caller, and whether one is going on.

use ids::{CallId, ForceId, PhoneNumber};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{StoreError, from_json};
use crate::domain::{Call, Gender, Language, Needs, Risk, Stages, Update, Vulnerability};

/// What isn't asked anew.
#[derive(Debug)]
pub struct Before {
    /// The grade.
    pub risk: Risk,
    /// The language spoken.
    pub language: Language,
    /// Children are in the house.
    pub children_present: bool,
    /// What the caller needs of the desk.
    pub needs: Needs,
    /// The number rung from, unless withheld.
    pub number: Option<PhoneNumber>,
    /// What happens goes back by MAIT.
    pub by_mait: bool,
}

/// Locks the first of the calls that this one belongs to.
///
/// # Errors
/// The database is away.
pub async fn lock_first(tx: &mut PgConnection, force: &ForceId, call: CallId) -> Result<(), StoreError> {
    sqlx::query!(
        "select id from intake.calls
         where force_id = $1
           and id = (select coalesce(follow_up_of, id) from intake.calls where force_id = $1 and id = $2) for update",
        force.as_str(),
        call.uuid(),
    )
    .fetch_optional(tx)
    .await
    .map_err(|error| StoreError::Database("lock_first", error))?;
    Ok(())
}

/// By the newest triage of the calls that belong together, and the last grade of an officer's: the greater of the two, for a caller
/// isn't taken for safer than desk or control room found them last. Nothing if there is no triage.
///
/// # Errors
/// The database is away, or a row is impossible.
pub async fn before(tx: &mut PgConnection, call: &Call) -> Result<Option<Before>, StoreError> {
    let row = sqlx::query!(
        r#"with family as (select id from intake.calls where force_id = $1 and (id = $3 or follow_up_of = $3))
           select t.risk, t.language, t.children_present, t.vulnerability_grade, t.officer_asked_for, t.child_may_speak,
                  c.caller_number,
                  (select u.body from intake.call_updates u join family on u.call_id = family.id
                   where u.body ->> 'kind' = 'risk_graded' order by u.at desc, u.sequence desc limit 1) as graded,
                  exists (select from intake.mait_sent m where m.call_id = c.id) as "by_mait!"
           from intake.calls c, intake.triages t join family on t.call_id = family.id
           where c.force_id = $1 and c.id = $2 order by t.at desc, t.version desc limit 1"#,
        call.force.as_str(),
        call.id.uuid(),
        call.first().uuid(),
    )
    .fetch_optional(tx)
    .await
    .map_err(|error| StoreError::Database("before", error))?;
    let Some(row) = row else { return Ok(None) };
    let corrupt = |column| StoreError::Corrupt { table: "intake.triages", column, row: call.id.to_string() };
    let triaged = match row.risk.as_str() {
        "standard" => Risk::Standard,
        "medium" => Risk::Medium,
        "high" => Risk::High,
        _ => return Err(corrupt("risk")),
    };
    let graded = match row.graded.map(from_json::<Update>) {
        None => None,
        Some(Some(Update::RiskGraded(graded))) => Some(graded.grade),
        Some(_) => {
            return Err(StoreError::Corrupt { table: "intake.call_updates", column: "body", row: call.id.to_string() });
        }
    };
    Ok(Some(Before {
        risk: graded.map_or(triaged, |graded| graded.max(triaged)),
        language: Language::parse(&row.language).map_err(|_| corrupt("language"))?,
        children_present: row.children_present,
        needs: Needs {
            vulnerability: match row.vulnerability_grade.as_deref() {
                None | Some("none") => Vulnerability::None,
                Some("some") => Vulnerability::Some,
                Some("great") => Vulnerability::Great,
                Some(_) => return Err(corrupt("vulnerability_grade")),
            },
            officer_asked_for: match row.officer_asked_for.as_deref() {
                None => None,
                Some("woman") => Some(Gender::Woman),
                Some("man") => Some(Gender::Man),
                Some(_) => return Err(corrupt("officer_asked_for")),
            },
            child_may_speak: row.child_may_speak,
            // Whether they speak is asked anew.
            silent: None,
        },
        number: row.caller_number.map(|number| number.parse()).transpose().map_err(|_| corrupt("caller_number"))?,
        by_mait: row.by_mait,
    }))
}

/// The first call of these, or a follow-up of it, that is going on though another has become the current one of the incident.
///
/// # Errors
/// The database is away.
pub async fn going_on(tx: &mut PgConnection, call: &Call) -> Result<Option<CallId>, StoreError> {
    let found: Option<Uuid> = sqlx::query_scalar!(
        "select id from intake.calls
         where force_id = $1 and (id = $2 or follow_up_of = $2) and state ->> 'state' = any($3) limit 1",
        call.force.as_str(),
        call.first().uuid(),
        &Stages::UNDONE.states(),
    )
    .fetch_optional(tx)
    .await
    .map_err(|error| StoreError::Database("going_on", error))?;
    Ok(found.map(CallId::from))
}
