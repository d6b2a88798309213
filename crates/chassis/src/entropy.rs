//! Randomness as an argument: ids, invitation codes and nonces all come from here, so that a test can seed them.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use chrono::{DateTime, Utc};
use rand::{RngCore, SeedableRng, rngs::StdRng};
use uuid::Uuid;

/// Where random bytes come from. Cheap to clone; clones of a seeded one share its sequence.
#[derive(Clone)]
pub struct Entropy(Source);

#[derive(Clone)]
enum Source {
    Os,
    Seeded(Arc<Mutex<StdRng>>),
}

impl Entropy {
    /// A cryptographic generator that the operating system seeds: fit for secrets.
    #[must_use]
    pub fn os() -> Self {
        Self(Source::Os)
    }

    /// The same bytes for the same seed. Tests only.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        Self(Source::Seeded(Arc::new(Mutex::new(StdRng::seed_from_u64(seed)))))
    }

    /// Fills a buffer.
    pub fn fill(&self, buffer: &mut [u8]) {
        match &self.0 {
            Source::Os => {
                #[expect(clippy::disallowed_methods, reason = "the one place where the process's generator is used")]
                rand::rng().fill_bytes(buffer);
            }
            Source::Seeded(rng) => rng.lock().unwrap_or_else(PoisonError::into_inner).fill_bytes(buffer),
        }
    }

    /// An array of random bytes.
    #[must_use]
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.fill(&mut bytes);
        bytes
    }

    /// A fresh UUID v7 as whatever id the caller wants: ids made later sort later (to the millisecond).
    #[must_use]
    pub fn id<T: From<Uuid>>(&self, now: DateTime<Utc>) -> T {
        let millis = u64::try_from(now.timestamp_millis()).unwrap_or_default();
        uuid::Builder::from_unix_timestamp_millis(millis, &self.bytes()).into_uuid().into()
    }
}

impl fmt::Debug for Entropy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Source::Os => "Entropy::os",
            Source::Seeded(_) => "Entropy::seeded",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_repeats_and_the_system_does_not() {
        assert_eq!(Entropy::seeded(7).bytes::<16>(), Entropy::seeded(7).bytes::<16>());
        assert_ne!(Entropy::os().bytes::<16>(), Entropy::os().bytes::<16>());
    }

    #[test]
    fn ids_are_version_7_and_sort_by_time() {
        let entropy = Entropy::os();
        let at = |ms| DateTime::from_timestamp_millis(ms).unwrap();
        let (first, second): (Uuid, Uuid) = (entropy.id(at(1_000)), entropy.id(at(1_001)));
        assert_eq!(first.get_version_num(), 7);
        assert!(first < second);
    }
}
