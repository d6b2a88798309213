//! One text message with a link, from the order to its receipt: `Queued -> Sent -> Delivered | Failed{why}`.
//!
//! It is tried again while there is hope and its invitation lasts. Receipts come late, twice and out of order, perhaps before we have
//! heard that the message was taken: a delivery is believed whenever it is told, and nothing undoes it.

use chrono::{DateTime, TimeDelta, Utc};

use super::Way;

/// Whoever begins a try has it for so long. After that they are dead, and somebody else tries.
const CLAIMED: TimeDelta = TimeDelta::seconds(30);
/// The longest pause between two tries.
const LONGEST_PAUSE: TimeDelta = TimeDelta::seconds(30);

/// Why a message won't come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// There is no such phone.
    NumberUnknown,
    /// The phone is off, or out of reach.
    Unreachable,
    /// Whoever delivers messages doesn't take this one.
    Refused,
    /// Triage was taken again, and somebody else reads the messages.
    MessagesRead,
    /// Whoever delivers messages was away until the invitation was over.
    ProviderAway,
    /// The invitation was used, replaced or over first.
    Expired,
}

impl Failure {
    const ALL: [Self; 6] =
        [Self::NumberUnknown, Self::Unreachable, Self::Refused, Self::MessagesRead, Self::ProviderAway, Self::Expired];

    /// As the contract and the database spell it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NumberUnknown => "NUMBER_UNKNOWN",
            Self::Unreachable => "UNREACHABLE",
            Self::Refused => "REFUSED",
            Self::MessagesRead => "MESSAGES_READ",
            Self::ProviderAway => "PROVIDER_AWAY",
            Self::Expired => "EXPIRED",
        }
    }

    /// The failure spelt so, if there is one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|failure| failure.as_str() == text)
    }
}

/// Where a message stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextState {
    /// To be sent, perhaps again.
    Queued,
    /// Taken by whoever delivers it.
    Sent,
    /// On the phone.
    Delivered,
    /// Not to come.
    Failed(Failure),
}

/// One message. Neither its number nor its link is here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Text {
    /// Where it stands.
    pub state: TextState,
    /// Tries begun.
    pub tries: u32,
    /// When the next try is due, while it is queued.
    pub due_at: DateTime<Utc>,
    /// Since when it has stood so.
    pub at: DateTime<Utc>,
}

/// What came of a try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It was taken.
    Taken,
    /// Nobody knows, or not now: worth trying again.
    Away,
    /// It won't be taken, however often it is tried.
    Never(Failure),
}

/// The caller's newest invitation, as the officer follows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked {
    /// How its key gets to the caller.
    pub way: Way,
    /// When it was issued.
    pub at: DateTime<Utc>,
    /// The message that carries it.
    pub text: Option<Text>,
}

impl Text {
    /// To be sent at once.
    #[must_use]
    pub fn queue(now: DateTime<Utc>) -> Self {
        Self { state: TextState::Queued, tries: 0, due_at: now, at: now }
    }

    /// A try begins, unless its invitation is of no use any more.
    #[must_use]
    pub fn attempt(mut self, is_usable: bool, now: DateTime<Utc>) -> Self {
        if !is_usable {
            return self.stands(TextState::Failed(Failure::Expired), now);
        }
        self.tries = self.tries.saturating_add(1);
        self.due_at = now + CLAIMED;
        self
    }

    /// A try is over. `ends`: until when the invitation is good. What a receipt has said meanwhile stands.
    #[must_use]
    pub fn tried(mut self, outcome: Outcome, ends: DateTime<Utc>, now: DateTime<Utc>) -> Self {
        if self.state != TextState::Queued {
            return self;
        }
        match outcome {
            Outcome::Taken => self.stands(TextState::Sent, now),
            Outcome::Never(failure) => self.stands(TextState::Failed(failure), now),
            Outcome::Away => {
                let next = now + self.pause();
                if next >= ends {
                    return self.stands(TextState::Failed(Failure::ProviderAway), now);
                }
                self.due_at = next;
                self
            }
        }
    }

