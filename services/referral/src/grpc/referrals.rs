//! Kinds of referral, and each one from its draft to its outcome.

use api::referral::v1::{
    AcknowledgeReferralRequest, AcknowledgeReferralResponse, ListReferralKindsRequest, ListReferralKindsResponse,
    MakeReferralRequest, MakeReferralResponse, RecordOutcomeRequest, RecordOutcomeResponse, SendReferralRequest,
    SendReferralResponse, WithdrawReferralRequest, WithdrawReferralResponse,
};
use tonic::{Request, Status};

use crate::app::App;

pub(super) async fn list_referral_kinds(
    app: &App,
    request: &Request<ListReferralKindsRequest>,
) -> Result<ListReferralKindsResponse, Status> {
    let _ = (app, request);
    Err(Status::unimplemented("not built yet"))
}

pub(super) async fn make_referral(
    app: &App,
    request: &Request<MakeReferralRequest>,
) -> Result<MakeReferralResponse, Status> {
    let _ = (app, request);
    Err(Status::unimplemented("not built yet"))
}

pub(super) async fn send_referral(
    app: &App,
    request: &Request<SendReferralRequest>,
) -> Result<SendReferralResponse, Status> {
    let _ = (app, request);
    Err(Status::unimplemented("not built yet"))
}

pub(super) async fn withdraw_referral(
    app: &App,
    request: &Request<WithdrawReferralRequest>,
) -> Result<WithdrawReferralResponse, Status> {
    let _ = (app, request);
    Err(Status::unimplemented("not built yet"))
}

pub(super) async fn acknowledge_referral(
    app: &App,
    request: &Request<AcknowledgeReferralRequest>,
) -> Result<AcknowledgeReferralResponse, Status> {
    let _ = (app, request);
    Err(Status::unimplemented("not built yet"))
}

pub(super) async fn record_outcome(
    app: &App,
    request: &Request<RecordOutcomeRequest>,
) -> Result<RecordOutcomeResponse, Status> {
    let _ = (app, request);
    Err(Status::unimplemented("not built yet"))
}
