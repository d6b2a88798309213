//! Carries parcels to partners: claims one, delivers it, and writes down what became of it. Several at once, to different partners, and
//! in several replicas: no two have the same parcel in hand.
//!
//! A process that dies leaves a claim behind that runs out; whether the partner has it by then isn't known, so it is sent again, under
//! the same id.

pub(crate) mod hook;
mod letter;
mod mail;
pub(crate) mod smime;

use std::{convert::Infallible, error::Error as StdError, io, sync::Arc, time::Duration};

use chassis::{ConfigError, Entropy, Shutdown, config::Profile};
use chrono::TimeDelta;
use outbox::Line;
use sqlx::PgPool;
use tokio::sync::{Notify, Semaphore};
use tokio_util::task::TaskTracker;

use self::{hook::Hooks, letter::Letter, mail::Mail};
use crate::{
    app::App,
    books::partners::Route,
    config,
    domain::delivery::{Answer, Backoff, Problem},
    error::Error,
    links::Links,
    store::parcels::{Claimed, NEWS},
};

/// How long a row that is due may be locked by what writes it.
const A_MOMENT: TimeDelta = TimeDelta::milliseconds(100);
/// The pauses between attempts at our own database.
const PAUSE: Duration = Duration::from_millis(500);

/// The workers of this process.
#[derive(Debug)]
pub struct Courier {
    app: App,
    hooks: Hooks,
    /// None: no mail server is set up, which only dev can do without.
    mail: Option<Mail>,
    /// None: letters have no link.
    links: Option<Links>,
    backoff: Backoff,
    answer_within: TimeDelta,
    places: Arc<Semaphore>,
}

impl Courier {
    /// As the configuration says.
    ///
    /// # Errors
    /// Names the key that can't be gone by.
    pub fn new(
        app: App,
        config: &config::Config,
        links: Option<Links>,
        entropy: &Entropy,
    ) -> Result<Self, ConfigError> {
        let delivery = &config.delivery;
        if config.mail.is_none() && config.profile != Profile::Dev && app.has_partners_by_email() {
            return Err(ConfigError::unusable("mail", "there are partners to whom referrals go by e-mail"));
        }
        let mail = config.mail.as_ref().map(|mail| Mail::new(mail, delivery, entropy.clone())).transpose()?;
        Ok(Self {
            app,
            hooks: Hooks::new(delivery.answer_within(), delivery.roots.as_deref())?,
            mail,
            links,
            backoff: delivery.backoff(),
            answer_within: TimeDelta::from_std(delivery.answer_within()).unwrap_or(TimeDelta::MAX),
            places: Arc::new(Semaphore::new(delivery.at_once.into())),
        })
    }

    /// Delivers until the shutdown.
    pub async fn run(self, pool: PgPool, shutdown: Shutdown) {
        let (courier, news, under_way) = (Arc::new(self), Notify::new(), TaskTracker::new());
        tokio::join!(listen(&pool, NEWS, &news, &shutdown), courier.carry(&news, &under_way, &shutdown));
        under_way.close();
        under_way.wait().await;
    }

    async fn carry(self: &Arc<Self>, news: &Notify, under_way: &TaskTracker, shutdown: &Shutdown) {
        // Never closed.
        while let Some(Ok(place)) = shutdown.or(self.places.clone().acquire_owned()).await {
            if shutdown.is_requested() {
                break;
            }
            match self.app.claim_parcel(self.lease()).await {
                Ok(Some(claimed)) => {
                    let (courier, shutdown) = (Arc::clone(self), shutdown.clone());
                    under_way.spawn(async move {
                        courier.carried(&claimed, &shutdown).await;
                        drop(place);
                    });
                }
                Ok(None) => {
                    drop(place);
                    // When the database is away the next round says so.
                    let Ok(due) = self.app.parcel_due().await else { continue };
                    // What is due now is in another's hands for a moment.
                    let due = due.map(|due| due.max(self.app.now() + A_MOMENT));
                    tokio::select! {
                        () = shutdown.requested() => {}
                        () = news.notified() => {}
                        () = self.app.until(due) => {}
                    }
                }
                Err(error) => {
                    tracing::warn!(error = chassis::chain(&error), "parcels can't be read");
                    // The machine's own time: a test's clock would not move.
                    shutdown.or(tokio::time::sleep(PAUSE)).await;
                }
            }
        }
    }

