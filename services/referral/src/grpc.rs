//! ReferralService: what arrives is parsed into the domain here, and what goes out is made here.

use api::referral::v1::{
    ChecklistItem, GetPackageRequest, GetPackageResponse, ItemState as ProtoState,
    referral_service_server::ReferralService,
};
use chrono::{DateTime, Utc};
use tonic::{Request, Response, Status};

use crate::{
    app::{On, Referral},
    domain::{ItemState, Package, State, View, ViewItem},
    error::Error,
};

/// The service, over the use cases.
pub struct Grpc {
    referral: Referral,
}

impl Grpc {
    /// Over these use cases.
    #[must_use]
    pub fn new(referral: Referral) -> Self {
        Self { referral }
    }
}

#[tonic::async_trait]
impl ReferralService for Grpc {
    async fn get_package(&self, request: Request<GetPackageRequest>) -> Result<Response<GetPackageResponse>, Status> {
        let request = request.get_ref();
        let on = on(&request.force_id, &request.call_id)?;
        let package = self.referral.get_package(on).await?;
        // Facts may be gathering already: for the officer there is no package before the session ended.
        let (State::Open { id, at, .. }, Some(view)) = (&package.state, package.view()) else {
            return Err(Error::UnknownPackage.into());
        };
        Ok(Response::new(answer(&package, *id, *at, view)))
    }
}

fn on(force: &str, call: &str) -> Result<On, Error> {
    Ok(On { force: force.parse().map_err(Error::Force)?, call: call.parse()? })
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

fn item(item: ViewItem) -> ChecklistItem {
    let (state, evidence) = match item.state {
        ItemState::Missing => (ProtoState::Missing, String::new()),
        ItemState::Present(evidence) => (ProtoState::Present, evidence),
        ItemState::NotApplicable => (ProtoState::NotApplicable, String::new()),
    };
    ChecklistItem { key: item.key, title: item.title, required: item.required, state: state.into(), evidence }
}

/// A time.
#[must_use]
pub fn timestamp(at: DateTime<Utc>) -> prost_types::Timestamp {
    // Below 1e9, so it always fits.
    let nanos = i32::try_from(at.timestamp_subsec_nanos()).unwrap_or_default();
    prost_types::Timestamp { seconds: at.timestamp(), nanos }
}
