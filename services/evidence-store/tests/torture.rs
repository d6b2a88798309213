//! kill -9 of a real process, again and again, while segments come in and exhibits are sealed: every ack is kept, and every
//! exhibit is sealed once. `ALCOVE_TORTURE_LOOPS` says how often (`make torture`: 500).

use std::{collections::BTreeMap, time::Duration};

use crate::support::*;
use api::evidence::v1::{AppendSegmentsResponse, ExhibitSealed};
use chassis::Entropy;
use exhibit::verify::Outcome;

const TRACKS: [&str; 2] = ["caller-1", "officer-1"];
/// Segments of a track at which its call ends.
const ENOUGH: u64 = 60;

/// One call, and every ack that came of it.
#[derive(Default)]
struct Call {
    acks: BTreeMap<(String, u64), AppendSegmentsResponse>,
    next: BTreeMap<&'static str, u64>,
}

impl Call {
    /// Sends on, from what was acknowledged last, until the process dies or there is enough.
    async fn send(&mut self, client: &Client, id: &str) {
        let sends = TRACKS.map(|track| {
            let next = self.next.get(track).copied().unwrap_or(0);
            async move {
                let mut acks = vec![];
                let Some(mut stream) = Appending::attempt(client).await else { return (track, acks) };
                for seq in next..ENOUGH {
                    if stream.segments.send(holding(id, track, seq, bytes(track, seq, 4_000))).await.is_err() {
                        break;
                    }
                }
                while acks.len() as u64 + next < ENOUGH
                    && let Ok(Some(ack)) = stream.acks.message().await
                {
                    acks.push(ack);
                }
                (track, acks)
            }
        });
        for (track, acks) in futures::future::join_all(sends).await {
            for ack in acks {
                assert_eq!(ack.track, track);
                self.next.insert(track, ack.seq + 1);
                self.acks.insert((track.to_owned(), ack.seq), ack);
            }
        }
    }

    fn is_whole(&self) -> bool {
        TRACKS.iter().all(|track| self.next.get(track) == Some(&ENOUGH))
    }

    /// Each ack's segment again: the same chain head, whatever state the exhibit is in by now.
    async fn assert_kept(&self, client: &Client, id: &str) {
        let mut stream = Appending::to(client).await;
        for ((track, seq), ack) in &self.acks {
            let again = stream.send(holding(id, track, *seq, bytes(track, *seq, 4_000))).await.unwrap();
            assert_eq!((&again.track, again.seq, &again.chain), (track, *seq, &ack.chain));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_any_moment_it_keeps_every_ack_and_seals_once() {
    let loops: u32 = std::env::var("ALCOVE_TORTURE_LOOPS").map_or(60, |loops| loops.parse().unwrap());
    let mut room = Room::open().await;
    let others = Others::at(&room.nats).await;
    let entropy = Entropy::seeded(u64::from(loops));
    let mut calls: BTreeMap<String, Call> = BTreeMap::new();
    let mut open: Vec<String> = vec![];
    let mut ended: Vec<String> = vec![];
    for round in 0..loops {
        while open.len() < 2 {
            let call = fresh();
            if room.client.clone().open_exhibit(opening(&call)).await.is_ok() {
                calls.insert(call.clone(), Call::default());
                open.push(call);
            }
        }
        // How long it lives, in microseconds: between no time and that of some batches and seals.
        let life = Duration::from_micros(u64::from(u32::from_be_bytes(entropy.bytes()) % 120_000));
        let client = room.client.clone();
        let sending = async {
            let mut taken: Vec<_> = open.iter().map(|id| (id.clone(), calls.remove(id).unwrap())).collect();
            let sends = taken.iter_mut().map(|(id, call)| call.send(&client, id));
            futures::future::join_all(sends).await;
            taken
        };
        let killing = async {
            tokio::time::sleep(life).await;
            room.service.kill().await.unwrap();
        };
        let (taken, ()) = tokio::join!(sending, killing);
        calls.extend(taken);
        room.restart().await;
        // The newest acks are those in danger.
        for id in &open {
            calls[id].assert_kept(&room.client, id).await;
        }
        let (done, rest) = open.into_iter().partition(|id| calls[id].is_whole());
        open = rest;
        for id in done {
            others.ended(&id, &TRACKS.map(|track| (track, ENOUGH))).await;
            ended.push(id);
        }
        if round % 50 == 49 {
            eprintln!("{} kills, {} exhibits ended", round + 1, ended.len());
        }
    }
    for id in &ended {
        let events = room.published(id, "exhibit_sealed").await;
        let sealed: ExhibitSealed = events.last().unwrap().decode();
        assert_eq!(sealed.missing_segments, 0, "{id}");
        calls[id].assert_kept(&room.client, id).await;
        let report = room.verified(&sealed.exhibit_id).await;
        assert_eq!(report.outcome(), Outcome::InPart, "{report:?}");
    }
    // Everything that was ever published: one seal each, and no alarm.
    let mut seals: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for event in room.everything().await {
        assert_ne!(event.name, "integrity_alarm");
        if event.name == "exhibit_sealed" {
            let sealed: ExhibitSealed = event.decode();
            let told = seals.entry(sealed.call_id).or_default();
            // Told twice, perhaps; sealed once.
            if !told.contains(&sealed.seal_sha256) {
                told.push(sealed.seal_sha256);
            }
        }
    }
    assert_eq!(seals.len(), ended.len());
    assert!(seals.values().all(|seals| seals.len() == 1), "{seals:?}");
    let acks: usize = calls.values().map(|call| call.acks.len()).sum();
    eprintln!("{loops} kills: {acks} acks kept, {} exhibits sealed once each", ended.len());
}
