//! Messages in hand, and the sign of life for each, so that the stream doesn't give them to another meanwhile.

use std::{
    collections::HashMap,
    ops::Deref,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_nats::jetstream::{AckKind, Message};
use chrono::{DateTime, Utc};

/// Everything that this consumer has received and not yet answered for.
#[derive(Clone, Default)]
pub(super) struct Pending(Arc<Mutex<Held>>);

#[derive(Default)]
struct Held {
    last: u64,
    messages: HashMap<u64, Arc<Message>>,
}

/// One of them; dropping it ends the signs of life.
pub(super) struct InHand {
    message: Arc<Message>,
    key: u64,
    pending: Pending,
}

impl Pending {
    pub(super) fn hold(&self, message: Message) -> InHand {
        let message = Arc::new(message);
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        held.last += 1;
        let key = held.last;
        held.messages.insert(key, Arc::clone(&message));
        InHand { message, key, pending: self.clone() }
    }

    /// Gives signs of life for ever.
    pub(super) async fn keep_alive(self, every: Duration) {
        loop {
            tokio::time::sleep(every).await;
            let messages: Vec<_> =
                self.0.lock().unwrap_or_else(PoisonError::into_inner).messages.values().cloned().collect();
            for message in messages {
                // A lost sign of life costs a second delivery, which the inbox knows.
                let _ = message.ack_with(AckKind::Progress).await;
            }
        }
    }
}

impl InHand {
    /// Answers for it. A lost answer costs a second delivery, which the inbox knows.
    pub(super) async fn ack(&self, kind: AckKind) {
        if let Err(error) = self.message.ack_with(kind).await {
            tracing::debug!(%error, "an acknowledgement was lost");
        }
    }

    /// Its place in the stream.
    pub(super) fn sequence(&self) -> u64 {
        self.message.info().map_or(0, |info| info.stream_sequence)
    }

    /// When the stream took it.
    pub(super) fn published(&self) -> Option<DateTime<Utc>> {
        let nanos = self.message.info().ok()?.published.unix_timestamp_nanos();
        i64::try_from(nanos).ok().map(DateTime::from_timestamp_nanos)
    }

    /// How often it has been delivered.
    pub(super) fn delivered(&self) -> i64 {
        self.message.info().map_or(1, |info| info.delivered)
    }
}

impl Deref for InHand {
    type Target = Message;

    fn deref(&self) -> &Message {
        &self.message
    }
}

impl Drop for InHand {
    fn drop(&mut self) {
        self.pending.0.lock().unwrap_or_else(PoisonError::into_inner).messages.remove(&self.key);
    }
}
