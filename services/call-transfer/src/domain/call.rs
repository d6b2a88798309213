//! One call at the desk: from the queue to an officer, or back to the control room.

use chrono::{DateTime, Utc};
use ids::{CallId, ForceId, IncidentRef, OfficerId};

use super::{Alert, AlertKind, FollowUp, Gender, Rules, Silent, Vulnerability, Waits, Why, later};

/// The grade the contact handler gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Risk {
    /// Standard, and what was not graded.
    Standard,
    /// Medium.
    Medium,
    /// High.
    High,
}

/// How the caller will join.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// A code read out on the phone line.
    SpokenCode,
    /// A link by SMS.
    Sms,
}

/// What the control room said of the call. Only the consents may change while it waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// The force's own reference.
    pub incident: IncidentRef,
    /// The grade the queue goes by.
    pub risk: Risk,
    /// BCP 47; empty means English.
    pub language: String,
    /// Children are there.
    pub children_present: bool,
    /// How the caller will join.
    pub route: Route,
    /// The call may be recorded.
    pub recording_consented: bool,
    /// Stills may be taken.
    pub stills_consented: bool,
    /// It may be recorded also while the caller has covered it.
    pub covered_recording_consented: bool,
    /// How much the caller depends on help from others.
    pub vulnerability: Vulnerability,
    /// A child may have to be spoken with.
    pub child_may_speak: bool,
    /// The caller would rather speak with such an officer.
    pub officer_asked_for: Option<Gender>,
    /// The caller doesn't speak: the officer is told before they ask them anything.
    pub silent: Option<Silent>,
    /// Of a follow-up: what it follows, and who has its caller on the phone.
    pub follow_up: Option<FollowUp>,
}

/// An offer that waits for its officer's answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// 1 for the first offer of the call.
    pub nth: u32,
    /// Who has it.
    pub officer: OfficerId,
    /// When it goes to the next.
    pub expires_at: DateTime<Utc>,
}

/// Where a call stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// Waits for an officer.
    Queued,
    /// Waits for this officer's answer.
    Offered(Offer),
    /// An officer has it.
    Accepted {
        /// Who.
        officer: OfficerId,
        /// Since when.
        at: DateTime<Utc>,
    },
    /// Its session is over.
    Ended {
        /// Who had it.
        officer: OfficerId,
    },
    /// The control room took it back.
    Abandoned,
    /// The desk gave it back.
    Returned {
        /// Why.
        why: Why,
        /// Who had it, if anybody.
        officer: Option<OfficerId>,
    },
}

/// An officer who had the call on offer in this round and did not take it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pass {
    /// Who.
    pub officer: OfficerId,
    /// Let it expire, rather than declined it.
    pub expired: bool,
    /// The next round may offer it to them from then on.
    pub again_from: DateTime<Utc>,
}

/// How an offer came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Taken.
    Accepted,
    /// Passed on, with a reason.
    Declined,
    /// Not answered in time.
    Expired,
    /// The officer went away or was not heard from.
    Gone,
    /// The call was taken back, or went to an officer whom a sergeant named.
    Withdrawn,
    /// It had been taken, and a sergeant gave the call to another officer.
    HandedOn,
}

/// The end of one offer, for the record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settled {
    /// Which offer.
    pub nth: u32,
    /// How.
    pub outcome: Outcome,
    /// The officer's reason, of a declined one.
    pub reason: Option<String>,
}

/// What the world is told of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Published {
    /// It waits for an officer.
    Queued,
    /// It is on offer.
    Offered(Offer),
    /// An officer has it.
    Accepted(OfficerId),
    /// Another officer has it.
    Reassigned {
        /// Who had it.
        from: OfficerId,
        /// Who has it now.
        to: OfficerId,
    },
    /// An officer has reached its caller by a call-back, and has it.
    CalledBack(OfficerId),
    /// It left the queue without one.
    Abandoned(&'static str),
    /// It is the control room's again.
    Returned {
        /// Why.
        why: Why,
        /// Who had it, if anybody.
        officer: Option<OfficerId>,
    },
}

