//! What comes after the fence is never turned away: it becomes an addendum, sealed beside its parent.

use crate::support::{items::*, retention::*, *};
use api::evidence::v1::{
    AddAddendumRequest, AddendumSealed, ExhibitSealed, ExhibitState, GetExhibitRequest, GetExhibitResponse, ItemKind,
    ListExhibitsRequest, get_exhibit_request::Key,
};
use exhibit::{
    Digest, Manifest, package,
    tlog::{Proof, WitnessPolicy},
    verify::Outcome,
};
use tonic::Code;

const QUIET: (&str, &str) = ("ALCOVE_EVIDENCE_STORE__ADDENDUM__QUIET_SECONDS", "1");

impl Room {
    async fn exhibit_by_id(&self, id: &str) -> GetExhibitResponse {
        let request = GetExhibitRequest { force_id: FORCE.into(), key: Some(Key::ExhibitId(id.into())) };
        self.client.clone().get_exhibit(request).await.unwrap().into_inner()
    }
}

fn manifest(archive: &[u8]) -> Manifest {
    Manifest::parse(&file_in(archive, "bag/data/manifest.json").unwrap()).unwrap()
}

#[tokio::test]
async fn segments_that_come_late_are_sealed_as_an_addendum_once_all_are_there() {
    let mut room = Room::with(&[NO_GRACE, NEVER_QUIET]).await;
    let others = Others::at(&room.nats).await;
    let call = room.call().await;
    let mut stream = room.append().await;
    for seq in 0..3 {
        stream.send(segment(&call, "caller-1", seq)).await.unwrap();
    }
    others.ended(&call, &[("caller-1", 7)]).await;
    let own: ExhibitSealed = room.published(&call, "exhibit_sealed").await.pop().unwrap().decode();
    assert_eq!(own.missing_segments, 4);

    let mut acks = vec![];
    for seq in 3..5 {
        acks.push(stream.send(segment(&call, "caller-1", seq)).await.unwrap());
    }
    // In the middle of it the process dies: what was acknowledged is still held, and the rest still welcome.
    room.service.kill().await.unwrap();
    room.restart().await;
    let mut stream = room.append().await;
    for ack in &acks {
        assert_eq!(stream.send(segment(&call, "caller-1", ack.seq)).await.unwrap().chain, ack.chain);
    }
    // What its parent holds is acknowledged as ever; a gap or other bytes are refused as ever.
    assert_eq!(stream.send(segment(&call, "caller-1", 1)).await.unwrap().seq, 1);
    let early = room.append().await.send(segment(&call, "caller-1", 6)).await;
    let status = refused(early, Code::FailedPrecondition, "SEGMENT_OUT_OF_ORDER");
    assert_eq!(chassis::status::metadata_of(&status, "expected_seq").as_deref(), Some("5"));
    let other = room.append().await.send(holding(&call, "caller-1", 1, b"not what was said".to_vec())).await;
    refused(other, Code::DataLoss, "SEGMENT_CONFLICT");
    room.published(&call, "integrity_alarm").await;
    for seq in 5..7 {
        stream.send(segment(&call, "caller-1", seq)).await.unwrap();
    }
    let events = room.published(&call, "addendum_sealed").await;
    let sealed: AddendumSealed = events.last().unwrap().decode();
    assert_eq!(sealed.parent_exhibit_id, own.exhibit_id);
    // Its first letter may be a 1, too.
    let stem = own.reference.strip_suffix("/1").unwrap();
    assert_eq!(sealed.reference, format!("{stem}/2"));
    // Others take an exhibit_sealed for the call's own: there is one.
    assert_eq!(events.iter().filter(|event| event.name == "exhibit_sealed").count(), 1);
    let parent = room.exhibit(&call).await.unwrap();
    assert_eq!(parent.addendum_exhibit_ids, std::slice::from_ref(&sealed.exhibit_id));
    let addendum = room.exhibit_by_id(&sealed.exhibit_id).await;
    assert_eq!((addendum.state(), &addendum.parent_exhibit_id), (ExhibitState::Sealed, &own.exhibit_id));
    assert_eq!(addendum.seal_sha256, sealed.seal_sha256);

    let report = room.verified(&sealed.exhibit_id).await;
    assert_eq!(report.outcome(), Outcome::InPart, "{report:?}");
    let manifest = manifest(&room.export(&sealed.exhibit_id).await);
    let parent = manifest.parent.unwrap();
    assert_eq!((parent.exhibit.to_string(), parent.reference), (own.exhibit_id, own.reference));
    assert_eq!(parent.seal_sha256.to_string(), own.seal_sha256);
    // And where the parent is in the log, as the parent's own proof has it.
    let archive = room.export(&parent.exhibit.to_string()).await;
    let proof = Proof::parse(file_in(&archive, package::LOG_PROOF).unwrap()).unwrap();
    let entry = file_in(&archive, package::LOG_ENTRY).unwrap();
    proof.verify(&entry, &room.log_key(), &WitnessPolicy::default()).unwrap();
    // The leaf's hash, by RFC 6962.
    let leaf = Digest::of(&[&[0][..], &entry].concat());
    assert_eq!((parent.log_index, parent.log_entry_sha256), (Some(proof.index), Some(leaf)));
    assert_eq!(parent.log_origin.as_deref(), Some(room.log_key().name()));
    let exhibit::Segments { first_seq, last_seq, count, .. } = manifest.tracks[0].segments;
    assert_eq!((first_seq, last_seq, count, manifest.missing.len()), (3, 6, 4, 0));
    // Late once more: sealed is sealed, and what it holds is acknowledged from there.
    assert_eq!(room.append().await.send(segment(&call, "caller-1", 6)).await.unwrap().seq, 6);
}

