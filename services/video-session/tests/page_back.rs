//! The browser's Back, after a call and in the middle of one, in browsers that keep pages in their memory to show them again at once.
//!
//! What was seen, with Chromium 156 and Firefox 153: the page as it is (404, `no-store`) is kept by neither, each for its own reason.
//! Chromium keeps nothing that answers other than 200, nor what is `no-store` and has asked for more that is; Firefox nothing with
//! `no-store`. Where these reasons are taken away, both keep it, but not in a call. Each time what Back shows is the field for a code.

use std::{io, net::UdpSocket, process::Stdio, time::Duration};

use crate::rig::{Rig, Time, pass};
use axum::{Router, response::Html, routing::get};
use testkit::phone::Phone;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, copy},
    net::{TcpListener, TcpStream},
    process::Command,
};

/// How the page is answered.
#[derive(Clone, Copy, PartialEq)]
enum Page {
    AsItIs,
    /// So that browsers keep it: found, and not forbidden to be stored.
    Kept,
}

/// Somebody else's pages.
async fn elsewhere() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://localhost:{}", listener.local_addr().unwrap().port());
    let page = get(async || Html("<title>Harebell weather</title><link rel=icon href=data:,><p>Sunny spells."));
    let router = Router::new().route("/", page.clone()).route("/exit", page);
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

/// In front of the service: passes all on.
async fn pass_on(near: TcpStream, to: String, page: Page) -> io::Result<()> {
    let far = TcpStream::connect(to).await?;
    let ((mut hears, mut says), (mut answers, mut asks)) = (near.into_split(), far.into_split());
    let asked = async move { copy(&mut hears, &mut asks).await };
    let answered = async move {
        let mut buffer = vec![0; 64 << 10];
        loop {
            let read = answers.read(&mut buffer).await?;
            if read == 0 {
                return says.shutdown().await;
            }
            if page == Page::Kept {
                may_be_stored(&mut buffer[..read]);
            }
            says.write_all(&buffer[..read]).await?;
        }
    };
    tokio::try_join!(asked, answered).map(drop)
}

fn may_be_stored(answer: &mut [u8]) {
    let (told, instead) = (b"cache-control: no-store", b"cache-control: no-cache");
    if let Some(at) = answer.windows(told.len()).position(|some| some == told) {
        answer[at..at + told.len()].copy_from_slice(instead);
    }
}

/// An address of this machine that isn't loopback: Firefox sends no media over that.
fn own_address() -> String {
    let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
    // Sends nothing; says what would be sent from.
    socket.connect("192.0.2.1:9").unwrap();
    socket.local_addr().unwrap().ip().to_string()
}

/// How many of our pages came out of the browser's memory.
async fn back_shows_nothing_of_the_call(engine: &str, page: Page) -> usize {
    let (elsewhere, front) = (elsewhere().await, TcpListener::bind("127.0.0.1:0").await.unwrap());
    let base = format!("http://{}", front.local_addr().unwrap());
    let status = if page == Page::Kept { "200" } else { "404" };
    let settings = [
        ("page__exit_url", format!("{elsewhere}/exit")),
        ("page__status", status.to_owned()),
        ("http__public_url", base.clone()),
        ("media__listen", "0.0.0.0:0".to_owned()),
        ("media__advertise", own_address()),
    ];
    let rig = Rig::start(Time::Real, &settings).await;
    let service = rig.base.trim_start_matches("http://").to_owned();
    tokio::spawn(async move {
        while let Ok((near, _)) = front.accept().await {
            tokio::spawn(pass_on(near, service.clone(), page));
        }
    });
    let call = rig.accepted(true).await;
    let mut officer = Phone::new(pass(rig.join(call).await));
    officer.publish().await.unwrap();

    let home = tempfile::tempdir().unwrap();
    let mut browser = Command::new("node")
        .arg(format!("{}/tests/page_back.mjs", env!("CARGO_MANIFEST_DIR")))
        .args([engine, &base, &format!("{elsewhere}/")])
        .env("HOME", home.path())
        .env("TMPDIR", home.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("node is installed");
    let (mut says, mut hears) = (BufReader::new(browser.stdout.take().unwrap()).lines(), browser.stdin.take().unwrap());
    let told = loop {
        let line = tokio::time::timeout(Duration::from_secs(90), says.next_line()).await.expect("it says something");
        let line = line.unwrap().expect("the page's own story is above");
        let answer = match line.as_str() {
            "code" => rig.invite(call).await.unwrap().code,
            "end" => {
                rig.end(call).await;
                String::new()
            }
            _ => break line,
        };
        hears.write_all(format!("{answer}\n").as_bytes()).await.unwrap();
    };
    let ended = tokio::time::timeout(Duration::from_secs(60), browser.wait()).await.expect("it ends").unwrap();
    assert!(ended.success(), "the page's own story is above");
    told.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[tokio::test]
async fn back_in_chromium_shows_nothing_of_a_call() {
    assert_eq!(back_shows_nothing_of_the_call("chromium", Page::AsItIs).await, 0, "it keeps no page that isn't found");
}

#[tokio::test]
async fn back_in_a_chromium_that_keeps_the_page_opens_it_anew() {
    assert!(back_shows_nothing_of_the_call("chromium", Page::Kept).await > 0, "it is kept");
}

#[tokio::test]
async fn back_in_firefox_shows_nothing_of_a_call() {
    assert_eq!(back_shows_nothing_of_the_call("firefox", Page::AsItIs).await, 0, "it keeps no page with `no-store`");
}

#[tokio::test]
async fn back_in_a_firefox_that_keeps_the_page_opens_it_anew() {
    assert!(back_shows_nothing_of_the_call("firefox", Page::Kept).await > 0, "it is kept");
}
