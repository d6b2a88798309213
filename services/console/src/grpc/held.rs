//! An answer that is the browser's only as long as its session holds.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use http::HeaderMap;
use http_body::{Frame, SizeHint};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use tonic::body::Body;

use crate::error::signed_out;

/// Ends as the service ends it, or with UNAUTHENTICATED once the session is over.
pub(super) struct Held {
    /// Gone once we have written the end ourselves.
    inner: Option<Body>,
    ended: Pin<Box<WaitForCancellationFutureOwned>>,
}

impl Held {
    pub(super) fn new(inner: Body, ended: CancellationToken) -> Self {
        Self { inner: Some(inner), ended: Box::pin(ended.cancelled_owned()) }
    }
}

impl Default for Held {
    fn default() -> Self {
        Self::new(Body::default(), CancellationToken::new())
    }
}

impl http_body::Body for Held {
    type Data = <Body as http_body::Body>::Data;
    type Error = <Body as http_body::Body>::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let this = self.get_mut();
        let Some(inner) = &mut this.inner else { return Poll::Ready(None) };
        // First: nobody who has signed out sees one message more.
        if this.ended.as_mut().poll(cx).is_pending() {
            return Pin::new(inner).poll_frame(cx);
        }
        this.inner = None;
        let mut trailers = HeaderMap::new();
        // A status of ours can always be written as headers.
        let _ = signed_out().add_header(&mut trailers);
        Poll::Ready(Some(Ok(Frame::trailers(trailers))))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.as_ref().is_none_or(|inner| inner.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.as_ref().map_or_else(|| SizeHint::with_exact(0), |inner| inner.size_hint())
    }
}
