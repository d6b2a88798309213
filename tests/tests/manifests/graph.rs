//! Who connects to whom, and by which setting: the one table. network.yaml is made from it; the services' settings and code are compared
//! with it, so that a new client without an edge fails here, and not in the cluster.

use std::{collections::BTreeSet, fs};

use super::root;

/// The other end.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum To {
    /// Another of ours.
    Service(&'static str),
    /// Postgres, in its own namespace.
    Postgres,
    /// NATS, beside it.
    Nats,
    /// The OpenTelemetry collector.
    Collector,
    /// Somebody outside of the cluster: a policy knows no names.
    Outside,
    /// Nobody in these manifests: it isn't turned on.
    Off,
    /// Nobody ever: browsers go there, or it is only a name.
    Nobody,
}

/// Those that keep something in Postgres and speak gRPC.
pub const KEEPERS: &[&str] = &["intake", "call-transfer", "video-session", "evidence-store", "referral"];
pub const SERVICES: &[&str] = &["intake", "call-transfer", "video-session", "evidence-store", "referral", "console"];

/// Every setting that is an address, of whom, and what it leads to.
pub const GRAPH: &[(&[&str], &str, To, &[u16])] = &[
    (SERVICES, "telemetry.otlp_endpoint", To::Collector, &[4317]),
    (KEEPERS, "database.url", To::Postgres, &[5432]),
    (KEEPERS, "nats.url", To::Nats, &[4222]),
    (KEEPERS, "tokens.issuer", To::Outside, &[443]),
    (&["intake"], "mait.forces.kent.url", To::Off, &[]),
    (&["video-session"], "instance.url", To::Service("video-session"), &[7103]),
    (&["video-session"], "evidence.url", To::Service("evidence-store"), &[7104]),
    (&["video-session"], "intake.url", To::Service("intake"), &[7101]),
    (&["video-session"], "texts.url", To::Outside, &[443]),
    (&["video-session"], "http.public_url", To::Nobody, &[]),
    (&["video-session"], "http.console_origins", To::Nobody, &[]),
    (&["video-session"], "turn.urls", To::Nobody, &[]),
    (&["video-session"], "page.exit_url", To::Nobody, &[]),
    (&["evidence-store"], "timestamping.url", To::Outside, &[80, 443]),
    (&["evidence-store"], "witness.url", To::Outside, &[443]),
    (&["evidence-store"], "archive.url", To::Outside, &[443]),
    (&["referral"], "evidence.url", To::Service("evidence-store"), &[7104]),
    (&["referral"], "intake.url", To::Service("intake"), &[7101]),
    (&["referral"], "books.partners", To::Outside, &[443]),
    (&["referral"], "mail.host", To::Outside, &[465, 587]),
    (&["referral"], "links.public_url", To::Nobody, &[]),
    (&["console"], "upstreams.intake", To::Service("intake"), &[7101]),
    (&["console"], "upstreams.transfer", To::Service("call-transfer"), &[7102]),
    (&["console"], "upstreams.session", To::Service("video-session"), &[7103]),
    (&["console"], "upstreams.evidence", To::Service("evidence-store"), &[7104]),
    (&["console"], "upstreams.referral", To::Service("referral"), &[7105]),
    (&["console"], "sign_in.issuer", To::Outside, &[443]),
    (&["console"], "sign_in.public_url", To::Nobody, &[]),
    (&["console"], "web.media_origin", To::Nobody, &[]),
];

/// Where connections are made, and by which settings.
const MADE_IN: &[(&str, &[&str])] = &[
    ("crates/chassis/src/grpc/client.rs", &[]),
    ("crates/chassis/src/telemetry.rs", &["telemetry.otlp_endpoint"]),
    ("crates/chassis/src/tls.rs", &[]),
    ("crates/chassis/src/tokens/issuer.rs", &["tokens.issuer"]),
    ("crates/outbox/src/connect.rs", &["database.url", "nats.url"]),
    ("crates/outbox/src/relay.rs", &["database.url"]),
    ("crates/outbox/src/role.rs", &["database.url"]),
    ("crates/outbox/src/wakeups.rs", &["database.url"]),
    (
        "services/console/src/grpc.rs",
        &["upstreams.intake", "upstreams.transfer", "upstreams.session", "upstreams.evidence", "upstreams.referral"],
    ),
    ("services/console/src/oidc.rs", &["sign_in.issuer"]),
    ("services/evidence-store/src/archive.rs", &["archive.url"]),
    ("services/evidence-store/src/log/witness.rs", &["witness.url"]),
    ("services/evidence-store/src/store/sealing.rs", &["database.url"]),
    ("services/evidence-store/src/tsa.rs", &["timestamping.url"]),
    ("services/intake/src/mait/client.rs", &["mait.forces.kent.url"]),
    ("services/referral/src/courier/hook.rs", &["books.partners"]),
    ("services/referral/src/courier/mail.rs", &["mail.host"]),
    ("services/referral/src/lib.rs", &["evidence.url", "intake.url"]),
    ("services/video-session/src/grpc/led.rs", &["instance.url"]),
    ("services/video-session/src/lease.rs", &["database.url"]),
    ("services/video-session/src/serve/opened.rs", &["evidence.url", "intake.url"]),
    ("services/video-session/src/texts.rs", &["texts.url"]),
];

