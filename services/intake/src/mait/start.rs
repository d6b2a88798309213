//! Sets both ways of MAIT going: the listener, and a sender to each force.

use std::{net::SocketAddr, sync::Arc};

use chassis::{
    Ambient, Principal, Shutdown, Tls, config,
    http::{self, Limits},
};
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
    section: Option<&config::Tls>,
    intake: &Intake,
    ambient: &Ambient,
    shutdown: &Shutdown,
    tasks: &mut JoinSet<()>,
) -> Result<SocketAddr, Error> {
    if mait.forces.is_empty() {
        tracing::warn!("calls may come by MAIT, and nothing will go back to anybody: [mait.forces] is empty");
    }
    let answered = mait.forces.keys().cloned().collect();
    let web = router(Arc::new(Web::new(intake.clone(), ambient.entropy.clone(), mait.name.clone(), answered)));
    let listener = http::bind("mait", mait.listen).await?;
    let address = listener.local_addr().map_err(chassis::Error::Http)?;
    match Tls::read(section, ambient.clock.clone()).map_err(chassis::Error::from)? {
        Some(tls) => {
            let listener = Mutual::new(listener, tls);
            tasks.spawn(http::serve_as(listener, web, Limits::default(), Peer::clone, shutdown.clone()));
        }
        // Which only dev can do without: nobody is asked who they are.
        None => {
            let anybody = |_: &SocketAddr| Peer(Principal::Anybody);
            tasks.spawn(http::serve_as(listener, web, Limits::default(), anybody, shutdown.clone()));
        }
    }
    let client = client(section, mait.answer_within()).map_err(chassis::Error::from)?;
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
