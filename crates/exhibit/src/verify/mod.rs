//! Verifies a package, folder or tar, with nothing but its bytes, and roots and keys from elsewhere.
//!
//! Trust runs downwards: roots -> certificate -> seal -> tagmanifest -> payload list -> manifest -> lists of segments, tracks and items. A
//! timestamp says when the seal was there, the log that it was shown to others. A mismatch is laid at the door of whichever side
//! nothing above vouches for, so that the altered file is the one named.

mod access;
mod archive;
mod directory;
mod disclosure;
mod disposal;
mod exhibit;
mod item;
mod lists;
mod parent;
mod proofs;
mod report;
mod segments;
mod signed;
mod source;
mod tombstone;
mod track;
mod words;

use std::{collections::BTreeMap, path::Path};

pub use disposal::{Disposal, Reviewer};
pub use proofs::CLOCK_TOLERANCE;
pub(crate) use report::write_findings;
pub use report::{About, Failure, Logged, Outcome, Question, Report, Selection};
pub use source::Unreadable;

use ids::TrackName;

use crate::{Segment, bag, manifest::Manifest, seal::Roots, timestamp::TsaRoots, tlog::note::VerifierKey};
use exhibit::{Absent, Examined};
use source::Source;

/// No honest small file is longer: a track of a whole day has a list of segments of some 35 MB.
const LONGEST_SMALL_FILE: u64 = 256 << 20;

/// Whom the reader trusts. None of it may come from the package.
#[derive(Debug, Clone, Default)]
pub struct Trust {
    /// Who may sign exhibits.
    pub signers: Option<Roots>,
    /// Who may stamp them.
    pub timestamps: Option<TsaRoots>,
    /// The log's key, named as the log is.
    pub log: Option<VerifierKey>,
    /// Witnesses, every one of whom must have cosigned. Without the log's key they say nothing.
    pub witnesses: Vec<VerifierKey>,
}

/// Verifies the package at this path: an exhibit's, what is left of one that was disposed of, or a partial disclosure's. Tracks are streamed, never held. What the reader gave no roots or keys for stays open, and
/// the report says so; what they gave some for must be there and hold.
///
/// # Errors
/// [`Unreadable`] if there is no package there, or reading it fails. What is *wrong* with a package is in the report.
pub fn verify(package: &Path, trust: &Trust) -> Result<Report, Unreadable> {
    let mut report = Report::default();
    let source = Source::open(package, &mut report)?;
    if source.length(crate::disclosure::DISCLOSURE).is_some() {
        return disclosure::examine(&source, trust, report);
    }
    Ok(exhibit::examine(&source, trust, Absent::from(&source), report)?.report)
}

/// What a package says that it holds, unproved: its manifest and the lists of segments that are here. For whoever has a proof of
/// their own about a part of it.
///
/// # Errors
/// [`Unreadable`] if there is no package there, or no manifest in it that can be understood, or a list that can't.
pub fn holdings(package: &Path) -> Result<(Manifest, BTreeMap<TrackName, Vec<Segment>>), Unreadable> {
    let source = Source::open(package, &mut Report::default())?;
    let not_understood = |path: &str, why| Unreadable::io(path, std::io::Error::other(why));
    let manifest = Manifest::parse(&source.read(bag::MANIFEST)?).map_err(|why| not_understood(bag::MANIFEST, why))?;
    let mut lists = BTreeMap::new();
    for track in &manifest.tracks {
        let path = format!("bag/data/{}", track.segments.path);
        if source.length(&path).is_some() {
            let list = Segment::read_list(&source.read(&path)?).map_err(|why| not_understood(&path, why))?;
            lists.insert(track.name.clone(), list);
        }
    }
    Ok((manifest, lists))
}

/// Verifies an addendum together with the exhibit that it adds to, and that each is about the other.
///
/// # Errors
/// As [`verify`], for either.
pub fn verify_addendum(addendum: &Path, parent: &Path, trust: &Trust) -> Result<Report, Unreadable> {
    let one = |package| -> Result<Examined, Unreadable> {
        let mut report = Report::default();
        let source = Source::open(package, &mut report)?;
        exhibit::examine(&source, trust, Absent::from(&source), report)
    };
    Ok(parent::join(one(addendum)?, one(parent)?))
}
