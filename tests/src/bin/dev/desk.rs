//! The officer's end of the demo's call: the console's page in a real browser, or, without one, the same RPCs and a
//! synthetic phone.

use std::{path::Path, time::Duration};

use alcove_tests::{
    browser::{Browser, Page},
    officer::Officer,
    pages::sign_in,
};
use api::session::v1::Role;
use testkit::phone::{Pass, Phone};
use tokio_util::task::AbortOnDropHandle;

use crate::Failure;

const PATIENCE: Duration = Duration::from_secs(20);

/// One officer at work.
pub enum Desk<'b> {
    /// At the console's page.
    Console(Page<'b>),
    /// Without a screen.
    Phone(Box<WithoutScreen>),
}

/// RPCs and a synthetic phone.
pub struct WithoutScreen {
    officer: Officer,
    call: String,
    phone: Option<Phone>,
    caller: String,
    _heartbeat: AbortOnDropHandle<()>,
}

impl<'b> Desk<'b> {
    /// Signs in at the console and is free for calls.
    pub async fn at_console(browser: &'b Browser, url: &str, officer: &str) -> Result<Self, Failure> {
        let page = browser.open("officer", url, (1280, 800)).await?;
        sign_in(page, officer).await?;
        page.click("#presence[data-state=away]").await?;
        page.see("#presence[data-state=free]").await?;
        Ok(Self::Console(page))
    }

    /// Is free for calls, without a screen.
    pub async fn without_screen(officer: Officer) -> Result<Self, Failure> {
        officer.go_free().await?;
        let beating = officer.clone();
        let heartbeat = tokio::spawn(async move {
            loop {
                tokio::time::sleep(Duration::from_secs(5)).await;
                // A missed one is made up for by the next.
                let _ = beating.heartbeat().await;
            }
        });
        let heartbeat = AbortOnDropHandle::new(heartbeat);
        let (call, caller) = (String::new(), String::new());
        Ok(Self::Phone(Box::new(WithoutScreen { officer, call, phone: None, caller, _heartbeat: heartbeat })))
    }

    /// Waits for an offer and takes it.
    pub async fn accept(&mut self) -> Result<(), Failure> {
        match self {
            Self::Console(page) => Ok(page.click("#accept").await?),
            Self::Phone(desk) => {
                let offer = tokio::time::timeout(PATIENCE, desk.officer.next_offer()).await;
                desk.call = offer.map_err(|_| "no offer came")??.call_id;
                Ok(desk.officer.accept(&desk.call).await?)
            }
        }
    }

    /// Joins the session, and has the code to read out.
    pub async fn code(&mut self) -> Result<String, Failure> {
        match self {
            Self::Console(page) => {
                page.see("#code-card[data-state=shown]").await?;
                Ok(page.text("#code").await?)
            }
            Self::Phone(desk) => {
                desk.officer.session_until(&desk.call, |_| true).await?;
                let joined = desk.officer.join(&desk.call).await?;
                let mut phone = Phone::new(Pass {
                    participant_id: joined.participant_id,
                    token: joined.token,
                    whip_url: joined.whip_url,
                    whep_url: joined.whep_url,
                    events_url: joined.events_url,
                });
                phone.publish().await?;
                desk.phone = Some(phone);
                Ok(desk.officer.invite(&desk.call).await?.code)
            }
        }
    }

    /// Waits until the caller is on the screen.
    pub async fn sees_caller(&mut self) -> Result<(), Failure> {
        match self {
            Self::Console(page) => Ok(page.until(PLAYING).await.map(drop)?),
            Self::Phone(desk) => {
                let on = |p: &api::session::v1::Participant| p.role() == Role::Caller && p.connected;
                let session = desk.officer.session_until(&desk.call, |s| s.participants.iter().any(on));
                let session = tokio::time::timeout(PATIENCE, session).await.map_err(|_| "the caller didn't come")??;
                let caller = session.participants.into_iter().find(on).map(|p| p.participant_id);
                desk.caller = caller.unwrap_or_default();
                let phone = desk.phone.as_mut().ok_or("the officer hasn't joined")?;
                phone.watch(&desk.caller).await?;
                phone.wait_for(&desk.caller, PATIENCE, |r| r.first_frame.is_some()).await?;
                Ok(())
            }
        }
    }

    /// What has come of the caller so far.
    pub async fn received(&self) -> Result<Received, Failure> {
        match self {
            Self::Console(page) => Received::on(page).await,
            Self::Phone(desk) => {
                let phone = desk.phone.as_ref().ok_or("the officer hasn't joined")?;
                Ok(phone.received(&desk.caller).into())
            }
        }
    }

    /// Keeps a picture of the screen, if there is one.
    pub async fn picture(&self, path: &Path) -> Result<(), Failure> {
        if let Self::Console(page) = self { Ok(page.screenshot(path).await?) } else { Ok(()) }
    }

    /// The officer's participant id, for a synthetic caller to watch.
    pub fn participant(&self) -> Option<String> {
        match self {
            Self::Console(_) => None,
            Self::Phone(desk) => desk.phone.as_ref().map(|phone| phone.pass().participant_id.clone()),
        }
    }

    /// Ends the call for everyone.
    pub async fn end(&mut self) -> Result<(), Failure> {
        match self {
            Self::Console(page) => {
                page.click("#end").await?;
                Ok(page.click("#confirm-end").await?)
            }
            Self::Phone(desk) => Ok(desk.officer.end(&desk.call).await.map(drop)?),
        }
    }

    /// Leaves the desk.
    pub async fn leave(self) -> Result<(), Failure> {
        match self {
            Self::Console(page) => Ok(page.close().await?),
            Self::Phone(desk) => {
                if let Some(phone) = desk.phone {
                    phone.hang_up().await?;
                }
                Ok(())
            }
        }
    }
}

/// What came from the other side: decoded by a browser, or counted by a phone.
#[derive(Clone, Copy)]
pub struct Received {
    /// Frames of video.
    pub frames: u64,
    /// Packets of sound, 20 ms each.
    pub sound: u64,
}

impl Received {
    /// As the page's browser counts it.
    pub async fn on(page: &Page<'_>) -> Result<Self, Failure> {
        let counts = page.evaluate("window.callStats()").await?;
        let count = |of: &str| counts[of].as_u64().unwrap_or_default();
        Ok(Self { frames: count("framesDecoded"), sound: count("audioReceived") })
    }

    /// What came since.
    pub fn since(self, before: Self) -> Self {
        Self { frames: self.frames - before.frames, sound: self.sound - before.sound }
    }

    /// Far below what any camera and microphone send in so many seconds, and far above what a stalled stream brings.
    pub fn flowed(self, seconds: u64) -> bool {
        self.frames >= 5 * seconds && self.sound >= 25 * seconds
    }
}

impl From<testkit::phone::Received> for Received {
    fn from(counted: testkit::phone::Received) -> Self {
        Self { frames: counted.video_frames, sound: counted.audio_packets }
    }
}

/// JavaScript, on either page: whether the other side's picture moves.
pub const PLAYING: &str = "window.callStats().then((stats) => (stats?.framesDecoded ?? 0) > 2)";
