//! The exhibit as files: BagIt 1.0 (RFC 8493), which archives and courts' IT can check without us. Same manifest, same bytes.

mod read_me_first;

use chrono::{DateTime, Utc};
use ids::ExhibitId;

use crate::{
    Manifest, SmallFile,
    disclosure::{self, Disclosure, Original},
    manifest,
    package::{
        StoredFile,
        verify_text::{self, Facts},
    },
    sha256::Digest,
};

/// The declaration.
pub const BAGIT: &str = "bag/bagit.txt";
/// What the bag is about.
pub const BAG_INFO: &str = "bag/bag-info.txt";
/// Checksums of the payload.
pub const PAYLOAD_MANIFEST: &str = "bag/manifest-sha256.txt";
/// Checksums of the tag files, and through them of everything in the bag. This is what gets signed.
pub const TAGMANIFEST: &str = "bag/tagmanifest-sha256.txt";
/// The exhibit's manifest.
pub const MANIFEST: &str = "bag/data/manifest.json";
/// A plain-language note for whoever opens the folder.
pub const READ_ME_FIRST: &str = "bag/data/READ-ME-FIRST.txt";

/// All of a bag but what is streamed into it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bag {
    exhibit: ExhibitId,
    reference: String,
    original: Option<Original>,
    files: Vec<SmallFile>,
    tagmanifest: Vec<u8>,
    stored: Vec<StoredFile>,
    modified: DateTime<Utc>,
}

impl Bag {
    /// Lays the exhibit out. Deterministic: the same manifest gives the same bytes.
    ///
    /// # Errors
    /// If the manifest contradicts itself ([`Manifest::check`]).
    pub fn new(manifest: &Manifest) -> Result<Self, manifest::Error> {
        let json = SmallFile::new(MANIFEST, manifest.to_bytes()?);
        let read_me = SmallFile::new(READ_ME_FIRST, read_me_first::text(manifest));
        let heading = Heading {
            force: manifest.force.as_str(),
            identifier: &manifest.reference,
            exhibit: manifest.exhibit,
            at: manifest.fenced_at,
            software: &manifest.software,
        };
        Ok(Self::lay_out(&heading, manifest.reference.clone(), None, vec![read_me, json], StoredFile::all(manifest)))
    }

    /// A partial disclosure ([`crate::disclosure`]).
    pub(crate) fn disclosing(
        disclosure: &Disclosure,
        force: &str,
        small: Vec<SmallFile>,
        stored: Vec<StoredFile>,
        original: Original,
    ) -> Self {
        let heading = Heading {
            force,
            identifier: &format!("{} (partial disclosure)", disclosure.reference),
            exhibit: disclosure.exhibit,
            at: disclosure.made_at,
            software: &disclosure.software,
        };
        Self::lay_out(&heading, disclosure.reference.clone(), Some(original), small, stored)
    }

    fn lay_out(
        heading: &Heading<'_>,
        reference: String,
        original: Option<Original>,
        small: Vec<SmallFile>,
        stored: Vec<StoredFile>,
    ) -> Self {
        let mut payload = digests(&small);
        payload.extend(stored.iter().map(|file| (file.sha256, in_bag(&file.path))));
        let small_octets = small.iter().map(|file| file.bytes.len() as u64).sum::<u64>();
        let octets = small_octets + stored.iter().map(|file| file.bytes).sum::<u64>();
        let oxum = format!("{octets}.{}", payload.len());

        let bagit = SmallFile::new(BAGIT, "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n");
        let info = SmallFile::new(BAG_INFO, bag_info(heading, &oxum));
        let list = SmallFile::new(PAYLOAD_MANIFEST, checksum_lines(payload));
        let mut files = vec![bagit, info, list];
        let tagmanifest = checksum_lines(digests(&files)).into_bytes();
        files.push(SmallFile::new(TAGMANIFEST, tagmanifest.clone()));
        files.extend(small);
        Self { exhibit: heading.exhibit, reference, original, files, tagmanifest, stored, modified: heading.at }
    }

    /// What the seal signs: the bytes of `tagmanifest-sha256.txt`.
    #[must_use]
    pub fn tagmanifest(&self) -> &[u8] {
        &self.tagmanifest
    }

    /// The bytes of [`MANIFEST`]; none in a partial disclosure.
    #[must_use]
    pub fn manifest(&self) -> &[u8] {
        self.files.iter().find(|file| file.path == MANIFEST).map_or(&[], |file| &file.bytes)
    }

    /// The bag's small files, [`MANIFEST`] among them.
    #[must_use]
    pub fn files(&self) -> &[SmallFile] {
        &self.files
    }

    /// Where lists of segments, tracks and items go.
    #[must_use]
    pub fn stored(&self) -> &[StoredFile] {
        &self.stored
    }

    pub(crate) fn exhibit(&self) -> ExhibitId {
        self.exhibit
    }

    pub(crate) fn reference(&self) -> &str {
        &self.reference
    }

    /// How to verify what this becomes.
    pub(crate) fn verify_text(&self, facts: &Facts<'_>) -> String {
        match self.original {
            None => verify_text::text(facts),
            Some(original) => disclosure::verify_text(facts, original),
        }
    }

    pub(crate) fn into_parts(self) -> (Vec<SmallFile>, Vec<StoredFile>, DateTime<Utc>) {
        (self.files, self.stored, self.modified)
    }
}

/// Lines that `sha256sum -c` and BagIt both read, in order of path.
pub(crate) fn checksum_lines<P: AsRef<str>>(files: impl IntoIterator<Item = (Digest, P)>) -> String {
    let mut lines: Vec<_> = files.into_iter().collect();
    lines.sort_by(|(_, a), (_, b)| a.as_ref().cmp(b.as_ref()));
    lines.iter().map(|(digest, path)| format!("{digest}  {}\n", path.as_ref())).collect()
}

/// Paths in a bag's own lists start at the bag.
fn in_bag(path: &str) -> String {
    path.strip_prefix("bag/").unwrap_or(path).to_owned()
}

fn digests(files: &[SmallFile]) -> Vec<(Digest, String)> {
    files.iter().map(|file| (Digest::of(&file.bytes), in_bag(&file.path))).collect()
}

/// What a bag says of itself.
struct Heading<'a> {
    force: &'a str,
    identifier: &'a str,
    exhibit: ExhibitId,
    at: DateTime<Utc>,
    software: &'a str,
}

/// The reserved labels of RFC 8493 section 2.2.2 that we can fill truthfully.
fn bag_info(heading: &Heading<'_>, oxum: &str) -> String {
    let Heading { force, identifier, exhibit, at, software } = heading;
    format!(
        "Source-Organization: {force}\nExternal-Identifier: {identifier}\nInternal-Sender-Identifier: {exhibit}\n\
         Bagging-Date: {}\nPayload-Oxum: {oxum}\nBag-Software-Agent: {software}\n",
        at.date_naive(),
    )
}
