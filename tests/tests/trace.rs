//! What stays on a phone. Somebody makes a whole call with a browser of their own and ends it in each of the ways; then every file of
//! that browser is searched, as a forensic examiner does (`tests/browser/traces.mjs`), for whatever tells of the call. What is found
//! must be what is known: `tests/browser/residual.json`, which is what `docs/residual-trace.md` and the page tell people.
//! `UPDATE_TRACES=1` puts down what isn't known, to be named by hand.

use std::{path::Path, process::Stdio};

use alcove_tests::{
    browser::{Browser, Engine, Home, Page},
    desk::{self, AcceptedCall, Desk},
    pages::{DESK, enter},
};
use axum::{
    Json, Router,
    response::Html,
    routing::{get, post},
};
use futures::future::join_all;
use serde_json::{Value, json};
use tempfile::TempDir;
use testkit::{StackOptions, Tls, key, phone::Phone, until, workspace};
use tokio::{
    io::AsyncWriteExt,
    net::TcpListener,
    process::Command,
    sync::{
        Mutex,
        mpsc::{UnboundedReceiver, unbounded_channel},
    },
};

/// Nothing else on this machine is called so.
const HOST: &str = "larkspur-meadow.test";
const TITLE: &str = "Larkspur notes";
const ELSEWHERE: &str = "Harebell weather";
const TYPED: &str = "the gate behind the quince tree";
/// Nobody has it.
const NUMBER: &str = "+447700900456";
const READ: &str = "two of us wait at the mill pond";

/// How a call ends, and what happens to the browser then.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Way {
    /// The officer ends it; the browser is closed.
    Ended,
    /// "Leave"; the browser is closed.
    Left,
    /// "Hide", and the browser is closed with the harmless page on it.
    Covered,
    /// As the first, but by a link instead of a code.
    Linked,
    /// In mid-call the browser is killed.
    Crashed,
}

impl Way {
    const ALL: [Self; 5] = [Self::Ended, Self::Left, Self::Covered, Self::Linked, Self::Crashed];

    fn name(self) -> &'static str {
        match self {
            Self::Ended => "ended",
            Self::Left => "left",
            Self::Covered => "covered",
            Self::Linked => "linked",
            Self::Crashed => "crashed",
        }
    }
}

/// Keeps what the page asks for and is told, outside what a browser keeps.
const OVERHEAR: &str = "(() => {
    const own = window.fetch;
    window.overheard = { token: [], ids: [], page: [] };
    window.left = false;
    window.fetch = async (...asked) => {
        const answer = await own(...asked), { token, ids, page } = window.overheard;
        const id = (answer.headers.get('location') || '').match(/[0-9a-f]{32}/);
        if (id) ids.push(id[0]);
        if (asked[0] === '/leave') window.left = true;
        if (asked[0] === '/join') {
            const joined = await answer.clone().json();
            token.push(joined.token);
            ids.push(joined.participant_id);
            page.push(JSON.parse(asked[1].body).page);
        }
        return answer;
    };
})()";

/// Everything that a call needs but the caller.
struct Scene {
    desk: Desk,
    tls: Tls,
    /// What "Leave" leads to.
    elsewhere: String,
    /// The text messages that were sent.
    messages: Mutex<UnboundedReceiver<String>>,
    /// Held from a browser's start until both see each other: five that start at once leave two cores no time for a picture.
    way_in: Mutex<()>,
}

impl Scene {
    async fn set() -> Self {
        let tls = Tls::open(HOST).await.unwrap();
        let (others, messages) = others().await;
        let elsewhere = format!("{others}/");
        let StackOptions { mut env, .. } = desk::off_loopback().unwrap();
        for (setting, value) in [
            ("http__public_url", tls.url().as_str()),
            ("page__title", TITLE),
            ("page__exit_url", &elsewhere),
            ("texts__provider", "webhook"),
            ("texts__url", &format!("{others}/gateway")),
            ("texts__key", "the key of a gateway of this test"),
            ("texts__receipt_key", "the key of receipts of this test"),
        ] {
            env.push((key("video-session", setting), value.to_owned()));
        }
        let mut desk = Desk::open(StackOptions { env, ..StackOptions::default() }).await.unwrap();
        desk.control_room = desk.control_room.with_private_messages();
        tls.lead(desk.stack.service("video-session").address("http"));
        Self { desk, tls, elsewhere, messages: Mutex::new(messages), way_in: Mutex::new(()) }
    }

