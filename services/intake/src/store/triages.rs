//! Triages, each as it was answered.

use chrono::{DateTime, Utc};
use ids::{CallId, ComeNowWord};
use sqlx::PgConnection;

use super::{StoreError, json};
use crate::domain::{Answers, Assessment, Gender, Occasion, Risk, Silent, Vulnerability};

/// Keeps one triage as answered.
///
/// # Errors
/// The database is away.
pub async fn insert_triage(
    tx: &mut PgConnection,
    call: CallId,
    answers: &Answers,
    occasion: &Occasion,
    assessment: &Assessment,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let thrive = &answers.thrive;
    sqlx::query!(
        "insert into intake.triages (call_id, version, at, threat, harm, risk_words, investigation, vulnerability,
                                     engagement, phone_shared, messages_read, overheard, come_now_word,
                                     immediate_danger, offender_present, can_join, risk, language, children_present, verdict,
                                     reason, taken_by, vulnerability_grade, officer_asked_for, child_may_speak,
                                     silent_caller, can_listen, rules_version)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22,
                 $23, $24, $25, $26, $27, $28)",
        call.uuid(),
        i32::try_from(assessment.version).unwrap_or(i32::MAX),
        now,
        thrive.threat,
        thrive.harm,
        thrive.risk,
        thrive.investigation,
        thrive.vulnerability,
        thrive.engagement,
        answers.device.shared,
        answers.device.messages_read,
        answers.device.overheard,
        answers.come_now.as_ref().map(ComeNowWord::expose),
        answers.immediate_danger,
        answers.offender_present,
        answers.can_join,
        risk_text(answers.risk),
        answers.language.as_str(),
        answers.children_present,
        json(&assessment.verdict),
        occasion.reason.as_deref(),
        occasion.taken_by.as_deref(),
        match answers.needs.vulnerability {
            Vulnerability::None => "none",
            Vulnerability::Some => "some",
            Vulnerability::Great => "great",
        },
        answers.needs.officer_asked_for.map(|gender| match gender {
            Gender::Woman => "woman",
            Gender::Man => "man",
        }),
        answers.needs.child_may_speak,
        answers.needs.silent.map(Silent::as_str),
        answers.can_listen,
        assessment.rules,
    )
    .execute(tx)
    .await
    .map_err(|error| StoreError::Database("insert_triage", error))?;
    Ok(())
}

fn risk_text(risk: Risk) -> &'static str {
    match risk {
        Risk::Standard => "standard",
        Risk::Medium => "medium",
        Risk::High => "high",
    }
}
