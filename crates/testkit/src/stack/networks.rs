//! The networks between the services of a stack and what they depend on, each of which can be slow, half-open or cut.

use std::collections::BTreeMap;

use super::WITH_DATABASE;
use crate::{Error, Postgres, Proxy, TestNats};

/// A stack's networks; they end when dropped.
#[derive(Debug)]
pub struct Networks {
    database: BTreeMap<&'static str, Proxy>,
    bus: BTreeMap<&'static str, Proxy>,
    /// From video-session to evidence-store.
    evidence: Option<Proxy>,
}

impl Networks {
    pub(super) async fn open(postgres: &Postgres, nats: &TestNats) -> Result<Self, Error> {
        let (mut database, mut bus) = (BTreeMap::new(), BTreeMap::new());
        for name in WITH_DATABASE {
            database.insert(name, postgres.network().await?);
            bus.insert(name, Proxy::start(nats.address()).await?);
        }
        Ok(Self { database, bus, evidence: None })
    }

    /// Leads to evidence-store, which listens there: the address to use instead.
    pub(super) async fn evidence_at(&mut self, address: &str) -> Result<String, Error> {
        let proxy = Proxy::start(address).await?;
        let own = proxy.address().to_string();
        self.evidence = Some(proxy);
        Ok(own)
    }

    /// Where a service finds its database and NATS: over the networks, if there are any.
    pub(super) fn urls(
        networks: Option<&Self>,
        (postgres, nats): (&Postgres, &TestNats),
        service: &str,
    ) -> (String, String) {
        let name = service.replace('-', "_");
        let database = networks.and_then(|networks| networks.database(service));
        let bus = networks.and_then(|networks| networks.bus(service));
        (
            database.map_or_else(|| postgres.url(&name), |network| Postgres::url_over(network, &name)),
            bus.map_or_else(|| nats.url().to_owned(), |network| nats.url_over(network)),
        )
    }

    /// A service's way to Postgres.
    #[must_use]
    pub fn database(&self, service: &str) -> Option<&Proxy> {
        self.database.get(service)
    }

    /// A service's way to NATS.
    #[must_use]
    pub fn bus(&self, service: &str) -> Option<&Proxy> {
        self.bus.get(service)
    }

    /// video-session's way to evidence-store.
    #[must_use]
    pub fn evidence(&self) -> Option<&Proxy> {
        self.evidence.as_ref()
    }
}