/// A transition: the call after it, and its effects for the edge to perform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The call as it now is.
    pub call: Call,
    /// The offer that this settled.
    pub settled: Option<Settled>,
    /// The event to publish.
    pub published: Option<Published>,
    /// What a sergeant should look into.
    pub alert: Option<Alert>,
}

/// Why an officer can't have or pass on a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// It is not on offer to this officer.
    NotOfferedToYou,
    /// It was, and the time is over.
    OfferExpired,
    /// Somebody has it, had it, or took it back.
    CallNotWaiting,
    /// Nobody has it or waits for it any more.
    CallOver,
    /// Another officer has it, or nobody has.
    NotYourCall,
    /// The officer who is to have it has it, or has it on offer.
    OfficerHasCall,
    /// They aren't at the desk, or have another.
    OfficerNotFree,
}

/// A call that came to the desk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Which.
    pub id: CallId,
    /// Whose.
    pub force: ForceId,
    /// What the control room said.
    pub facts: Facts,
    /// Since when it waits.
    pub queued_at: DateTime<Utc>,
    /// How many offers were made.
    pub offers: u32,
    /// Who passed in this round.
    pub passes: Vec<Pass>,
    /// What its wait comes to.
    pub waits: Waits,
    /// Where it stands.
    pub state: State,
}

impl Call {
    /// A call joins the queue.
    #[must_use]
    pub fn queue(id: CallId, force: ForceId, facts: Facts, now: DateTime<Utc>, rules: &Rules) -> Step {
        let (waits, passes) = (rules.waits(facts.risk, now), Vec::new());
        let call = Self { id, force, facts, queued_at: now, offers: 0, passes, waits, state: State::Queued };
        Step { call, settled: None, published: Some(Published::Queued), alert: None }
    }

    /// Nobody has it yet.
    #[must_use]
    pub fn waits(&self) -> bool {
        matches!(self.state, State::Queued | State::Offered(_))
    }

    /// Nobody has it or waits for it any more.
    #[must_use]
    pub fn is_over(&self) -> bool {
        matches!(self.state, State::Ended { .. } | State::Abandoned | State::Returned { .. })
    }

    /// Whether this officer has passed on it in this round.
    pub(super) fn was_passed_on_by(&self, officer: &OfficerId) -> bool {
        self.passes.iter().any(|pass| pass.officer == *officer)
    }

    /// Whether this officer may be offered it now, and if so, whether only in a new round. Once it has waited for too
    /// long the round that it is in is its last.
    pub(super) fn open_to(&self, officer: &OfficerId, now: DateTime<Utc>) -> Option<NewRound> {
        match self.passes.iter().find(|pass| pass.officer == *officer) {
            None => Some(NewRound(false)),
            Some(pass) if pass.again_from <= now && now < self.waits.until => Some(NewRound(true)),
            Some(_) => None,
        }
    }

    /// Offers it to an officer. Offering it to one who passed begins a new round; who declined a moment ago keeps
    /// their peace from it even so. Anything but a queued call stays as it is.
    #[must_use]
    pub fn offer(mut self, officer: OfficerId, now: DateTime<Utc>, rules: &Rules) -> Step {
        if self.state != State::Queued {
            return Step { call: self, settled: None, published: None, alert: None };
        }
        if self.was_passed_on_by(&officer) {
            self.passes.retain(|pass| pass.again_from > now && pass.officer != officer);
        }
        self.offers += 1;
        let offer = Offer { nth: self.offers, officer, expires_at: later(now, rules.offer_timeout) };
        self.state = State::Offered(offer.clone());
        Step { call: self, settled: None, published: Some(Published::Offered(offer)), alert: None }
    }

    /// The officer takes it.
    ///
    /// # Errors
    /// It is not, or no longer, this officer's to take.
    pub fn accept(mut self, officer: &OfficerId, now: DateTime<Utc>) -> Result<Step, Refused> {
        let offer = self.offer_of(officer, now)?;
        self.state = State::Accepted { officer: officer.clone(), at: now };
        self.passes.clear();
        Ok(Step {
            call: self,
            settled: Some(Settled { nth: offer.nth, outcome: Outcome::Accepted, reason: None }),
            published: Some(Published::Accepted(offer.officer)),
            alert: None,
        })
    }

