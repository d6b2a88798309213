//! What goes wrong, when, and for how long, and who calls meanwhile: all of it follows from the seed and the length alone.

use std::{
    collections::BTreeMap,
    fmt::{self, Display},
    time::Duration,
};

use serde::Serialize;
use testkit::Dice;

/// The services that may be hit, and the log's witness.
const SERVICES: [&str; 7] =
    ["intake", "call-transfer", "video-session", "evidence-store", "referral", "console", "witness"];
/// Those with clocks of their own, and by how many seconds one may be wrong without ending by right what has to last: a desk gives back
/// what has waited for ten minutes, a session ends when nobody was there for one, evidence-store waits for two for what is owed, and a
/// letter that was to be tried again by a clock ahead waits for the machine's to get there. Intake's may be wrong by hours.
const CLOCKED: [(&str, u64); 5] =
    [("intake", 10_800), ("call-transfer", 240), ("video-session", 30), ("evidence-store", 45), ("referral", 30)];
/// Those with networks of their own to Postgres and NATS.
const NETWORKED: [&str; 5] = ["intake", "call-transfer", "video-session", "evidence-store", "referral"];

const A_MINUTE: u64 = 60_000;

/// How long it lasts, and how many call at once.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    /// From the first call to the end of the last fault.
    pub length: Duration,
    /// Calls at once.
    pub at_once: u32,
}

/// All that happens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Plan {
    /// What it follows from, with the two below.
    pub seed: u64,
    /// Milliseconds.
    pub length_ms: u64,
    /// Calls at once.
    pub at_once: u32,
    /// In the order of their incidents' numbers.
    pub calls: Vec<Call>,
    /// In the order in which they begin.
    pub faults: Vec<Fault>,
}

/// One call. Times of what happens in it count from when an officer has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Call {
    /// Of its incident.
    pub number: u32,
    /// Milliseconds from the beginning to its opening.
    pub opens_ms: u64,
    /// Milliseconds until the officer ends it.
    pub lasts_ms: u64,
    /// When somebody is to be sent, if they are.
    pub fast_track_ms: Option<u64>,
    /// When the children's school is told, if it is.
    pub referral_ms: Option<u64>,
}

/// One thing that goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// Milliseconds from the beginning.
    pub at_ms: u64,
    /// Milliseconds until it is put right.
    pub lasts_ms: u64,
    /// What.
    pub what: What,
}

