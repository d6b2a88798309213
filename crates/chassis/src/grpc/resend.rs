//! Requests that a connection's end has overtaken, sent again by the next connection.
//!
//! A server ends a connection by GOAWAY when it is old or when the process shuts down, and lets what is under way finish. hyper's client
//! hears of that only with the next request, which it then drops unsent. And what was written in that very moment, behind the answer to
//! the server's last ping, the server takes up no more, and names it so. Both must be as if they had come a moment later.

use std::{
    error::Error,
    iter::successors,
    mem,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use futures::{FutureExt, future::BoxFuture};
use http::{Request, Response};
use http_body::{Body as _, Frame, SizeHint};
use tonic::{Status, body::Body};
use tower::{Service, ServiceExt};

/// A request may meet the end of the next connection, too; not of one after the other.
const AGAIN: usize = 2;

/// A channel that sends again what no handler has heard of.
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
        let mut channel = mem::replace(&mut self.0, next);
        let (head, body) = request.into_parts();
        async move {
            let (mut kept, mut left) = (Kept { rest: body, first: None, taken: 0 }, AGAIN);
            loop {
                let lent = Lent::new(kept);
                let answer = channel.call(Request::from_parts(head.clone(), Body::new(lent.clone()))).await;
                let error = match answer {
                    Ok(answer) => return Ok(answer),
                    Err(error) => error,
                };
                let Some(back) = lent.back(&error).filter(|_| left > 0) else { return Err(error) };
                tracing::debug!(%error, "a connection ended before a request: it goes by the next one");
                (kept, left) = (back, left - 1);
                ServiceExt::<Request<Body>>::ready(&mut channel).await?;
            }
        }
        .boxed()
    }
}

/// Did a connection that there was fail? That there is none is no error of hyper's.
fn is_the_connections(error: &(dyn Error + 'static)) -> bool {
    causes(error).any(|error| error.is::<hyper::Error>())
}

/// Has the server ended a connection in order, and said of this request that it won't take it up (RFC 9113, 6.8)?
fn is_not_taken_up(error: &(dyn Error + 'static)) -> bool {
    let mut ends = causes(error).filter_map(|error| error.downcast_ref::<h2::Error>());
    ends.any(|end| end.is_go_away() && end.is_remote() && end.reason() == Some(h2::Reason::NO_ERROR))
}

fn causes<'e>(error: &'e (dyn Error + 'static)) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    successors(Some(error), |&error| error.source())
}

/// A request's body, and what was taken of it.
struct Kept {
    rest: Body,
    /// What was taken, as long as it is no more than this: a request of one message.
    first: Option<Bytes>,
    /// So many frames, by whichever connection.
    taken: usize,
}

impl Kept {
    fn is_whole(&self) -> bool {
        self.taken == usize::from(self.first.is_some())
    }

    fn is_empty(&self) -> bool {
        self.first.is_none() && self.rest.is_end_stream()
    }
}

/// A body that is lent to a connection. Clones are the same one.
#[derive(Clone)]
struct Lent(Arc<Mutex<Loan>>);

struct Loan {
    /// None: it was taken back.
    kept: Option<Kept>,
    /// Whether the connection has looked at it: until then it has sent no more than the head. An empty one goes with that, unseen.
    is_begun: bool,
}

impl Lent {
    fn new(kept: Kept) -> Self {
        let is_begun = kept.is_empty();
        Self(Arc::new(Mutex::new(Loan { kept: Some(kept), is_begun })))
    }

    /// As it was lent, if by this error no handler has heard of its request; otherwise nobody has it any more.
    fn back(&self, error: &(dyn Error + 'static)) -> Option<Kept> {
        let mut loan = self.lock();
        let is_unheard = if loan.is_begun { is_not_taken_up(error) } else { is_the_connections(error) };
        loan.kept.take().filter(|kept| is_unheard && kept.is_whole())
    }

    fn lock(&self) -> MutexGuard<'_, Loan> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl http_body::Body for Lent {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let mut loan = self.lock();
        let is_begun = mem::replace(&mut loan.is_begun, true);
        // Of one that was taken back the stream is no more.
        let Some(kept) = &mut loan.kept else { return Poll::Ready(None) };
        if let (false, Some(first)) = (is_begun, &kept.first) {
            return Poll::Ready(Some(Ok(Frame::data(first.clone()))));
        }
        let frame = ready!(Pin::new(&mut kept.rest).poll_frame(cx));
        if let Some(frame) = &frame {
            let first = frame.as_ref().ok().and_then(Frame::data_ref).filter(|_| kept.taken == 0);
            kept.first = first.cloned();
            kept.taken += 1;
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        let loan = self.lock();
        loan.kept.as_ref().is_none_or(|kept| if loan.is_begun { kept.rest.is_end_stream() } else { kept.is_empty() })
    }

    fn size_hint(&self) -> SizeHint {
        let loan = self.lock();
        match &loan.kept {
            // What was taken comes again, before what is left.
            Some(Kept { first: Some(_), .. }) if !loan.is_begun => SizeHint::default(),
            Some(kept) => kept.rest.size_hint(),
            None => SizeHint::with_exact(0),
        }
    }
}
