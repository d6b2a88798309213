//! Partial disclosure: some of an exhibit's files in a bag of its own, with the original's sealed manifest and proofs inside.
//!
//! Nobody can take a file out of a sealed exhibit and keep the seal whole. So what is given out proves two things: that this
//! selection is as the force signed it, and that each file in it is the one in the original's sealed manifest.

mod read_me;
mod verify_text;

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use ids::ExhibitId;
use serde::{Deserialize, Serialize};
pub(crate) use verify_text::text as verify_text;

use crate::{
    Manifest, SmallFile,
    bag::{self, Bag},
    jcs,
    package::{self, Package, StoredFile},
    seal::{CheckedSeal, seal_sha256},
    sha256::Digest,
};

/// What was chosen, what was left out, why and by whom.
pub const DISCLOSURE: &str = "bag/data/disclosure.json";
/// The same in plain words.
pub const READ_ME: &str = "bag/data/DISCLOSURE-READ-ME.txt";
/// Where the original's bag has its small files here.
pub const ORIGINAL: &str = "bag/data/original/";
/// Where the original's proofs are here.
pub const ORIGINAL_PROOF: &str = "bag/data/original-proof/";

/// The version of the format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Format {
    /// `alcove-disclosure/1`
    #[default]
    #[serde(rename = "alcove-disclosure/1")]
    V1,
}

/// What `disclosure.json` says. Paths are as in the original's manifest, such as `tracks/caller-1.mkv`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Disclosure {
    /// Version of this format.
    pub format: Format,
    /// The original.
    pub exhibit: ExhibitId,
    /// Its reference.
    pub reference: String,
    /// SHA-256 of its seal.
    pub seal_sha256: Digest,
    /// When the selection was made.
    #[serde(with = "crate::time::text")]
    pub made_at: DateTime<Utc>,
    /// Who made it.
    pub who: String,
    /// Why.
    pub reason: String,
    /// The files that are here, in order.
    pub disclosed: Vec<String>,
    /// The original's files that are not, in order.
    pub withheld: Vec<String>,
    /// What put it together.
    pub software: String,
}

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Choice {
    /// The files, by their paths in the original's manifest. With a recording comes its list of segments.
    pub only: BTreeSet<String>,
    /// When.
    pub made_at: DateTime<Utc>,
    /// Who asks.
    pub who: String,
    /// Why.
    pub reason: String,
    /// What puts it together, such as `evidence-store 0.1.0`.
    pub software: String,
}

