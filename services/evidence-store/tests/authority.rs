//! The timestamp authority away, slow or wrong: the exhibit waits in `Signed`, says for what, and nothing else suffers.

use crate::support::*;
use api::evidence::v1::ExhibitState;
use testkit::tsa::{Fault, Wrong};

#[tokio::test]
async fn whatever_is_the_matter_with_the_authority_the_exhibit_waits_in_signed() {
    let room = Room::stamped(&[]).await;
    let others = Others::at(&room.nats).await;
    let wrongs = [Wrong::Nonce, Wrong::Policy, Wrong::Imprint, Wrong::Expired, Wrong::Rejection];
    let faults = [Fault::Down, Fault::Garbage, Fault::Endless, Fault::WebPage];
    let mut calls = Vec::new();
    for fault in faults.into_iter().chain(wrongs.map(Fault::Answers)) {
        room.tsa().set(fault);
        let call = room.ended_call(&others, 2).await;
        let waits = |e: &api::evidence::v1::GetExhibitResponse| e.waits_for.starts_with("the timestamp authority");
        let exhibit = room.exhibit_until(&call, waits).await;
        assert_eq!(exhibit.state(), ExhibitState::Signed, "{fault:?}");
        assert!(!exhibit.seal_sha256.is_empty() && exhibit.log_index.is_none() && exhibit.sealed_at.is_none());
        calls.push(call);
    }
    // Nothing of an exhibit without its timestamp is in the log.
    assert_eq!(room.count("select count(*) from evidence.log_entries").await, 0);
    assert_eq!(room.count("select count(*) from evidence.log_queue").await, 0);

    room.tsa().set(Fault::Answers(Wrong::Nothing));
    for call in &calls {
        let sealed = room.sealed(call).await;
        let (token, seal) = (
            room.file(&sealed.exhibit_id, "proof/seal.tsr").await,
            room.file(&sealed.exhibit_id, "proof/seal.p7s").await,
        );
        room.tsa().authority().openssl_verifies(&token, &seal).unwrap();
        assert_eq!(room.exhibit(call).await.unwrap().waits_for, "");
    }
    let seals = "select count(*) from evidence.log_entries where entry like 'alcove seal%'";
    assert_eq!(room.count(seals).await, calls.len() as i64);
}

#[tokio::test]
async fn a_slow_authority_keeps_nobody_from_getting_as_far() {
    let room = Room::stamped(&[("ALCOVE_EVIDENCE_STORE__TIMESTAMPING__TIMEOUT_SECONDS", "120")]).await;
    let others = Others::at(&room.nats).await;
    room.tsa().set(Fault::Slow);
    let mut calls = Vec::new();
    // More than may ask at once.
    for _ in 0..12 {
        calls.push(room.ended_call(&others, 1).await);
    }
    for call in &calls {
        room.exhibit_until(call, |exhibit| exhibit.state() == ExhibitState::Signed).await;
    }
    // The seal's digest is there, for whoever asks.
    room.tsa().set(Fault::Answers(Wrong::Nothing));
    for call in &calls {
        room.sealed(call).await;
    }
    assert_eq!(room.count("select count(*) from evidence.log_entries").await, 12);
}

#[tokio::test]
async fn an_authority_that_takes_too_long_is_given_up_and_asked_again() {
    let room = Room::stamped(&[("ALCOVE_EVIDENCE_STORE__TIMESTAMPING__TIMEOUT_SECONDS", "1")]).await;
    let others = Others::at(&room.nats).await;
    room.tsa().set(Fault::Slow);
    let call = room.ended_call(&others, 1).await;
    let exhibit = room.exhibit_until(&call, |exhibit| !exhibit.waits_for.is_empty()).await;
    assert_eq!(
        (exhibit.state(), exhibit.waits_for.as_str()),
        (ExhibitState::Signed, "the timestamp authority doesn't answer")
    );
    room.tsa().set(Fault::Answers(Wrong::Nothing));
    room.sealed(&call).await;
}
