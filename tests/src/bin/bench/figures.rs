//! The figures: collected as they are measured, printed as a table, written as JSON, with its target.

use std::{
    fmt, fs, io,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde::{Serialize, Serializer};

/// What a figure should be.
#[derive(Debug, Clone, Copy)]
pub enum Target {
    /// No more than this.
    AtMost(f64),
    /// No less than this.
    AtLeast(f64),
    /// Nothing in particular: it is reported.
    None,
}

impl Target {
    fn is_met(self, value: f64) -> Option<bool> {
        match self {
            Self::AtMost(most) => Some(value <= most),
            Self::AtLeast(least) => Some(value >= least),
            Self::None => None,
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtMost(most) => write!(f, "<= {most}"),
            Self::AtLeast(least) => write!(f, ">= {least}"),
            Self::None => Ok(()),
        }
    }
}

impl Serialize for Target {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::None => serializer.serialize_none(),
            target => serializer.collect_str(target),
        }
    }
}

/// One figure.
#[derive(Debug, Clone, Serialize)]
pub struct Figure {
    id: String,
    value: f64,
    unit: &'static str,
    target: Target,
    peer: Option<f64>,
    note: String,
}

impl Figure {
    /// A figure, and how it came about: at least the number of samples.
    pub fn new(id: impl Into<String>, value: f64, unit: &'static str, target: Target, note: String) -> Self {
        Self { id: id.into(), value: rounded(value), unit, target, peer: None, note }
    }

    /// The figure of what it is compared with, measured in the same run.
    pub fn beside(mut self, peer: f64) -> Self {
        self.peer = Some(rounded(peer));
        self
    }
}

/// To four significant digits: more is noise.
fn rounded(value: f64) -> f64 {
    if value == 0.0 || !value.is_finite() {
        return 0.0;
    }
    let scale = 10_f64.powi(3 - value.abs().log10().floor() as i32);
    (value * scale).round() / scale
}

/// All figures so far. A clone collects into the same.
#[derive(Debug, Clone, Default)]
pub struct Figures(Arc<Mutex<Vec<Figure>>>);

impl Figures {
    fn all(&self) -> MutexGuard<'_, Vec<Figure>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One more.
    pub fn add(&self, figure: Figure) {
        let peer = figure.peer.map_or_else(String::new, |peer| format!(" (peer {peer})"));
        eprintln!("  {} = {} {}{peer}", figure.id, figure.value, figure.unit);
        self.all().push(figure);
    }

    /// For people: one line a figure, its note below.
    pub fn table(&self) -> String {
        let mut text =
            format!("{:<30}{:>10} {:<8}{:>10}  {:<8}{:>10}\n", "figure", "value", "unit", "target", "", "peer");
        for figure in self.all().iter() {
            let verdict = match figure.target.is_met(figure.value) {
                Some(true) => "met",
                Some(false) => "MISSED",
                None => "",
            };
            let peer = figure.peer.map_or_else(String::new, |peer| peer.to_string());
            let target = figure.target.to_string();
            text.push_str(&format!(
                "{:<30}{:>10} {:<8}{target:>10}  {verdict:<8}{peer:>10}\n    {}\n",
                figure.id, figure.value, figure.unit, figure.note,
            ));
        }
        text
    }

    /// For programs: the list.
    pub fn write(&self, to: &Path) -> io::Result<()> {
        let json = serde_json::to_vec_pretty(&*self.all())?;
        let draft = to.with_extension("draft");
        fs::write(&draft, json)?;
        fs::rename(draft, to)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_list_is_as_the_design_says() {
        let figures = Figures::default();
        figures.add(Figure::new("seal_p99_s", 0.123_456, "s", Target::AtMost(1.0), "3 calls".into()).beside(0.5));
        figures.add(Figure::new("cpu", 12_345.6, "%", Target::None, String::new()));
        let json = serde_json::to_value(&*figures.all()).unwrap();
        let expected = serde_json::json!([
            { "id": "seal_p99_s", "value": 0.1235, "unit": "s", "target": "<= 1", "peer": 0.5, "note": "3 calls" },
            { "id": "cpu", "value": 12350.0, "unit": "%", "target": null, "peer": null, "note": "" },
        ]);
        assert_eq!(json, expected);
        assert!(figures.table().contains("met"));
    }

    #[test]
    fn a_target_is_met_or_missed() {
        assert_eq!(Target::AtMost(1.0).is_met(1.1), Some(false));
        assert_eq!(Target::AtLeast(1.0).is_met(1.1), Some(true));
        assert_eq!(Target::None.is_met(1.1), None);
    }
}
