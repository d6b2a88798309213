//! Forces lend officers to each other. A loan is kept for both, in one transaction under both desks' locks.

use std::collections::BTreeSet;

use api::transfer::v1::{
    AgreeLoanRequest, AgreeLoanResponse, EndLoanRequest, EndLoanResponse, OfferLoanRequest, OfferLoanResponse,
};
use chrono::{DateTime, TimeDelta, Utc};
use ids::{ForceId, LoanId, OfficerId};
use outbox::Scope;
use sqlx::PgTransaction;

use super::{App, Once};
use crate::{
    domain::{Loan, Window},
    error::Error,
    store,
};

/// For how long loans that are over are listed.
const LISTED: TimeDelta = TimeDelta::days(7);

/// What a sergeant offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lending {
    /// To whom.
    pub to: ForceId,
    /// Whom, by their ids.
    pub officers: Vec<OfficerId>,
    /// When.
    pub window: Window,
}

impl App {
    /// A sergeant offers officers to another force.
    pub async fn offer_loan(
        &self,
        once: Once<'_, OfferLoanRequest>,
        (force, sergeant): (&ForceId, &OfficerId),
        Lending { to, officers, window }: Lending,
    ) -> Result<OfferLoanResponse, Error> {
        let mut tx = store::begin(&self.pool, "offer_loan", Scope::Force(force)).await?;
        if let Some(first) = outbox::replay::first_answer(&mut tx, once.id, "OfferLoan", once.request).await? {
            return Ok(first);
        }
        store::lock_desks(&mut tx, &BTreeSet::from([force, &to])).await?;
        let now = self.clock.now();
        let lender = (force.clone(), sergeant.clone());
        let loan = Loan::offer(self.entropy.id(now), lender, to, officers, window, now)?;
        self.keep_loan(&mut tx, &loan, now).await?;
        let response = OfferLoanResponse { loan: Some(crate::grpc::loan(&loan, now)) };
        outbox::replay::remember(&mut tx, once.id, &response).await?;
        tx.commit().await?;
        Ok(response)
    }

    /// A sergeant of the other force takes the offer.
    pub async fn agree_loan(
        &self,
        once: Once<'_, AgreeLoanRequest>,
        who: (&ForceId, &OfficerId),
        id: LoanId,
    ) -> Result<AgreeLoanResponse, Error> {
        let mut tx = store::begin(&self.pool, "agree_loan", Scope::Force(who.0)).await?;
        if let Some(first) = outbox::replay::first_answer(&mut tx, once.id, "AgreeLoan", once.request).await? {
            return Ok(first);
        }
        let (known, now) = self.held_loan(&mut tx, who.0, id).await?;
        let loan = known.agree(who, now)?;
        self.keep_loan(&mut tx, &loan, now).await?;
        let response = AgreeLoanResponse { loan: Some(crate::grpc::loan(&loan, now)) };
        outbox::replay::remember(&mut tx, once.id, &response).await?;
        tx.commit().await?;
        Ok(response)
    }

    /// A sergeant of either force ends it.
    pub async fn end_loan(
        &self,
        once: Once<'_, EndLoanRequest>,
        who: (&ForceId, &OfficerId),
        id: LoanId,
    ) -> Result<EndLoanResponse, Error> {
        let mut tx = store::begin(&self.pool, "end_loan", Scope::Force(who.0)).await?;
        if let Some(first) = outbox::replay::first_answer(&mut tx, once.id, "EndLoan", once.request).await? {
            return Ok(first);
        }
        let (known, now) = self.held_loan(&mut tx, who.0, id).await?;
        let loan = known.end(who, now)?;
        self.keep_loan(&mut tx, &loan, now).await?;
        let response = EndLoanResponse { loan: Some(crate::grpc::loan(&loan, now)) };
        outbox::replay::remember(&mut tx, once.id, &response).await?;
        tx.commit().await?;
        Ok(response)
    }

    /// The force's loans that aren't over, or haven't been for long; and what time it is.
    pub async fn loans(&self, force: &ForceId) -> Result<(Vec<Loan>, DateTime<Utc>), Error> {
        let now = self.clock.now();
        let mut tx = outbox::begin_reading(&self.pool, Scope::Force(force)).await?;
        Ok((store::loans(&mut tx, force, now - LISTED).await?, now))
    }

    /// A loan of the force, with both desks held.
    async fn held_loan(
        &self,
        tx: &mut PgTransaction<'_>,
        force: &ForceId,
        id: LoanId,
    ) -> Result<(Loan, DateTime<Utc>), Error> {
        // Between whom it is never changes.
        let Loan { from, to, .. } = store::loan(tx, force, id).await?.ok_or(Error::UnknownLoan)?;
        store::lock_desks(tx, &BTreeSet::from([&from, &to])).await?;
        Ok((store::loan(tx, force, id).await?.ok_or(Error::UnknownLoan)?, self.clock.now()))
    }

    /// Keeps both copies, and matches anew where it may have changed who is there.
    async fn keep_loan(&self, tx: &mut PgTransaction<'_>, loan: &Loan, now: DateTime<Utc>) -> Result<(), Error> {
        for force in [&loan.from, &loan.to] {
            outbox::narrow(tx, force).await?;
            store::save_loan(tx, force, loan).await?;
            if loan.agreed_by.is_some() {
                self.match_desk(tx, force, now).await?;
            }
        }
        Ok(())
    }
}
