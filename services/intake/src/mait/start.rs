//! Sets both ways of MAIT going: the listener, and a sender to each force.

use std::{net::SocketAddr, sync::Arc};

use chassis::{
    Ambient, Shutdown, Tls, Workers, config,
    http::{self, Limits},
};
use reqwest::Url;

use super::{
    client::Client,
    listener::{Mutual, Open},
    sender::Sender,
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
    workers: &mut Workers,
) -> Result<SocketAddr, Error> {
    if mait.forces.is_empty() {
        tracing::warn!("calls may come by MAIT, and nothing will go back to anybody: [mait.forces] is empty");
    }
    let answered = mait.forces.keys().cloned().collect();
    let web = router(Arc::new(Web::new(intake.clone(), ambient.entropy.clone(), mait.name.clone(), answered)));
    let listener = http::bind("mait", mait.listen).await?;
    let address = listener.local_addr().map_err(chassis::Error::Http)?;
    let tls = Tls::read(section, ambient.clock.clone()).map_err(chassis::Error::from)?;
    let (limits, until) = (Limits::default(), shutdown.clone());
    match tls.clone() {
        Some(tls) => workers.spawn("MAIT listener", http::serve(Mutual::new(listener, tls), web, limits, until)),
        // Which only dev can do without.
        None => workers.spawn("MAIT listener", http::serve(Open(listener), web, limits, until)),
    }
    let client = Client::new(tls, mait.answer_within()).map_err(chassis::Error::from)?;
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
        workers.spawn("MAIT sender", sender.run(shutdown.clone()));
    }
    Ok(address)
}
