//! What a session leaves beside its media: documents, made at its end of what was noted while it lasted (see `lines`), and the stills
//! that were taken, which stay here until evidence-store has them. `docs/session-items.md` says what is in them.

use std::{collections::BTreeSet, fs, io, path::Path};

use ids::SessionId;
use uuid::Uuid;

use super::{Lines, Owner, Piece, Spool};

const LEDGER: &str = "gap-ledger";
const TRANSCRIPT: &str = "chat-transcript";
const CHAPTERS: &str = "chapters";
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
    /// What was written, in one part.
    ChatTranscript {
        /// Which.
        part: u64,
    },
    /// Where something begins, in one part.
    Chapters {
        /// Which.
        part: u64,
    },
}

impl Document {
    /// Its name in the exhibit.
    #[must_use]
    pub fn name(self) -> String {
        match self {
            Self::GapLedger { part } => of_part(LEDGER, part),
            Self::ChatTranscript { part } => of_part(TRANSCRIPT, part),
            Self::Chapters { part } => of_part(CHAPTERS, part),
            Self::Participants => PARTICIPANTS.to_owned(),
            Self::Still(number) => format!("still-{number}"),
            Self::Photograph(number) => format!("photograph-{number}"),
        }
    }

    /// The one of that name, if there is one.
    fn named(name: &str) -> Option<Self> {
        let number: u32 = name.rsplit_once('-').and_then(|(_, number)| number.parse().ok()).unwrap_or(1);
        let part = number.into();
        let candidates = [
            Self::GapLedger { part },
            Self::ChatTranscript { part },
            Self::Chapters { part },
            Self::Participants,
            Self::Still(number),
            Self::Photograph(number),
        ];
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

/// The first part's name is the kind's own.
fn of_part(kind: &str, part: u64) -> String {
    if part == 1 { kind.to_owned() } else { format!("{kind}-{part}") }
}

impl Spool {
    /// Appends lines to the ledger of a session's part: durable on return. Blocks on the disk.
    ///
    /// # Errors
    /// When the disk refuses, or the session was never prepared.
    pub fn note(&self, session: SessionId, lines: &[String]) -> io::Result<()> {
        self.append(session, Lines::Ledger, lines)
    }

    /// Is this part over? Its ledger is made into a document then, and nothing of it takes further lines.
    pub(super) fn is_over(&self, owner: &Owner) -> bool {
        let (folder, ledger) = (self.folder(owner.session), Document::GapLedger { part: owner.part });
        folder.join(ledger.owed()).exists() || folder.join(ledger.sent()).exists()
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
