//! One call is one trace: the W3C `traceparent` that a call's row keeps, and the way back into it.
//!
//! The first request about a call gives its trace; every later use case and event, hours apart and in other processes,
//! follows the stored text. A request that arrives with a trace of its own is linked, not lost.

mod traceparent;

use opentelemetry::{Context, trace::TraceContextExt};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

pub use traceparent::Trace;

/// The name of the gRPC metadata, HTTP header and NATS header that carry it.
pub const TRACEPARENT: &str = "traceparent";

/// By this a server says into which trace what follows belongs (W3C Trace Context, level 2).
pub const TRACERESPONSE: &str = "traceresponse";

impl Trace {
    /// Where we are now: the trace and span of the current `tracing` span; empty outside of any.
    #[must_use]
    pub fn current() -> Self {
        Self::of(&Span::current())
    }

    /// The trace and id of a span. This starts the span: [`Trace::follow`] must come before it.
    #[must_use]
    pub fn of(span: &Span) -> Self {
        Self::from_context(span.context().span().span_context())
    }

    /// Puts a span that has not been entered yet into this trace, and links it to the span that we are in if that
    /// one belongs to another trace. Within the same trace, and for the empty trace, the span stays where it is.
    #[must_use]
    pub fn follow(&self, span: Span) -> Span {
        let Some(stored) = self.span_context() else { return span };
        let here = Span::current().context().span().span_context().clone();
        if here.trace_id() == stored.trace_id() {
            return span;
        }
        // It fails only for a span that is disabled, or with no exporter layer at all: then there is nothing to follow.
        if span.set_parent(Context::new().with_remote_span_context(stored)).is_ok() {
            span.add_link(here);
        }
        span
    }
}
