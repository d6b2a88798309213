//! How long an exhibit is kept, who may let it go, and what stands in the way. Pure.
//!
//! A class says how long after the seal an exhibit may not even be reviewed. After that two different people have to say
//! that it may go; one who says RETAIN starts the term again and voids what was said before. A review never brings the
//! day nearer, whatever class it names. A hold stands in the way of everything, whoever placed it.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use exhibit::{Digest, tombstone::same_person};
use uuid::Uuid;

/// The configured classes: names, and how long each keeps an exhibit before its review is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Classes {
    default: String,
    terms: BTreeMap<String, TimeDelta>,
}

impl Classes {
    /// From configuration, in days. `default` must be among them, or what nobody reviews is never due.
    #[must_use]
    pub fn new(default: &str, days: &BTreeMap<String, u32>) -> Self {
        let terms = days.iter().map(|(name, days)| (name.clone(), TimeDelta::days((*days).into())));
        Self { default: default.to_owned(), terms: terms.collect() }
    }

    fn default_term(&self) -> TimeDelta {
        self.terms.get(&self.default).copied().unwrap_or(TimeDelta::MAX)
    }
}

/// Everything that decides about an exhibit's keeping.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retention {
    /// Its class.
    pub class: String,
    /// When it may be reviewed; `None` before the seal.
    pub due_at: Option<DateTime<Utc>>,
    /// Every hold, released ones too, oldest first.
    pub holds: Vec<Hold>,
    /// Who said since the last RETAIN that it may go, oldest first: all different people.
    pub reviews: Vec<Review>,
    /// Once it has begun there is no way back.
    pub disposal: Option<Disposal>,
}

/// A legal hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// Its id.
    pub id: Uuid,
    /// Who placed it.
    pub placed_by: String,
    /// Why.
    pub reason: String,
    /// When.
    pub placed_at: DateTime<Utc>,
    /// When it was lifted.
    pub released_at: Option<DateTime<Utc>>,
}

/// One person's word that an exhibit may go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Review {
    /// Who.
    pub who: String,
    /// Why.
    pub reason: String,
    /// When.
    pub at: DateTime<Utc>,
}

/// See [`Retention::disposal`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disposal {
    /// SHA-256 of the tombstone's signature.
    pub tombstone: Digest,
    /// When it was decided for good. From here on nobody reads the exhibit.
    pub begun_at: DateTime<Utc>,
    /// When the key was destroyed.
    pub destroyed_at: Option<DateTime<Utc>>,
}

/// What a reviewer decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Keep it, in this class from now on (`None`: as it was).
    Retain(Option<String>),
    /// It may go.
    Dispose,
}

/// What else stands in the way of a disposal, beside the exhibit itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct InTheWay {
    /// A hold stands on its parent or an addendum.
    pub held: bool,
    /// An addendum isn't sealed.
    pub addendum_open: bool,
    /// There is an archive, and nobody was told yet that copies kept for re-sending may be dropped.
    pub copies_out: bool,
}

/// What is not allowed now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Nothing is reviewed or disposed of before it is sealed.
    #[error("the exhibit is not sealed yet")]
    NotSealed,
    /// Its disposal has begun.
    #[error("the exhibit has been disposed of")]
    Disposed,
    /// The class's term has not run out.
    #[error("the exhibit's term has not run out")]
    NotDue,
    /// One person can't be two.
    #[error("this person has reviewed it already: another has to")]
    SamePerson,
    /// No such class.
    #[error("no such retention class")]
    InvalidClass,
    /// No such hold on this exhibit.
    #[error("no such hold")]
    UnknownHold,
    /// The hold was lifted before.
    #[error("the hold was released before")]
    AlreadyReleased,
    /// A hold stands.
    #[error("a hold stands")]
    OnHold,
    /// Two different people have not said that it may go.
    #[error("two different people have to review it first")]
    NotReviewed,
    /// Something later is still being added to it.
    #[error("an addendum is not sealed yet")]
    AddendumOpen,
    /// Whoever recorded it may still have a copy to send again.
    #[error("the exhibit is not archived yet: the recorder may still keep a copy")]
    NotArchived,
}

