//! The package, sealed into an addendum.

use api::referral::v1::{SealPackageRequest, SealPackageResponse, SealedPackage, SealingState as ProtoState};
use tonic::{Request, Status};

use super::{ask, author, on, timestamp};
use crate::{
    app::App,
    domain::sealing::{Sealing, SealingState},
};

pub(super) async fn seal_package(
    app: &App,
    request: &Request<SealPackageRequest>,
) -> Result<SealPackageResponse, Status> {
    let by = author(request, &request.get_ref().officer_id)?;
    let request = request.get_ref();
    let (ask, on) = (ask(&request.request_id, request)?, on(&request.force_id, &request.call_id)?);
    Ok(app.seal_package(ask, on, by, &request.reason).await?)
}

/// A sealing as it is told.
pub(crate) fn sealed(sealing: &Sealing) -> SealedPackage {
    let (state, addendum, sealed_at) = match &sealing.state {
        SealingState::Waiting => (ProtoState::Waiting, None, None),
        SealingState::Added(addendum) => (ProtoState::Added, Some(addendum), None),
        SealingState::Sealed(addendum, at) => (ProtoState::Sealed, Some(addendum), Some(*at)),
        SealingState::Failed(addendum) => (ProtoState::Failed, addendum.as_ref(), None),
    };
    let exhibit = addendum.and_then(|addendum| addendum.exhibits.last());
    SealedPackage {
        number: sealing.number,
        state: state.into(),
        officer_id: sealing.by.to_string(),
        asked_at: Some(timestamp(sealing.at)),
        exhibit_id: exhibit.map(ToString::to_string).unwrap_or_default(),
        reference: addendum.map(|addendum| addendum.reference.clone()).unwrap_or_default(),
        sealed_at: sealed_at.map(timestamp),
        score_percent: sealing.score_percent,
        problem: sealing.problem.clone(),
    }
}
