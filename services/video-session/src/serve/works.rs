//! What is done beside answering, and the order in which it comes to its end.

use std::time::Duration;

use api::evidence::v1::evidence_service_client::EvidenceServiceClient;
use chassis::{Health, ServiceConfig, Shutdown, ShutdownTrigger, Workers};
use chrono::TimeDelta;
use tokio::task::JoinHandle;

use super::{
    Failed,
    doors::Doors,
    opened::{Opened, ToRecord},
};
use crate::{
    closer::Closer,
    config::{Config, CoverRecording},
    events,
    lease::{Lease, Replaced},
    media::Media,
    recorder,
    spool::{Spool, Uploader},
};

const SERVICE: &str = "session";
/// After the media core has flushed: for the last segments to reach evidence-store. The rest is sent by the next start.
const LAST_UPLOADS: Duration = Duration::from_secs(3);

/// All that is under way. What isn't among the workers has its own moment at the end.
pub(super) struct Works {
    media_watched: JoinHandle<bool>,
    recorder: JoinHandle<()>,
    uploads: JoinHandle<()>,
    stop_uploads: ShutdownTrigger,
    workers: Workers,
    closer: Closer,
    leased: JoinHandle<(Lease, Result<(), Replaced>)>,
}

impl Works {
    pub async fn start(
        config: &Config,
        opened: &Opened,
        ToRecord { heard, recalled }: ToRecord,
        doors: &Doors,
        (stop, shutdown): (ShutdownTrigger, &Shutdown),
    ) -> Self {
        let Opened { app, media, rooms, spool, health, clock, pool, .. } = opened;
        let media_watched = tokio::spawn(watch(media.clone(), health.clone(), stop.clone(), shutdown.clone()));
        let recorder = tokio::spawn(recorder::run(
            (media.clone(), heard),
            recalled,
            app.clone(),
            spool.clone(),
            rooms.clone(),
            health.clone(),
            shutdown.clone(),
        ));
        // The uploader outlives the rest: what the media core flushes last is to be sent too.
        let (stop_uploads, uploads_stop) = Shutdown::manual();
        let ask_again = TimeDelta::seconds(config.spool.ask_again_s.into());
        let evidence = opened.evidence.clone();
        let uploader = Uploader::new(spool.clone(), evidence.clone(), clock.clone(), opened.entropy.clone(), ask_again);
        let uploads = tokio::spawn(uploader.run(uploads_stop));
        let closer = Closer {
            app: app.clone(),
            media: media.clone(),
            rooms: rooms.clone(),
            spool: spool.clone(),
            evidence: EvidenceServiceClient::new(evidence),
            changes: opened.changes.clone(),
            clock: clock.clone(),
            drain_limit: config.rules.drain_limit(),
        };
        let workers = workers(config, opened, doors, &closer, shutdown);
        let grpc_url = config.instance.url.clone().unwrap_or_else(|| doors.desk_url());
        let mut lease = Lease::new(opened.own.clone(), grpc_url, pool);
        // Whoever hears of us may ask for a session at once.
        if let Some(Err(error)) = shutdown.or(lease.register()).await {
            tracing::warn!(error = chassis::chain(&error), "no lease yet");
        }
        let leased = {
            let (rooms, media, shutdown) = (rooms.clone(), media.clone(), shutdown.clone());
            tokio::spawn(async move {
                let kept = lease.run(&rooms, &media, &shutdown).await;
                stop.request();
                (lease, kept)
            })
        };
        Self { media_watched, recorder, uploads, stop_uploads, workers, closer, leased }
    }

    /// Brings all of it to its end, once nobody is answered any more.
    pub async fn end(self, media: Media, spool: Spool) -> Result<(), Failed> {
        media.shutdown().await;
        if let Err(error) = self.recorder.await {
            tracing::error!(%error, "the recorder failed");
        }
        tracing::info!("what was recorded is kept");
        // All that happened here is told. From here on the calls are others'.
        let kept = match self.leased.await {
            Ok((lease, kept)) => {
                lease.release().await;
                kept
            }
            Err(error) => {
                tracing::error!(%error, "the lease's keeper failed");
                Ok(())
            }
        };
        self.closer.bow_out().await;
        self.workers.end().await;
        tracing::info!("the workers have ended");
        if tokio::time::timeout(LAST_UPLOADS, emptied(&spool)).await.is_err() {
            tracing::warn!("segments stay in the spool for the next start");
        }
        self.closer.bow_out().await;
        self.stop_uploads.request();
        let _ = self.uploads.await;
        if self.media_watched.await.is_ok_and(|has_died| has_died) {
            return Err(Failed::MediaDied);
        }
        kept.map_err(|Replaced| Failed::Replaced)
    }
}

