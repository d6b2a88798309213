//! `make demo`: one call, from the 999 call to the sealed and verified exhibit. Each line is printed when what it says
//! has happened, and anything that doesn't happen ends the demo.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use alcove_tests::{
    browser::Browser,
    control_room::{ControlRoom, Watch},
    identity,
    officer::Officer,
    package,
};
use api::{
    evidence::v1::ExhibitState,
    intake::v1::call_update::{Kind, Sealed},
    referral::v1::{GetPackageRequest, ItemState, referral_service_client::ReferralServiceClient},
};
use testkit::{OtlpSink, Stack, StackOptions, workspace};

use crate::{Failure, caller::Caller, check, desk::Desk, story::Story};

const FORCE: &str = "wmp";
const OFFICER: &str = "pc-okafor";
const INCIDENT: &str = "417";
/// Whom one call goes through.
const SERVICES: [&str; 5] = ["intake", "call-transfer", "video-session", "evidence-store", "referral"];
const PATIENCE: Duration = Duration::from_secs(30);

/// Plays the call; says where the logs are when it fails.
pub async fn demo(phones: bool, talk: Duration) -> Result<(), Failure> {
    let told = tell(phones, talk).await;
    if told.is_err() {
        eprintln!("\nThe services' logs are in {}", shown(&folder().join("logs")));
    }
    told
}

/// Plays the call. Without a browser, or when asked to, with synthetic phones at both ends.
async fn tell(phones: bool, talk: Duration) -> Result<(), Failure> {
    let story = Story::begin("Alcove: one 999 call, from the control room to the sealed exhibit");
    let folder = folder();
    let _ = fs::remove_dir_all(&folder);
    let sink = OtlpSink::start().await?;
    let options = StackOptions {
        otlp_endpoint: Some(sink.endpoint()),
        data_dir: Some(folder.join("data")),
        log_dir: Some(folder.join("logs")),
        durable: true,
        ..StackOptions::default()
    };
    let (stack, browser) = tokio::join!(Stack::start(options), browser(phones));
    let stack = stack?;
    match &browser {
        Ok(browser) => {
            let version = browser.version();
            story.tell(format_args!("Chromium {version} for caller and officer, with its test camera and microphone"));
        }
        Err(why) => {
            story.tell("synthetic phones for caller and officer, which play a clip of our own making");
            story.add(why);
        }
    }
    let browser = browser.ok();
    story.tell("a private Postgres and NATS, a timestamp authority, the log's witness and the six services are up:");
    for (name, service) in stack.services() {
        let address = if name == "console" { service.url("http") } else { service.address("grpc").to_owned() };
        story.add(format_args!("{name:<15} {address}"));
    }
    story.add(format_args!("{:<15} {}", "witness", stack.witness.url("http")));
    story.add(format_args!("{:<15} {}", "timestamps", stack.tsa.url()));

    let sealed = call(&stack, browser.as_ref(), talk, &story).await?;
    let package = folder.join("package");
    package::export(
        identity::officer(&stack, "evidence-store", FORCE, package::WHO)?,
        FORCE,
        &sealed.exhibit_id,
        &package,
    )
    .await?;
    story.tell(format_args!("exported, with the reason on record, to {}", shown(&package)));
    // As a court would have them: from whoever vouches for signer, authority, log and witness, not out of the package.
    let kept = [
        (stack.roots(), "roots.pem"),
        (stack.tsa_roots(), "tsa-roots.pem"),
        (stack.log_key(), "log.vkey"),
        (stack.witness_key(), "witness.vkey"),
    ];
    for (from, name) in kept {
        fs::copy(from, folder.join(name))?;
    }
    check::verify(&package, &package::trust(&stack)?, &story)?;
    let recordings = check::recordings(&package, &story)?;

    for (name, status) in stack.stop().await? {
        if !status.success() {
            return Err(format!("{name} did not end cleanly: {status}").into());
        }
    }
    story.tell("every service drained and ended");
    one_trace(&sink, &story)?;
    farewell(&package, &recordings);
    Ok(())
}

/// Where everything of the demo is kept, until the next one.
fn folder() -> PathBuf {
    workspace().join("target/demo")
}

async fn browser(phones: bool) -> Result<Browser, Failure> {
    if phones { Err("as asked for by --phone".into()) } else { Ok(Browser::start().await?) }
}

