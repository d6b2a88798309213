//! Fast-tracks: heard of from the session, raised again by the clock, taken on by the control room. A call's end changes
//! nothing of them. All under the call's lock, as everything that is told of it.

use api::intake::v1::{AcknowledgeFastTrackRequest, AcknowledgeFastTrackResponse};
use chrono::{DateTime, Utc};
use ids::FastTrackId;
use outbox::{Scope, replay};
use sqlx::PgTransaction;
use tracing::{Instrument, info_span};

use super::{Ask, Intake, On, commit, lock};
use crate::{
    domain::{Call, Effects, Fact, FastTrack, Heard, Taken, Wish},
    error::Error,
    grpc,
    store::{self, Due, Locked},
};

impl Intake {
    /// Hears that the officer of a call asks for somebody to be sent.
    ///
    /// # Errors
    /// As [`Intake::hear`].
    pub async fn hear_fast_track(&self, tx: &mut PgTransaction<'_>, on: &On, wish: Wish) -> Result<Heard, Error> {
        let now = self.clock.now();
        let Locked { call, trace } = lock(tx, on).await?;
        if store::fast_track(tx, call.id, wish.id).await?.is_some() {
            return Ok(Heard::Repeated);
        }
        let fast_track = FastTrack::raise(wish, now, self.timing.again_after);
        let news = fast_track.news(self.is_located(tx, &call, now).await?);
        let (call, heard, effects) = call.hear(Fact::FastTrack(news), now);
        if heard == Heard::Taken {
            store::save_fast_track(tx, call.id, &fast_track).await?;
        }
        self.carry_out(tx, &call, effects, &trace, now).await?;
        Ok(heard)
    }

    /// Somebody in the control room takes it on.
    ///
    /// # Errors
    /// Unknown call or fast-track; the request id was used for something else; the database is away.
    pub async fn acknowledge_fast_track(
        &self,
        ask: Ask<'_, AcknowledgeFastTrackRequest>,
        on: On,
        id: FastTrackId,
        (by, unit): (&str, Option<&str>),
    ) -> Result<AcknowledgeFastTrackResponse, Error> {
        let now = self.clock.now();
        let mut tx = self.store.begin("acknowledge_fast_track", Scope::Force(&on.force)).await?;
        if let Some(first) = replay::first_answer(&mut tx, ask.id, "AcknowledgeFastTrack", ask.request).await? {
            return Ok(first);
        }
        let Locked { call, trace } = lock(&mut tx, &on).await?;
        let span = trace.follow(info_span!("acknowledge_fast_track", call = %call.id));
        async {
            let known = store::fast_track(&mut tx, call.id, id).await?.ok_or(Error::UnknownFastTrack)?;
            let taken = Taken { by: by.to_owned(), unit: unit.map(str::to_owned), at: now };
            let (taken, news) = known.acknowledge(taken);
            if let Some(fast_track) = news {
                let (call, effects) = self.save_fast_track(&mut tx, call, &fast_track, now).await?;
                self.carry_out(&mut tx, &call, effects, &trace, now).await?;
            }
            let answer = grpc::taken(taken);
            replay::remember(&mut tx, ask.id, &answer).await?;
            commit(tx).await?;
            Ok(answer)
        }
        .instrument(span)
        .await
    }

    /// Raises it again, unless somebody has taken it on or another replica was quicker.
    pub(super) async fn raise_again(&self, Due { force, call, id }: Due) -> Result<(), Error> {
        let mut tx = self.store.begin("raise_again", Scope::Force(&force)).await?;
        let Locked { call, trace } = lock(&mut tx, &On { force, call, officer: None }).await?;
        let span = trace.follow(info_span!("raise_again", call = %call.id));
        async {
            let now = self.clock.now();
            let known = store::fast_track(&mut tx, call.id, id).await?;
            let Some(again) = known.and_then(|known| known.again(now, self.timing.again_after)) else { return Ok(()) };
            let (call, effects) = self.save_fast_track(&mut tx, call, &again, now).await?;
            self.carry_out(&mut tx, &call, effects, &trace, now).await?;
            commit(tx).await
        }
        .instrument(span)
        .await
    }

    async fn save_fast_track(
        &self,
        tx: &mut PgTransaction<'_>,
        call: Call,
        fast_track: &FastTrack,
        now: DateTime<Utc>,
    ) -> Result<(Call, Effects), Error> {
        let is_located = self.is_located(tx, &call, now).await?;
        store::save_fast_track(tx, call.id, fast_track).await?;
        Ok(call.tell_of(fast_track, is_located, now))
    }
}
