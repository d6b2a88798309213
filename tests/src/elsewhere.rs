//! A desk here, and a caller in a network namespace of their own, whose networks come and go.

use std::time::Duration;

use futures::future::try_join_all;
use testkit::{Elsewhere, StackOptions, key};

use crate::{
    browser::{Browser, Home, Page},
    desk::Desk,
    pages::Pages,
};

type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// Keeps every connection that a page makes.
const KEEP_CONNECTIONS: &str = "window.connections = [];
    window.RTCPeerConnection = class extends RTCPeerConnection {
        constructor(...args) { super(...args); window.connections.push(this); }
    }";

/// Measures how long at most no new frame was decoded.
const MEASURE_BLACK: &str = "(() => {
    let frames = 0, since = performance.now();
    window.black = 0;
    setInterval(async () => {
        const stats = await window.callStats(), now = performance.now();
        if (!stats) return;
        if (stats.framesDecoded !== frames) { frames = stats.framesDecoded; since = now; }
        window.black = Math.max(window.black, Math.round(now - since));
    }, 40);
})()";

/// A desk and two browsers.
#[derive(Debug)]
pub struct Scene {
    /// Everything that runs here.
    pub desk: Desk,
    /// Here.
    pub officers: Browser,
    /// Elsewhere.
    pub callers: Browser,
}

impl Scene {
    /// Starts everything, with the caller's browser there.
    ///
    /// # Errors
    /// When something doesn't come up: with its log.
    pub async fn set(elsewhere: &Elsewhere, settings: &[(&str, String)], home: Home) -> Outcome<Self> {
        let own = [
            ("media__listen", "0.0.0.0:0".to_owned()),
            ("media__advertise", elsewhere.here().to_string()),
            ("http__listen", format!("{}:0", elsewhere.here())),
        ];
        let env = own.iter().chain(settings).map(|(name, value)| (key("video-session", name), value.clone()));
        let desk = Desk::open(StackOptions { env: env.collect(), ..StackOptions::default() }).await?;
        let home = Home {
            namespace: Some(elsewhere.name().to_owned()),
            trusted_origin: Some(desk.stack.caller_page()),
            ..home
        };
        let (officers, callers) = tokio::try_join!(Browser::start(), Browser::start_in(home))?;
        Ok(Self { desk, officers, callers })
    }

    /// Until both see each other. Each page keeps its connections in `window.connections`.
    ///
    /// # Errors
    /// When a page doesn't show what it should.
    pub async fn call(&self, incident: &str) -> Outcome<Pages<'_>> {
        let scripts = [KEEP_CONNECTIONS; 2];
        let pages = Pages::meet(&self.desk, [&self.officers, &self.callers], incident, scripts).await?;
        let both = [pages.officer, pages.caller];
        goes_on(both).await?;
        for page in both {
            page.evaluate(MEASURE_BLACK).await?;
        }
        Ok(pages)
    }
}

/// Waits until each of these pages has decoded two seconds and more of new pictures, and has sent as many: all in the same seconds.
///
/// # Errors
/// When one doesn't.
pub async fn goes_on<const N: usize>(pages: [Page<'_>; N]) -> Outcome<()> {
    let then = try_join_all(pages.iter().map(|page| page.evaluate("window.callStats()"))).await?;
    for (page, then) in pages.iter().zip(then) {
        for what in ["framesDecoded", "framesEncoded", "audioReceived", "audioSent"] {
            let enough = then[what].as_u64().ok_or("no statistics")? + 60;
            page.until(&format!("window.callStats().then((now) => now.connected && now.{what} > {enough})")).await?;
        }
    }
    Ok(())
}

/// How long at most the page decoded no new picture, since this was asked last or the call began.
///
/// # Errors
/// When it isn't in a call of [`Scene::call`].
pub async fn black(page: Page<'_>) -> Outcome<Duration> {
    let milliseconds = page.evaluate("[window.black, window.black = 0][0]").await?;
    Ok(Duration::from_millis(milliseconds.as_u64().ok_or("nothing was measured")?))
}
