//! kill -9 at any moment, with a fork on each side of it, and a disk that refuses to sync: the witness never has two words.

use std::{fs, process::Command, time::Duration};

use rand::{Rng, SeedableRng, rngs::StdRng};
use reqwest::StatusCode;

use crate::{Log, Witness};

/// Rounds of: two forks asked for at once, the process killed somewhere in it, and asked again for both.
const ROUNDS: usize = 50;

#[tokio::test]
async fn no_kill_makes_it_cosign_two_trees() {
    let mut log = Log::new("log.example/a", 1);
    let mut witness = Witness::of(&log).await;
    witness.cosigned(log.grow(1, "entry").body(0)).await;
    // Where in a round the kill falls is left to chance; the seed makes the choices, not the schedule.
    let mut random = StdRng::seed_from_u64(7);
    let mut answered_before_the_kill = 0;
    for round in 0..ROUNDS {
        let old = log.size();
        let forks = ["left", "right"].map(|side| {
            let mut fork = log.clone();
            fork.grow(random.random_range(1..4), &format!("{side} {round}"));
            fork
        });
        let (answered, mut first) = tokio::sync::mpsc::unbounded_channel();
        let requests: Vec<_> = forks
            .iter()
            .map(|fork| {
                let (request, answered) = (witness.post(fork.body(old)), answered.clone());
                tokio::spawn(async move {
                    let answer = request.await;
                    let _ = answered.send(());
                    answer
                })
            })
            .collect();
        // Right after an answer, or wherever in the work it falls.
        if round % 5 == 0 {
            first.recv().await.unwrap();
        } else {
            tokio::time::sleep(Duration::from_micros(random.random_range(0..6_000))).await;
        }
        witness.service.kill().await.unwrap();
        let mut won = Vec::new();
        for (request, fork) in requests.into_iter().zip(&forks) {
            let Ok(answer) = request.await.unwrap() else { continue };
            let status = answer.status();
            let Ok(text) = answer.text().await else { continue };
            if status == StatusCode::OK {
                witness.check(&fork.body(old), &text);
                won.push(fork);
            }
        }
        assert!(won.len() <= 1, "two trees were cosigned in round {round}");
        answered_before_the_kill += won.len();

        witness.service.restart().await.unwrap();
        let seen = witness.seen(log.origin()).await.unwrap();
        if let [winner] = won[..] {
            assert_eq!(seen.text(), winner.checkpoint().text(), "a cosigned tree was forgotten in round {round}");
        }
        // Whatever it was in the middle of, it goes on from one of the three, and then with one alone.
        let standing = forks.iter().chain([&log]).find(|tree| tree.checkpoint().text() == seen.text());
        let standing = standing.expect("a tree that nobody asked for").clone();
        let from = standing.size();
        if from == old && standing.root() == log.root() {
            witness.cosigned(forks[0].body(old)).await;
            assert_ne!(witness.add(forks[1].body(old)).await.0, StatusCode::OK);
            log = forks[0].clone();
        } else {
            for fork in &forks {
                let again = if fork.size() == from { fork.body(from) } else { fork.body(old) };
                let ok = witness.add(again).await.0 == StatusCode::OK;
                assert_eq!(ok, fork.root() == standing.root(), "round {round}");
            }
            log = standing;
        }
    }
    assert!(answered_before_the_kill > 0, "the kill always came first: this has shown nothing");
}

#[tokio::test]
async fn a_disk_that_does_not_sync_ends_the_process_before_the_answer() {
    let mut log = Log::new("log.example/a", 1);
    let mut witness = Witness::of(&log).await;
    witness.cosigned(log.grow(2, "entry").body(0)).await;
    let mut longer = log.clone();
    longer.grow(1, "entry");

    let trace = witness.dir.path().join("trace");
    let mut strace = Command::new("strace")
        .args(["-f", "-q", "-e", "trace=fsync", "-e", "inject=fsync:error=EIO", "-o"])
        .arg(&trace)
        .args(["-p", &witness.service.pid().to_string()])
        .spawn()
        .unwrap();
    while !traced(witness.service.pid()) {
        assert_eq!(strace.try_wait().unwrap(), None, "strace can't attach");
        tokio::task::yield_now().await;
    }
    let answer = witness.post(longer.body(2)).await;
    assert!(answer.is_err(), "it answered without having kept it");
    strace.wait().unwrap();
    assert!(fs::read_to_string(&trace).unwrap().contains("EIO"));
    assert_eq!(witness.service.ended().unwrap().and_then(|status| status.code()), Some(74));

    witness.service.restart().await.unwrap();
    assert_eq!(witness.seen(log.origin()).await.unwrap().text(), log.checkpoint().text());
    witness.cosigned(longer.body(2)).await;
}

/// Whether a tracer holds every thread of the process.
fn traced(pid: u32) -> bool {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).unwrap();
    tasks.flatten().all(|task| {
        let status = fs::read_to_string(task.path().join("status")).unwrap_or_default();
        status.lines().any(|line| line.strip_prefix("TracerPid:").is_some_and(|by| by.trim() != "0"))
    })
}
