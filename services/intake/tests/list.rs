//! The list of a force's calls: whole, newest first, and its own.

use std::collections::HashSet;

use crate::support::*;
use api::intake::v1::{CallState, CallSummary, CancelTransferRequest, ListCallsRequest, OpenCallRequest};
use futures::future::join_all;
use tonic::Code;

fn list(page_size: u32) -> ListCallsRequest {
    ListCallsRequest { force_id: FORCE.into(), page_size, ..Default::default() }
}

/// Every page of a list from this request on.
async fn pages(client: &mut Client, mut request: ListCallsRequest) -> Vec<Vec<CallSummary>> {
    let mut pages = vec![];
    loop {
        let page = client.list_calls(request.clone()).await.unwrap().into_inner();
        pages.push(page.calls);
        if page.next_page_token.is_empty() {
            return pages;
        }
        request.page_token = page.next_page_token;
    }
}

#[tokio::test]
async fn a_list_is_whole_while_calls_are_opened() {
    let room = Room::open().await;
    let mut known: HashSet<String> = HashSet::new();
    for number in 0..12 {
        known.insert(room.call(&format!("before-{number}")).await);
    }
    let theirs = OpenCallRequest { force_id: "kent".into(), ..opening("1") };
    let theirs = room.client.clone().open_call(theirs).await.unwrap().into_inner().call_id;

    for page_size in [1, 2, 3, 5, 7, 200] {
        let openers = (0..4).map(|hand| {
            let (mut client, number) = (room.client.clone(), move |n| format!("size-{page_size}-{hand}-{n}"));
            async move {
                let mut calls = vec![];
                for n in 0..4 {
                    calls.push(client.open_call(opening(&number(n))).await.unwrap().into_inner().call_id);
                }
                calls
            }
        });
        let mut client = room.client.clone();
        let (opened, pages) = tokio::join!(join_all(openers), pages(&mut client, list(page_size)));
        assert!(pages.iter().all(|page| page.len() <= page_size as usize));
        let listed: Vec<_> = pages.into_iter().flatten().collect();
        let ids: HashSet<_> = listed.iter().map(|call| call.call_id.clone()).collect();
        assert_eq!(ids.len(), listed.len(), "a call came twice");
        assert!(known.is_subset(&ids), "a call that was there when the list was begun is missing");
        assert!(!ids.contains(&theirs), "another force's");
        let at = |call: &CallSummary| call.opened_at.map(|at| (at.seconds, at.nanos));
        assert!(listed.windows(2).all(|two| at(&two[0]) >= at(&two[1])), "not newest first");
        known.extend(opened.into_iter().flatten());
    }
    let all: Vec<_> = pages(&mut room.client.clone(), list(0)).await;
    assert_eq!(all.iter().map(Vec::len).collect::<Vec<_>>(), [50, 50, 8], "50 when nobody says, and no empty page");
}

#[tokio::test]
async fn a_list_is_narrowed_and_what_is_wrong_is_named() {
    let room = Room::open().await;
    let mut client = room.client.clone();
    let open = room.call("1").await;
    let triaged = room.call("2").await;
    let mut danger = triage(&triaged);
    danger.immediate_danger = true;
    client.record_triage(danger).await.unwrap();
    let waiting = room.waiting_call("3").await;
    let cancelled = room.waiting_call("4").await;
    let cancel = CancelTransferRequest { request_id: fresh(), force_id: FORCE.into(), call_id: cancelled.clone() };
    client.cancel_transfer(cancel).await.unwrap();

    let narrowed = async |states: &[CallState], open_only: bool| {
        let states = states.iter().map(|state| *state as i32).collect();
        let request = ListCallsRequest { states, open_only, ..list(1) };
        let calls = pages(&mut room.client.clone(), request).await.into_iter().flatten();
        calls.map(|call| call.call_id).collect::<Vec<_>>()
    };
    let all = [&cancelled, &waiting, &triaged, &open].map(String::clone);
    assert_eq!(narrowed(&[], false).await, all);
    assert_eq!(narrowed(&[], true).await, all[1..]);
    let both = [CallState::Cancelled, CallState::Triaged];
    assert_eq!(narrowed(&both, false).await, [cancelled.clone(), triaged.clone()]);
    assert_eq!(narrowed(&both, true).await, [triaged]);
    assert_eq!(narrowed(&[CallState::Closed], true).await, [""; 0]);
    let listed = client.list_calls(list(9)).await.unwrap().into_inner();
    let states: Vec<_> = listed.calls.iter().map(CallSummary::state).collect();
    assert_eq!(states, [CallState::Cancelled, CallState::TransferRequested, CallState::Triaged, CallState::Open]);
    assert_eq!(listed.calls[0].incident, opening("4").incident);
    assert_eq!(listed.next_page_token, "");

    let bad = Code::InvalidArgument;
    let token = client.list_calls(list(2)).await.unwrap().into_inner().next_page_token;
    for wrong in [token.to_uppercase() + "0", token[1..].to_owned(), "next".into(), "\u{1f600}".repeat(20)] {
        refused(client.list_calls(ListCallsRequest { page_token: wrong, ..list(2) }).await, bad, "INVALID_PAGE_TOKEN");
    }
    // A page of one list is none of another.
    let other = ListCallsRequest { page_token: token.clone(), open_only: true, ..list(2) };
    refused(client.list_calls(other).await, bad, "INVALID_PAGE_TOKEN");
    for state in [0, 99] {
        refused(client.list_calls(ListCallsRequest { states: vec![state], ..list(2) }).await, bad, "INVALID_STATE");
    }
    refused(client.list_calls(ListCallsRequest::default()).await, bad, "INVALID_FORCE");
    // With another force's token: nothing of it.
    let theirs = ListCallsRequest { force_id: "kent".into(), page_token: token, ..list(2) };
    assert_eq!(client.list_calls(theirs).await.unwrap().into_inner().calls, []);
}
