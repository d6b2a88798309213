//! The package's index, to print.

use api::referral::v1::{GetPackageIndexRequest, GetPackageIndexResponse};
use tonic::{Request, Status};

use crate::app::App;

pub(super) async fn get_package_index(
    _: &App,
    _: &Request<GetPackageIndexRequest>,
) -> Result<GetPackageIndexResponse, Status> {
    Err(Status::unimplemented("not built yet"))
}
