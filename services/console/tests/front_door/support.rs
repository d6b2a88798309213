//! A console in this process beside an issuer, and what comes back from it.

use std::time::Duration;

use bytes::{Buf, BytesMut};
use chassis::{Ambient, Clock, Entropy, ManualClock, Shutdown, ShutdownTrigger};
use console::{Config, Error};
use futures::StreamExt;
use prost::Message;
use reqwest::{Response, header};
use testkit::{Issuer, Port};
use tokio::task::JoinHandle;

use crate::browser::Browser;

const PATIENCE: Duration = Duration::from_secs(20);

pub struct Console {
    pub url: String,
    pub stop: ShutdownTrigger,
    pub running: JoinHandle<Result<(), Error>>,
    pub issuer: Issuer,
    pub clock: ManualClock,
    dir: tempfile::TempDir,
    _port: Port,
}

impl Console {
    /// With these upstreams and settings.
    pub async fn start(settings: &[(&str, String)]) -> Self {
        Self::start_with(Duration::from_secs(300), settings).await
    }

    /// With access tokens that hold for so long.
    pub async fn start_with(access: Duration, settings: &[(&str, String)]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("assets")).unwrap();
        std::fs::write(dir.path().join("index.html"), "<!doctype html><title>desk</title>").unwrap();
        std::fs::write(dir.path().join("assets/a.js"), "1").unwrap();
        let file = dir.path().join("addresses.json");
        let port = Port::claim().unwrap();
        let url = format!("http://{}", port.address());
        let issuer = Issuer::start(&url, access).await.unwrap();
        let mut env = vec![
            ("HTTP__LISTEN", port.address().to_string()),
            ("HEALTH__LISTEN", "127.0.0.1:0".to_owned()),
            ("ADDRESS_FILE", file.display().to_string()),
            ("WEB__ROOT", dir.path().display().to_string()),
        ];
        env.extend(issuer.settings(&url));
        env.extend(settings.iter().cloned());
        let env = env.into_iter().map(|(key, value)| (format!("ALCOVE_CONSOLE__{}", key.to_uppercase()), value));
        let config: Config = chassis::config::load("console", console::SERVICE.defaults, env).unwrap();
        let (stop, shutdown) = Shutdown::manual();
        // The issuer's clock is the machine's: ours begins there.
        let clock = ManualClock::new(Clock::system().now());
        let ambient = Ambient { clock: Clock::from(clock.clone()), entropy: Entropy::os() };
        let running = tokio::spawn(console::run(config, ambient, shutdown));
        testkit::listening(&file).await.unwrap();
        Self { url, stop, running, issuer, clock, dir, _port: port }
    }

    pub fn browser(&self) -> Browser {
        Browser::new(&self.url)
    }

    /// A browser whose officer has signed in.
    pub async fn signed_in(&self, officer: &str) -> Browser {
        let browser = self.browser();
        browser.sign_in(officer).await;
        browser
    }

    pub async fn stop(self) {
        self.stop.request();
        within("the console's end", self.running).await.unwrap().unwrap();
        drop(self.dir);
    }
}

/// The answer to an RPC: messages, then a status.
pub struct Frames {
    headers: header::HeaderMap,
    body: std::pin::Pin<Box<dyn futures::Stream<Item = reqwest::Result<bytes::Bytes>> + Send>>,
    rest: BytesMut,
}

#[derive(Debug)]
pub enum Frame<M> {
    Message(M),
    /// The status code, and everything said with it.
    End(i32, String),
}

impl Frames {
    pub fn of(answer: Response) -> Self {
        Self { headers: answer.headers().clone(), body: Box::pin(answer.bytes_stream()), rest: BytesMut::new() }
    }

    pub async fn next<M: Message + Default>(&mut self) -> Frame<M> {
        within("a frame", async {
            loop {
                if self.rest.len() >= 5 {
                    let length = u32::from_be_bytes(self.rest[1..5].try_into().unwrap()) as usize;
                    if self.rest.len() >= 5 + length {
                        let kind = self.rest[0];
                        self.rest.advance(5);
                        let frame = self.rest.split_to(length);
                        return if kind & 0x80 == 0 {
                            Frame::Message(M::decode(frame.freeze()).unwrap())
                        } else {
                            end(&String::from_utf8_lossy(&frame))
                        };
                    }
                }
                match self.body.next().await {
                    Some(bytes) => self.rest.extend_from_slice(&bytes.unwrap()),
                    // A status without any message comes in the headers.
                    None => {
                        let said: Vec<_> =
                            self.headers.iter().map(|(k, v)| format!("{k}:{}", v.to_str().unwrap())).collect();
                        return end(&said.join("\r\n"));
                    }
                }
            }
        })
        .await
    }

    pub async fn message<M: Message + Default>(&mut self) -> M {
        match self.next().await {
            Frame::Message(message) => message,
            Frame::End(code, said) => panic!("ended with {code}: {said}"),
        }
    }

    pub async fn end(&mut self) -> (i32, String) {
        match self.next::<()>().await {
            Frame::Message(()) => panic!("one message more"),
            Frame::End(code, said) => (code, said),
        }
    }
}

fn end<M>(said: &str) -> Frame<M> {
    let code = said.lines().find_map(|line| line.strip_prefix("grpc-status:")).expect("no status").trim();
    Frame::End(code.parse().unwrap(), said.to_owned())
}

/// Fails instead of hanging.
pub async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.unwrap_or_else(|_| panic!("waited in vain for {what}"))
}

/// The reason within a problem+json answer, after its status.
pub async fn problem(answer: Response) -> (u16, String) {
    assert_eq!(answer.headers()[header::CONTENT_TYPE], "application/problem+json");
    let status = answer.status().as_u16();
    let body: serde_json::Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
    (status, body["reason"].as_str().unwrap().to_owned())
}
