//! The disclosure schedule.

use api::referral::v1::{
    self as proto, DisclosureSchedule, GetDisclosureScheduleRequest, GetDisclosureScheduleResponse,
    SaveDisclosureScheduleRequest, SaveDisclosureScheduleResponse, ScheduleEntry,
};
use tonic::{Request, Status};

use super::{ask, author, on, timestamp};
use crate::{
    app::App,
    domain::schedule::{Entry, Handling, Said, Schedule},
};

pub(super) async fn get_disclosure_schedule(
    app: &App,
    request: &Request<GetDisclosureScheduleRequest>,
) -> Result<GetDisclosureScheduleResponse, Status> {
    let request = request.get_ref();
    let found = app.get_schedule(&on(&request.force_id, &request.call_id)?).await?;
    Ok(GetDisclosureScheduleResponse { schedule: Some(schedule(&found)) })
}

pub(super) async fn save_disclosure_schedule(
    app: &App,
    request: &Request<SaveDisclosureScheduleRequest>,
) -> Result<SaveDisclosureScheduleResponse, Status> {
    let by = author(request, &request.get_ref().officer_id)?;
    let request = request.get_ref();
    let (ask, on) = (ask(&request.request_id, request)?, on(&request.force_id, &request.call_id)?);
    let said = request.entries.iter().map(said).collect();
    Ok(app.save_schedule(ask, on, by, (request.version, said)).await?)
}

fn said(entry: &ScheduleEntry) -> Said {
    let handling = match entry.handling() {
        proto::Handling::Unspecified => None,
        proto::Handling::Evidence => Some(Handling::Evidence),
        proto::Handling::Unused => Some(Handling::Unused),
        proto::Handling::Sensitive => Some(Handling::Sensitive),
    };
    Said { key: entry.key.clone(), seen: entry.seen.clone(), handling, reason: entry.reason.clone() }
}

/// The schedule as it is told.
pub(crate) fn schedule(schedule: &Schedule) -> DisclosureSchedule {
    let (officer_id, at) = schedule.saved.as_ref().map(|(_, by, at)| (by.to_string(), timestamp(*at))).unzip();
    DisclosureSchedule {
        version: schedule.version(),
        officer_id: officer_id.unwrap_or_default(),
        at,
        current: schedule.current,
        entries: schedule.entries.iter().map(entry).collect(),
    }
}

fn entry(entry: &Entry) -> ScheduleEntry {
    let handling = match entry.handling {
        Handling::Evidence => proto::Handling::Evidence,
        Handling::Unused => proto::Handling::Unused,
        Handling::Sensitive => proto::Handling::Sensitive,
    };
    ScheduleEntry {
        key: entry.key.clone(),
        description: entry.description.clone(),
        at: entry.at.map(timestamp),
        handling: handling.into(),
        reason: entry.reason.clone(),
        is_new: entry.is_new,
        seen: entry.about.clone(),
    }
}
