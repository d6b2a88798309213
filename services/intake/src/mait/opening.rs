//! From a message to the request that it stands for.

use api::intake::v1 as proto;
use chrono::DateTime;
use ids::RequestId;
use ring::digest::{SHA256, digest};
use uuid::Builder;

use super::{
    document::Document,
    flaw::Flaw,
    schema::{Field, Kind},
    write::write,
};

/// What OpenCall is asked.
pub(super) fn request(document: &Document) -> Result<proto::OpenCallRequest, Flaw> {
    let text = |field| document.get(field).unwrap_or_default().to_owned();
    let line = match document.get(Field::Line) {
        Some("999") => proto::Line::Line999,
        _ => proto::Line::Line101,
    };
    Ok(proto::OpenCallRequest {
        request_id: request_id(document).to_string(),
        force_id: text(Field::From),
        line: line.into(),
        incident: Some(proto::Incident { date: text(Field::IncidentDate), number: text(Field::IncidentNumber) }),
        caller_number: text(Field::CallerNumber),
        location: location(document)?,
    })
}

fn location(document: &Document) -> Result<Option<proto::Location>, Flaw> {
    let (Some(latitude), Some(longitude)) = (document.get(Field::Latitude), document.get(Field::Longitude)) else {
        return Ok(None);
    };
    let degrees = |field, text: &str| text.parse().map_err(|_| Flaw::Shape(field));
    let taken_at = document.get(Field::TakenAt).map(|text| {
        let at = DateTime::parse_from_rfc3339(text).map_err(|_| Flaw::Shape(Field::TakenAt))?;
        Ok(crate::grpc::timestamp(at.to_utc()))
    });
    let accuracy = document.get(Field::AccuracyMetres).unwrap_or("0");
    Ok(Some(proto::Location {
        latitude: degrees(Field::Latitude, latitude)?,
        longitude: degrees(Field::Longitude, longitude)?,
        accuracy_m: accuracy.parse().map_err(|_| Flaw::Shape(Field::AccuracyMetres))?,
        words: document.get(Field::PlaceDescription).unwrap_or_default().to_owned(),
        taken_at: taken_at.transpose()?,
    }))
}

/// The same for the same message of the same sender: said again, it is the same request.
fn request_id(document: &Document) -> RequestId {
    let id = [
        "alcove mait",
        document.get(Field::From).unwrap_or_default(),
        document.get(Field::MessageId).unwrap_or_default(),
    ];
    let hash = digest(&SHA256, id.join("\0").as_bytes());
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash.as_ref()[..16]);
    Builder::from_custom_bytes(bytes).into_uuid().into()
}

/// What must be the same when a message is said again: all of it, however it is written, but for when it was sent.
pub(super) fn content(document: &Document) -> Result<String, Flaw> {
    write(&document.clone().with(Field::SentAt, "1970-01-01T00:00:00Z"))
}

/// Is it a message that opens a call?
pub(super) fn opens(document: &Document) -> bool {
    document.kind == Kind::Creation
}