/// What can go wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum What {
    /// A service is killed (SIGKILL), and started again.
    Kill(&'static str),
    /// A service stands still (SIGSTOP), and goes on.
    Freeze(&'static str),
    /// Postgres crashes, without a checkpoint.
    KillPostgres,
    /// Postgres stands still, with all its connections.
    FreezePostgres,
    /// NATS is killed.
    KillNats,
    /// NATS stands still.
    FreezeNats,
    /// The network between two of them.
    Network(Line, Manner),
    /// A disk is filled to its last block.
    Full(Disk),
    /// The phones' network loses so many of a hundred packets, each way; all of them: it is cut.
    Media(u8),
    /// The partners' system takes what comes, and answers that it couldn't (503).
    PartnerInTrouble,
    /// A service's wall clock is so many seconds ahead, or behind, and is put right again.
    Clock(&'static str, i32),
}

/// A network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Line {
    /// From a service to Postgres.
    Database(&'static str),
    /// From a service to NATS.
    Bus(&'static str),
    /// From video-session to evidence-store.
    Evidence,
}

/// How a network is bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Manner {
    /// So many milliseconds later each way, and so many of a hundred pieces later still.
    Slow(u16, u8),
    /// Connections stay, and nothing comes.
    HalfOpen,
    /// Connections break, and new ones do, too.
    Cut,
}

/// A disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Disk {
    /// evidence-store's journal.
    Evidence,
    /// video-session's spool.
    Spool,
}

/// What two faults must not hit at the same time.
type Target = String;

impl Plan {
    /// The plan of a seed.
    #[must_use]
    pub fn of(seed: u64, shape: Shape) -> Self {
        let length_ms = u64::try_from(shape.length.as_millis()).unwrap_or(u64::MAX);
        let calls = calls(&mut Dice::new(seed), length_ms, shape.at_once);
        // Of their own, so that another number of calls leaves the faults as they are.
        let mut faults = faults(&mut Dice::new(seed ^ 0x5eed), length_ms);
        // These, too: what is older than they are stays as it was for each seed.
        faults.extend(clocks(&mut Dice::new(seed ^ 0xc10c), length_ms));
        faults.sort_by_key(|fault| fault.at_ms);
        Self { seed, length_ms, at_once: shape.at_once, calls, faults }
    }
}

fn calls(dice: &mut Dice, length: u64, at_once: u32) -> Vec<Call> {
    let (least, most) = ((length / 8).clamp(6_000, 20_000), (length / 3).clamp(10_000, 90_000));
    let mut calls = Vec::new();
    for slot in 0..u64::from(at_once) {
        let mut opens = slot * (length / 10 / u64::from(at_once)).min(1_500);
        loop {
            let lasts = dice.between(least, most);
            let mut some = |chance| dice.percent(chance).then(|| dice.between(500, lasts / 2));
            let (fast_track_ms, referral_ms) = (some(60), some(60));
            calls.push(Call { number: 0, opens_ms: opens, lasts_ms: lasts, fast_track_ms, referral_ms });
            opens += lasts + dice.between(3_000, 8_000);
            // Whoever calls late still meets faults, and in a short run each calls once.
            if length < A_MINUTE || opens + most > length {
                break;
            }
        }
    }
    calls.sort_by_key(|call| call.opens_ms);
    for (call, number) in calls.iter_mut().zip(6_000..) {
        call.number = number;
    }
    calls
}

fn faults(dice: &mut Dice, length: u64) -> Vec<Fault> {
    let (apart, longest) = ((length / 12).clamp(1_500, 8_000), (length / 6).clamp(3_000, 9_000));
    let mut faults = Vec::new();
    let mut busy: BTreeMap<Target, u64> = BTreeMap::new();
    let mut at = dice.between(apart / 2, apart);
    while at + longest < length {
        let what = what(dice);
        let lasts_ms = dice.between(500, longest);
        let until = busy.entry(target(what)).or_default();
        if *until <= at {
            // A service takes a while to come back.
            *until = at + lasts_ms + 5_000;
            faults.push(Fault { at_ms: at, lasts_ms, what });
            at += dice.between(apart / 3, apart);
        }
    }
    faults
}

/// Clocks jump, one after the other.
fn clocks(dice: &mut Dice, length: u64) -> Vec<Fault> {
    let (apart, longest) = ((length / 6).clamp(3_000, 15_000), (length / 6).clamp(3_000, 9_000));
    let mut faults = Vec::new();
    let mut at = dice.between(apart / 2, apart);
    while at + longest < length {
        let nth = usize::try_from(dice.below(CLOCKED.len() as u64)).unwrap_or_default();
        let (service, most) = CLOCKED[nth];
        // As often by a few seconds as by as much as may be.
        let seconds = if dice.percent(50) { dice.between(1, 10) } else { dice.between(most / 2, most) };
        let seconds = i32::try_from(seconds).unwrap_or_default();
        let what = What::Clock(service, if dice.percent(50) { seconds } else { -seconds });
        let lasts_ms = dice.between(2_000, longest);
        faults.push(Fault { at_ms: at, lasts_ms, what });
        at += lasts_ms + dice.between(apart / 3, apart);
    }
    faults
}

fn what(dice: &mut Dice) -> What {
    let one = |dice: &mut Dice, of: &[&'static str]| {
        let at = usize::try_from(dice.below(of.len() as u64)).unwrap_or_default();
        of.get(at).copied().unwrap_or_default()
    };
    match dice.below(100) {
        0..30 => What::Kill(one(dice, &SERVICES)),
        30..45 => What::Freeze(one(dice, &SERVICES)),
        45..50 => What::KillPostgres,
        50..54 => What::FreezePostgres,
        54..59 => What::KillNats,
        59..63 => What::FreezeNats,
        63..83 => {
            let line = match dice.below(5) {
                0 | 1 => Line::Database(one(dice, &NETWORKED)),
                2 | 3 => Line::Bus(one(dice, &NETWORKED)),
                _ => Line::Evidence,
            };
            let manner = match dice.below(3) {
                0 => Manner::Slow(u16::try_from(dice.between(20, 300)).unwrap_or(20), 10),
                1 => Manner::HalfOpen,
                _ => Manner::Cut,
            };
            What::Network(line, manner)
        }
        83..87 => What::Full(Disk::Evidence),
        87..90 => What::Full(Disk::Spool),
        90..95 => What::Media(if dice.percent(30) { 100 } else { u8::try_from(dice.between(2, 15)).unwrap_or(2) }),
        _ => What::PartnerInTrouble,
    }
}

fn target(what: What) -> Target {
    match what {
        What::Kill(service) | What::Freeze(service) => service.to_owned(),
        What::KillPostgres | What::FreezePostgres => "postgres".to_owned(),
        What::KillNats | What::FreezeNats => "nats".to_owned(),
        What::Network(line, _) => format!("to {line:?}"),
        What::Full(disk) => format!("{disk:?} disk"),
        What::Media(_) => "media".to_owned(),
        What::PartnerInTrouble => "partner".to_owned(),
        What::Clock(service, _) => format!("clock of {service}"),
    }
}

impl Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kill(service) => write!(f, "{service} killed"),
            Self::Freeze(service) => write!(f, "{service} frozen"),
            Self::KillPostgres => f.write_str("Postgres crashed"),
            Self::FreezePostgres => f.write_str("Postgres frozen"),
            Self::KillNats => f.write_str("NATS killed"),
            Self::FreezeNats => f.write_str("NATS frozen"),
            Self::Network(line, manner) => {
                match line {
                    Line::Database(service) => write!(f, "{service} to Postgres")?,
                    Line::Bus(service) => write!(f, "{service} to NATS")?,
                    Line::Evidence => f.write_str("video-session to evidence-store")?,
                }
                match manner {
                    Manner::Slow(delay, lost) => write!(f, ": {delay} ms later each way, {lost}% lost at first"),
                    Manner::HalfOpen => f.write_str(": half-open"),
                    Manner::Cut => f.write_str(": cut"),
                }
            }
            Self::Full(Disk::Evidence) => f.write_str("evidence-store's disk full"),
            Self::Full(Disk::Spool) => f.write_str("video-session's spool full"),
            Self::Media(100) => f.write_str("the phones' network cut"),
            Self::Media(lost) => write!(f, "the phones' network loses {lost}% each way"),
            Self::PartnerInTrouble => f.write_str("the partners' system in trouble"),
            Self::Clock(service, seconds) => {
                let way = if *seconds < 0 { "behind" } else { "ahead" };
                write!(f, "{service}'s clock {} s {way}", seconds.unsigned_abs())
            }
        }
    }
}

