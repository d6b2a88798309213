//! What speaks to control rooms: by the certificate of the moment, to whoever has one of an authority of the moment.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use chassis::{ConfigError, Tls};
use reqwest::redirect::Policy;
use tokio_rustls::rustls::ClientConfig;

/// Makes the HTTP client anew when the certificate is another. Clones are the same one.
#[derive(Clone)]
pub(super) struct Client(Arc<Shared>);

struct Shared {
    /// None in dev: in the clear.
    tls: Option<Tls>,
    answer_within: Duration,
    current: Mutex<Current>,
}

struct Current {
    by: Option<Arc<ClientConfig>>,
    http: reqwest::Client,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Client")
    }
}

impl Client {
    /// One that waits so long for an answer.
    ///
    /// # Errors
    /// There is no HTTP client to be had.
    pub(super) fn new(tls: Option<Tls>, answer_within: Duration) -> Result<Self, ConfigError> {
        let by = tls.as_ref().map(Tls::of_http_client);
        let http = http(by.as_deref(), answer_within).map_err(|error| ConfigError::unusable("tls", error))?;
        Ok(Self(Arc::new(Shared { tls, answer_within, current: Mutex::new(Current { by, http }) })))
    }

    /// For one message. What is on its way by an older certificate gets there by that.
    pub(super) fn now(&self) -> reqwest::Client {
        let Shared { tls, answer_within, .. } = &*self.0;
        let mut current = self.current();
        let by = tls.as_ref().map(Tls::of_http_client);
        if by.as_ref().map(Arc::as_ptr) != current.by.as_ref().map(Arc::as_ptr) {
            match http(by.as_deref(), *answer_within) {
                Ok(http) => *current = Current { by, http },
                Err(error) => tracing::error!(error = chassis::chain(&error), "no MAIT by the new certificate"),
            }
        }
        current.http.clone()
    }

    fn current(&self) -> MutexGuard<'_, Current> {
        self.0.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn http(by: Option<&ClientConfig>, answer_within: Duration) -> Result<reqwest::Client, reqwest::Error> {
    let builder = reqwest::Client::builder().timeout(answer_within).redirect(Policy::none()).no_proxy();
    match by {
        Some(by) => builder.use_preconfigured_tls(by.clone()).build(),
        None => builder.build(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use std::{fs, io::ErrorKind, net::SocketAddr};

    use axum::{Router, extract::ConnectInfo, routing::post};
    use chassis::{
        Clock, ManualClock, Shutdown, config,
        http::{self, Limits},
    };
    use testkit::{Identities, Papers};
    use tokio::net::TcpStream;

    use super::{
        super::listener::{Mutual, Peer},
        *,
    };

    fn section(papers: &Papers) -> config::Tls {
        let Papers { certificate, key, roots, .. } = papers.clone();
        config::Tls { certificate, key, roots }
    }

    /// Somebody who says whom they were shown to be asked by; where.
    async fn listens(papers: &Papers) -> SocketAddr {
        let tls = Tls::read(Some(&section(papers)), Clock::system()).unwrap().unwrap();
        let listener = http::bind("mait", SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
        let address = listener.local_addr().unwrap();
        let router =
            Router::new().route("/mait", post(async |ConnectInfo(Peer(who)): ConnectInfo<Peer>| format!("{who:?}")));
        let (_, shutdown) = Shutdown::manual();
        tokio::spawn(http::serve(Mutual::new(listener, tls), router, Limits::default(), shutdown));
        address
    }

    #[tokio::test]
    async fn as_many_as_one_host_opens_and_says_nothing_on_keep_no_control_room_waiting() {
        let folder = tempfile::tempdir().unwrap();
        let ours = Identities::new(folder.path()).unwrap();
        let address = listens(&ours.service("intake").unwrap()).await;
        let mut silent = Vec::new();
        for _ in 0..200 {
            silent.push(TcpStream::connect(address).await.unwrap());
        }
        let tls = Tls::read(Some(&section(&ours.control_room("kent").unwrap())), Clock::system()).unwrap();
        let client = Client::new(tls, Duration::from_secs(60)).unwrap();
        let answer = client.now().post(format!("https://{address}/mait")).send().await.unwrap();
        assert!(answer.text().await.unwrap().starts_with("ControlRoom"));
        // And not because they were hung up on.
        let is_open = |stream: &TcpStream| stream.try_read(&mut [0]).is_err_and(|e| e.kind() == ErrorKind::WouldBlock);
        assert!(silent.iter().all(is_open));
    }

    #[tokio::test]
    async fn a_control_room_is_shown_the_new_certificate_with_the_next_message() {
        let folder = tempfile::tempdir().unwrap();
        let ours = Identities::new(&folder.path().join("ours")).unwrap();
        let theirs = Identities::new(&folder.path().join("theirs")).unwrap();
        let address = listens(&ours.control_room("kent").unwrap()).await;
        let url = format!("https://{address}/mait");
        let papers = ours.service("intake").unwrap();
        let clock = ManualClock::new(Clock::system().now());
        let tls = Tls::read(Some(&section(&papers)), clock.clone().into()).unwrap();
        let client = Client::new(tls, Duration::from_secs(30)).unwrap();
        let shown = async || client.now().post(&url).send().await?.text().await;
        let (intake, referral) = (r#"Service("intake")"#, r#"Service("referral")"#);
        assert_eq!(shown().await.unwrap(), intake);

        let put = |from: &Papers| {
            for (from, to) in [(&from.certificate, &papers.certificate), (&from.key, &papers.key)] {
                fs::copy(from, to).unwrap();
            }
        };
        let a_minute_passes = || clock.advance(Duration::from_secs(60));
        let other = ours.service("referral").unwrap();
        put(&other);
        assert_eq!(shown().await.unwrap(), intake, "looked at once a minute");
        a_minute_passes();
        assert_eq!(shown().await.unwrap(), referral);
        // Half of a pair is none.
        fs::write(&papers.key, "half").unwrap();
        a_minute_passes();
        assert_eq!(shown().await.unwrap(), referral);
        // Whom we believe changes with it, too.
        put(&other);
        fs::copy(&theirs.service("intake").unwrap().roots, &papers.roots).unwrap();
        a_minute_passes();
        assert!(shown().await.unwrap_err().is_connect());
        fs::copy(&other.roots, &papers.roots).unwrap();
        a_minute_passes();
        assert_eq!(shown().await.unwrap(), referral);
    }
}