/// The call itself: from OpenCall to ExhibitSealed.
async fn call(stack: &Stack, browser: Option<&Browser>, talk: Duration, story: &Story) -> Result<Sealed, Failure> {
    let way = |service, id| identity::officer(stack, service, FORCE, id);
    // Until `npm run build` has run there is no page to work at.
    let page = workspace().join("services/console/web/dist/index.html").exists();
    let mut desk = match browser.filter(|_| page) {
        Some(browser) => Desk::at_console(browser, &stack.console(), OFFICER).await?,
        None => {
            Desk::without_screen(Officer::new(
                way("call-transfer", OFFICER)?,
                way("video-session", OFFICER)?,
                FORCE,
                OFFICER,
            ))
            .await?
        }
    };
    story.tell(format_args!("officer {OFFICER} is at the desk, free for calls"));

    let control_room = ControlRoom::new(identity::control_room(stack, FORCE)?, FORCE);
    let opened = control_room.open(INCIDENT).await?;
    let call_id = opened.call_id;
    story.tell(format_args!(
        "control room: OpenCall, {FORCE} incident {} of {}",
        opened.incident.number, opened.incident.date
    ));
    story.add(format_args!("call {call_id}"));
    let mut line = Line { watch: control_room.watch(&call_id, 0).await?, story };
    let eligibility = control_room.triage(&call_id).await?;
    if !eligibility.eligible {
        return Err(format!("the caller is not eligible: {}", eligibility.reason).into());
    }
    story.tell("control room: RecordTriage, eligible; messages are read by another, so the way in is a spoken code");
    control_room.consent(&call_id).await?;
    story.tell("control room: RecordConsent to video, recording and stills");
    control_room.transfer(&call_id).await?;
    story.tell("control room: RequestTransfer");

    line.hears(|kind| matches!(kind, Kind::Offered(_))).await?;
    desk.accept().await?;
    line.hears(|kind| matches!(kind, Kind::Accepted(_))).await?;
    let code = desk.code().await?;
    line.hears(|kind| matches!(kind, Kind::InvitationReady(_))).await?;
    story.tell(format_args!("officer: has the code {code} to read out on the phone line"));

    let page = stack.caller_page();
    let typed = Instant::now();
    let mut caller = match browser {
        Some(browser) => Caller::in_browser(browser, &page, &code).await?,
        None => Caller::by_phone(&page, &code).await?,
    };
    story.tell(format_args!("caller: typed the code at {page}"));
    desk.sees_caller().await?;
    story.tell(format_args!("officer: sees the caller, {:.1} s after the code", typed.elapsed().as_secs_f64()));
    caller.sees_officer(desk.participant()).await?;
    story.tell("caller: sees the officer");
    line.hears(|kind| matches!(kind, Kind::CallerJoined(_))).await?;

    let before = (desk.received().await?, caller.received().await?);
    tokio::time::sleep(talk).await;
    let there = desk.received().await?.since(before.0);
    let here = caller.received().await?.since(before.1);
    story.tell(format_args!("they talked for {} s, and each saw and heard the other:", talk.as_secs()));
    story.add(format_args!("the officer had {} frames and {:.1} s of sound", there.frames, there.sound as f64 / 50.0));
    story.add(format_args!("the caller had {} frames and {:.1} s of sound", here.frames, here.sound as f64 / 50.0));
    if !there.flowed(talk.as_secs()) || !here.flowed(talk.as_secs()) {
        return Err("picture or sound didn't flow".into());
    }
    desk.picture(&folder().join("officer.png")).await?;
    caller.picture(&folder().join("caller.png")).await?;

    desk.end().await?;
    let ended = Instant::now();
    story.tell("officer: ends the call");
    line.hears(|kind| matches!(kind, Kind::Ended(_))).await?;
    let Kind::Sealed(sealed) = line.hears(|kind| matches!(kind, Kind::Sealed(_))).await? else {
        return Err("the stream said something else than it did".into());
    };
    story.tell(format_args!(
        "sealed {:.1} s after the end, as exhibit {}",
        ended.elapsed().as_secs_f64(),
        sealed.exhibit_reference
    ));
    story.add(format_args!("seal SHA-256 {}", sealed.seal_sha256));
    caller.leave().await?;
    desk.leave().await?;
    let exhibit = package::exhibit_of(way("evidence-store", package::WHO)?, FORCE, &call_id).await?;
    if exhibit.state() != ExhibitState::Sealed || exhibit.seal_sha256 != sealed.seal_sha256 {
        return Err(format!("evidence-store says {:?} {}", exhibit.state(), exhibit.seal_sha256).into());
    }
    story.add(format_args!(
        "timestamped by the authority, entry {} of the log, under a checkpoint that the witness cosigned",
        exhibit.log_index.ok_or("it is in no log")?
    ));
    for track in &exhibit.tracks {
        story.add(format_args!("{}: {} segments, {} kB", track.track, track.segments, track.bytes / 1000));
    }
    checklist(stack, &call_id, story).await?;
    Ok(sealed)
}

/// The control room's open stream on the call: whatever it brings is told, whatever is waited for must come.
struct Line<'s> {
    watch: Watch,
    story: &'s Story,
}

impl Line<'_> {
    async fn hears(&mut self, wanted: impl Fn(&Kind) -> bool) -> Result<Kind, Failure> {
        let story = self.story;
        let told = |kind: &Kind| {
            story.tell(format_args!("control room hears: {}", said(kind)));
            wanted(kind)
        };
        Ok(tokio::time::timeout(PATIENCE, self.watch.until(told))
            .await
            .map_err(|_| "the control room heard nothing")??)
    }
}

