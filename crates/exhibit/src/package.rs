//! The package: the bag, and beside it the proofs. Beside, not inside: the signature is over the bag and can't be part of it.
//!
//! Its small files are made once, when the last proof is there, and kept: text that a later version of this crate would word differently
//! has been hashed and signed by then.

mod disposed;
pub(crate) mod verify_text;

use std::io::{self, Read, Write};

use chrono::{DateTime, Utc};
use ids::TrackName;
use verify_text::Facts;

use crate::{
    Manifest, SmallFile, Track,
    bag::{self, Bag},
    seal::{self, Certificate, CheckedSeal},
    sha256::Digest,
    tar,
    timestamp::{self, Response},
    tlog::{self, Checkpoint, Entry, Proof, leaf_hash, verify_inclusion},
};

/// The detached signature over [`TAGMANIFEST`].
pub const SEAL: &str = "proof/seal.p7s";
/// The timestamp over the signature: a whole TimeStampResp (RFC 3161).
pub const TIMESTAMP: &str = "proof/seal.tsr";
/// The log entry that names exhibit, signature and timestamp.
pub const LOG_ENTRY: &str = "proof/log-entry.txt";
/// The proof that the log has that entry (C2SP tlog-proof).
pub const LOG_PROOF: &str = "proof/seal.tlog-proof";
/// The signer's certificate, for convenience: who signed is settled by trust roots from elsewhere.
pub const SIGNER: &str = "proof/signer.pem";
/// The timestamp authority's certificate, for convenience.
pub const TSA: &str = "proof/tsa.pem";
/// Exact commands for checking all this without our software.
pub const VERIFY: &str = "proof/VERIFY.txt";
/// Checksums of the proofs and of what was signed.
pub const CHECKSUMS: &str = "proof/checksums-sha256.txt";
/// What is signed.
pub const TAGMANIFEST: &str = crate::bag::TAGMANIFEST;

/// Put before the certificate in [`TSA`].
const NOT_A_TSA_ROOT: &str = "\
The certificate that the timestamp says it was signed with, for convenience. It is NOT a trust root: those for timestamps come
from the force, by another way.
";

/// What is streamed into the package.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Content {
    /// A track's list of segments.
    Segments(TrackName),
    /// A track, its segments end to end.
    Track(TrackName),
    /// The item of this number.
    Item(u64),
}

/// The place of a list of segments, a track or an item in the package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredFile {
    /// What it is.
    pub content: Content,
    /// Where its file lies, from the package's root.
    pub path: String,
    /// Its length.
    pub bytes: u64,
    /// Its digest.
    pub sha256: Digest,
}

impl StoredFile {
    /// All that a manifest names: lists of segments first, then tracks, then items, in its order.
    #[must_use]
    pub fn all(manifest: &Manifest) -> Vec<Self> {
        let file = |content, path: &str, bytes, sha256| {
            let path = format!("bag/data/{path}");
            Self { content, path, bytes, sha256 }
        };
        let list = |track: &Track| {
            let (content, list) = (Content::Segments(track.name.clone()), &track.segments);
            file(content, &list.path, list.bytes, list.sha256)
        };
        let lists = manifest.tracks.iter().map(list);
        let tracks = manifest.tracks.iter().map(|t| file(Content::Track(t.name.clone()), &t.path, t.bytes, t.sha256));
        let items = manifest.items.iter().map(|i| file(Content::Item(i.seq), &i.path, i.bytes, i.sha256));
        lists.chain(tracks).chain(items).collect()
    }
}

/// What proves a bag. All of it is made after the bag, each part over the one before.
#[derive(Debug, Clone, Copy)]
pub struct Proofs<'a> {
    /// The signature over [`TAGMANIFEST`].
    pub seal: &'a [u8],
    /// The timestamp over the signature. `None` only where no authority is configured.
    pub timestamp: Option<&'a [u8]>,
    /// Its place in the log.
    pub log: Option<LogProof<'a>>,
}

/// That the seal is in the log.
#[derive(Debug, Clone, Copy)]
pub struct LogProof<'a> {
    /// The entry's bytes.
    pub entry: &'a [u8],
    /// The proof of inclusion, as text.
    pub proof: &'a [u8],
}

/// A sealed package: all of it but what is streamed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// Every small file, in the order of the archive. Keep these: never make them again. An export may add the access log.
    pub files: Vec<SmallFile>,
    /// Lists of segments, tracks and items, which follow them.
    pub stored: Vec<StoredFile>,
    /// The time that every file in the archive has: the exhibit's fence.
    pub modified: DateTime<Utc>,
}

