//! What must be so: always, whenever everything has been heard, and once everything has come to its end. Promises, not code.

use std::collections::{BTreeMap, BTreeSet};

use call_transfer::domain::{Call as Waiting, State as At};
use evidence_store::domain::State as Sealing;
use ids::{CallId, FastTrackId};
use intake::domain::{Stand, State, Update};
use referral::domain::{
    Stage,
    delivery::{ParcelId, Standing, What},
};
use video_session::domain::{Recording, Role};

use crate::{referrals::Parcel, world::World};

/// What must hold after every step, whatever has gone wrong.
///
/// # Errors
/// The first that doesn't.
pub fn always_holds(world: &World) -> Result<(), String> {
    one_call_an_officer(world)?;
    for (call, officers) in &world.desk.party.accepted {
        must(officers.len() <= 1, || format!("{call} was accepted by {officers:?}"))?;
    }
    let desk = &world.desk.party;
    let still = desk.taken_back.iter().find(|call| desk.calls.get(call).is_some_and(Waiting::waits));
    must(still.is_none(), || format!("{still:?} waits on, though the desk has heard that it was taken back"))?;
    must(desk.to_nobody.is_empty(), || format!("offered to who isn't there: {:?}", desk.to_nobody))?;
    for (call, held) in &world.sessions.party.held {
        let session = &held.stored.session;
        must(held.first_ending.is_none() || session.ending() == held.first_ending, || {
            format!("{call} ended by {:?}, and now by {:?}", held.first_ending, session.ending())
        })?;
        let officer = session.in_role(Role::Officer).and_then(|one| one.staff.as_ref());
        must(officer.is_none_or(|one| *one == session.accepted.officer), || {
            format!("{call} is {}'s, and {officer:?} is in it as its officer", session.accepted.officer)
        })?;
    }
    must(world.pressed_twice.is_empty(), || format!("asked for twice at once: {:?}", world.pressed_twice))?;
    withdrawals_come_last(world)
}

/// What must hold when every event has come to whoever hears it.
///
/// # Errors
/// The first that doesn't.
pub fn holds_when_all_is_heard(world: &World) -> Result<(), String> {
    for (call, known) in &world.intake.party.calls {
        let Some(held) = world.sessions.party.held.get(call) else { continue };
        let (session, consents) = (&held.stored.session, &known.consents);
        if session.ending().is_some() {
            continue;
        }
        must(consents.recording != Some(false) || session.recorded() != Recording::On, || {
            format!("{call} would be recorded, and the control room knows of a no")
        })?;
        must(consents.video != Some(false), || format!("{call} goes on, and the control room knows of a no to video"))?;
        let has_it = world.desk.party.calls.get(call).and_then(Waiting::officer);
        let here = session.successor.as_ref().unwrap_or(&session.accepted.officer);
        must(has_it.is_none_or(|officer| officer == here), || {
            format!("{call} is {has_it:?}'s at the desk, and {here}'s in its session")
        })?;
        let there = match &known.state {
            State::WithDesk(desk) => desk.officer.as_ref(),
            _ => None,
        };
        must(has_it.is_none() || there == has_it, || {
            format!("{call} is {has_it:?}'s at the desk, and {there:?}'s for the control room")
        })?;
    }
    Ok(())
}

/// Everything that must hold in the end.
///
/// # Errors
/// The first that doesn't.
pub fn holds(world: &World) -> Result<(), String> {
    for call in &world.calls {
        ends(world, *call)?;
        one_officer_one_session_one_seal(world, *call)?;
        nothing_acknowledged_is_lost(world, *call)?;
        one_referral(world, *call)?;
        told_in_order(world, *call)?;
    }
    each_fast_track_is_taken_on_once(world)
}

fn must(is_so: bool, otherwise: impl FnOnce() -> String) -> Result<(), String> {
    if is_so { Ok(()) } else { Err(otherwise()) }
}

/// Every call is over, at the control room and at the desk.
fn ends(world: &World, call: CallId) -> Result<(), String> {
    let Some(known) = world.intake.party.calls.get(&call) else { return Err(format!("{call} was never opened")) };
    // Whoever took back what they agreed to before the desk was asked stays with the control room.
    must(known.is_over() || matches!(known.state, State::Ineligible { .. }), || {
        format!("{call} is stuck: {:?}, sealed: {}", known.state, known.seal.is_some())
    })?;
    let waiting = world.desk.party.calls.get(&call);
    must(waiting.is_none_or(Waiting::is_over), || {
        format!("{call} is stuck at the desk: {:?}", waiting.map(|call| &call.state))
    })
}

