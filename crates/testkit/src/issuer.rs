//! The identity provider of development: a standard OpenID issuer (`tests/browser/issuer.mjs`) that knows our officers.

use std::{
    fs::{self, File},
    path::Path,
    time::Duration,
};

use rustix::process::Signal;
use serde::Deserialize;
use serde_json::Value;

use crate::{
    Error, SigningKey,
    process::{Process, User, command},
    scratch::Scratch,
    workspace,
};

/// For whom its access tokens are made out.
pub(crate) const AUDIENCE: &str = "alcove";
const PATIENCE: Duration = Duration::from_secs(30);

/// A running issuer; ends when dropped.
#[derive(Debug)]
pub struct Issuer {
    url: String,
    signing: SigningKey,
    process: Process,
    _scratch: Scratch,
}

/// How many refresh tokens there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct RefreshTokens {
    /// Good for one renewal more.
    pub held: usize,
    /// Good for one, and that has been.
    pub spent: usize,
}

impl Issuer {
    /// For a console at this origin. Access tokens hold for so long.
    ///
    /// # Errors
    /// When Node or `oidc-provider` isn't installed: with what was said.
    pub async fn start(console: &str, access: Duration) -> Result<Self, Error> {
        let scratch = Scratch::new("issuer-")?;
        let (said, log) = (scratch.path().join("address"), scratch.path().join("log"));
        let file = |path: &Path| File::create(path).map_err(Error::io("the issuer's log"));
        let mut command = command(Path::new("node"), User::Same, "KILL");
        command.arg(workspace().join("tests/browser/issuer.mjs")).arg(console);
        let signing = SigningKey::es256("one")?;
        let (kid, key) = signing.handed_over();
        command.env("ISSUER_KID", kid).env("ISSUER_KEY", key);
        command.env("ISSUER_ACCESS_SECONDS", access.as_secs().to_string());
        command.stdout(file(&said)?).stderr(file(&log)?);
        let process = Process::spawn(command, Signal::KILL)?;
        let whole_line = async || fs::read_to_string(&said).ok()?.strip_suffix('\n').map(str::to_owned);
        let url = process.ready(PATIENCE, &log, whole_line).await?;
        Ok(Self { url, signing, process, _scratch: scratch })
    }

    /// Its name, and where it is.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What a console must know of it.
    #[must_use]
    pub fn settings(&self, console: &str) -> [(&'static str, String); 2] {
        [("sign_in__issuer", self.url.clone()), ("sign_in__public_url", console.to_owned())]
    }

    /// A token for the services as it would sign it, with these claims besides: for officers without a browser.
    ///
    /// # Errors
    /// When the system has no randomness.
    pub fn token(&self, mut claims: Value) -> Result<String, Error> {
        claims["iss"] = self.url.clone().into();
        claims["aud"] = AUDIENCE.into();
        self.signing.token(&claims)
    }

    /// Has it forget everybody's sign-in and tokens, as when an administrator takes them back.
    ///
    /// # Errors
    /// When it is gone.
    pub async fn forget(&self) -> Result<(), Error> {
        reqwest::Client::new().post(format!("{}/forget", self.url)).send().await?.error_for_status()?;
        Ok(())
    }

    /// The refresh tokens that it has given out.
    ///
    /// # Errors
    /// When it is gone.
    pub async fn refresh_tokens(&self) -> Result<RefreshTokens, Error> {
        Ok(reqwest::get(format!("{}/refresh-tokens", self.url)).await?.json().await?)
    }

    /// Ends it.
    ///
    /// # Errors
    /// When it can't be told to.
    pub fn kill(&self) -> Result<(), Error> {
        self.process.signal(Signal::KILL)
    }
}
