//! A TCP proxy that stands for the network between two processes, and can be cut. What it leads to may listen on a Unix socket.

use std::{io, net::SocketAddr, sync::Arc};

use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream, UnixStream},
    sync::watch,
};
use tokio_util::{either::Either, task::AbortOnDropHandle};

use crate::Error;

/// Passes bytes on to a target until it is cut; ends when dropped.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    whole: watch::Sender<bool>,
    _accepts: AbortOnDropHandle<io::Result<()>>,
}

impl Proxy {
    /// Listens on a free port of 127.0.0.1 for connections to `target` (`127.0.0.1:4222`, or a socket's path).
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn start(target: impl Into<String>) -> Result<Self, Error> {
        Self::to_first_of(vec![target.into()]).await
    }

    /// The same, for several targets that do the same: a connection leads to the first of them that listens.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn to_first_of(targets: Vec<String>) -> Result<Self, Error> {
        let listener = TcpListener::bind("127.0.0.1:0").await.map_err(Error::io("a port for a proxy"))?;
        let address = listener.local_addr().map_err(Error::io("a port for a proxy"))?;
        let (whole, state) = watch::channel(true);
        let accepts = tokio::spawn(accept(listener, targets.into(), state));
        Ok(Self { address, whole, _accepts: AbortOnDropHandle::new(accepts) })
    }

    /// Where to connect instead of the target.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Breaks every connection, and closes new ones at once.
    pub fn cut(&self) {
        self.whole.send_replace(false);
    }

    /// Lets new connections through again.
    pub fn heal(&self) {
        self.whole.send_replace(true);
    }
}

async fn accept(listener: TcpListener, targets: Arc<[String]>, state: watch::Receiver<bool>) -> io::Result<()> {
    loop {
        let (mut near, _) = listener.accept().await?;
        let (targets, mut state) = (Arc::clone(&targets), state.clone());
        tokio::spawn(async move {
            let pass = async {
                let mut far = first_of(&targets).await?;
                copy_bidirectional(&mut near, &mut far).await
            };
            // Also the proxy's own end, which drops the sender, breaks the connection.
            tokio::select! {
                biased;
                _ = state.wait_for(|whole| !whole) => {}
                _ = pass => {}
            }
        });
    }
}

async fn first_of(targets: &[String]) -> io::Result<Either<TcpStream, UnixStream>> {
    let mut refused = io::ErrorKind::NotConnected.into();
    for target in targets {
        let connected = match target.starts_with('/') {
            true => UnixStream::connect(target).await.map(Either::Right),
            false => TcpStream::connect(target).await.map(Either::Left),
        };
        match connected {
            Ok(far) => return Ok(far),
            Err(error) => refused = error,
        }
    }
    Err(refused)
}
