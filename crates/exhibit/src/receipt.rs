//! Receipts: what whoever sent a segment or an item holds in hand afterwards, so that a store which later loses or denies it can be
//! shown its own signature. `docs/exhibit-format.md`, "Receipts".
//!
//! A store acknowledges many segments with one sync of its disk, so it signs once too: an Ed25519 signature over the root
//! of a Merkle tree (RFC 6962, section 2.1) of that commit's segments. A receipt is its own leaf, the path from it to the
//! root, and the signature; nothing else is needed to check it, and it says nothing about the other segments.
//! Rejected: a signature a segment, which would cost the journal's thread a tenth of its time.

mod check;

use chrono::{DateTime, Utc};
use ids::{ExhibitId, TrackName};
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use serde::{Deserialize, Serialize};

pub use check::{Checked, Judgement, check};

use crate::{
    Digest, jcs, time,
    tlog::{leaf_hash, node_hash},
};

/// What a kept receipt calls its format.
pub const FORMAT: &str = "alcove-receipt/1";
const LEAF: &[u8] = b"alcove receipt leaf v1\n";
const SIGNED: &[u8] = b"alcove receipt v1\n";
/// PKCS#8 (RFC 8410) of an Ed25519 key, up to its 32 bytes of seed.
const PKCS8: [u8; 16] =
    [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];

/// Why a receipt proves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The key isn't one.
    #[error("not an Ed25519 key")]
    Key,
    /// It isn't a receipt in its one spelling.
    #[error("not a receipt")]
    Malformed,
    /// It names another key.
    #[error("the receipt names another key")]
    OtherKey,
    /// The path doesn't belong to a tree of that size.
    #[error("the path doesn't fit the number of leaves")]
    Path,
    /// The signature isn't over this leaf.
    #[error("the signature is not over this")]
    Signature,
    /// More segments in one commit than can be counted.
    #[error("too many segments in one commit")]
    TooMany,
}

/// What a receipt is about: one segment or item at its place, and the chain up to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leaf {
    /// The exhibit.
    pub exhibit: ExhibitId,
    /// The track; an item's is `items`.
    pub track: TrackName,
    /// Its number in the track.
    pub seq: u64,
    /// SHA-256 of its bytes; an item's, of its file.
    pub sha256: Digest,
    /// The track's chain head after it: so this receipt vouches for all before it, too.
    pub chain: Digest,
}

impl Leaf {
    /// The leaf's bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let name = self.track.as_str().as_bytes();
        let mut bytes = Vec::with_capacity(LEAF.len() + 16 + 1 + name.len() + 8 + 64);
        bytes.extend(LEAF);
        bytes.extend(self.exhibit.uuid().as_bytes());
        // A TrackName has at most 64 bytes.
        bytes.push(name.len() as u8);
        bytes.extend(name);
        bytes.extend(self.seq.to_be_bytes());
        bytes.extend(self.sha256.as_bytes());
        bytes.extend(self.chain.as_bytes());
        bytes
    }

    /// Its hash in the tree.
    #[must_use]
    pub fn hash(&self) -> Digest {
        leaf_hash(&self.to_bytes())
    }
}

/// All of a receipt but what it is about: what travels with an acknowledgement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// SHA-256 of the receipt key's 32 bytes.
    pub key_id: Digest,
    /// When the commit was on stable storage. To the microsecond.
    pub at: DateTime<Utc>,
    /// Leaves in the commit.
    pub leaves: u32,
    /// This one's place among them.
    pub index: u32,
    /// From the leaf's sibling upwards.
    pub path: Vec<Digest>,
    /// Ed25519, 64 bytes.
    pub signature: [u8; 64],
}

/// A receipt as it is kept: it needs nothing beside it but the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// What it is about.
    pub leaf: Leaf,
    /// Why it is to be believed.
    pub proof: Proof,
}

/// The store's key. Another than any that signs seals or the log.
pub struct ReceiptKey {
    pair: Ed25519KeyPair,
    id: Digest,
}

impl ReceiptKey {
    /// Reads a key: PKCS#8 in PEM, as `openssl genpkey -algorithm ed25519` writes it.
    ///
    /// # Errors
    /// [`Error::Key`].
    pub fn from_pem(pem: &str) -> Result<Self, Error> {
        let (label, der) = der::pem::decode_vec(pem.trim().as_bytes()).map_err(|_| Error::Key)?;
        if label != "PRIVATE KEY" {
            return Err(Error::Key);
        }
        let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(&der).map_err(|_| Error::Key)?;
        let id = Digest::of(pair.public_key().as_ref());
        Ok(Self { pair, id })
    }

    /// Writes a key of this seed down, for [`ReceiptKey::from_pem`].
    #[must_use]
    pub fn pem_of_seed(seed: [u8; 32]) -> String {
        let der: Vec<u8> = PKCS8.into_iter().chain(seed).collect();
        der::pem::encode_string("PRIVATE KEY", der::pem::LineEnding::LF, &der).unwrap_or_default()
    }

    /// The public key, for whoever keeps receipts.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(self.pair.public_key().as_ref());
        PublicKey(bytes)
    }

    /// Acknowledges one commit's segments: a proof for each, in their order, under one signature.
    ///
    /// # Errors
    /// [`Error::TooMany`].
    pub fn sign(&self, at: DateTime<Utc>, leaves: &[Leaf]) -> Result<Vec<Proof>, Error> {
        let count = u32::try_from(leaves.len()).map_err(|_| Error::TooMany)?;
        if count == 0 {
            return Ok(Vec::new());
        }
        let at = DateTime::from_timestamp_micros(at.timestamp_micros()).unwrap_or(at);
        let hashes: Vec<Digest> = leaves.iter().map(Leaf::hash).collect();
        let mut signature = [0; 64];
        signature.copy_from_slice(self.pair.sign(&signed(at, count, root(&hashes))).as_ref());
        let proof = |index: u32| Proof {
            key_id: self.id,
            at,
            leaves: count,
            index,
            path: path(index as usize, &hashes),
            signature,
        };
        Ok((0..count).map(proof).collect())
    }
}

