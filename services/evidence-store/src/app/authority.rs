//! The timestamp authority, asked with patience: few at once, and after a failure none until a pause is over. The first answer
//! that comes again lets all go on that wait for one.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use chassis::{Clock, Entropy};
use tokio::{sync::Semaphore, time::Instant};

use super::waiting::Waiting;
use crate::tsa::Client;

/// Questions under way at once.
const AT_ONCE: usize = 8;
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const PAUSE_CAP: Duration = Duration::from_secs(2);

/// The configured authority. Cheap to clone.
#[derive(Clone)]
pub struct Authority {
    tsa: Arc<Client>,
    places: Arc<Semaphore>,
    trouble: Arc<Mutex<Option<Trouble>>>,
    waiting: Waiting,
}

/// How it went wrong last, and until when it is left alone.
#[derive(Debug, Clone)]
struct Trouble {
    what: String,
    pause: Duration,
    until: Instant,
}

/// There is no token now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waits {
    /// For what, in plain words.
    pub what: String,
    /// When to ask again.
    pub pause: Duration,
}

impl Authority {
    /// This authority; `waiting` is told when it answers again.
    #[must_use]
    pub fn new(tsa: Client, waiting: Waiting) -> Self {
        Self { tsa: Arc::new(tsa), places: Arc::new(Semaphore::new(AT_ONCE)), trouble: Arc::default(), waiting }
    }

    /// The authority's whole answer over a seal, checked.
    ///
    /// # Errors
    /// It can't be had now.
    pub async fn stamp(&self, seal: &[u8], entropy: &Entropy, clock: &Clock) -> Result<Vec<u8>, Waits> {
        let Ok(_place) = self.places.acquire().await else {
            return Err(Waits { what: "the end of this process".to_owned(), pause: PAUSE_CAP });
        };
        if let Some(trouble) = self.trouble().as_ref()
            && let Some(pause) = trouble.until.checked_duration_since(Instant::now()).filter(|left| !left.is_zero())
        {
            return Err(Waits { what: trouble.what.clone(), pause });
        }
        let asked = self.tsa.stamp(seal, entropy.bytes(), clock.now()).await;
        let mut trouble = self.trouble();
        match asked {
            Ok(stamped) => {
                if trouble.take().is_some() {
                    self.waiting.authority_answers();
                }
                Ok(stamped.tsr)
            }
            Err(error) => {
                tracing::warn!(error = chassis::chain(&error), "sealing waits for the timestamp authority");
                let pause = trouble.as_ref().map_or(FIRST_PAUSE, |last| (last.pause * 2).min(PAUSE_CAP));
                let what = error.to_string();
                *trouble = Some(Trouble { what: what.clone(), pause, until: Instant::now() + pause });
                Err(Waits { what, pause })
            }
        }
    }

    fn trouble(&self) -> std::sync::MutexGuard<'_, Option<Trouble>> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
