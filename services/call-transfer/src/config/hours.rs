//! `[hours]`: when desks are open.

use std::collections::BTreeMap;

use chassis::config::ConfigError;
use chrono::{NaiveDate, Weekday};
use ids::ForceId;
use serde::Deserialize;

use crate::domain::{self, Calendar, Day};

/// When desks are open.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "config.toml says what each one means")]
pub struct Hours {
    pub every_day: String,
    #[serde(default)]
    pub days: BTreeMap<String, String>,
    #[serde(default)]
    pub force: BTreeMap<String, Own>,
}

/// When a force's own desk is.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "config.toml says what each one means")]
pub struct Own {
    pub every_day: String,
    #[serde(default)]
    pub days: BTreeMap<String, String>,
}

impl Hours {
    /// As the domain takes them.
    pub(super) fn calendar(&self) -> Result<Calendar, ConfigError> {
        let own = self.force.iter().map(|(force, Own { every_day, days })| {
            let key = format!("hours.force.{force}");
            let force: ForceId = force.parse().map_err(|_| ConfigError::unusable(&*key, "not a force"))?;
            Ok((force, hours(&key, every_day, days)?))
        });
        Ok(Calendar { usual: hours("hours", &self.every_day, &self.days)?, own: own.collect::<Result<_, _>>()? })
    }
}

fn hours(key: &str, every_day: &str, days: &BTreeMap<String, String>) -> Result<domain::Hours, ConfigError> {
    let day = |key: String, text: &str| {
        let problem = "such as \"07:00-23:00\", \"22:00-06:00\", \"00:00-24:00\" or \"closed\", please";
        text.parse::<Day>().map_err(|_| ConfigError::unusable(key, problem))
    };
    let mut hours = domain::Hours { week: [day(format!("{key}.every_day"), every_day)?; 7], dates: BTreeMap::new() };
    for (name, text) in days {
        let key = format!("{key}.days.{name}");
        let open = day(key.clone(), text)?;
        if let Ok(weekday) = name.parse::<Weekday>() {
            hours.week[weekday.num_days_from_monday() as usize] = open;
        } else if let Ok(date) = name.parse::<NaiveDate>() {
            hours.dates.insert(date, open);
        } else {
            return Err(ConfigError::unusable(key, "neither a day of the week nor a date such as 2026-12-25"));
        }
    }
    Ok(hours)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn load(env: &[(&str, &str)]) -> Result<Calendar, ConfigError> {
        let env = env.iter().map(|(key, value)| (format!("ALCOVE_CALL_TRANSFER__HOURS__{key}"), (*value).to_owned()));
        chassis::config::load::<crate::Config>("call-transfer", crate::SERVICE.defaults, env).unwrap().calendar()
    }

    #[test]
    fn a_desk_is_open_from_seven_to_eleven_unless_its_force_says_otherwise() {
        let plain = load(&[]).unwrap();
        let day = |text: &str| text.parse::<Day>().unwrap();
        assert_eq!(plain.usual.week, [day("07:00-23:00"); 7]);
        let calendar = load(&[
            ("FORCE__KENT__EVERY_DAY", "00:00-24:00"),
            ("FORCE__KENT__DAYS__SUNDAY", "10:00-18:00"),
            ("FORCE__KENT__DAYS__2026-12-25", "closed"),
        ])
        .unwrap();
        assert_eq!(calendar.usual, plain.usual);
        assert_eq!(calendar.of(&"wmp".parse().unwrap()), &plain.usual);
        let kent = calendar.of(&"kent".parse().unwrap());
        assert_eq!((kent.week[5], kent.week[6]), (day("00:00-24:00"), day("10:00-18:00")));
        assert_eq!(kent.dates, BTreeMap::from([("2026-12-25".parse().unwrap(), day("closed"))]));
        for (key, value) in [
            ("EVERY_DAY", "07:00"),
            ("DAYS__SOMEDAY", "closed"),
            ("DAYS__2026-13-25", "closed"),
            ("DAYS__MONDAY", "no"),
        ] {
            assert!(load(&[(key, value)]).is_err(), "{key}");
        }
    }
}
