//! The text itself, as W3C Trace Context has it: read, written, and nothing else. Knows no `tracing`, so that `tests/fuzz` can have it alone.

use std::fmt;

use opentelemetry::{
    Context,
    trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState},
};

/// A `traceparent`, or nothing. What isn't a valid one is nothing: a lost trace must never stop a call.
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub struct Trace(String);

impl Trace {
    /// No trace.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Reads a stored or received `traceparent`. Malformed text gives the empty trace.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        read(text).map_or_else(Self::default, |context| Self::from_context(&context))
    }

    /// As text for a row or a header; empty for no trace.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Is there no trace?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The trace id, 32 hex digits; empty for no trace.
    #[must_use]
    pub fn trace_id(&self) -> &str {
        self.0.get(3..35).unwrap_or_default()
    }

    /// As a parent for spans that start here; `None` for no trace.
    #[must_use]
    pub fn to_context(&self) -> Option<Context> {
        self.span_context().map(|context| Context::new().with_remote_span_context(context))
    }

    /// Which span of which trace it names; `None` for no trace.
    pub(super) fn span_context(&self) -> Option<SpanContext> {
        read(&self.0)
    }

    /// The one that names this span; empty if it names none.
    pub(super) fn from_context(context: &SpanContext) -> Self {
        if !context.is_valid() {
            return Self::default();
        }
        let flags = context.trace_flags() & TraceFlags::SAMPLED;
        Self(format!("00-{}-{}-{:02x}", context.trace_id(), context.span_id(), flags.to_u8()))
    }
}

/// `00-<32 hex>-<16 hex>-<2 hex>`, lower case, neither id all zeros. Later versions may append fields.
fn read(text: &str) -> Option<SpanContext> {
    let mut parts = text.trim().split('-');
    let (version, trace, span, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let hex = |part: &str, len| part.len() == len && part.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    if !hex(version, 2) || version == "ff" || (version == "00" && parts.next().is_some()) {
        return None;
    }
    if !hex(trace, 32) || !hex(span, 16) || !hex(flags, 2) {
        return None;
    }
    let flags = TraceFlags::new(u8::from_str_radix(flags, 16).ok()?) & TraceFlags::SAMPLED;
    let (trace, span) = (TraceId::from_hex(trace).ok()?, SpanId::from_hex(span).ok()?);
    let context = SpanContext::new(trace, span, flags, true, TraceState::NONE);
    context.is_valid().then_some(context)
}

impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Trace({})", self.0)
    }
}

impl From<Trace> for String {
    fn from(trace: Trace) -> Self {
        trace.0
    }
}

/// From a row or a header, as [`Trace::parse`].
impl From<String> for Trace {
    fn from(text: String) -> Self {
        Self::parse(&text)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const VALID: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    #[test]
    fn a_traceparent_survives_the_row() {
        let trace = Trace::parse(VALID);
        assert_eq!((trace.as_str(), trace.trace_id()), (VALID, "0af7651916cd43dd8448eb211c80319c"));
        assert_eq!(Trace::from(String::from(trace.clone())), trace);
        // A later version is read as this one, and flags that we don't know are dropped.
        assert_eq!(Trace::parse(&format!("01{}-more", &VALID[2..])), trace);
        assert_eq!(Trace::parse(&format!("{}03", &VALID[..53])), trace);
    }

    #[test]
    fn what_is_not_one_is_no_trace() {
        let zero_trace = "00-00000000000000000000000000000000-b7ad6b7169203331-01";
        let zero_span = "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01";
        let upper = VALID.to_uppercase();
        let (more, never) = (format!("{VALID}-00"), format!("ff{}", &VALID[2..]));
        for bad in ["", "00", &VALID[..54], zero_trace, zero_span, &upper, &more, &never, "00-é-é-é"] {
            assert!(Trace::parse(bad).is_empty(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn reading_never_panics(text in ".{0,80}") {
            let trace = Trace::parse(&text);
            prop_assert!(trace.is_empty() || trace.as_str().len() == 55);
        }
    }
}
