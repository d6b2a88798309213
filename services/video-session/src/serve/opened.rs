//! What the process works with, whatever it is asked: the ways to the others, the disk, the media core, and what is known of the calls.

use api::intake::v1::intake_service_client::IntakeServiceClient;
use chassis::{Ambient, Clock, Entropy, Health, Shutdown, Tls, grpc};
use outbox::Post;
use sqlx::PgPool;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::Failed;
use crate::{
    app::{App, Own},
    changes::Changes,
    config::Config,
    domain::Instance,
    duress::Words,
    keys::Keys,
    media::{Media, MediaEvent},
    metrics,
    recorder::{self, Recalled},
    rooms::Rooms,
    spool::Spool,
    talk::Talk,
    wishes::Wishes,
};

pub(super) struct Opened {
    pub clock: Clock,
    pub entropy: Entropy,
    pub tls: Option<Tls>,
    pub evidence: grpc::Channel,
    pub intake: grpc::Channel,
    pub pool: PgPool,
    pub post: Post,
    pub spool: Spool,
    pub health: Health,
    pub media: Media,
    pub own: Own,
    pub app: App,
    pub rooms: Rooms,
    pub changes: Changes,
    pub wishes: Wishes,
    pub talk: Talk,
}

/// What the recorder begins with.
pub(super) struct ToRecord {
    /// What the media core says.
    pub heard: UnboundedReceiver<MediaEvent>,
    /// What an earlier process was told about recording, and was asked by callers.
    pub recalled: Recalled,
}

impl Opened {
    pub async fn open(config: &Config, ambient: Ambient, shutdown: &Shutdown) -> Result<(Self, ToRecord), Failed> {
        let Ambient { clock, entropy } = ambient;
        let tls = Tls::read(config.tls.as_ref(), clock.clone())?;
        let evidence = grpc::connect_lazy(&config.evidence.url, tls.as_ref())?;
        let intake = grpc::connect_lazy(&config.intake.url, tls.as_ref())?;
        let pool = outbox::pg_pool(&config.database, config.profile).await?;
        let post = Post::open("video-session", &pool, &config.nats, tls.as_ref(), &clock, shutdown).await?;
        let (dirs, receipt_key) = (&config.spool, config.evidence.receipt_key()?);
        let spool = Spool::open(&dirs.dir, &dirs.receipts_dir, receipt_key).map_err(Failed::Spool)?;
        let health = Health::new();
        health.set("spool", true);

        let (media_events, heard) = unbounded_channel();
        let media =
            Media::start(config.media(), clock.clone(), entropy.clone(), media_events).map_err(Failed::Media)?;
        let recalled = recorder::recall(&spool, &media).await;
        let keys = Keys::new(&config.secrets.key);
        let instance = Instance { id: entropy.id(clock.now()), name: config.instance.name.clone() };
        let own = Own { instance, lease: config.instance.lease() };
        let rules = (config.rules.patience(), config.door());
        let app = App::new(pool.clone(), clock.clone(), entropy.clone(), keys, rules, own.clone());
        let (rooms, changes, wishes) = (Rooms::default(), Changes::default(), Wishes::default());
        let talk = Talk::new(spool.clone());
        metrics::measure(rooms.clone(), spool.clone());
        let opened = Self {
            clock,
            entropy,
            tls,
            evidence,
            intake,
            pool,
            post,
            spool,
            health,
            media,
            own,
            app,
            rooms,
            changes,
            wishes,
            talk,
        };
        Ok((opened, ToRecord { heard, recalled }))
    }

    /// What asks for the words of a call for help.
    pub fn words(&self) -> Words {
        Words {
            app: self.app.clone(),
            intake: IntakeServiceClient::new(self.intake.clone()),
            talk: self.talk.clone(),
            media: self.media.clone(),
        }
    }
}
