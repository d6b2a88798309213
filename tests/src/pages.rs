//! A call of the two real pages: the console's, and the neutral one.

use std::path::{Path, PathBuf};

use api::intake::v1::call_update::Kind;

use crate::{
    browser::{Browser, Page},
    control_room::Watch,
    desk::Desk,
};

type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// Types the code at the neutral page, reads what there is to know, allows the camera, and goes in.
///
/// # Errors
/// When the page doesn't ask for these.
pub async fn enter(caller: Page<'_>, code: &str) -> Outcome<()> {
    caller.fill("#code", code).await?;
    for button in ["#go", "#on", "#in"] {
        caller.click(button).await?;
    }
    Ok(())
}

/// Both, in a call.
pub struct Pages<'a> {
    /// The call.
    pub call_id: String,
    /// What the control room sees of it.
    pub watch: Watch,
    /// The console.
    pub officer: Page<'a>,
    /// The neutral page.
    pub caller: Page<'a>,
}

impl<'a> Pages<'a> {
    /// Hands a call over, and has both see each other. Each page runs a script before its own.
    ///
    /// # Errors
    /// When a page doesn't show what it should.
    pub async fn meet(desk: &Desk, browsers: [&'a Browser; 2], incident: &str, scripts: [&str; 2]) -> Outcome<Self> {
        let [officers, callers] = browsers;
        let officer = officers.open_with("officer", &desk.stack.console(), scripts[0]).await?;
        officer.click("[data-officer=pc-okafor]").await?;
        officer.click("#presence").await?;
        officer.see("#presence[data-state=free]").await?;
        let call_id = desk.control_room.hand_over(incident).await?.call_id;
        let watch = desk.control_room.watch(&call_id, 0).await?;
        officer.click("#accept").await?;
        officer.see("#code-card[data-state=shown]").await?;
        let code = officer.text("#code").await?;
        let caller = callers.open_with("caller", &desk.stack.caller_page(), scripts[1]).await?;
        enter(caller, &code).await?;
        for (page, other) in [(officer, "#caller"), (caller, "#other")] {
            page.until(&format!("document.querySelector('{other}').videoWidth > 0")).await?;
        }
        Ok(Self { call_id, watch, officer, caller })
    }

    /// Has the officer end the call: the package in this folder, verified.
    ///
    /// # Errors
    /// When it isn't sealed, or doesn't verify.
    pub async fn end(mut self, desk: &Desk, folder: &Path) -> Outcome<PathBuf> {
        self.officer.click("#end").await?;
        self.officer.click("#confirm-end").await?;
        self.caller.see("#over").await?;
        self.watch.until(|kind| matches!(kind, Kind::Sealed(_))).await?;
        desk.verified_package(&self.call_id, &folder.join("package")).await
    }
}
