//! Sends what has happened to the calls of one force to its control room: each call's updates in order, each at least once
//! under an id that stays, and never two processes at one call.
//!
//! A control room that is away holds up nothing: its calls wait in the database, each with a longer pause after each failure,
//! and no transaction is open while it is waited for. A process that dies leaves a claim behind that runs out. One that is
//! there and refuses an update for good, again and again, doesn't get that one: what comes after it may be a cry for help.

use std::{fmt, time::Duration};

use chassis::Shutdown;
use chrono::TimeDelta;
use http::header;
use ids::ForceId;
use reqwest::{Response, Url};

use super::{
    client::Client,
    read::read,
    schema::{Kind, LARGEST},
    updates::message,
    write::write,
};
use crate::{
    app::Intake,
    domain::{Told, Update},
    error::Error,
    store::mait::Claimed,
};

/// A pause doubles so many times.
const DOUBLINGS: u32 = 5;
/// So often an update is refused for good before it is left out.
const REFUSALS: u32 = 5;
/// How long a row that is due may be locked by what writes it.
const A_MOMENT: TimeDelta = TimeDelta::milliseconds(100);
/// The longest wait between two attempts at our own database.
const BACKOFF_LIMIT: Duration = Duration::from_secs(5);

/// The sender to one force.
#[derive(Debug)]
pub(super) struct Sender {
    /// The use cases.
    pub(super) intake: Intake,
    /// Speaks for us.
    pub(super) client: Client,
    /// Whose calls.
    pub(super) force: ForceId,
    /// Where to.
    pub(super) url: Url,
    /// Our own name.
    pub(super) name: String,
    /// The pause after the first failure.
    pub(super) retry_after: Duration,
    /// How long a control room may take to answer.
    pub(super) answer_within: Duration,
}

/// Why a message hasn't got there: never what was in it, or in the answer.
#[derive(Debug)]
enum Undelivered {
    /// It isn't a message.
    Unwritable(super::flaw::Flaw),
    /// No answer.
    Away(reqwest::Error),
    /// An answer that says no.
    Refused(u16),
    /// An answer whose message says no.
    Rejected,
}

impl Sender {
    /// Sends until the shutdown.
    pub(super) async fn run(self, shutdown: Shutdown) {
        let mut pause = Duration::from_millis(100);
        // The ear first, then the look: nothing can fall between.
        let mut news = self.intake.mait_news();
        while !shutdown.is_requested() {
            match self.round(&shutdown).await {
                Ok(true) => pause = Duration::from_millis(100),
                Ok(false) => {
                    pause = Duration::from_millis(100);
                    // When the database is away the next round says so.
                    let Ok(due) = self.intake.mait_due(&self.force).await else { continue };
                    // What is due now is in another's hands for a moment.
                    let due = due.map(|due| due.max(self.intake.now() + A_MOMENT));
                    tokio::select! {
                        () = shutdown.requested() => {}
                        () = news.news() => {}
                        () = self.intake.until(due) => {}
                    }
                }
                Err(error) => {
                    tracing::warn!(force = %self.force, error = chassis::chain(&error), "MAIT messages can't be read");
                    // The machine's own time: a test's clock would not move.
                    shutdown.or(tokio::time::sleep(pause)).await;
                    pause = (pause * 2).min(BACKOFF_LIMIT);
                }
            }
        }
    }

