//! An event on its way out, and how it looks on the wire.

use async_nats::HeaderMap;
use chassis::{Trace, trace::TRACEPARENT};
use chrono::{DateTime, SecondsFormat, Utc};
use ids::{CallId, ForceId};
use uuid::Uuid;

/// A fact for the other services: ids and facts in its payload, never a name, a number, an address or words.
#[derive(Debug, Clone)]
pub struct NewEvent {
    /// In snake_case, without the service: `call_accepted`.
    pub name: &'static str,
    /// The aggregate: order holds per call.
    pub call: CallId,
    /// The force, the subject's last token.
    pub force: ForceId,
    /// The encoded protobuf message.
    pub payload: Vec<u8>,
    /// The trace that its consumers' spans continue.
    pub trace: Trace,
}

impl NewEvent {
    /// Encodes the message. `trace` is the call's; the event carries the current span's if that is in the same trace,
    /// so that a consumer's span hangs below what caused it.
    pub fn new<M: prost::Message>(name: &'static str, call: CallId, force: ForceId, trace: Trace, message: &M) -> Self {
        let here = Trace::current();
        let trace = if here.trace_id() == trace.trace_id() { here } else { trace };
        Self { name, call, force, payload: message.encode_to_vec(), trace }
    }
}

/// The headers of a published event: the CloudEvents NATS binding's, and ours.
pub(crate) mod header {
    /// The event's id, by which the stream drops a second publish.
    pub const MSG_ID: &str = "Nats-Msg-Id";
    pub const ID: &str = "ce-id";
    pub const SOURCE: &str = "ce-source";
    pub const TYPE: &str = "ce-type";
    /// The call.
    pub const SUBJECT: &str = "ce-subject";
    pub const TIME: &str = "ce-time";
    pub const SPEC: &str = "ce-specversion";
    pub const CONTENT: &str = "ce-datacontenttype";
    pub const FORCE: &str = "ce-force";
    /// The event's version within its call.
    pub const VERSION: &str = "ce-callversion";
    /// The latest earlier version of each event name within the call, `call_queued=1,call_offered=4`: by it a consumer
    /// of some names knows which of its own events must come first.
    pub const AFTER: &str = "ce-after";
}

/// `alcove.intake.v1.call_opened.wmp`
pub(crate) fn subject(service: &str, name: &str, force: &str) -> String {
    format!("alcove.{service}.v1.{name}.{force}")
}

/// An unpublished row.
pub(crate) struct Unpublished {
    pub event: Uuid,
    pub call: Uuid,
    pub version: i64,
    pub name: String,
    pub force: String,
    pub payload: Vec<u8>,
    pub trace: String,
    pub occurred_at: DateTime<Utc>,
    pub after: Option<String>,
}

impl Unpublished {
    pub(crate) fn subject(&self, service: &str) -> String {
        subject(service, &self.name, &self.force)
    }

    pub(crate) fn headers(&self, service: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let id = self.event.to_string();
        headers.insert(header::MSG_ID, id.as_str());
        headers.insert(header::ID, id.as_str());
        headers.insert(header::SPEC, "1.0");
        headers.insert(header::SOURCE, format!("/alcove/{service}"));
        headers.insert(header::TYPE, format!("alcove.{service}.v1.{}", self.name));
        headers.insert(header::SUBJECT, self.call.to_string());
        headers.insert(header::TIME, self.occurred_at.to_rfc3339_opts(SecondsFormat::Micros, true));
        headers.insert(header::CONTENT, "application/protobuf");
        headers.insert(header::FORCE, self.force.as_str());
        headers.insert(header::VERSION, self.version.to_string());
        if let Some(after) = &self.after {
            headers.insert(header::AFTER, after.as_str());
        }
        if !self.trace.is_empty() {
            headers.insert(TRACEPARENT, self.trace.as_str());
        }
        headers
    }
}