fn said(kind: &Kind) -> String {
    match kind {
        Kind::Queued(queued) => format!("queued at the desk, place {}", queued.position),
        Kind::Offered(_) => "offered to an officer".into(),
        Kind::Accepted(accepted) => format!("{} has accepted", accepted.officer_id),
        Kind::InvitationReady(_) => "the code is ready to be read out".into(),
        Kind::CallerJoined(_) => "the caller is in the video call; the voice line can be released".into(),
        Kind::Ended(ended) => format!("the call has ended ({})", ended.reason),
        Kind::Sealed(sealed) => format!("exhibit {} is sealed", sealed.exhibit_reference),
        Kind::Duress(duress) if duress.acknowledged => "the officer has seen that the caller asks for help".into(),
        Kind::Duress(_) => "the caller asks for help without saying so: nobody may say it aloud".into(),
        Kind::ConsentChanged(changed) => {
            format!("the caller {} to {:?}", if changed.given { "agrees" } else { "no longer agrees" }, changed.kind())
        }
        Kind::Covered(_) => "the caller has covered the call: somebody has come".into(),
        Kind::Uncovered(_) => "the caller is back".into(),
        Kind::FastTrack(told) if told.taken_by.is_empty() => format!("send somebody now ({})", told.reason),
        Kind::FastTrack(told) => format!("{} sends {}", told.taken_by, told.unit),
        Kind::Cancelled(_) => "the transfer was cancelled".into(),
        Kind::Abandoned(abandoned) => format!("the call was abandoned ({})", abandoned.reason),
        Kind::Callback(callback) => format!("a call-back by the desk, {:?}", callback.state()),
        Kind::Returned(returned) => format!("the desk gives the call back ({}): {}", returned.reason, returned.instead),
        Kind::RiskGraded(graded) => format!("{} grades the risk as {:?}", graded.officer_id, graded.grade()),
        Kind::Referral(referral) => format!("a referral ({}): {:?}", referral.kind, referral.state()),
    }
}

/// The officer's package has its checklist, and the exhibit is in it.
async fn checklist(stack: &Stack, call: &str, story: &Story) -> Result<(), Failure> {
    let mut referral = ReferralServiceClient::new(identity::officer(stack, "referral", FORCE, OFFICER)?);
    let request = GetPackageRequest { force_id: FORCE.into(), call_id: call.into() };
    let deadline = Instant::now() + PATIENCE;
    // ExhibitSealed reaches referral a moment after, or before, it reaches the control room.
    let package = loop {
        match referral.get_package(request.clone()).await {
            Ok(package) if package.get_ref().items.iter().any(|item| item.evidence.starts_with("ALC/")) => {
                break package.into_inner();
            }
            Err(status) if status.code() != tonic::Code::NotFound => return Err(status.into()),
            answer if Instant::now() > deadline => {
                return Err(format!("no exhibit in the officer's package: {answer:?}").into());
            }
            _ => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    };
    let there = package.items.iter().filter(|item| item.state() == ItemState::Present).count();
    story.tell(format_args!(
        "the officer's package has {there} of {} items; missing: {}",
        package.items.len(),
        package.missing.join(", ")
    ));
    Ok(())
}

/// Every span of the call is in the trace that its first request began.
fn one_trace(sink: &OtlpSink, story: &Story) -> Result<(), Failure> {
    let spans = sink.spans();
    let first = spans.iter().filter(|span| span.service == "intake").find(|span| span.name.contains("OpenCall"));
    let trace = &first.ok_or("no span of OpenCall came")?.trace_id;
    let of_call = spans.iter().filter(|span| &span.trace_id == trace);
    let mut services: Vec<_> = of_call.clone().map(|span| span.service.as_str()).collect();
    services.sort_unstable();
    services.dedup();
    if let Some(absent) = SERVICES.iter().find(|service| !services.contains(service)) {
        return Err(format!("nothing of {absent} is in the call's trace, only {}", services.join(", ")).into());
    }
    story.tell(format_args!("one trace, {trace}: {} spans from {}", of_call.count(), services.join(", ")));
    Ok(())
}

fn farewell(package: &Path, recordings: &[PathBuf]) {
    let at = shown(package);
    println!("\nThe package is in {at}. Its {at}/proof/VERIFY.txt says all of this with reasons.\n");
    println!("To play a recording (VLC, mpv, a browser or ffplay):");
    for recording in recordings {
        println!("  ffplay {}", shown(recording));
    }
    println!("\nTo check it without any software of ours, in the folder {at}:");
    println!(
        "  (cd bag && sha256sum --strict --quiet -c tagmanifest-sha256.txt manifest-sha256.txt) && echo unaltered"
    );
    println!("  openssl cms -verify -binary -cades -inform DER -in proof/seal.p7s \\");
    println!("    -content bag/tagmanifest-sha256.txt -CAfile ../roots.pem -out /dev/null");
    println!("  openssl ts -verify -in proof/seal.tsr -data proof/seal.p7s -CAfile ../tsa-roots.pem");
}

/// A path as one would type it in the workspace.
fn shown(path: &Path) -> String {
    path.strip_prefix(workspace()).unwrap_or(path).display().to_string()
}
