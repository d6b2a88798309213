//! Cover, as the rows have it. The media core has done its part by then.

use api::session::v1::{SetCoverRequest, SetCoverResponse};
use outbox::{Scope, replay};
use tracing::Instrument;

use super::{App, Order, span};
use crate::{domain::Pretext, error::Error, media::Tapped};

impl App {
    /// Writes down what the caller's page turns into.
    ///
    /// # Errors
    /// Not the officer's call, no such session, an ended one.
    pub async fn set_cover(&self, order: &Order<SetCoverRequest>, pretext: Pretext) -> Result<SetCoverResponse, Error> {
        let now = self.clock.now();
        let mut tx = self.begin(Scope::Force(&order.force)).await?;
        if let Some(first) = replay::first_answer(&mut tx, order.request, "SetCover", &order.message).await? {
            return Ok(first);
        }
        let mut stored = self.commanded(&mut tx, order).await?;
        let span = span(&stored, "set_cover");
        async {
            stored.session = stored.session.agree(pretext)?;
            self.save(&mut tx, &stored, &[], now).await?;
            let answer = SetCoverResponse {};
            replay::remember(&mut tx, order.request, &answer).await?;
            tx.commit().await?;
            Ok(answer)
        }
        .instrument(span)
        .await
    }

    /// The caller's page has said what it shows. What was overtaken is without effect, and so is what comes after the end.
    ///
    /// # Errors
    /// When there is no such session, or the database fails.
    pub async fn tapped(&self, Tapped { session: id, caller, tap, n, at }: Tapped) -> Result<(), Error> {
        let now = self.clock.now();
        let mut tx = self.begin_in_passing().await?;
        let mut stored = self.lock(&mut tx, id).await?;
        let span = span(&stored, "tapped");
        async {
            let Ok((session, facts)) = stored.session.clone().tap(caller, tap, n, at) else { return Ok(()) };
            stored.session = session;
            self.save(&mut tx, &stored, &facts, now).await?;
            Ok(tx.commit().await?)
        }
        .instrument(span)
        .await
    }
}