/// The public half: 32 bytes, written in hex.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublicKey([u8; 32]);

impl PublicKey {
    /// What receipts call it.
    #[must_use]
    pub fn id(&self) -> Digest {
        Digest::of(&self.0)
    }
}

impl std::fmt::Display for PublicKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl std::str::FromStr for PublicKey {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| Error::Key)?;
        Ok(Self(bytes))
    }
}

impl Receipt {
    /// Proves that the holder of the key acknowledged this segment at [`Proof::at`].
    ///
    /// # Errors
    /// Why it proves nothing.
    pub fn verify(&self, key: &PublicKey) -> Result<(), Error> {
        let proof = &self.proof;
        if proof.key_id != key.id() {
            return Err(Error::OtherKey);
        }
        let root = root_by_path(self.leaf.hash(), proof.index, proof.leaves, &proof.path)?;
        let signed = signed(proof.at, proof.leaves, root);
        UnparsedPublicKey::new(&ED25519, key.0).verify(&signed, &proof.signature).map_err(|_| Error::Signature)
    }

    /// One line of canonical JSON (RFC 8785), without its newline: what is kept.
    #[must_use]
    pub fn to_text(&self) -> String {
        let Self { leaf, proof } = self;
        let kept = Kept {
            format: FORMAT.to_owned(),
            exhibit: leaf.exhibit.to_string(),
            track: leaf.track.to_string(),
            seq: leaf.seq.to_string(),
            sha256: leaf.sha256,
            chain: leaf.chain,
            key_id: proof.key_id,
            at: proof.at,
            leaves: proof.leaves.to_string(),
            index: proof.index.to_string(),
            path: proof.path.clone(),
            signature: hex::encode(proof.signature),
        };
        // Strings only: there is nothing that JCS could refuse.
        jcs::to_vec(&kept).ok().and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default()
    }

    /// Reads what [`Receipt::to_text`] wrote, and no other spelling of it.
    ///
    /// # Errors
    /// [`Error::Malformed`].
    pub fn parse(text: &str) -> Result<Self, Error> {
        let receipt = serde_json::from_str::<Kept>(text).ok().and_then(Kept::receipt).ok_or(Error::Malformed)?;
        if receipt.to_text() == text { Ok(receipt) } else { Err(Error::Malformed) }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    format: String,
    exhibit: String,
    track: String,
    seq: String,
    sha256: Digest,
    chain: Digest,
    key_id: Digest,
    #[serde(with = "time::text")]
    at: DateTime<Utc>,
    leaves: String,
    index: String,
    path: Vec<Digest>,
    signature: String,
}

impl Kept {
    fn receipt(self) -> Option<Receipt> {
        let mut signature = [0; 64];
        hex::decode_to_slice(&self.signature, &mut signature).ok()?;
        let leaf = Leaf {
            exhibit: self.exhibit.parse().ok()?,
            track: self.track.parse().ok()?,
            seq: self.seq.parse().ok()?,
            sha256: self.sha256,
            chain: self.chain,
        };
        let (leaves, index) = (self.leaves.parse().ok()?, self.index.parse().ok()?);
        let proof = Proof { key_id: self.key_id, at: self.at, leaves, index, path: self.path, signature };
        (self.format == FORMAT).then_some(Receipt { leaf, proof })
    }
}

fn signed(at: DateTime<Utc>, leaves: u32, root: Digest) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(SIGNED.len() + 44);
    bytes.extend(SIGNED);
    bytes.extend(at.timestamp_micros().to_be_bytes());
    bytes.extend(leaves.to_be_bytes());
    bytes.extend(root.as_bytes());
    bytes
}

/// Where a tree of more than one leaf is split: the largest power of two below its size (RFC 6962, section 2.1).
fn split(size: usize) -> usize {
    (size.next_power_of_two()) / 2
}

/// MTH of RFC 6962, over leaf hashes. Not asked about no leaves.
fn root(hashes: &[Digest]) -> Digest {
    match hashes {
        [one] => *one,
        more => {
            let (left, right) = more.split_at(split(more.len()));
            node_hash(&root(left), &root(right))
        }
    }
}

/// PATH of RFC 6962, section 2.1.1.
fn path(index: usize, hashes: &[Digest]) -> Vec<Digest> {
    if hashes.len() < 2 {
        return Vec::new();
    }
    let (left, right) = hashes.split_at(split(hashes.len()));
    let (mut below, sibling) = if index < left.len() {
        (path(index, left), root(right))
    } else {
        (path(index - left.len(), right), root(left))
    };
    below.push(sibling);
    below
}

/// The root that a path leads to (RFC 9162, section 2.1.3.2).
fn root_by_path(leaf: Digest, index: u32, leaves: u32, path: &[Digest]) -> Result<Digest, Error> {
    let (mut at, mut last) = (index, leaves.checked_sub(1).filter(|last| index <= *last).ok_or(Error::Path)?);
    let mut root = leaf;
    for sibling in path {
        if last == 0 {
            return Err(Error::Path);
        }
        if at & 1 == 1 || at == last {
            root = node_hash(sibling, &root);
            while at & 1 == 0 && at != 0 {
                (at, last) = (at >> 1, last >> 1);
            }
        } else {
            root = node_hash(&root, sibling);
        }
        (at, last) = (at >> 1, last >> 1);
    }
    if last == 0 { Ok(root) } else { Err(Error::Path) }
}

#[cfg(test)]
mod tests;
