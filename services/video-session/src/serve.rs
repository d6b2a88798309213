//! Puts the parts together: connect, bind, announce, serve until shutdown, drain.

use std::{
    io,
    sync::{Arc, Mutex},
    time::Duration,
};

use api::{
    evidence::v1::evidence_service_client::EvidenceServiceClient,
    intake::v1::intake_service_client::IntakeServiceClient, session::v1::session_service_server::SessionServiceServer,
};
use chassis::{Ambient, Health, ServiceConfig, Shutdown, ShutdownTrigger, Tls, Workers, grpc, http as web_server};
use chrono::TimeDelta;
use http::HeaderValue;
use tokio::sync::mpsc::unbounded_channel;

use crate::{
    access,
    app::{App, Own},
    changes::Changes,
    closer::Closer,
    config::{Config, CoverRecording},
    domain::Instance,
    duress::Words,
    events,
    grpc::Desk,
    keys::Keys,
    lease::{Lease, Replaced},
    media::Media,
    metrics, recorder,
    recording::Recordings,
    rooms::Rooms,
    spool::{Spool, Uploader},
    stills::Stills,
    talk::Talk,
    texts::{self, Provider, Reach, Teller, Texts},
    web::{self, Assets, Limiter, Listeners, Paces, Pages, Strangers, Urls, Web},
    wishes::Wishes,
};

const SERVICE: &str = "session";
/// After the media core has flushed: for the last segments to reach evidence-store. The rest is sent by the next start.
const LAST_UPLOADS: Duration = Duration::from_secs(3);

