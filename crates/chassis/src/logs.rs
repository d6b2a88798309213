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

/// From here on a panic is logged by where it happened, and without its own words: they may quote what was being handled.
pub(crate) fn hush_panics() {
    std::panic::set_hook(Box::new(|panic| {
        tracing::error!(location = panic.location().map(tracing::field::display), "panicked");
    }));
}

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

#[cfg(test)]
pub(crate) mod captured {
    //! What this thread logs, for a test to look at.
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use std::{
        io,
        sync::{Arc, Mutex},
    };

    use tracing::subscriber::DefaultGuard;
    use tracing_subscriber::fmt::MakeWriter;

    #[derive(Clone, Default)]
    pub(crate) struct Log(Arc<Mutex<Vec<u8>>>);

    impl Log {
        /// Everything, for as long as the guard lives.
        pub(crate) fn open() -> (Self, DefaultGuard) {
            let log = Self::default();
            let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(log.clone()).finish();
            (log, tracing::subscriber::set_default(subscriber))
        }

        pub(crate) fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
        }
    }

    impl io::Write for Log {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl<'a> MakeWriter<'a> for Log {
        type Writer = Self;

        fn make_writer(&'a self) -> Self {
            self.clone()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{captured::Log, hush_panics};

    #[test]
    fn a_panic_is_logged_by_its_place_and_without_what_it_says() {
        let (log, _guard) = Log::open();
        let before = std::panic::take_hook();
        hush_panics();
        let caught = std::panic::catch_unwind(|| panic!("+447700900123 is no number"));
        std::panic::set_hook(before);
        let text = log.text();
        assert!(caught.is_err() && text.contains("panicked") && text.contains("logs.rs"), "{text}");
        assert!(!text.contains("4477"), "{text}");
    }
}
