//! From the call to help: two whole calls with their paperwork, done at the console while they go on, and a count of what is left to be
//! typed after them.

use tempfile::TempDir;
use testkit::{StackOptions, key};

use crate::{
    browser::Browser,
    desk::Desk,
    pages::{Invited, Pages, on_duty, picture},
};

pub mod by_hand;
pub mod panel;
pub mod partner;
pub mod story;

pub use by_hand::ByHand;
pub use partner::Partner;

type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// The desk, and partners who help.
#[derive(Debug)]
pub struct Room {
    /// The services.
    pub desk: Desk,
    /// The partners' system.
    pub partner: Partner,
    _book: TempDir,
}

/// A call that has ended.
#[derive(Debug)]
pub struct Done {
    /// The required items that were missing when its recording was sealed.
    pub missing: Vec<String>,
    /// What was done by hand until none was.
    pub by_hand: ByHand,
    /// The statement that was declared.
    pub statement: String,
}

impl Room {
    /// Opens the desk.
    ///
    /// # Errors
    /// When something doesn't come up.
    pub async fn open() -> Outcome<Self> {
        let book = tempfile::tempdir()?;
        let partner = Partner::open(book.path()).await?;
        let env = vec![(key("referral", "books__partners"), Partner::book(book.path()).display().to_string())];
        let desk = Desk::open(StackOptions { env, ..StackOptions::default() }).await?;
        Ok(Self { desk, partner, _book: book })
    }

    /// The first call of the officer, who signs in for it.
    ///
    /// # Errors
    /// When a page doesn't show what it should.
    pub async fn first<'b>(&self, browser: &'b Browser, incident: &str) -> Outcome<Pages<'b>> {
        let officer = on_duty(&self.desk, browser, &by_hand::script()?).await?;
        let call_id = self.desk.control_room.hand_over(incident).await?.call_id;
        let invited = Invited::accepted(&self.desk, officer, call_id).await?;
        by_hand::anew(officer).await?;
        invited.joined(&self.desk, browser, "").await
    }

    /// The call after one of these.
    ///
    /// # Errors
    /// When a page doesn't show what it should.
    pub async fn next<'b>(&self, before: Pages<'b>, browser: &'b Browser, incident: &str) -> Outcome<Pages<'b>> {
        before.caller.close().await?;
        before.officer.click("#to-desk").await?;
        let call_id = self.desk.control_room.hand_over(incident).await?.call_id;
        let invited = Invited::accepted(&self.desk, before.officer, call_id).await?;
        by_hand::anew(before.officer).await?;
        invited.joined(&self.desk, browser, "").await
    }

    /// The officer ends the call, and does what is left until nothing that is required is missing.
    ///
    /// # Errors
    /// When something is.
    pub async fn done(&self, pages: &Pages<'_>, name: &str) -> Outcome<Done> {
        let Pages { officer, caller, .. } = pages;
        panel::note(*officer, "bail-and-civil-orders").await?;
        officer.click("#end").await?;
        officer.click("#confirm-end").await?;
        caller.see("#over").await?;
        officer.see("#after[data-state=sealed]").await?;
        // The card says it too, as long as the tab beside it doesn't.
        officer.click("#tab-help").await?;
        officer.see("#package-items [data-key=officer-statement][data-state=missing]").await?;
        let missing = panel::missing_once_sealed(*officer).await?;
        picture(*officer, &format!("{name}-missing.png")).await?;
        let statement = panel::declare(*officer).await?;
        picture(*officer, &format!("{name}-statement.png")).await?;
        // The schedule names the statement too, so it comes last.
        if missing.iter().any(|key| key == "disclosure-schedule") {
            panel::schedule(*officer).await?;
        }
        for score in ["#pack-score", "#package-score"] {
            officer.until(&format!("document.querySelector('{score}').textContent === '100%'")).await?;
        }
        panel::seal(*officer).await?;
        picture(*officer, &format!("{name}-complete.png")).await?;
        Ok(Done { missing, by_hand: by_hand::read(*officer).await?, statement })
    }
}
