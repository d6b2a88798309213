//! What the caller's page can turn into, as it has it: in one language, and without what is for the officer.

use serde_json::{Map, Value, json};

use crate::domain::{Catalogue, ENGLISH, Pretext};

/// All of them, each in that language; in English as a whole, where any of its words is missing.
pub(super) fn in_language(language: &str) -> String {
    let all: Vec<Value> = Pretext::all().map(|pretext| front(pretext, language)).collect();
    Value::from(all).to_string()
}

fn front(pretext: Pretext, language: &str) -> Value {
    // The files are JSON: a test of the domain reads each.
    let mut file: Map<String, Value> = serde_json::from_str(pretext.file()).unwrap_or_default();
    file.remove("say");
    let file = Value::Object(file);
    let (language, mut front) = match said(&file, language) {
        Some(front) => (language, front),
        None => (ENGLISH, said(&file, ENGLISH).unwrap_or_default()),
    };
    front["language"] = language.into();
    front["dir"] = json!(Catalogue::of(language).map(|catalogue| catalogue.dir.as_str()));
    front
}

/// The same with each text in that language; `None` if one isn't there. What has English is a text.
fn said(value: &Value, language: &str) -> Option<Value> {
    match value {
        Value::Object(texts) if texts.contains_key(ENGLISH) => texts.get(language).cloned(),
        Value::Object(parts) => {
            let parts = parts.iter().map(|(name, part)| Some((name.clone(), said(part, language)?)));
            parts.collect::<Option<Map<_, _>>>().map(Value::Object)
        }
        Value::Array(items) => {
            items.iter().map(|item| said(item, language)).collect::<Option<Vec<_>>>().map(Value::Array)
        }
        other => Some(other.clone()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn every_page_has_all_of_them_whole_and_nothing_for_the_officer() {
        for catalogue in Catalogue::all() {
            let text = in_language(catalogue.language);
            let fronts: Vec<Value> = serde_json::from_str(&text).unwrap();
            assert_eq!(fronts.len(), Pretext::all().count());
            for (front, pretext) in fronts.iter().zip(Pretext::all()) {
                assert_eq!(front["id"], pretext.id());
                assert!(front["title"].is_string() && front["say"].is_null() && !front["parts"][0].is_null());
                let language = front["language"].as_str().unwrap();
                assert!(language == catalogue.language || language == ENGLISH);
                assert_eq!(front["dir"], Catalogue::of(language).unwrap().dir.as_str());
            }
        }
    }

    #[test]
    fn a_language_is_there_as_a_whole_or_not_at_all() {
        let both = json!({ "parts": [{ "text": { "en": "one", "cy": "un" } }, [2, { "en": "two", "cy": "dau" }]] });
        assert_eq!(said(&both, "cy"), Some(json!({ "parts": [{ "text": "un" }, [2, "dau"]] })));
        let half = json!([{ "en": "one", "cy": "un" }, { "en": "two" }]);
        assert_eq!(said(&half, "cy"), None);
    }
}