    /// Sends what one call has; false if none has anything now.
    async fn round(&self, shutdown: &Shutdown) -> Result<bool, Error> {
        let Some((claimed, told)) = self.intake.claim_mait(&self.force, self.lease()).await? else { return Ok(false) };
        let (mut failures, mut refusals) = (claimed.failures, claimed.refusals);
        let last = told.last().map(|told| told.sequence);
        for told in told {
            // Only what holds up a later one is ever left out, and nobody's cry for help.
            let may_wait =
                matches!(told.update, Update::Duress(_) | Update::FastTrack(_)) || last == Some(told.sequence);
            match shutdown.or(self.deliver(&claimed, &told)).await {
                Some(Ok(())) => {
                    if !self.intake.mait_passed(&claimed, told.sequence, false, self.lease()).await? {
                        return Ok(true);
                    }
                    (failures, refusals) = (0, 0);
                }
                Some(Err(undelivered)) if !may_wait && undelivered.is_for_good() && refusals + 1 >= REFUSALS => {
                    let (call, sequence) = (claimed.call, told.sequence);
                    tracing::error!(force = %self.force, %call, sequence, why = %undelivered, "a MAIT message is left out");
                    if !self.intake.mait_passed(&claimed, sequence, true, self.lease()).await? {
                        return Ok(true);
                    }
                    (failures, refusals) = (0, 0);
                }
                Some(Err(undelivered)) => {
                    refusals = (refusals + u32::from(undelivered.is_for_good())).min(REFUSALS);
                    let pause = self.retry_after * 2_u32.pow(failures.min(DOUBLINGS));
                    let (call, failures) = (claimed.call, failures.saturating_add(1));
                    tracing::warn!(force = %self.force, %call, failures, why = %undelivered, ?pause, "a MAIT message waits");
                    let pause = TimeDelta::from_std(pause).unwrap_or(TimeDelta::MAX);
                    self.intake.release_mait(&claimed, (failures, refusals), pause).await?;
                    return Ok(true);
                }
                // It may have got there: whoever sends next sends it again, under the same id.
                None => break,
            }
        }
        self.intake.release_mait(&claimed, (failures, refusals), TimeDelta::zero()).await?;
        Ok(true)
    }

    async fn deliver(&self, claimed: &Claimed, told: &Told) -> Result<(), Undelivered> {
        let parties = (self.name.as_str(), self.force.as_str());
        let message = message(claimed.call, &claimed.incident, told, self.intake.now(), parties);
        let body = write(&message).map_err(Undelivered::Unwritable)?;
        let request =
            self.client.now().post(self.url.clone()).header(header::CONTENT_TYPE, "application/xml").body(body);
        let mut answer = request.send().await.map_err(Undelivered::away)?;
        if !answer.status().is_success() {
            return Err(Undelivered::Refused(answer.status().as_u16()));
        }
        // Some say no with a 200. Whatever else it is that they answer, they have it.
        match read(&start_of(&mut answer).await.map_err(Undelivered::away)?) {
            Ok(answer) if answer.kind == Kind::Rejection => Err(Undelivered::Rejected),
            Ok(_) | Err(_) => Ok(()),
        }
    }

    /// While a claim holds, a message is sent and answered or given up: twice over.
    fn lease(&self) -> TimeDelta {
        TimeDelta::from_std(self.answer_within * 2).unwrap_or(TimeDelta::MAX)
    }
}

/// As much of the answer as a message may have.
async fn start_of(answer: &mut Response) -> Result<Vec<u8>, reqwest::Error> {
    let mut body = vec![];
    while let Some(chunk) = answer.chunk().await? {
        body.extend_from_slice(&chunk);
        if body.len() > LARGEST {
            break;
        }
    }
    Ok(body)
}

impl Undelivered {
    fn away(error: reqwest::Error) -> Self {
        Self::Away(error.without_url())
    }

    /// It is about this message, and would be so the next time. What else is refused is about none, but about who we are, where
    /// the address leads, or when to come again: it would be said of the next message, too.
    fn is_for_good(&self) -> bool {
        match self {
            Self::Unwritable(_) | Self::Rejected | Self::Refused(400 | 413 | 422) => true,
            Self::Away(_) | Self::Refused(_) => false,
        }
    }
}

impl fmt::Display for Undelivered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unwritable(flaw) => write!(f, "it can't be written: {flaw}"),
            Self::Away(error) => f.write_str(&chassis::chain(error)),
            Self::Refused(status) => write!(f, "answered with {status}"),
            Self::Rejected => f.write_str("answered with a rejection"),
        }
    }
}
