//! Layers, and the refusal of what isn't a setting.

use std::{fs, net::SocketAddr};

use chassis::{
    chain,
    config::{Database, Grpc, LogFormat, Nats, Profile, Telemetry, load, load_with_files},
};
use serde::Deserialize;

use crate::obedient::base;

const DEFAULTS: &str = r#"
profile = "dev"
origins = ["http://a"]
[telemetry]
[grpc]
listen = "127.0.0.1:7103"
[database]
url = "postgres://localhost/session"
[nats]
url = "nats://127.0.0.1:4222"
"#;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    profile: Profile,
    origins: Vec<String>,
    telemetry: Telemetry,
    grpc: Grpc,
    database: Database,
    nats: Nats,
}

fn env(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn refusal(env_pairs: &[(&str, &str)]) -> String {
    chain(&load::<Config>("video-session", DEFAULTS, env(env_pairs)).unwrap_err())
}

#[test]
fn defaults_alone_are_a_configuration() {
    let config: Config = load("video-session", DEFAULTS, []).unwrap();
    assert_eq!(config.profile, Profile::Dev);
    assert_eq!(config.grpc.listen, "127.0.0.1:7103".parse::<SocketAddr>().unwrap());
    assert_eq!((config.telemetry.log.as_str(), config.telemetry.format), ("info", LogFormat::Text));
    assert_eq!(config.grpc.max_connection_age_ms, 60_000);
    assert_eq!((config.database.max_connections, config.nats.stream_replicas), (10, 1));
}

#[test]
fn files_lie_over_the_defaults_in_their_order_and_the_environment_over_all() {
    let folder = tempfile::tempdir().unwrap();
    let files = ["base.toml", "site.toml"].map(|name| folder.path().join(name));
    fs::write(&files[0], "[grpc]\nlisten = '0.0.0.0:1'\n[database]\nmax_connections = 3\n[nats]\nurl = 'nats://a'")
        .unwrap();
    fs::write(&files[1], "[database]\nmax_connections = 4").unwrap();
    let variables = env(&[
        ("ALCOVE_VIDEO_SESSION__GRPC__LISTEN", "0.0.0.0:2"),
        ("ALCOVE_VIDEO_SESSION__ORIGINS", "http://b,http://c"),
        ("ALCOVE_VIDEO_SESSION__DATABASE__URL", "postgres://u:hunter2@db/session"),
        ("ALCOVE_VIDEO_SESSION__TELEMETRY__OTLP_ENDPOINT", "http://127.0.0.1:4317"),
        ("ALCOVE_VIDEO_SESSION__TELEMETRY__FORMAT", "json"),
        ("ALCOVE_VIDEO_SESSION__PROFILE", "production"),
        ("ALCOVE_VIDEO_SESSION__TELEMETRY__LOG", ""),
        ("ALCOVE_INTAKE__GRPC__LISTEN", "0.0.0.0:3"),
        ("ALCOVE_VIDEO", "x"),
    ]);
    let config: Config = load_with_files("video-session", DEFAULTS, &files, variables).unwrap();
    assert_eq!(config.grpc.listen, "0.0.0.0:2".parse::<SocketAddr>().unwrap());
    assert_eq!(config.database.max_connections, 4);
    assert_eq!(config.nats.url, "nats://a");
    assert_eq!(config.origins, ["http://b", "http://c"]);
    assert_eq!(config.telemetry.otlp_endpoint.as_deref(), Some("http://127.0.0.1:4317"));
    assert_eq!(config.telemetry.format, LogFormat::Json);
    assert_eq!(config.profile, Profile::Production);
    assert_eq!(config.telemetry.log, "info", "an empty variable sets nothing");
    assert!(!format!("{config:#?}").contains("hunter2"));
}

#[test]
fn a_text_of_digits_alone_stays_that_text() {
    for text in ["0042", "1e5", "12345678901234567890123", "true", "3.50"] {
        let variables = [("ALCOVE_X__DATABASE__URL", text), ("ALCOVE_X__DATABASE__MAX_CONNECTIONS", "7")];
        let config: Config = load("x", DEFAULTS, env(&variables)).unwrap();
        assert_eq!((config.database.url.expose().as_str(), config.database.max_connections), (text, 7));
    }
}

#[test]
fn one_origin_in_the_environment_is_a_list_of_one() {
    let config: Config = load("x", DEFAULTS, env(&[("ALCOVE_X__ORIGINS", "http://b")])).unwrap();
    assert_eq!(config.origins, ["http://b"]);
}

#[test]
fn an_unknown_key_is_named_in_every_layer() {
    let misspelt = refusal(&[("ALCOVE_VIDEO_SESSION__GRPC__LISTN", "0.0.0.0:2")]);
    assert!(misspelt.contains("listn") && misspelt.contains("video-session"), "{misspelt}");
    assert!(refusal(&[("ALCOVE_VIDEO_SESSION__GRCP__LISTEN", "0.0.0.0:2")]).contains("grcp"));

    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), "[nats]\nreplicas = 3").unwrap();
    let refused = load_with_files::<Config>("x", DEFAULTS, &[file.path().to_owned()], []).unwrap_err();
    assert!(chain(&refused).contains("replicas"), "{}", chain(&refused));

    let refused = load::<Config>("x", &format!("surprise = 1\n{DEFAULTS}"), []).unwrap_err();
    assert!(chain(&refused).contains("surprise"), "{}", chain(&refused));
}

#[test]
fn a_wrong_kind_is_named() {
    let refused = refusal(&[("ALCOVE_VIDEO_SESSION__GRPC__LISTEN", "everywhere")]);
    assert!(refused.contains("grpc.listen"), "{refused}");
    let refused = refusal(&[("ALCOVE_VIDEO_SESSION__DATABASE__MAX_CONNECTIONS", "many")]);
    assert!(refused.contains("database.max_connections"), "{refused}");
}

#[test]
fn a_share_that_is_none_is_named() {
    let checked = |sample_ratio| {
        let mut base = base();
        base.telemetry.sample_ratio = sample_ratio;
        base.check().map_err(|error| chain(&error))
    };
    for share in [0.0, 0.25, 1.0] {
        assert_eq!(checked(share), Ok(()));
    }
    let refused = "telemetry.sample_ratio: a share is between 0 and 1";
    for none in [-0.01, 1.01, f64::NAN, f64::INFINITY] {
        assert_eq!(checked(none), Err(refused.to_owned()), "{none}");
    }
    let asked = env(&[("ALCOVE_VIDEO_SESSION__TELEMETRY__SAMPLE_RATIO", "a tenth")]);
    let worded = chain(&load::<Config>("video-session", DEFAULTS, asked).unwrap_err());
    assert!(worded.contains("telemetry.sample_ratio"), "{worded}");
}

#[test]
fn a_connection_that_would_end_at_once_is_refused() {
    let mut base = base();
    base.grpc = Some(Grpc { max_connection_age_ms: 0, ..Grpc::default() });
    let refused = base.check().map_err(|error| chain(&error));
    assert!(refused.is_err_and(|refused| refused.starts_with("grpc.max_connection_age_ms: ")));
}

#[test]
fn a_missing_file_is_refused() {
    let missing = std::path::PathBuf::from("/nonexistent/alcove.toml");
    assert!(load_with_files::<Config>("x", DEFAULTS, &[missing], []).is_err());
}
