//! Everything that a package with all proofs needs: a timestamp authority (OpenSSL), a log of a few entries, a witness.

use chrono::{DateTime, Utc};
use exhibit::{
    Digest,
    access::{self, Line},
    timestamp::{Request, Response, TsaRoots},
    tlog::{Checkpoint, Entry, Error, Frontier, Proof, inclusion_path, leaf_hash, node_hash, note::SignerKey},
    verify::Trust,
};
use testkit::tsa::{Authority, AuthorityOptions, Wrong};

use super::exhibit;

pub const ORIGIN: &str = "evidence.example/log";

pub struct World {
    pub authority: Authority,
    pub log: SignerKey,
    pub witness: SignerKey,
}

/// The hash of the complete subtree of that level and index.
fn subtree(leaves: &[Digest], level: u8, index: u64) -> Result<Digest, Error> {
    let Some(below) = level.checked_sub(1) else { return leaves.get(index as usize).copied().ok_or(Error::OutOfRange) };
    Ok(node_hash(&subtree(leaves, below, index * 2)?, &subtree(leaves, below, index * 2 + 1)?))
}

impl World {
    pub fn new() -> Self {
        Self {
            authority: Authority::make(&AuthorityOptions::default()).unwrap(),
            log: SignerKey::from_seed(ORIGIN, &[3; 32]).unwrap(),
            witness: SignerKey::from_seed("witness.example", &[4; 32]).unwrap(),
        }
    }

    pub fn stamp(&self, seal: &[u8]) -> Vec<u8> {
        let request = Request::new(Digest::of(seal), [7; 8], None).unwrap();
        self.authority.reply(&request.to_der(), Wrong::Nothing).unwrap()
    }

    /// What the authority's clock says.
    pub fn now(&self) -> DateTime<Utc> {
        Response::parse(&self.stamp(b"what time is it")).unwrap().read().unwrap().gen_time
    }

    /// A log of this many entries with this one somewhere in it, signed and cosigned.
    pub fn prove(&self, entry: &[u8], index: u64, size: u64) -> Vec<u8> {
        self.prove_with(&self.log, entry, index, size)
    }

    pub fn prove_with(&self, log: &SignerKey, entry: &[u8], index: u64, size: u64) -> Vec<u8> {
        let leaf = |i: u64| if i == index { leaf_hash(entry) } else { leaf_hash(&i.to_be_bytes()) };
        let leaves: Vec<_> = (0..size).map(leaf).collect();
        let mut tree = Frontier::new();
        leaves.iter().for_each(|leaf| tree.push(*leaf));
        let path = inclusion_path(index, size, |level, i| subtree(&leaves, level, i)).unwrap();
        let checkpoint = Checkpoint { origin: log.verifier().name().to_owned(), size, root: tree.root() };
        let mut checkpoint = checkpoint.sign(log).unwrap();
        checkpoint.add(self.witness.cosign(checkpoint.text(), 1_800_000_000)).unwrap();
        Proof { index, path, checkpoint, extra: Vec::new() }.to_text().into_bytes()
    }

    /// An access log of a few looks, its entry, its proof.
    pub fn access(&self, looks: u64) -> [(&'static str, Vec<u8>); 3] {
        let (mut log, mut prev) = (Vec::new(), access::genesis());
        for n in 0..looks {
            let at = super::now() + chrono::TimeDelta::hours(n as i64);
            let (what, reason, who) = ("export".into(), format!("disclosure {n}"), "officer-1".into());
            let line = Line { at, exhibit: exhibit(), n, prev, reason, what, who }.to_bytes().unwrap();
            prev = Digest::of(&line);
            log.extend(line);
        }
        let entry = Entry::Access { exhibit: exhibit(), n: looks, head: prev }.to_bytes();
        let proof = self.prove(&entry, 6, 7);
        [(access::ACCESS_LOG, log), (access::ACCESS_ENTRY, entry), (access::ACCESS_PROOF, proof)]
    }

    /// Trusts authority, log and witness.
    pub fn trust(&self, also: Trust) -> Trust {
        Trust {
            timestamps: Some(TsaRoots::from_pem(self.authority.roots_pem()).unwrap()),
            log: Some(self.log.verifier()),
            witnesses: vec![self.witness.cosignature_verifier()],
            ..also
        }
    }
}
