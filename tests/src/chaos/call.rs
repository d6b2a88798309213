//! An officer without a screen, who takes one call after the other, and a caller without a page: both stay in the call whatever happens,
//! and what is asked for is asked for until it is had.

use std::time::Duration;

use api::referral::v1::{
    ChildDetails, Known, MakeReferralRequest, Person, PersonRole, SavePersonRequest, SendReferralRequest,
};
use testkit::phone::{Phone, Steady, join_again};
use tokio::time::{Instant, interval, sleep, sleep_until, timeout};
use tokio_util::task::AbortOnDropHandle;
use tonic::{Code, Status};

use super::{
    again::again,
    control::{Calls, Done},
    place::Hands,
    plan,
};
use crate::desk::{FORCE, phone};

/// For one thing that is asked for again and again.
const PATIENCE: Duration = Duration::from_secs(60);
/// The desk forgets who says nothing for 15 s.
const HEARTBEAT: Duration = Duration::from_secs(4);
/// An offer stands for 20 s; who hears of none looks anew, for the stream may be dead.
const LOOK_ANEW: Duration = Duration::from_secs(8);
const PAUSE: Duration = Duration::from_millis(200);

/// What the school of a call's child is called: by it the partner's notice is known.
pub(super) fn school(number: u32) -> String {
    format!("School {number}")
}

/// What the child is called: no other call's may come to that school.
pub(super) fn child(number: u32) -> String {
    format!("Maisie {number}")
}

/// Takes calls until nobody wants to hear of them any more.
pub(super) async fn work(hands: Hands, calls: Calls) {
    let officer = hands.officer.clone();
    let _heart = AbortOnDropHandle::new(tokio::spawn(async move {
        let mut beat = interval(HEARTBEAT);
        loop {
            beat.tick().await;
            // One of many: the next one will do.
            let _ = timeout(HEARTBEAT, officer.heartbeat()).await;
        }
    }));
    loop {
        if let Some(call) = next(&hands).await
            && let Some(planned) = calls.plan_of(&call)
        {
            calls.change(&call, |known| known.accepted_by.push(hands.id.clone()));
            let done = Talk { hands: &hands, call: &call, planned, accepted: Instant::now() }.play().await;
            calls.change(&call, |known| known.done = done);
        }
        sleep(PAUSE).await;
    }
}

/// The next call that this officer has.
async fn next(hands: &Hands) -> Option<String> {
    let officer = hands.officer.insisting();
    again(PATIENCE, || officer.go_free()).await.ok()?;
    let offer = timeout(LOOK_ANEW, hands.officer.next_offer()).await.ok()?.ok()?;
    let officer = hands.officer.insisting();
    again(PATIENCE, || officer.accept(&offer.call_id)).await.ok()?;
    Some(offer.call_id)
}

/// One call that an officer has.
struct Talk<'t> {
    hands: &'t Hands,
    call: &'t str,
    planned: plan::Call,
    accepted: Instant,
}

impl Talk<'_> {
    async fn play(&self) -> Done {
        let mut done = Done::default();
        let phones = match self.join().await {
            Ok(phones) => Some(phones),
            Err(refusal) => {
                done.refused.push(format!("joining: {refusal}"));
                None
            }
        };
        done.joined = phones.is_some();
        let (fast_track, referral) = tokio::join!(self.fast_track(), self.referral());
        match fast_track {
            Ok(id) => done.fast_track = id,
            Err(refusal) => done.refused.push(format!("fast-track: {refusal}")),
        }
        match referral {
            Ok(sent) => done.referral_sent = sent,
            Err(refusal) => done.refused.push(format!("referral: {refusal}")),
        }
        self.until(self.planned.lasts_ms).await;
        let officer = self.hands.officer.insisting();
        match again(PATIENCE, || officer.end(self.call)).await {
            Ok(_) => done.ended = true,
            Err(refusal) => done.refused.push(format!("ending: {refusal}")),
        }
        done
    }

    async fn until(&self, ms: u64) {
        sleep_until(self.accepted + Duration::from_millis(ms)).await;
    }

    /// Both phones, which publish and watch by themselves from then on.
    async fn join(&self) -> Result<[Steady; 2], Status> {
        let officer = self.hands.officer.insisting();
        let host = phone(again(PATIENCE, || officer.join(self.call)).await?).stay();
        let began = Instant::now();
        loop {
            let officer = self.hands.officer.insisting();
            let code = again(PATIENCE, || officer.invite(self.call)).await?.code;
            // The page's own id: with it a code that is spent gets its answer again.
            let page = self.hands.officer.fresh_id().replace('-', "");
            for _ in 0..4 {
                let joined = timeout(Duration::from_secs(4), join_again(&self.hands.page, &code, &page)).await;
                if let Ok(Ok(pass)) = joined {
                    return Ok([host, Phone::new(pass).stay()]);
                }
                sleep(PAUSE).await;
            }
            if began.elapsed() > PATIENCE {
                return Err(Status::deadline_exceeded("the caller's page doesn't get in"));
            }
        }
    }

    async fn fast_track(&self) -> Result<Option<String>, Status> {
        let Some(at) = self.planned.fast_track_ms else { return Ok(None) };
        self.until(at).await;
        let officer = self.hands.officer.insisting();
        match again(PATIENCE, || officer.ask_for_unit(self.call)).await {
            // The call has ended by itself: both were gone for too long.
            Err(refusal) if refusal.code() == Code::FailedPrecondition => Ok(None),
            answered => answered.map(Some),
        }
    }

    /// The children's school is told of tonight. True: it is on its way.
    async fn referral(&self) -> Result<bool, Status> {
        let Some(at) = self.planned.referral_ms else { return Ok(false) };
        self.until(at).await;
        let client = &self.hands.referral;
        let id = || self.hands.officer.fresh_id();
        let (force_id, call_id, officer_id) = (FORCE.to_owned(), self.call.to_owned(), self.hands.id.clone());
        let person = Some(Person {
            role: PersonRole::Child.into(),
            given_name: child(self.planned.number),
            family_name: "Whitcombe".to_owned(),
            date_of_birth: "2017-06-05".to_owned(),
            relationship: "daughter".to_owned(),
            child: Some(ChildDetails {
                school: school(self.planned.number),
                present: Known::Yes.into(),
                ..Default::default()
            }),
            ..Default::default()
        });
        let (force, call, who) = (force_id.clone(), call_id.clone(), officer_id.clone());
        let request = SavePersonRequest { request_id: id(), force_id: force, call_id: call, officer_id: who, person };
        let saved = again(PATIENCE, || {
            let (mut client, request) = (client.clone(), request.clone());
            async move { client.save_person(request).await }
        });
        let person_id = saved.await?.into_inner().person_id;
        let request = MakeReferralRequest {
            request_id: id(),
            force_id: force_id.clone(),
            call_id: call_id.clone(),
            officer_id: officer_id.clone(),
            kind: "encompass".to_owned(),
            person_id,
            ..Default::default()
        };
        let made = again(PATIENCE, || {
            let (mut client, request) = (client.clone(), request.clone());
            async move { client.make_referral(request).await }
        });
        let referral = made.await?.into_inner().referral.unwrap_or_default();
        let (referral_id, version) = (referral.referral_id, referral.version);
        let request = SendReferralRequest {
            request_id: id(),
            force_id,
            call_id,
            officer_id,
            referral_id,
            version,
            ..Default::default()
        };
        let sent = again(PATIENCE, || {
            let (mut client, request) = (client.clone(), request.clone());
            async move { client.send_referral(request).await }
        });
        sent.await.map(|_| true)
    }
}