    /// Whoever delivers it tells what became of it.
    #[must_use]
    pub fn receipt(self, delivered: Result<(), Failure>, now: DateTime<Utc>) -> Self {
        match (self.state, delivered) {
            (TextState::Delivered, _) | (TextState::Failed(_), Err(_)) => self,
            (_, Ok(())) => self.stands(TextState::Delivered, now),
            (_, Err(failure)) => self.stands(TextState::Failed(failure), now),
        }
    }

    /// 1, 2, 4 ... seconds, and half a minute in the end.
    fn pause(&self) -> TimeDelta {
        let doublings = self.tries.saturating_sub(1).min(5);
        TimeDelta::seconds(1 << doublings).min(LONGEST_PAUSE)
    }

    fn stands(mut self, state: TextState, now: DateTime<Utc>) -> Self {
        self.state = state;
        self.at = now;
        self
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000 + seconds, 0).unwrap_or_default()
    }

    #[derive(Debug, Clone)]
    enum Step {
        Attempt,
        Tried(Outcome),
        Receipt(Result<(), Failure>),
        Wait(i64),
    }

    fn step() -> impl Strategy<Value = Step> {
        let failure = || prop::sample::select(&Failure::ALL);
        prop_oneof![
            3 => Just(Step::Attempt),
            3 => prop_oneof![Just(Outcome::Taken), Just(Outcome::Away), failure().prop_map(Outcome::Never)]
                .prop_map(Step::Tried),
            1 => prop_oneof![Just(Ok(())), failure().prop_map(Err)].prop_map(Step::Receipt),
            3 => (0_i64..60).prop_map(Step::Wait),
        ]
    }

    proptest! {
        /// Whatever comes, in whatever order: a delivery stays one, nothing is due again after a message has left the queue, and no try is
        /// ever due when the invitation is over.
        #[test]
        fn a_delivery_stays_and_no_try_outlives_the_invitation(steps in prop::collection::vec(step(), 0..60)) {
            let (ends, mut second) = (at(600), 0);
            let mut text = Text::queue(at(0));
            for step in steps {
                let before = text;
                match step {
                    Step::Attempt if before.state == TextState::Queued => {
                        text = text.attempt(at(second) < ends, at(second));
                        prop_assert_eq!(text.tries > before.tries, text.state == TextState::Queued);
                    }
                    Step::Attempt => {}
                    Step::Tried(outcome) => {
                        text = text.tried(outcome, ends, at(second));
                        let is_due = text.state == TextState::Queued && outcome == Outcome::Away;
                        prop_assert!(!is_due || text.due_at < ends && text.due_at - at(second) <= LONGEST_PAUSE);
                    }
                    Step::Receipt(told) => {
                        text = text.receipt(told, at(second));
                        prop_assert_eq!(text.state == TextState::Delivered, told.is_ok() || before == text && before.state == TextState::Delivered);
                    }
                    Step::Wait(seconds) => second += seconds,
                }
                if before.state == TextState::Delivered {
                    prop_assert_eq!(text, before);
                }
                if before.state != TextState::Queued {
                    prop_assert!(text.state != TextState::Queued && text.tries == before.tries);
                }
                prop_assert!(text.state == before.state || text.at == at(second));
            }
        }
    }

    #[test]
    fn pauses_double_up_to_half_a_minute() {
        let mut text = Text::queue(at(0));
        let mut pauses = Vec::new();
        let mut now = at(0);
        while text.state == TextState::Queued {
            text = text.attempt(true, now).tried(Outcome::Away, at(600), now);
            pauses.push((text.due_at - now).num_seconds());
            now = text.due_at;
        }
        assert_eq!(pauses[..7], [1, 2, 4, 8, 16, 30, 30]);
        assert_eq!((text.state, text.tries), (TextState::Failed(Failure::ProviderAway), 24));
        assert!(text.at < at(600), "it is told while the invitation still lasts");
    }

    #[test]
    fn a_used_invitation_is_not_sent() {
        let text = Text::queue(at(0)).attempt(false, at(5));
        assert_eq!((text.state, text.tries), (TextState::Failed(Failure::Expired), 0));
        assert!(Failure::ALL.iter().all(|one| Failure::parse(one.as_str()) == Some(*one)));
    }
}
