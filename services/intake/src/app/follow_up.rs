//! An officer has the caller of a call that is over on the phone, and starts a further one.

use api::intake::v1::{StartFollowUpRequest, StartFollowUpResponse};
use chassis::Trace;
use ids::{ComeNowWord, OfficerId, PhoneNumber};
use outbox::{Scope, replay};

use super::{Ask, Intake, On, commit, lock};
use crate::{
    domain::{Answers, Call, Consent, Device, Language, Needs, Refusal, Rung, Silent, Thrive},
    error::Error,
    grpc,
    store::{self, follow_up::Before},
};

/// What the officer has asked the caller anew.
#[derive(Debug)]
pub struct Asked {
    /// Who asks.
    pub officer: OfficerId,
    /// The phone that they were rung at, and the room.
    pub device: Device,
    /// The word that means "come now", if one was agreed.
    pub come_now: Option<ComeNowWord>,
    /// Somebody may be hurt now.
    pub immediate_danger: bool,
    /// The offender is there.
    pub offender_present: bool,
    /// There is a phone with a camera and a way to a web page.
    pub can_join: bool,
    /// Of a caller who doesn't speak: they hear the line, and nobody else does.
    pub can_listen: bool,
    /// How they are known to be there, if they don't speak now.
    pub silent: Option<Silent>,
    /// Unless it is as it was.
    pub language: Option<Language>,
    /// The number they were rung at, unless it is the one that they had called from.
    pub number: Option<PhoneNumber>,
    /// What they agree to.
    pub consents: Vec<Consent>,
}

impl Asked {
    /// With what is as it was found last. The number that the earlier call came from isn't the one that was rung if the desk had
    /// rung them back at another in it.
    fn rung(self, earlier: &Call, before: Before) -> (Rung, Option<PhoneNumber>) {
        let number = before.number.filter(|_| !earlier.state.is_on_another_phone());
        let answers = Answers {
            // The contact handler's words are the earlier call's.
            thrive: Thrive::default(),
            device: self.device,
            come_now: self.come_now,
            immediate_danger: self.immediate_danger,
            offender_present: self.offender_present,
            can_join: self.can_join,
            can_listen: self.can_listen,
            risk: before.risk,
            language: self.language.unwrap_or(before.language),
            children_present: before.children_present,
            needs: Needs { silent: self.silent, ..before.needs },
        };
        (Rung { officer: self.officer, answers, consents: self.consents }, self.number.or(number))
    }
}

impl Intake {
    /// Begins a further call and asks for the desk, in one transaction: there is none that nobody asked for.
    ///
    /// # Errors
    /// Unknown, not closed, one is going on, or it may not come to the desk; the request id was used for something else; the
    /// database is away.
    pub async fn start_follow_up(
        &self,
        ask: Ask<'_, StartFollowUpRequest>,
        on: On,
        asked: Asked,
    ) -> Result<StartFollowUpResponse, Error> {
        let now = self.clock.now();
        let mut tx = self.store.begin("start_follow_up", Scope::Force(&on.force)).await?;
        if let Some(first) = replay::first_answer(&mut tx, ask.id, "StartFollowUp", ask.request).await? {
            return Ok(first);
        }
        // First what all starts of these calls have in common: one waits for another here, and has nothing then that the other needs.
        store::follow_up::lock_first(&mut tx, &on.force, on.call).await?;
        let earlier = lock(&mut tx, &on).await?.call;
        if let Some(open) = store::follow_up::going_on(&mut tx, &earlier).await?.filter(|open| *open != earlier.id) {
            return Err(Error::FollowUpOpen(open));
        }
        let before = store::follow_up::before(&mut tx, &earlier).await?.ok_or(Refusal::NotOver)?;
        let by_mait = before.by_mait;
        let (rung, number) = asked.rung(&earlier, before);
        let rules = self.rulebook.of(&on.force);
        let (call, assessment, effects) = earlier
            .follow_up(self.entropy.id(now), &rung, rules, now)
            .map_err(|refusal| Error::not_to_desk(refusal, rules))?;
        // A call of its own has a trace of its own: the earlier one's may be days old.
        let trace = Trace::current();
        loop {
            match store::lock_current(&mut tx, &on.force, &call.incident).await? {
                Some(open) if !open.call.is_done() => return Err(Error::FollowUpOpen(open.call.id)),
                Some(over) => store::retire_call(&mut tx, over.call.id).await?,
                None => {}
            }
            if store::insert_call(&mut tx, &call, number.as_ref(), &trace).await? {
                break;
            }
        }
        store::insert_triage(&mut tx, call.id, &rung.answers, &rung.occasion(), &assessment, now).await?;
        store::insert_consents(&mut tx, call.id, &rung.consents, rung.officer.as_str(), now).await?;
        if by_mait {
            // Who hears of calls by MAIT alone must hear a cry for help in this one, too.
            store::mait::follow(&mut tx, &call, now).await?;
        }
        self.carry_out(&mut tx, &call, effects, &trace, now).await?;
        let answer = grpc::started(&call, &assessment);
        replay::remember(&mut tx, ask.id, &answer).await?;
        commit(tx).await?;
        Ok(answer)
    }
}
