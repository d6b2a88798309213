//! The connections of a gRPC listener: so many at once, with hands shaken beside each other, so that who says nothing holds up nobody.

use std::{
    future::ready,
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use axum::serve::Listener;
use futures::{Stream, stream};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore, mpsc},
    time::Sleep,
};
use tokio_rustls::server::TlsStream;
use tokio_util::task::AbortOnDropHandle;
use tonic::transport::server::Connected;

use crate::tls::{Speaking, Tls};

/// Whoever comes beyond them waits for a place. Each service has one of each other, and those that are old and still carry a watch:
/// at worst one for each officer's.
const CONNECTIONS: usize = 2048;
/// The bytes with which HTTP/2 begins.
const PREFACE: usize = 24;
/// In which they come.
const BEGINS: Duration = Duration::from_secs(10);

/// A connection in its place. It ends if nothing is said by it.
pub(super) struct Taken<Io> {
    io: Io,
    heard: usize,
    begins: Option<Pin<Box<Sleep>>>,
    _place: OwnedSemaphorePermit,
}

/// In the clear, as in dev.
pub(super) fn plain(listener: TcpListener) -> impl Stream<Item = io::Result<Taken<TcpStream>>> {
    taken(listener, |stream| ready(Ok(stream)))
}

/// Over TLS.
pub(super) fn secured(listener: TcpListener, tls: Tls) -> impl Stream<Item = io::Result<Taken<TlsStream<TcpStream>>>> {
    taken(listener, move |stream| {
        let tls = tls.clone();
        async move { tls.accept(stream, Speaking::Grpc).await }
    })
}

fn taken<Io, Shaking>(
    mut listener: TcpListener,
    shake: impl Fn(TcpStream) -> Shaking + Clone + Send + 'static,
) -> impl Stream<Item = io::Result<Taken<Io>>>
where
    Io: Send + 'static,
    Shaking: Future<Output = io::Result<Io>> + Send + 'static,
{
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let (found, shaken) = mpsc::channel(1);
    let accepting = tokio::spawn(async move {
        // It fails only when it is closed, which nobody does.
        while let Ok(place) = places.clone().acquire_owned().await {
            let (stream, _) = Listener::accept(&mut listener).await;
            let (shake, found) = (shake.clone(), found.clone());
            tokio::spawn(async move {
                if let Err(error) = stream.set_nodelay(true) {
                    return tracing::debug!(%error, "a connection was gone at once");
                }
                match shake(stream).await {
                    // It fails when nobody takes any more.
                    Ok(io) => drop(found.send(Taken::new(io, place)).await),
                    Err(error) => tracing::debug!(%error, "a connection came to nothing"),
                }
            });
        }
    });
    let state = (shaken, AbortOnDropHandle::new(accepting));
    stream::unfold(
        state,
        |(mut shaken, accepting)| async move { Some((Ok(shaken.recv().await?), (shaken, accepting))) },
    )
}

impl<Io> Taken<Io> {
    fn new(io: Io, place: OwnedSemaphorePermit) -> Self {
        Self { io, heard: 0, begins: Some(Box::pin(tokio::time::sleep(BEGINS))), _place: place }
    }
}

impl<Io: Connected> Connected for Taken<Io> {
    type ConnectInfo = Io::ConnectInfo;

    fn connect_info(&self) -> Self::ConnectInfo {
        self.io.connect_info()
    }
}

impl<Io: AsyncRead + Unpin> AsyncRead for Taken<Io> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = into.filled().len();
        let read = Pin::new(&mut self.io).poll_read(cx, into);
        let Some(begins) = &mut self.begins else { return read };
        if read.is_pending() && begins.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        self.heard += into.filled().len() - before;
        if self.heard >= PREFACE {
            self.begins = None;
        }
        read
    }
}

impl<Io: AsyncWrite + Unpin> AsyncWrite for Taken<Io> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(cx, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }
}
