//! A call of the two real pages: the console's, and the neutral one.

use std::path::{Path, PathBuf};

use api::intake::v1::call_update::Kind;

use crate::{
    browser::{Browser, Page},
    control_room::Watch,
    desk::Desk,
};

/// A desk's screen, in CSS pixels.
pub const DESK: (u32, u32) = (1280, 800);
/// A phone's.
pub const PHONE: (u32, u32) = (390, 844);

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

/// Signs an officer in: from the console to the issuer's page, where they say who they are, and back.
///
/// # Errors
/// When a page doesn't show what it should.
pub async fn sign_in(officer: Page<'_>, id: &str) -> Outcome<()> {
    officer.click("#sign-in").await?;
    officer.click(&format!("[data-officer={id}]")).await?;
    officer.see("body[data-view=desk]").await?;
    Ok(())
}

/// Signs an officer in who is free for calls. The console runs a script before its own.
///
/// # Errors
/// When the console doesn't show what it should.
pub async fn on_duty<'a>(desk: &Desk, browser: &'a Browser, script: &str) -> Outcome<Page<'a>> {
    let officer = browser.open_with("officer", &desk.stack.console(), DESK, script).await?;
    sign_in(officer, "pc-okafor").await?;
    officer.click("#presence").await?;
    officer.see("#presence[data-state=free]").await?;
    Ok(officer)
}

/// Keeps a picture of the page, to be looked at, where `PAGE_PICTURES` asks for them.
///
/// # Errors
/// When it can't be taken.
pub async fn picture(page: Page<'_>, name: &str) -> Outcome<()> {
    if let Some(folder) = std::env::var_os("PAGE_PICTURES") {
        page.screenshot(&Path::new(&folder).join(name)).await?;
    }
    Ok(())
}

/// An officer who has accepted a call, with the code in front of them.
pub struct Invited<'a> {
    /// The call.
    pub call_id: String,
    /// What the control room sees of it.
    pub watch: Watch,
    /// The console.
    pub officer: Page<'a>,
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

impl<'a> Invited<'a> {
    /// Hands a call over, and has it accepted. The console runs a script before its own.
    ///
    /// # Errors
    /// When the console doesn't show what it should.
    pub async fn officer(desk: &Desk, browser: &'a Browser, incident: &str, script: &str) -> Outcome<Self> {
        let officer = on_duty(desk, browser, script).await?;
        let call_id = desk.control_room.hand_over(incident).await?.call_id;
        Self::accepted(desk, officer, call_id).await
    }

    /// Has this officer, who is free, accept a call that was handed over.
    ///
    /// # Errors
    /// When the console doesn't show what it should.
    pub async fn accepted(desk: &Desk, officer: Page<'a>, call_id: String) -> Outcome<Self> {
        let watch = desk.control_room.watch(&call_id, 0).await?;
        officer.click("#accept").await?;
        officer.see("#code-card[data-state=shown]").await?;
        Ok(Self { call_id, watch, officer })
    }

    /// The caller comes in by the code, on a phone, and both see each other. The neutral page runs a script before its own.
    ///
    /// # Errors
    /// When a page doesn't show what it should.
    pub async fn joined(self, desk: &Desk, browser: &'a Browser, script: &str) -> Outcome<Pages<'a>> {
        let Self { call_id, watch, officer } = self;
        let code = officer.text("#code").await?;
        let caller = browser.open_with("caller", &desk.stack.caller_page(), PHONE, script).await?;
        enter(caller, &code).await?;
        for (page, other) in [(officer, "#caller"), (caller, "#other")] {
            page.until(&format!("document.querySelector('{other}').videoWidth > 0")).await?;
        }
        Ok(Pages { call_id, watch, officer, caller })
    }
}

impl<'a> Pages<'a> {
    /// Hands a call over, and has both see each other. Each page runs a script before its own.
    ///
    /// # Errors
    /// When a page doesn't show what it should.
    pub async fn meet(desk: &Desk, browsers: [&'a Browser; 2], incident: &str, scripts: [&str; 2]) -> Outcome<Self> {
        let [officers, callers] = browsers;
        Invited::officer(desk, officers, incident, scripts[0]).await?.joined(desk, callers, scripts[1]).await
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
