//! What a session leaves beside its media: the ledger that grows while it lasts, the stills that were taken, and the documents made
//! at the end, which stay here until evidence-store has them. `docs/session-items.md` says what is in them.

use std::{
    collections::BTreeSet,
    fs::{self, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
};

use ids::SessionId;
use uuid::Uuid;

use super::{Owner, Piece, Spool, file};

const LEDGER: &str = "gap-ledger";
const PARTICIPANTS: &str = "participants";
const OWED: &str = "doc";
const SENT: &str = "sent";

/// A document that a session leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Document {
    /// What never arrived, and what changed, in one part of the recording.
    GapLedger {
        /// Which. 1 unless an instance has taken over from another.
        part: u64,
    },
    /// Who was there, and when.
    Participants,
    /// Which picture of the recording the nth still is.
    Still(u32),
    /// The nth photograph itself.
    Photograph(u32),
}

impl Document {
    /// Its name in the exhibit.
    #[must_use]
    pub fn name(self) -> String {
        match self {
            Self::GapLedger { part: 1 } => LEDGER.to_owned(),
            Self::GapLedger { part } => format!("{LEDGER}-{part}"),
            Self::Participants => PARTICIPANTS.to_owned(),
            Self::Still(number) => format!("still-{number}"),
            Self::Photograph(number) => format!("photograph-{number}"),
        }
    }

    /// The one of that name, if there is one.
    fn named(name: &str) -> Option<Self> {
        let number: u32 = name.rsplit_once('-').and_then(|(_, number)| number.parse().ok()).unwrap_or(1);
        let ledger = Self::GapLedger { part: number.into() };
        let candidates = [ledger, Self::Participants, Self::Still(number), Self::Photograph(number)];
        candidates.into_iter().find(|document| document.name() == name)
    }

    /// The request that adds it to a session's exhibit: always the same one, so that it is added once.
    #[must_use]
    pub fn request_id(self, session: SessionId) -> Uuid {
        let mut text = b"alcove session document v1\n".to_vec();
        text.extend(session.uuid().as_bytes());
        text.extend(self.name().as_bytes());
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&ring::digest::digest(&ring::digest::SHA256, &text).as_ref()[..16]);
        uuid::Builder::from_custom_bytes(bytes).into_uuid()
    }

    fn owed(self) -> String {
        format!("{}.{OWED}", self.name())
    }

    fn sent(self) -> String {
        format!("{}.{SENT}", self.name())
    }
}

impl Spool {
    /// Appends lines to the ledger of a session's part: durable on return. Blocks on the disk.
    ///
    /// # Errors
    /// When the disk refuses, or the session was never prepared.
    pub fn note(&self, session: SessionId, lines: &[String]) -> io::Result<()> {
        let mut text = lines.join("\n");
        text.push('\n');
        let path = self.ledger_file(session);
        let fresh = !path.exists();
        let mut file = OpenOptions::new().create(true).append(true).open(&path)?;
        file.write_all(text.as_bytes())?;
        file.sync_data()?;
        if fresh { file::sync_dir(&self.folder(session)) } else { Ok(()) }
    }

    /// The ledger of a session's part, line by line; none if nothing was noted. Blocks on the disk.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn ledger(&self, session: SessionId) -> io::Result<Vec<String>> {
        match fs::read(self.ledger_file(session)) {
            // A crash may have torn a line: it is kept as far as it goes, for whoever reads to judge.
            Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).lines().map(str::to_owned).collect()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    /// Is this part over? Its ledger is made into a document then, and takes no further lines.
    pub(super) fn is_over(&self, owner: &Owner) -> bool {
        let (folder, ledger) = (self.folder(owner.session), Document::GapLedger { part: owner.part });
        folder.join(ledger.owed()).exists() || folder.join(ledger.sent()).exists()
    }

    fn ledger_file(&self, session: SessionId) -> PathBuf {
        self.folder(session).join(match self.owner(session) {
            Some(Owner { part, .. }) if part > 1 => format!("ledger-{part}.jsonl"),
            _ => "ledger.jsonl".to_owned(),
        })
    }

    /// Keeps a document until evidence-store has it; one that is there stays as it is. Blocks on the disk.
    ///
    /// # Errors
    /// When the disk refuses, or the session was never prepared.
    pub fn keep_document(&self, session: SessionId, document: Document, piece: &Piece) -> io::Result<()> {
        let folder = self.folder(session);
        if !folder.join(document.owed()).exists() && !folder.join(document.sent()).exists() {
            piece.write(&folder.join(document.owed()))?;
        }
        if let Some(folder) = self.index().get_mut(&session)
            && !self.folder(session).join(document.sent()).exists()
        {
            folder.documents.insert(document);
            folder.documents_failed = false;
        }
        self.tell();
        Ok(())
    }

    /// The highest number among a session's stills and the like, sent or not; 0 if there are none. Blocks on the disk.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn highest(&self, session: SessionId, numbered: fn(u32) -> Document) -> io::Result<u32> {
        let mut highest = 0;
        for (document, _) in documents(&self.folder(session))? {
            if let Document::Still(number) | Document::Photograph(number) = document
                && document == numbered(number)
            {
                highest = highest.max(number);
            }
        }
        Ok(highest)
    }

    /// Reads a document back. Blocks on the disk.
    ///
    /// # Errors
    /// When it isn't there, or isn't whole.
    pub fn load_document(&self, session: SessionId, document: Document) -> io::Result<Piece> {
        Piece::read(&self.folder(session).join(document.owed()))
    }

    /// evidence-store has a document. Blocks on the disk.
    pub fn document_sent(&self, session: SessionId, document: Document) {
        let folder = self.folder(session);
        // If it stays, it is sent again after a restart, and gets the same answer.
        let _ = fs::rename(folder.join(document.owed()), folder.join(document.sent()));
        if let Some(folder) = self.index().get_mut(&session) {
            folder.documents.remove(&document);
        }
        self.tell();
    }

    /// Documents that evidence-store hasn't got.
    #[must_use]
    pub fn documents_owed(&self, session: SessionId) -> BTreeSet<Document> {
        self.index().get(&session).map(|folder| folder.documents.clone()).unwrap_or_default()
    }

    /// A first attempt to send the documents has failed: whoever waits for them needn't wait any longer.
    pub fn documents_failed(&self, session: SessionId) {
        if let Some(folder) = self.index().get_mut(&session) {
            folder.documents_failed = true;
        }
        self.tell();
    }

    /// Whether the documents are with evidence-store, or it was tried in vain.
    #[must_use]
    pub fn documents_settled(&self, session: SessionId) -> bool {
        self.index().get(&session).is_none_or(|folder| folder.documents.is_empty() || folder.documents_failed)
    }
}

/// Documents that an earlier process still owed.
pub(super) fn survey(folder: &Path) -> io::Result<BTreeSet<Document>> {
    Ok(documents(folder)?.into_iter().filter(|(_, is_owed)| *is_owed).map(|(document, _)| document).collect())
}

/// A folder's documents, and whether they are still owed.
fn documents(folder: &Path) -> io::Result<Vec<(Document, bool)>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name();
        if let Some((stem, kind)) = name.to_str().and_then(|name| name.rsplit_once('.'))
            && let Some(document) = Document::named(stem)
            && matches!(kind, OWED | SENT)
        {
            found.push((document, kind == OWED));
        }
    }
    Ok(found)
}
