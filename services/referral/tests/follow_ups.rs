//! A caller is asked in again when bruises show: what a further call has is part of the first one's case.

use api::{
    intake::v1 as intake,
    referral::v1::{Case, ItemState},
    session::v1 as session,
};

use crate::desk::{Desk, FORCE, new_call};

impl Desk {
    async fn follow_up_started(&self, call: &str, first: &str) {
        let started = intake::FollowUpStarted {
            call_id: call.into(),
            force_id: FORCE.into(),
            first_call_id: first.into(),
            officer_id: "PC1".into(),
            ..Default::default()
        };
        self.says("intake", "follow_up_started", call, &started).await;
    }

    async fn taken_in(&self, call: &str, item: &str) {
        let taken = session::StillCaptured {
            call_id: call.into(),
            force_id: FORCE.into(),
            session_id: new_call(),
            item_name: item.into(),
            ..Default::default()
        };
        self.says("session", "still_captured", call, &taken).await;
    }
}

fn later(case: &Case) -> (ItemState, &str) {
    item(case, "later-photographs")
}

fn item<'c>(case: &'c Case, key: &str) -> (ItemState, &'c str) {
    let item = case.checklist.iter().find(|item| item.key == key).unwrap();
    (item.state(), item.evidence.as_str())
}

#[tokio::test]
async fn the_first_call_s_clock_ends_with_the_first_picture_and_its_item_says_what_was_taken() {
    let desk = Desk::open().await;
    let first = desk.case().await;
    let mut watch = desk.watch(&first).await;
    desk.ended(&first, true).await;
    let begun = watch.until(|case| !case.clocks.is_empty()).await;
    assert!(begun.clocks[0].stopped_at.is_none());
    assert_eq!((later(&begun).0, begun.follow_up_of.as_str()), (ItemState::Missing, ""));

    let call = new_call();
    desk.follow_up_started(&call, &first).await;
    desk.accepted(&call).await;
    desk.opened(&call).await;
    desk.known(&call).await;
    let asked = desk.get_case(&first).await.unwrap();
    assert!(asked.clocks[0].stopped_at.is_none(), "that they were asked in is no picture");
    desk.taken_in(&call, "photograph-1").await;
    let taken = watch.until(|case| later(case).0 == ItemState::Present).await;
    assert!(taken.clocks[0].stopped_at.is_some());
    desk.taken_in(&call, "photograph-2").await;
    desk.taken_in(&call, "photograph-2").await;
    watch.until(|case| later(case).1 == "2 photographs, exhibit WMP/1").await;

    // Its own case says what it is and asks for no more than there is to it; no further photographs are waited for.
    let mut own = desk.watch(&call).await;
    desk.ended(&call, true).await;
    desk.announced(&call).await;
    let case = own.until(|case| item(case, "photographs").1 == "2 photographs").await;
    assert_eq!((case.follow_up_of.as_str(), case.clocks.len()), (first.as_str(), 0));
    for key in ["initial-account", "risk-checklist", "later-photographs"] {
        assert_eq!(item(&case, key).0, ItemState::NotApplicable, "{key}");
    }
    desk.consented(&call, true).await;
    let case = own.until(|case| item(case, "consent").0 == ItemState::Present).await;
    let missing = case.checklist.iter().filter(|item| item.required && item.state() == ItemState::Missing);
    assert_eq!(missing.map(|item| item.key.as_str()).collect::<Vec<_>>(), ["disclosure-schedule"]);
}

#[tokio::test]
async fn in_whatever_order_it_is_heard_it_comes_to_the_same() {
    let desk = Desk::open().await;
    let (first, call) = (new_call(), new_call());
    // First of all what was last: its end, its pictures; then that it is a follow-up; then the first call.
    desk.ended(&call, true).await;
    desk.opened(&call).await;
    desk.taken_in(&call, "still-1").await;
    desk.accepted(&call).await;
    desk.taken(4).await;
    assert!(desk.get_case(&call).await.unwrap().clocks[0].stopped_at.is_none(), "as of any call");
    desk.follow_up_started(&call, &first).await;
    desk.follow_up_started(&call, &first).await;
    desk.taken(6).await;
    assert!(desk.get_case(&call).await.unwrap().clocks[0].stopped_at.is_some());
    desk.ended(&first, true).await;
    desk.accepted(&first).await;
    desk.taken(8).await;
    let case = desk.get_case(&first).await.unwrap();
    assert!(case.clocks[0].stopped_at.is_some());
    assert_eq!(later(&case), (ItemState::Present, "1 still, exhibit WMP/1"));

    // Another force's is none of it.
    let started = intake::FollowUpStarted {
        call_id: new_call(),
        force_id: "kent".into(),
        first_call_id: first.clone(),
        officer_id: "PC1".into(),
        ..Default::default()
    };
    desk.says_in("kent", "intake", "follow_up_started", &started.call_id.clone(), &started).await;
    desk.taken(9).await;
    assert_eq!(desk.get_case(&first).await.unwrap().version, case.version);
}
