//! Who may claim what: one attempt at a time to a partner, and no row that holds up the others.

use std::time::Duration;

use chassis::{Clock, Entropy};
use chrono::TimeDelta;
use ids::RequestId;
use referral::store::Store;
use sqlx::PgPool;
use testkit::seeing_all;

use super::{
    hook::{Hook, says},
    rig::Rig,
};

/// Two replicas look at the same moment: the second sees that the partner is being sent something, though neither has committed.
#[tokio::test(flavor = "multi_thread")]
async fn two_replicas_do_not_send_to_one_partner_at_once() {
    let hook = Hook::open(&[says(200)]).await;
    let rig = Rig::open(&[("p", hook.route())], &[]).await;
    for _ in 0..2 {
        let sent = rig.send("p").await;
        rig.settled(sent, "referral").await;
    }
    let all = PgPool::connect(&seeing_all(&rig.db.url())).await.unwrap();
    let stores = [Store::new(rig.db.pool()), Store::new(rig.db.pool())];
    // The service itself has nothing to do until tomorrow.
    let tomorrow = Clock::system().now() + TimeDelta::days(1);
    let again = "update referral.parcels set state = 'waiting', settled_at = null, next_at = $1, claim = null, claimed_until = null";
    for _ in 0..20 {
        sqlx::query(again).bind(tomorrow).execute(&all).await.unwrap();
        let claim = |store: &Store| {
            let (store, claim) = (store.clone(), Entropy::os().id::<RequestId>(tomorrow).uuid());
            tokio::spawn(async move { store.claim_parcel(claim, tomorrow, tomorrow + Duration::from_secs(60)).await })
        };
        let [one, other] = stores.each_ref().map(claim);
        let claimed = [one.await.unwrap().unwrap(), other.await.unwrap().unwrap()];
        assert_eq!(claimed.iter().flatten().count(), 1);
    }
}

#[tokio::test]
async fn a_row_that_cannot_be_read_holds_up_no_other() {
    let hook = Hook::open(&[says(200)]).await;
    let rig = Rig::open(&[("p", hook.route())], &[]).await;
    let sent = rig.send("p").await;
    rig.settled(sent, "referral").await;
    let all = PgPool::connect(&seeing_all(&rig.db.url())).await.unwrap();
    let spoil = "update referral.parcels set state = 'waiting', settled_at = null, next_at = made_at, body = '\"a newer version''s\"'";
    sqlx::query(spoil).execute(&all).await.unwrap();
    let other = rig.send("p").await;
    assert_eq!(rig.settled(other, "referral").await.0, "delivered");
    assert_eq!(rig.stands(sent, "referral").await.unwrap().0, "waiting");
}
