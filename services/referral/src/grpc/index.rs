//! The package's index, to print.

use api::referral::v1::{GetPackageIndexRequest, GetPackageIndexResponse};
use tonic::{Request, Status};

use super::{author, on};
use crate::app::App;

pub(super) async fn get_package_index(
    app: &App,
    request: &Request<GetPackageIndexRequest>,
) -> Result<GetPackageIndexResponse, Status> {
    let officer = author(request, &request.get_ref().officer_id)?;
    let request = request.get_ref();
    let pdf = app.package_index(&on(&request.force_id, &request.call_id)?, &officer).await?;
    Ok(GetPackageIndexResponse { pdf })
}
