//! The sealed package, fetched as a disclosure officer fetches it and laid out on disk.

use std::{io, path::Path};

use api::evidence::v1::{
    ExportRequest, GetExhibitRequest, GetExhibitResponse, ReadItemRequest,
    evidence_service_client::EvidenceServiceClient, get_exhibit_request::Key,
};
use chassis::{Clock, Entropy};
use ids::RequestId;
use tonic::Status;

use crate::identity::Way;

/// The disclosure officer.
pub const WHO: &str = "disclosure.officer";

/// Why there is no package.
#[derive(Debug, thiserror::Error)]
pub enum PackageError {
    /// evidence-store's answer.
    #[error("evidence-store: {0}")]
    Refused(#[from] Status),
    /// The disk's.
    #[error("the package's folder")]
    Disk(#[from] io::Error),
}

/// What `alcove-verify` is to trust of this stack's, as its arguments: the signer's and the authority's roots, the keys of the log and
/// its witness. In life each comes from whoever vouches for it.
///
/// # Errors
/// One isn't there.
pub fn trust(stack: &testkit::Stack) -> io::Result<Vec<String>> {
    let line = |file| std::fs::read_to_string(file).map(|text| text.trim().to_owned());
    let shown = |path: std::path::PathBuf| path.display().to_string();
    Ok(vec![
        "--roots".into(),
        shown(stack.roots()),
        "--tsa-roots".into(),
        shown(stack.tsa_roots()),
        "--log-key".into(),
        line(stack.log_key())?,
        "--witness-key".into(),
        line(stack.witness_key())?,
    ])
}

/// The exhibit of a call.
///
/// # Errors
/// What evidence-store answers.
pub async fn exhibit_of(evidence: Way, force: &str, call_id: &str) -> Result<GetExhibitResponse, Status> {
    let key = Some(Key::CallId(call_id.to_owned()));
    let request = GetExhibitRequest { force_id: force.to_owned(), key };
    Ok(EvidenceServiceClient::new(evidence).get_exhibit(request).await?.into_inner())
}

/// Exports an exhibit, and unpacks the tar into a folder, which is made.
///
/// # Errors
/// What evidence-store answers, or the disk.
pub async fn export(evidence: Way, force: &str, exhibit_id: &str, to: &Path) -> Result<(), PackageError> {
    let request = ExportRequest {
        request_id: Entropy::os().id::<RequestId>(Clock::system().now()).to_string(),
        force_id: force.to_owned(),
        exhibit_id: exhibit_id.to_owned(),
        who: WHO.to_owned(),
        reason: "disclosure to the defence".into(),
        only: Vec::new(),
    };
    let mut chunks = EvidenceServiceClient::new(evidence).export(request).await?.into_inner();
    let mut tar = Vec::new();
    while let Some(part) = chunks.message().await? {
        tar.extend_from_slice(&part.chunk);
    }
    std::fs::create_dir_all(to)?;
    tar::Archive::new(tar.as_slice()).unpack(to)?;
    Ok(())
}

/// A file of a sealed exhibit, or of its working copy, as the console plays it.
///
/// # Errors
/// What evidence-store answers.
pub async fn item(evidence: Way, force: &str, exhibit_id: &str, path: &str) -> Result<Vec<u8>, Status> {
    let request = ReadItemRequest {
        request_id: Entropy::os().id::<RequestId>(Clock::system().now()).to_string(),
        force_id: force.to_owned(),
        exhibit_id: exhibit_id.to_owned(),
        path: path.to_owned(),
        who: WHO.to_owned(),
        reason: "playback".to_owned(),
        ..Default::default()
    };
    let mut chunks = EvidenceServiceClient::new(evidence).read_item(request).await?.into_inner();
    let mut bytes = Vec::new();
    while let Some(part) = chunks.message().await? {
        bytes.extend(part.chunk);
    }
    Ok(bytes)
}
