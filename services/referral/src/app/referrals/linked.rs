//! What a partner sees and says of one referral, by the link in their letter. Nobody signs in there: what they say is kept as theirs, and no
//! officer's, and they see nothing of whom it is about.

use chrono::{DateTime, Utc};
use outbox::Scope;

use crate::{
    app::{App, On, disclosure},
    domain::{Referral, Stage, Step, Words, delivery::reference, link::Link},
    error::Error,
    store,
};

/// What a partner is shown. Neither the kind, which may say what happened, nor a word that anybody wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Linked {
    /// As in the letter.
    pub reference: String,
    /// The partner, as they were called when it was sent.
    pub partner: String,
    /// How far it has come.
    pub standing: Standing,
    /// Anybody may say what came of it; of an application it is decided here, stage by stage.
    pub takes_outcome: bool,
}

/// How far it has come, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It was sent.
    Sent(DateTime<Utc>),
    /// They have said that they have it.
    Acknowledged(DateTime<Utc>),
    /// It is known what came of it.
    Outcome(DateTime<Utc>),
    /// It was taken back.
    Withdrawn(DateTime<Utc>),
}

impl App {
    /// Where the referral stands.
    ///
    /// # Errors
    /// There is none such, or the database is away.
    pub async fn look_by_link(&self, link: &Link) -> Result<Linked, Error> {
        let on = on(link);
        let mut tx = self.store.reading("look_by_link", Scope::Force(&on.force)).await?;
        let all = store::referrals(&mut tx, &on).await?;
        shown(all.iter().find(|one| one.id == link.referral).ok_or(Error::UnknownReferral)?)
    }

    /// The partner has it, they say. Who was first stays.
    ///
    /// # Errors
    /// There is none such, or it was taken back; the database is away.
    pub async fn acknowledge_by_link(&self, link: &Link, by: Words) -> Result<Linked, Error> {
        let by = Words(format!("{}, by link", by.0));
        self.said_by_link(link, "acknowledge_by_link", |one, now| Ok(one.acknowledge(by, now)?)).await
    }

    /// Something came of it, the partner says.
    ///
    /// # Errors
    /// There is none such, it was taken back, or it is decided here; the database is away.
    pub async fn record_outcome_by_link(&self, link: &Link, what: Words) -> Result<Linked, Error> {
        let record = |one: Referral, now| {
            if disclosure::is_application(&one.kind) {
                Err(Error::DecidedByStages)
            } else {
                Ok(one.record_outcome(what, now)?)
            }
        };
        self.said_by_link(link, "record_outcome_by_link", record).await
    }

    async fn said_by_link(
        &self,
        link: &Link,
        name: &'static str,
        step: impl FnOnce(Referral, DateTime<Utc>) -> Result<(Referral, Option<Step>), Error>,
    ) -> Result<Linked, Error> {
        let mut change = self.change_by_link(name, on(link)).await?;
        let (now, mut taken) = (change.now, None);
        let taken_back = |one: &Referral| matches!(one.stage, Stage::Withdrawn(..));
        let step = |one: Referral| {
            if taken_back(&one) {
                return Err(Error::Withdrawn);
            }
            let (one, step) = step(one, now)?;
            taken = step;
            Ok((one, step))
        };
        let referral = self.step(&mut change, link.referral, None, step).await?;
        let shown = shown(&referral)?;
        // Said before, it is done: nobody needs to look again.
        if taken.is_some() {
            change.done(()).await?;
            tracing::info!(referral = %link.referral, "said by link");
        }
        Ok(shown)
    }
}

fn on(link: &Link) -> On {
    On { force: link.force.clone(), call: link.call }
}

fn shown(referral: &Referral) -> Result<Linked, Error> {
    let standing = match &referral.stage {
        Stage::Draft | Stage::Withdrawn(None, ..) => return Err(Error::UnknownReferral),
        Stage::Sent(sent) => Standing::Sent(sent.at),
        Stage::Acknowledged(_, acknowledged) => Standing::Acknowledged(acknowledged.at),
        Stage::Outcome(_, _, outcome) => Standing::Outcome(outcome.at),
        Stage::Withdrawn(_, _, withdrawn) => Standing::Withdrawn(withdrawn.at),
    };
    let partner = referral.sent().and_then(|sent| sent.partner.as_ref());
    Ok(Linked {
        reference: reference(referral.id),
        partner: partner.map(|partner| partner.name.clone()).unwrap_or_default(),
        standing,
        takes_outcome: !disclosure::is_application(&referral.kind),
    })
}
