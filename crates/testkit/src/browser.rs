//! Real browsers at both ends of a call, driven through `tests/browser/drive.mjs`.

use std::{path::PathBuf, process::Stdio};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
    sync::Mutex,
};

use crate::scratch::Scratch;

/// Why the browser did not do what it was told, in its own words.
#[derive(Debug, thiserror::Error)]
#[error("browser: {0}")]
pub struct BrowserError(String);

impl BrowserError {
    fn new(error: impl std::fmt::Display) -> Self {
        Self(error.to_string())
    }
}

/// One browser; it ends when this is dropped.
#[derive(Debug)]
pub struct Browser {
    pipe: Mutex<Pipe>,
    version: String,
    _child: Child,
    _temporary: Scratch,
}

#[derive(Debug)]
struct Pipe {
    next: u64,
    to: ChildStdin,
    from: Lines<BufReader<ChildStdout>>,
}

/// Which one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Engine {
    /// Debian's Chromium.
    #[default]
    Chromium,
    /// Debian's Firefox.
    Firefox,
}

/// Which browser it is, and where it lives, if not on this machine as it is.
#[derive(Debug, Clone, Default)]
pub struct Home {
    /// Whose browser.
    pub engine: Engine,
    /// A network namespace ([`crate::Elsewhere`]).
    pub namespace: Option<String>,
    /// An origin by plain HTTP that may use the camera all the same.
    pub trusted_origin: Option<String>,
    /// Its user's folder: authorities that it trusts are in `.pki/nssdb`.
    pub folder: Option<PathBuf>,
    /// It is somebody's own, with one page: its profile, `profile` in the user's folder, outlives it, and holds what it holds without a
    /// test's driver. Every host's name is this machine.
    pub is_kept: bool,
}

impl Browser {
    /// Starts Chromium.
    ///
    /// # Errors
    /// When Node, `playwright-core` or Chromium can't be had: with what they said.
    pub async fn start() -> Result<Self, BrowserError> {
        Self::start_in(Home::default()).await
    }

    /// Starts one of another make.
    ///
    /// # Errors
    /// As [`Browser::start`], with `puppeteer-core` for Firefox.
    pub async fn start_as(engine: Engine) -> Result<Self, BrowserError> {
        Self::start_in(Home { engine, ..Home::default() }).await
    }

    /// Starts a browser somewhere else.
    ///
    /// # Errors
    /// As [`Browser::start`].
    pub async fn start_in(home: Home) -> Result<Self, BrowserError> {
        let script = crate::workspace().join("tests/browser/drive.mjs");
        let mut command = Command::new(if home.namespace.is_some() { "ip" } else { "node" });
        if let Some(namespace) = &home.namespace {
            command.args(["netns", "exec", namespace, "node"]);
        }
        if let Some(origin) = &home.trusted_origin {
            command.env("CHROMIUM_TRUSTS", origin);
        }
        if let Some(folder) = &home.folder {
            command.env("HOME", folder);
        }
        // It is killed with its test, and leaves its profile there.
        let temporary = Scratch::new("browser-").map_err(BrowserError::new)?;
        let mut child = command
            .env("TMPDIR", temporary.path())
            .arg(script)
            .arg(match (home.engine, home.is_kept) {
                (Engine::Chromium, false) => "chromium",
                (Engine::Firefox, false) => "firefox",
                (Engine::Chromium, true) => "chromium_kept",
                (Engine::Firefox, true) => "firefox_kept",
            })
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| BrowserError(format!("node: {error}")))?;
        let (Some(to), Some(from)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(BrowserError("node has no pipes".into()));
        };
        let mut pipe = Pipe { next: 1, to, from: BufReader::new(from).lines() };
        let version = pipe.answer(0).await?;
        let version = version.as_str().unwrap_or_default().to_owned();
        Ok(Self { pipe: Mutex::new(pipe), version, _child: child, _temporary: temporary })
    }

    /// Its version.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Closes it as a person does, and waits until it is gone.
    ///
    /// # Errors
    /// When it is gone already.
    pub async fn quit(self) -> Result<(), BrowserError> {
        self.act(json!({ "do": "quit" })).await.map(drop)
    }

    /// Kills it (one that is kept), as a phone does that runs out of memory or battery.
    ///
    /// # Errors
    /// When it is gone already.
    pub async fn crash(self) -> Result<(), BrowserError> {
        self.act(json!({ "do": "crash" })).await.map(drop)
    }

    async fn act(&self, mut request: Value) -> Result<Value, BrowserError> {
        let mut pipe = self.pipe.lock().await;
        let id = pipe.next;
        pipe.next += 1;
        request["id"] = id.into();
        pipe.to.write_all(format!("{request}\n").as_bytes()).await.map_err(BrowserError::new)?;
        pipe.answer(id).await
    }

    /// Opens a page in a context of its own, the size of a phone or a desk's screen in CSS pixels.
    ///
    /// # Errors
    /// When it can't be loaded.
    pub async fn open(&self, name: &'static str, url: &str, size: (u32, u32)) -> Result<Page<'_>, BrowserError> {
        self.open_with(name, url, size, "").await
    }

    /// As [`Browser::open`], with a script of the test's that runs before any of the page's own.
    ///
    /// # Errors
    /// When it can't be loaded.
    pub async fn open_with(
        &self,
        name: &'static str,
        url: &str,
        size: (u32, u32),
        script: &str,
    ) -> Result<Page<'_>, BrowserError> {
        let page = Page { browser: self, name };
        page.act(json!({ "do": "open", "url": url, "width": size.0, "height": size.1, "script": script })).await?;
        Ok(page)
    }

    /// Opens a page on a slow 3G (400 kb/s, 400 ms) and a phone a quarter as fast as this machine. Chromium only.
    ///
    /// # Errors
    /// When it can't be loaded.
    pub async fn open_slowly(&self, name: &'static str, url: &str, size: (u32, u32)) -> Result<Page<'_>, BrowserError> {
        let page = Page { browser: self, name };
        page.act(json!({ "do": "open", "url": url, "width": size.0, "height": size.1, "slow": true })).await?;
        Ok(page)
    }
}

