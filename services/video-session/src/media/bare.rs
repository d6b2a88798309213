//! An engine with nothing around it, for the tests that are inside of the media core and for `tests/fuzz`.

use std::net::SocketAddr;

use chassis::{Clock, Entropy};
use ids::{ParticipantId, SessionId};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use uuid::Uuid;

use super::{MediaEvent, Publication, endpoint::Endpoint, engine::Engine};
use crate::domain::Recording;

/// The only session.
pub(super) fn session() -> SessionId {
    SessionId::from(Uuid::from_u128(9))
}

/// Participants are numbers.
pub(super) fn participant(number: u128) -> ParticipantId {
    ParticipantId::from(Uuid::from_u128(number))
}

/// The engine, at one address, and what it tells.
pub(super) fn engine() -> (Engine, UnboundedReceiver<MediaEvent>) {
    let (sender, events) = unbounded_channel();
    let ours = Endpoint::udp(SocketAddr::from(([192, 0, 2, 1], 7_403)));
    (Engine::new(Clock::system(), Entropy::seeded(1), vec![ours], sender), events)
}

/// What one of them publishes.
#[expect(clippy::expect_used, reason = "a number makes a track's name")]
pub(super) fn publication(number: u128) -> Publication {
    let track = format!("caller-{number}").parse().expect("a track's name");
    let (session, participant) = (session(), participant(number));
    Publication { session, participant, track, recording: Recording::On, yields: false }
}
