//! A receipt for every acknowledgement that the journal's thread gives: one signature a batch, made after its sync.
//!
//! A repeat gets a fresh one: what it repeats is on stable storage, and a sender that lost the first receipt with its
//! process has one all the same. Only a segment's repeat that the database answers, after the seal, goes without.
//!
//! An item comes rarely, and which number it got is known for sure once the index shows it: it is signed for then, alone.

use std::sync::Arc;

use chassis::Clock;
use exhibit::{
    Digest,
    receipt::{Leaf, Proof, ReceiptKey},
};

use super::core::{Refused, Write};

/// A segment is durable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acknowledged {
    /// The track's chain head after it; for an opening, the zero digest.
    pub chain: Digest,
    /// What proves it later; `None` for what is no segment.
    pub receipt: Option<Proof>,
}

/// Who signs, and when it is.
#[derive(Clone)]
pub struct Receipts {
    key: Arc<ReceiptKey>,
    clock: Clock,
}

impl Receipts {
    /// With this key.
    #[must_use]
    pub fn new(key: ReceiptKey, clock: Clock) -> Self {
        Self { key: Arc::new(key), clock }
    }

    /// Turns a batch's answers into acknowledgements. Called once its sync has returned.
    #[must_use]
    pub fn sign(&self, batch: &[Write], answers: Vec<Result<Digest, Refused>>) -> Vec<Result<Acknowledged, Refused>> {
        let leaves: Vec<Option<Leaf>> =
            batch.iter().zip(&answers).map(|(write, answer)| leaf(write, *answer)).collect();
        let signed: Vec<Leaf> = leaves.iter().flatten().cloned().collect();
        // Fails for more than 2^32 leaves only, and a batch has at most a few dozen.
        let mut proofs = self.key.sign(self.clock.now(), &signed).unwrap_or_default().into_iter();
        let mut receipt = |leaf: Option<Leaf>| leaf.and_then(|_| proofs.next());
        let answers = answers.into_iter().zip(leaves);
        answers.map(|(answer, leaf)| answer.map(|chain| Acknowledged { chain, receipt: receipt(leaf) })).collect()
    }

    /// Signs for one alone, which is on stable storage, now or long since.
    #[must_use]
    pub fn sign_alone(&self, leaf: Leaf) -> Option<Proof> {
        // One leaf is never too many.
        self.key.sign(self.clock.now(), &[leaf]).ok()?.pop()
    }
}

fn leaf(write: &Write, answer: Result<Digest, Refused>) -> Option<Leaf> {
    let (Write::Segment(segment), Ok(chain)) = (write, answer) else { return None };
    Some(Leaf {
        exhibit: segment.exhibit,
        track: segment.track.clone(),
        seq: segment.seq,
        sha256: segment.stored.sha256,
        chain,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use bytes::Bytes;
    use chassis::ManualClock;
    use exhibit::receipt::Receipt;
    use uuid::Uuid;

    use super::*;
    use crate::journal::{
        core::{NewSegment, Purpose},
        record::Stored,
    };

    #[test]
    fn what_is_acknowledged_is_signed_and_what_is_refused_is_not() {
        let now = "2026-11-24T18:39:00.000001Z".parse().unwrap();
        let segment = |seq| {
            Write::Segment(NewSegment {
                exhibit: Uuid::from_u128(7).into(),
                track: "caller-1".parse().unwrap(),
                seq,
                starts_at: now,
                ends_at: now,
                stored: Stored::plain(Bytes::from_static(&[1])),
            })
        };
        let opening =
            Write::Opening { exhibit: Uuid::from_u128(7).into(), at: now, facts: Bytes::new(), purpose: Purpose::Hold };
        let batch = [opening, segment(0), segment(1), segment(9), segment(1)];
        let zero = Digest::from([0; 32]);
        let (a, b) = (Digest::of(b"a"), Digest::of(b"b"));
        let late = Refused::OutOfOrder { expected: 2 };
        let answers = vec![Ok(zero), Ok(a), Ok(b), Err(late), Ok(b)];

        let key = ReceiptKey::from_pem(&ReceiptKey::pem_of_seed([5; 32])).unwrap();
        let public = key.public();
        let receipts = Receipts::new(key, ManualClock::new(now).into());
        let given = receipts.sign(&batch, answers);
        assert_eq!(given[0], Ok(Acknowledged { chain: zero, receipt: None }));
        assert_eq!(given[3], Err(late));
        for (at, chain) in [(1, a), (2, b), (4, b)] {
            let proof = given[at].clone().unwrap().receipt.unwrap();
            assert_eq!((proof.at, proof.leaves), (now, 3));
            Receipt { leaf: leaf(&batch[at], Ok(chain)).unwrap(), proof }.verify(&public).unwrap();
        }
    }
}
