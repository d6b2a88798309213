//! Who may let an exhibit go, and what stands in the way: over the door, with a real database.

use crate::support::{retention::*, *};
use api::evidence::v1::{
    DisposeRequest, ExhibitDisposed, ExhibitState, PlaceHoldRequest, ReleaseHoldRequest, ReviewDecision,
    ReviewRetentionRequest,
};
use tonic::Code;

#[tokio::test]
async fn two_people_let_an_exhibit_go_and_its_tombstone_stays() {
    let room = Room::with(&[DUE_AT_ONCE]).await;
    let (call, exhibit) = room.sealed_call().await;
    let mut client = room.client.clone();
    refused(client.dispose(disposing(&exhibit)).await, Code::FailedPrecondition, "NOT_REVIEWED");
    client.review_retention(reviewing(&exhibit, "Insp 7", ReviewDecision::Dispose)).await.unwrap();
    refused(client.dispose(disposing(&exhibit)).await, Code::FailedPrecondition, "NOT_REVIEWED");
    for same in ["Insp 7", " insp  7 ", "INSP-7"] {
        let again = reviewing(&exhibit, same, ReviewDecision::Dispose);
        refused(client.review_retention(again).await, Code::FailedPrecondition, "SAME_PERSON");
    }
    let second = reviewing(&exhibit, "Supt 9", ReviewDecision::Dispose);
    let answer = client.review_retention(second.clone()).await.unwrap().into_inner();
    assert_eq!(client.review_retention(second).await.unwrap().into_inner(), answer);
    let reviews = answer.retention.unwrap().reviews;
    let reviews: Vec<_> = reviews.iter().map(|r| (r.who.as_str(), r.decision())).collect();
    assert_eq!(reviews, [("Insp 7", ReviewDecision::Dispose), ("Supt 9", ReviewDecision::Dispose)]);

    let request = disposing(&exhibit);
    let disposed = client.dispose(request.clone()).await.unwrap().into_inner();
    assert_eq!(disposed.tombstone_sha256.len(), 64);
    // The same request, and another one: the first answer.
    assert_eq!(client.dispose(request).await.unwrap().into_inner(), disposed);
    assert_eq!(client.dispose(disposing(&exhibit)).await.unwrap().into_inner(), disposed);
    let events = room.published(&call, "exhibit_disposed").await;
    let event: ExhibitDisposed = events.last().unwrap().decode();
    assert_eq!((event.exhibit_id, event.tombstone_sha256), (exhibit.clone(), disposed.tombstone_sha256));
    assert_eq!(events.iter().filter(|event| event.name == "exhibit_disposed").count(), 1);

    let got = room.exhibit(&call).await.unwrap();
    assert_eq!(got.state(), ExhibitState::Disposed);
    assert!(got.retention.unwrap().disposed_at.is_some() && !got.seal_sha256.is_empty());
    refused(client.place_hold(holding_back(&exhibit)).await, Code::FailedPrecondition, "DISPOSED");
    let late = reviewing(&exhibit, "Insp 1", ReviewDecision::Retain);
    refused(client.review_retention(late).await, Code::FailedPrecondition, "DISPOSED");
    let said: Vec<_> = room.accesses(&exhibit).await.into_iter().map(|access| access.what).collect();
    assert_eq!(said, ["review: dispose", "review: dispose", "dispose"]);
}

#[tokio::test]
async fn a_hold_stands_in_the_way_until_it_is_released() {
    let room = Room::with(&[DUE_AT_ONCE]).await;
    let (call, exhibit) = room.sealed_call().await;
    let mut client = room.client.clone();
    room.reviewed_twice(&exhibit).await;
    let request = holding_back(&exhibit);
    let first = client.place_hold(request.clone()).await.unwrap().into_inner().hold_id;
    assert_eq!(client.place_hold(request.clone()).await.unwrap().into_inner().hold_id, first);
    let reused = PlaceHoldRequest { reason: "another".into(), ..request };
    refused(client.place_hold(reused).await, Code::AlreadyExists, "REQUEST_ID_REUSED");
    let second = client.place_hold(holding_back(&exhibit)).await.unwrap().into_inner().hold_id;
    refused(client.dispose(disposing(&exhibit)).await, Code::FailedPrecondition, "ON_HOLD");
    let release = releasing(&exhibit, &first);
    client.release_hold(release.clone()).await.unwrap();
    client.release_hold(release).await.unwrap();
    refused(client.release_hold(releasing(&exhibit, &first)).await, Code::FailedPrecondition, "ALREADY_RELEASED");
    refused(client.dispose(disposing(&exhibit)).await, Code::FailedPrecondition, "ON_HOLD");
    refused(client.release_hold(releasing(&exhibit, &fresh())).await, Code::NotFound, "UNKNOWN_HOLD");
    let (_, other) = room.sealed_call().await;
    refused(client.release_hold(releasing(&other, &second)).await, Code::NotFound, "UNKNOWN_HOLD");
    client.release_hold(releasing(&exhibit, &second)).await.unwrap();
    let holds = room.exhibit(&call).await.unwrap().retention.unwrap().holds;
    assert!(holds.len() == 2 && holds.iter().all(|hold| hold.released_at.is_some()));
    client.dispose(disposing(&exhibit)).await.unwrap();
}

