//! Dashboards, alerts and runbooks say what there is: each names only metrics and attributes that `docs/metrics.md` lists, each alert has
//! its page, each page its alert. That services export what the list says is asked in `privacy.rs`, of a call. Whether a query is
//! PromQL is Prometheus' own to say: `make check` asks `promtool`.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::PathBuf,
};

use serde_json::Value;
use testkit::{MetricKind, SeenMetric, workspace};

/// What Prometheus itself puts on every series, and what a resource says of each.
const EVERYWHERE: [&str; 4] = ["job", "instance", "le", "service_version"];

/// A row of the list.
#[derive(Debug, Clone)]
pub struct Documented {
    /// As OpenTelemetry has it.
    pub name: String,
    /// As Prometheus has it, without `_bucket` and the like.
    pub prometheus: String,
    /// With `_bucket`, `_sum` and `_count`.
    is_histogram: bool,
    /// As Prometheus has them.
    pub attributes: BTreeSet<String>,
}

fn underscored(name: &str) -> String {
    name.replace('.', "_")
}

/// The table in `docs/metrics.md`.
pub fn documented() -> Vec<Documented> {
    let text = fs::read_to_string(workspace().join("docs/metrics.md")).unwrap();
    let mut rows: Vec<Documented> = Vec::new();
    for line in text.lines().skip_while(|line| !line.starts_with("| metric |")).skip(2).filter(|l| l.starts_with('|')) {
        let cells: Vec<_> = line.split('|').map(str::trim).collect();
        let words = |cell: &str| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>();
        let mut attributes: BTreeSet<_> = words(cells[3]).iter().map(|name| underscored(name)).collect();
        if cells[3] == "as above" {
            attributes = rows.iter().find(|row| row.name == "rpc.server.call.duration").unwrap().attributes.clone();
        }
        rows.push(Documented {
            name: words(cells[1]).remove(0),
            prometheus: words(cells[2]).remove(0),
            is_histogram: cells[2].ends_with("(histogram)"),
            attributes,
        });
    }
    assert!(rows.len() > 30, "the table was not found");
    rows
}

/// What Prometheus makes of a metric's name: dots are underscores, the unit is appended if it is one, counters end in `_total`.
pub fn prometheus_name(metric: &SeenMetric) -> String {
    let unit = match metric.unit.as_str() {
        "s" => "_seconds",
        "By" => "_bytes",
        "1" if metric.kind == MetricKind::Gauge => "_ratio",
        _ => "",
    };
    let total = if metric.kind == MetricKind::Counter { "_total" } else { "" };
    format!("{}{unit}{total}", underscored(&metric.name))
}

/// The metrics that are listed and have not come.
pub fn absent(seen: &[SeenMetric]) -> BTreeSet<String> {
    let came: BTreeSet<_> = seen.iter().filter(|one| !one.points.is_empty()).map(prometheus_name).collect();
    documented().into_iter().map(|row| row.prometheus).filter(|name| !came.contains(name)).collect()
}

/// All that came is listed, with each of its attributes.
pub fn assert_listed(seen: &[SeenMetric]) {
    let rows: BTreeMap<_, _> = documented().into_iter().map(|row| (row.prometheus.clone(), row)).collect();
    for metric in seen {
        let name = prometheus_name(metric);
        let row = rows.get(&name).unwrap_or_else(|| panic!("{name} of {} is not in docs/metrics.md", metric.service));
        assert_eq!(row.name, metric.name);
        for attribute in metric.points.iter().flat_map(|(_, attributes)| attributes.keys()) {
            assert!(row.attributes.contains(&attribute.replace('.', "_")), "{name} has an unlisted {attribute}");
        }
    }
}

/// An alert, as `alerts.yaml` has it: one key a line, a long expression folded below its key.
#[derive(Debug, Default)]
struct Alert {
    name: String,
    expr: String,
    severity: String,
    runbook: String,
}

fn alerts() -> Vec<Alert> {
    let text = fs::read_to_string(workspace().join("deploy/observability/alerts.yaml")).unwrap();
    let mut alerts: Vec<Alert> = Vec::new();
    let mut folded = false;
    for line in text.lines() {
        let trimmed = line.trim();
        if let Some(name) = trimmed.strip_prefix("- alert: ") {
            alerts.push(Alert { name: name.to_owned(), ..Alert::default() });
        }
        let Some(alert) = alerts.last_mut() else { continue };
        let key = trimmed.split_once(": ").map_or("", |(key, _)| key);
        let value = trimmed.split_once(": ").map_or("", |(_, value)| value);
        match key {
            "expr" if value == ">-" => folded = true,
            "expr" => value.clone_into(&mut alert.expr),
            "labels" => {
                value.trim_start_matches("{severity: ").trim_end_matches('}').clone_into(&mut alert.severity);
                folded = false;
            }
            "for" => folded = false,
            "runbook_url" => value.clone_into(&mut alert.runbook),
            _ if folded => alert.expr += &format!(" {trimmed}"),
            _ => {}
        }
    }
    alerts
}

/// The queries of a dashboard, by panel.
fn queries(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            found.extend(fields.get("expr").and_then(Value::as_str).map(str::to_owned));
            // A variable's choices.
            found.extend(fields.get("definition").and_then(Value::as_str).map(str::to_owned));
            fields.values().for_each(|value| queries(value, found));
        }
        Value::Array(all) => all.iter().for_each(|value| queries(value, found)),
        _ => {}
    }
}