#[tokio::test]
async fn what_never_comes_leaves_an_addendum_that_says_so() {
    let room = Room::with(&[NO_GRACE, QUIET]).await;
    let others = Others::at(&room.nats).await;
    let call = room.call().await;
    room.append().await.send(segment(&call, "caller-1", 0)).await.unwrap();
    others.ended(&call, &[("caller-1", 5), ("officer-1", 2)]).await;
    room.published(&call, "exhibit_sealed").await;
    let mut stream = room.append().await;
    stream.send(segment(&call, "caller-1", 1)).await.unwrap();
    // A track that nothing had come of, and one that nobody declared.
    stream.send(segment(&call, "officer-1", 0)).await.unwrap();
    stream.send(segment(&call, "caller-2", 0)).await.unwrap();
    let sealed: AddendumSealed = room.published(&call, "addendum_sealed").await.pop().unwrap().decode();
    let archive = room.export(&sealed.exhibit_id).await;
    let missing: Vec<_> =
        manifest(&archive).missing.iter().map(|m| (m.track.to_string(), m.first_seq, m.last_seq)).collect();
    assert_eq!(missing, [("caller-1".to_owned(), 2, 4), ("officer-1".to_owned(), 1, 1)]);
    assert_eq!(room.verified(&sealed.exhibit_id).await.outcome(), Outcome::InPart);
    // The rest after all: a third part.
    for seq in 2..5 {
        room.append().await.send(segment(&call, "caller-1", seq)).await.unwrap();
    }
    let third = room.exhibit(&call).await.unwrap().addendum_exhibit_ids.pop().unwrap();
    while room.exhibit_by_id(&third).await.state() != ExhibitState::Sealed {
        room.published(&call, "addendum_sealed").await;
    }
    let third = manifest(&room.export(&third).await);
    assert!(third.reference.ends_with("/3") && third.tracks[0].segments.first_seq == 2 && third.missing.is_empty());
}

