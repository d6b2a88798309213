//! Receipts, kept beside the spool for good: one file a session, one receipt a line (`alcove-verify receipt` reads it).
//!
//! Appended without a sync of its own: a lost line costs a second sending of segments that are still in the spool, and
//! that brings a fresh receipt. Before a session's segments go, its receipts are on stable storage.

use std::{
    collections::{BTreeMap, HashMap},
    fs::{self, File, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use api::evidence::v1 as proto;
use chrono::DateTime;
use exhibit::{
    Digest,
    receipt::{Leaf, Proof, PublicKey, Receipt},
};
use ids::{SessionId, TrackName};

/// The folder of receipts.
#[derive(Debug)]
pub(super) struct Receipts {
    dir: PathBuf,
    key: Option<PublicKey>,
    open: Mutex<HashMap<SessionId, File>>,
    said: AtomicBool,
}

impl Receipts {
    pub(super) fn open(dir: &Path, key: Option<PublicKey>) -> io::Result<Self> {
        fs::create_dir_all(dir)?;
        Ok(Self { dir: dir.to_owned(), key, open: Mutex::default(), said: AtomicBool::new(false) })
    }

    /// Keeps a receipt, whatever it is worth: one that proves nothing is a fact about the store, too.
    pub(super) fn keep(&self, session: SessionId, receipt: &Receipt) -> io::Result<()> {
        match &self.key {
            Some(key) => {
                if let Err(error) = receipt.verify(key) {
                    let (track, seq) = (&receipt.leaf.track, receipt.leaf.seq);
                    tracing::error!(session_id = %session, %track, seq, %error, "evidence-store's receipt proves nothing");
                }
            }
            None if !self.said.swap(true, Ordering::Relaxed) => {
                tracing::warn!("receipts are kept unverified: evidence.receipt_key is not set");
            }
            None => {}
        }
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let file = match open.entry(session) {
            std::collections::hash_map::Entry::Occupied(open) => open.into_mut(),
            std::collections::hash_map::Entry::Vacant(new) => new.insert(self.append_to(session)?),
        };
        file.write_all(format!("{}\n", receipt.to_text()).as_bytes())
    }

    /// The newest acknowledged segment of each track, as far as the receipts say.
    pub(super) fn acknowledged(&self, session: SessionId) -> io::Result<BTreeMap<TrackName, u64>> {
        let text = match fs::read(self.path(session)) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
            Err(error) => return Err(error),
        };
        let mut newest: BTreeMap<TrackName, u64> = BTreeMap::new();
        // A torn line is none.
        let receipts =
            text.split(|byte| *byte == b'\n').filter_map(|line| Receipt::parse(std::str::from_utf8(line).ok()?).ok());
        for leaf in receipts.map(|receipt| receipt.leaf) {
            let seq = newest.entry(leaf.track).or_default();
            *seq = leaf.seq.max(*seq);
        }
        Ok(newest)
    }

    /// Makes a session's receipts durable, and lets go of its file.
    pub(super) fn settle(&self, session: SessionId) -> io::Result<()> {
        let file = self.open.lock().unwrap_or_else(PoisonError::into_inner).remove(&session);
        let file = match file {
            Some(file) => file,
            None => match File::open(self.path(session)) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
                opened => opened?,
            },
        };
        file.sync_all()?;
        super::file::sync_dir(&self.dir)
    }

    fn append_to(&self, session: SessionId) -> io::Result<File> {
        let mut file = OpenOptions::new().create(true).read(true).append(true).open(self.path(session))?;
        let mut last = [b'\n'];
        if file.seek(SeekFrom::End(0))? > 0 {
            file.seek(SeekFrom::End(-1))?;
            file.read_exact(&mut last)?;
        }
        if last != [b'\n'] {
            file.write_all(b"\n")?;
        }
        Ok(file)
    }

    fn path(&self, session: SessionId) -> PathBuf {
        self.dir.join(format!("{session}.jsonl"))
    }
}

/// The receipt as it is kept: what we sent, what evidence-store says of it, and its proof.
pub(super) fn receipt(leaf: Leaf, proof: proto::Receipt) -> io::Result<Receipt> {
    let proof = || {
        let at = proof.at?;
        Some(Proof {
            key_id: proof.key_id.parse().ok()?,
            at: DateTime::from_timestamp(at.seconds, u32::try_from(at.nanos).ok()?)?,
            leaves: proof.leaves,
            index: proof.index,
            path: proof.path.iter().map(|hash| digest(hash).ok()).collect::<Option<_>>()?,
            signature: proof.signature.try_into().ok()?,
        })
    };
    Ok(Receipt { leaf, proof: proof().ok_or_else(none)? })
}

/// A hash that evidence-store tells.
pub(super) fn digest(bytes: &[u8]) -> io::Result<Digest> {
    bytes.try_into().map_err(|_| none())
}

fn none() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "a receipt that is none")
}
