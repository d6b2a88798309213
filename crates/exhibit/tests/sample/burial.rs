//! What is left of the sample once it is disposed of.

use chrono::TimeDelta;
use exhibit::{
    Digest,
    package::{LogProof, Proofs, SEAL},
    seal::CheckedSeal,
    tlog::Entry,
    tombstone::{Format, LOG_ENTRY, LOG_PROOF, Review, SIGNATURE, TIMESTAMP, TOMBSTONE, Tombstone},
};

use super::{Sample, World};

/// A tombstone's five files.
pub type Grave = [(&'static str, Vec<u8>); 5];

impl Sample {
    /// An honest tombstone, by two.
    pub fn tombstone(&self) -> Tombstone {
        let seal = self.file(SEAL);
        let now = CheckedSeal::open(&seal).unwrap().signing_time();
        let review = |who: &str, days| Review {
            who: who.to_owned(),
            reason: "nothing to keep it for".to_owned(),
            at: now - TimeDelta::days(days),
        };
        Tombstone {
            format: Format::V1,
            exhibit: self.manifest.exhibit,
            reference: self.manifest.reference.clone(),
            seal_sha256: Digest::of(&seal),
            log_index: Some(5),
            class: "default".to_owned(),
            reviews: vec![review("Insp 7", 3), review("Supt 9", 1)],
            who: "records 12".to_owned(),
            reason: "reviewed by two".to_owned(),
            disposed_at: now,
        }
    }

    /// A tombstone of any bytes, signed, stamped and logged by the same people as the seal: they don't ask what it says.
    pub fn grave(&self, world: &World, json: &[u8]) -> Grave {
        let now = CheckedSeal::open(&self.file(SEAL)).unwrap().signing_time();
        let signature = self.signer.sign(json, now).unwrap();
        let token = world.stamp(&signature);
        let (exhibit, timestamp) = (self.manifest.exhibit, Some(Digest::of(&token)));
        let entry = Entry::Tombstone { exhibit, signature: Digest::of(&signature), timestamp }.to_bytes();
        let proof = world.prove(&entry, 8, 11);
        let json = json.to_vec();
        [(TOMBSTONE, json), (SIGNATURE, signature), (TIMESTAMP, token), (LOG_ENTRY, entry), (LOG_PROOF, proof)]
    }

    /// With every proof, disposed of.
    pub fn disposed(media_bytes: usize) -> Self {
        let mut sample = Self::full(media_bytes);
        let json = sample.tombstone().to_bytes().unwrap();
        let [(_, json), (_, seal), (_, token), (_, entry), (_, proof)] =
            sample.grave(sample.world.as_ref().unwrap(), &json);
        let log = Some(LogProof { entry: &entry, proof: &proof });
        sample.package = sample.package.disposed(&json, &Proofs { seal: &seal, timestamp: Some(&token), log }).unwrap();
        sample
    }
}