#[tokio::test]
async fn an_officer_adds_what_turns_up_later() {
    let room = Room::with(&[NEVER_QUIET]).await;
    let (call, exhibit) = room.sealed_call().await;
    let mut client = room.client.clone();
    let request = addendum(&exhibit);
    let opened = client.add_addendum(request.clone()).await.unwrap().into_inner();
    assert_eq!(client.add_addendum(request).await.unwrap().into_inner(), opened);
    // Another asks: the one that is open.
    assert_eq!(client.add_addendum(addendum(&exhibit)).await.unwrap().into_inner(), opened);
    let data = br#"{"found":"later"}"#.as_slice();
    let by_its_id = header_for(&opened.exhibit_id, ItemKind::Other, "photo-list", data);
    let answer = add(&room.client, &by_its_id, data).await.unwrap();
    assert_eq!(answer.exhibit_id, opened.exhibit_id);
    // By the parent's: the answer says where it went.
    let by_the_parents = header_for(&exhibit, ItemKind::Other, "photo-list", data);
    let answer = add(&room.client, &by_the_parents, data).await.unwrap();
    assert_eq!((answer.exhibit_id.as_str(), answer.item.unwrap().version), (opened.exhibit_id.as_str(), 2));
    assert_eq!(add(&room.client, &by_the_parents, data).await.unwrap().exhibit_id, opened.exhibit_id);
    assert_eq!(room.exhibit_by_id(&opened.exhibit_id).await.state(), ExhibitState::Open);
    refused(client.dispose(disposing(&exhibit)).await, Code::FailedPrecondition, "ADDENDUM_OPEN");

    client.seal(sealing(&opened.exhibit_id)).await.unwrap();
    let sealed: AddendumSealed = room.published(&call, "addendum_sealed").await.pop().unwrap().decode();
    let seal = client.seal(sealing(&opened.exhibit_id)).await.unwrap().into_inner();
    assert_eq!((seal.state(), &seal.seal_sha256), (ExhibitState::Sealed, &sealed.seal_sha256));
    let report = room.verified(&opened.exhibit_id).await;
    assert_eq!(report.outcome(), Outcome::InPart, "{report:?}");
    assert_eq!(manifest(&room.export(&opened.exhibit_id).await).items.len(), 2);
    let next = client.add_addendum(addendum(&exhibit)).await.unwrap().into_inner();
    assert!(next.reference.ends_with("/3"));
}

#[tokio::test]
async fn each_refusal_of_an_addendum_has_its_name() {
    let room = Room::with(&[DUE_AT_ONCE, NEVER_QUIET]).await;
    let call = room.call().await;
    let open = room.exhibit(&call).await.unwrap().exhibit_id;
    let mut client = room.client.clone();
    refused(client.add_addendum(addendum(&open)).await, Code::FailedPrecondition, "NOT_SEALED");
    refused(client.add_addendum(addendum(&fresh())).await, Code::NotFound, "UNKNOWN_EXHIBIT");
    let bad = AddAddendumRequest { force_id: "kent".into(), ..addendum(&open) };
    refused(client.add_addendum(bad).await, Code::NotFound, "UNKNOWN_EXHIBIT");
    let bad = AddAddendumRequest { who: String::new(), ..addendum(&open) };
    refused(client.add_addendum(bad).await, Code::InvalidArgument, "INVALID_WHO");
    let bad = AddAddendumRequest { reason: " ".into(), ..addendum(&open) };
    refused(client.add_addendum(bad).await, Code::InvalidArgument, "REASON_REQUIRED");
    refused(client.seal(sealing(&fresh())).await, Code::NotFound, "UNKNOWN_EXHIBIT");

    let (_, gone) = room.sealed_call().await;
    room.reviewed_twice(&gone).await;
    client.dispose(disposing(&gone)).await.unwrap();
    refused(client.add_addendum(addendum(&gone)).await, Code::FailedPrecondition, "DISPOSED");
    let header = header_for(&gone, ItemKind::Other, "x", b"{}");
    refused(add(&room.client, &header, b"{}").await, Code::FailedPrecondition, "DISPOSED");
}

#[tokio::test]
async fn a_hold_on_one_part_holds_the_others() {
    let room = Room::with(&[DUE_AT_ONCE, NEVER_QUIET]).await;
    let (call, exhibit) = room.sealed_call().await;
    let mut client = room.client.clone();
    let part = client.add_addendum(addendum(&exhibit)).await.unwrap().into_inner().exhibit_id;
    client.seal(sealing(&part)).await.unwrap();
    room.published(&call, "addendum_sealed").await;
    let hold = client.place_hold(holding_back(&part)).await.unwrap().into_inner().hold_id;
    for part in [&exhibit, &part] {
        room.reviewed_twice(part).await;
        refused(client.dispose(disposing(part)).await, Code::FailedPrecondition, "ON_HOLD");
    }
    client.release_hold(releasing(&part, &hold)).await.unwrap();
    client.dispose(disposing(&exhibit)).await.unwrap();
    // Each part is let go by itself.
    assert_eq!(room.exhibit_by_id(&part).await.state(), ExhibitState::Sealed);
    client.dispose(disposing(&part)).await.unwrap();
}

