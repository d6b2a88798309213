//! What must hold once everything has come to its end, and what it is seen by.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use api::{
    evidence::v1::ExhibitSealed,
    intake::v1::{
        FastTrackState, ForceUpdate, WatchForceResponse,
        call_update::{self, Kind},
        force_update,
    },
};
use async_nats::jetstream::{self, consumer::pull::OrderedConfig};
use futures::StreamExt;
use prost::Message;
use tokio::time::{Instant, sleep, timeout};

use super::{
    Outcome,
    call::{child, school},
    control::{Control, Known},
    inject::{Injected, PROCESSES},
    left,
    packages::Found,
    place::Place,
    plan::Plan,
    report::{Invariant, Report},
};

/// For what comes by itself once nothing is in its way.
const PATIENCE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(300);

/// What all is seen by.
struct Seen {
    calls: BTreeMap<String, Known>,
    found: Found,
    /// How often each exhibit was told to be sealed, on the bus.
    sealings: BTreeMap<String, usize>,
}

/// Looks at everything.
pub(super) async fn everything(
    place: &Place,
    control: &Control,
    plan: &Plan,
    injected: &Injected,
    unsettled: usize,
) -> Outcome<Report> {
    let ready = recovered(place, injected).await;
    let delivered = fast_tracks(control).await;
    let referrals = referrals(place, control).await;
    let (calls, found, sealings) = (control.calls().all(), Found::look(place).await?, sealings(place).await?);
    let seen = Seen { calls, found, sealings };
    let invariants = vec![
        seen.no_call_is_stuck(plan, unsettled),
        seen.nothing_acknowledged_is_lost(),
        seen.gaps_are_in_the_ledger(),
        seen.sealed_once(),
        delivered,
        referrals,
        ready,
        left::behind(place).await?,
    ];
    let (happened, left_out) = (injected.done.clone(), injected.left_out.clone());
    Ok(Report { plan: plan.clone(), happened, left_out, invariants })
}

impl Known {
    /// There is an officer for every call, nobody gives one back or takes one back, and the desk is open: so each comes to one officer, ends
    /// once, and is sealed after that.
    fn goes_wrong(&self) -> Option<String> {
        let at = |is_it: fn(&Kind) -> bool| -> Vec<usize> {
            self.kinds().enumerate().filter(|(_, kind)| is_it(kind)).map(|(at, _)| at).collect()
        };
        let accepted = at(|kind| matches!(kind, Kind::Accepted(_)));
        let ended = at(|kind| matches!(kind, Kind::Ended(_)));
        let sealed = at(|kind| matches!(kind, Kind::Sealed(_)));
        let is_so = accepted.len() == 1 && ended.len() == 1 && sealed.len() == 1 && ended < sealed;
        if !is_so {
            return Some(format!("told accepted at {accepted:?}, ended at {ended:?}, sealed at {sealed:?}"));
        }
        let told = self.kinds().find_map(|kind| match kind {
            Kind::Accepted(accepted) => Some(&accepted.officer_id),
            _ => None,
        });
        // Whoever was answered that they have it: their answer may have been lost, but nobody else's.
        let is_theirs =
            self.accepted_by.len() <= 1 && self.accepted_by.first().is_none_or(|officer| told == Some(officer));
        (!is_theirs)
            .then(|| format!("told to be {told:?}'s, and {:?} were answered that it is theirs", self.accepted_by))
    }
}

