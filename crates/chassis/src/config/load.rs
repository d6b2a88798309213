//! Lays the layers on each other and reads the result into the service's own type.

use std::{collections::HashMap, path::PathBuf};

use ::config::{Config, Environment, File, FileFormat, Map, Value, ValueKind};
use serde::de::DeserializeOwned;

use super::ConfigError;

/// Defaults, then the environment. `env` is every variable of the process; those of other services are left alone.
///
/// # Errors
/// Names the key that is unknown, missing or of the wrong kind.
pub fn load<C: DeserializeOwned>(
    service: &str,
    defaults: &str,
    env: impl IntoIterator<Item = (String, String)>,
) -> Result<C, ConfigError> {
    load_with_files(service, defaults, &[], env)
}

/// Defaults, then each of the files over those before it, then the environment.
///
/// # Errors
/// When a file can't be read, and as [`load`].
pub fn load_with_files<C: DeserializeOwned>(
    service: &str,
    defaults: &str,
    files: &[PathBuf],
    env: impl IntoIterator<Item = (String, String)>,
) -> Result<C, ConfigError> {
    let invalid = |error| ConfigError::Invalid { service: service.to_owned(), source: Box::new(error) };
    let mut layers = Config::builder().add_source(File::from_str(defaults, FileFormat::Toml));
    for path in files {
        layers = layers.add_source(File::from(path.as_path()).format(FileFormat::Toml).required(true));
    }
    let lists = list_keys(&layers.build_cloned().map_err(invalid)?.cache);
    let prefix = format!("ALCOVE_{}", service.to_uppercase().replace('-', "_"));
    let mut env: HashMap<String, String> = env.into_iter().map(|(name, value)| (name.to_uppercase(), value)).collect();
    for key in lists {
        let value = env.remove(&format!("{prefix}__{}", key.replace('.', "__").to_uppercase()));
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            let items: Vec<String> = value.split(',').map(str::to_owned).collect();
            layers = layers.set_override(key, items).map_err(invalid)?;
        }
    }
    // All as the text that it is: a password of digits alone is no number, and whoever wants a number reads it from the text.
    let environment = Environment::with_prefix(&prefix).prefix_separator("__").separator("__");
    let environment = environment.ignore_empty(true).source(Some(env));
    layers.add_source(environment).build().and_then(Config::try_deserialize).map_err(invalid)
}

/// The keys whose value is a list in the layers below: in the environment those are written with commas.
fn list_keys(value: &Value) -> Vec<String> {
    fn walk(path: &str, table: &Map<String, Value>, found: &mut Vec<String>) {
        for (key, value) in table {
            let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
            match &value.kind {
                ValueKind::Table(inner) => walk(&path, inner, found),
                ValueKind::Array(_) => found.push(path),
                _ => {}
            }
        }
    }
    let mut found = Vec::new();
    if let ValueKind::Table(table) = &value.kind {
        walk("", table, &mut found);
    }
    found
}
