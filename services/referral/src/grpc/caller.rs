//! The number that the caller rang from.

use api::referral::v1::{GetCallerNumberRequest, GetCallerNumberResponse};
use tonic::{Request, Status};

use super::{author, on};
use crate::app::App;

pub(super) async fn get_caller_number(
    app: &App,
    request: &Request<GetCallerNumberRequest>,
) -> Result<GetCallerNumberResponse, Status> {
    let officer = author(request, &request.get_ref().officer_id)?;
    let request = request.get_ref();
    let number = app.caller_number(&on(&request.force_id, &request.call_id)?, &officer).await?;
    Ok(GetCallerNumberResponse { number })
}