impl Retention {
    /// Of an exhibit that nobody has decided anything about.
    #[must_use]
    pub fn of_new(classes: &Classes, sealed_at: Option<DateTime<Utc>>) -> Self {
        let due_at = sealed_at.map(|at| after(at, classes.default_term()));
        Self { class: classes.default.clone(), due_at, holds: Vec::new(), reviews: Vec::new(), disposal: None }
    }

    /// Does any hold stand?
    #[must_use]
    pub fn on_hold(&self) -> bool {
        self.holds.iter().any(|hold| hold.released_at.is_none())
    }

    /// Places a hold: before the seal, too.
    ///
    /// # Errors
    /// What is gone can't be held.
    pub fn place_hold(mut self, hold: Hold) -> Result<Self, Refusal> {
        self.not_disposed()?;
        self.holds.push(hold);
        Ok(self)
    }

    /// Lifts a hold.
    ///
    /// # Errors
    /// There is none of this id, or it was lifted before.
    pub fn release_hold(mut self, id: Uuid, now: DateTime<Utc>) -> Result<Self, Refusal> {
        let hold = self.holds.iter_mut().find(|hold| hold.id == id).ok_or(Refusal::UnknownHold)?;
        if hold.released_at.is_some() {
            return Err(Refusal::AlreadyReleased);
        }
        hold.released_at = Some(now);
        Ok(self)
    }

    /// One person's review.
    ///
    /// # Errors
    /// Not sealed, gone already, not due, the same person again, or an unknown class.
    pub fn review(mut self, review: Review, decision: Decision, classes: &Classes) -> Result<Self, Refusal> {
        self.not_disposed()?;
        let due_at = self.due_at.ok_or(Refusal::NotSealed)?;
        match decision {
            Decision::Retain(class) => {
                // A class that was taken out of the configuration keeps what it holds for the default's term.
                let named = class.is_some();
                let class = class.unwrap_or_else(|| self.class.clone());
                let term = match classes.terms.get(&class) {
                    Some(term) => *term,
                    None if named => return Err(Refusal::InvalidClass),
                    None => classes.default_term(),
                };
                self.due_at = Some(due_at.max(after(review.at, term)));
                self.class = class;
                self.reviews.clear();
            }
            Decision::Dispose if review.at < due_at => return Err(Refusal::NotDue),
            Decision::Dispose if self.reviews.iter().any(|first| same_person(&first.who, &review.who)) => {
                return Err(Refusal::SamePerson);
            }
            Decision::Dispose => self.reviews.push(review),
        }
        Ok(self)
    }

    /// May it go?
    ///
    /// # Errors
    /// What stands in the way.
    pub fn may_go(&self, others: InTheWay) -> Result<(), Refusal> {
        self.not_disposed()?;
        if self.due_at.is_none() {
            return Err(Refusal::NotSealed);
        }
        if others.held || self.on_hold() {
            return Err(Refusal::OnHold);
        }
        if others.addendum_open {
            return Err(Refusal::AddendumOpen);
        }
        if others.copies_out {
            return Err(Refusal::NotArchived);
        }
        if self.reviews.len() < 2 {
            return Err(Refusal::NotReviewed);
        }
        Ok(())
    }

    /// Is it still there to be read, held or reviewed?
    ///
    /// # Errors
    /// [`Refusal::Disposed`] from the moment that its disposal has begun.
    pub fn not_disposed(&self) -> Result<(), Refusal> {
        if self.disposal.is_some() { Err(Refusal::Disposed) } else { Ok(()) }
    }
}

fn after(at: DateTime<Utc>, term: TimeDelta) -> DateTime<Utc> {
    at.checked_add_signed(term).unwrap_or(DateTime::<Utc>::MAX_UTC)
}

#[cfg(test)]
#[path = "retention_tests.rs"]
mod tests;
