//! Where the process is asked: the caller's page over HTTP, the desk over gRPC, and the carrier's receipts where there is one.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use api::session::v1::session_service_server::SessionServiceServer;
use axum::Router;
use chassis::{ServiceConfig, Shutdown, grpc, http as web_server};
use http::HeaderValue;
use tokio::net::TcpListener;

use super::{Failed, opened::Opened};
use crate::{
    access,
    config::Config,
    grpc::Desk,
    recording::Recordings,
    stills::Stills,
    texts::{self, Provider, Reach, Teller, Texts},
    web::{self, Assets, Limiter, Listeners, Paces, Pages, Strangers, Urls, Web},
};

/// All of them, bound: nobody is answered before [`Doors::serve`].
pub(super) struct Doors {
    page: (TcpListener, Router),
    page_addr: SocketAddr,
    receipts: Option<(TcpListener, Router)>,
    desk: grpc::Bound,
    /// What is sent with a link to the page.
    pub texts: Texts,
}

impl Doors {
    pub async fn bind(config: &Config, opened: &Opened, shutdown: &Shutdown) -> Result<Self, Failed> {
        let http = web_server::bind("http", config.http.listen).await?;
        let page_addr = http.local_addr().map_err(|source| chassis::Error::Bind {
            what: "http",
            addr: config.http.listen,
            source,
        })?;
        let urls = Urls::new(&config.http.public_url.clone().unwrap_or_else(|| format!("http://{page_addr}")));
        let texts = Texts {
            app: opened.app.clone(),
            reach: Reach::new(opened.intake.clone()),
            provider: Provider::new(&config.texts)?,
            words: config.texts.words.clone(),
            urls: urls.clone(),
            clock: opened.clock.clone(),
        };
        let receipts = match config.texts.provider {
            Some(carrier) => {
                let listener = web_server::bind("receipts", config.receipts.listen).await?;
                let teller = Teller::new(carrier, config.texts.receipt_key()?.expose());
                Some((listener, texts::router(opened.app.clone(), teller)))
            }
            None => None,
        };
        let desk = SessionServiceServer::new(desk(config, opened, &texts, shutdown));
        let grpc = grpc::Server::new(&config.base(), &opened.entropy, shutdown.clone());
        let grpc = grpc.guarded(access::RULES, opened.clock.clone()).lent(opened.app.clone());
        let desk = grpc.add(desk).bind(&opened.health).await?;
        let router = web::router(Arc::new(page(config, opened, urls, shutdown)?));
        Ok(Self { page: (http, router), page_addr, receipts, desk, texts })
    }

    /// Where other instances reach the desk's side of this one, unless they are told otherwise.
    pub fn desk_url(&self) -> String {
        self.desk.url()
    }

    pub fn addresses(&self) -> Vec<(&'static str, SocketAddr)> {
        let receipts = self.receipts.as_ref().and_then(|(listener, _)| listener.local_addr().ok());
        let always = [("grpc", self.desk.local_addr()), ("http", self.page_addr)];
        always.into_iter().chain(receipts.map(|addr| ("receipts", addr))).collect()
    }

    /// Answers until the shutdown.
    pub async fn serve(self, shutdown: &Shutdown) -> Result<(), chassis::Error> {
        let (http, router) = self.page;
        let hear_receipts = async {
            if let Some((listener, router)) = self.receipts {
                web_server::serve(listener, router, web_server::Limits::default(), shutdown.clone()).await;
            }
        };
        let limits = web_server::Limits { answer: web::LONGEST, ..web_server::Limits::default() };
        let (served, (), ()) =
            tokio::join!(self.desk.serve(), web_server::serve(http, router, limits, shutdown.clone()), hear_receipts);
        served
    }
}

fn desk(config: &Config, opened: &Opened, texts: &Texts, shutdown: &Shutdown) -> Desk {
    let Opened { app, media, spool, .. } = opened;
    Desk {
        app: app.clone(),
        recordings: Recordings { app: app.clone(), media: media.clone(), spool: spool.clone() },
        stills: Stills { app: app.clone(), media: media.clone(), spool: spool.clone() },
        wishes: opened.wishes.clone(),
        changes: opened.changes.clone(),
        talk: opened.talk.clone(),
        texts: texts.clone(),
        spool: spool.clone(),
        urls: texts.urls.clone(),
        turn: config.turn.clone(),
        tls: opened.tls.clone(),
        shutdown: shutdown.clone(),
    }
}

fn page(config: &Config, opened: &Opened, urls: Urls, shutdown: &Shutdown) -> Result<Web, chassis::ConfigError> {
    Ok(Web {
        app: opened.app.clone(),
        media: opened.media.clone(),
        rooms: opened.rooms.clone(),
        spool: opened.spool.clone(),
        changes: opened.changes.clone(),
        wishes: opened.wishes.clone(),
        talk: opened.talk.clone(),
        shutdown: shutdown.clone(),
        limiter: Mutex::new(Limiter::new(config.tries)),
        pace: Paces::default(),
        listeners: Listeners::default(),
        pages: Pages::default(),
        strangers: Strangers::default(),
        urls,
        turn: config.turn.clone(),
        assets: Assets::new(&config.page),
        console_origins: origins(config)?,
        behind_proxy: config.http.behind_proxy,
    })
}

fn origins(config: &Config) -> Result<Vec<HeaderValue>, chassis::ConfigError> {
    let parse = |origin: &String| {
        HeaderValue::from_str(origin).map_err(|error| chassis::ConfigError::unusable("http.console_origins", error))
    };
    config.http.console_origins.iter().map(parse).collect()
}