/// Why the process could not start, or had to stop.
#[derive(Debug, thiserror::Error)]
pub enum Failed {
    /// The chassis' part.
    #[error(transparent)]
    Chassis(#[from] chassis::Error),
    /// A setting is not usable.
    #[error(transparent)]
    Config(#[from] chassis::ConfigError),
    /// The outbox's part.
    #[error("the outbox could not be set up")]
    Outbox(#[from] outbox::Error),
    /// Our own migrations.
    #[error("the migrations failed")]
    Migrate(#[from] sqlx::migrate::MigrateError),
    /// The media socket.
    #[error("the media core could not be started")]
    Media(#[source] io::Error),
    /// The spool's disk.
    #[error("the spool could not be opened")]
    Spool(#[source] io::Error),
    /// The media thread.
    #[error("the media core has died, and with it every call: to be started anew")]
    MediaDied,
    /// Two processes of one name are one too many.
    #[error("another instance of this name has come, and this one is over: `instance.name` must differ")]
    Replaced,
}

/// Brings the database up to date.
///
/// # Errors
/// When the database is away, or a migration fails.
pub async fn migrate(config: Config) -> Result<(), Failed> {
    let pool = outbox::pg_pool(&config.database, config.profile).await?;
    outbox::migrate(&pool).await?;
    sqlx::migrate!().run(&mut outbox::for_migrations(&pool).await?).await?;
    Ok(())
}

/// Runs the service until shutdown.
///
/// # Errors
/// When something that it can't do without can't be set up, or a listener fails.
pub async fn run(config: Config, ambient: Ambient, mut shutdown: Shutdown) -> Result<(), Failed> {
    let base = config.base();
    let Ambient { clock, entropy } = ambient;
    // To be asked for from inside, too: when another process takes our place.
    let (stop, asked) = Shutdown::manual();
    let signal = std::mem::replace(&mut shutdown, asked);
    let stopper = stop.clone();
    tokio::spawn(async move {
        signal.requested().await;
        stopper.request();
    });
    let tls = Tls::read(config.tls.as_ref(), clock.clone())?;
    let evidence = grpc::connect_lazy(&config.evidence.url, tls.as_ref())?;
    let intake = grpc::connect_lazy(&config.intake.url, tls.as_ref())?;
    let pool = outbox::pg_pool(&config.database, config.profile).await?;
    let (nats, jetstream) = outbox::nats("video-session", &config.nats, tls.as_ref()).await?;
    let (dirs, receipt_key) = (&config.spool, config.evidence.receipt_key()?);
    let spool = Spool::open(&dirs.dir, &dirs.receipts_dir, receipt_key).map_err(Failed::Spool)?;
    let health = Health::new();
    health.set("spool", true);

    let (media_events, heard) = unbounded_channel();
    let media = Media::start(config.media(), clock.clone(), entropy.clone(), media_events).map_err(Failed::Media)?;
    let recalled = recorder::recall(&spool, &media).await;
    let keys = Keys::new(&config.secrets.key);
    let instance = Instance { id: entropy.id(clock.now()), name: config.instance.name.clone() };
    let own = Own { instance, lease: config.instance.lease() };
    let rules = (config.rules.patience(), config.door());
    let app = App::new(pool.clone(), clock.clone(), entropy.clone(), keys, rules, own.clone());
    let (rooms, changes, wishes) = (Rooms::default(), Changes::default(), Wishes::default());
    let talk = Talk::new(spool.clone());
    metrics::measure(rooms.clone(), spool.clone());

    let http = web_server::bind("http", config.http.listen).await?;
    let http_addr =
        http.local_addr().map_err(|source| chassis::Error::Bind { what: "http", addr: config.http.listen, source })?;
    let urls = Urls::new(&config.http.public_url.clone().unwrap_or_else(|| format!("http://{http_addr}")));
    let recordings = Recordings { app: app.clone(), media: media.clone(), spool: spool.clone() };
    let stills = Stills { app: app.clone(), media: media.clone(), spool: spool.clone() };
    let words = Words {
        app: app.clone(),
        intake: IntakeServiceClient::new(intake.clone()),
        talk: talk.clone(),
        media: media.clone(),
    };
    let texts = Texts {
        app: app.clone(),
        reach: Reach::new(intake),
        provider: Provider::new(&config.texts)?,
        words: config.texts.words.clone(),
        urls: urls.clone(),
        clock: clock.clone(),
    };
    let receipts = match config.texts.provider {
        Some(carrier) => {
            let listener = web_server::bind("receipts", config.receipts.listen).await?;
            let teller = Teller::new(carrier, config.texts.receipt_key()?.expose());
            Some((listener, texts::router(app.clone(), teller)))
        }
        None => None,
    };
    let desk = Desk {
        app: app.clone(),
        recordings,
        stills,
        wishes: wishes.clone(),
        changes: changes.clone(),
        talk: talk.clone(),
        texts: texts.clone(),
        spool: spool.clone(),
        urls: urls.clone(),
        turn: config.turn.clone(),
        tls,
        shutdown: shutdown.clone(),
    };
    let grpc = grpc::Server::new(&base, shutdown.clone()).guarded(access::RULES, clock.clone()).lent(app.clone());
    let grpc = grpc.add(SessionServiceServer::new(desk)).bind(&health).await?;
    let grpc_url = config.instance.url.clone().unwrap_or_else(|| grpc.url());
    let mut lease = Lease::new(own, grpc_url, &pool);
    let router = web::router(Arc::new(Web {
        app: app.clone(),
        media: media.clone(),
        rooms: rooms.clone(),
        spool: spool.clone(),
        changes: changes.clone(),
        wishes,
        talk,
        shutdown: shutdown.clone(),
        limiter: Mutex::new(Limiter::new(config.tries)),
        pace: Paces::default(),
        listeners: Listeners::default(),
        pages: Pages::default(),
        strangers: Strangers::default(),
        urls,
        turn: config.turn.clone(),
        assets: Assets::new(&config.page),
        console_origins: origins(&config)?,
        behind_proxy: config.http.behind_proxy,
    }));
    let health_server = health.serve(&base, shutdown.clone()).await?;

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
    let uploader = Uploader::new(spool.clone(), evidence.clone(), clock.clone(), entropy.clone(), ask_again);
    let uploads = tokio::spawn(uploader.run(uploads_stop));
    let mut workers = Workers::default();
    workers.spawn("health", outbox::watch_health(pool.clone(), nats, health.clone(), shutdown.clone()));
    {
        let (changes, pool, shutdown) = (changes.clone(), pool.clone(), shutdown.clone());
        workers.spawn("changes", async move { changes.listen(pool, shutdown).await });
    }
    let relay = outbox::Relay::new(pool.clone(), jetstream.clone(), SERVICE).replicas(config.nats.stream_replicas);
    workers.spawn("relay", relay.run(shutdown.clone()));
    workers.spawn(
        "figures of the outbox",
        outbox::measure(pool.clone(), clock.clone(), base.telemetry.clone(), shutdown.clone()),
    );
    let keeper =
        outbox::CheckpointKeeper::new(pool.clone(), jetstream.clone(), "video-session-checkpoints", clock.clone());
    workers.spawn("checkpoints", keeper.replicas(config.nats.stream_replicas).run(shutdown.clone()));
    for (source, names) in events::HEARD {
        let consumer =
            outbox::Consumer::new(pool.clone(), jetstream.clone(), "video-session", source, names, clock.clone());
        let covered = config.cover.record == CoverRecording::WithConsent;
        let heard = events::Heard { app: app.clone(), release: config.spool.release, covered };
        workers.spawn(source, consumer.run(shutdown.clone(), heard));
    }
    workers.spawn("words", words.run(shutdown.clone()));
    workers.spawn("text messages", texts.run(changes.clone(), shutdown.clone()));
    let closer = Closer {
        app: app.clone(),
        media: media.clone(),
        rooms: rooms.clone(),
        spool: spool.clone(),
        evidence: EvidenceServiceClient::new(evidence),
        changes,
        clock,
        drain_limit: config.rules.drain_limit(),
    };
    workers.spawn("closer", closer.clone().run(shutdown.clone()));
    // Whoever hears of us may ask for a session at once.
    if let Some(Err(error)) = shutdown.or(lease.register()).await {
        tracing::warn!(error = chassis::chain(&error), "no lease yet");
    }
    let leased = {
        let (media, shutdown) = (media.clone(), shutdown.clone());
        tokio::spawn(async move {
            let kept = lease.run(&rooms, &media, &shutdown).await;
            stop.request();
            (lease, kept)
        })
    };

    let mut addresses = vec![
        ("grpc", grpc.local_addr()),
        ("health", health_server.local_addr()),
        ("http", http_addr),
        ("udp", media.local_addr()),
    ];
    let receipts_addr = receipts.as_ref().and_then(|(listener, _)| listener.local_addr().ok());
    addresses.extend(receipts_addr.map(|addr| ("receipts", addr)));
    chassis::announce(&base, &addresses)?;
    let hear_receipts = async {
        if let Some((listener, router)) = receipts {
            web_server::serve(listener, router, web_server::Limits::default(), shutdown.clone()).await;
        }
    };
    let limits = web_server::Limits { answer: web::LONGEST, ..web_server::Limits::default() };
    let (served, (), ()) =
        tokio::join!(grpc.serve(), web_server::serve(http, router, limits, shutdown.clone()), hear_receipts);

    // Each says that it is over: whoever finds a process that won't end sees what it waits for.
    tracing::info!("nobody is answered any more");
    media.shutdown().await;
    if let Err(error) = recorder.await {
        tracing::error!(%error, "the recorder failed");
    }
    tracing::info!("what was recorded is kept");
    // All that happened here is told. From here on the calls are others'.
    let kept = match leased.await {
        Ok((lease, kept)) => {
            lease.release().await;
            kept
        }
        Err(error) => {
            tracing::error!(%error, "the lease's keeper failed");
            Ok(())
        }
    };
    closer.bow_out().await;
    workers.end().await;
    tracing::info!("the workers have ended");
    let emptied = async {
        let mut changes = spool.changes();
        let is_owed = |session| spool.owed(session) > 0 || !spool.documents_owed(session).is_empty();
        while spool.sessions().into_iter().any(is_owed) {
            // The spool is ours, so its sender can't be gone.
            let _ = changes.changed().await;
        }
    };
    if tokio::time::timeout(LAST_UPLOADS, emptied).await.is_err() {
        tracing::warn!("segments stay in the spool for the next start");
    }
    closer.bow_out().await;
    stop_uploads.request();
    let _ = uploads.await;
    served?;
    if media_watched.await.is_ok_and(|has_died| has_died) {
        return Err(Failed::MediaDied);
    }
    kept.map_err(|Replaced| Failed::Replaced)
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

fn origins(config: &Config) -> Result<Vec<HeaderValue>, chassis::ConfigError> {
    let parse = |origin: &String| {
        HeaderValue::from_str(origin).map_err(|error| chassis::ConfigError::unusable("http.console_origins", error))
    };
    config.http.console_origins.iter().map(parse).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
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
