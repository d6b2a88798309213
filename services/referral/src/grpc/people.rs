//! SavePerson and RemovePerson.

use api::referral::v1::{RemovePersonRequest, RemovePersonResponse, SavePersonRequest, SavePersonResponse};
use tonic::{Request, Status};

use crate::app::App;

pub(super) async fn save_person(app: &App, request: &Request<SavePersonRequest>) -> Result<SavePersonResponse, Status> {
    let _ = (app, request);
    Err(Status::unimplemented("not built yet"))
}

pub(super) async fn remove_person(
    app: &App,
    request: &Request<RemovePersonRequest>,
) -> Result<RemovePersonResponse, Status> {
    let _ = (app, request);
    Err(Status::unimplemented("not built yet"))
}
