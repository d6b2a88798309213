//! Time as an argument. Production reads the system's clock, a test turns the hands itself.

use std::{
    fmt,
    time::{Duration, SystemTime},
};

use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use tokio::sync::watch;

/// Where `now` comes from. Cheap to clone.
#[derive(Clone)]
pub struct Clock(Source);

#[derive(Clone)]
enum Source {
    System,
    Manual(ManualClock),
}

/// A clock that stands still until it is told to move.
#[derive(Clone)]
pub struct ManualClock(std::sync::Arc<watch::Sender<DateTime<Utc>>>);

impl Clock {
    /// The machine's clock.
    #[must_use]
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// The present, to the microsecond: what Postgres keeps, so that a time read back equals the time written.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        match &self.0 {
            Source::System => {
                #[expect(clippy::disallowed_methods, reason = "the one place where the system's clock is read")]
                let now = SystemTime::now();
                to_micros(now.into())
            }
            Source::Manual(clock) => clock.now(),
        }
    }

    /// Returns once `now()` has reached `when`; at once if it has.
    pub async fn sleep_until(&self, when: DateTime<Utc>) {
        match &self.0 {
            Source::System => {
                // The system's clock may be set back while we sleep: look again on waking.
                while let Ok(left) = (when - self.now()).to_std()
                    && !left.is_zero()
                {
                    tokio::time::sleep(left.min(Duration::from_secs(60))).await;
                }
            }
            Source::Manual(clock) => clock.reached(when).await,
        }
    }

    /// Returns after this long by this clock.
    pub async fn sleep(&self, length: Duration) {
        let length = TimeDelta::from_std(length).unwrap_or(TimeDelta::MAX);
        let when = self.now().checked_add_signed(length).unwrap_or(DateTime::<Utc>::MAX_UTC);
        self.sleep_until(when).await;
    }
}

impl From<ManualClock> for Clock {
    fn from(clock: ManualClock) -> Self {
        Self(Source::Manual(clock))
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Source::System => "Clock::system",
            Source::Manual(_) => "Clock::manual",
        })
    }
}

impl ManualClock {
    /// A clock that shows `start`.
    #[must_use]
    pub fn new(start: DateTime<Utc>) -> Self {
        Self(std::sync::Arc::new(watch::Sender::new(to_micros(start))))
    }

    /// What it shows.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        *self.0.borrow()
    }

    /// Moves it forward and wakes those whose time has come.
    pub fn advance(&self, length: Duration) {
        let length = TimeDelta::from_std(length).unwrap_or(TimeDelta::MAX);
        self.0.send_modify(|now| *now = now.checked_add_signed(length).unwrap_or(DateTime::<Utc>::MAX_UTC));
    }

    /// Sets it, forward or back.
    pub fn set(&self, now: DateTime<Utc>) {
        self.0.send_replace(to_micros(now));
    }

    async fn reached(&self, when: DateTime<Utc>) {
        // The sender lives in `self`, so waiting can't fail.
        let _ = self.0.subscribe().wait_for(|now| *now >= when).await;
    }
}

fn to_micros(time: DateTime<Utc>) -> DateTime<Utc> {
    time.duration_trunc(TimeDelta::microseconds(1)).unwrap_or(time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_manual_clock_wakes_a_sleeper_when_its_time_has_come() {
        let manual = ManualClock::new(DateTime::UNIX_EPOCH);
        let clock = Clock::from(manual.clone());
        let when = clock.now() + TimeDelta::seconds(10);
        let sleeper = tokio::spawn({
            let clock = clock.clone();
            async move {
                clock.sleep_until(when).await;
                clock.now()
            }
        });
        manual.advance(Duration::from_secs(4));
        tokio::task::yield_now().await;
        assert!(!sleeper.is_finished());
        manual.advance(Duration::from_secs(6));
        assert_eq!(sleeper.await.unwrap(), when);
        clock.sleep_until(when).await;
    }

    #[test]
    fn now_has_no_part_of_a_microsecond() {
        assert_eq!(Clock::system().now().timestamp_subsec_nanos() % 1_000, 0);
        let odd = DateTime::from_timestamp_nanos(1_234_567_891);
        assert_eq!(ManualClock::new(odd).now().timestamp_subsec_nanos(), 234_567_000);
    }
}
