//! What a cluster would be given: the rendered objects of a kustomization, and how a workload starts its process.

use std::{
    collections::BTreeMap,
    process::{Command, Stdio},
};

use serde::Deserialize;
use serde_json::Value;

use super::root;

/// With everything that the services have; the rest of the sites is made of the same.
pub const PRODUCTION: &str = "overlays/production";
pub const SITES: &[&str] = &["overlays/dev", "overlays/staging", PRODUCTION];
pub const WITNESS: &str = "witness";

/// What is made of a kustomization.
pub struct Rendered {
    pub of: &'static str,
    pub objects: Vec<Value>,
}

/// Something that runs pods.
pub struct Workload<'a> {
    pub name: &'a str,
    pub kind: &'a str,
    pub object: &'a Value,
    pub pod: &'a Value,
}

pub fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

pub fn list<'a>(value: &'a Value, pointer: &str) -> impl Iterator<Item = &'a Value> {
    value.pointer(pointer).and_then(Value::as_array).into_iter().flatten()
}

pub fn documents(yaml: &str) -> Vec<Value> {
    serde_norway::Deserializer::from_str(yaml).map(|document| Value::deserialize(document).unwrap()).collect()
}

/// Renders all of them at once.
pub fn render(all: &[&'static str]) -> Vec<Rendered> {
    let kubectl = root().join("target/tools/bin/kubectl");
    assert!(kubectl.exists(), "no kubectl: make tools");
    let started: Vec<_> = all
        .iter()
        .map(|of| {
            let mut command = Command::new(&kubectl);
            command.arg("kustomize").arg(root().join("deploy/k8s").join(of));
            (*of, command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap())
        })
        .collect();
    let finished = started.into_iter().map(|(of, child)| {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{of}: {}", String::from_utf8_lossy(&output.stderr));
        Rendered { of, objects: documents(&String::from_utf8(output.stdout).unwrap()) }
    });
    finished.collect()
}

impl Rendered {
    pub fn of_kind(&self, kind: &str) -> impl Iterator<Item = &Value> {
        self.objects.iter().filter(move |object| object["kind"] == kind)
    }

    pub fn named(&self, kind: &str, name: &str) -> &Value {
        let mut found = self.of_kind(kind).filter(|object| object["metadata"]["name"] == name);
        found.next().unwrap_or_else(|| panic!("{}: no {kind} {name}", self.of))
    }

    pub fn workloads(&self) -> impl Iterator<Item = Workload<'_>> {
        self.objects.iter().filter_map(|object| {
            let kind = ["Deployment", "StatefulSet", "Job"].into_iter().find(|kind| object["kind"] == **kind)?;
            let pod = object.pointer("/spec/template").unwrap();
            Some(Workload { name: text(object, "/metadata/name"), kind, object, pod })
        })
    }

    pub fn services(&self) -> impl Iterator<Item = Workload<'_>> {
        self.workloads().filter(|workload| workload.kind != "Job")
    }

    /// How many there may be of a workload.
    pub fn most(&self, workload: &Workload<'_>) -> u64 {
        let mut scaled = self.of_kind("HorizontalPodAutoscaler");
        match scaled.find(|scaler| text(scaler, "/spec/scaleTargetRef/name") == workload.name) {
            Some(scaler) => scaler["spec"]["maxReplicas"].as_u64().unwrap(),
            None => workload.object["spec"]["replicas"].as_u64().unwrap(),
        }
    }
}

impl Workload<'_> {
    pub fn container(&self) -> &Value {
        let containers = self.pod.pointer("/spec/containers").and_then(Value::as_array).unwrap();
        assert_eq!(containers.len(), 1, "{}", self.name);
        &containers[0]
    }

    /// The service whose binary it runs.
    pub fn service(&self) -> &str {
        text(self.pod, "/metadata/labels/app.kubernetes.io~1name")
    }

    /// The environment of the `index`th pod. A secret has the same words everywhere, which will do for all of them.
    pub fn env(&self, index: u64, secret: &str) -> BTreeMap<String, String> {
        let mut env = BTreeMap::new();
        for variable in list(self.container(), "/env") {
            let from = &variable["valueFrom"];
            let value = match text(from, "/fieldRef/fieldPath") {
                "metadata.name" => format!("{}-{index}", self.name),
                "metadata.labels['apps.kubernetes.io/pod-index']" => index.to_string(),
                "" if from["secretKeyRef"].is_object() => secret.to_owned(),
                "" => expanded(text(variable, "/value"), &env),
                other => panic!("{}: {other}", self.name),
            };
            env.insert(text(variable, "/name").to_owned(), value);
        }
        env
    }

    pub fn args(&self, env: &BTreeMap<String, String>) -> Vec<String> {
        list(self.container(), "/args").map(|arg| expanded(arg.as_str().unwrap(), env)).collect()
    }

    /// Where its volumes are mounted: `(path, volume)`.
    pub fn mounts(&self) -> impl Iterator<Item = (&str, &Value)> {
        list(self.container(), "/volumeMounts").map(|mount| {
            let name = text(mount, "/name");
            let claims =
                list(self.object, "/spec/volumeClaimTemplates").find(|claim| claim["metadata"]["name"] == name);
            let mut volumes = list(self.pod, "/spec/volumes").filter(|volume| volume["name"] == name).chain(claims);
            let volume = volumes.next().unwrap_or_else(|| panic!("{}: no volume {name}", self.name));
            assert!(volumes.next().is_none(), "{}: two volumes {name}", self.name);
            (text(mount, "/mountPath"), volume)
        })
    }
}

/// `$(NAME)` as Kubernetes has it: of what was defined before.
fn expanded(text: &str, env: &BTreeMap<String, String>) -> String {
    env.iter().fold(text.to_owned(), |text, (name, value)| text.replace(&format!("$({name})"), value))
}