impl Pipe {
    async fn answer(&mut self, id: u64) -> Result<Value, BrowserError> {
        let line = self.from.next_line().await.map_err(BrowserError::new)?;
        let line = line.ok_or_else(|| BrowserError("it ended (is it installed? `make system`)".into()))?;
        let mut answer: Value = serde_json::from_str(&line).map_err(BrowserError::new)?;
        if answer["id"] != id {
            return Err(BrowserError(format!("answered {} to {id}", answer["id"])));
        }
        match answer["error"].as_str() {
            Some(error) => Err(BrowserError(error.to_owned())),
            None => Ok(answer["ok"].take()),
        }
    }
}

/// One open page. Selectors are CSS; waiting gives up after 30 s.
#[derive(Debug, Clone, Copy)]
pub struct Page<'b> {
    browser: &'b Browser,
    name: &'static str,
}

impl<'b> Page<'b> {
    /// Opens a page in another window of the same person, as large and signed in wherever this one is. Chromium only.
    ///
    /// # Errors
    /// When it can't be loaded.
    pub async fn beside(&self, name: &'static str, url: &str) -> Result<Page<'b>, BrowserError> {
        let page = Page { browser: self.browser, name };
        page.act(json!({ "do": "open", "url": url, "beside": self.name })).await?;
        Ok(page)
    }

    async fn act(&self, mut request: Value) -> Result<Value, BrowserError> {
        request["page"] = self.name.into();
        self.browser.act(request).await
    }

    /// Types into a field.
    ///
    /// # Errors
    /// When there is none.
    pub async fn fill(&self, selector: &str, value: &str) -> Result<(), BrowserError> {
        self.act(json!({ "do": "fill", "selector": selector, "value": value })).await.map(drop)
    }

    /// Presses a key where the focus is: "Tab", "Enter".
    ///
    /// # Errors
    /// When there is no such key.
    pub async fn press(&self, key: &str) -> Result<(), BrowserError> {
        self.act(json!({ "do": "press", "value": key })).await.map(drop)
    }

    /// Chooses from a list.
    ///
    /// # Errors
    /// When there is none, or it has no such choice.
    pub async fn select(&self, selector: &str, value: &str) -> Result<(), BrowserError> {
        self.act(json!({ "do": "select", "selector": selector, "value": value })).await.map(drop)
    }

    /// Clicks, as soon as it can be clicked.
    ///
    /// # Errors
    /// When it never can.
    pub async fn click(&self, selector: &str) -> Result<(), BrowserError> {
        self.act(json!({ "do": "click", "selector": selector })).await.map(drop)
    }

    /// Waits until it is seen.
    ///
    /// # Errors
    /// When it never is.
    pub async fn see(&self, selector: &str) -> Result<(), BrowserError> {
        self.act(json!({ "do": "see", "selector": selector })).await.map(drop)
    }

    /// The text of an element.
    ///
    /// # Errors
    /// When there is none.
    pub async fn text(&self, selector: &str) -> Result<String, BrowserError> {
        let text = self.act(json!({ "do": "text", "selector": selector })).await?;
        Ok(text.as_str().unwrap_or_default().trim().to_owned())
    }

    /// The value of a JavaScript expression.
    ///
    /// # Errors
    /// When it throws.
    pub async fn evaluate(&self, expression: &str) -> Result<Value, BrowserError> {
        self.act(json!({ "do": "evaluate", "value": expression })).await
    }

    /// Waits until a JavaScript expression is true; answers its value.
    ///
    /// # Errors
    /// When it never is.
    pub async fn until(&self, expression: &str) -> Result<Value, BrowserError> {
        self.act(json!({ "do": "until", "value": expression })).await
    }

    /// Loads the page again, as an impatient thumb does.
    ///
    /// # Errors
    /// When it can't be loaded.
    pub async fn reload(&self) -> Result<(), BrowserError> {
        self.act(json!({ "do": "reload" })).await.map(drop)
    }

    /// Keeps a picture of the page (PNG).
    ///
    /// # Errors
    /// When the file can't be written.
    pub async fn screenshot(&self, path: &std::path::Path) -> Result<(), BrowserError> {
        self.act(json!({ "do": "screenshot", "value": path })).await.map(drop)
    }

    /// What the page complained of on its console: errors only.
    ///
    /// # Errors
    /// When the browser is gone.
    pub async fn complaints(&self) -> Result<Vec<String>, BrowserError> {
        let complaints = self.act(json!({ "do": "complaints" })).await?;
        Ok(serde_json::from_value(complaints).unwrap_or_default())
    }

    /// Closes the page, as a caller who drops the phone does: nothing is said to the server.
    ///
    /// # Errors
    /// When the browser is gone.
    pub async fn close(&self) -> Result<(), BrowserError> {
        self.act(json!({ "do": "close" })).await.map(drop)
    }
}
