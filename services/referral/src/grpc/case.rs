//! GetCase and WatchCase: all that is kept about a call.

use api::referral::v1::{GetCaseRequest, GetCaseResponse, WatchCaseRequest, WatchCaseResponse};
use tonic::{Request, Status};

use super::Stream;
use crate::app::App;

pub(super) async fn get_case(app: &App, request: &Request<GetCaseRequest>) -> Result<GetCaseResponse, Status> {
    let _ = (app, request);
    Err(Status::unimplemented("not built yet"))
}

pub(super) async fn watch_case(
    app: &App,
    request: &Request<WatchCaseRequest>,
) -> Result<Stream<WatchCaseResponse>, Status> {
    let _ = (app, request);
    Err(Status::unimplemented("not built yet"))
}
