//! An object store that speaks S3, signatures and create-only puts included: `s3s-fs`, over a folder of one's own.

use std::{fs, net::SocketAddr, path::PathBuf};

use hyper_util::{rt::TokioIo, server::conn::auto};
use s3s::{
    auth::SimpleAuth,
    service::{S3Service, S3ServiceBuilder},
};
use s3s_fs::FileSystem;
use tokio::net::TcpListener;
use tokio_util::task::AbortOnDropHandle;

use crate::{Error, scratch::Scratch};

const BUCKET: &str = "evidence";
const KEY_ID: &str = "AKIATESTKIT";
const SECRET: &str = "a-secret-that-no-log-may-show";

/// An object store with one bucket; ends when dropped.
#[derive(Debug)]
pub struct S3 {
    address: SocketAddr,
    folder: Scratch,
    _server: AbortOnDropHandle<()>,
}

impl S3 {
    /// Listens on a free port of 127.0.0.1.
    ///
    /// # Errors
    /// When no port or folder can be had.
    pub async fn start() -> Result<Self, Error> {
        let folder = Scratch::new("s3-")?;
        fs::create_dir(folder.path().join(BUCKET)).map_err(Error::io("a folder for objects"))?;
        let files = FileSystem::new(folder.path())
            .map_err(|error| Error::io("a folder for objects")(std::io::Error::other(format!("{error:?}"))))?;
        let mut service = S3ServiceBuilder::new(files);
        service.set_auth(SimpleAuth::from_single(KEY_ID, SECRET));
        let listener = TcpListener::bind("127.0.0.1:0").await.map_err(Error::io("a port for objects"))?;
        let address = listener.local_addr().map_err(Error::io("a port for objects"))?;
        let server = tokio::spawn(serve(listener, service.build()));
        Ok(Self { address, folder, _server: AbortOnDropHandle::new(server) })
    }

    /// The bucket, and a prefix in it.
    #[must_use]
    pub fn url(&self, prefix: &str) -> String {
        format!("s3://{BUCKET}/{prefix}")
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The variables by which a client finds it at `address`: its own, or a proxy's before it.
    #[must_use]
    pub fn env(&self, address: SocketAddr) -> [(&'static str, String); 5] {
        [
            ("AWS_ENDPOINT", format!("http://{address}")),
            ("AWS_ALLOW_HTTP", "true".to_owned()),
            ("AWS_REGION", "eu-west-2".to_owned()),
            ("AWS_ACCESS_KEY_ID", KEY_ID.to_owned()),
            ("AWS_SECRET_ACCESS_KEY", SECRET.to_owned()),
        ]
    }

    /// What no log may show.
    #[must_use]
    pub fn secrets(&self) -> [&'static str; 2] {
        [KEY_ID, SECRET]
    }

    /// The folder in which the objects below a prefix lie as files.
    #[must_use]
    pub fn objects(&self, prefix: &str) -> PathBuf {
        self.folder.path().join(BUCKET).join(prefix)
    }
}

async fn serve(listener: TcpListener, service: S3Service) {
    while let Ok((socket, _)) = listener.accept().await {
        let service = service.clone();
        tokio::spawn(async move {
            // A connection that breaks is the client's to notice.
            let _ = auto::Builder::new(hyper_util::rt::TokioExecutor::new())
                .serve_connection(TokioIo::new(socket), service)
                .await;
        });
    }
}