fn one_officer_one_session_one_seal(world: &World, call: CallId) -> Result<(), String> {
    let accepted = world.desk.party.accepted.get(&call).map_or(0, Vec::len);
    let session = world.sessions.party.held.get(&call);
    let sealed = world.evidence.party.sealed.get(&call).copied().unwrap_or_default();
    must(accepted <= 1, || format!("{call} was accepted {accepted} times"))?;
    must((accepted == 1) == session.is_some(), || {
        format!("{call}: {accepted} accepted, session: {}", session.is_some())
    })?;
    let Some(held) = session else { return must(sealed == 0, || format!("{call}: an exhibit without a session")) };
    must(held.announced == 1, || format!("{call}: its end was told {} times", held.announced))?;
    must(sealed == 1, || format!("{call} was sealed {sealed} times"))?;
    let closed = matches!(world.intake.party.calls[&call].state, State::Closed { .. });
    must(closed, || {
        format!("{call} had a session, and the control room has {:?}", world.intake.party.calls[&call].state)
    })?;
    let desk = world.desk.party.calls.get(&call).map(|one| one.state.clone());
    must(matches!(desk, Some(At::Ended { .. } | At::Returned { .. })), || format!("{call}: the desk has {desk:?}"))?;
    Ok(())
}

/// What was acknowledged to the recorder is in the exhibit, or in its addendum; what was declared is, too, or is told to be missing.
fn nothing_acknowledged_is_lost(world: &World, call: CallId) -> Result<(), String> {
    let store = &world.evidence.party;
    let late = |track: &ids::TrackName, seq: u64| {
        store.late.get(&call).is_some_and(|late| late.contains(&(track.clone(), seq)))
    };
    for (_, track, seq) in world.acknowledged.iter().filter(|(of, ..)| *of == call) {
        let is_held = *seq < store.held_of(call, track) || late(track, *seq);
        must(is_held, || format!("{track}/{seq} of {call} was acknowledged, and isn't held"))?;
    }
    let Some(exhibit) = store.exhibits.get(&call) else { return Ok(()) };
    let Sealing::Sealed(sealed) = &exhibit.state else {
        return Err(format!("the exhibit of {call} is {:?}", exhibit.state));
    };
    let fenced = &sealed.logged.timestamped.signed.manifested.fenced;
    let declared: u64 = store.declared[&call].tracks.values().map(|track| track.segments).sum();
    let held: u64 = fenced.marks.values().sum();
    must(declared == held + fenced.missing, || {
        format!("{call}: {declared} segments were declared, {held} are held, {} are said to be missing", fenced.missing)
    })?;
    let recorded = world.sessions.party.held.get(&call).map_or(0, |session| session.recorded);
    must(declared == recorded, || format!("{call}: {recorded} segments were recorded, {declared} declared"))
}

/// A referral goes to its partner once in effect, and the partner hears of a withdrawal if it may know of it.
fn one_referral(world: &World, call: CallId) -> Result<(), String> {
    let Some(referral) = world.referrals.party.cases.get(&call) else { return Ok(()) };
    let of = |what: What| {
        let is_it = move |one: &&Parcel| one.what.referral == referral.id && one.what.what == what;
        world.referrals.party.parcels.values().filter(is_it)
    };
    must(of(What::Referral).count() <= 1, || format!("{call}: two parcels of one referral"))?;
    must(of(What::Withdrawal).count() <= 1, || format!("{call}: two withdrawals of one referral"))?;
    let came = |what: What| of(what).filter(|one| world.partner.contains(&one.id)).count();
    match &referral.stage {
        Stage::Sent(_) => must(came(What::Referral) == 1, || format!("{call}: its referral never came")),
        Stage::Withdrawn(Some(_), ..) if came(What::Referral) > 0 => {
            must(came(What::Withdrawal) == 1, || format!("{call}: its partner was not told of the withdrawal"))
        }
        _ => must(came(What::Referral) == 0, || format!("{call}: a partner has a referral that was not sent")),
    }?;
    let waits = |one: &&Parcel| matches!(one.progress.standing, Standing::Waiting(_));
    let stuck = of(What::Referral).chain(of(What::Withdrawal)).find(waits).map(|one| one.progress.clone());
    must(stuck.is_none(), || format!("{call}: a parcel is stuck: {stuck:?}"))
}

/// No partner gets a referral after they were told that it is taken back.
fn withdrawals_come_last(world: &World) -> Result<(), String> {
    let parcels = &world.referrals.party.parcels;
    let of = |id: &ParcelId| parcels.values().find(|one| one.id == *id).map(|one| &one.what);
    let mut taken_back = BTreeSet::new();
    for parcel in world.partner.iter().filter_map(of) {
        let referral = parcel.referral.uuid();
        match parcel.what {
            What::Withdrawal => drop(taken_back.insert(referral)),
            What::Referral => {
                must(!taken_back.contains(&referral), || format!("referral {referral} came after it was taken back"))?
            }
        }
    }
    Ok(())
}

