//! The proof that stands beside an exhibit: <https://c2sp.org/tlog-proof>, version 1.

use super::{
    Checkpoint, Error, PATH_AT_MOST, hash,
    note::{NOTE_AT_MOST, SignedNote, VerifierKey},
    text, verify_inclusion,
};
use crate::sha256::Digest;

const WHAT: &str = "tlog-proof";
const HEADER: &str = "c2sp.org/tlog-proof@v1";
/// No extra data is longer, in bytes.
const EXTRA_AT_MOST: usize = 16 * 1024;
const PROOF_AT_MOST: usize = NOTE_AT_MOST + 2 * EXTRA_AT_MOST;

/// That an entry is in the log, checkable without the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// The entry's place, from 0.
    pub index: u64,
    /// From the entry's sibling to the root's child.
    pub path: Vec<Digest>,
    /// The checkpoint that the path leads to, with all its signatures.
    pub checkpoint: SignedNote,
    /// Whatever the maker wanted to say beside it, unauthenticated. We put nothing there.
    pub extra: Vec<u8>,
}

/// Which witnesses a verifier knows, and how many of them must have cosigned.
#[derive(Debug, Clone, Default)]
pub struct WitnessPolicy {
    /// Their cosignature keys.
    pub witnesses: Vec<VerifierKey>,
    /// How many of these must have cosigned. 0 where no witness is asked for.
    pub at_least: usize,
}

/// What [`Proof::verify`] found to be so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proved {
    /// The log, its size and root.
    pub checkpoint: Checkpoint,
    /// Each known witness that cosigned it, and when it says it did, in seconds since 1970.
    pub cosigned: Vec<(String, u64)>,
}

impl WitnessPolicy {
    /// All of these witnesses, every one.
    #[must_use]
    pub fn all(witnesses: Vec<VerifierKey>) -> Self {
        Self { at_least: witnesses.len(), witnesses }
    }

    /// Which witnesses cosigned a note.
    ///
    /// # Errors
    /// [`Error::TooFewWitnesses`], or [`Error::FalseSignature`] when a known one's is false.
    pub fn check(&self, note: &SignedNote) -> Result<Vec<(String, u64)>, Error> {
        let mut cosigned: Vec<(String, u64)> = Vec::new();
        let mut counted: Vec<&[u8; 32]> = Vec::new();
        for witness in &self.witnesses {
            match note.verify(witness) {
                // A witness named twice is one witness. A plain signature has no time, and is not a witness's word.
                Ok(Some(at)) if !counted.contains(&witness.public()) => {
                    counted.push(witness.public());
                    cosigned.push((witness.name().to_owned(), at));
                }
                Ok(_) | Err(Error::NotSigned(_)) => {}
                Err(error) => return Err(error),
            }
        }
        if cosigned.len() < self.at_least {
            return Err(Error::TooFewWitnesses { have: cosigned.len(), need: self.at_least });
        }
        Ok(cosigned)
    }
}

impl Proof {
    /// The text of `proof/seal.tlog-proof`.
    #[must_use]
    pub fn to_text(&self) -> String {
        let extra = match &self.extra[..] {
            [] => String::new(),
            extra => format!("extra {}\n", text::bytes_to_base64(extra)),
        };
        let path: String = self.path.iter().map(|hash| format!("{}\n", text::digest_to_base64(hash))).collect();
        format!("{HEADER}\n{extra}index {}\n{path}\n{}", self.index, self.checkpoint.to_text())
    }

    /// Reads what [`Proof::to_text`] writes.
    ///
    /// # Errors
    /// When it is anything else.
    pub fn parse(proof: impl AsRef<[u8]>) -> Result<Self, Error> {
        let bad = |why| Error::malformed(WHAT, why);
        let proof = text::readable(WHAT, proof.as_ref(), PROOF_AT_MOST)?;
        let (head, checkpoint) = proof.split_once("\n\n").ok_or(bad("no empty line before the checkpoint"))?;
        let mut lines = head.split('\n').peekable();
        if lines.next() != Some(HEADER) {
            return Err(bad("the first line names another format"));
        }
        let extra = match lines.next_if(|line| line.starts_with("extra ")) {
            None => Vec::new(),
            Some(line) => {
                let extra = line.strip_prefix("extra ").and_then(text::bytes_from_base64);
                extra
                    .filter(|extra| (1..=EXTRA_AT_MOST).contains(&extra.len()))
                    .ok_or(bad("the extra data is not base64, empty or too long"))?
            }
        };
        let index = lines.next().and_then(|line| line.strip_prefix("index ")).and_then(text::size_from_text);
        let index = index.ok_or(bad("the index is not where or what it must be"))?;
        let path = lines
            .map(|line| text::digest_from_base64(line).ok_or(bad("a line of the path is not a digest")))
            .collect::<Result<Vec<_>, _>>()?;
        if path.len() > PATH_AT_MOST {
            return Err(bad("the path is longer than any tree is high"));
        }
        let checkpoint = SignedNote::parse(checkpoint)?;
        // Or an empty line within the path would make a note of what comes after it.
        Checkpoint::parse(checkpoint.text())?;
        Ok(Self { index, path, checkpoint, extra })
    }

    /// Checks that `entry` (its bytes) is in `log`, and that enough witnesses have seen the checkpoint. The log's key is named as
    /// the log is.
    ///
    /// # Errors
    /// Names what doesn't hold.
    pub fn verify(&self, entry: &[u8], log: &VerifierKey, policy: &WitnessPolicy) -> Result<Proved, Error> {
        let checkpoint = Checkpoint::open(&self.checkpoint, log)?;
        verify_inclusion(hash::leaf_hash(entry), self.index, checkpoint.size, &self.path, checkpoint.root)?;
        let cosigned = policy.check(&self.checkpoint)?;
        Ok(Proved { checkpoint, cosigned })
    }
}
