//! Debian's Janus beside us: its video room, a room for each call, everything recorded, driven by its REST interface.
//!
//! It offers no candidates on loopback, so it gets an address of this machine's own on a pair of virtual Ethernet ends; packets
//! go the kernel's same way. As many event loops as cores: as it comes, a thread for each connection, it takes a fifth more.

use std::{
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::Stdio,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use serde_json::{Value, json};
use tokio::process::{Child, Command};

use super::Crowd;
use crate::Failure;

/// Of the machine's own, reachable from nowhere else.
const ADDRESS: &str = "10.99.0.1";
const LINK: [&str; 2] = ["alcove-janus", "alcove-nowhere"];
const PATIENCE: Duration = Duration::from_secs(20);

/// A running Janus.
pub struct Janus {
    process: Child,
    pid: u32,
    url: String,
    folder: PathBuf,
    http: reqwest::Client,
    asked: AtomicU64,
}

impl Janus {
    /// Starts one that keeps everything in a folder. `None`, with the reason told, where there is none to be had.
    pub async fn start(folder: &Path) -> Result<Option<Self>, Failure> {
        if Command::new("janus").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().await.is_err() {
            eprintln!("  no Janus here (Debian: apt-get install janus): nothing to compare with");
            return Ok(None);
        }
        if let Err(failure) = address().await {
            eprintln!("  no address for Janus ({failure}; it takes root): nothing to compare with");
            return Ok(None);
        }
        let _ = fs::remove_dir_all(folder);
        fs::create_dir_all(folder.join("recordings"))?;
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        for (name, text) in settings(port, std::thread::available_parallelism()?.get()) {
            fs::write(folder.join(name), text)?;
        }
        let log = fs::File::create(folder.join("log"))?;
        let process = Command::new("janus")
            .arg("-F")
            .arg(folder)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .kill_on_drop(true)
            .spawn()?;
        let pid = process.id().ok_or("Janus ended at once")?;
        let (url, http) = (format!("http://127.0.0.1:{port}/janus"), reqwest::Client::new());
        let janus = Self { process, pid, url, folder: folder.to_owned(), http, asked: AtomicU64::new(0) };
        tokio::time::timeout(PATIENCE, janus.ready()).await.map_err(|_| "Janus didn't come up")?;
        Ok(Some(janus))
    }

    async fn ready(&self) {
        while self.http.get(format!("{}/info", self.url)).send().await.is_err() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// One call more, in a room of its own.
    pub async fn call(&self, crowd: &Crowd, number: usize) -> Result<(), Failure> {
        let session = self.ask("", json!({ "janus": "create" })).await?;
        let session = format!("/{}", id(&session)?);
        let room = number + 1;
        let recordings = self.folder.join("recordings").display().to_string();
        for feed in [1, 2] {
            let handle = self.attach(&session).await?;
            if feed == 1 {
                let create = json!({
                    "request": "create", "room": room, "publishers": 2, "bitrate": 0, "audiocodec": "opus",
                    "videocodec": "vp8", "record": true, "rec_dir": recordings,
                });
                self.ask(&handle, json!({ "janus": "message", "body": create })).await?;
            }
            let fresh = crowd.fresh(ADDRESS.parse()?)?;
            let offer = json!({ "type": "offer", "sdp": crowd.me(&fresh).publish(fresh.ssrcs()) });
            let join = json!({ "request": "joinandconfigure", "ptype": "publisher", "room": room, "id": feed });
            self.ask(&handle, json!({ "janus": "message", "body": join, "jsep": offer })).await?;
            let answer = self.described(&session).await?;
            crowd.connect(fresh, &answer, true).await?;
        }
        for feed in [1, 2] {
            let handle = self.attach(&session).await?;
            let join = json!({ "request": "join", "ptype": "subscriber", "room": room, "streams": [{ "feed": feed }] });
            self.ask(&handle, json!({ "janus": "message", "body": join })).await?;
            let offer = self.described(&session).await?;
            let fresh = crowd.fresh(ADDRESS.parse()?)?;
            let answer = json!({ "type": "answer", "sdp": crowd.me(&fresh).accept(&offer) });
            let start = json!({ "request": "start" });
            self.ask(&handle, json!({ "janus": "message", "body": start, "jsep": answer })).await?;
            crowd.connect(fresh, &offer, false).await?;
        }
        Ok(())
    }

    async fn attach(&self, session: &str) -> Result<String, Failure> {
        let attach = json!({ "janus": "attach", "plugin": "janus.plugin.videoroom" });
        let handle = self.ask(session, attach).await?;
        Ok(format!("{session}/{}", id(&handle)?))
    }

    async fn ask(&self, path: &str, mut what: Value) -> Result<Value, Failure> {
        what["transaction"] = json!(self.asked.fetch_add(1, Ordering::Relaxed).to_string());
        let answer: Value = self.http.post(format!("{}{path}", self.url)).json(&what).send().await?.json().await?;
        let refused = answer["janus"] == "error" || !answer["plugindata"]["data"]["error"].is_null();
        if refused { Err(format!("Janus answered {answer} to {what}").into()) } else { Ok(answer) }
    }

    /// The next description that it sends.
    async fn described(&self, session: &str) -> Result<String, Failure> {
        let url = format!("{}{session}?maxev=1", self.url);
        let told = async {
            loop {
                let event: Value = self.http.get(&url).send().await?.json().await?;
                if let Some(sdp) = event["jsep"]["sdp"].as_str() {
                    return Ok(sdp.to_owned());
                }
                if !event["plugindata"]["data"]["error"].is_null() {
                    return Err(format!("Janus says {event}").into());
                }
            }
        };
        tokio::time::timeout(PATIENCE, told).await.map_err(|_| "Janus described nothing")?
    }

    /// Ends it, and clears away what it kept. A Janus that has recorded nothing was no comparison.
    pub async fn stop(mut self) -> Result<(), Failure> {
        self.process.kill().await?;
        let files = fs::read_dir(self.folder.join("recordings"))?;
        let recorded: u64 = files.map(|file| Ok(file?.metadata()?.len())).sum::<Result<u64, std::io::Error>>()?;
        fs::remove_dir_all(&self.folder)?;
        run(&["link", "delete", LINK[0]]).await?;
        if recorded == 0 { Err("Janus recorded nothing".into()) } else { Ok(()) }
    }
}

fn id(answer: &Value) -> Result<u64, Failure> {
    Ok(answer["data"]["id"].as_u64().ok_or_else(|| format!("Janus answered {answer}"))?)
}

/// Gives the machine the address.
async fn address() -> Result<(), Failure> {
    // Left by one that was cut off.
    let _ = run(&["link", "delete", LINK[0]]).await;
    run(&["link", "add", LINK[0], "type", "veth", "peer", "name", LINK[1]]).await?;
    run(&["address", "add", &format!("{ADDRESS}/32"), "dev", LINK[0]]).await?;
    for end in LINK {
        run(&["link", "set", end, "up"]).await?;
    }
    Ok(())
}

async fn run(arguments: &[&str]) -> Result<(), Failure> {
    let output = Command::new("ip").args(arguments).output().await?;
    let said = String::from_utf8_lossy(&output.stderr);
    if output.status.success() { Ok(()) } else { Err(format!("ip {}: {}", arguments.join(" "), said.trim()).into()) }
}

fn settings(port: u16, loops: usize) -> [(&'static str, String); 3] {
    let unused = [
        "audiobridge",
        "duktape",
        "echotest",
        "lua",
        "nosip",
        "recordplay",
        "sip",
        "streaming",
        "textroom",
        "videocall",
        "voicemail",
    ];
    let libraries =
        |names: &[&str]| names.iter().map(|name| format!("libjanus_{name}.so")).collect::<Vec<_>>().join(",");
    let (plugins, transports) =
        (libraries(&unused), libraries(&["mqtt", "nanomsg", "pfunix", "rabbitmq", "websockets"]));
    [
        (
            "janus.jcfg",
            format!(
                "general: {{ debug_level = 2, session_timeout = 0, event_loops = {loops} }}\n\
                 nat: {{ ice_lite = true, ice_enforce_list = \"{ADDRESS}\", ignore_mdns = true }}\n\
                 media: {{ rtp_port_range = \"20000-29999\" }}\n\
                 plugins: {{ disable = \"{plugins}\" }}\n\
                 transports: {{ disable = \"{transports}\" }}\n"
            ),
        ),
        (
            "janus.transport.http.jcfg",
            format!(
                "general: {{ json = \"compact\", base_path = \"/janus\", http = true, port = {port}, ip = \"127.0.0.1\", \
                 https = false }}\nadmin: {{ admin_http = false }}\n"
            ),
        ),
        ("janus.plugin.videoroom.jcfg", "general: { }\n".to_owned()),
    ]
}