/// How a connection begins, in our code.
const BEGINNINGS: &[&str] = &[
    "connect_lazy(",
    "connect_lazy_with(",
    "Client::builder()",
    "Client::new()",
    "SpanExporter::builder()",
    "ConnectOptions::new()",
    "AsyncSmtpTransport::",
    "AmazonS3Builder::from_env()",
    "TcpStream::connect",
    "UnixStream::connect",
    "PgConnection::connect",
];

/// What may be reached from outside of the namespace, by whom.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Guest {
    /// The ingress controller, in front of which TLS ends.
    Ingress,
    /// Anybody: phones with media, control rooms with a certificate.
    Anybody,
}

/// `(service, guest, protocol, port, the setting of the listener, why)`
pub const DOORS: &[(&str, Guest, &str, u16, &str, &str)] = &[
    ("intake", Guest::Anybody, "TCP", 7101, "grpc.listen", "control rooms, by certificate"),
    ("video-session", Guest::Ingress, "TCP", 7303, "http.listen", "the caller's page, WHIP, WHEP"),
    ("video-session", Guest::Ingress, "TCP", 7503, "receipts.listen", "receipts of text messages"),
    ("video-session", Guest::Anybody, "UDP", 7403, "media.listen", "phones"),
    ("video-session", Guest::Anybody, "TCP", 7403, "media.listen", "phones whose network blocks UDP"),
    ("referral", Guest::Ingress, "TCP", 7305, "links.listen", "links in partners' letters"),
    ("console", Guest::Ingress, "TCP", 7306, "http.listen", "officers"),
];

/// What a service connects to by its settings: `(setting, to, ports)`.
pub fn edges(service: &str) -> impl Iterator<Item = (&'static str, To, &'static [u16])> {
    let of = GRAPH.iter().filter(move |(of, ..)| of.contains(&service));
    of.map(|(_, key, to, ports)| (*key, *to, *ports)).filter(|(_, to, _)| !matches!(to, To::Off | To::Nobody))
}

/// The settings of a service's own config.toml that are addresses, those in comments too.
fn addresses(service: &str) -> BTreeSet<String> {
    let text = fs::read_to_string(root().join(format!("services/{service}/config.toml"))).unwrap();
    let mut section = String::new();
    let mut found = BTreeSet::new();
    for line in text.lines().map(|line| line.trim_start_matches("# ")) {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            section = name.trim_matches(['[', ']']).to_owned();
        }
        let Some((key, value)) = line.split_once(" = ") else { continue };
        let is_key = !key.is_empty() && key.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
        let leads_out = ["url", "urls", "host", "issuer", "partners"].contains(&key) || key.ends_with("_url");
        if is_key && (value.contains("://") || leads_out) {
            found.insert(format!("{section}.{key}"));
        }
    }
    found
}

#[test]
fn every_address_in_a_service_s_settings_is_in_the_graph() {
    for service in SERVICES {
        let known: BTreeSet<_> =
            GRAPH.iter().filter(|(of, ..)| of.contains(service)).map(|(_, key, ..)| (*key).to_owned()).collect();
        assert_eq!(addresses(service), known, "{service}: config.toml beside tests/tests/manifests/graph.rs");
    }
}

#[test]
fn every_place_that_connects_is_in_the_graph() {
    let mut found = BTreeSet::new();
    let mut folders: Vec<_> = SERVICES.iter().map(|service| format!("services/{service}/src")).collect();
    folders.extend(["chassis", "outbox", "exhibit", "api", "ids"].map(|name| format!("crates/{name}/src")));
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(root().join(&folder)).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            let path = format!("{folder}/{name}");
            if root().join(&path).is_dir() && name != "gen" {
                folders.push(path);
            } else if name.ends_with(".rs") && !name.contains("tests") {
                let text = fs::read_to_string(root().join(&path)).unwrap();
                let code = text.split("#[cfg(test)]").next().unwrap_or_default();
                let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
                if lines.into_iter().any(|line| BEGINNINGS.iter().any(|beginning| line.contains(beginning))) {
                    found.insert(path);
                }
            }
        }
    }
    let known: BTreeSet<_> = MADE_IN.iter().map(|(path, _)| (*path).to_owned()).collect();
    assert_eq!(found, known, "a connection is made elsewhere than tests/tests/manifests/graph.rs knows");
    for (path, keys) in MADE_IN {
        for key in *keys {
            assert!(GRAPH.iter().any(|(_, known, ..)| known == key), "{path}: {key} is in no row");
        }
    }
}
