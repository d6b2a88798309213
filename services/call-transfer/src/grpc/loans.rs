//! Loans of officers, as the proto says them.

use api::transfer::v1::{self as proto, OfferLoanRequest};
use chrono::{DateTime, Utc};

use super::{figures::time, parse};
use crate::{
    app::Lending,
    domain::{Loan, LoanState, NoLoan, Window},
    error::Error,
    events::timestamp,
};

pub(super) fn lending(request: &OfferLoanRequest) -> Result<Lending, Error> {
    let time = |at| time(at).ok_or(Error::NoLoan(NoLoan::Invalid));
    Ok(Lending {
        to: parse(&request.to_force_id)?,
        officers: request.officers.iter().map(|officer| parse(officer)).collect::<Result<_, _>>()?,
        window: Window { from: time(request.from)?, until: time(request.until)? },
    })
}

/// As the proto says it.
pub(crate) fn loan(loan: &Loan, now: DateTime<Utc>) -> proto::Loan {
    let state = match loan.state(now) {
        LoanState::Offered => proto::LoanState::Offered,
        LoanState::Agreed => proto::LoanState::Agreed,
        LoanState::Over => proto::LoanState::Over,
    };
    proto::Loan {
        loan_id: loan.id.to_string(),
        state: state.into(),
        from_force_id: loan.from.to_string(),
        to_force_id: loan.to.to_string(),
        officers: loan.officers.iter().map(ToString::to_string).collect(),
        from: Some(timestamp(loan.window.from)),
        until: Some(timestamp(loan.window.until)),
        offered_by: loan.offered_by.to_string(),
        agreed_by: loan.agreed_by.as_ref().map(ToString::to_string).unwrap_or_default(),
        ended_by: loan.ended.as_ref().map(|(by, _)| by.to_string()).unwrap_or_default(),
    }
}
