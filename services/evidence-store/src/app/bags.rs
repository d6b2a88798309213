//! The bags of exhibits on their way to the seal, from one step to the next. The manifest of a two-hour call names each of its
//! seconds: laid out once, it needn't be read, checked and laid out again at every step. What isn't here is made from the
//! database, as after a restart.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use exhibit::{Digest, Manifest, bag::Bag};
use ids::ExhibitId;

use super::App;
use crate::{error::Error, store};

/// Some 10 MB each for a call of two hours. Exhibits that wait for an authority may be many more.
const MOST: usize = 16;

/// Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Bags(Arc<Mutex<HashMap<ExhibitId, Bag>>>);

impl Bags {
    /// For the next step.
    pub(super) fn keep(&self, id: ExhibitId, bag: Bag) {
        let mut bags = self.bags();
        if bags.len() < MOST {
            bags.insert(id, bag);
        }
    }

    fn take(&self, id: ExhibitId) -> Option<Bag> {
        self.bags().remove(&id)
    }

    fn bags(&self) -> MutexGuard<'_, HashMap<ExhibitId, Bag>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl App {
    /// The exhibit's bag, which must be the one that the manifested state names. Whoever goes on with it later keeps it again.
    ///
    /// # Errors
    /// The database is away, or what it has is another bag.
    pub(super) async fn bag(&self, id: ExhibitId, tagmanifest: Digest) -> Result<Bag, Error> {
        let right = |bag: &Bag| Digest::of(bag.tagmanifest()) == tagmanifest;
        if let Some(bag) = self.bags.take(id).filter(right) {
            return Ok(bag);
        }
        let mut tx = self.store.begin("bag").await?;
        let manifest = store::manifest(&mut tx, id).await?.unwrap_or_default();
        drop(tx);
        Some(Bag::new(&Manifest::parse(&manifest)?)?).filter(right).ok_or(Error::OtherBag)
    }
}