impl Seen {
    fn no_call_is_stuck(&self, plan: &Plan, unsettled: usize) -> Invariant {
        let mut broken: Vec<String> = Vec::new();
        let mut talked = 0;
        for (id, known) in &self.calls {
            talked += usize::from(known.done.joined);
            broken.extend(known.goes_wrong().map(|how| format!("call {id} ({}): {how}", known.plan.number)));
            if !known.is_over {
                let last = known.told.last();
                broken.push(format!("call {id} ({}): {:?}; last told: {last:?}", known.plan.number, known.done));
            }
            let numbers: Vec<_> = known.told.iter().map(|told| told.sequence).collect();
            if numbers.iter().zip(1..).any(|(number, expected)| *number != expected) {
                broken.push(format!("call {id}: WatchCall told {numbers:?}"));
            }
            for refusal in &known.done.refused {
                broken.push(format!("call {id} ({}): {refusal}", known.plan.number));
            }
        }
        if self.calls.len() != plan.calls.len() {
            broken.push(format!("{} of {} calls could be opened", self.calls.len(), plan.calls.len()));
        }
        if unsettled > 0 {
            broken.push(format!("{unsettled} calls were still under way when there was no more time"));
        }
        if talked == 0 {
            broken.push("no two phones ever met: this run shows nothing".to_owned());
        }
        let evidence = format!(
            "{} calls opened, each one officer's; WatchCall of each ended by itself, its numbers without a gap; in {talked} both phones \
             talked",
            self.calls.len()
        );
        Invariant { what: "no call is stuck", evidence, broken }
    }

    fn nothing_acknowledged_is_lost(&self) -> Invariant {
        let Found { held, lost, missing, .. } = &self.found;
        let mut broken = lost.clone();
        broken.extend(missing.iter().map(|missing| format!("declared, and not held: {missing}")));
        if *held == 0 {
            broken.push("there is no receipt: this run shows nothing".to_owned());
        }
        let evidence = format!(
            "{held} signed receipts that video-session kept, each beside the package that must hold what it is about; and one of every \
             segment in the packages"
        );
        Invariant { what: "no acknowledged segment is lost", evidence, broken }
    }

    fn gaps_are_in_the_ledger(&self) -> Invariant {
        let Found { compared, disagree, .. } = &self.found;
        let mut broken = disagree.clone();
        if compared.frames == 0 {
            broken.push("nothing was recorded: this run shows nothing".to_owned());
        }
        let evidence = format!(
            "{} tracks, {} frames, each known by its bytes as one of the clip that the phones played; {} missing between others, \
             as their gap ledgers say",
            compared.tracks, compared.frames, compared.missing
        );
        Invariant { what: "gaps are those in the ledger", evidence, broken }
    }

    fn sealed_once(&self) -> Invariant {
        let mut broken = self.found.unverified.clone();
        let mut ended = 0;
        for (id, known) in &self.calls {
            let told: Vec<_> = known
                .kinds()
                .filter_map(|kind| match kind {
                    Kind::Sealed(sealed) => Some(sealed),
                    _ => None,
                })
                .collect();
            let exhibits = self.found.exhibits.get(id).map_or(&[][..], Vec::as_slice);
            let mains = exhibits.iter().filter(|one| one.parent_exhibit_id.is_empty()).count();
            if !known.kinds().any(|kind| matches!(kind, Kind::Ended(_))) {
                continue;
            }
            ended += 1;
            let seal = |one: &&&call_update::Sealed| {
                let here = exhibits
                    .first()
                    .is_some_and(|main| main.exhibit_id == one.exhibit_id && main.reference == one.exhibit_reference);
                here && self.found.seals.get(&one.exhibit_id) == Some(&one.seal_sha256)
            };
            if let Some(other) = told.iter().find(|one| !seal(one)) {
                broken.push(format!(
                    "call {id}: the control room was told of another seal than the package has: {other:?}"
                ));
            }
            let came = known.kinds().any(|kind| matches!(kind, Kind::CallerJoined(_)));
            if came && !self.found.recorded.get(id).is_some_and(|tracks| tracks.contains("caller")) {
                broken.push(format!("call {id}: the caller was seen and heard, and there is no recording of them"));
            }
            if told.len() != 1 || mains != 1 {
                broken.push(format!(
                    "call {id} ({}): told sealed {} times, {mains} exhibits",
                    known.plan.number,
                    told.len()
                ));
            }
            for one in exhibits {
                let state = one.state();
                let times = self.sealings.get(&one.exhibit_id).copied().unwrap_or_default();
                // An addendum has an event of its own.
                let is_main = one.parent_exhibit_id.is_empty();
                if is_main && times != 1 {
                    broken.push(format!(
                        "{} of call {id}: sealed {times} times, as the bus has it; {state:?}",
                        one.reference
                    ));
                }
                if one.sealed_at.is_none() {
                    broken.push(format!("{} of call {id} is {state:?}", one.reference));
                }
            }
        }
        if ended == 0 {
            broken.push("no call ended: this run shows nothing".to_owned());
        }
        let unknown = self.found.exhibits.keys().filter(|call| !self.calls.contains_key(*call));
        broken.extend(unknown.map(|call| format!("there is an exhibit of call {call}, which nobody opened")));
        let evidence = format!(
            "{ended} calls ended, their control room told of the seal that the package has; {} packages (addenda are their own) exported and verified by alcove-verify with every root and key; \
             exhibit_sealed on the bus once for each",
            self.found.verified
        );
        Invariant { what: "each ended call is sealed once, and verifies", evidence, broken }
    }
}

