//! An answer that nobody takes leaves nothing behind: no second publication under a name, no seat that stays taken.
#![allow(clippy::unwrap_used)]

use tokio::sync::oneshot;

use super::*;
use crate::media::bare;

const OFFER: &str = include_str!("../../../tests/media_support/chromium.sdp");

fn publish(engine: &mut Engine, now: Instant, is_taken: bool) {
    let (answer, taken) = oneshot::channel();
    let taken = Some(taken).filter(|_| is_taken);
    engine.command(now, Command::Publish { publication: bare::publication(1), offer: OFFER.to_owned(), answer });
    assert_eq!(taken.map(|mut answer| answer.try_recv().unwrap().is_ok()), is_taken.then_some(true));
}

#[test]
fn a_publication_whose_name_is_free_again_does_not_end_the_next_one_of_that_name() {
    let ((mut engine, mut told), start) = (bare::engine(), Instant::now());
    publish(&mut engine, start, false);
    assert!(engine.peers.is_empty() && engine.by_ufrag.is_empty() && engine.by_participant.is_empty());
    // Later than the first, so that its time would be up first.
    publish(&mut engine, start + CONNECT_WITHIN / 2, true);
    engine.wake(start + CONNECT_WITHIN);
    assert_eq!(engine.peers.len(), 1);
    assert!(told.try_recv().is_err(), "nobody is told that a publication of that name has ended");
}

#[test]
fn a_seat_whose_owner_is_gone_is_told_to_be_free() {
    let ((mut engine, mut told), now) = (bare::engine(), Instant::now());
    publish(&mut engine, now, true);
    let seat = bare::seat(2);
    let (answer, _) = oneshot::channel();
    let offer = OFFER.replace("a=sendonly", "a=recvonly");
    engine.command(now, Command::Watch { seat, publisher: bare::participant(1), offer, answer });
    assert_eq!(engine.peers.len(), 1);
    assert!(matches!(told.try_recv(), Ok(MediaEvent::ViewerEnded { seat: free, .. }) if free == seat));
}
