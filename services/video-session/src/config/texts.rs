//! `[texts]`: who delivers text messages, and what they say.

use chassis::{
    ConfigError,
    config::{Profile, SecretString},
};
use serde::Deserialize;

use crate::{
    domain::{Link, is_one_message},
    texts::ApiKey,
    web::Urls,
};

/// Bytes of what receipts are known by.
const SHORTEST_SECRET: usize = 20;

/// `[texts]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Texts {
    /// Without one none are sent.
    #[serde(default)]
    pub provider: Option<Carrier>,
    /// Where it is.
    #[serde(default)]
    pub url: Option<String>,
    /// Notify's API key, or what the webhook's requests are signed with.
    #[serde(default)]
    pub key: Option<SecretString>,
    /// Notify's template.
    #[serde(default)]
    pub template_id: Option<String>,
    /// Notify's sender, if not the service's first.
    #[serde(default)]
    pub sender_id: Option<String>,
    /// As the phone shows it.
    pub sender: String,
    /// With the place for the link.
    pub words: String,
    /// What its receipts are known by.
    #[serde(default)]
    pub receipt_key: Option<SecretString>,
}

/// Who delivers messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Carrier {
    /// GOV.UK Notify.
    Notify,
    /// A gateway of the force's own.
    Webhook,
}

impl Texts {
    /// Where it is.
    ///
    /// # Errors
    /// When that isn't set.
    pub fn url(&self) -> Result<&str, ConfigError> {
        needed("texts.url", self.url.as_deref())
    }

    /// What its requests are signed with.
    ///
    /// # Errors
    /// When that isn't set.
    pub fn key(&self) -> Result<&SecretString, ConfigError> {
        needed("texts.key", self.key.as_ref().filter(|key| !key.expose().is_empty()))
    }

    /// The same, as Notify has it.
    ///
    /// # Errors
    /// When it isn't set, or none of theirs.
    pub fn api_key(&self) -> Result<ApiKey, ConfigError> {
        let not_theirs = || ConfigError::unusable("texts.key", "is no API key of Notify: name-service-secret");
        ApiKey::parse(self.key()?).ok_or_else(not_theirs)
    }

    /// Notify's template.
    ///
    /// # Errors
    /// When that isn't set.
    pub fn template_id(&self) -> Result<&str, ConfigError> {
        needed("texts.template_id", self.template_id.as_deref())
    }

    /// What its receipts are known by.
    ///
    /// # Errors
    /// When that isn't set.
    pub fn receipt_key(&self) -> Result<&SecretString, ConfigError> {
        needed("texts.receipt_key", self.receipt_key.as_ref())
    }

    pub(super) fn check(&self, profile: Profile, public_url: Option<&str>) -> Result<(), ConfigError> {
        let Some(carrier) = self.provider else { return Ok(()) };
        let is_production = profile == Profile::Production;
        let url = self.url()?;
        if !url.starts_with("https://") && (is_production || !url.starts_with("http://")) {
            return Err(ConfigError::unusable("texts.url", "must be a https address"));
        }
        if is_production && public_url.is_none() {
            return Err(ConfigError::unusable("http.public_url", "links in text messages need it"));
        }
        self.key()?;
        if carrier == Carrier::Notify {
            self.api_key()?;
            self.template_id()?;
        }
        if self.receipt_key()?.expose().len() < SHORTEST_SECRET {
            return Err(ConfigError::unusable("texts.receipt_key", format!("needs at least {SHORTEST_SECRET} bytes")));
        }
        let link = Urls::new(public_url.unwrap_or("http://127.0.0.1:65535")).link(&Link::from_bits([0; 16]));
        is_one_message(&self.words, &link).map_err(|error| ConfigError::unusable("texts.words", error))
    }
}

fn needed<T>(key: &str, value: Option<T>) -> Result<T, ConfigError> {
    value.ok_or_else(|| ConfigError::unusable(key, "the provider of text messages needs it"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use chassis::ServiceConfig;

    use crate::config::tests::{load, problem};

    #[test]
    fn a_provider_of_text_messages_is_whole_or_refused() {
        let uuid = "26785a09-ab16-4eb0-8407-a37497a57506";
        let key = format!("desk-{uuid}-{uuid}");
        let whole = [
            ("TEXTS__PROVIDER", "notify"),
            ("TEXTS__URL", "http://127.0.0.1:1"),
            ("TEXTS__KEY", key.as_str()),
            ("TEXTS__TEMPLATE_ID", uuid),
            ("TEXTS__RECEIPT_KEY", "the north wind and the sun"),
        ];
        let loaded = load(&whole).unwrap();
        loaded.check().unwrap();
        assert!(!format!("{loaded:?}").contains(uuid) || loaded.texts.template_id.as_deref() == Some(uuid));
        assert!(!format!("{loaded:?}").contains(&key) && !format!("{loaded:?}").contains("north wind"));
        for left_out in ["texts.url", "texts.key", "texts.template_id", "texts.receipt_key"] {
            let name = left_out.to_uppercase().replace('.', "__");
            let rest: Vec<_> = whole.into_iter().filter(|(key, _)| *key != name).collect();
            assert!(problem(&rest).starts_with(left_out), "{left_out}");
        }
        for (name, text) in [("TEXTS__KEY", "desk"), ("TEXTS__WORDS", "no link"), ("TEXTS__RECEIPT_KEY", "short")] {
            let changed: Vec<_> = whole.into_iter().filter(|(key, _)| *key != name).chain([(name, text)]).collect();
            assert!(problem(&changed).starts_with(&name.to_lowercase().replace("__", ".")), "{name}");
        }
    }
}
