//! A call of two browsers on two instances of video-session, of which the one that carries it is killed (kill -9), or loses
//! Postgres.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use chassis::Clock;
use chrono::{DateTime, Utc};
use futures::{StreamExt, TryStreamExt, stream};
use testkit::StackOptions;

use crate::{
    browser::{Browser, Page},
    desk::Desk,
    others::Other,
    pages::{Invited, Pages},
};

type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// When each picture was shown, in milliseconds of the page's wall clock.
const LOOK: &str = "window.shown = []; (function next(video) {
    video.requestVideoFrameCallback((now) => { window.shown.push(performance.timeOrigin + now); next(video); });
})(document.querySelector('SCREEN'))";

/// Milliseconds from then to the first picture after the standstill: the one that others follow. A track that ends is a picture, too.
const BACK: &str = "((then) => {
    const at = window.shown;
    const back = at.findIndex((shown, n) => n > 0 && shown > then && shown - at[n - 1] > 500 && at[n + 10] - shown < 2000);
    return back > 0 && at.length > back + 30 && at[back] - then;
})";

/// For whoever reads why it failed: each standstill since then, in milliseconds, and how many pictures there were after it.
const STILL: &str = "((then) => {
    const at = window.shown;
    const stills = at.flatMap((shown, n) => (n > 0 && shown > then && shown - at[n - 1] > 500 ? [[at[n - 1] - then, shown - then, at.length - n]] : []));
    return { stills, pictures: at.length, last: at[at.length - 1] - then };
})";

/// The two in their call.
pub struct Talk<'a> {
    /// Everything else that runs.
    pub desk: Desk,
    /// Both pages, and the call.
    pub pages: Pages<'a>,
    /// Calls that the same instance carries beside it.
    pub others: Vec<Other>,
}

/// How long it took until each page saw the other again.
#[derive(Debug, Clone, Copy)]
pub struct Back {
    /// The officer's.
    pub officer: Duration,
    /// The caller's.
    pub caller: Duration,
}

impl<'a> Talk<'a> {
    /// Hands a call over, and has both see each other, through the second instance.
    ///
    /// # Errors
    /// When something doesn't come up, or a page doesn't show what it should.
    pub async fn begin(browser: &'a Browser, incident: &str) -> Outcome<Self> {
        Self::among(browser, incident, 0).await
    }

    /// The same, among so many others that the same instance carries.
    ///
    /// # Errors
    /// When something doesn't come up, or somebody doesn't see whom they should.
    pub async fn among(browser: &'a Browser, incident: &str, others: u32) -> Outcome<Self> {
        let desk = Desk::open(StackOptions { second_session: true, ..StackOptions::default() }).await?;
        // In turn: each is for the officer who came for it.
        let others = stream::iter(0..others).then(|n| Other::begin(&desk, 9_000 + n)).try_collect().await?;
        let invited = Invited::officer(&desk, browser, incident, "").await?;
        invited.officer.see("#call[data-media=sending]").await?;
        // The second carries it. From here on every other request goes astray, and is sent there.
        desk.stack.lead_to_both();
        let pages = invited.joined(&desk, browser, "").await?;
        for (page, screen) in [(pages.officer, "#caller"), (pages.caller, "#other")] {
            page.evaluate(&LOOK.replace("SCREEN", screen)).await?;
            page.until("window.shown.length > 30").await?;
        }
        Ok(Self { desk, pages, others })
    }

    /// How many pictures the caller's page has made so far.
    ///
    /// # Errors
    /// When it doesn't say.
    pub async fn pictures_made(&self) -> Outcome<u64> {
        let stats = self.pages.caller.evaluate("window.callStats()").await?;
        Ok(stats["framesEncoded"].as_u64().ok_or("no number of frames")?)
    }

    /// Kills the instance that carries the call, and waits until both see each other again.
    ///
    /// # Errors
    /// When they don't.
    pub async fn killed(&mut self) -> Outcome<Back> {
        let now = Clock::system().now();
        self.desk.stack.second_session().kill().await?;
        self.back(now).await
    }

    /// Cuts the instance that carries the call off from Postgres alone, and waits until both see each other by the other one.
    ///
    /// # Errors
    /// When they don't.
    pub async fn cut_off(&self) -> Outcome<Back> {
        let now = Clock::system().now();
        self.desk.stack.second_database().cut();
        self.back(now).await
    }

    /// Has the officer end the call: the package in this folder, verified.
    ///
    /// # Errors
    /// When it isn't sealed, or doesn't verify.
    pub async fn ended(self, folder: &Path) -> Outcome<PathBuf> {
        self.pages.end(&self.desk, folder).await
    }

    async fn back(&self, then: DateTime<Utc>) -> Outcome<Back> {
        let back = format!("{BACK}({})", then.timestamp_millis());
        let of = async |who: &str, page: Page<'_>| -> Outcome<Duration> {
            let milliseconds = match page.until(&back).await {
                Ok(milliseconds) => milliseconds.as_f64().ok_or("no number of milliseconds")?,
                Err(error) => {
                    let pictures = page.evaluate(&format!("{STILL}({})", then.timestamp_millis())).await?;
                    let stats = page.evaluate("window.callStats()").await?;
                    return Err(format!("{who}: {pictures}, {stats}: {error}").into());
                }
            };
            Ok(Duration::from_secs_f64(milliseconds / 1000.0))
        };
        let officer = of("the officer's page", self.pages.officer).await?;
        Ok(Back { officer, caller: of("the caller's page", self.pages.caller).await? })
    }
}
