//! What is taken back.

use referral::domain::delivery::{What, reference};
use serde_json::Value;
use testkit::until;

use super::{
    hook::{Hook, Mood, says},
    rig::{NAME, NOTE, Rig, Sent},
};

#[tokio::test]
async fn what_waits_is_not_sent_any_more_and_who_may_have_it_is_told_to_stop() {
    let hook = Hook::open(&[says(500)]).await;
    let rig = Rig::open(&[("idva", hook.route())], &[]).await;
    let sent = rig.send("idva").await;
    hook.came(2).await;
    rig.dispatch("idva", sent, &[What::Withdrawal]).await;
    hook.now(&[says(200)]);
    assert_eq!(rig.settled(sent, "withdrawal").await.0, "delivered");
    assert_eq!(rig.stands(sent, "referral").await.unwrap().0, "stopped");
    assert!(rig.shown(sent).await.is_some(), "how the withdrawal fares");

    let came = hook.came(1).await;
    let told: Value = serde_json::from_str(&came.last().unwrap().body).unwrap();
    assert_eq!(told["type"], "referral.withdrawn");
    assert_eq!(told["data"]["reference"], reference(sent.referral));
    let told = told.to_string();
    assert!(!told.contains(NAME) && !told.contains(NOTE), "a withdrawal says nothing of what is withdrawn");
}

#[tokio::test]
async fn what_was_never_tried_is_withdrawn_without_a_word() {
    let hook = Hook::open(&[says(200)]).await;
    let rig = Rig::open(&[("idva", hook.route())], &[]).await;
    let sent = Sent { call: fresh(), referral: fresh() };
    rig.dispatch("idva", sent, &[What::Referral, What::Withdrawal]).await;
    assert_eq!(rig.stands(sent, "referral").await.unwrap().0, "stopped");
    assert_eq!(rig.stands(sent, "withdrawal").await, None);
    assert_eq!(rig.shown(sent).await, None);
    // Of one that was told by hand there is nothing to stop.
    let by_hand = Sent { call: fresh(), referral: fresh() };
    rig.dispatch("idva", by_hand, &[What::Withdrawal]).await;
    assert_eq!(rig.stands(by_hand, "withdrawal").await, None);

    let next = rig.send("idva").await;
    until("the next one is delivered", async || rig.stands(next, "referral").await.unwrap().0 == "delivered").await;
    assert_eq!(hook.count(), 1);
}

#[tokio::test]
async fn a_withdrawal_goes_once_the_attempt_that_it_waited_for_is_over() {
    let hook = Hook::open(&[Mood::Held, says(200)]).await;
    // Nobody waits for the end of such a lease.
    let rig = Rig::open(&[("idva", hook.route())], &[("DELIVERY__ANSWER_WITHIN_MS", "600000")]).await;
    let sent = rig.send("idva").await;
    hook.came(1).await;
    rig.dispatch("idva", sent, &[What::Withdrawal]).await;
    assert_eq!(rig.stands(sent, "referral").await.unwrap().0, "stopped");
    assert_eq!(rig.stands(sent, "withdrawal").await.unwrap().0, "waiting", "what is under way comes before");
    hook.goes_on();
    assert_eq!(rig.settled(sent, "withdrawal").await.0, "delivered");
    assert_eq!(hook.came(2).await.len(), 2);
}

fn fresh<T: From<uuid::Uuid>>() -> T {
    chassis::Entropy::os().id(chassis::Clock::system().now())
}
