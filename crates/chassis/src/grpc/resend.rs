//! Requests that a connection's end has overtaken, sent again by the next connection.
//!
//! A server ends a connection by GOAWAY when it is old or when the process shuts down, and lets what is under way finish. hyper's client
//! hears of that only with the next request, which it then drops unsent: it must be as if it had come a moment later.

use std::{
    error::Error,
    iter::successors,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
};

use bytes::Bytes;
use futures::{FutureExt, future::BoxFuture};
use http::{Request, Response};
use http_body::{Frame, SizeHint};
use tonic::{Status, body::Body};
use tower::{Service, ServiceExt};

/// A request may meet the end of the next connection, too; not of one after the other.
const AGAIN: usize = 2;

/// A channel that sends again what nobody can have heard: of a request whose body wasn't begun no handler knows a word.
#[derive(Debug, Clone)]
pub struct Resending(tonic::transport::Channel);

impl Resending {
    /// Over this one.
    #[must_use]
    pub fn new(channel: tonic::transport::Channel) -> Self {
        Self(channel)
    }
}

impl Service<Request<Body>> for Resending {
    type Response = Response<Body>;
    type Error = tonic::transport::Error;
    type Future = BoxFuture<'static, Result<Response<Body>, tonic::transport::Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), tonic::transport::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        // The one that was polled ready must be the one that is called.
        let next = self.0.clone();
        let mut channel = std::mem::replace(&mut self.0, next);
        let (head, body) = request.into_parts();
        let unbegun = Unbegun(Arc::new(Mutex::new(Some(body))));
        async move {
            let mut left = AGAIN;
            loop {
                let body = Body::new(Handed { unbegun: unbegun.clone(), begun: None });
                let answer = channel.call(Request::from_parts(head.clone(), body)).await;
                match answer {
                    Err(error) if left > 0 && is_the_connections(&error) && unbegun.lock().is_some() => {
                        tracing::debug!(%error, "a connection ended before a request: it goes by the next one");
                        left -= 1;
                        ServiceExt::<Request<Body>>::ready(&mut channel).await?;
                    }
                    answer => return answer,
                }
            }
        }
        .boxed()
    }
}

/// Did a connection that there was fail? That there is none is no error of hyper's.
fn is_the_connections(error: &(dyn Error + 'static)) -> bool {
    successors(Some(error), |&error| error.source()).any(|error| error.is::<hyper::Error>())
}

/// A body as long as nothing was read of it.
#[derive(Clone)]
struct Unbegun(Arc<Mutex<Option<Body>>>);

impl Unbegun {
    fn lock(&self) -> MutexGuard<'_, Option<Body>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The body as a connection has it: its own from the first look at it on.
struct Handed {
    unbegun: Unbegun,
    begun: Option<Body>,
}

impl http_body::Body for Handed {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let this = self.get_mut();
        if this.begun.is_none() {
            this.begun = this.unbegun.lock().take();
        }
        this.begun.as_mut().map_or(Poll::Ready(None), |body| Pin::new(body).poll_frame(cx))
    }

    fn is_end_stream(&self) -> bool {
        match &self.begun {
            Some(body) => body.is_end_stream(),
            None => self.unbegun.lock().as_ref().is_none_or(Body::is_end_stream),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.begun {
            Some(body) => body.size_hint(),
            None => self.unbegun.lock().as_ref().map_or_else(|| SizeHint::with_exact(0), Body::size_hint),
        }
    }
}
