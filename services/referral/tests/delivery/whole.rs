//! From the officer's "send" to the partner's system, and what the desk sees of it.

use api::referral::v1::{
    Case, DeliveryState, Referral, ReferralState, SendReferralRequest, WatchDueRequest, WithdrawReferralRequest,
    due::What,
};
use tempfile::TempDir;

use super::{
    hook::{Hook, says},
    rig::SECRET,
};
use crate::{
    desk::{Desk, FORCE},
    people::{child, request_id, saving, victim},
};

/// A desk whose schools are told by this hook.
async fn desk(hook: &Hook, folder: &TempDir) -> Desk {
    let secret = folder.path().join("secret");
    std::fs::write(&secret, SECRET).unwrap();
    let route = hook.route().replace("SECRET", &secret.display().to_string());
    let book = format!(
        "[[partner]]\nid = \"wmp-schools\"\nforce = \"{FORCE}\"\nname = \"Schools desk\"\nservices = [\"encompass\"]\n\
         phone = \"0121 496 0000\"\nroute = {{ {route} }}\n"
    );
    let path = folder.path().join("partners.toml");
    std::fs::write(&path, book).unwrap();
    let settings = [
        ("ALCOVE_REFERRAL__BOOKS__PARTNERS", path.to_str().unwrap()),
        ("ALCOVE_REFERRAL__DELIVERY__RETRY_AFTER_MS", "20"),
        ("ALCOVE_REFERRAL__DELIVERY__LONGEST_PAUSE_MS", "50"),
    ];
    Desk::open_with(&settings).await
}

fn encompass(case: &Case) -> Option<&Referral> {
    case.referrals.iter().find(|one| one.kind == "encompass")
}

fn is_delivered(referral: &Referral) -> bool {
    referral.delivery.as_ref().is_some_and(|delivery| delivery.state() == DeliveryState::Delivered)
}

fn sending(call: &str, draft: &Referral) -> SendReferralRequest {
    SendReferralRequest {
        request_id: request_id(),
        force_id: FORCE.into(),
        call_id: call.into(),
        officer_id: "pc.a".into(),
        referral_id: draft.referral_id.clone(),
        version: draft.version,
        ..Default::default()
    }
}

/// A case with a school's notice that is ready to be sent.
async fn drafted(desk: &Desk) -> (String, Referral) {
    let call = desk.case().await;
    desk.save_person(saving(&call, "pc.a", victim())).await.unwrap();
    desk.save_person(saving(&call, "pc.a", child("Robin"))).await.unwrap();
    let case = desk.get_case(&call).await.unwrap();
    let draft = encompass(&case).unwrap().clone();
    assert_eq!(draft.partner.as_ref().map(|partner| partner.partner_id.as_str()), Some("wmp-schools"));
    assert_eq!(draft.blocked_by, Vec::<String>::new());
    (call, draft)
}

#[tokio::test]
async fn what_the_officer_sends_is_what_the_partner_gets_and_it_is_seen_to_have_arrived() {
    let (hook, folder) = (Hook::open(&[says(200)]).await, TempDir::new().unwrap());
    let desk = desk(&hook, &folder).await;
    let (call, draft) = drafted(&desk).await;
    let mut watch = desk.watch(&call).await;
    let request = sending(&call, &draft);
    // A repeat is the first answer, and no second letter.
    for _ in 0..2 {
        desk.client().send_referral(request.clone()).await.unwrap();
    }
    let case = watch.until(|case| encompass(case).is_some_and(is_delivered)).await;
    assert_eq!(encompass(&case).unwrap().state(), ReferralState::Sent);
    let came = hook.came(1).await;
    let told: serde_json::Value = serde_json::from_str(&came[0].body).unwrap();
    assert_eq!(told["type"], "referral.made");
    for field in draft.fields.iter().filter(|field| !field.value.is_empty()) {
        assert!(came[0].body.contains(&serde_json::to_string(&field.value).unwrap()), "{}", field.key);
    }
    // Taken back, the partner is told to stop: without why, and without anything of what was sent.
    let withdrawal = WithdrawReferralRequest {
        request_id: request_id(),
        force_id: FORCE.into(),
        call_id: call.clone(),
        officer_id: "pc.a".into(),
        referral_id: draft.referral_id.clone(),
        reason: "another child of that name".into(),
    };
    desk.client().withdraw_referral(withdrawal).await.unwrap();
    let came = hook.came(2).await;
    assert!(came[1].body.contains("referral.withdrawn"));
    assert!(!came[1].body.contains("Robin") && !came[1].body.contains("another child"));
    assert_eq!(hook.count(), 2);
}

