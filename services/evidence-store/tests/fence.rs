//! What comes at the very moment of the seal: whoever was first, all that was acknowledged is sealed, and sealed once.

use std::collections::BTreeMap;

use crate::support::{items::*, *};
use api::evidence::v1::{ExhibitSealed, ItemKind};
use exhibit::{Digest, Manifest};
use futures::future::join_all;

impl Room {
    /// The manifests of a call's sealed exhibit and of its addenda, by exhibit, in order.
    async fn parts_of(&self, call: &str) -> Vec<(String, Manifest)> {
        let own = self.exhibit(call).await.unwrap();
        let mut parts = vec![];
        for id in [vec![own.exhibit_id], own.addendum_exhibit_ids].concat() {
            let manifest = self.file(&id, "bag/data/manifest.json").await;
            parts.push((id, Manifest::parse(&manifest).unwrap()));
        }
        parts
    }
}

/// Sends each of these and, as a sender does that lost its ack, sends it again. Answers what each ack says is held.
async fn send_twice(room: &Room, call: &str, track: &str, seqs: std::ops::Range<u64>) -> Vec<(String, u64, Digest)> {
    let mut stream = room.append().await;
    let mut held_at = vec![];
    for seq in seqs {
        let ack = stream.send(segment(call, track, seq)).await.unwrap();
        let chain: [u8; 32] = ack.chain[..].try_into().unwrap();
        held_at.push((track.to_owned(), seq, Digest::from(chain)));
        assert_eq!(held(stream.send(segment(call, track, seq)).await.unwrap()), held(ack));
    }
    held_at
}

#[tokio::test(flavor = "multi_thread")]
async fn a_segment_at_the_moment_of_the_seal_is_in_the_exhibit_or_in_its_addendum() {
    const TRACKS: [&str; 3] = ["caller-1", "caller-2", "officer-1"];
    const EACH: u64 = 40;
    let room = Room::with(&[NO_GRACE, NEVER_QUIET]).await;
    let others = Others::at(&room.nats).await;
    for round in 0..10 {
        let call = room.call().await;
        let sending = async |seqs: std::ops::Range<u64>| {
            let tracks = TRACKS.iter().map(|track| send_twice(&room, &call, track, seqs.clone()));
            join_all(tracks).await.concat()
        };
        // What came before the end, what comes at that moment, and what is left for after it.
        let first = sending(0..1 + round).await;
        let declared = TRACKS.map(|track| (track, EACH));
        let (during, ()) = tokio::join!(sending(1 + round..EACH - 1), others.ended(&call, &declared));
        let own: ExhibitSealed = room.published(&call, "exhibit_sealed").await.pop().unwrap().decode();
        let last = sending(EACH - 1..EACH).await;
        room.published(&call, "addendum_sealed").await;

        let parts = room.parts_of(&call).await;
        assert!(parts.len() == 2 && parts[0].0 == own.exhibit_id, "{parts:?}");
        let mut sealed: BTreeMap<_, Vec<(&str, Digest)>> = BTreeMap::new();
        for (id, manifest) in &parts {
            for track in &manifest.tracks {
                let list = room.file(id, &format!("bag/data/{}", track.segments.path)).await;
                for segment in exhibit::Segment::read_list(&list).unwrap() {
                    let bytes = bytes(track.name.as_str(), segment.seq, 10_000);
                    assert_eq!(segment.sha256, Digest::of(&bytes));
                    sealed.entry((track.name.to_string(), segment.seq)).or_default().push((id, segment.chain));
                }
            }
        }
        let acknowledged = [&first[..], &during, &last].concat();
        assert_eq!((acknowledged.len(), sealed.len()), (TRACKS.len() * EACH as usize, acknowledged.len()));
        for (track, seq, chain) in &acknowledged {
            let there = &sealed[&(track.clone(), *seq)];
            assert!(matches!(there[..], [(_, sealed)] if sealed == *chain), "{track} {seq}: {there:?}");
        }
        // Whoever was first: neither is empty.
        let part_of = |(track, seq, _): &(String, u64, Digest)| sealed[&(track.clone(), *seq)][0].0;
        assert!(first.iter().all(|segment| part_of(segment) == parts[0].0));
        assert!(last.iter().all(|segment| part_of(segment) == parts[1].0));
        // What was left out of the one is what is in the other.
        assert_eq!(own.missing_segments, parts[1].1.tracks.iter().map(|track| track.segments.count).sum::<u64>());
    }
}

/// A sender that lost its acks sends again, and the fence comes down in the meantime: what is held is acknowledged from where it
/// is held, and no part is opened for it.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_only_sent_again_at_the_moment_of_the_seal_opens_no_addendum() {
    const HELD: u64 = 6;
    let room = Room::with(&[NEVER_QUIET]).await;
    let others = Others::at(&room.nats).await;
    for _ in 0..10 {
        let call = room.call().await;
        let first = send_twice(&room, &call, "caller-1", 0..HELD).await;
        let again = async || send_twice(&room, &call, "caller-1", 0..HELD).await;
        let (one, two, three, ()) = tokio::join!(again(), again(), again(), others.ended(&call, &[("caller-1", HELD)]));
        room.published(&call, "exhibit_sealed").await;
        assert!([one, two, three, again().await].iter().all(|acknowledged| *acknowledged == first));
        assert_eq!(room.exhibit(&call).await.unwrap().addendum_exhibit_ids, [""; 0]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_item_at_the_moment_of_the_seal_is_in_the_exhibit_or_in_its_addendum() {
    const ITEMS: usize = 8;
    let room = Room::with(&[NEVER_QUIET]).await;
    let others = Others::at(&room.nats).await;
    for round in 0..12_u8 {
        let call = room.call().await;
        room.append().await.send(segment(&call, "caller-1", 0)).await.unwrap();
        let data = vec![b'0' + round; 40_000];
        let adding = async |n: usize| {
            let header = header(&call, ItemKind::Other, &format!("x-{n}"), &data);
            add(&room.client, &header, &data).await.unwrap()
        };
        let mut answers = vec![adding(0).await];
        let during = async {
            let mut answers = vec![];
            for n in 1..ITEMS - 1 {
                answers.push(adding(n).await);
            }
            answers
        };
        let (during, ()) = tokio::join!(during, others.ended(&call, &[("caller-1", 1)]));
        answers.extend(during);
        let own: ExhibitSealed = room.published(&call, "exhibit_sealed").await.pop().unwrap().decode();
        answers.push(adding(ITEMS - 1).await);
        let late = answers.last().unwrap().exhibit_id.clone();
        assert_eq!(answers[0].exhibit_id, own.exhibit_id);
        assert_ne!(late, own.exhibit_id);
        room.client.clone().seal(sealing(&late)).await.unwrap();
        room.published(&call, "addendum_sealed").await;

        let parts = room.parts_of(&call).await;
        assert_eq!(parts.iter().map(|(_, manifest)| manifest.items.len()).sum::<usize>(), ITEMS);
        for (n, answer) in answers.iter().enumerate() {
            let name = format!("x-{n}");
            let holding = parts.iter().filter(|(_, part)| part.items.iter().any(|item| item.name.as_str() == name));
            let holding: Vec<_> = holding.map(|(id, _)| id).collect();
            assert_eq!(holding, [&answer.exhibit_id], "{name}");
            let path = format!("bag/data/{}", answer.item.as_ref().unwrap().path);
            assert!(room.file(&answer.exhibit_id, &path).await == data, "{path} of {}", answer.exhibit_id);
        }
    }
}