    /// The link in a message that was sent.
    async fn link(&self) -> String {
        let message = self.messages.lock().await.recv().await.unwrap();
        message.split_whitespace().find(|word| word.starts_with(&self.tls.url())).unwrap().to_owned()
    }

    /// A call whose officer is there. They reach the service without TLS.
    async fn accepted(&self, number: usize) -> (AcceptedCall, Phone) {
        let officer = format!("pc-{number}-celandine");
        let accepted = self.desk.accepted_call(&format!("28{number:02}"), &officer).await.unwrap();
        let mut joined = accepted.officer.join(&accepted.call.call_id).await.unwrap();
        let inside = self.desk.stack.caller_page();
        for url in [&mut joined.whip_url, &mut joined.whep_url, &mut joined.events_url] {
            *url = url.replace(&self.tls.url(), &inside);
        }
        let mut phone = desk::phone(joined);
        phone.publish().await.unwrap();
        (accepted, phone)
    }
}

/// Somebody else's page, and whoever delivers text messages.
async fn others() -> (String, UnboundedReceiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let page = get(async || Html(format!("<title>{ELSEWHERE}</title><p>Sunny spells.")));
    let (sent, messages) = unbounded_channel();
    let gateway =
        post(async move |Json(message): Json<Value>| drop(sent.send(message["text"].as_str().unwrap().to_owned())));
    let router = Router::new().route("/", page).route("/gateway", gateway);
    tokio::spawn(async move { axum::serve(listener, router).await });
    (url, messages)
}

/// Somebody's phone.
struct Caller {
    browser: Browser,
    engine: Engine,
    home: TempDir,
}

impl Caller {
    async fn new(scene: &Scene, engine: Engine) -> Self {
        let home = tempfile::tempdir().unwrap();
        scene.tls.introduce_to(home.path()).unwrap();
        let folder = Some(home.path().to_owned());
        let browser = Browser::start_in(Home { engine, folder, is_kept: true, ..Home::default() }).await.unwrap();
        Self { browser, engine, home }
    }

    /// Until its browser has written down that it is in a call: it does so once in half a minute at most. Firefox packs what it writes, and
    /// what is packed may not have a word's letters side by side: so it is read as whoever examines it does.
    async fn is_written_down(&self) {
        let (file, word) = match self.engine {
            Engine::Chromium => ("profile/Default/Cookies", HOST),
            Engine::Firefox => ("profile/sessionstore-backups/recovery.jsonlz4", "__Host-back"),
        };
        let (file, words) = (self.home.path().join(file), json!({ "sought": [word] }));
        let (copy, mut last) = (tempfile::tempdir().unwrap(), Vec::new());
        until("the browser has written down that it is in a call", async || {
            let now = std::fs::read(&file).unwrap_or_default();
            if now == last {
                return false;
            }
            // It is known by its name for what it is.
            std::fs::write(copy.path().join(file.file_name().unwrap()), &now).unwrap();
            last = now;
            let examined = Self::examined(&copy, &words).await;
            let mut found = examined["found"].as_array().unwrap().iter();
            found.any(|one| one["what"].as_array().unwrap().contains(&"sought".into()))
        })
        .await;
    }

    /// Every file of its user's, searched.
    async fn examined(home: &TempDir, words: &Value) -> Value {
        let wanted = json!({ "host": HOST, "words": words });
        let examiner = [workspace().join("tests/browser/traces.mjs"), home.path().to_owned()];
        serde_json::from_str(&node(&examiner, &wanted).await.unwrap()).unwrap()
    }
}

/// What a script answers; or what it complains of.
async fn node(arguments: &[impl AsRef<Path>], asked: &Value) -> Result<String, String> {
    let mut command = Command::new("node");
    command
        .args(arguments.iter().map(AsRef::as_ref))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(asked.to_string().as_bytes()).await.unwrap();
    let output = child.wait_with_output().await.unwrap();
    let said = |bytes| String::from_utf8_lossy(bytes).into_owned();
    if output.status.success() { Ok(said(&output.stdout)) } else { Err(said(&output.stderr)) }
}

/// Both write, and see each other.
async fn talk(page: Page<'_>, officer: &AcceptedCall) {
    page.until("document.querySelector('#other').videoWidth > 0").await.unwrap();
    page.click("#talk").await.unwrap();
    page.fill("#text", TYPED).await.unwrap();
    page.click("#send").await.unwrap();
    officer.officer.say(&officer.call.call_id, READ).await.unwrap();
    page.until("document.querySelector('#lines').children.length === 2").await.unwrap();
}