/// What ends at the shutdown by itself.
fn workers(config: &Config, opened: &Opened, doors: &Doors, closer: &Closer, shutdown: &Shutdown) -> Workers {
    let Opened { app, post, changes, .. } = opened;
    let mut workers = Workers::default();
    post.publish(&mut workers, SERVICE, &opened.health, &config.base().telemetry);
    post.keep_checkpoints(&mut workers, "video-session-checkpoints");
    for (source, names) in events::HEARD {
        let covered = config.cover.record == CoverRecording::WithConsent;
        let heard = events::Heard { app: app.clone(), release: config.spool.release, covered };
        post.hear(&mut workers, ("video-session", source, names), heard);
    }
    {
        let (changes, pool, shutdown) = (changes.clone(), opened.pool.clone(), shutdown.clone());
        workers.spawn("changes", async move { changes.listen(pool, shutdown).await });
    }
    workers.spawn("words", opened.words().run(shutdown.clone()));
    workers.spawn("text messages", doors.texts.clone().run(changes.clone(), shutdown.clone()));
    workers.spawn("closer", closer.clone().run(shutdown.clone()));
    workers
}

/// Until evidence-store has all that is here.
async fn emptied(spool: &Spool) {
    let mut changes = spool.changes();
    let is_owed = |session| spool.owed(session) > 0 || !spool.documents_owed(session).is_empty();
    while spool.sessions().into_iter().any(is_owed) {
        // The spool is ours, so its sender can't be gone.
        let _ = changes.changed().await;
    }
}

/// A process whose media thread has died answers, and carries no call: it stops, so that others take its sessions. Gives back whether
/// that was so.
async fn watch(media: Media, health: Health, stop: ShutdownTrigger, shutdown: Shutdown) -> bool {
    // On a busy machine it may have been told to end, and have ended, before we look.
    let has_died = shutdown.or(media.ended()).await.is_some() && !shutdown.is_requested();
    if has_died {
        tracing::error!("the media core has died: this process ends");
        health.set("media", false);
        stop.request();
    }
    has_died
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use tokio::sync::mpsc::unbounded_channel;

    use super::*;
    use crate::media::MediaConfig;

    fn media() -> Media {
        let config = MediaConfig { listen: "127.0.0.1:0".parse().unwrap(), advertise: Vec::new(), tcp: false };
        Media::start(config, chassis::Clock::system(), chassis::Entropy::seeded(1), unbounded_channel().0).unwrap()
    }

    #[tokio::test]
    async fn a_process_whose_media_thread_dies_ends() {
        let (media, health, (stop, shutdown)) = (media(), Health::new(), Shutdown::manual());
        let watched = tokio::spawn(watch(media.clone(), health.clone(), stop, shutdown.clone()));
        media.die();
        assert!(watched.await.unwrap());
        assert!(shutdown.is_requested() && !health.is_ready());
    }

    #[tokio::test]
    async fn a_shutdown_is_no_death() {
        let (media, health, (stop, shutdown)) = (media(), Health::new(), Shutdown::manual());
        let watched = tokio::spawn(watch(media.clone(), health.clone(), stop.clone(), shutdown));
        stop.request();
        media.shutdown().await;
        assert!(!watched.await.unwrap() && health.is_ready());
    }

    #[tokio::test]
    async fn a_shutdown_that_is_over_before_anybody_looks_is_no_death() {
        let (media, health, (stop, shutdown)) = (media(), Health::new(), Shutdown::manual());
        let mut watched = std::pin::pin!(watch(media.clone(), health.clone(), stop.clone(), shutdown));
        assert!(futures::poll!(watched.as_mut()).is_pending());
        stop.request();
        media.clone().shutdown().await;
        media.ended().await;
        assert!(!watched.await && health.is_ready());
    }
}