/// How often the bus has each exhibit sealed.
async fn sealings(place: &Place) -> Outcome<BTreeMap<String, usize>> {
    let jetstream = place.desk.stack.nats.jetstream().await?;
    let mut stream: jetstream::stream::Stream = jetstream.get_stream("ALCOVE_EVIDENCE").await?;
    let mut left = stream.info().await?.state.messages;
    let consumer = stream.create_consumer(OrderedConfig::default()).await?;
    let (mut messages, mut sealings) = (consumer.messages().await?, BTreeMap::new());
    while left > 0 {
        let Some(message) = timeout(PATIENCE, messages.next()).await? else { break };
        let message = message?;
        left -= 1;
        if message.subject.split('.').nth(3) == Some("exhibit_sealed") {
            *sealings.entry(ExhibitSealed::decode(message.payload.clone())?.exhibit_id).or_default() += 1;
        }
    }
    Ok(sealings)
}

/// Waits until each fast-track that was answered to an officer has been raised and taken on, and says which wasn't.
async fn fast_tracks(control: &Control) -> Invariant {
    let asked: BTreeSet<String> =
        control.calls().all().into_values().filter_map(|known| known.done.fast_track).collect();
    let began = Instant::now();
    let told = loop {
        let mut told: BTreeMap<String, (usize, usize)> = BTreeMap::new();
        for one in control.force() {
            let Some(ForceUpdate { kind: Some(force_update::Kind::FastTrack(track)) }) = one.update else { continue };
            let (raised, taken) = told.entry(track.fast_track_id.clone()).or_default();
            match track.state() {
                FastTrackState::Acknowledged => *taken += 1,
                _ => *raised += 1,
            }
        }
        let all = asked.iter().all(|id| told.get(id).is_some_and(|(raised, taken)| *raised > 0 && *taken > 0));
        if all || began.elapsed() > PATIENCE {
            break told;
        }
        sleep(PAUSE).await;
    };
    let mut broken = Vec::new();
    if asked.is_empty() && control.calls().all().values().any(|known| known.plan.fast_track_ms.is_some()) {
        broken.push("nobody was answered that somebody is sent: this run shows nothing".to_owned());
    }
    broken.extend(control.calls().all().iter().filter_map(|(call, known)| unasked(call, known, control)));
    for id in &asked {
        let (raised, taken) = told.get(id).copied().unwrap_or_default();
        if raised == 0 || taken != 1 {
            broken.push(format!("fast-track {id}: raised {raised} times, taken on {taken} times"));
        }
    }
    let numbers: Vec<_> = control.force().iter().map(|told| told.sequence).collect();
    if let Some((number, expected)) = numbers.iter().zip(1..).find(|(number, expected)| *number != expected) {
        broken.push(format!("WatchForce told {number} where {expected} was to come"));
    }
    let again: usize = told.values().map(|(raised, _)| raised.saturating_sub(1)).sum();
    let evidence = format!(
        "{} asked for, as answered to their officers; each on WatchForce, acknowledged there once ({again} raised again meanwhile); its {} \
         numbers without a gap",
        asked.len(),
        numbers.len()
    );
    Invariant { what: "each fast-track is delivered", evidence, broken }
}

