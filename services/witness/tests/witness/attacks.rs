//! Whoever has stolen the log's key, and the evidence store with it, tries to rewrite what was witnessed.

use std::fs;

use exhibit::tlog::note::SignedNote;
use futures::future::join_all;
use reqwest::StatusCode;

use crate::{Log, Witness};

#[tokio::test]
async fn a_fork_signed_with_the_right_key_is_refused_and_kept_as_evidence() {
    let mut log = Log::new("log.example/a", 1);
    let witness = Witness::of(&log).await;
    witness.cosigned(log.grow(10, "entry").body(0)).await;

    // The same size, another root.
    for at in [0, 5, 9] {
        let fork = log.fork(at, "forged");
        assert_eq!(witness.add(fork.body(10)).await, (StatusCode::CONFLICT, "10\n".to_owned()));
        assert_eq!(witness.add(fork.body(0)).await, (StatusCode::CONFLICT, "10\n".to_owned()));
    }
    let forks: Vec<_> =
        fs::read_dir(witness.dir.path().join("data/forks")).unwrap().map(|f| f.unwrap().path()).collect();
    assert_eq!(forks.len(), 3);
    for fork in forks {
        let note = SignedNote::parse(fs::read(fork).unwrap()).unwrap();
        assert!(note.verify(&log.vkey()).is_ok() && note.text() != log.checkpoint().text());
    }

    // A longer one that doesn't begin with what was seen, with its own best path and with the honest one.
    let mut fork = log.fork(4, "forged");
    fork.grow(7, "more");
    assert_eq!(witness.add(fork.body(10)).await.0, StatusCode::UNPROCESSABLE_ENTITY);
    let mut honest = log.clone();
    honest.grow(7, "more");
    let honest_body = honest.body(10);
    let path = honest_body.split_once("\n\n").unwrap().0;
    let mixed = format!("{path}\n\n{}", fork.checkpoint().to_text());
    assert_eq!(witness.add(mixed).await.0, StatusCode::UNPROCESSABLE_ENTITY);

    assert_eq!(witness.seen(log.origin()).await.unwrap().text(), log.checkpoint().text());
    witness.cosigned(honest_body).await;
}

#[tokio::test]
async fn a_log_can_not_be_rolled_back_not_even_over_a_restart() {
    let mut log = Log::new("log.example/a", 1);
    let mut witness = Witness::of(&log).await;
    log.grow(6, "entry");
    let shorter = log.clone();
    witness.cosigned(log.body(0)).await;
    log.grow(6, "entry");
    witness.cosigned(log.body(6)).await;
    for restarted in [false, true] {
        if restarted {
            witness.service.kill().await.unwrap();
            witness.service.restart().await.unwrap();
        }
        for old in [0, 6] {
            assert_eq!(witness.add(shorter.body(old)).await, (StatusCode::CONFLICT, "12\n".to_owned()));
        }
        let claims = shorter.body(6).replace("old 6", "old 12");
        assert_eq!(witness.add(claims).await.0, StatusCode::BAD_REQUEST);
        // And on from the earlier state, as a store restored from yesterday's backup would.
        let mut yesterday = shorter.clone();
        yesterday.grow(9, "other");
        assert_eq!(witness.add(yesterday.body(6)).await, (StatusCode::CONFLICT, "12\n".to_owned()));
        assert_eq!(witness.add(yesterday.body(12)).await.0, StatusCode::UNPROCESSABLE_ENTITY);
    }
}

#[tokio::test]
async fn the_same_checkpoint_again_is_answered_the_same() {
    let mut log = Log::new("log.example/a", 1);
    let witness = Witness::of(&log).await;
    let first = witness.cosigned(log.grow(8, "entry").body(0)).await;
    let seen = witness.seen(log.origin()).await.unwrap();
    // Whoever lost the answer is told the size, and asks again from there.
    assert_eq!(witness.add(log.body(0)).await, (StatusCode::CONFLICT, "8\n".to_owned()));
    for _ in 0..5 {
        assert!(witness.cosigned(log.body(8)).await >= first);
        assert_eq!(witness.seen(log.origin()).await.unwrap(), seen);
    }
}

#[tokio::test]
async fn of_many_forks_at_once_exactly_one_wins() {
    let mut log = Log::new("log.example/a", 1);
    let witness = Witness::of(&log).await;
    witness.cosigned(log.grow(3, "entry").body(0)).await;
    for round in 0..20 {
        let old = log.size();
        let forks: Vec<Log> = (0..8)
            .map(|n| {
                let mut fork = log.clone();
                fork.grow(1 + n % 3, &format!("round {round} fork {n}"));
                fork
            })
            .collect();
        let answers = join_all(forks.iter().map(|fork| witness.add(fork.body(old)))).await;
        let won: Vec<_> = forks.iter().zip(&answers).filter(|(_, answer)| answer.0 == StatusCode::OK).collect();
        let [(winner, answer)] = &won[..] else { panic!("{answers:?}") };
        witness.check(&winner.body(old), &answer.1);
        assert_eq!(answers.iter().filter(|answer| answer.0 == StatusCode::CONFLICT).count(), 7, "{answers:?}");
        assert_eq!(witness.seen(log.origin()).await.unwrap().text(), winner.checkpoint().text());
        log = (*winner).clone();
    }
}

#[tokio::test]
async fn what_can_not_be_kept_is_not_cosigned() {
    let mut log = Log::new("log.example/a", 1);
    let witness = Witness::of(&log).await;
    log.grow(1, "entry");
    let logs = witness.dir.path().join("data/logs");
    fs::remove_dir_all(&logs).unwrap();
    let (status, said) = witness.add(log.body(0)).await;
    assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(!said.contains('—') && !said.contains("/logs"), "{said}");
    assert_eq!(witness.seen(log.origin()).await, None);
    fs::create_dir(&logs).unwrap();
    witness.cosigned(log.body(0)).await;
}
