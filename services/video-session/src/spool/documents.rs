//! What a session leaves beside its media: documents, made at its end of what was noted while it lasted (see `lines`), which
//! stay here until evidence-store has them. `docs/session-items.md` says what is in them.

use std::{collections::BTreeSet, fs, io};

use ids::SessionId;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Lines, Piece, Spool};

/// A document that a session leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Document {
    /// What never arrived, and what changed.
    GapLedger,
    /// Who was there, and when.
    Participants,
    /// What was written.
    ChatTranscript,
    /// Where something begins.
    Chapters,
}

impl Document {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::GapLedger, Self::Participants, Self::ChatTranscript, Self::Chapters];

    /// Its name in the exhibit.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::GapLedger => "gap-ledger",
            Self::Participants => "participants",
            Self::ChatTranscript => "chat-transcript",
            Self::Chapters => "chapters",
        }
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
        format!("{}.doc", self.name())
    }

    fn sent(self) -> String {
        format!("{}.sent", self.name())
    }
}

impl Spool {
    /// Appends lines to a session's ledger: durable on return. Blocks on the disk.
    ///
    /// # Errors
    /// When the disk refuses, or the session was never prepared.
    pub fn note(&self, session: SessionId, lines: &[String]) -> io::Result<()> {
        self.append(session, Lines::Ledger, lines)
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
        }
        self.tell();
        Ok(())
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

pub(super) fn survey(folder: &std::path::Path) -> BTreeSet<Document> {
    Document::ALL.into_iter().filter(|document| folder.join(document.owed()).exists()).collect()
}