/// Why there is no package.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The seal is not a good signature over the bag.
    #[error(transparent)]
    Seal(#[from] seal::Error),
    /// The timestamp is none, or not over the seal.
    #[error(transparent)]
    Timestamp(#[from] timestamp::Error),
    /// The log's entry is about something else.
    #[error("the log's entry doesn't name this exhibit, this signature and this timestamp")]
    OtherEntry,
    /// The proof of inclusion doesn't hold.
    #[error(transparent)]
    Log(#[from] tlog::Error),
    /// The manifest among the small files can't be read.
    #[error("no readable manifest among the kept files")]
    Manifest(#[source] crate::manifest::Error),
    /// A file that every package has is not there.
    #[error("no {0} among the kept files")]
    Missing(&'static str),
    /// The tombstone can't be read.
    #[error("no readable tombstone")]
    Tombstone(#[from] crate::tombstone::Error),
}

/// Proofs that hold together.
struct Checked {
    seal: CheckedSeal,
    /// The timestamp's time, and the certificate that it was made with.
    stamped: Option<(DateTime<Utc>, Option<Certificate>)>,
}

/// Checks that each proof is over what is before it. Whom they lead to is not asked.
fn check(
    content: &[u8],
    proofs: &Proofs<'_>,
    entry: impl FnOnce(Digest, Option<Digest>) -> Entry,
) -> Result<Checked, Error> {
    let seal = CheckedSeal::open(proofs.seal)?;
    seal.require_over(content)?;
    let mut stamped = None;
    if let Some(tsr) = proofs.timestamp {
        let response = Response::parse(tsr)?;
        let token = response.read()?;
        if token.imprint != seal::seal_sha256(proofs.seal) {
            return Err(timestamp::Error::OtherImprint.into());
        }
        stamped = Some((token.gen_time, response.certificates()?.into_iter().next()));
    }
    if let Some(log) = proofs.log {
        let entry = entry(seal::seal_sha256(proofs.seal), proofs.timestamp.map(Digest::of));
        if entry.to_bytes() != log.entry {
            return Err(Error::OtherEntry);
        }
        let proof = Proof::parse(log.proof)?;
        let checkpoint = Checkpoint::parse(proof.checkpoint.text())?;
        verify_inclusion(leaf_hash(log.entry), proof.index, checkpoint.size, &proof.path, checkpoint.root)?;
    }
    Ok(Checked { seal, stamped })
}

/// The list of what lies in `proof`, and of what was signed.
fn checksums(tagmanifest: &[u8], files: &[SmallFile]) -> SmallFile {
    let proofs = files.iter().filter(|file| file.path.starts_with("proof/") && file.path != CHECKSUMS);
    let lines = proofs.map(|file| (Digest::of(&file.bytes), file.path.as_str()));
    SmallFile::new(CHECKSUMS, bag::checksum_lines(lines.chain([(Digest::of(tagmanifest), TAGMANIFEST)])))
}

impl Package {
    /// Puts bag and proofs together, once all proofs are there.
    ///
    /// # Errors
    /// If the seal is not a good signature over this bag, or a later proof not over the earlier ones. Whom they lead to is not asked.
    pub fn new(bag: Bag, proofs: &Proofs<'_>) -> Result<Self, Error> {
        let entry = |seal, timestamp| Entry::Seal { exhibit: bag.exhibit(), seal, timestamp };
        let Checked { seal, stamped } = check(bag.tagmanifest(), proofs, entry)?;
        let facts = Facts {
            reference: bag.reference(),
            signing_time: seal.signing_time(),
            stamped_at: stamped.as_ref().map(|(at, _)| *at),
            logged: proofs.log.is_some(),
        };
        let mut files = vec![SmallFile::new(VERIFY, bag.verify_text(&facts))];
        files.extend([SmallFile::new(SEAL, proofs.seal), SmallFile::new(SIGNER, seal.signer_pem()?)]);
        files.extend(proofs.timestamp.map(|tsr| SmallFile::new(TIMESTAMP, tsr)));
        if let Some((_, Some(authority))) = &stamped {
            files.push(SmallFile::new(TSA, format!("{NOT_A_TSA_ROOT}{}", authority.to_pem()?)));
        }
        if let Some(log) = proofs.log {
            files.extend([SmallFile::new(LOG_ENTRY, log.entry), SmallFile::new(LOG_PROOF, log.proof)]);
        }
        files.push(checksums(bag.tagmanifest(), &files));
        let (mut all, stored, modified) = bag.into_parts();
        all.extend(files);
        Ok(Self { files: all, stored, modified })
    }

    /// The package again, from the small files that were kept.
    ///
    /// # Errors
    /// If no readable manifest is among them.
    pub fn kept(files: Vec<SmallFile>) -> Result<Self, Error> {
        let manifest = files.iter().find(|file| file.path == bag::MANIFEST).ok_or(Error::Missing(bag::MANIFEST))?;
        let manifest = Manifest::parse(&manifest.bytes).map_err(Error::Manifest)?;
        Ok(Self { files, stored: StoredFile::all(&manifest), modified: manifest.fenced_at })
    }

    /// Streams the archive; `open` gives the bytes of each list, track and item.
    ///
    /// # Errors
    /// What `open`, its readers or the output say; a file of another length than was sealed.
    pub fn write_tar<R: Read>(
        &self,
        out: impl Write,
        mut open: impl FnMut(&StoredFile) -> io::Result<R>,
    ) -> io::Result<()> {
        let mut archive = tar::Writer::new(out, self.modified);
        for file in &self.files {
            archive.file(&file.path, &file.bytes)?;
        }
        for file in &self.stored {
            archive.entry(&file.path, file.bytes, open(file)?)?;
        }
        archive.finish().map(drop)
    }
}