/// What was raised of a call that its officer didn't ask for: they ask once, and their answer may have been lost. Or what they were refused,
/// though the call went on.
fn unasked(call: &str, known: &Known, control: &Control) -> Option<String> {
    let of_call = |told: &WatchForceResponse| match &told.update {
        Some(ForceUpdate { kind: Some(force_update::Kind::FastTrack(track)) }) if told.call_id == call => {
            Some(track.fast_track_id.clone())
        }
        _ => None,
    };
    let raised: BTreeSet<String> = control.force().iter().filter_map(of_call).collect();
    let (planned, done) = (known.plan.fast_track_ms.is_some(), &known.done);
    let is_theirs = done.fast_track.as_ref().is_none_or(|id| raised.contains(id));
    if raised.len() > usize::from(planned) || !is_theirs {
        return Some(format!("call {call}: asked for {:?}, raised {raised:?}", done.fast_track));
    }
    let by_officer = |kind: &Kind| matches!(kind, Kind::Ended(ended) if ended.reason == "OFFICER_ENDED");
    let refused = planned && done.fast_track.is_none() && done.refused.is_empty() && known.kinds().any(by_officer);
    refused.then(|| format!("call {call}: nobody could be asked for, and the call went on"))
}

/// Waits until each referral that was sent has come to its partner, and says which hasn't, or came as two.
async fn referrals(place: &Place, control: &Control) -> Invariant {
    let sent: BTreeSet<String> = control
        .calls()
        .all()
        .into_values()
        .filter(|known| known.done.referral_sent)
        .map(|known| school(known.plan.number))
        .collect();
    let began = Instant::now();
    let (came, ids) = loop {
        let came = place.partner.so_far();
        let mut ids: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for one in &came {
            ids.entry(one.says("Child: school").to_owned()).or_default().insert(one.id.clone());
        }
        if sent.iter().all(|school| ids.contains_key(school)) || began.elapsed() > PATIENCE {
            break (came, ids);
        }
        sleep(PAUSE).await;
    };
    let mut broken = Vec::new();
    for school in &sent {
        if !ids.contains_key(school) {
            broken.push(format!("{school}: no notice"));
        }
    }
    // Whether or not its officer was answered.
    for (school, ids) in ids.iter().filter(|(_, ids)| ids.len() != 1) {
        broken.push(format!("{school:?}: {} notices", ids.len()));
    }
    let planned = control.calls().all().into_values().filter(|known| known.plan.referral_ms.is_some());
    let children: BTreeMap<String, String> =
        planned.map(|known| (school(known.plan.number), child(known.plan.number))).collect();
    for one in &came {
        let (school, name) = (one.says("Child: school"), one.says("Child: name"));
        if !children.get(school).is_some_and(|child| name.contains(child)) {
            broken.push(format!("{}: {school:?} was told of {name:?}", one.id));
        }
    }
    if sent.is_empty() && !children.is_empty() {
        broken.push("no referral was sent: this run shows nothing".to_owned());
    }
    broken.extend(came.iter().filter(|one| !one.is_signed).map(|one| format!("{} isn't signed", one.id)));
    let distinct: BTreeSet<_> = came.iter().map(|one| &one.id).collect();
    let evidence = format!(
        "{} sent; {} notices by their webhook-id at the partners' system, which was told {} of them more than once (it had answered 503, \
         or its answer got lost)",
        sent.len(),
        distinct.len(),
        came.len() - distinct.len()
    );
    Invariant { what: "each referral is sent once in effect", evidence, broken }
}

/// Every service says that it is ready, and none had to be started by anybody but the orchestrator that restarts what was killed.
async fn recovered(place: &Place, injected: &Injected) -> Invariant {
    let mut broken = injected.by_themselves.clone();
    for name in PROCESSES {
        let stack = &place.desk.stack;
        let service = if name == "witness" { &stack.witness } else { stack.service(name) };
        if let Err(why) = service.ready().await {
            broken.push(why.to_string());
        }
    }
    if injected.done.is_empty() {
        broken.push("nothing went wrong: this run shows nothing".to_owned());
    }
    let evidence = format!(
        "/readyz of all {}; {} faults, of which none ended a service that wasn't killed",
        PROCESSES.len(),
        injected.done.len()
    );
    Invariant { what: "all services recovered without a hand", evidence, broken }
}
