//! Who gets which call. A call's rank is when it was queued, less head starts for its risk and for how vulnerable its
//! caller is: these go first, yet no call is ever overtaken by one that came more than all of the head start after it,
//! or after the time that it is kept for an officer with the skills that it asks for. So nobody starves.

use chrono::{DateTime, Utc};
use ids::{CallId, OfficerId};

use super::{Call, Officer, Risk, Rules, State, earlier};

/// How much a caller depends on help from others, beside the risk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Vulnerability {
    /// Not, or not graded.
    None,
    /// Somewhat.
    Some,
    /// Very much.
    Great,
}

/// The officers at the desk.
#[derive(Debug, Clone, Copy)]
pub struct Present<'a> {
    /// Who have no call and none on offer.
    pub idle: &'a [Officer],
    /// Who have one, or have one on offer. Those who wish to be away come no more once it is over.
    pub busy: &'a [Officer],
}

/// A call and the officer it is to be offered to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// The call.
    pub call: CallId,
    /// The officer.
    pub officer: OfficerId,
}

/// Who is offered what, and who goes without.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Matching {
    /// The offers to make.
    pub pairs: Vec<Pair>,
    /// Calls that ask for skills and get, or would have to take, an officer without.
    pub without_skill: Vec<CallId>,
}

/// The order of the queue: the least comes first. Ids break ties, and sort by the time they were made.
fn rank(call: &Call, rules: &Rules) -> (DateTime<Utc>, CallId) {
    let mut rank = call.queued_at;
    match call.facts.risk {
        Risk::High => rank = earlier(rank, rules.high_risk_head_start),
        Risk::Medium => rank = earlier(rank, rules.medium_risk_head_start),
        Risk::Standard => {}
    }
    match call.facts.vulnerability {
        Vulnerability::Great => rank = earlier(rank, rules.great_vulnerability_head_start),
        Vulnerability::Some => rank = earlier(rank, rules.some_vulnerability_head_start),
        Vulnerability::None => {}
    }
    (rank, call.id)
}

/// Puts calls in the order in which they are served.
pub fn sort(calls: &mut [Call], rules: &Rules) {
    calls.sort_by_cached_key(|call| rank(call, rules));
}

/// A call's place among those that wait: 1 is next.
#[must_use]
pub fn position(call: &Call, waiting: &[Call], rules: &Rules) -> u32 {
    let own = rank(call, rules);
    let ahead = waiting.iter().filter(|other| other.state == State::Queued && rank(other, rules) < own).count();
    u32::try_from(ahead).unwrap_or(u32::MAX).saturating_add(1)
}

/// Pairs queued calls with officers who have none. Each call in turn takes the longest-free officer who has not passed
/// on it in this round; if all have, whoever may be asked again. A call that asks for skills takes one who has them
/// all; while somebody at the desk does, and is free or will be, it waits for them, but no longer than its patience.
#[must_use]
pub fn pair(calls: &[Call], present: &Present<'_>, rules: &Rules, now: DateTime<Utc>) -> Matching {
    let mut calls: Vec<&Call> = calls.iter().filter(|call| call.state == State::Queued).collect();
    calls.sort_by_cached_key(|call| rank(call, rules));
    let mut free: Vec<&Officer> = present.idle.iter().filter(|officer| officer.is_free(now)).collect();
    free.sort_by(|a, b| (a.free_since, &a.id).cmp(&(b.free_since, &b.id)));

    let mut matching = Matching::default();
    for call in calls {
        // One who will be away after their call is nobody to wait for.
        let will_come = |officer: &&Officer| officer.is_free(now);
        let mut there = present.idle.iter().chain(present.busy).filter(will_come);
        let suits = {
            let there = there.clone();
            move |officer: &Officer| call.is_for(officer, there.clone())
        };
        let somebody_suits = there.clone().any(&suits);
        // Nobody waits for one who has passed on it.
        let kept = there.clone().any(|officer| suits(officer) && !call.was_passed_on_by(&officer.id));
        let is_hard = kept && now < call.waits.softens_at;
        let open = free.iter().enumerate().filter(|(_, officer)| !is_hard || suits(officer));
        // Who it is for, and then who has the skills: a follow-up that is kept no longer for who rang still asks for them.
        let by_skill = |officer: &Officer| (!suits(officer), !call.facts.suits(&officer.skills));
        let best =
            open.filter_map(|(place, officer)| Some((call.open_to(&officer.id, now)?, by_skill(officer), place))).min();
        match best {
            Some((.., place)) => {
                let officer = free.remove(place);
                matching.pairs.push(Pair { call: call.id, officer: officer.id.clone() });
                if !call.facts.suits(&officer.skills) {
                    matching.without_skill.push(call.id);
                }
            }
            None if !somebody_suits && there.next().is_some() => matching.without_skill.push(call.id),
            None => {}
        }
    }
    matching
}