    /// The officer passes it on.
    ///
    /// # Errors
    /// It is not, or no longer, this officer's to decline.
    pub fn decline(
        self,
        officer: &OfficerId,
        reason: String,
        now: DateTime<Utc>,
        rules: &Rules,
    ) -> Result<Step, Refused> {
        let offer = self.offer_of(officer, now)?;
        let pass = Pass { officer: offer.officer, expired: false, again_from: later(now, rules.decline_pause) };
        Ok(self.requeue(pass, Settled { nth: offer.nth, outcome: Outcome::Declined, reason: Some(reason) }))
    }

    /// Time passes: an offer that is over goes back to the queue.
    #[must_use]
    pub fn expire(self, now: DateTime<Utc>) -> Option<Step> {
        match &self.state {
            State::Offered(offer) if offer.expires_at <= now => {
                let settled = Settled { nth: offer.nth, outcome: Outcome::Expired, reason: None };
                let pass = Pass { officer: offer.officer.clone(), expired: true, again_from: now };
                Some(self.requeue(pass, settled))
            }
            _ => None,
        }
    }

    /// Its officer went away, or was not heard from: an offer to them goes back to the queue.
    #[must_use]
    pub fn officer_gone(self, officer: &OfficerId, now: DateTime<Utc>) -> Option<Step> {
        match &self.state {
            State::Offered(offer) if offer.officer == *officer => {
                let settled = Settled { nth: offer.nth, outcome: Outcome::Gone, reason: None };
                let pass = Pass { officer: officer.clone(), expired: true, again_from: now };
                Some(self.requeue(pass, settled))
            }
            _ => None,
        }
    }

    /// The control room takes it back. Too late once an officer has it; a repeat changes nothing.
    #[must_use]
    pub fn cancel(self) -> Option<Step> {
        self.abandon("CANCELLED_BY_CONTROL_ROOM")
    }

    /// It leaves the queue without an officer, if nobody has it yet; whoever had it on offer is free again.
    pub(super) fn abandon(mut self, reason: &'static str) -> Option<Step> {
        let settled = match &self.state {
            State::Queued => None,
            State::Offered(offer) => Some(Settled { nth: offer.nth, outcome: Outcome::Withdrawn, reason: None }),
            State::Accepted { .. } | State::Ended { .. } | State::Abandoned | State::Returned { .. } => return None,
        };
        self.state = State::Abandoned;
        self.passes.clear();
        Some(Step { call: self, settled, published: Some(Published::Abandoned(reason)), alert: None })
    }

    /// Its session is over: the officer is free of it. A repeat changes nothing.
    #[must_use]
    pub fn end(mut self) -> Option<Step> {
        let State::Accepted { officer, .. } = self.state else { return None };
        self.state = State::Ended { officer };
        Some(Step { call: self, settled: None, published: None, alert: None })
    }

    fn requeue(mut self, pass: Pass, settled: Settled) -> Step {
        let kind = if pass.expired { AlertKind::NotAnswered } else { AlertKind::Declined };
        let alert = Some(Alert { kind, officer: Some(pass.officer.clone()) });
        self.passes.retain(|earlier| earlier.officer != pass.officer);
        self.passes.push(pass);
        self.state = State::Queued;
        Step { call: self, settled: Some(settled), published: Some(Published::Queued), alert }
    }

    /// The offer this officer may answer.
    fn offer_of(&self, officer: &OfficerId, now: DateTime<Utc>) -> Result<Offer, Refused> {
        let let_it_expire = self.passes.iter().any(|pass| pass.officer == *officer && pass.expired);
        match &self.state {
            State::Offered(offer) if offer.officer == *officer && now < offer.expires_at => Ok(offer.clone()),
            State::Offered(offer) if offer.officer == *officer => Err(Refused::OfferExpired),
            State::Offered(_) | State::Queued if let_it_expire => Err(Refused::OfferExpired),
            State::Offered(_) | State::Queued => Err(Refused::NotOfferedToYou),
            State::Accepted { .. } | State::Ended { .. } | State::Abandoned | State::Returned { .. } => {
                Err(Refused::CallNotWaiting)
            }
        }
    }
}

/// The officer passed on the call already: offering it again begins a new round.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct NewRound(pub(super) bool);
