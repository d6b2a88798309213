//! What an exhibit says of a call beside its pictures: chapters and chat, read from evidence-store in the officer's name, so that the
//! look is on the exhibit's access record.

mod addendum;

use api::evidence::v1::{
    GetExhibitRequest, Item, ItemKind, ReadItemRequest, evidence_service_client::EvidenceServiceClient,
    get_exhibit_request::Key,
};
use chassis::{Entropy, grpc::Channel};
use chrono::{DateTime, Utc};
use ids::{ForceId, OfficerId};
use serde::Deserialize;
use tonic::Status;

use crate::{
    app::On,
    domain::statement::{Chapter, Line},
};

/// No document of a call is as long.
const MOST_BYTES: u64 = 8 << 20;
const REASON: &str = "the officer's statement is drafted from it";

/// The way to evidence-store.
#[derive(Debug, Clone)]
pub struct Records {
    evidence: EvidenceServiceClient<Channel>,
    entropy: Entropy,
}

/// What was read.
#[derive(Default)]
pub struct Read {
    /// As the officer marked them.
    pub chapters: Vec<Chapter>,
    /// What was written.
    pub lines: Vec<Line>,
    /// References of the exhibit and its addenda.
    pub exhibits: Vec<String>,
}

/// Why it could not be.
#[derive(Debug, thiserror::Error)]
pub enum Unread {
    /// evidence-store is away, or refuses.
    #[error("evidence-store doesn't give it")]
    Refused(#[from] Status),
    /// Not a document of ours.
    #[error("{0} is not a document that can be read")]
    Malformed(&'static str),
}

#[derive(Deserialize)]
struct Chapters {
    chapters: Vec<ChapterDocument>,
}

#[derive(Deserialize)]
struct ChapterDocument {
    at: DateTime<Utc>,
    kind: String,
    note: String,
}

#[derive(Deserialize)]
struct Transcript {
    lines: Vec<LineDocument>,
}

/// A line as docs/session-items.md has it: words of their own, or a phrase with its English.
#[derive(Deserialize)]
struct LineDocument {
    at: Option<DateTime<Utc>>,
    role: Option<String>,
    what: String,
    text: Option<String>,
    english: Option<String>,
}

impl Records {
    /// By this channel.
    #[must_use]
    pub fn new(channel: Channel, entropy: Entropy) -> Self {
        Self { evidence: EvidenceServiceClient::new(channel), entropy }
    }

    /// Chapters and chat of a call's exhibit, in the order of time.
    ///
    /// # Errors
    /// evidence-store is away, or what it gives isn't a document.
    pub async fn read(&self, on: &On, officer: &OfficerId, now: DateTime<Utc>) -> Result<Read, Unread> {
        let key = Key::CallId(on.call.to_string());
        let request = GetExhibitRequest { force_id: on.force.to_string(), key: Some(key) };
        let exhibit = self.evidence.clone().get_exhibit(request).await?.into_inner();
        let mut read = Read { exhibits: vec![exhibit.reference.clone()], ..Read::default() };
        for item in &exhibit.items {
            match item.kind() {
                ItemKind::Chapters => {
                    let bytes = self.item((&on.force, officer), &exhibit.exhibit_id, item, now).await?;
                    let document: Chapters = parse(&bytes, "chapters")?;
                    read.chapters.extend(document.chapters.into_iter().map(Chapter::from));
                }
                ItemKind::ChatTranscript => {
                    let bytes = self.item((&on.force, officer), &exhibit.exhibit_id, item, now).await?;
                    let document: Transcript = parse(&bytes, "chat-transcript")?;
                    read.lines.extend(document.lines.into_iter().filter_map(LineDocument::said));
                }
                _ => {}
            }
        }
        // Where another instance took a session over, each part has its own.
        read.chapters.sort_by_key(|chapter| chapter.at);
        read.lines.sort_by_key(|line| line.at);
        Ok(read)
    }

    async fn item(
        &self,
        (force, officer): (&ForceId, &OfficerId),
        exhibit: &str,
        item: &Item,
        now: DateTime<Utc>,
    ) -> Result<Vec<u8>, Unread> {
        if item.bytes > MOST_BYTES {
            return Err(Unread::Malformed("an item of that size"));
        }
        let request = ReadItemRequest {
            request_id: self.entropy.id::<ids::RequestId>(now).to_string(),
            force_id: force.to_string(),
            exhibit_id: exhibit.to_owned(),
            path: item.path.clone(),
            offset: 0,
            length: 0,
            who: officer.to_string(),
            reason: REASON.to_owned(),
        };
        let mut chunks = self.evidence.clone().read_item(request).await?.into_inner();
        let mut bytes = Vec::new();
        while let Some(chunk) = chunks.message().await? {
            bytes.extend_from_slice(&chunk.chunk);
        }
        Ok(bytes)
    }
}

fn parse<'b, T: Deserialize<'b>>(bytes: &'b [u8], what: &'static str) -> Result<T, Unread> {
    serde_json::from_slice(bytes).map_err(|_| Unread::Malformed(what))
}

impl From<ChapterDocument> for Chapter {
    fn from(ChapterDocument { at, kind, note }: ChapterDocument) -> Self {
        Self { at, kind, note }
    }
}

impl LineDocument {
    /// What was said by it; a change of language, or a torn line, says nothing.
    fn said(self) -> Option<Line> {
        let words = match self.what.as_str() {
            "text" => self.text?,
            "phrase" => self.english?,
            _ => return None,
        };
        Some(Line { at: self.at?, role: self.role?, words })
    }
}
