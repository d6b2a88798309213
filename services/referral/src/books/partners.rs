//! Who helps: partners by force, service and postcode area, each with the way by which a referral may go there. A file, checked whole at
//! the start: a referral that goes astray is worse than a service that doesn't start.

use std::{collections::HashSet, fs, path::PathBuf};

use chassis::config::Profile;
use ids::{ForceId, Secret};
use lettre::Address;
use reqwest::Url;
use serde::Deserialize;

use super::postcode::{Area, Outward};
use crate::{
    courier::{hook::key_of, smime::Recipient},
    domain::calendar::Calendar,
};

/// The shortest and the longest key of a signature, in bytes, as Standard Webhooks has it.
const KEY: std::ops::RangeInclusive<usize> = 24..=64;

/// All partners.
#[derive(Debug)]
pub struct PartnerBook(Vec<Partner>);

/// One of them.
#[derive(Debug)]
pub struct Partner {
    /// "kent-idva-east"
    pub id: String,
    /// Whose.
    pub force: ForceId,
    /// For the officer.
    pub name: String,
    /// What they do: "idva", "mash".
    pub services: Vec<String>,
    /// Where; empty: everywhere in the force.
    pub areas: Vec<Area>,
    /// For who has to ring them.
    pub phone: String,
    /// The area of the calendars by whose terms the schools go that they tell; none: every working day is a school day.
    pub school_terms: Option<String>,
    /// How a referral goes there.
    pub route: Route,
}

/// How a referral goes there by itself.
#[derive(Debug)]
pub enum Route {
    /// No way that may be used.
    None,
    /// To this address; encrypted to its holder if we have their certificate, and otherwise to a server that is agreed to be secure.
    Email {
        /// Where to.
        address: Address,
        /// To whom alone it is readable.
        recipient: Option<Recipient>,
    },
    /// Posted to this address, signed.
    Webhook {
        /// Where to.
        url: Url,
        /// What only the partner and we know.
        key: Secret<Vec<u8>>,
    },
}

/// What is wrong with the book.
#[derive(Debug, thiserror::Error)]
#[error("partner {partner}: {wrong}")]
pub struct WrongPartner {
    partner: String,
    wrong: String,
}

/// The file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    partner: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    id: String,
    force: String,
    name: String,
    services: Vec<String>,
    #[serde(default)]
    areas: Vec<String>,
    phone: String,
    school_terms: Option<String>,
    route: Option<Way>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, untagged)]
