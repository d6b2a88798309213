//! The package: the bag, and beside it the proofs. Beside, not inside: the signature is over the bag and can't be part of it.
//!
//! Its small files are made once, at the seal, and kept: text that a later version of this crate would word differently
//! has been hashed and signed by then.

mod how_to_verify;

use std::io::{self, Read, Write};

use chrono::{DateTime, Utc};
use ids::TrackName;

use crate::{
    SmallFile,
    bag::Bag,
    seal::{self, CheckedSeal},
    sha256::Digest,
    tar,
};

/// The detached signature over [`TAGMANIFEST`].
pub const SEAL: &str = "proof/seal.p7s";
/// The signer's certificate, for convenience: who signed is settled by trust roots from elsewhere.
pub const SIGNER: &str = "proof/signer.pem";
/// Exact commands for checking all this without our software.
pub const HOW_TO_VERIFY: &str = "proof/HOW-TO-VERIFY.txt";
/// Checksums of the proofs and of what was signed.
pub const CHECKSUMS: &str = "proof/checksums-sha256.txt";
/// What is signed.
pub const TAGMANIFEST: &str = crate::bag::TAGMANIFEST;

/// A track's place in the package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrackFile {
    /// The track.
    pub track: TrackName,
    /// Where its file lies, from the package's root.
    pub path: String,
    /// Its length.
    pub bytes: u64,
}

/// A sealed package: all of it but the media.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// Every small file, in the order of the archive. Keep these: never make them again.
    pub files: Vec<SmallFile>,
    /// The tracks, which follow them.
    pub tracks: Vec<TrackFile>,
    /// The time that every file in the archive has: the exhibit's fence.
    pub modified: DateTime<Utc>,
}

impl Package {
    /// Puts bag and seal together.
    ///
    /// # Errors
    /// If the seal is not a good signature over this bag.
    pub fn new(bag: Bag, seal: &[u8]) -> Result<Self, seal::Error> {
        let checked = CheckedSeal::open(seal)?;
        checked.require_over(bag.tagmanifest())?;
        let mut proofs = vec![
            SmallFile::new(HOW_TO_VERIFY, how_to_verify::text(bag.reference(), checked.signing_time())),
            SmallFile::new(SEAL, seal),
            SmallFile::new(SIGNER, checked.signer_pem()?),
        ];
        let mut lines = vec![(Digest::of(bag.tagmanifest()), TAGMANIFEST)];
        lines.extend(proofs.iter().map(|file| (Digest::of(&file.bytes), file.path.as_str())));
        let checksums = SmallFile::new(CHECKSUMS, crate::bag::checksum_lines(lines));
        proofs.push(checksums);
        let (mut files, tracks, modified) = bag.into_parts();
        files.extend(proofs);
        Ok(Self { files, tracks, modified })
    }

    /// Length of the archive.
    #[must_use]
    pub fn tar_bytes(&self) -> u64 {
        let lengths = self.files.iter().map(|f| f.bytes.len() as u64).chain(self.tracks.iter().map(|t| t.bytes));
        let filled = lengths.map(|len| tar::BLOCK as u64 + len + tar::padding(len).len() as u64);
        filled.sum::<u64>() + tar::END.len() as u64
    }

    /// Streams the archive; `open` gives each track's bytes.
    ///
    /// # Errors
    /// What `open`, its readers or the output say; a track of another length than was sealed.
    pub fn write_tar<R: Read>(
        &self,
        out: impl Write,
        mut open: impl FnMut(&TrackName) -> io::Result<R>,
    ) -> io::Result<()> {
        let mut archive = tar::Writer::new(out, self.modified);
        for file in &self.files {
            archive.file(&file.path, &file.bytes)?;
        }
        for track in &self.tracks {
            archive.entry(&track.path, track.bytes, open(&track.track)?)?;
        }
        archive.finish().map(drop)
    }
}
