//! The bus: at least once, in order for each call between two services, and in no order otherwise. A redelivery comes whenever it likes.

use std::collections::{BTreeMap, VecDeque};

use ids::CallId;
use outbox::Delivery;

/// Who hears whom, about what.
type Line = (&'static str, &'static str, CallId);

/// What is under way.
#[derive(Debug, Default)]
pub struct Bus {
    queues: BTreeMap<Line, VecDeque<Delivery>>,
    /// Delivered before, and on their way once more.
    strays: Vec<(&'static str, Delivery)>,
    /// For the time being the first hears nothing new of the second: what that one has brought about elsewhere is heard of before.
    pub deaf: Option<(&'static str, &'static str)>,
}

impl Bus {
    /// An event is published, for that consumer.
    pub fn send(&mut self, consumer: &'static str, source: &'static str, delivery: Delivery) {
        self.queues.entry((consumer, source, delivery.call)).or_default().push_back(delivery);
    }

    /// It comes again, at whatever time.
    pub fn stray(&mut self, consumer: &'static str, delivery: Delivery) {
        self.strays.push((consumer, delivery));
    }

    /// Lines on which something waits that can be heard.
    pub fn lines(&self) -> Vec<Line> {
        let is_heard = |line: &Line| self.deaf != Some((line.0, line.1));
        let full = self.queues.iter().filter(|(line, queue)| !queue.is_empty() && is_heard(line));
        full.map(|(line, _)| *line).collect()
    }

    /// The next one of a line, which stays until it is acknowledged.
    pub fn head(&self, line: &Line) -> Option<Delivery> {
        self.queues.get(line)?.front().cloned()
    }

    /// The consumer is known to have it.
    pub fn acknowledged(&mut self, line: &Line) {
        if let Some(queue) = self.queues.get_mut(line) {
            queue.pop_front();
        }
    }

    /// One of those that come again.
    pub fn take_stray(&mut self, nth: u64) -> Option<(&'static str, Delivery)> {
        let many = self.strays.len() as u64;
        let at = usize::try_from(nth.checked_rem(many)?).ok()?;
        Some(self.strays.swap_remove(at))
    }

    /// Whatever can be heard has been.
    pub fn is_quiet(&self) -> bool {
        self.strays.is_empty() && self.lines().is_empty()
    }
}
