//! SearchPartners.

use api::referral::v1::{SearchPartnersRequest, SearchPartnersResponse};
use tonic::{Request, Status};

use crate::app::App;

pub(super) async fn search_partners(
    app: &App,
    request: &Request<SearchPartnersRequest>,
) -> Result<SearchPartnersResponse, Status> {
    let _ = (app, request);
    Err(Status::unimplemented("not built yet"))
}