#[tokio::test]
async fn what_a_partner_refuses_is_shown_to_the_sergeant_until_it_is_seen_to() {
    let (hook, folder) = (Hook::open(&[says(410)]).await, TempDir::new().unwrap());
    let desk = desk(&hook, &folder).await;
    let (call, draft) = drafted(&desk).await;
    let mut due = desk.client().watch_due(WatchDueRequest { force_id: FORCE.into() }).await.unwrap().into_inner();
    desk.client().send_referral(sending(&call, &draft)).await.unwrap();
    let failed = |due: &[api::referral::v1::Due]| {
        due.iter().find_map(|one| match &one.what {
            Some(What::FailedDelivery(failed)) => Some((one.call_id.clone(), failed.clone())),
            _ => None,
        })
    };
    let shown = loop {
        let told = due.message().await.unwrap().unwrap();
        if let Some(shown) = failed(&told.due) {
            break shown;
        }
    };
    assert_eq!(shown.0, call);
    let failed_delivery = shown.1;
    assert_eq!(failed_delivery.referral_id, draft.referral_id);
    assert_eq!(
        (failed_delivery.partner_name.as_str(), failed_delivery.phone.as_str()),
        ("Schools desk", "0121 496 0000")
    );
    assert!(!failed_delivery.problem.is_empty() && !failed_delivery.title.is_empty());
    // The officer rings them, and they have it.
    let acknowledging = api::referral::v1::AcknowledgeReferralRequest {
        request_id: request_id(),
        force_id: FORCE.into(),
        call_id: call.clone(),
        officer_id: "pc.a".into(),
        referral_id: draft.referral_id.clone(),
        acknowledged_by: "the schools desk, by phone".into(),
    };
    desk.client().acknowledge_referral(acknowledging).await.unwrap();
    while failed(&due.message().await.unwrap().unwrap().due).is_some() {}
}

#[tokio::test]
async fn a_withdrawal_that_a_partner_refuses_is_shown_too() {
    let (hook, folder) = (Hook::open(&[says(200), says(410)]).await, TempDir::new().unwrap());
    let desk = desk(&hook, &folder).await;
    let (call, draft) = drafted(&desk).await;
    let mut watch = desk.watch(&call).await;
    desk.client().send_referral(sending(&call, &draft)).await.unwrap();
    watch.until(|case| encompass(case).is_some_and(is_delivered)).await;
    let mut due = desk.client().watch_due(WatchDueRequest { force_id: FORCE.into() }).await.unwrap().into_inner();
    let withdrawal = WithdrawReferralRequest {
        request_id: request_id(),
        force_id: FORCE.into(),
        call_id: call.clone(),
        officer_id: "pc.a".into(),
        referral_id: draft.referral_id.clone(),
        reason: "another child of that name".into(),
    };
    desk.client().withdraw_referral(withdrawal).await.unwrap();
    let title = loop {
        let told = due.message().await.unwrap().unwrap();
        let failed = told.due.into_iter().find_map(|one| match one.what {
            Some(What::FailedDelivery(failed)) => Some(failed),
            _ => None,
        });
        if let Some(failed) = failed {
            assert_eq!(failed.referral_id, draft.referral_id);
            break failed.title;
        }
    };
    assert!(title.starts_with("Taken back"), "it says that it is a withdrawal: {title}");
}
