//! Sets both ways of MAIT going: the listener, and a sender to each force.

use std::{net::SocketAddr, sync::Arc};

use chassis::{Entropy, Shutdown, config::Tls, http};
use reqwest::Url;
use tokio::task::JoinSet;

use super::{
    listener::{Mutual, Peer},
    sender::{Sender, client},
    web::{Web, router},
};
use crate::{app::Intake, config::Mait, error::Error};

/// Starts all of it; where it listens.
///
/// # Errors
/// The port can't be bound, or a certificate can't be used.
pub(crate) async fn start(
    mait: &Mait,
    tls: Option<&Tls>,
    intake: &Intake,
    entropy: &Entropy,
    shutdown: &Shutdown,
    tasks: &mut JoinSet<()>,
) -> Result<SocketAddr, Error> {
    if mait.forces.is_empty() {
        tracing::warn!("calls may come by MAIT, and nothing will go back to anybody: [mait.forces] is empty");
    }
    let answered = mait.forces.keys().cloned().collect();
    let web = router(Arc::new(Web::new(intake.clone(), entropy.clone(), mait.name.clone(), answered)));
    let listener = http::bind("mait", mait.listen).await?;
    let address = listener.local_addr().map_err(chassis::Error::Http)?;
    match tls {
        Some(tls) => {
            let listener = Mutual::new(listener, tls).map_err(chassis::Error::from)?;
            tasks.spawn(ended(http::serve_as::<_, Peer>(listener, web, shutdown.clone())));
        }
        None => {
            tasks.spawn(ended(http::serve_as::<_, Peer>(listener, web, shutdown.clone())));
        }
    }
    let client = client(tls, mait.answer_within()).map_err(chassis::Error::from)?;
    for (force, to) in &mait.forces {
        // Checked with the configuration.
        let Ok(url) = to.url.parse::<Url>() else { continue };
        let sender = Sender {
            intake: intake.clone(),
            client: client.clone(),
            force: force.clone(),
            url,
            name: mait.name.clone(),
            retry_after: mait.retry_after(),
            answer_within: mait.answer_within(),
        };
        tasks.spawn(sender.run(shutdown.clone()));
    }
    Ok(address)
}

async fn ended(serving: impl Future<Output = Result<(), chassis::Error>>) {
    if let Err(error) = serving.await {
        tracing::error!(error = chassis::chain(&error), "MAIT messages are taken no longer");
    }
}
