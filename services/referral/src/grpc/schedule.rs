//! The disclosure schedule.

use api::referral::v1::{
    GetDisclosureScheduleRequest, GetDisclosureScheduleResponse, SaveDisclosureScheduleRequest,
    SaveDisclosureScheduleResponse,
};
use tonic::{Request, Status};

use crate::app::App;

pub(super) async fn get_disclosure_schedule(
    _: &App,
    _: &Request<GetDisclosureScheduleRequest>,
) -> Result<GetDisclosureScheduleResponse, Status> {
    Err(Status::unimplemented("not built yet"))
}

pub(super) async fn save_disclosure_schedule(
    _: &App,
    _: &Request<SaveDisclosureScheduleRequest>,
) -> Result<SaveDisclosureScheduleResponse, Status> {
    Err(Status::unimplemented("not built yet"))
}
