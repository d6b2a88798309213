//! The exhibit as files: BagIt 1.0 (RFC 8493), which archives and courts' IT can check without us. Same manifest, same bytes.

mod read_me_first;

use chrono::{DateTime, Utc};

use crate::{Manifest, SmallFile, manifest, package::TrackFile, sha256::Digest};

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

/// All of a bag but its media.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bag {
    reference: String,
    files: Vec<SmallFile>,
    tagmanifest: Vec<u8>,
    tracks: Vec<TrackFile>,
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
        let tracks: Vec<_> = manifest
            .tracks
            .iter()
            .map(|t| TrackFile { track: t.name.clone(), path: format!("bag/data/{}", t.path), bytes: t.bytes })
            .collect();

        let mut payload = digests(&[&json, &read_me]);
        payload.extend(manifest.tracks.iter().zip(&tracks).map(|(t, file)| (t.sha256, in_bag(&file.path))));
        let octets = (json.bytes.len() + read_me.bytes.len()) as u64 + tracks.iter().map(|t| t.bytes).sum::<u64>();
        let oxum = format!("{octets}.{}", payload.len());

        let bagit = SmallFile::new(BAGIT, "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n");
        let info = SmallFile::new(BAG_INFO, bag_info(manifest, &oxum));
        let list = SmallFile::new(PAYLOAD_MANIFEST, checksum_lines(payload));
        let tagmanifest = checksum_lines(digests(&[&bagit, &info, &list])).into_bytes();
        let tags = SmallFile::new(TAGMANIFEST, tagmanifest.clone());
        Ok(Self {
            reference: manifest.reference.clone(),
            files: vec![bagit, info, list, tags, read_me, json],
            tagmanifest,
            tracks,
            modified: manifest.fenced_at,
        })
    }

    /// What the seal signs: the bytes of `tagmanifest-sha256.txt`.
    #[must_use]
    pub fn tagmanifest(&self) -> &[u8] {
        &self.tagmanifest
    }

    /// The bag's small files, [`MANIFEST`] among them.
    #[must_use]
    pub fn files(&self) -> &[SmallFile] {
        &self.files
    }

    /// Where each track goes.
    #[must_use]
    pub fn tracks(&self) -> &[TrackFile] {
        &self.tracks
    }

    pub(crate) fn reference(&self) -> &str {
        &self.reference
    }

    pub(crate) fn into_parts(self) -> (Vec<SmallFile>, Vec<TrackFile>, DateTime<Utc>) {
        (self.files, self.tracks, self.modified)
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

fn digests(files: &[&SmallFile]) -> Vec<(Digest, String)> {
    files.iter().map(|file| (Digest::of(&file.bytes), in_bag(&file.path))).collect()
}

/// The reserved labels of RFC 8493 section 2.2.2 that we can fill truthfully.
fn bag_info(manifest: &Manifest, oxum: &str) -> String {
    let date = manifest.fenced_at.date_naive();
    format!(
        "Source-Organization: {}\nExternal-Identifier: {}\nInternal-Sender-Identifier: {}\nBagging-Date: {date}\n\
         Payload-Oxum: {oxum}\nBag-Software-Agent: {}\n",
        manifest.force, manifest.reference, manifest.exhibit, manifest.software,
    )
}
