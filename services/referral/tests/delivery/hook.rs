//! A partner's system that takes webhooks, or fails in whichever way it is told to.

use std::{
    collections::{BTreeMap, VecDeque},
    io,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use testkit::Port;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::{Notify, watch},
};
use tokio_util::task::AbortOnDropHandle;

/// How it answers one request.
#[derive(Debug, Clone)]
pub enum Mood {
    /// With this status, these headers and this body.
    Says(u16, &'static str, String),
    /// Not at all, for as long as it is there.
    Hangs,
    /// With 200, once it is told to go on.
    Held,
    /// It hangs up in the midst of its answer.
    CutsOff,
}

/// A request, as it came.
#[derive(Debug, Clone)]
pub struct Came {
    pub head: String,
    pub headers: BTreeMap<String, String>,
    pub body: String,
}

/// It listens once it is told to; ends when dropped.
pub struct Hook {
    port: Port,
    moods: Arc<Mutex<VecDeque<Mood>>>,
    came: watch::Sender<Vec<Came>>,
    go_on: Arc<Notify>,
    server: Option<AbortOnDropHandle<()>>,
}

pub fn says(status: u16) -> Mood {
    Mood::Says(status, "", String::new())
}

impl Hook {
    /// Nobody is there yet.
    pub fn away() -> Self {
        let came = watch::Sender::new(vec![]);
        Self { port: Port::claim().unwrap(), moods: Arc::default(), came, go_on: Arc::default(), server: None }
    }

    /// It listens, and answers in these ways, one after another, and in the last from then on.
    pub async fn open(moods: &[Mood]) -> Self {
        let mut hook = Self::away();
        hook.comes(moods).await;
        hook
    }

    pub async fn comes(&mut self, moods: &[Mood]) {
        self.now(moods);
        let listener = TcpListener::bind(self.port.address()).await.unwrap();
        let (moods, came, go_on) = (Arc::clone(&self.moods), self.came.clone(), Arc::clone(&self.go_on));
        let serving = async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (moods, came, go_on) = (Arc::clone(&moods), came.clone(), Arc::clone(&go_on));
                tokio::spawn(async move {
                    // A peer that hangs up is no matter of ours.
                    let _ = serve(stream, &moods, &came, &go_on).await;
                });
            }
        };
        self.server = Some(AbortOnDropHandle::new(tokio::spawn(serving)));
    }

    /// From here on it answers so.
    pub fn now(&self, moods: &[Mood]) {
        *self.moods.lock().unwrap() = moods.iter().cloned().collect();
    }

    /// The answer that is held is given.
    pub fn goes_on(&self) {
        self.go_on.notify_one();
    }

    pub fn address(&self) -> SocketAddr {
        self.port.address()
    }

    /// For the book.
    pub fn route(&self) -> String {
        format!("webhook = \"http://{}/hook\", secret_file = \"SECRET\"", self.address())
    }

    /// Returns once so many have come.
    pub async fn came(&self, count: usize) -> Vec<Came> {
        let mut came = self.came.subscribe();
        let wait = came.wait_for(|came| came.len() >= count);
        tokio::time::timeout(std::time::Duration::from_secs(60), wait).await.expect("they come").unwrap().clone()
    }

    pub fn count(&self) -> usize {
        self.came.borrow().len()
    }
}

async fn serve(
    mut stream: TcpStream,
    moods: &Mutex<VecDeque<Mood>>,
    came: &watch::Sender<Vec<Came>>,
    go_on: &Notify,
) -> io::Result<()> {
    loop {
        let Some(request) = read(&mut stream).await? else { return Ok(()) };
        let mood = {
            let mut moods = moods.lock().unwrap();
            if moods.len() > 1 { moods.pop_front() } else { moods.front().cloned() }
        };
        came.send_modify(|came| came.push(request));
        match mood.unwrap() {
            Mood::Says(status, headers, body) => {
                let length = body.len();
                let answer = format!("HTTP/1.1 {status} So\r\ncontent-length: {length}\r\n{headers}\r\n{body}");
                stream.write_all(answer.as_bytes()).await?;
            }
            Mood::Hangs => std::future::pending().await,
            Mood::Held => {
                go_on.notified().await;
                stream.write_all(b"HTTP/1.1 200 So\r\ncontent-length: 0\r\n\r\n").await?;
            }
            Mood::CutsOff => {
                stream.write_all(b"HTTP/1.1 20").await?;
                return Ok(());
            }
        }
    }
}

async fn read(stream: &mut TcpStream) -> io::Result<Option<Came>> {
    let (mut bytes, mut chunk) = (vec![], [0; 4096]);
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let (first, rest) = head.split_once("\r\n").unwrap();
            let headers = rest.lines().filter_map(|line| line.split_once(": "));
            let headers: BTreeMap<_, _> = headers.map(|(k, v)| (k.to_lowercase(), v.to_owned())).collect();
            if body.len() >= headers["content-length"].parse().unwrap() {
                return Ok(Some(Came { head: first.to_owned(), headers, body: body.to_owned() }));
            }
        }
        match stream.read(&mut chunk).await? {
            0 => return Ok(None),
            read => bytes.extend_from_slice(&chunk[..read]),
        }
    }
}
