//! Text messages with a link, for callers who can't speak: who may be sent one, and the sending.
//!
//! Each instance sends what is due and what no other has begun (`app/texts.rs`), a few at a time. A try that dies with its process is
//! made again by the next, and so a message may come twice: twice the same link, which is good once. Turned down: to send within the
//! officer's request, which would then take as long as somebody else's service, and fail with it.

mod notify;
mod reach;
mod receipts;
mod webhook;

use std::{sync::Arc, time::Duration};

use api::session::v1::IssueInvitationRequest;
use chassis::{Clock, ConfigError, Shutdown};
use chrono::{DateTime, Utc};
use ids::{PhoneNumber, Secret};
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;
use tracing::Instrument;
use uuid::Uuid;

pub use notify::{ApiKey, Notify};
pub use reach::Reach;
pub use receipts::{Teller, router};
pub use webhook::Webhook;

use crate::{
    app::{App, DueText, Invited, Order},
    changes::Changes,
    config::{self, Carrier},
    domain::{Failure, LINK, Outcome, Role, Way},
    error::Error,
    web::Urls,
};

/// Looked at again after so long, if nothing is heard.
const TICK: Duration = Duration::from_millis(500);
/// So many at a time, of one instance.
const AT_ONCE: usize = 8;
/// For one message to be taken. Less than a try lasts (`domain/text.rs`).
const PATIENCE: Duration = Duration::from_secs(10);

/// Who delivers messages.
#[derive(Debug, Clone)]
pub enum Provider {
    /// GOV.UK Notify.
    Notify(Notify),
    /// A gateway of the force's own.
    Webhook(Webhook),
}

/// What is to be delivered, once.
struct Message {
    id: Uuid,
    to: PhoneNumber,
    words: Secret<String>,
}

/// Who may be sent a message, and what is sent.
#[derive(Debug, Clone)]
pub struct Texts {
    /// The use cases.
    pub app: App,
    /// Where to.
    pub reach: Reach,
    /// By whom; nobody where none is configured.
    pub provider: Option<Provider>,
    /// What is said around the link.
    pub words: String,
    /// Where the link leads.
    pub urls: Urls,
    /// Time.
    pub clock: Clock,
}

impl Provider {
    /// As configured, if one is.
    ///
    /// # Errors
    /// When it can't be used.
    pub fn new(texts: &config::Texts) -> Result<Option<Self>, ConfigError> {
        let Some(carrier) = texts.provider else { return Ok(None) };
        // No redirects: what answers is who was configured. No proxy from the environment either.
        let http = reqwest::Client::builder().timeout(PATIENCE).redirect(reqwest::redirect::Policy::none()).no_proxy();
        let http = http.build().map_err(|error| ConfigError::unusable("texts", error))?;
        let (url, key) = (texts.url()?, texts.key()?);
        Ok(Some(match carrier {
            Carrier::Notify => {
                let (key, template) = (texts.api_key()?, texts.template_id()?.to_owned());
                Self::Notify(Notify::new(http, url, key, template, texts.sender_id.clone()))
            }
            Carrier::Webhook => Self::Webhook(Webhook::new(http, url, key.expose(), &texts.sender)),
        }))
    }

    async fn send(&self, message: &Message, now: DateTime<Utc>) -> Outcome {
        match self {
            Self::Notify(notify) => notify.send(message, now).await,
            Self::Webhook(webhook) => webhook.send(message).await,
        }
    }
}

impl Texts {
    /// Asks the caller in by a text message.
    ///
    /// # Errors
    /// As [`App::issue_invitation`]; somebody else reads their messages, there is no number for it, nobody to send it, or intake is away.
    pub async fn invite(
        &self,
        order: &Order<IssueInvitationRequest>,
        role: Role,
        given: Option<&PhoneNumber>,
    ) -> Result<Invited, Error> {
        if let Some(before) = self.app.may_invite(order, role, Way::Sms).await? {
            return Ok(before);
        }
        if self.provider.is_none() {
            return Err(Error::SmsNotConfigured);
        }
        self.reach.number(&order.force, order.call, given).await?;
        self.app.issue_invitation(order, role, Way::Sms, given).await
    }

    /// Sends until the shutdown; what is on its way then is waited for.
    pub async fn run(self, changes: Changes, shutdown: Shutdown) {
        let Some(provider) = self.provider.clone() else { return };
        let (tasks, places) = (TaskTracker::new(), Arc::new(Semaphore::new(AT_ONCE)));
        let mut heard = changes.subscribe();
        let work = async {
            let mut tick = tokio::time::interval(TICK);
            loop {
                tokio::select! {
                    _ = tick.tick() => {}
                    _ = heard.next() => {}
                }
                if let Err(error) = self.send_all_due(&provider, &tasks, &places).await {
                    tracing::debug!(error = chassis::chain(&error), "text messages not looked at");
                }
            }
        };
        shutdown.or(work).await;
        tasks.close();
        tasks.wait().await;
    }

    async fn send_all_due(
        &self,
        provider: &Provider,
        tasks: &TaskTracker,
        places: &Arc<Semaphore>,
    ) -> Result<(), Error> {
        loop {
            // Nobody closes it.
            let Ok(place) = places.clone().acquire_owned().await else { return Ok(()) };
            let Some(due) = self.app.begin_text().await? else { return Ok(()) };
            let (texts, provider) = (self.clone(), provider.clone());
            tasks.spawn(async move {
                let call_id = due.call;
                let span = due.trace.follow(tracing::info_span!("text_message", %call_id, tries = due.tries));
                texts.send(&provider, due).instrument(span).await;
                drop(place);
            });
        }
    }

    async fn send(&self, provider: &Provider, due: DueText) {
        let outcome = match self.reach.number(&due.force, due.call, due.to.as_ref()).await {
            Ok(to) => {
                let words = Secret::new(self.words.replace(LINK, &self.urls.link(&due.link)));
                provider.send(&Message { id: due.id, to, words }, self.clock.now()).await
            }
            Err(Error::MessagesRead) => Outcome::Never(Failure::MessagesRead),
            Err(error) if error.is_transient() => Outcome::Away,
            Err(_) => Outcome::Never(Failure::NumberUnknown),
        };
        // What isn't written down is tried again once the try is over.
        if let Err(error) = self.app.text_tried(due.id, outcome).await {
            tracing::warn!(error = chassis::chain(&error), "what came of a text message is not written down");
        }
    }
}
