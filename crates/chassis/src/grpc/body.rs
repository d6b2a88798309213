//! The last stretch of an RPC: its answer's body, watched for the status at its end.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use http::{HeaderMap, HeaderValue};
use http_body::{Body, Frame, SizeHint};
use tonic::{Code, Status};
use tracing::Span;

use crate::{
    Shutdown,
    metrics::{Measured, code_name, is_error},
    status::status,
};

/// How long a stream that has nothing to send may go on after the shutdown was asked for.
const STREAM_GRACE: Duration = Duration::from_secs(1);

/// An answer's body that records the RPC's status in its span when it ends.
pub struct TracedBody<B> {
    /// Gone once we have written the end ourselves.
    inner: Option<B>,
    span: Span,
    measured: Option<Measured>,
    recorded: bool,
    closing: Pin<Box<dyn Future<Output = ()> + Send>>,
}

impl<B> TracedBody<B> {
    pub(super) fn new(
        inner: B,
        (span, measured): (Span, Option<Measured>),
        headers: &HeaderMap,
        shutdown: Shutdown,
    ) -> Self {
        let closing = Box::pin(async move {
            shutdown.requested().await;
            tokio::time::sleep(STREAM_GRACE).await;
        });
        let mut body = Self { inner: Some(inner), span, measured, recorded: false, closing };
        body.record(headers);
        body
    }

    /// Notes the status if these headers or trailers have one.
    fn record(&mut self, headers: &HeaderMap) {
        if let Some(code) = headers.get(Status::GRPC_STATUS) {
            self.record_code(Code::from_bytes(code.as_bytes()));
        }
    }

    fn record_code(&mut self, code: Code) {
        if std::mem::replace(&mut self.recorded, true) {
            return;
        }
        if let Some(measured) = &mut self.measured {
            measured.end(code);
        }
        self.span.record("rpc.response.status_code", code_name(code));
        if is_error(code) {
            self.span.record("error.type", code_name(code));
            self.span.record("otel.status_code", "ERROR");
        }
    }

    fn end<D, E>(&mut self, status: Status) -> Poll<Option<Result<Frame<D>, E>>> {
        self.inner = None;
        let mut trailers = HeaderMap::new();
        if status.add_header(&mut trailers).is_err() {
            trailers.insert(Status::GRPC_STATUS, HeaderValue::from(status.code() as i32));
        }
        self.record_code(status.code());
        Poll::Ready(Some(Ok(Frame::trailers(trailers))))
    }
}

impl<B: Body + Unpin> Body for TracedBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let this = self.get_mut();
        let Some(inner) = &mut this.inner else { return Poll::Ready(None) };
        let entered = this.span.enter();
        let polled = catch_unwind(AssertUnwindSafe(|| Pin::new(inner).poll_frame(cx)));
        drop(entered);
        match polled {
            Err(_) => {
                this.span.in_scope(log_panic);
                this.end(internal())
            }
            Ok(Poll::Pending) if this.closing.as_mut().poll(cx).is_ready() => {
                this.end(status(Code::Unavailable, "SHUTTING_DOWN", "the service is shutting down: connect again"))
            }
            Ok(Poll::Ready(Some(Ok(frame)))) => {
                if let Some(trailers) = frame.trailers_ref() {
                    this.record(&trailers.clone());
                }
                Poll::Ready(Some(Ok(frame)))
            }
            Ok(polled) => polled,
        }
    }

    fn is_end_stream(&self) -> bool {
        self.inner.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.as_ref().map_or_else(|| SizeHint::with_exact(0), Body::size_hint)
    }
}

impl<B> Drop for TracedBody<B> {
    fn drop(&mut self) {
        // No trailers were ever asked for: the client went away.
        self.record_code(Code::Cancelled);
    }
}

pub(super) fn internal() -> Status {
    status(Code::Internal, "INTERNAL", "something went wrong here; it has been logged")
}

/// Where it happened is logged by the panic hook. The panic's own words are not: they may quote what was being handled.
pub(crate) fn log_panic() {
    tracing::error!("a request handler panicked");
}
