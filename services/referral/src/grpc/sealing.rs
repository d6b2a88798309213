//! The package, sealed into an addendum.

use api::referral::v1::{SealPackageRequest, SealPackageResponse};
use tonic::{Request, Status};

use crate::app::App;

pub(super) async fn seal_package(_: &App, _: &Request<SealPackageRequest>) -> Result<SealPackageResponse, Status> {
    Err(Status::unimplemented("not built yet"))
}