    async fn carried(&self, claimed: &Claimed, shutdown: &Shutdown) {
        let (id, partner, attempts) = (claimed.id, &claimed.parcel.partner, claimed.progress.attempts);
        // It may have got there: whoever sends next sends it again, under the same id.
        let Some(answer) = shutdown.or(self.deliver(claimed)).await else { return };
        match answer {
            Answer::Taken => tracing::info!(parcel = %id, partner, attempts, "delivered"),
            Answer::Later(why, _) => {
                tracing::warn!(parcel = %id, partner, attempts, why = why.code(), "not delivered yet")
            }
            Answer::Never(why) => {
                tracing::error!(parcel = %id, partner, attempts, why = why.code(), "can't be delivered")
            }
        }
        // For as long as the claim holds: what isn't written down by then is sent again.
        let settling = async {
            while let Err(error) = self.settle(claimed, answer).await {
                tracing::warn!(parcel = %id, error = chassis::chain(&error), "what became of a parcel can't be kept");
                tokio::time::sleep(PAUSE).await;
            }
        };
        let held = tokio::time::timeout(self.answer_within.to_std().unwrap_or_default(), settling);
        shutdown.or(held).await;
    }

    async fn settle(&self, claimed: &Claimed, answer: Answer) -> Result<(), Error> {
        self.app.settle(claimed, answer, &self.backoff).await
    }

    async fn deliver(&self, claimed: &Claimed) -> Answer {
        let link = self.links.as_ref().map(|links| links.to(&claimed.parcel, claimed.progress.made_at));
        let letter = Letter::of(claimed, link);
        let Some(partner) = self.app.partner(&claimed.parcel.force, &claimed.parcel.partner) else {
            return Answer::Never(Problem::NoRoute);
        };
        match &partner.route {
            Route::None => Answer::Never(Problem::NoRoute),
            Route::Webhook { url, key } => self.hooks.post(&letter, (url, key), self.app.now()).await,
            Route::Email { address, recipient } => match &self.mail {
                Some(mail) => mail.send(&letter, (address, recipient.as_ref())).await,
                None => Answer::Later(Problem::NoMailServer, None),
            },
        }
    }

    /// While a claim holds, a parcel is delivered or given up, and that is written down.
    fn lease(&self) -> TimeDelta {
        self.answer_within * 2
    }
}

/// Was it TLS that failed? It may lie deep, and what an io::Error wraps isn't among its sources.
fn blames_certificate(error: &(dyn StdError + 'static)) -> bool {
    let wrapped = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
    let cause = wrapped.map(|wrapped| wrapped as &(dyn StdError + 'static)).or_else(|| error.source());
    error.is::<rustls::Error>() || cause.is_some_and(blames_certificate)
}

/// Hears on a channel that there is something to do; when the connection was away, that perhaps there is.
pub(crate) async fn listen(pool: &PgPool, channel: &str, news: &Notify, shutdown: &Shutdown) {
    let listening = async {
        loop {
            let Err(error) = listen_once(pool, channel, news).await;
            tracing::debug!(%error, "not listening");
            news.notify_one();
            tokio::time::sleep(PAUSE).await;
        }
    };
    shutdown.or(listening).await;
}

async fn listen_once(pool: &PgPool, channel: &str, news: &Notify) -> Result<Infallible, sqlx::Error> {
    let mut line = Line::open(pool, channel).await?;
    loop {
        news.notify_one();
        line.hear().await?;
    }
}