fn dashboards() -> BTreeMap<PathBuf, Value> {
    let folder = workspace().join("deploy/observability/dashboards");
    let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    files.map(|file| (file.clone(), serde_json::from_slice(&fs::read(&file).unwrap()).unwrap())).collect()
}

/// Every word of a query that isn't within quotes or a range.
fn names(query: &str) -> BTreeSet<String> {
    let unquoted: String = query.split('"').step_by(2).collect::<Vec<_>>().join("\"\"");
    let mut names = BTreeSet::new();
    for part in unquoted.split('[').map(|part| part.split_once(']').map_or(part, |(_, rest)| rest)) {
        let words = part.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '$'));
        let is_name = |word: &&str| word.starts_with(|c: char| c.is_ascii_lowercase());
        names.extend(words.filter(is_name).map(str::to_owned));
    }
    names
}

/// What a query has of PromQL's own.
const PROMQL: [&str; 25] = [
    "sum",
    "max",
    "min",
    "count",
    "by",
    "rate",
    "increase",
    "histogram_quantile",
    "topk",
    "vector",
    "or",
    "and",
    "on",
    "abs",
    "absent",
    "clamp_min",
    "last_over_time",
    "avg",
    "without",
    "unless",
    "ignoring",
    "bool",
    "group_left",
    "label_values",
    "resets",
];

fn unknown(query: &str, rows: &[Documented]) -> Vec<String> {
    let series: BTreeSet<String> = rows
        .iter()
        .flat_map(|row| {
            let endings: &[&str] = if row.is_histogram { &["_bucket", "_sum", "_count"] } else { &[""] };
            endings.iter().map(|ending| format!("{}{ending}", row.prometheus)).collect::<Vec<_>>()
        })
        .collect();
    let used: Vec<_> = rows.iter().filter(|row| query.contains(&row.prometheus)).collect();
    let known = |name: &String| {
        series.contains(name)
            || PROMQL.contains(&name.as_str())
            || EVERYWHERE.contains(&name.as_str())
            || used.iter().any(|row| row.attributes.contains(name))
    };
    names(query).into_iter().filter(|name| !known(name)).collect()
}

#[test]
fn dashboards_and_alerts_ask_for_what_there_is() {
    let rows = documented();
    let mut asked = Vec::new();
    for (file, board) in dashboards() {
        let mut found = Vec::new();
        queries(&board, &mut found);
        assert!(found.len() > 10, "{}", file.display());
        asked.extend(found.into_iter().map(|query| (file.display().to_string(), query)));
    }
    assert_eq!(asked.iter().map(|(file, _)| file).collect::<BTreeSet<_>>().len(), 4);
    asked.extend(alerts().into_iter().map(|alert| (alert.name, alert.expr)));
    for (from, query) in &asked {
        assert_eq!(unknown(query, &rows), Vec::<String>::new(), "{from}: {query}");
        for (opens, closes) in [('(', ')'), ('{', '}'), ('[', ']')] {
            assert_eq!(query.matches(opens).count(), query.matches(closes).count(), "{from}: {query}");
        }
    }
    // The list holds nothing that nobody looks at.
    for row in &rows {
        assert!(asked.iter().any(|(_, query)| query.contains(&row.prometheus)), "nobody asks for {}", row.name);
    }
    // And a slip is seen.
    for slip in
        ["max(alcove_session_lives)", "sum by (alcove_stage) (alcove_session_live)", "rat(alcove_session_live[5m])"]
    {
        assert_eq!(unknown(slip, &rows).len(), 1, "{slip}");
    }
}

#[test]
fn each_alert_has_its_page_and_each_page_its_alert() {
    let text = fs::read_to_string(workspace().join("docs/runbooks.md")).unwrap();
    let anchor = |title: &str| title.to_lowercase().replace(' ', "-");
    let mut pages = BTreeMap::new();
    for section in text.split("\n## ").skip(1) {
        let (title, body) = section.split_once('\n').unwrap();
        for part in ["Means:", "At stake:", "Look:", "Do:"] {
            assert!(body.lines().any(|line| line.starts_with(part)), "{title} has no {part}");
        }
        pages.insert(anchor(title), body);
    }
    let mut left: BTreeSet<_> = pages.keys().cloned().collect();
    for alert in alerts() {
        let (_, to) = alert.runbook.split_once("runbooks.md#").unwrap_or_else(|| panic!("{} has no page", alert.name));
        assert!(pages.contains_key(to), "{}: {to}", alert.name);
        assert_eq!(to.replace('-', ""), alert.name.to_lowercase());
        assert!(["page", "ticket"].contains(&alert.severity.as_str()), "{}: {}", alert.name, alert.severity);
        left.remove(to);
    }
    assert_eq!(left, BTreeSet::new(), "pages of no alert");
    // Links between pages lead somewhere, and so do those to other documents.
    for link in text.split("](").skip(1).map(|rest| rest.split(')').next().unwrap()) {
        match link.strip_prefix('#') {
            Some(page) => assert!(pages.contains_key(page), "{link}"),
            None => {
                let document = link.split('#').next().unwrap();
                assert!(workspace().join("docs").join(document).exists(), "{link}");
            }
        }
    }
}
