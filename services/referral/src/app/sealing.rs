//! The package is sealed into an addendum: its documents are made when an officer asks, and a worker brings them.

use api::referral::v1 as proto;
use chrono::{DateTime, TimeDelta, Utc};
use ids::{OfficerId, RequestId};
use outbox::{Scope, Tx};
use ring::digest::{SHA256, digest};
use uuid::Uuid;

use super::{
    App, Ask, On,
    change::{Begun, Change},
    index::printed,
    work::Whole,
};
use crate::{
    domain::{
        State,
        documents::{Document, DocumentKind, Papers, documents},
        sealing::{Attempt, Sealing, SealingState, is_reason, pause},
    },
    error::Error,
    events, grpc,
    store::{
        self, Locked,
        sealings::{self, Claimed},
        statements,
    },
};

impl App {
    /// Seals the package as it stands; while one is on its way, that is the one.
    ///
    /// # Errors
    /// No such package, or no exhibit; something required is missing without a reason; the request id was used for something else;
    /// the database is away.
    pub async fn seal_package(
        &self,
        ask: Ask<'_, proto::SealPackageRequest>,
        on: On,
        by: OfficerId,
        reason: &str,
    ) -> Result<proto::SealPackageResponse, Error> {
        let mut change = match self.change("SealPackage", ask, on).await {
            Ok(Begun::Answered(first)) => return Ok(first),
            Ok(Begun::Change(change)) => change,
            Err(Error::UnknownCall) => return Err(Error::UnknownPackage),
            Err(error) => return Err(error),
        };
        let State::Open { .. } = &change.package.state else { return Err(Error::UnknownPackage) };
        let before = sealings::of_call(&mut change.tx, &change.on).await?;
        let answer = |sealing: &Sealing| proto::SealPackageResponse { sealed: Some(grpc::sealed(sealing)) };
        if let Some(on_its_way) = before.iter().find(|sealing| !sealing.is_over()) {
            let answer = answer(on_its_way);
            return change.looked(answer).await;
        }
        let parent = change.package.facts.exhibit.as_ref().ok_or(Error::NoExhibit)?.id;
        let whole = self.whole(&mut change.tx, &change.on, &change.package).await?;
        let missing: Vec<_> = whole.view.missing().map(str::to_owned).collect();
        if !is_reason(reason) {
            return Err(Error::ReasonRequired);
        }
        if !missing.is_empty() && reason.trim().is_empty() {
            return Err(Error::ItemsMissing(missing));
        }
        let sealing = Sealing {
            id: self.entropy.id::<RequestId>(change.now).uuid(),
            force: change.on.force.clone(),
            call: change.on.call,
            number: before.first().map_or(0, |last| last.number) + 1,
            by,
            at: change.now,
            reason: reason.to_owned(),
            score_percent: whole.view.score_percent,
            parent,
            problem: String::new(),
            state: SealingState::Waiting,
        };
        let papers = self.papers(&mut change, &sealing, &whole).await?;
        let named = |document: Document| {
            let mut sha256 = [0; 32];
            sha256.copy_from_slice(digest(&SHA256, &document.body).as_ref());
            (self.entropy.id::<RequestId>(sealing.at).uuid(), sha256, document)
        };
        let papers: Vec<_> = papers.into_iter().map(named).collect();
        sealings::add(&mut change.tx, &sealing, &papers).await?;
        change.done(answer(&sealing)).await
    }