enum Way {
    Email(EmailWay),
    Webhook(WebhookWay),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EmailWay {
    email: String,
    certificate: Option<PathBuf>,
    #[serde(default)]
    secure_mail: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WebhookWay {
    webhook: String,
    secret_file: PathBuf,
}

impl PartnerBook {
    /// Reads it.
    ///
    /// # Errors
    /// Names the partner, and what is wrong with them.
    pub fn read(name: &str, text: &str, profile: Profile) -> Result<Self, super::Unusable> {
        let file: File = toml::from_str(text).map_err(|error| super::Unusable::Refused(name.to_owned(), error))?;
        let mut ids = HashSet::new();
        let read = file.partner.into_iter().map(|entry| {
            let partner = entry.id.clone();
            let wrong = |wrong: String| WrongPartner { partner: partner.clone(), wrong };
            if !ids.insert(partner.clone()) {
                return Err(wrong("the id is there twice".to_owned()));
            }
            entry.read(profile).map_err(wrong)
        });
        Ok(Self(read.collect::<Result<_, _>>()?))
    }

    /// The force's partners of a service, and whether each serves the postcode; those who do come first, in the book's order.
    #[must_use]
    pub fn of(&self, force: &ForceId, service: &str, postcode: &str) -> Vec<(&Partner, bool)> {
        let outward = Outward::of(postcode);
        let of_force = self.0.iter().filter(|partner| partner.force == *force && partner.serves(service));
        let mut found: Vec<_> = of_force.map(|partner| (partner, partner.is_in_area(outward.as_ref()))).collect();
        found.sort_by_key(|(_, in_area)| !in_area);
        found
    }

    /// The force's partner of that id.
    #[must_use]
    pub fn get(&self, force: &ForceId, id: &str) -> Option<&Partner> {
        self.0.iter().find(|partner| partner.force == *force && partner.id == id)
    }

    /// The first one whose schools go by terms that no calendar has, and the name of these.
    #[must_use]
    pub fn without_calendar(&self, calendar: &Calendar) -> Option<(&str, &str)> {
        let mut terms = self.0.iter().filter_map(|one| Some((one.id.as_str(), one.school_terms.as_deref()?)));
        terms.find(|(_, area)| calendar.areas().all(|known| known != *area))
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// Does anything go by e-mail?
    #[must_use]
    pub fn has_email(&self) -> bool {
        self.0.iter().any(|partner| matches!(partner.route, Route::Email { .. }))
    }
}

impl Partner {
    fn serves(&self, service: &str) -> bool {
        self.services.iter().any(|own| own == service)
    }

    fn is_in_area(&self, outward: Option<&Outward>) -> bool {
        self.areas.is_empty() || outward.is_some_and(|outward| self.areas.iter().any(|area| area.has(outward)))
    }
}

impl Entry {
    fn read(self, profile: Profile) -> Result<Partner, String> {
        if !is_key(&self.id) {
            return Err("an id is 1 to 64 of a-z, 0-9 and '-'".to_owned());
        }
        if self.name.trim().is_empty() || self.phone.trim().is_empty() {
            return Err("a name and a phone number are needed: somebody may have to ring".to_owned());
        }
        if let Some(service) = self.services.iter().find(|service| !is_key(service)) {
            return Err(format!("{service:?} is no service: 1 to 64 of a-z, 0-9 and '-'"));
        }
        if self.services.is_empty() {
            return Err("it has no service".to_owned());
        }
        let area = |text: &String| Area::read(text).ok_or(format!("{text:?} is no postcode area, such as CT or ME14"));
        Ok(Partner {
            id: self.id,
            force: self.force.parse().map_err(|error| format!("force: {error}"))?,
            name: self.name,
            services: self.services,
            areas: self.areas.iter().map(area).collect::<Result<_, _>>()?,
            phone: self.phone,
            school_terms: self.school_terms,
            route: self.route.map_or(Ok(Route::None), |way| way.read(profile))?,
        })
    }
}

impl Way {
    fn read(self, profile: Profile) -> Result<Route, String> {
        match self {
            Self::Email(way) => way.read(),
            Self::Webhook(way) => way.read(profile),
        }
    }
}

impl EmailWay {
    fn read(self) -> Result<Route, String> {
        let address = self.email.parse().map_err(|_| "the e-mail address is none".to_owned())?;
        let recipient = match self.certificate {
            None if self.secure_mail => None,
            None => return Err("an e-mail route needs `certificate`, or `secure_mail = true`".to_owned()),
            Some(path) => {
                let pem = fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
                Some(Recipient::read(&pem).map_err(|wrong| format!("{}: {wrong}", path.display()))?)
            }
        };
        Ok(Route::Email { address, recipient })
    }
}

impl WebhookWay {
    fn read(self, profile: Profile) -> Result<Route, String> {
        let url: Url = self.webhook.parse().map_err(|_| "the webhook is no URL".to_owned())?;
        if url.scheme() != "https" && (url.scheme() != "http" || profile != Profile::Dev) {
            return Err("a webhook is an https:// URL".to_owned());
        }
        if url.host().is_none() || !url.username().is_empty() || url.password().is_some() {
            return Err("a webhook's URL has a host, and no password in it".to_owned());
        }
        let path = self.secret_file;
        let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let key = key_of(&text).filter(|key| KEY.contains(&key.len()));
        let key = key.ok_or(format!("{}: a secret is whsec_ and 24 to 64 bytes in base64", path.display()))?;
        Ok(Route::Webhook { url, key: Secret::new(key) })
    }
}

fn is_key(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

#[cfg(test)]
#[path = "partners_tests.rs"]
mod tests;