/// Why there is no disclosure, or it can't be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nothing was chosen.
    #[error("nothing was chosen to be disclosed")]
    Nothing,
    /// The exhibit has no such file.
    #[error("the exhibit has no {0}")]
    UnknownFile(String),
    /// The original's small files are not a package's.
    #[error("the original is not whole: {0} is not among its files")]
    Original(&'static str),
    /// The original's manifest can't be read.
    #[error("the original's manifest can't be read")]
    Manifest(#[source] crate::manifest::Error),
    /// The original's seal isn't one.
    #[error("the original's seal is not a good signature")]
    Seal(#[source] crate::seal::Error),
    /// Not a record of this format.
    #[error("not a disclosure of format alcove-disclosure/1: {0}")]
    Malformed(&'static str),
    /// It has no canonical form.
    #[error("can't be written in canonical form")]
    Unwritable(#[source] jcs::Error),
}

impl Disclosure {
    /// The canonical bytes.
    ///
    /// # Errors
    /// Never in practice: there is no number in it.
    pub fn to_bytes(&self) -> Result<Vec<u8>, Error> {
        jcs::to_vec(self).map_err(Error::Unwritable)
    }

    /// Reads what [`Disclosure::to_bytes`] writes.
    ///
    /// # Errors
    /// [`Error::Malformed`].
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let read: Self = serde_json::from_slice(bytes).map_err(|_| Error::Malformed("not its JSON"))?;
        if read.to_bytes()? != bytes {
            return Err(Error::Malformed("not in canonical form (RFC 8785)"));
        }
        let once = |paths: &[String]| paths.is_sorted_by(|a, b| a < b);
        let both = read.disclosed.iter().any(|path| read.withheld.contains(path));
        if read.disclosed.is_empty() || !once(&read.disclosed) || !once(&read.withheld) || both {
            return Err(Error::Malformed("its files are not in order, once each"));
        }
        Ok(read)
    }
}

/// Where a file of the original's package lies in the disclosure. `None`: it has no place there.
#[must_use]
pub fn place_of(path: &str) -> Option<String> {
    match path {
        bag::MANIFEST | bag::READ_ME_FIRST => Some(path.replacen("bag/data/", ORIGINAL, 1)),
        _ if path.starts_with("bag/data/") => Some(path.to_owned()),
        _ => {
            let tag = path.strip_prefix("bag/").map(|name| format!("{ORIGINAL}{name}"));
            tag.or_else(|| path.strip_prefix("proof/").map(|name| format!("{ORIGINAL_PROOF}{name}")))
        }
    }
}

/// The other way round: which file of the original this is. `None`: it is the disclosure's own.
#[must_use]
pub fn original_of(path: &str) -> Option<String> {
    let name = |start| path.strip_prefix(start).filter(|name: &&str| !name.contains('/'));
    if let Some(name) = name(ORIGINAL) {
        let payload = format!("bag/data/{name}");
        let in_payload = [bag::MANIFEST, bag::READ_ME_FIRST].contains(&payload.as_str());
        return Some(if in_payload { payload } else { format!("bag/{name}") });
    }
    if let Some(name) = name(ORIGINAL_PROOF) {
        return Some(format!("proof/{name}"));
    }
    // The original's own manifest has its place in `original`: one here would be a second.
    let own =
        !path.starts_with("bag/data/") || [DISCLOSURE, READ_ME, bag::MANIFEST, bag::READ_ME_FIRST].contains(&path);
    (!own).then(|| path.to_owned())
}

/// Lays a disclosure out as a bag, to be signed and put together as an exhibit's is. Same original and choice, same bytes.
///
/// # Errors
/// Nothing or something unknown was chosen, or the original is not whole.
pub fn bag(original: &Package, choice: &Choice) -> Result<Bag, Error> {
    let file = |path: &'static str| original.files.iter().find(|file| file.path == path).ok_or(Error::Original(path));
    let manifest = Manifest::parse(&file(bag::MANIFEST)?.bytes).map_err(Error::Manifest)?;
    let seal = seal_sha256(&file(package::SEAL)?.bytes);
    for path in [bag::BAGIT, bag::BAG_INFO, bag::PAYLOAD_MANIFEST, bag::TAGMANIFEST, bag::READ_ME_FIRST] {
        file(path)?;
    }
    let in_manifest = |file: &StoredFile| file.path.strip_prefix("bag/data/").unwrap_or(&file.path).to_owned();
    let all: BTreeSet<_> = StoredFile::all(&manifest).iter().map(in_manifest).collect();
    if choice.only.is_empty() {
        return Err(Error::Nothing);
    }
    if let Some(unknown) = choice.only.iter().find(|path| !all.contains(*path)) {
        return Err(Error::UnknownFile(unknown.clone()));
    }
    // Where a recording goes, its list of segments goes too: what is altered in it can be named then.
    let lists = manifest.tracks.iter().filter(|track| choice.only.contains(&track.path));
    let only: BTreeSet<_> = choice.only.iter().cloned().chain(lists.map(|track| track.segments.path.clone())).collect();
    let disclosure = Disclosure {
        format: Format::V1,
        exhibit: manifest.exhibit,
        reference: manifest.reference.clone(),
        seal_sha256: seal,
        made_at: choice.made_at,
        who: choice.who.clone(),
        reason: choice.reason.clone(),
        disclosed: only.iter().cloned().collect(),
        withheld: all.difference(&only).cloned().collect(),
        software: choice.software.clone(),
    };
    let mut small = vec![
        SmallFile::new(READ_ME, read_me::text(&disclosure, &manifest)),
        SmallFile::new(DISCLOSURE, disclosure.to_bytes()?),
    ];
    // Not the access log: who looked at the original is no part of what is given out.
    let proofs = original.files.iter().filter(|file| !file.path.starts_with("access/"));
    small.extend(proofs.filter_map(|file| Some(SmallFile::new(&place_of(&file.path)?, file.bytes.clone()))));
    let chosen = |file: &StoredFile| only.contains(&in_manifest(file));
    let stored = StoredFile::all(&manifest).into_iter().filter(chosen).collect();
    let facts = Original {
        signing_time: CheckedSeal::open(&file(package::SEAL)?.bytes).map_err(Error::Seal)?.signing_time(),
        stamped_at: stamped(original),
        logged: file(package::LOG_PROOF).is_ok(),
    };
    Ok(Bag::disclosing(&disclosure, manifest.force.as_str(), small, stored, facts))
}

/// What the instructions must know of the original.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Original {
    signing_time: DateTime<Utc>,
    stamped_at: Option<DateTime<Utc>>,
    logged: bool,
}

/// When the original's timestamp says that its seal was there.
fn stamped(original: &Package) -> Option<DateTime<Utc>> {
    let tsr = original.files.iter().find(|file| file.path == package::TIMESTAMP)?;
    Some(crate::timestamp::Response::parse(&tsr.bytes).ok()?.read().ok()?.gen_time)
}
