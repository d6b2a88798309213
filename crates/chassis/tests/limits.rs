//! Strangers who are slow, large or many, and handlers that panic. Time is tokio's, and passes only while nothing else can happen.

use std::{net::SocketAddr, sync::Arc};

use axum::{
    Router,
    extract::DefaultBodyLimit,
    routing::{get, post},
};
use chassis::{
    Health, Shutdown, ShutdownTrigger,
    http::{self, Limits},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::Notify,
    time::Instant,
};

use crate::obedient::{Obedient, ask, serve};

async fn open(router: Router, limits: Limits) -> (SocketAddr, ShutdownTrigger) {
    let (trigger, shutdown) = Shutdown::manual();
    let listener = http::bind("http", SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(http::serve(listener, router, limits, shutdown));
    (address, trigger)
}

/// Says this and nothing more.
async fn says(address: SocketAddr, words: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(words.as_bytes()).await.unwrap();
    stream
}

/// Until they hang up.
async fn answer(mut stream: TcpStream) -> String {
    let mut answer = Vec::new();
    // That the rest of what we said was never read may end it by a reset.
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

async fn asked(address: SocketAddr, path: &str) -> String {
    answer(says(address, &format!("GET {path} HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n")).await).await
}

#[tokio::test(start_paused = true)]
async fn whoever_is_slow_with_the_head_is_hung_up_on() {
    let limits = Limits::default();
    let (address, _trigger) = open(Router::new().route("/", get(|| async { "here" })), limits).await;
    for begun in ["", "GET / HTTP/1.1\r\nhost: h\r\nx-one: "] {
        let since = Instant::now();
        let told = answer(says(address, begun).await).await;
        assert!(!told.contains("200") && since.elapsed() >= limits.head, "{told}");
    }
    // Between requests, too: what stands in front keeps none for longer.
    let since = Instant::now();
    let told = answer(says(address, "GET / HTTP/1.1\r\nhost: h\r\n\r\n").await).await;
    assert!(told.contains("200 OK") && since.elapsed() >= limits.head, "{told}");
}

#[tokio::test(start_paused = true)]
async fn whoever_is_slow_with_the_body_is_answered_in_time() {
    let limits = Limits::default();
    let (address, _trigger) = open(Router::new().route("/", post(async |_: String| "here")), limits).await;
    let since = Instant::now();
    let told = answer(says(address, "POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 9\r\n\r\nbegun").await).await;
    assert!(told.starts_with("HTTP/1.1 408 ") && told.contains("TOO_SLOW"), "{told}");
    assert!(since.elapsed() >= limits.answer);
}

#[tokio::test]
async fn a_body_is_never_larger_than_any_may_be() {
    let limits = Limits { body: 1000, ..Limits::default() };
    let router = Router::new().route("/", post(async |_: String| "here")).layer(DefaultBodyLimit::disable());
    let (address, _trigger) = open(router, limits).await;
    let declared =
        answer(says(address, "POST / HTTP/1.1\r\nhost: h\r\nconnection: close\r\ncontent-length: 1001\r\n\r\n").await)
            .await;
    assert!(declared.starts_with("HTTP/1.1 413 ") && declared.contains("BODY_TOO_LARGE"), "{declared}");
    let chunk = format!("258\r\n{}\r\n", "a".repeat(600));
    let streamed = format!(
        "POST / HTTP/1.1\r\nhost: h\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n{chunk}{chunk}0\r\n\r\n"
    );
    let told = answer(says(address, &streamed).await).await;
    assert!(told.starts_with("HTTP/1.1 413 "), "{told}");
    let fits =
        format!("POST / HTTP/1.1\r\nhost: h\r\nconnection: close\r\ncontent-length: 1000\r\n\r\n{}", "a".repeat(1000));
    assert!(answer(says(address, &fits).await).await.contains("200 OK"));
    // Nor is a head.
    let long = format!("GET / HTTP/1.1\r\nhost: h\r\nconnection: close\r\nx-long: {}\r\n\r\n", "a".repeat(70_000));
    assert!(answer(says(address, &long).await).await.starts_with("HTTP/1.1 431 "));
}

#[tokio::test]
async fn so_many_at_once_and_the_next_one_when_there_is_a_place() {
    let (begun, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let held = {
        let (begun, go_on) = (begun.clone(), go_on.clone());
        move || async move {
            begun.notify_one();
            go_on.notified().await;
            "here"
        }
    };
    let (address, _trigger) =
        open(Router::new().route("/", get(held)), Limits { connections: 2, ..Limits::default() }).await;
    let ask = "GET / HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n";
    let mut taken = vec![];
    for _ in 0..2 {
        taken.push(says(address, ask).await);
        begun.notified().await;
    }
    let waits = says(address, ask).await;
    // As long as the server would need many times over to begin with it.
    for _ in 0..10_000 {
        tokio::task::yield_now().await;
    }
    assert!(futures::FutureExt::now_or_never(begun.notified()).is_none(), "there is no place for a third");
    go_on.notify_waiters();
    for stream in taken {
        assert!(answer(stream).await.contains("here"));
    }
    begun.notified().await;
    go_on.notify_one();
    assert!(answer(waits).await.contains("here"));
}

#[tokio::test]
async fn a_handler_that_panics_has_answered_and_says_nothing_of_why() {
    let router = Router::new()
        .route("/bad", get(async || -> &'static str { panic!("+447700900123 is not a number") }))
        .route("/good", get(|| async { "here" }));
    let (address, _trigger) = open(router, Limits::default()).await;
    let told = asked(address, "/bad").await;
    assert!(told.starts_with("HTTP/1.1 500 ") && told.contains("\"INTERNAL\"") && !told.contains("4477"), "{told}");
    assert!(asked(address, "/good").await.contains("here"));
}

#[tokio::test(start_paused = true)]
async fn a_grpc_connection_that_says_nothing_is_ended_and_others_are_not() {
    let (_trigger, shutdown) = Shutdown::manual();
    let (address, _serving, mut client) = serve(Obedient::default(), &Health::new(), shutdown).await;
    let since = Instant::now();
    for begun in ["", "PRI * HTTP/2.0"] {
        answer(says(address, begun).await).await;
    }
    assert!(since.elapsed() >= std::time::Duration::from_secs(20), "ten each");
    client.get_package(ask("nothing")).await.unwrap();
}

/// A frame of HTTP/2.
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// POST /, in words that every peer knows.
const HEAD: [u8; 3] = [0x83, 0x84, 0x86];

/// Asks and takes it back, again and again: what is begun for each costs us more than them.
fn resets() -> Vec<u8> {
    let reset = |n: u32| [frame(1, 4, 2 * n + 1, &HEAD), frame(3, 0, 2 * n + 1, &8_u32.to_be_bytes())].concat();
    (0..5_000).flat_map(reset).collect()
}

/// A head without an end.
fn continued() -> Vec<u8> {
    let field = [&[0, 6][..], b"x-long", &[100], &[b'a'; 100]].concat();
    let more = std::iter::repeat_n(frame(9, 0, 1, &field.repeat(100)), 2_000).flatten();
    frame(1, 0, 1, &HEAD).into_iter().chain(more).collect()
}

/// Was the peer asked whether it is still there? Then it was waited for.
fn was_pinged(mut told: &[u8]) -> bool {
    while let [a, b, c, kind, flags, rest @ ..] = told {
        if (*kind, *flags) == (6, 0) {
            return true;
        }
        let length = usize::from(*a) << 16 | usize::from(*b) << 8 | usize::from(*c);
        // Behind the stream's number and the payload.
        told = rest.get(4 + length..).unwrap_or_default();
    }
    false
}

#[tokio::test]
async fn whoever_makes_http_2_work_for_nothing_is_hung_up_on_and_others_are_not() {
    let (_trigger, shutdown) = Shutdown::manual();
    let (address, _serving, mut client) = serve(Obedient::default(), &Health::new(), shutdown).await;
    for asked in [resets(), continued()] {
        let (mut told, mut say) = TcpStream::connect(address).await.unwrap().into_split();
        let begin = [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(), frame(4, 0, 0, &[])].concat();
        let saying = tokio::spawn(async move {
            // Until nobody listens any more.
            let _ = say.write_all(&[begin, asked].concat()).await;
            say
        });
        let mut answer = Vec::new();
        let _ = told.read_to_end(&mut answer).await;
        assert!(!was_pinged(&answer), "it was hung up on for its silence only");
        drop(saying.await.unwrap());
        client.get_package(ask("nothing")).await.unwrap();
    }
}
