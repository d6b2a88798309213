//! The caller's end of the demo's call: the neutral page in a real browser, or, without one, a synthetic phone.

use std::{path::Path, time::Duration};

use alcove_tests::{
    browser::{Browser, Page},
    pages::enter,
};
use testkit::phone::{Phone, join};

use crate::{
    Failure,
    desk::{PLAYING, Received},
};

const PATIENCE: Duration = Duration::from_secs(20);

/// Whoever rang 999.
pub enum Caller<'b> {
    /// On the neutral page.
    Page(Page<'b>),
    /// With a synthetic phone.
    Phone(Box<Phone>, Option<String>),
}

impl<'b> Caller<'b> {
    /// Opens the neutral page, types the code and lets the page have camera and microphone.
    pub async fn in_browser(browser: &'b Browser, url: &str, code: &str) -> Result<Self, Failure> {
        let page = browser.open("caller", url, (390, 844)).await?;
        enter(page, code).await?;
        Ok(Self::Page(page))
    }

    /// Joins by the same code, and publishes the clip.
    pub async fn by_phone(url: &str, code: &str) -> Result<Self, Failure> {
        let mut phone = Phone::new(join(url, code).await?);
        phone.publish().await?;
        Ok(Self::Phone(Box::new(phone), None))
    }

    /// Waits until the officer is on the screen. A phone must be told whom to watch.
    pub async fn sees_officer(&mut self, participant: Option<String>) -> Result<(), Failure> {
        match self {
            Self::Page(page) => Ok(page.until(PLAYING).await.map(drop)?),
            Self::Phone(phone, watched) => {
                let officer = participant.ok_or("nobody says who the officer is")?;
                phone.watch(&officer).await?;
                phone.wait_for(&officer, PATIENCE, |r| r.first_frame.is_some()).await?;
                *watched = Some(officer);
                Ok(())
            }
        }
    }

    /// What has come of the officer so far.
    pub async fn received(&self) -> Result<Received, Failure> {
        match self {
            Self::Page(page) => Received::on(page).await,
            Self::Phone(phone, Some(officer)) => Ok(phone.received(officer).into()),
            Self::Phone(_, None) => Err("the caller watches nobody".into()),
        }
    }

    /// Keeps a picture of the screen, if there is one.
    pub async fn picture(&self, path: &Path) -> Result<(), Failure> {
        if let Self::Page(page) = self { Ok(page.screenshot(path).await?) } else { Ok(()) }
    }

    /// Is gone, after the call.
    pub async fn leave(self) -> Result<(), Failure> {
        match self {
            Self::Page(page) => Ok(page.close().await?),
            Self::Phone(phone, _) => Ok(phone.hang_up().await.map(drop)?),
        }
    }
}
