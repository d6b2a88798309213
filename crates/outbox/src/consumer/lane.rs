//! One message after the other: claim, handle, commit, acknowledge. A call's messages always come to the same lane.

use std::{
    panic::AssertUnwindSafe,
    sync::Arc,
    time::{Duration, Instant},
};

use async_nats::jetstream::{AckKind, consumer::pull};
use chassis::{Shutdown, chain};
use chrono::TimeDelta;
use futures::FutureExt;
use tokio::sync::mpsc;
use tracing::Instrument;

use super::{
    Consumer, Handler,
    inbox::{self, Claim},
    pending::InHand,
};
use crate::{
    Delivery, Failure,
    backoff::Backoff,
    delivery::Poison,
    metrics,
    probe::Step,
    scope::{self, Scope},
    stream::stream_name,
};

/// A handler that fails so often on one event won't be asked again.
const TRIES: u32 = 5;

/// After so many tries while something is away, the event leaves its lane to others and comes again later.
const PATIENCE: u32 = 5;

/// The longest pause between two tries.
const PAUSE_CAP: Duration = Duration::from_secs(2);

/// So long after it was published an event is left to a newer replica.
const LEFT_FOR: TimeDelta = TimeDelta::minutes(5);

/// And so often at least: what has waited for all of us, in an outage, is old when it first comes.
const LEFT: i64 = 75;

/// From this redelivery on an early event asks whether what it waits for can still come.
const DOUBTS: i64 = 8;

/// What became of a message.
enum Outcome {
    Done,
    Duplicate,
    Early,
}

pub(super) struct Lane<H> {
    pub consumer: Consumer,
    pub handler: Arc<H>,
    pub shutdown: Shutdown,
}

impl<H: Handler> Lane<H> {
    pub(super) async fn run(self, mut messages: mpsc::Receiver<InHand>) {
        while let Some(message) = messages.recv().await {
            if self.shutdown.is_requested() {
                // Given back at once, so that another replica needn't wait for our silence to be noticed.
                message.ack(AckKind::Nak(None)).await;
            } else {
                self.process(&message).await;
            }
        }
    }

    async fn process(&self, message: &InHand) {
        if message.delivered() > 1 {
            metrics::redelivered(self.consumer.durable, 1);
        }
        let mut delivery = match Delivery::read(message, self.consumer.names) {
            Ok(delivery) => delivery,
            Err(Poison(reason)) => return self.park(message, None, &reason, 0).await,
        };
        if !self.consumer.names.contains(&delivery.name.as_str()) {
            return self.leave(message, &delivery).await;
        }
        let mut backoff = Backoff::capped(PAUSE_CAP);
        let (mut in_order, mut waited) = (false, 0);
        loop {
            let since = Instant::now();
            let tried = self.attempt(&delivery, in_order).await;
            metrics::handled(self.consumer.durable, since.elapsed(), tried.as_ref().err().map(Failure::kind));
            match tried {
                Ok(Outcome::Done | Outcome::Duplicate) => {
                    self.consumer.probe.at(Step::Committed).await;
                    return message.ack(AckKind::Ack).await;
                }
                Ok(Outcome::Early) if self.is_first(message).await => {
                    tracing::warn!(event = %delivery.event, "an earlier event of the call will never come; going on");
                    in_order = true;
                    continue;
                }
                Ok(Outcome::Early) => return message.ack(AckKind::Nak(Some(patience(message.delivered())))).await,
                Err(Failure::Poison(reason)) => {
                    return self.park(message, Some(&delivery), &reason, delivery.attempt).await;
                }
                Err(failure) if failure.is_away() => {
                    tracing::warn!(event = %delivery.event, error = chain(&failure), "an event waits");
                    waited += 1;
                    if waited > PATIENCE {
                        return message.ack(AckKind::Nak(Some(PAUSE_CAP))).await;
                    }
                }
                Err(failure) => {
                    let error = chain(&failure);
                    tracing::warn!(event = %delivery.event, attempt = delivery.attempt, error, "an event failed");
                    if delivery.attempt >= TRIES {
                        return self.park(message, Some(&delivery), &error, delivery.attempt).await;
                    }
                    delivery.attempt += 1;
                }
            }
            if self.shutdown.or(tokio::time::sleep(backoff.step())).await.is_none() {
                return message.ack(AckKind::Nak(None)).await;
            }
        }
    }

