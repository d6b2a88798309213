//! The choreography of the five services in one thread: their own domains and their own reading and writing of events, one manual clock, and
//! a bus that duplicates, delays, loses and redelivers, and lets a service crash wherever one can. A seed decides everything: thousands are
//! played, and each is a story that can be played again. docs/faults.md says what it promises.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod bus;
mod courier;
mod desk;
mod evidence;
mod intake;
mod office;
mod people;
mod referrals;
mod sessions;
mod story;
mod truth;
mod world;

use story::Story;
use world::World;

/// So many seeds each time; `ALCOVE_SIM_SEEDS` says otherwise.
const SEEDS: u64 = 2_000;
/// Random steps of a story before everything is left to come to its end.
const STEPS: u32 = 300;

/// Plays a seed for so many random steps: its story, and what didn't hold.
fn play(seed: u64, steps: u32, is_told: bool) -> (Story, Option<String>) {
    let mut world = World::new(seed, is_told);
    let broken = world.live(steps).and_then(|()| world.settle()).and_then(|()| truth::holds(&world)).err();
    (world.story, broken)
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// The shortest beginning of a story that still ends badly, told to its end.
fn shortest(seed: u64) -> String {
    let steps = (0..=STEPS).find(|steps| play(seed, *steps, false).1.is_some()).unwrap_or(STEPS);
    let (story, broken) = play(seed, steps, true);
    format!(
        "seed {seed}, after {steps} random steps: {}\n{}\nagain: ALCOVE_SIM_SEED={seed} cargo nextest run --workspace -E 'binary(simulation)' --no-capture",
        broken.unwrap_or_default(),
        story.last(60)
    )
}

#[test]
fn whatever_the_bus_and_the_clock_do_every_promise_is_kept() {
    if let Some(seed) = number("ALCOVE_SIM_SEED") {
        let (story, broken) = play(seed, STEPS, true);
        println!("{}", story.last(usize::MAX));
        assert!(broken.is_none(), "{}", shortest(seed));
        return;
    }
    let mut told = truth::Told::default();
    for seed in 0..number("ALCOVE_SIM_SEEDS").unwrap_or(SEEDS) {
        let mut world = World::new(seed, false);
        let broken = world.live(STEPS).and_then(|()| world.settle()).and_then(|()| truth::holds(&world));
        assert!(broken.is_ok(), "{}", shortest(seed));
        told.add(&world);
    }
    // A simulation in which nothing happens keeps every promise, too.
    println!("{told:?}");
    told.is_a_world();
}

#[test]
fn a_seed_is_one_story() {
    for seed in 0..50 {
        let [(first, _), (second, _)] = [play(seed, STEPS, false), play(seed, STEPS, true)];
        assert_eq!(first.hash(), second.hash(), "seed {seed}");
    }
    let hashes: std::collections::BTreeSet<_> = (0..50).map(|seed| play(seed, STEPS, false).0.hash()).collect();
    assert_eq!(hashes.len(), 50);
}
