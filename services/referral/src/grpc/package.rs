//! GetPackage: the checklist, once the session has ended.

use api::referral::v1::{ChecklistItem, GetPackageRequest, GetPackageResponse, ItemState as ProtoState};
use chrono::{DateTime, Utc};
use tonic::{Request, Status};

use super::{on, timestamp};
use crate::{
    app::App,
    domain::{ItemState, Package, State, View, ViewItem},
    error::Error,
};

pub(super) async fn get_package(app: &App, request: &Request<GetPackageRequest>) -> Result<GetPackageResponse, Status> {
    let request = request.get_ref();
    let (package, view) = app.get_package(&on(&request.force_id, &request.call_id)?).await?;
    // Facts may be gathering already: for the officer there is no package before the session ended.
    let State::Open { id, at, .. } = &package.state else { return Err(Error::UnknownPackage.into()) };
    Ok(answer(&package, *id, *at, view))
}

fn answer(package: &Package, id: ids::PackageId, at: DateTime<Utc>, view: View) -> GetPackageResponse {
    let missing = view.missing().map(str::to_owned).collect();
    GetPackageResponse {
        package_id: id.to_string(),
        call_id: package.call.to_string(),
        opened_at: Some(timestamp(at)),
        items: view.items.into_iter().map(item).collect(),
        score_percent: view.score_percent,
        missing,
    }
}

/// An item as it is told.
pub(super) fn item(item: ViewItem) -> ChecklistItem {
    let (state, evidence) = match item.state {
        ItemState::Missing => (ProtoState::Missing, String::new()),
        ItemState::Present(evidence) => (ProtoState::Present, evidence),
        ItemState::NotApplicable => (ProtoState::NotApplicable, String::new()),
    };
    let answered_by_note = item.by_note;
    ChecklistItem {
        key: item.key,
        title: item.title,
        required: item.required,
        state: state.into(),
        evidence,
        answered_by_note,
    }
}