#[tokio::test]
async fn before_its_day_nobody_can_say_that_it_may_go() {
    let room = Room::with(&[("ALCOVE_EVIDENCE_STORE__RETENTION__CLASSES__LONG", "9000")]).await;
    let call = room.call().await;
    let open = room.exhibit(&call).await.unwrap();
    assert_eq!(open.retention.unwrap().due_at, None);
    let mut client = room.client.clone();
    let open = open.exhibit_id;
    let early = reviewing(&open, "Insp 7", ReviewDecision::Dispose);
    refused(client.review_retention(early).await, Code::FailedPrecondition, "NOT_SEALED");
    refused(client.dispose(disposing(&open)).await, Code::FailedPrecondition, "NOT_SEALED");
    client.place_hold(holding_back(&open)).await.unwrap();

    let (call, exhibit) = room.sealed_call().await;
    let got = room.exhibit(&call).await.unwrap();
    let (retention, sealed) = (got.retention.unwrap(), got.sealed_at.unwrap());
    assert_eq!(retention.class, "default");
    assert_eq!(retention.due_at.unwrap().seconds, sealed.seconds + 2190 * 86_400);
    let early = reviewing(&exhibit, "Insp 7", ReviewDecision::Dispose);
    refused(client.review_retention(early).await, Code::FailedPrecondition, "NOT_DUE");
    let retain = |class: &str| ReviewRetentionRequest {
        class: class.into(),
        ..reviewing(&exhibit, "Insp 7", ReviewDecision::Retain)
    };
    refused(client.review_retention(retain("unheard-of")).await, Code::InvalidArgument, "INVALID_CLASS");
    let long = client.review_retention(retain("long")).await.unwrap().into_inner().retention.unwrap();
    assert_eq!(long.class, "long");
    // A shorter class from now on never brings the day nearer.
    let short = client.review_retention(retain("default")).await.unwrap().into_inner().retention.unwrap();
    assert_eq!((short.class.as_str(), short.due_at), ("default", long.due_at));
}

#[tokio::test]
async fn a_review_that_keeps_it_voids_what_was_said_before() {
    let room = Room::with(&[DUE_AT_ONCE]).await;
    let (_, exhibit) = room.sealed_call().await;
    let mut client = room.client.clone();
    room.reviewed_twice(&exhibit).await;
    let keep = reviewing(&exhibit, "Supt 9", ReviewDecision::Retain);
    let kept = client.review_retention(keep).await.unwrap().into_inner().retention.unwrap();
    assert!(kept.reviews.is_empty());
    refused(client.dispose(disposing(&exhibit)).await, Code::FailedPrecondition, "NOT_REVIEWED");
    client.review_retention(reviewing(&exhibit, "Supt 9", ReviewDecision::Dispose)).await.unwrap();
    refused(client.dispose(disposing(&exhibit)).await, Code::FailedPrecondition, "NOT_REVIEWED");
}

