//! Forces agree that one lends officers to the other.

use std::time::Duration;

use crate::support::{Officer, TestDesk, clock, reason, request_id};
use api::transfer::v1::{AgreeLoanRequest, EndLoanRequest, ListLoansRequest, Loan, LoanState, OfferLoanRequest};
use prost_types::Timestamp;
use tonic::Status;

/// When every test begins.
const BEGUN: i64 = 1_800_000_000;

fn seconds(at: i64) -> Option<Timestamp> {
    Some(Timestamp { seconds: BEGUN + at, nanos: 0 })
}

/// A sergeant offers officers, from and until so many seconds after the test began.
pub async fn offer(
    sergeant: &mut Officer,
    to: &str,
    officers: &[&str],
    (from, until): (i64, i64),
) -> Result<Loan, Status> {
    let request = OfferLoanRequest {
        request_id: request_id(),
        force_id: sergeant.force.clone(),
        officer_id: sergeant.id.clone(),
        to_force_id: to.to_owned(),
        officers: officers.iter().map(|officer| (*officer).to_owned()).collect(),
        from: seconds(from),
        until: seconds(until),
    };
    Ok(sergeant.client.offer_loan(request).await?.into_inner().loan.unwrap())
}

pub async fn agree(sergeant: &mut Officer, loan: &Loan) -> Result<Loan, Status> {
    agree_as(sergeant, request_id(), loan).await
}

async fn agree_as(sergeant: &mut Officer, request_id: String, loan: &Loan) -> Result<Loan, Status> {
    let (force_id, officer_id) = (sergeant.force.clone(), sergeant.id.clone());
    let request = AgreeLoanRequest { request_id, force_id, officer_id, loan_id: loan.loan_id.clone() };
    Ok(sergeant.client.agree_loan(request).await?.into_inner().loan.unwrap())
}

pub async fn end(sergeant: &mut Officer, loan: &Loan) -> Result<Loan, Status> {
    let (force_id, officer_id) = (sergeant.force.clone(), sergeant.id.clone());
    let request = EndLoanRequest { request_id: request_id(), force_id, officer_id, loan_id: loan.loan_id.clone() };
    Ok(sergeant.client.end_loan(request).await?.into_inner().loan.unwrap())
}

async fn list(sergeant: &mut Officer) -> Vec<Loan> {
    let request = ListLoansRequest { force_id: sergeant.force.clone(), officer_id: sergeant.id.clone() };
    sergeant.client.list_loans(request).await.unwrap().into_inner().loans
}

#[tokio::test]
async fn a_loan_is_what_sergeants_of_both_forces_have_said_and_no_third_force_s_to_see() {
    let clock = clock();
    let desk = TestDesk::start(clock.clone().into(), 2, &[]).await;
    let mut kent = desk.officer(0, "kent", "sgt-1");
    let mut surrey = desk.officer(1, "surrey", "sgt-1");
    let mut third = desk.officer(0, "wmp", "sgt-1");
    let loan = offer(&mut kent, "surrey", &["b.jones", "a.patel"], (600, 7200)).await.unwrap();
    assert_eq!((loan.state(), loan.officers.clone()), (LoanState::Offered, vec!["a.patel".into(), "b.jones".into()]));
    let between = (loan.from_force_id.as_str(), loan.to_force_id.as_str(), loan.offered_by.as_str());
    assert_eq!(between, ("kent", "surrey", "sgt-1"));
    assert_eq!((loan.from, loan.until), (seconds(600), seconds(7200)));
    for sergeant in [&mut kent, &mut surrey] {
        assert_eq!(list(sergeant).await, std::slice::from_ref(&loan));
    }
    assert_eq!(list(&mut third).await, []);
    assert_eq!(reason(agree(&mut third, &loan).await), "UNKNOWN_LOAN");
    assert_eq!(reason(end(&mut third, &loan).await), "UNKNOWN_LOAN");

    assert_eq!(reason(agree(&mut kent, &loan).await), "NOT_YOURS_TO_AGREE");
    let id = request_id();
    let agreed = agree_as(&mut surrey, id.clone(), &loan).await.unwrap();
    assert_eq!(agreed, Loan { state: LoanState::Agreed.into(), agreed_by: "sgt-1".into(), ..loan.clone() });
    let mut other = desk.officer(0, "surrey", "sgt-2");
    assert_eq!(agree(&mut other, &loan).await.unwrap(), agreed, "agreed already");
    for sergeant in [&mut kent, &mut surrey] {
        assert_eq!(list(sergeant).await, std::slice::from_ref(&agreed));
    }

    let over = end(&mut kent, &loan).await.unwrap();
    assert_eq!(over, Loan { state: LoanState::Over.into(), ended_by: "sgt-1@kent".into(), ..agreed.clone() });
    assert_eq!(reason(end(&mut surrey, &loan).await), "LOAN_OVER");
    assert_eq!(reason(agree(&mut surrey, &loan).await), "LOAN_OVER");
    assert_eq!(agree_as(&mut surrey, id, &loan).await.unwrap(), agreed, "the first answer");
    for sergeant in [&mut kent, &mut surrey] {
        assert_eq!(list(sergeant).await, std::slice::from_ref(&over));
    }
    clock.advance(Duration::from_secs(7 * 86_400 + 1));
    assert_eq!(list(&mut kent).await, []);
    desk.stop().await;
}

#[tokio::test]
async fn it_is_over_when_its_window_is_and_what_is_none_is_refused() {
    let clock = clock();
    let desk = TestDesk::start(clock.clone().into(), 1, &[]).await;
    let (mut kent, mut surrey) = (desk.officer(0, "kent", "sgt-1"), desk.officer(0, "surrey", "sgt-1"));
    for (to, officers, window) in [
        ("kent", &["a.patel"][..], (0, 60)),
        ("surrey", &[], (0, 60)),
        ("surrey", &["a.patel@wmp"], (0, 60)),
        ("surrey", &["a.patel"], (60, 60)),
        ("surrey", &["a.patel"], (-60, 0)),
        ("surrey", &["a.patel"], (0, 14 * 86_400 + 1)),
    ] {
        assert_eq!(
            reason(offer(&mut kent, to, officers, window).await),
            "INVALID_LOAN",
            "{to} {officers:?} {window:?}"
        );
    }
    assert_eq!(reason(offer(&mut kent, "Surrey", &["a.patel"], (0, 60)).await), "INVALID_FORCE");
    assert_eq!(reason(offer(&mut kent, "surrey", &["a patel"], (0, 60)).await), "INVALID_OFFICER");

    let (agreed, offered) = (
        offer(&mut kent, "surrey", &["a.patel"], (0, 60)).await.unwrap(),
        offer(&mut surrey, "kent", &["b.jones"], (10, 60)).await.unwrap(),
    );
    agree(&mut surrey, &agreed).await.unwrap();
    clock.advance(Duration::from_secs(60));
    let states = |loans: Vec<Loan>| loans.iter().map(|loan| (loan.loan_id.clone(), loan.state())).collect::<Vec<_>>();
    let over = [(agreed.loan_id.clone(), LoanState::Over), (offered.loan_id.clone(), LoanState::Over)];
    assert_eq!(states(list(&mut kent).await), over, "by their beginning");
    assert_eq!(reason(agree(&mut kent, &offered).await), "LOAN_OVER");
    assert_eq!(reason(end(&mut kent, &agreed).await), "LOAN_OVER");
    desk.stop().await;
}
