//! The number that the caller rang from.

use api::referral::v1::{GetCallerNumberRequest, GetCallerNumberResponse};
use tonic::{Request, Status};

use crate::app::App;

pub(super) async fn get_caller_number(
    _: &App,
    _: &Request<GetCallerNumberRequest>,
) -> Result<GetCallerNumberResponse, Status> {
    Err(Status::unimplemented("not built yet"))
}
