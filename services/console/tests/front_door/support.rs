//! A console in this process, and a browser that speaks gRPC-web by hand.

use std::{path::Path, time::Duration};

use bytes::{Buf, BytesMut};
use chassis::{Ambient, Shutdown, ShutdownTrigger};
use console::{Config, Error};
use futures::StreamExt;
use prost::Message;
use reqwest::{Response, StatusCode, header};
use tokio::task::JoinHandle;

const PATIENCE: Duration = Duration::from_secs(20);

pub struct Console {
    pub url: String,
    pub stop: ShutdownTrigger,
    pub running: JoinHandle<Result<(), Error>>,
    dir: tempfile::TempDir,
}

impl Console {
    /// With these upstreams and settings.
    pub async fn start(settings: &[(&str, String)]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("assets")).unwrap();
        std::fs::write(dir.path().join("index.html"), "<!doctype html><title>desk</title>").unwrap();
        std::fs::write(dir.path().join("assets/a.js"), "1").unwrap();
        let file = dir.path().join("addresses.json");
        let config = config(dir.path(), &file, settings);
        let (stop, shutdown) = Shutdown::manual();
        let running = tokio::spawn(console::run(config, Ambient::real(), shutdown));
        let addresses = testkit::listening(&file).await.unwrap();
        Self { url: format!("http://{}", addresses["http"]), stop, running, dir }
    }

    pub fn browser(&self) -> Browser {
        Browser { http: reqwest::Client::new(), url: self.url.clone(), cookie: String::new() }
    }

    /// A browser whose officer has signed in.
    pub async fn signed_in(&self, officer: &str) -> Browser {
        let mut browser = self.browser();
        let answer = browser.sign_in(&format!(r#"{{"officer_id":"{officer}"}}"#)).await;
        assert_eq!(answer.status(), StatusCode::OK);
        let cookie = answer.headers()[header::SET_COOKIE].to_str().unwrap().to_owned();
        for wanted in ["HttpOnly", "SameSite=Strict", "Path=/", "Max-Age=43200"] {
            assert!(cookie.contains(wanted), "{cookie}");
        }
        browser.cookie = cookie.split(';').next().unwrap().to_owned();
        browser
    }

    pub async fn stop(self) {
        self.stop.request();
        within("the console's end", self.running).await.unwrap().unwrap();
        drop(self.dir);
    }
}

fn config(root: &Path, address_file: &Path, settings: &[(&str, String)]) -> Config {
    let mut env = vec![
        ("HTTP__LISTEN", "127.0.0.1:0".to_owned()),
        ("HEALTH__LISTEN", "127.0.0.1:0".to_owned()),
        ("ADDRESS_FILE", address_file.display().to_string()),
        ("WEB__ROOT", root.display().to_string()),
    ];
    env.extend(settings.iter().cloned());
    let env = env.into_iter().map(|(key, value)| (format!("ALCOVE_CONSOLE__{key}"), value));
    chassis::config::load("console", console::SERVICE.defaults, env).unwrap()
}

#[derive(Clone)]
pub struct Browser {
    pub http: reqwest::Client,
    pub url: String,
    pub cookie: String,
}

impl Browser {
    pub async fn get(&self, path: &str) -> Response {
        self.http.get(self.url.clone() + path).header(header::COOKIE, &self.cookie).send().await.unwrap()
    }

    pub fn post(&self, path: &str) -> reqwest::RequestBuilder {
        self.http.post(self.url.clone() + path).header(header::COOKIE, &self.cookie)
    }

    pub async fn sign_in(&self, body: &str) -> Response {
        let request = self.post("/sign-in").header(header::CONTENT_TYPE, "application/json").body(body.to_owned());
        request.send().await.unwrap()
    }

    pub fn rpc<M: Message>(&self, method: &str, message: &M) -> reqwest::RequestBuilder {
        let body = message.encode_to_vec();
        let mut framed = vec![0];
        framed.extend(u32::try_from(body.len()).unwrap().to_be_bytes());
        framed.extend(body);
        self.post(method).header(header::CONTENT_TYPE, "application/grpc-web+proto").body(framed)
    }

    /// Calls and reads on as messages come.
    pub async fn call<M: Message>(&self, method: &str, message: &M) -> Frames {
        let answer = self.rpc(method, message).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        Frames::of(answer)
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
