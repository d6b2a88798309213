//! The control room hears of risk and referrals, in the call and after it.

use crate::support::*;
use api::{
    intake::v1::{CallReferralState, RiskGrade, call_update::Kind},
    referral::v1 as referral,
};
use sqlx::postgres::PgListener;

const REFERRAL: &str = "0190c7e4-0000-7000-8000-00000000ab01";

#[tokio::test]
async fn the_watch_tells_what_the_desk_sets_going_and_what_becomes_of_it() {
    let room = Room::open().await;
    let others = Others::at(&room.nats).await;
    let call = room.waiting_call("90").await;
    let mut watch = room.watch(&call, 0).await;
    let (call_id, force_id, referral_id) = (call.clone(), FORCE.to_owned(), REFERRAL.to_owned());

    // Before the desk's own word has come that an officer has the call: nobody else sets anything going.
    let graded = referral::RiskGraded {
        call_id: call_id.clone(),
        force_id: force_id.clone(),
        grade: RiskGrade::High.into(),
        officer_id: "PC1@kent".to_owned(),
        ..Default::default()
    };
    others.referral_says(&call, "risk_graded", &graded).await;
    let Some((1, Kind::RiskGraded(told))) = next(&mut watch).await else { panic!("no grade") };
    assert_eq!((told.grade(), told.officer_id.as_str()), (RiskGrade::High, "PC1@kent"));

    let made = referral::ReferralMade {
        call_id: call_id.clone(),
        force_id: force_id.clone(),
        referral_id: referral_id.clone(),
        kind: "marac".to_owned(),
        ..Default::default()
    };
    others.referral_says(&call, "referral_made", &made).await;
    let failed = referral::DeliveryFailed {
        call_id: call_id.clone(),
        force_id: force_id.clone(),
        referral_id: referral_id.clone(),
        kind: "marac".to_owned(),
        partner_id: "wmp-marac".to_owned(),
        ..Default::default()
    };
    others.referral_says(&call, "delivery_failed", &failed).await;
    let withdrawn = referral::ReferralWithdrawn {
        call_id: call_id.clone(),
        force_id: force_id.clone(),
        referral_id: referral_id.clone(),
        kind: "marac".to_owned(),
        ..Default::default()
    };
    others.referral_says(&call, "referral_withdrawn", &withdrawn).await;
    for (sequence, state) in
        [(2, CallReferralState::Made), (3, CallReferralState::NotDelivered), (4, CallReferralState::Withdrawn)]
    {
        let Some((at, Kind::Referral(told))) = next(&mut watch).await else { panic!("no referral") };
        assert_eq!((at, told.state()), (sequence, state));
        assert_eq!((told.referral_id.as_str(), told.kind.as_str()), (REFERRAL, "marac"));
    }

    // After the end, and of what is heard long after it, too.
    others.ended(&call).await;
    assert!(matches!(next(&mut watch).await, Some((5, Kind::Ended(_)))));
    others.sealed(&call).await;
    assert!(matches!(next(&mut watch).await, Some((6, Kind::Sealed(_)))));
    assert!(next(&mut watch).await.is_none(), "sealed");
    let acknowledged = referral::ReferralAcknowledged {
        call_id,
        force_id,
        referral_id,
        kind: "marac".to_owned(),
        ..Default::default()
    };
    room.db.tell_inbox().await.unwrap();
    let mut inbox = PgListener::connect_with(&room.db.pool()).await.unwrap();
    inbox.listen("inbox").await.unwrap();
    others.referral_says(&call, "referral_acknowledged", &acknowledged).await;
    inbox.recv().await.unwrap();
    let mut again = room.watch(&call, 6).await;
    let Some((7, Kind::Referral(told))) = next(&mut again).await else { panic!("forgotten") };
    assert_eq!(told.state(), CallReferralState::Acknowledged);
    assert!(next(&mut again).await.is_none(), "that was all");
}
