//! One function per use case: lock, decide, save, outbox. Facts come in the transaction of their inbox row.

mod caller;
mod case;
mod change;
mod clocks;
pub mod delivery;
mod disclosure;
mod due;
mod follow_up;
mod index;
mod people;
mod referrals;
pub mod risk;
mod schedule;
mod sealing;
mod statement;
mod ticker;
mod work;

use std::sync::Arc;

use chassis::{Clock, Entropy, Trace};
use ids::{CallId, ForceId, OfficerId, RequestId};
use outbox::{Scope, Tx, Wakeups};

pub use case::{Case, CaseWatch};
pub use clocks::{Done, Start, clocks_of, stop};
pub use due::{Due, DueWatch};
pub use referrals::{Linked, Making, ReferralView, Standing};
pub use statement::{Drafted, Noted};

use crate::{
    books::Books,
    callers::Callers,
    domain::{Ended, Fact, Heard, Package, View},
    error::Error,
    events,
    records::Records,
    store::{self, Locked, Store},
};

/// The clock of photographs that are taken again while bruises show; the note on that item of the package stops it.
const PHOTOGRAPHS: &str = "photographs";
/// That item, in every edition of the checklist.
const LATER_PHOTOGRAPHS: &str = "later-photographs";

/// The use cases, and what they need.
#[derive(Debug, Clone)]
pub struct App {
    store: Store,
    books: Arc<Books>,
    clock: Clock,
    entropy: Entropy,
    wakeups: Wakeups<CallId>,
    due: Wakeups<store::Looker>,
    records: Records,
    callers: Callers,
}

/// A request that is answered once: a repeat of its id gets the first answer.
#[derive(Debug, Clone, Copy)]
pub struct Ask<'r, R> {
    /// The client's id of it.
    pub id: RequestId,
    /// What was asked: another request by the same id is refused.
    pub request: &'r R,
}

/// The call that something is about.
#[derive(Debug, Clone)]
pub struct On {
    /// Of this force.
    pub force: ForceId,
    /// This one.
    pub call: CallId,
}

impl App {
    /// Over this store, going by these books.
    #[must_use]
    pub fn new(
        store: Store,
        books: Books,
        clock: Clock,
        entropy: Entropy,
        wakeups: Wakeups<CallId>,
        (records, callers): (Records, Callers),
    ) -> Self {
        Self { store, books: Arc::new(books), clock, entropy, wakeups, due: Wakeups::default(), records, callers }
    }

    /// The package of a call, once it is open.
    ///
    /// # Errors
    /// Unknown or not open yet, or the database is away.
    pub async fn get_package(&self, on: &On) -> Result<(Package, View), Error> {
        let mut tx = self.store.reading("package", Scope::Force(&on.force)).await?;
        let found = store::look(&mut tx, &on.force, on.call).await?.ok_or(Error::UnknownPackage)?;
        let gathered = self.gather(&mut tx, on).await?;
        let view = self.checklist(&mut tx, on, (&found.package, &gathered)).await?;
        Ok((found.package, view))
    }

    /// Whether the call is this lent officer's now.
    ///
    /// # Errors
    /// The database is away.
    pub async fn is_with_lent(&self, on: &On, officer: &OfficerId) -> Result<bool, Error> {
        let mut tx = self.store.reading("is_with_lent", Scope::Force(&on.force)).await?;
        let found = store::look(&mut tx, &on.force, on.call).await?;
        Ok(found.is_some_and(|found| found.package.facts.is_with_lent(officer)))
    }

    /// Keeps a fact, whether or not the package is open yet.
    ///
    /// # Errors
    /// The call is another force's, or the database is away. Never for a fact that comes early, late or twice.
    pub async fn hear(&self, tx: &mut Tx, on: &On, fact: Fact, trace: &Trace) -> Result<Heard, Error> {
        let Locked { package, trace, .. } = lock(tx, on, trace).await?;
        let is_consent = matches!(fact, Fact::Consented { .. });
        let is_seal = matches!(fact, Fact::ExhibitSealed { .. });
        let (package, heard) = package.hear(fact);
        keep(tx, &package, heard).await?;
        if is_consent && heard == Heard::Taken {
            self.heed_consents(tx, on, &package.facts.consents_each, &trace).await?;
        }
        if is_seal {
            self.stir_sealing(tx, on).await?;
        }
        if heard == Heard::Taken {
            self.heed_follow_up(tx, on, &package, &trace).await?;
        }
        Ok(heard)
    }

    /// Opens the package. Once a call.
    ///
    /// # Errors
    /// As [`App::hear`].
    pub async fn session_ended(&self, tx: &mut Tx, on: &On, ended: Ended, trace: &Trace) -> Result<Heard, Error> {
        let now = self.clock.now();
        let Locked { package, trace, .. } = lock(tx, on, trace).await?;
        let (package, heard, events) = package.session_ended(ended, self.entropy.id(now), &self.books.checklist, now);
        keep(tx, &package, heard).await?;
        let events = events.into_iter().map(|event| events::publish(&package, event, &trace, now));
        outbox::write_in_tx(tx, &self.entropy, now, events).await?;
        let is_first = package.facts.follow_up_of.is_none();
        if heard == Heard::Taken
            && is_first
            && package.facts.may_have_pictures()
            && self.books.clocks.get(PHOTOGRAPHS).is_some()
        {
            let start = Start { referral: None, area: None, from: now };
            self.start_clock(tx, on, PHOTOGRAPHS, start).await?;
            self.heed_pictures(tx, on, now).await?;
        }
        Ok(heard)
    }
}

/// Saves what was heard, and tells whoever watches if it is anything new.
async fn keep(tx: &mut Tx, package: &Package, heard: Heard) -> Result<(), Error> {
    store::save(tx, package).await?;
    if heard == Heard::Taken {
        store::touch(tx, package.call).await?;
    }
    Ok(())
}

async fn lock(tx: &mut Tx, on: &On, trace: &Trace) -> Result<Locked, Error> {
    store::lock_or_begin(tx, &on.force, on.call, trace).await?.ok_or(Error::OtherForce)
}

/// Locks a case for a request: it is known once an officer has had its call.
pub(crate) async fn lock_case(tx: &mut Tx, on: &On) -> Result<Locked, Error> {
    let locked = store::lock(tx, &on.force, on.call).await?.ok_or(Error::UnknownCall)?;
    if locked.package.facts.incident.is_none() {
        return Err(Error::UnknownCall);
    }
    Ok(locked)
}
