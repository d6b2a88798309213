//! The steps in which others vouch for a seal: the timestamp authority, the log and its witness. Each may be away for as long
//! as it likes; the exhibit waits where it is, and says for what. Local time never stands in for the authority's.

use exhibit::{
    Digest, Manifest,
    bag::Bag,
    package::{LogProof, Package, Proofs},
};
use ids::ExhibitId;

use super::{
    App, Step,
    seal::{WaitsFor, locked},
};
use crate::{
    domain::{Logged, Signed, Timestamped},
    error::Error,
    store,
};
use outbox::Scope;

impl App {
    /// Has the signature timestamped. In the transaction that keeps the token, the seal goes to the log.
    pub(super) async fn timestamp(&self, id: ExhibitId, signed: &Signed) -> Result<Step, Error> {
        let token = match &self.authority {
            None => None,
            Some(authority) => {
                let mut tx = self.store.begin("signature", Scope::All).await?;
                let signature = store::signature(&mut tx, id).await?.unwrap_or_default();
                drop(tx);
                match authority.stamp(&signature, &self.entropy, &self.clock).await {
                    Ok(token) => Some(token),
                    Err(waits) => {
                        self.set_waits_for(id, &waits.what).await?;
                        return Ok(Step::Waits(WaitsFor::Authority(waits.pause)));
                    }
                }
            }
        };
        let mut tx = self.store.begin("timestamp", Scope::All).await?;
        if let Some(exhibit) = locked(&mut tx, id, "signed").await? {
            let timestamped = Timestamped { signed: signed.clone(), at: self.clock.now(), token };
            store::queue_log_entry(&mut tx, &timestamped.entry(id), id).await?;
            let exhibit = exhibit.timestamp(timestamped.token, timestamped.at)?;
            store::save_exhibit(&mut tx, &exhibit).await?;
            store::commit(tx, "timestamp").await?;
        }
        Ok(Step::Done)
    }

    /// Says in plain words what an exhibit's sealing waits for, until its next step is done.
    pub(super) async fn set_waits_for(&self, id: ExhibitId, what: &str) -> Result<(), Error> {
        let mut tx = self.store.begin("waits_for", Scope::All).await?;
        store::set_waits_for(&mut tx, id, what).await?;
        Ok(store::commit(tx, "waits_for").await?)
    }

    /// Takes the log's proof, once a checkpoint covers the seal.
    pub(super) async fn log_seal(&self, id: ExhibitId, timestamped: &Timestamped) -> Result<Step, Error> {
        let Some(proof) = self.log.proof(&timestamped.entry(id)).await? else {
            return Ok(Step::Waits(WaitsFor::Log));
        };
        let mut tx = self.store.begin("log", Scope::All).await?;
        if let Some(exhibit) = locked(&mut tx, id, "timestamped").await? {
            let exhibit = exhibit.log(proof.to_text(), self.clock.now())?;
            store::save_exhibit(&mut tx, &exhibit).await?;
            store::commit(tx, "log").await?;
        }
        Ok(Step::Done)
    }

    /// The exhibit's bag, laid out again, which must be the one that the manifested state names.
    ///
    /// # Errors
    /// The database is away, or what it has is another bag.
    pub(super) async fn bag(&self, id: ExhibitId, tagmanifest: Digest) -> Result<Bag, Error> {
        let mut tx = self.store.begin("bag", Scope::All).await?;
        let manifest = store::manifest(&mut tx, id).await?.unwrap_or_default();
        drop(tx);
        let bag = Bag::new(&Manifest::parse(&manifest)?)?;
        if Digest::of(bag.tagmanifest()) == tagmanifest { Ok(bag) } else { Err(Error::OtherBag) }
    }

    /// The package's small files, with every proof in them: the same whoever makes them, and how often.
    pub(super) async fn package(&self, id: ExhibitId, logged: &Logged) -> Result<Package, Error> {
        let signed = &logged.timestamped.signed;
        let mut tx = self.store.begin("package", Scope::All).await?;
        let signature = store::signature(&mut tx, id).await?.unwrap_or_default();
        drop(tx);
        let bag = self.bag(id, signed.manifested.tagmanifest).await?;
        if Digest::of(&signature) != signed.seal {
            return Err(Error::OtherBag);
        }
        let entry = logged.timestamped.entry(id).to_bytes();
        let proofs = Proofs {
            seal: &signature,
            timestamp: logged.timestamped.token.as_deref(),
            log: Some(LogProof { entry: &entry, proof: logged.proof.as_bytes() }),
        };
        Ok(Package::new(bag, &proofs)?)
    }
}
