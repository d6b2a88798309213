//! Links in letters: what writes them, and where they lead, which is the only listener of this service that strangers reach.
//!
//! A link is worked out when its letter is sent and isn't kept anywhere. What reads it (`domain::link`) needs no database, so whoever
//! has none can't make us look anything up.

mod pace;
mod page;
mod refused;
mod web;

use std::{fmt::Display, fs, net::SocketAddr, sync::Arc};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use chassis::{ConfigError, Shutdown, Workers, http};
use chrono::{DateTime, TimeDelta, Utc};
use ids::Secret;

pub(crate) use refused::Refused;

use crate::{
    app::App,
    config,
    domain::{
        delivery::Parcel,
        link::{Keys, Link},
    },
    error::Error,
};

/// What writes them.
#[derive(Debug, Clone)]
pub struct Links {
    keys: Keys,
    public_url: String,
    valid_for: TimeDelta,
    listen: SocketAddr,
}

impl Links {
    /// As the configuration says.
    ///
    /// # Errors
    /// The keys can't be read, or are none.
    pub fn read(config: &config::Links) -> Result<Self, ConfigError> {
        let unusable = |why: &dyn Display| ConfigError::unusable("links.key_file", why);
        let text = fs::read_to_string(&config.key_file).map_err(|error| unusable(&error))?;
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let secrets: Result<Vec<_>, _> = lines.map(|line| STANDARD.decode(line)).collect();
        // What is wrong with a line would say what is in it.
        let secrets = secrets.map_err(|_| unusable(&"a line is no base64"))?;
        Ok(Self {
            keys: Keys::new(&secrets).map_err(|error| unusable(&error))?,
            public_url: config.public_url.trim_end_matches('/').to_owned(),
            valid_for: TimeDelta::days(config.valid_days.into()),
            listen: config.listen,
        })
    }

    /// The link of a letter that was written then: the same each time that it is sent.
    pub(crate) fn to(&self, parcel: &Parcel, written_at: DateTime<Utc>) -> Secret<String> {
        let token = self.keys.sign(&Link {
            expires_at: written_at.checked_add_signed(self.valid_for).unwrap_or(DateTime::<Utc>::MAX_UTC),
            force: parcel.force.clone(),
            call: parcel.call,
            referral: parcel.referral,
        });
        Secret::new(format!("{}/r/{token}", self.public_url))
    }

    /// Listens; where.
    ///
    /// # Errors
    /// The port can't be bound.
    pub async fn serve(self, app: App, shutdown: Shutdown, workers: &mut Workers) -> Result<SocketAddr, Error> {
        let listener = http::bind("links", self.listen).await?;
        let address = listener.local_addr().map_err(chassis::Error::Http)?;
        let router = web::router(Arc::new(web::Web::new(app, self.keys)));
        workers.spawn("links", http::serve(listener, router, http::Limits::default(), shutdown));
        Ok(address)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use tempfile::TempDir;

    use super::*;
    use crate::domain::delivery::{Body, What};

    fn read(folder: &TempDir, keys: &str) -> Result<Links, String> {
        let key_file = folder.path().join("keys");
        fs::write(&key_file, keys).unwrap();
        let (listen, public_url) = ("127.0.0.1:0".parse().unwrap(), "https://r.example/".to_owned());
        let config = config::Links { listen, public_url, key_file, valid_days: 28 };
        Links::read(&config).map_err(|error| error.to_string())
    }

    #[test]
    fn a_letter_that_is_sent_again_has_the_same_link_which_ends_by_when_it_was_written() {
        let folder = TempDir::new().unwrap();
        let (new, old) = (STANDARD.encode([1; 32]), STANDARD.encode([2; 32]));
        let links = read(&folder, &format!("{new}\n\n  {old}  \n")).unwrap();
        let (id, at) = (uuid::Uuid::from_u128(7), DateTime::from_timestamp(1_790_000_000, 0).unwrap());
        let parcel = Parcel {
            referral: id.into(),
            call: id.into(),
            force: "kent".parse().unwrap(),
            kind: "idva".to_owned(),
            partner: "kent-idva".to_owned(),
            what: What::Referral,
            body: Body::default(),
        };
        let link = links.to(&parcel, at);
        assert_eq!(link, links.to(&parcel, at));
        let token = link.expose().strip_prefix("https://r.example/r/").unwrap();
        let of_new = Keys::new(&[vec![1; 32]]).unwrap();
        assert!(
            of_new.read(token, at + TimeDelta::days(27)).is_ok()
                && of_new.read(token, at + TimeDelta::days(28)).is_err()
        );
    }

    #[test]
    fn keys_that_are_none_are_refused_without_a_word_of_them() {
        let folder = TempDir::new().unwrap();
        for (keys, wrong) in [("", "no key"), ("!barley!", "no base64"), ("YmFybGV5", "fewer than 32 bytes")] {
            let said = read(&folder, keys).err().unwrap();
            assert!(said.contains("links.key_file") && said.contains(wrong) && !said.contains("barley"), "{said}");
        }
    }
}
