//! RecordDisclosureStage, and how applications are told.

use api::referral::v1::{
    self as proto, CheckKind, RecordDisclosureStageRequest, RecordDisclosureStageResponse,
    disclosure_stage::{self as part, Stage as Told},
};
use chrono::{DateTime, Utc};
use ids::ReferralId;
use prost_types::Timestamp;
use tonic::{Request, Status};

use super::{ask, author, on, timestamp};
use crate::{
    app::App,
    domain::disclosure::{Check, Disclosure, NotRecorded, Stage, Standing},
    error::Error,
    events::time,
};

pub(super) async fn record_disclosure_stage(
    app: &App,
    request: &Request<RecordDisclosureStageRequest>,
) -> Result<RecordDisclosureStageResponse, Status> {
    let by = author(request, &request.get_ref().officer_id)?;
    let request = request.get_ref();
    let (ask, on) = (ask(&request.request_id, request)?, on(&request.force_id, &request.call_id)?);
    let referral = request.referral_id.parse().map_err(Error::Malformed)?;
    let stage = request.stage.clone().and_then(|recorded| recorded.stage);
    let stage = stage.ok_or(NotRecorded::Invalid("stage")).and_then(said).map_err(Error::from)?;
    Ok(app.record_disclosure_stage(ask, on, by, (referral, request.version), stage).await?)
}

/// An application as it is told.
pub(crate) fn disclosure(referral: ReferralId, disclosure: &Disclosure) -> proto::Disclosure {
    let state = match disclosure.standing() {
        Standing::Applied => proto::DisclosureState::Applied,
        Standing::ToBePlanned => proto::DisclosureState::ToBePlanned,
        Standing::Planned => proto::DisclosureState::Planned,
        Standing::Disclosed => proto::DisclosureState::Disclosed,
        Standing::Refused => proto::DisclosureState::Refused,
        Standing::ToldOfRefusal => proto::DisclosureState::ToldOfRefusal,
    };
    let stages = disclosure.stages.iter().map(|recorded| proto::DisclosureStage {
        officer_id: recorded.by.to_string(),
        at: Some(timestamp(recorded.at)),
        stage: Some(told(recorded.stage.clone())),
    });
    proto::Disclosure {
        referral_id: referral.to_string(),
        state: state.into(),
        stages: stages.collect(),
        version: disclosure.version(),
    }
}

fn said(stage: Told) -> Result<Stage, NotRecorded> {
    Ok(match stage {
        Told::Check(part::Check { kind, result }) => {
            let kind = CheckKind::try_from(kind).ok().and_then(check).ok_or(NotRecorded::Invalid("kind"))?;
            Stage::Check { check: kind, result }
        }
        Told::Decision(part::Decision { disclose, reasons, decided_by }) => {
            Stage::Decision { disclose, reasons, decided_by }
        }
        Told::Plan(part::Plan { at, way, present }) => Stage::Plan { when: when(at)?, way, present },
        Told::Told(part::Told { at, to, unrecorded, immediate_protection }) => {
            Stage::Told { when: when(at)?, to, unrecorded, immediate_protection }
        }
    })
}

fn told(stage: Stage) -> Told {
    match stage {
        Stage::Check { check, result } => Told::Check(part::Check { kind: checked(check).into(), result }),
        Stage::Decision { disclose, reasons, decided_by } => {
            Told::Decision(part::Decision { disclose, reasons, decided_by })
        }
        Stage::Plan { when, way, present } => Told::Plan(part::Plan { at: Some(timestamp(when)), way, present }),
        Stage::Told { when, to, unrecorded, immediate_protection } => {
            Told::Told(part::Told { at: Some(timestamp(when)), to, unrecorded, immediate_protection })
        }
    }
}

fn when(at: Option<Timestamp>) -> Result<DateTime<Utc>, NotRecorded> {
    time(at.as_ref()).ok_or(NotRecorded::Invalid("at"))
}

fn check(kind: CheckKind) -> Option<Check> {
    match kind {
        CheckKind::Identity => Some(Check::Identity),
        CheckKind::Safety => Some(Check::Safety),
        CheckKind::LocalRecords => Some(Check::LocalRecords),
        CheckKind::NationalRecords => Some(Check::NationalRecords),
        CheckKind::OtherForces => Some(Check::OtherForces),
        CheckKind::Partners => Some(Check::Partners),
        CheckKind::Unspecified => None,
    }
}

fn checked(check: Check) -> CheckKind {
    match check {
        Check::Identity => CheckKind::Identity,
        Check::Safety => CheckKind::Safety,
        Check::LocalRecords => CheckKind::LocalRecords,
        Check::NationalRecords => CheckKind::NationalRecords,
        Check::OtherForces => CheckKind::OtherForces,
        Check::Partners => CheckKind::Partners,
    }
}
