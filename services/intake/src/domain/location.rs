//! Where the caller is. Personal data: shown with their consent and to who says why, forgotten after some hours.

use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};

use super::Invalid;

/// A place, in WGS 84. No `Debug`: it reaches no log.
#[derive(Clone, PartialEq)]
pub struct Location {
    /// Degrees north.
    pub latitude: f64,
    /// Degrees east.
    pub longitude: f64,
    /// They are within so many metres of it; 0 is unknown.
    pub accuracy_m: u32,
    /// Such as "top flat, blue door".
    pub words: String,
    /// When they were there.
    pub taken_at: DateTime<Utc>,
}

/// A place that may be looked at.
#[derive(Clone, PartialEq)]
pub struct Shown {
    /// Where.
    pub location: Location,
    /// When it will be forgotten.
    pub expires_at: DateTime<Utc>,
}

/// The most characters of its words.
const WORDS: usize = 200;
/// Nothing on Earth is less certain.
const LEAST_ACCURATE_M: u32 = 1_000_000;

impl Location {
    /// Checks that it is a place.
    ///
    /// # Errors
    /// It isn't one on Earth, it is the point where two fields are left empty, or its words are too long.
    pub fn checked(self) -> Result<Self, Invalid> {
        let is_on_earth = (-90.0..=90.0).contains(&self.latitude) && (-180.0..=180.0).contains(&self.longitude);
        let is_set = self.latitude != 0.0 || self.longitude != 0.0;
        if !is_on_earth || !is_set || self.accuracy_m > LEAST_ACCURATE_M {
            return Err(Invalid { field: "location", rule: "a place in WGS 84 degrees" });
        }
        if self.words.chars().count() > WORDS || self.words.contains('\0') {
            return Err(Invalid { field: "location", rule: "a place with words of up to 200 characters" });
        }
        Ok(self)
    }

    /// Until when it is kept: the time counts from when they were there, and at most from now.
    #[must_use]
    pub fn expires_at(&self, now: DateTime<Utc>, kept_for: TimeDelta) -> DateTime<Utc> {
        self.taken_at.min(now) + kept_for
    }
}

impl fmt::Debug for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl fmt::Debug for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(latitude: f64, longitude: f64) -> Location {
        Location { latitude, longitude, accuracy_m: 20, words: String::new(), taken_at: DateTime::UNIX_EPOCH }
    }

    #[test]
    fn a_place_is_one_on_earth_and_never_an_empty_field() {
        assert!(place(52.48, -1.9).checked().is_ok());
        let bad = [(0.0, 0.0), (90.1, 0.0), (1.0, -180.5), (f64::NAN, 1.0), (1.0, f64::INFINITY)];
        assert!(bad.into_iter().all(|(latitude, longitude)| place(latitude, longitude).checked().is_err()));
        assert!(Location { accuracy_m: u32::MAX, ..place(1.0, 1.0) }.checked().is_err());
        assert!(Location { words: "x".repeat(201), ..place(1.0, 1.0) }.checked().is_err());
        assert_eq!(format!("{:?}", place(52.48, -1.9)), "[redacted]");
    }

    #[test]
    fn it_is_forgotten_by_when_they_were_there_and_never_later_for_a_wrong_clock() {
        let (now, hour) = (DateTime::UNIX_EPOCH + TimeDelta::hours(5), TimeDelta::hours(1));
        assert_eq!(place(1.0, 1.0).expires_at(now, hour), DateTime::UNIX_EPOCH + hour);
        let ahead = Location { taken_at: now + hour, ..place(1.0, 1.0) };
        assert_eq!(ahead.expires_at(now, hour), now + hour);
    }
}