/// Many rounds: an addendum that was opened is never left without its parent, and a parent that is gone opens none.
#[tokio::test(flavor = "multi_thread")]
async fn an_addendum_and_a_disposal_at_once_never_both_happen() {
    let room = Room::with(&[DUE_AT_ONCE, NEVER_QUIET]).await;
    let others = Others::at(&room.nats).await;
    for round in 0..16 {
        let (call, exhibit) = room.sealed_call_by(&others).await;
        room.reviewed_twice(&exhibit).await;
        let (mut a, mut b) = (room.client.clone(), room.client.clone());
        let header = header_for(&exhibit, ItemKind::Other, "x", b"{}");
        let disposed = a.dispose(disposing(&exhibit));
        let (opened, disposed) = if round % 2 == 0 {
            let (opened, disposed) = tokio::join!(b.add_addendum(addendum(&exhibit)), disposed);
            (opened.map(drop), disposed)
        } else {
            let (opened, disposed) = tokio::join!(add(&room.client, &header, b"{}"), disposed);
            (opened.map(drop), disposed)
        };
        let gone = room.exhibit(&call).await.unwrap().state() == ExhibitState::Disposed;
        assert_eq!((opened.is_ok(), disposed.is_ok()), (!gone, gone), "{opened:?} {disposed:?}");
        if gone {
            refused(opened, Code::FailedPrecondition, "DISPOSED");
        } else {
            refused(disposed, Code::FailedPrecondition, "ADDENDUM_OPEN");
        }
    }
}

#[tokio::test]
async fn a_forces_exhibits_are_listed_newest_first() {
    let room = Room::with(&[DUE_AT_ONCE, NEVER_QUIET]).await;
    let (call, exhibit) = room.sealed_call().await;
    let part = room.client.clone().add_addendum(addendum(&exhibit)).await.unwrap().into_inner();
    let mut expected = vec![exhibit.clone(), part.exhibit_id.clone()];
    for _ in 0..5 {
        let call = room.call().await;
        expected.push(room.exhibit(&call).await.unwrap().exhibit_id);
    }
    expected.reverse();
    let (mut seen, mut token) = (vec![], String::new());
    loop {
        let request = ListExhibitsRequest { force_id: FORCE.into(), page_size: 3, page_token: token };
        let page = room.client.clone().list_exhibits(request).await.unwrap().into_inner();
        seen.extend(page.exhibits);
        token = page.next_page_token;
        if token.is_empty() {
            break;
        }
    }
    assert_eq!(seen.iter().map(|e| e.exhibit_id.clone()).collect::<Vec<_>>(), expected);
    assert!(seen[..6].iter().all(|e| e.state() == ExhibitState::Open && e.sealed_at.is_none()));
    assert_eq!((&seen[5].parent_exhibit_id, &seen[5].reference), (&exhibit, &part.reference));
    assert_eq!((seen[6].state(), &seen[6].call_id), (ExhibitState::Sealed, &call));
    let list = |force: &str, token: &str| ListExhibitsRequest {
        force_id: force.into(),
        page_size: 0,
        page_token: token.into(),
    };
    let theirs = room.client.clone().list_exhibits(list("kent", "")).await.unwrap().into_inner();
    assert!(theirs.exhibits.is_empty() && theirs.next_page_token.is_empty());
    let bad = room.client.clone().list_exhibits(list(FORCE, "nonsense")).await;
    refused(bad, Code::InvalidArgument, "INVALID_PAGE_TOKEN");
    let bad = room.client.clone().list_exhibits(list("Kent!", "")).await;
    refused(bad, Code::InvalidArgument, "INVALID_FORCE");
}
