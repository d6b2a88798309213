//! Two forces' sergeants agree that officers of one take calls of the other (docs/mutual-aid.md).

use api::transfer::v1::{
    AgreeLoanRequest, Loan, OfferLoanRequest, transfer_service_client::TransferServiceClient as Transfer,
};
use chassis::{Clock, Entropy};
use ids::RequestId;
use prost_types::Timestamp;
use testkit::Stack;

use crate::identity;

type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

const SERGEANT: &str = "sgt-lender";

fn request_id() -> String {
    Entropy::os().id::<RequestId>(Clock::system().now()).to_string()
}

/// One force offers an officer to another, for the next hour.
///
/// # Errors
/// What call-transfer answers.
pub async fn offered(stack: &Stack, officer: &str, [from, to]: [&str; 2]) -> Outcome<Loan> {
    let at = |seconds| Some(Timestamp { seconds: Clock::system().now().timestamp() + seconds, nanos: 0 });
    let offer = OfferLoanRequest {
        request_id: request_id(),
        force_id: from.into(),
        officer_id: SERGEANT.into(),
        to_force_id: to.into(),
        officers: vec![officer.into()],
        from: at(-60),
        until: at(3_600),
    };
    let mut lender = Transfer::new(identity::officer(stack, "call-transfer", from, SERGEANT)?);
    Ok(lender.offer_loan(offer).await?.into_inner().loan.ok_or("no loan")?)
}

/// The other one agrees.
///
/// # Errors
/// What call-transfer answers.
pub async fn agreed(stack: &Stack, loan: Loan) -> Outcome<Loan> {
    let agree = AgreeLoanRequest {
        request_id: request_id(),
        force_id: loan.to_force_id.clone(),
        officer_id: SERGEANT.into(),
        loan_id: loan.loan_id,
    };
    let mut borrower = Transfer::new(identity::officer(stack, "call-transfer", &loan.to_force_id, SERGEANT)?);
    Ok(borrower.agree_loan(agree).await?.into_inner().loan.ok_or("no loan")?)
}