    /// The documents of the package at this moment.
    async fn papers(&self, change: &mut Change, sealing: &Sealing, whole: &Whole) -> Result<Vec<Document>, Error> {
        let Change { tx, on, package, .. } = change;
        let Whole { gathered, view, schedule, statements } = whole;
        let notes = statements::notes(tx, &on.force, on.call).await?;
        let sent = gathered.referrals.iter().filter(|one| one.sent().is_some());
        let referrals: Vec<_> = sent.map(|one| (self.title_of(&on.force, &one.kind).to_owned(), one.clone())).collect();
        let mut made = documents(&Papers {
            force: &on.force,
            call: on.call,
            incident: package.facts.incident.as_ref(),
            number: sealing.number,
            asked: (&sealing.by, sealing.at),
            reason: &sealing.reason,
            view,
            notes: &notes,
            statements,
            risk: gathered.risk.assessed.as_ref().map(|(assessment, finding)| (assessment, finding)),
            grading: gathered.risk.grading.as_ref(),
            people: &gathered.people,
            referrals: &referrals,
            schedule,
        });
        let index = self.index_of(tx, on, (package, whole), (&sealing.by, sealing.at)).await?;
        let (name, media_type) = ("index".to_owned(), "application/pdf".to_owned());
        made.push(Document { name, kind: DocumentKind::Other, media_type, body: printed(index).await? });
        Ok(made)
    }

    /// Something has happened to a call's exhibits that its package may have waited for.
    ///
    /// # Errors
    /// The database is away.
    pub(crate) async fn stir_sealing(&self, tx: &mut Tx, on: &On) -> Result<(), Error> {
        Ok(sealings::stir(tx, on, self.clock.now()).await?)
    }

    /// Takes the package whose turn it is in hand for so long.
    ///
    /// # Errors
    /// The database is away.
    pub(crate) async fn claim_sealing(&self, lease: TimeDelta) -> Result<Option<Claimed>, Error> {
        let now = self.clock.now();
        let claim: Uuid = self.entropy.id::<RequestId>(now).uuid();
        Ok(self.store.claim_sealing(claim, now, now + lease).await?)
    }

    /// When the next package may be brought, so far as is known now.
    ///
    /// # Errors
    /// The database is away.
    pub(crate) async fn sealing_due(&self) -> Result<Option<DateTime<Utc>>, Error> {
        Ok(self.store.next_sealing().await?)
    }

    /// Writes down how far it came. An attempt that comes too late, when another has the package in hand, changes nothing: the other finds
    /// what is there.
    ///
    /// # Errors
    /// The database is away.
    pub(crate) async fn settle_sealing(&self, claimed: &Claimed, attempt: &Attempt) -> Result<(), Error> {
        let now = self.clock.now();
        let on = On { force: claimed.sealing.force.clone(), call: claimed.sealing.call };
        let mut tx = self.store.begin("settle_sealing", Scope::Force(&on.force)).await?;
        let Locked { trace, .. } = store::lock(&mut tx, &on.force, on.call).await?.ok_or(Error::UnknownCall)?;
        let held = sealings::lock(&mut tx, &on, claimed.sealing.id).await?.ok_or(Error::UnknownCall)?;
        if held.claim != Some(claimed.claim) {
            return Ok(());
        }
        let (state, kept_by) = (held.sealing.state.clone(), held.sealing.problem.clone());
        let sealing = held.sealing.after(attempt);
        // Stirred meanwhile: what it was stirred by, the attempt may not have seen.
        let stirred = held.next_at.filter(|next| *next != claimed.next_at);
        let next_at = stirred.unwrap_or(now + pause(claimed.attempts));
        let problem = match attempt {
            Attempt::Later(why) | Attempt::Never(why) => Some(why.as_str()),
            Attempt::Sealed(..) | Attempt::Added(_) => None,
        };
        sealings::save(&mut tx, &sealing, next_at, problem).await?;
        if sealing.state != state || problem.unwrap_or_default() != kept_by {
            store::touch(&mut tx, on.call).await?;
        }
        if let SealingState::Sealed(addendum, _) = &sealing.state {
            let event = events::package_sealed(&on, (sealing.number, addendum), &trace, now);
            outbox::write_in_tx(&mut tx, &self.entropy, now, [event]).await?;
        }
        Ok(store::commit(tx).await?)
    }
}