#[tokio::test]
async fn each_refusal_has_its_name() {
    let room = Room::with(&[DUE_AT_ONCE]).await;
    let (_, exhibit) = room.sealed_call().await;
    let mut client = room.client.clone();
    let hold = client.place_hold(holding_back(&exhibit)).await.unwrap().into_inner().hold_id;
    let review = || reviewing(&exhibit, "Insp 7", ReviewDecision::Dispose);
    for who in ["", "  ", "a\nb", &"x".repeat(65)] {
        let who = who.to_owned();
        let bad = PlaceHoldRequest { who: who.clone(), ..holding_back(&exhibit) };
        refused(client.place_hold(bad).await, Code::InvalidArgument, "INVALID_WHO");
        let bad = ReleaseHoldRequest { who: who.clone(), ..releasing(&exhibit, &hold) };
        refused(client.release_hold(bad).await, Code::InvalidArgument, "INVALID_WHO");
        let bad = ReviewRetentionRequest { who: who.clone(), ..review() };
        refused(client.review_retention(bad).await, Code::InvalidArgument, "INVALID_WHO");
        let bad = DisposeRequest { who, ..disposing(&exhibit) };
        refused(client.dispose(bad).await, Code::InvalidArgument, "INVALID_WHO");
    }
    for reason in ["", "\t", &"x".repeat(501)] {
        let reason = reason.to_owned();
        let bad = PlaceHoldRequest { reason: reason.clone(), ..holding_back(&exhibit) };
        refused(client.place_hold(bad).await, Code::InvalidArgument, "REASON_REQUIRED");
        let bad = ReleaseHoldRequest { reason: reason.clone(), ..releasing(&exhibit, &hold) };
        refused(client.release_hold(bad).await, Code::InvalidArgument, "REASON_REQUIRED");
        let bad = ReviewRetentionRequest { reason: reason.clone(), ..review() };
        refused(client.review_retention(bad).await, Code::InvalidArgument, "REASON_REQUIRED");
        let bad = DisposeRequest { reason, ..disposing(&exhibit) };
        refused(client.dispose(bad).await, Code::InvalidArgument, "REASON_REQUIRED");
    }
    let bad = ReviewRetentionRequest { decision: 0, ..review() };
    refused(client.review_retention(bad).await, Code::InvalidArgument, "INVALID_DECISION");
    let bad = ReviewRetentionRequest { class: "default".into(), ..review() };
    refused(client.review_retention(bad).await, Code::InvalidArgument, "INVALID_CLASS");
    for (force, exhibit) in [("kent", exhibit.clone()), (FORCE, fresh())] {
        let force_id = || force.to_owned();
        let bad = PlaceHoldRequest { force_id: force_id(), ..holding_back(&exhibit) };
        refused(client.place_hold(bad).await, Code::NotFound, "UNKNOWN_EXHIBIT");
        let bad = ReleaseHoldRequest { force_id: force_id(), ..releasing(&exhibit, &hold) };
        refused(client.release_hold(bad).await, Code::NotFound, "UNKNOWN_EXHIBIT");
        let bad = ReviewRetentionRequest { force_id: force_id(), ..reviewing(&exhibit, "a", ReviewDecision::Retain) };
        refused(client.review_retention(bad).await, Code::NotFound, "UNKNOWN_EXHIBIT");
        let bad = DisposeRequest { force_id: force_id(), ..disposing(&exhibit) };
        refused(client.dispose(bad).await, Code::NotFound, "UNKNOWN_EXHIBIT");
    }
    refused(client.place_hold(holding_back("x")).await, Code::InvalidArgument, "MALFORMED_ID");
    refused(client.release_hold(releasing(&exhibit, "x")).await, Code::InvalidArgument, "MALFORMED_ID");
}

/// Many rounds: whoever comes first, nothing is ever gone with a hold on it.
#[tokio::test(flavor = "multi_thread")]
async fn a_hold_and_a_disposal_at_once_never_both_happen() {
    let room = Room::with(&[DUE_AT_ONCE]).await;
    let others = Others::at(&room.nats).await;
    let (mut held, mut gone) = (0, 0);
    for round in 0..24 {
        let (call, exhibit) = room.sealed_call_by(&others).await;
        room.reviewed_twice(&exhibit).await;
        let (mut a, mut b, mut c) = (room.client.clone(), room.client.clone(), room.client.clone());
        let hold = a.place_hold(holding_back(&exhibit));
        let (first, second) = (b.dispose(disposing(&exhibit)), c.dispose(disposing(&exhibit)));
        // Two races, and each of the two surely first.
        let (hold, first, second) = match round % 4 {
            0 => tokio::join!(hold, first, second),
            1 => {
                let (first, hold, second) = tokio::join!(first, hold, second);
                (hold, first, second)
            }
            2 => (hold.await, first.await, second.await),
            _ => {
                let (first, second) = tokio::join!(first, second);
                (hold.await, first, second)
            }
        };
        let got = room.exhibit(&call).await.unwrap();
        let standing = got.retention.as_ref().unwrap().holds.len();
        assert_ne!(hold.is_ok(), got.state() == ExhibitState::Disposed, "{hold:?} {first:?} {second:?}");
        assert_eq!(standing, usize::from(hold.is_ok()));
        match hold {
            Ok(_) => {
                held += 1;
                refused(first, Code::FailedPrecondition, "ON_HOLD");
                refused(second, Code::FailedPrecondition, "ON_HOLD");
            }
            Err(_) => {
                gone += 1;
                refused(hold, Code::FailedPrecondition, "DISPOSED");
                assert_eq!(first.unwrap().into_inner(), second.unwrap().into_inner());
            }
        }
    }
    assert!(held >= 6 && gone >= 6, "{held} were held, {gone} are gone");
}