impl Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seed, length_ms, at_once, calls, faults } = self;
        writeln!(
            f,
            "seed {seed}: {} s, {at_once} at once, {} calls, {} faults",
            length_ms / 1_000,
            calls.len(),
            faults.len()
        )?;
        for Fault { at_ms, lasts_ms, what } in faults {
            writeln!(f, "{:>8.1} s  for {:>4.1} s  {what}", *at_ms as f64 / 1e3, *lasts_ms as f64 / 1e3)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUARTER: Shape = Shape { length: Duration::from_secs(900), at_once: 20 };

    #[test]
    fn a_seed_is_a_plan_and_another_is_another() {
        assert_eq!(Plan::of(7, QUARTER), Plan::of(7, QUARTER));
        assert_ne!(Plan::of(7, QUARTER).faults, Plan::of(8, QUARTER).faults);
        assert_eq!(Plan::of(7, QUARTER).faults, Plan::of(7, Shape { at_once: 3, ..QUARTER }).faults);
    }

    #[test]
    fn everything_is_hit_and_nothing_twice_at_once() {
        let plan = Plan::of(1, QUARTER);
        let mut last: BTreeMap<Target, u64> = BTreeMap::new();
        for fault in &plan.faults {
            let until = last.insert(target(fault.what), fault.at_ms + fault.lasts_ms).unwrap_or_default();
            assert!(until <= fault.at_ms, "{fault:?}");
        }
        for service in SERVICES {
            assert!(last.contains_key(service), "{service} is spared");
        }
        for (service, _) in CLOCKED {
            assert!(last.contains_key(&format!("clock of {service}")), "the clock of {service} is spared");
        }
        for other in ["postgres", "nats", "media", "partner", "Evidence disk", "Spool disk"] {
            assert!(last.contains_key(other), "{other} is spared");
        }
        let numbers: Vec<_> = plan.calls.iter().map(|call| call.number).collect();
        assert_eq!(numbers, (6_000..).take(plan.calls.len()).collect::<Vec<_>>());
        assert!(plan.calls.len() >= 100, "{}", plan.calls.len());
    }
}