/// WatchCall's numbers have no gap, `ended` comes once and before `sealed`, which comes once, whichever of the two is heard first.
fn told_in_order(world: &World, call: CallId) -> Result<(), String> {
    let told = world.intake.party.told.get(&call).map_or(&[][..], Vec::as_slice);
    let numbers: Vec<_> = told.iter().map(|one| one.sequence).collect();
    must(numbers.iter().zip(1..).all(|(number, expected)| *number == expected), || format!("{call}: {numbers:?}"))?;
    let at = |is_it: fn(&Update) -> bool| {
        told.iter().enumerate().filter(|(_, one)| is_it(&one.update)).map(|(at, _)| at).collect::<Vec<_>>()
    };
    let (ended, sealed) = (at(|one| matches!(one, Update::Ended { .. })), at(|one| matches!(one, Update::Sealed(_))));
    must(ended.len() <= 1 && sealed.len() == ended.len() && ended <= sealed, || {
        format!("{call}: told of its end at {ended:?}, of its seal at {sealed:?}")
    })
}

fn one_call_an_officer(world: &World) -> Result<(), String> {
    let mut has = BTreeMap::new();
    for (call, one) in &world.desk.party.calls {
        if let At::Offered(call_transfer::domain::Offer { officer, .. }) | At::Accepted { officer, .. } = &one.state
            && let Some(other) = has.insert(officer.clone(), *call)
        {
            return Err(format!("{officer} has {call} and {other}"));
        }
    }
    Ok(())
}

/// Whatever was answered to an officer was raised, and taken on, once.
fn each_fast_track_is_taken_on_once(world: &World) -> Result<(), String> {
    let mut taken: BTreeMap<FastTrackId, usize> = BTreeMap::new();
    let mut raised: BTreeMap<FastTrackId, u32> = BTreeMap::new();
    for one in world.intake.party.told.values().flatten() {
        let Update::FastTrack(news) = &one.update else { continue };
        let id = news.wish.id;
        match news.stand {
            Stand::Acknowledged(_) => *taken.entry(id).or_default() += 1,
            Stand::Raised { .. } => {
                must(!taken.contains_key(&id), || format!("fast-track {id} was raised after it was taken on"))?;
                let before = raised.insert(id, news.times).unwrap_or_default();
                must(news.times == before + 1, || format!("fast-track {id} was raised for the {}. time", news.times))?;
            }
        }
    }
    must(raised.keys().all(|id| world.asked.contains(id)), || format!("nobody asked for one of {raised:?}"))?;
    for id in &world.asked {
        let times = taken.get(id).copied().unwrap_or_default();
        must(times == 1, || format!("fast-track {id} was taken on {times} times"))?;
    }
    let seen = world.sessions.party.held.values().flat_map(|held| &held.stored.session.fast_tracks);
    let untaken: BTreeSet<_> = seen.filter(|one| one.taken.is_none()).map(|one| one.id).collect();
    must(untaken.is_empty(), || format!("the officer isn't told that somebody is sent: {untaken:?}"))
}

/// How much happened in all stories.
#[derive(Debug, Default)]
pub struct Told {
    sessions: usize,
    segments: u64,
    late: usize,
    returned: usize,
    cancelled: usize,
    stopped: usize,
    fast_tracks: usize,
    reassigned: usize,
    referrals: usize,
    repeats: usize,
    sealed_first: usize,
    taken_back_under_way: usize,
}

impl Told {
    pub fn add(&mut self, world: &World) {
        let sessions = world.sessions.party.held.values();
        self.sessions += world.sessions.party.held.len();
        self.segments += sessions.clone().map(|held| held.recorded).sum::<u64>();
        self.stopped += sessions.filter(|held| held.stored.session.recording == Recording::Stopped).count();
        self.late += world.evidence.party.late.values().map(BTreeSet::len).sum::<usize>();
        for call in world.intake.party.calls.values() {
            self.returned += usize::from(matches!(call.state, State::Returned { .. }));
            self.cancelled += usize::from(matches!(call.state, State::Cancelled { .. }));
        }
        self.fast_tracks += world.asked.len();
        self.reassigned += world.desk.party.reassigned;
        let came: BTreeSet<_> = world.partner.iter().map(|id| id.uuid()).collect();
        self.referrals += came.len();
        self.repeats += world.partner.len() - came.len();
        self.sealed_first += world.intake.party.sealed_first;
        self.taken_back_under_way += world.referrals.party.taken_back_under_way;
    }

    /// All of it happened often.
    pub fn is_a_world(&self) {
        let Self {
            sessions,
            segments,
            late,
            returned,
            cancelled,
            stopped,
            fast_tracks,
            reassigned,
            referrals,
            repeats,
            sealed_first,
            taken_back_under_way,
        } = self;
        let of_calls =
            [*sessions, *segments as usize, *late, *returned, *cancelled, *stopped, *fast_tracks, *reassigned];
        let of_orders = [referrals, repeats, sealed_first, taken_back_under_way];
        assert!(of_calls.iter().chain(of_orders).all(|times| *times > 20), "{self:?}");
    }
}
