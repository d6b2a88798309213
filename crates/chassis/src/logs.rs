//! Log lines that name their trace: whoever reads one can find the whole call, and whoever has a trace its lines.

use std::fmt;

use opentelemetry::trace::TraceContextExt;
use tracing::{Event, Subscriber};
use tracing_subscriber::{
    fmt::{
        FmtContext, FormatEvent, FormatFields,
        format::{Format, Full, Json, Writer},
    },
    registry::LookupSpan,
};

/// `tracing-subscriber`'s own format, with the trace's ids added to each line.
pub(crate) enum WithTrace {
    Text(Format<Full>),
    Json(Format<Json>),
}

impl WithTrace {
    pub(crate) fn text() -> Self {
        Self::Text(Format::default().with_ansi(false))
    }

    pub(crate) fn json() -> Self {
        Self::Json(Format::default().json().flatten_event(true).with_current_span(false).with_span_list(false))
    }
}

impl<S, N> FormatEvent<S, N> for WithTrace
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, ctx: &FmtContext<'_, S, N>, mut out: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let mut line = String::new();
        match self {
            Self::Text(format) => format.format_event(ctx, Writer::new(&mut line), event)?,
            Self::Json(format) => format.format_event(ctx, Writer::new(&mut line), event)?,
        }
        let line = line.trim_end();
        let here = opentelemetry::Context::current();
        let span = here.span().span_context().clone();
        let (trace, id) = (span.trace_id(), span.span_id());
        match (self, line.strip_suffix('}')) {
            _ if !span.is_valid() => writeln!(out, "{line}"),
            (Self::Json(_), Some(open)) => writeln!(out, r#"{open},"trace_id":"{trace}","span_id":"{id}"}}"#),
            _ => writeln!(out, "{line} trace_id={trace}"),
        }
    }
}
