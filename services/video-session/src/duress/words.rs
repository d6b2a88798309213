//! The word that means "come now": asked of intake once a call is accepted, for as long as it takes, and kept as a hash only. What the
//! caller has written meanwhile is looked through then.

use std::time::Duration;

use api::intake::v1::{GetComeNowWordRequest, intake_service_client::IntakeServiceClient};
use chassis::{Shutdown, grpc::Channel};
use ids::{ComeNowWord, SessionId};
use tokio::time::{MissedTickBehavior, interval, timeout};
use tonic::Code;

use crate::{
    app::App,
    domain::How,
    error::Error,
    media::{Media, Plea},
    store::UnknownWord,
    talk::{self, Talk},
};

/// How often it is looked whether there is one to ask for.
const TICK: Duration = Duration::from_secs(1);
/// How long intake may take.
const PATIENCE: Duration = Duration::from_secs(3);

/// What asks for them.
#[derive(Debug, Clone)]
pub struct Words {
    /// The use cases.
    pub app: App,
    /// Who knows them.
    pub intake: IntakeServiceClient<Channel>,
    /// What was written meanwhile.
    pub talk: Talk,
    /// Who is told that somebody asked.
    pub media: Media,
}

impl Words {
    /// Until shutdown.
    pub async fn run(self, shutdown: Shutdown) {
        let work = async {
            let mut tick = interval(TICK);
            tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                tick.tick().await;
                if let Err(error) = self.ask_for_all().await {
                    tracing::debug!(error = chassis::chain(&error), "a word is not known yet");
                }
            }
        };
        shutdown.or(work).await;
    }

    async fn ask_for_all(&self) -> Result<(), Error> {
        for unknown in self.app.unknown_words().await? {
            let word = self.ask(&unknown).await?;
            if self.app.learn_word(unknown.session, word.as_ref()).await? && word.is_some() {
                self.look_back(unknown.session).await?;
            }
        }
        Ok(())
    }

    async fn ask(&self, UnknownWord { call, force, .. }: &UnknownWord) -> Result<Option<ComeNowWord>, Error> {
        let request = GetComeNowWordRequest { force_id: force.to_string(), call_id: call.to_string() };
        let mut intake = self.intake.clone();
        match timeout(PATIENCE, intake.get_come_now_word(request)).await {
            Ok(Ok(answer)) => {
                let word = answer.into_inner().word;
                Ok(Some(word).filter(|word| !word.is_empty()).map(|word| word.parse()).transpose()?)
            }
            // Nobody there has agreed on anything.
            Ok(Err(status)) if status.code() == Code::NotFound => Ok(None),
            Ok(Err(_)) | Err(_) => Err(Error::IntakeAway),
        }
    }

    /// Whoever wrote it before anybody knew what it means has asked, too. What is written from here on is compared as it comes.
    async fn look_back(&self, session: SessionId) -> Result<(), Error> {
        let word_hash = self.app.look(session).await?.word_hash;
        let lines = self.talk.read(session).await.map_err(Error::Spool)?.take();
        for (n, line) in lines.iter().filter(|(_, line)| talk::asks(&self.app, session, word_hash, line)) {
            self.media.plead(Plea { session, caller: line.participant, how: How::Word, n: *n, at: line.at }).await?;
        }
        Ok(())
    }
}
