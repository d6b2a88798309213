//! The partners: a system that takes signed webhooks, with an address for each of their services.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    extract::{Path as Part, State},
    http::{HeaderMap, StatusCode},
    routing::post,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use ring::hmac;
use serde_json::Value;
use tokio::{net::TcpListener, sync::watch};
use tokio_util::task::AbortOnDropHandle;

use crate::desk::FORCE;

/// What the partners and the force know, and nobody else.
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
/// Who does what.
const SERVICES: [&str; 5] = ["idva", "marac", "mash", "encompass", "clares-law-ask"];
const PATIENCE: Duration = Duration::from_secs(30);

/// Answers as long as it isn't dropped.
#[derive(Debug)]
pub struct Partner {
    address: SocketAddr,
    came: watch::Sender<Vec<Came>>,
    refuses: Arc<AtomicBool>,
    _server: AbortOnDropHandle<()>,
}

/// A notice, as it came.
#[derive(Debug, Clone)]
pub struct Came {
    /// Its id, by which a partner knows a repeat (`webhook-id`).
    pub id: String,
    /// To which service.
    pub to: String,
    /// What it says.
    pub body: Value,
    /// By whom and when, as Standard Webhooks has it, is right.
    pub is_signed: bool,
}

impl Came {
    /// What it says under this label; empty if it says nothing there.
    #[must_use]
    pub fn says(&self, label: &str) -> &str {
        let fields = self.body["data"]["fields"].as_array();
        let found = fields.and_then(|all| all.iter().find(|field| field["label"] == label));
        found.and_then(|field| field["value"].as_str()).unwrap_or_default()
    }
}

impl Partner {
    /// Opens, and writes the book of partners and their secret into a folder.
    ///
    /// # Errors
    /// No port, or no disk.
    pub async fn open(folder: &Path) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let came = watch::Sender::new(Vec::new());
        let refuses = Arc::new(AtomicBool::new(false));
        let routes = Router::new().route("/{service}", post(take)).with_state((came.clone(), Arc::clone(&refuses)));
        let serving = async move {
            // It ends with the test.
            let _ = axum::serve(listener, routes).await;
        };
        let secret = folder.join("secret");
        std::fs::write(&secret, SECRET)?;
        let entry = |service: &str| {
            format!(
                "[[partner]]\nid = \"{FORCE}-{service}\"\nforce = \"{FORCE}\"\nname = \"The partner for {service}\"\n\
                 services = [\"{service}\"]\nphone = \"0121 496 0101\"\nroute = {{ webhook = \"http://{address}/{service}\", secret_file = \"{}\" }}\n",
                secret.display()
            )
        };
        std::fs::write(Self::book(folder), SERVICES.map(entry).concat())?;
        Ok(Self { address, came, refuses, _server: AbortOnDropHandle::new(tokio::spawn(serving)) })
    }

    /// Where the book is.
    #[must_use]
    pub fn book(folder: &Path) -> std::path::PathBuf {
        folder.join("partners.toml")
    }

    /// Where it answers.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Whether its system is in trouble: it takes what comes, and says that it couldn't (503), which is the worst of both.
    pub fn in_trouble(&self, is: bool) {
        self.refuses.store(is, Ordering::SeqCst);
    }

    /// What came so far.
    #[must_use]
    pub fn so_far(&self) -> Vec<Came> {
        self.came.borrow().clone()
    }

    /// What came, once it is so many.
    ///
    /// # Errors
    /// When it isn't.
    pub async fn came(&self, count: usize) -> Result<Vec<Came>, tokio::time::error::Elapsed> {
        let mut came = self.came.subscribe();
        let all = tokio::time::timeout(PATIENCE, came.wait_for(|came| came.len() >= count)).await?;
        // The sender is ours.
        Ok(all.map(|all| all.clone()).unwrap_or_default())
    }
}

async fn take(
    State((came, refuses)): State<(watch::Sender<Vec<Came>>, Arc<AtomicBool>)>,
    Part(to): Part<String>,
    headers: HeaderMap,
    body: String,
) -> StatusCode {
    let is_signed = is_signed(&headers, &body).unwrap_or(false);
    let body = serde_json::from_str(&body).unwrap_or_default();
    let id = headers.get("webhook-id").and_then(|id| id.to_str().ok()).unwrap_or_default().to_owned();
    came.send_modify(|came| came.push(Came { id, to, body, is_signed }));
    if refuses.load(Ordering::SeqCst) { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::NO_CONTENT }
}

/// As a partner checks it, from the standard's text.
fn is_signed(headers: &HeaderMap, body: &str) -> Option<bool> {
    let header = |name: &str| headers.get(name)?.to_str().ok();
    let key = STANDARD.decode(SECRET.strip_prefix("whsec_")?).ok()?;
    let signature = STANDARD.decode(header("webhook-signature")?.strip_prefix("v1,")?).ok()?;
    let text = format!("{}.{}.{body}", header("webhook-id")?, header("webhook-timestamp")?);
    Some(hmac::verify(&hmac::Key::new(hmac::HMAC_SHA256, &key), text.as_bytes(), &signature).is_ok())
}
