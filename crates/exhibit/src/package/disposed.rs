//! The package once its exhibit was disposed of: no recordings and no items, and the tombstone beside the proofs. The lists of
//! segments stay: they are digests and times, and with them a receipt can still be judged.

mod verify_text;

use chrono::{DateTime, Utc};

use super::{
    CHECKSUMS, Checked, Content, LOG_PROOF, Package, Proofs, SEAL, TAGMANIFEST, TIMESTAMP, VERIFY, check, checksums,
    verify_text::Facts,
};
use crate::{
    SmallFile,
    seal::CheckedSeal,
    timestamp::Response,
    tlog::Entry,
    tombstone::{self, Tombstone},
};

impl Package {
    /// What is left. The instructions are made anew, for those of the whole package would fail where nothing is wrong, and with
    /// them the list that has their checksum; everything else stays as it was kept.
    ///
    /// # Errors
    /// If the tombstone or a proof of it is not one, or not over what it must be over; if the kept files are not a package's.
    pub fn disposed(mut self, json: &[u8], proofs: &Proofs<'_>) -> Result<Self, super::Error> {
        let tombstone = Tombstone::parse(json)?;
        let entry = |signature, timestamp| Entry::Tombstone { exhibit: tombstone.exhibit, signature, timestamp };
        let Checked { seal, stamped } = check(json, proofs, entry)?;
        let buried = Facts {
            reference: &tombstone.reference,
            signing_time: seal.signing_time(),
            stamped_at: stamped.map(|(at, _)| at),
            logged: proofs.log.is_some(),
        };
        let text = verify_text::text(&self.facts(&tombstone.reference)?, &buried);
        self.file_mut(VERIFY)?.bytes = text.into_bytes();
        self.stored.retain(|file| matches!(file.content, Content::Segments(_)));
        let mut more = vec![SmallFile::new(tombstone::TOMBSTONE, json)];
        more.push(SmallFile::new(tombstone::SIGNATURE, proofs.seal));
        more.extend(proofs.timestamp.map(|tsr| SmallFile::new(tombstone::TIMESTAMP, tsr)));
        if let Some(log) = proofs.log {
            more.push(SmallFile::new(tombstone::LOG_ENTRY, log.entry));
            more.push(SmallFile::new(tombstone::LOG_PROOF, log.proof));
        }
        self.files.extend(more);
        let list = checksums(self.file(TAGMANIFEST)?, &self.files);
        *self.file_mut(CHECKSUMS)? = list;
        Ok(self)
    }

    /// What the instructions tell of the seal.
    fn facts<'a>(&self, reference: &'a str) -> Result<Facts<'a>, super::Error> {
        let signing_time = CheckedSeal::open(self.file(SEAL)?)?.signing_time();
        let stamped_at: Option<DateTime<Utc>> = match self.file(TIMESTAMP) {
            Ok(tsr) => Some(Response::parse(tsr)?.read()?.gen_time),
            Err(_) => None,
        };
        Ok(Facts { reference, signing_time, stamped_at, logged: self.file(LOG_PROOF).is_ok() })
    }

    fn file(&self, path: &'static str) -> Result<&[u8], super::Error> {
        let file = self.files.iter().find(|file| file.path == path);
        file.map(|file| &*file.bytes).ok_or(super::Error::Missing(path))
    }

    fn file_mut(&mut self, path: &'static str) -> Result<&mut SmallFile, super::Error> {
        self.files.iter_mut().find(|file| file.path == path).ok_or(super::Error::Missing(path))
    }
}