    /// One try, among the rows of the event's force: the effect and the inbox row commit together, or neither does.
    async fn attempt(&self, delivery: &Delivery, in_order: bool) -> Result<Outcome, Failure> {
        let Consumer { pool, durable, clock, probe, .. } = &self.consumer;
        probe.at(Step::Received).await;
        let mut tx = scope::begin(pool, Scope::Force(&delivery.force)).await?;
        match inbox::claim(&mut tx, durable, delivery, clock.now()).await? {
            Claim::Duplicate => return Ok(Outcome::Duplicate),
            Claim::Early if !in_order => return Ok(Outcome::Early),
            Claim::Early | Claim::Fresh => {}
        }
        probe.at(Step::Claiming).await;
        let span = delivery.trace.follow(tracing::info_span!(
            "event",
            otel.name = format!("{}/{}", delivery.source, delivery.name),
            otel.kind = "consumer",
            messaging.system = "nats",
            messaging.consumer.group.name = durable,
            messaging.message.id = %delivery.event,
            attempt = delivery.attempt,
        ));
        let handled = AssertUnwindSafe(self.handler.handle(&mut tx, delivery)).catch_unwind().instrument(span).await;
        match handled {
            Ok(handled) => handled?,
            Err(_) => return Err(Failure::Retry("the handler panicked".into())),
        }
        probe.at(Step::Handled).await;
        inbox::still_good(&mut tx).await?;
        tx.commit().await?;
        Ok(Outcome::Done)
    }

    /// A replica of a newer version, which shares our consumer, has asked for an event that we don't know: it is left to that
    /// one. Not for ever, for the newer version may have been taken back.
    async fn leave(&self, message: &InHand, delivery: &Delivery) {
        // Deliveries alone say little: a newer replica's own, of an event that comes too early, follow each other quickly.
        let is_old = message.published().is_some_and(|at| self.consumer.clock.now() - at >= LEFT_FOR);
        if !is_old || message.delivered() < LEFT {
            return message.ack(AckKind::Nak(Some(self.consumer.ack_wait))).await;
        }
        let tries = u32::try_from(message.delivered()).unwrap_or(u32::MAX);
        self.park(message, Some(delivery), &format!("no replica knows {}", delivery.name), tries).await;
    }

    /// Is this, after some patience, the oldest message that the consumer still owes? Then nothing that it waits for is
    /// under way: it was published before the consumer existed, or has left the stream.
    async fn is_first(&self, message: &InHand) -> bool {
        if message.delivered() < DOUBTS {
            return false;
        }
        let Consumer { jetstream, durable, source, .. } = &self.consumer;
        let asked = jetstream.get_consumer_from_stream::<pull::Config, _, _>(*durable, stream_name(source)).await;
        asked.is_ok_and(|consumer| {
            let info = consumer.cached_info();
            info.num_ack_pending <= 1 || info.ack_floor.stream_sequence + 1 >= message.sequence()
        })
    }

    /// Sets a message aside, with an alarm, so that the rest goes on.
    async fn park(&self, message: &InHand, delivery: Option<&Delivery>, reason: &str, tries: u32) {
        let Consumer { pool, durable, source, clock, .. } = &self.consumer;
        let mut backoff = Backoff::capped(PAUSE_CAP);
        let fresh = loop {
            let (sequence, now) = (message.sequence(), clock.now());
            match inbox::park(pool, durable, message, sequence, delivery, (reason, tries), now).await {
                Ok(fresh) => break fresh,
                Err(error) => tracing::warn!(error = chain(&error), "an event can't be parked yet"),
            }
            if self.shutdown.or(tokio::time::sleep(backoff.step())).await.is_none() {
                return message.ack(AckKind::Nak(None)).await;
            }
        };
        if fresh {
            tracing::error!(
                alarm = "event_parked",
                consumer = durable,
                source,
                sequence = message.sequence(),
                event = delivery.map(|delivery| tracing::field::display(delivery.event)),
                reason,
                tries,
                "an event was set aside and needs a person",
            );
        }
        message.ack(AckKind::Ack).await;
    }
}

/// How long an early event stays away: shortly at first, for its predecessor is usually under way.
fn patience(delivered: i64) -> Duration {
    let doublings = u32::try_from(delivered.clamp(1, 6) - 1).unwrap_or(0);
    Duration::from_millis(25 * 2_u64.pow(doublings))
}
