//! The calendars: a folder of files, or the shipped ones.

use std::{fs, path::Path};

use chassis::config::Profile;

use super::{Unusable, text};
use crate::domain::calendar::{Calendar, Sheet};

/// By the name of each.
const SHIPPED: [(&str, &str); 3] = [
    ("calendars/bank-holidays.toml", include_str!("../../calendars/bank-holidays.toml")),
    ("calendars/schools-birmingham.toml", include_str!("../../calendars/schools-birmingham.toml")),
    ("calendars/schools-kent.toml", include_str!("../../calendars/schools-kent.toml")),
];

pub(super) fn read(folder: Option<&Path>, profile: Profile) -> Result<Calendar, Unusable> {
    let files = match folder {
        Some(folder) => files(folder)?,
        None => SHIPPED.map(|(name, text)| (name.to_owned(), text.to_owned())).to_vec(),
    };
    let mut calendar = Calendar::default();
    for (name, text) in files {
        let sheet: Sheet = toml::from_str(&text).map_err(|error| Unusable::Refused(name.clone(), error))?;
        if sheet.is_demonstration() && profile == Profile::Production {
            // Whoever named it believes in it. The shipped ones are left out: school is then on every working day.
            if folder.is_some() {
                return Err(Unusable::Demonstration(name));
            }
            continue;
        }
        calendar.add(sheet).map_err(|bad| Unusable::Calendar(name, bad))?;
    }
    if calendar.known_until().is_none() {
        return Err(Unusable::NoBankHolidays(folder.map_or_else(String::new, |folder| folder.display().to_string())));
    }
    Ok(calendar)
}

/// Name and text of each `.toml` file, by name.
fn files(folder: &Path) -> Result<Vec<(String, String)>, Unusable> {
    let unread = |error| Unusable::Unread(folder.display().to_string(), error);
    let mut paths = vec![];
    for entry in fs::read_dir(folder).map_err(unread)? {
        let path = entry.map_err(unread)?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            paths.push(path);
        }
    }
    paths.sort();
    paths.into_iter().map(|path| Ok((path.display().to_string(), text(&path)?))).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::domain::calendar::BadSheet;

    /// A folder with these files.
    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::TempDir::new().unwrap();
        for (name, text) in files {
            fs::write(folder.path().join(name), text).unwrap();
        }
        folder
    }

    #[test]
    fn the_shipped_ones_are_usable_and_production_knows_no_made_up_terms() {
        let dev = read(None, Profile::Dev).unwrap();
        assert_eq!(dev.areas().collect::<Vec<_>>(), ["birmingham", "kent"]);
        let production = read(None, Profile::Production).unwrap();
        assert_eq!((production.areas().count(), production.known_until()), (0, dev.known_until()));
    }

    #[test]
    fn a_folder_takes_their_place_and_what_is_wrong_in_it_is_named() {
        let [(_, holidays), _, (_, kent)] = SHIPPED;
        let usable = folder(&[("a.toml", holidays), ("b.toml", kent), ("readme.txt", "no calendar")]);
        assert_eq!(read(Some(usable.path()), Profile::Dev).unwrap().areas().collect::<Vec<_>>(), ["kent"]);
        let refused = |files: &[(&str, &str)], profile| {
            let folder = folder(files);
            let refused = read(Some(folder.path()), profile).unwrap_err();
            (chassis::chain(&refused), refused)
        };
        let (told, error) = refused(&[("a.toml", holidays), ("b.toml", kent)], Profile::Production);
        assert!(matches!(error, Unusable::Demonstration(_)) && told.contains("b.toml"), "{told}");
        let weekend = holidays.replace("2028-01-03", "2028-01-01");
        let (told, error) = refused(&[("a.toml", &weekend)], Profile::Dev);
        assert!(matches!(error, Unusable::Calendar(_, BadSheet::Weekend(_))), "{told}");
        assert!(told.contains("a.toml") && told.contains("2028-01-01"), "{told}");
        let (told, error) = refused(&[("a.toml", &holidays.replace("2025-12-25", "2025-12-32"))], Profile::Dev);
        assert!(matches!(error, Unusable::Refused(..)) && told.contains("a.toml"), "{told}");
        let (told, error) = refused(&[("b.toml", kent)], Profile::Dev);
        assert!(matches!(error, Unusable::NoBankHolidays(_)), "{told}");
        let missing = usable.path().join("missing");
        assert!(matches!(read(Some(&missing), Profile::Dev), Err(Unusable::Unread(..))));
    }
}