/// One call: what is found afterwards.
async fn call(scene: &Scene, engine: Engine, way: Way, (officer, _phone): (AcceptedCall, Phone)) -> Value {
    let call_id = officer.call.call_id.clone();
    let way_in = scene.way_in.lock().await;
    let caller = Caller::new(scene, engine).await;
    let (page, lets_in) = if way == Way::Linked {
        officer.officer.text(&call_id, NUMBER).await.unwrap();
        let link = scene.link().await;
        let page = caller.browser.open_with("caller", &link, DESK, OVERHEAR).await.unwrap();
        for button in ["#on", "#in"] {
            page.click(button).await.unwrap();
        }
        (page, link.split('#').skip(1).map(str::to_owned).collect())
    } else {
        let code = officer.officer.invite(&call_id).await.unwrap().code;
        let page = caller.browser.open_with("caller", &scene.tls.url(), DESK, OVERHEAR).await.unwrap();
        enter(page, &code).await.unwrap();
        (page, vec![code.replace('-', ""), code])
    };
    talk(page, &officer).await;
    drop(way_in);
    caller.is_written_down().await;
    let mut words = page.evaluate("window.overheard").await.unwrap();
    match way {
        Way::Ended | Way::Linked => {
            officer.officer.end(&call_id).await.unwrap();
            page.see("#over").await.unwrap();
            page.until("window.left").await.unwrap();
        }
        Way::Left => {
            page.click("#leave").await.unwrap();
            page.until(&format!("document.title === '{ELSEWHERE}'")).await.unwrap();
        }
        Way::Covered => {
            page.click("#cover").await.unwrap();
            page.until("document.body.dataset.front === 'yes'").await.unwrap();
        }
        Way::Crashed => {}
    }
    let Caller { browser, home, .. } = caller;
    if way == Way::Crashed {
        browser.crash().await.unwrap()
    } else {
        browser.quit().await.unwrap()
    }
    let session = officer.officer.session_until(&call_id, |_| true).await.unwrap();
    let ids = words["ids"].as_array_mut().unwrap();
    ids.extend([call_id, session.session_id].map(Value::from));
    ids.extend(session.participants.into_iter().map(|one| one.participant_id.into()));
    let known = json!({
        (if way == Way::Linked { "link" } else { "code" }): lets_in,
        "cookie": ["__Host-back"],
        "title": [TITLE],
        "words": ["Nothing that you say or show", "Can’t talk? Type", "This call is being recorded"],
        "pretext": ["Lemon drizzle cake", "Where is my parcel", "The tea-break quiz"],
        "force": ["West Midlands Police", "celandine", "domestic abuse"],
        "chat": [TYPED, READ],
        "media": [scene.desk.stack.service("video-session").address("udp")],
        "elsewhere": [ELSEWHERE],
    });
    words.as_object_mut().unwrap().extend(known.as_object().unwrap().clone());
    Caller::examined(&home, &words).await
}

/// The pictures that a browser has without a call.
async fn own_pictures(scene: &Scene, engine: Engine) -> Value {
    let _way_in = scene.way_in.lock().await;
    let Caller { browser, home, .. } = Caller::new(scene, engine).await;
    browser.open("other", &scene.elsewhere, DESK).await.unwrap();
    browser.quit().await.unwrap();
    Caller::examined(&home, &json!({})).await["images"].take()
}

async fn only_what_is_known_stays(engine: Engine, name: &str) {
    let scene = Scene::set().await;
    let mut accepted = Vec::new();
    for (number, way) in Way::ALL.into_iter().enumerate() {
        accepted.push((way, scene.accepted(number).await));
    }
    let calls = accepted.into_iter().map(|(way, accepted)| call(&scene, engine, way, accepted));
    let (found, own) = tokio::join!(join_all(calls), own_pictures(&scene, engine));
    let found: serde_json::Map<_, _> = Way::ALL.map(|way| way.name().to_owned()).into_iter().zip(found).collect();
    let residual = [workspace().join("tests/browser/residual.mjs"), "check".into(), name.into()];
    let verdict = node(&residual, &json!({ "own": own, "calls": found })).await;
    if let Err(differs) = verdict {
        panic!("what stays isn't what tests/browser/residual.json says:\n{differs}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn in_chromium_only_what_is_known_stays() {
    only_what_is_known_stays(Engine::Chromium, "chromium").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn in_firefox_only_what_is_known_stays() {
    only_what_is_known_stays(Engine::Firefox, "firefox").await;
}
