//! A shift: two officers and a sergeant at the console's own pages, and three callers at once. An offer is raced, a browser is killed while
//! it has a call and again while it has an offer, tokens expire; no call is lost, and none has two officers.

use std::time::Duration;

use alcove_tests::{
    browser::{Browser, Home, Page},
    control_room::Watch,
    desk::{Desk, FORCE, off_loopback},
    package::{WHO, exhibit_of},
    pages::{DESK, PHONE, enter, sign_in},
};
use api::{
    evidence::v1::GetExhibitResponse,
    intake::v1::call_update::{Accepted, Kind, Queued},
};
use chassis::{Clock, status::reason_of};
use futures::future::join_all;
use tempfile::TempDir;
use testkit::{StackOptions, key, until};
use tonic::Code;

/// The console renews a token from half of its life on: no call here is as short as one.
const ACCESS: Duration = Duration::from_secs(12);
/// So long that an offer moves on because its officer is not heard from, and for no other reason.
const OFFER_MS: u32 = 120_000;

#[tokio::test(flavor = "multi_thread")]
async fn two_officers_and_a_sergeant_have_three_callers_at_once() {
    let desk = shift().await;
    let [first, second, mut third] = three_at_once(&desk).await;
    let (okafors, others) = (Machine::start().await, Browser::start().await.unwrap());

    let windows = two_windows(&desk, &okafors).await;
    let singh = at_the_desk(&desk, &others, "singh", "pc-singh").await;
    free(windows[0]).await;
    offered(windows[1], &first).await;
    free(singh).await;
    offered(singh, &second).await;
    third.has_place(1).await;

    let okafor = raced(&desk, windows, &first).await;
    singh.click("#accept").await.unwrap();
    let began = Clock::system().now();
    let caller = comes_in(&desk, &others, "caller", okafor).await;
    let second_caller = comes_in(&desk, &others, "second-caller", singh).await;

    let sergeant = at_the_desk(&desk, &others, "sergeant", "sgt-price").await;
    watched_openly(sergeant, singh, &second).await;
    let seconds = held(&desk, &second).await;
    tokens_expire(&desk, began, [singh, second_caller]).await;

    // The officer's computer dies in mid-call. They sign in at another, and are in the same call.
    let before = held(&desk, &first).await;
    okafors.dies().await;
    let okafors = Machine::start().await;
    let okafor = back_in_the_call(&desk, &okafors).await;
    goes_on([okafor, caller]).await;
    first.is_still(&desk, &before).await;
    ends(okafor, caller).await;
    first.ends_whole(&desk, "pc-okafor", &before).await;

    // Free again, they are offered the call that waited; before they answer, that computer dies, too.
    offered(okafor, &third).await;
    ends(singh, second_caller).await;
    second.ends_whole(&desk, "pc-singh", &seconds).await;
    okafors.dies().await;
    offered(singh, &third).await;
    alerted(sergeant, &third).await;
    singh.click("#accept").await.unwrap();
    let caller = comes_in(&desk, &others, "third-caller", singh).await;
    let before = held(&desk, &third).await;
    goes_on([singh, caller]).await;
    ends(singh, caller).await;
    let seen = third.ends_whole(&desk, "pc-singh", &before).await;
    assert_eq!(seen.iter().filter(|kind| matches!(kind, Kind::Offered(_))).count(), 2, "{seen:?}");
    refused_by_no_policy([singh, sergeant, caller, second_caller]).await;
}

/// A stack of short tokens and patient offers.
async fn shift() -> Desk {
    let StackOptions { mut env, .. } = off_loopback().unwrap();
    env.push((key("call-transfer", "desk__offer_timeout_ms"), OFFER_MS.to_string()));
    Desk::open(StackOptions { access: Some(ACCESS), env, ..StackOptions::default() }).await.unwrap()
}

/// A computer of somebody's own, with a Chromium that can be killed.
struct Machine {
    browser: Browser,
    _home: TempDir,
}

impl Machine {
    async fn start() -> Self {
        let home = tempfile::tempdir().unwrap();
        let folder = Some(home.path().to_owned());
        let browser = Browser::start_in(Home { folder, is_kept: true, ..Home::default() }).await.unwrap();
        Self { browser, _home: home }
    }

    async fn dies(self) {
        self.browser.crash().await.unwrap();
    }
}

/// A call, as its control room sees it.
struct Line {
    call_id: String,
    watch: Watch,
}

/// Handed over at once: in the order of the queue.
async fn three_at_once(desk: &Desk) -> [Line; 3] {
    let lines = join_all(["6101", "6102", "6103"].map(async |incident| {
        let call_id = desk.control_room.hand_over(incident).await.unwrap().call_id;
        let mut line = Line { watch: desk.control_room.watch(&call_id, 0).await.unwrap(), call_id };
        (line.place().await, line)
    }));
    let mut lines = lines.await;
    lines.sort_by_key(|(place, _)| *place);
    let places: Vec<_> = lines.iter().map(|(place, _)| *place).collect();
    assert_eq!(places, [1, 2, 3], "each knows how many are before it");
    lines.into_iter().map(|(_, line)| line).collect::<Vec<_>>().try_into().ok().unwrap()
}

impl Line {
    async fn place(&mut self) -> u32 {
        match self.watch.until(|kind| matches!(kind, Kind::Queued(_))).await.unwrap() {
            Kind::Queued(queued) => queued.position,
            other => unreachable!("{other:?}"),
        }
    }

    async fn has_place(&mut self, place: u32) {
        self.watch
            .until(|kind| matches!(kind, Kind::Queued(Queued { position, .. }) if *position == place))
            .await
            .unwrap();
    }

    /// The same session and recording.
    async fn is_still(&self, desk: &Desk, before: &Held) {
        let now = held(desk, self).await;
        assert_eq!((&now.session_id, &now.exhibit_id), (&before.session_id, &before.exhibit_id));
    }

    /// It has ended and is sealed, both once, with all that was recorded before; one officer had it. What the control room saw.
    async fn ends_whole(mut self, desk: &Desk, officer: &str, before: &Held) -> Vec<Kind> {
        while self.watch.next().await.unwrap().is_some() {}
        let seen: Vec<_> = self
            .watch
            .seen()
            .iter()
            .filter_map(|update| update.update.clone().and_then(|update| update.kind))
            .collect();
        let count = |wanted: fn(&Kind) -> bool| seen.iter().filter(|kind| wanted(kind)).count();
        assert_eq!(count(|kind| matches!(kind, Kind::Ended(_))), 1, "{seen:?}");
        assert_eq!(count(|kind| matches!(kind, Kind::Sealed(_))), 1, "{seen:?}");
        let lost = |kind: &Kind| matches!(kind, Kind::Abandoned(_) | Kind::Returned(_) | Kind::Cancelled(_));
        assert!(!seen.iter().any(lost), "{seen:?}");
        let accepted: Vec<_> = seen
            .iter()
            .filter_map(
                |kind| if let Kind::Accepted(Accepted { officer_id }) = kind { Some(&**officer_id) } else { None },
            )
            .collect();
        assert_eq!(accepted, [officer]);
        let exhibit = exhibit(desk, &self.call_id).await;
        assert_eq!(exhibit.exhibit_id, before.exhibit_id);
        assert!(of_the_caller(&exhibit) > before.segments, "the recording went on");
        let folder = tempfile::tempdir().unwrap();
        desk.verified_package(&self.call_id, &folder.path().join("package")).await.unwrap();
        seen
    }
}

/// What there is of a call that goes on.
struct Held {
    session_id: String,
    exhibit_id: String,
    /// Of the caller's pictures and sound.
    segments: u64,
}

async fn held(desk: &Desk, Line { call_id, .. }: &Line) -> Held {
    until("a recording of the caller", async || of_the_caller(&exhibit(desk, call_id).await) > 0).await;
    let exhibit = exhibit(desk, call_id).await;
    let session = desk.officer("pc-singh").unwrap().session_until(call_id, |_| true).await.unwrap();
    Held { session_id: session.session_id, segments: of_the_caller(&exhibit), exhibit_id: exhibit.exhibit_id }
}

async fn exhibit(desk: &Desk, call_id: &str) -> GetExhibitResponse {
    exhibit_of(desk.way("evidence-store", WHO).unwrap(), FORCE, call_id).await.unwrap()
}

fn of_the_caller(exhibit: &GetExhibitResponse) -> u64 {
    let tracks = exhibit.tracks.iter().filter(|track| track.track.starts_with("caller"));
    tracks.map(|track| track.segments).sum()
}

async fn at_the_desk<'b>(desk: &Desk, browser: &'b Browser, name: &'static str, id: &str) -> Page<'b> {
    let page = browser.open(name, &desk.stack.console(), DESK).await.unwrap();
    sign_in(page, id).await.unwrap();
    page
}

/// One officer who has the console open twice.
async fn two_windows<'m>(desk: &Desk, machine: &'m Machine) -> [Page<'m>; 2] {
    let one = at_the_desk(desk, &machine.browser, "okafor", "pc-okafor").await;
    let two = one.beside("okafor-too", &desk.stack.console()).await.unwrap();
    two.see("body[data-view=desk]").await.unwrap();
    [one, two]
}

async fn free(officer: Page<'_>) {
    officer.click("#presence[data-state=away]").await.unwrap();
    officer.see("#presence[data-state=free]").await.unwrap();
}

async fn offered(officer: Page<'_>, Line { call_id, .. }: &Line) {
    officer.see(&format!("#offer[data-call='{call_id}']")).await.unwrap();
}

/// Both windows accept at once, and so does somebody who was offered another call. One window has it, and the other says where it is.
async fn raced<'b>(desk: &Desk, windows: [Page<'b>; 2], Line { call_id, .. }: &Line) -> Page<'b> {
    let [one, two] = windows;
    let start = "window.race = new BroadcastChannel('race');";
    one.evaluate(&format!("{start} window.race.onmessage = () => document.querySelector('#accept').click(); 0"))
        .await
        .unwrap();
    let press = format!("{start} window.race.postMessage(''); document.querySelector('#accept').click()");
    let singh = desk.officer("pc-singh").unwrap();
    let (pressed, refused) = tokio::join!(two.evaluate(&press), singh.accept(call_id));
    pressed.unwrap();
    let refused = refused.unwrap_err();
    let reasons = ["NOT_OFFERED_TO_YOU", "CALL_NOT_WAITING"];
    assert_eq!(refused.code(), Code::FailedPrecondition);
    assert!(reasons.contains(&&*reason_of(&refused).unwrap()), "{refused:?}");

    let settled = "document.body.dataset.view === 'call' || !document.querySelector('#elsewhere').hidden";
    let mut at = Vec::new();
    for window in windows {
        window.until(settled).await.unwrap();
        at.push(window.evaluate("document.body.dataset.view").await.unwrap());
    }
    let (winner, other) = if at[0] == "call" { (one, two) } else { (two, one) };
    assert!(at.contains(&"call".into()) && at.contains(&"desk".into()), "{at:?}");
    other.see("#elsewhere").await.unwrap();
    winner
}

/// A caller types the code that the officer reads out, and both see each other.
async fn comes_in<'b>(desk: &Desk, browser: &'b Browser, name: &'static str, officer: Page<'_>) -> Page<'b> {
    officer.see("#code-card[data-state=shown]").await.unwrap();
    let code = officer.text("#code").await.unwrap();
    let caller = browser.open(name, &desk.stack.caller_page(), PHONE).await.unwrap();
    enter(caller, &code).await.unwrap();
    for (page, other) in [(officer, "#caller"), (caller, "#other")] {
        page.until(&format!("document.querySelector('{other}').videoWidth > 0")).await.unwrap();
    }
    caller
}

/// The sergeant asks to watch; the officer lets them in, and sees them for as long as they are there.
async fn watched_openly(sergeant: Page<'_>, officer: Page<'_>, Line { call_id, .. }: &Line) {
    sergeant.click("[data-to=overview]").await.unwrap();
    sergeant.click(&format!("#officers [data-act=watch][data-call='{call_id}']")).await.unwrap();
    sergeant.see("#observing[data-standing=waiting]").await.unwrap();
    officer.click("#people li[data-role=observer] [data-act=admit]").await.unwrap();
    sergeant.see("#observing[data-standing=in]").await.unwrap();
    sergeant.until("document.querySelector('#caller').videoWidth > 0").await.unwrap();
    officer.see("#people li[data-role=observer][data-connected=true]").await.unwrap();
    sergeant.click("#observing-leave").await.unwrap();
    sergeant.see("#overview").await.unwrap();
}

/// The sergeant sees whose offer was not answered, and takes it on.
async fn alerted(sergeant: Page<'_>, Line { call_id, .. }: &Line) {
    let alert = format!("#alert-rows li[data-call='{call_id}'][data-kind=not_answered]");
    sergeant.see(&alert).await.unwrap();
    assert!(sergeant.text(&alert).await.unwrap().contains("pc-okafor"));
    sergeant.click(&format!("{alert} [data-act=see]")).await.unwrap();
    sergeant.until(&format!("!document.querySelector(\"{alert}\")")).await.unwrap();
}

/// The token that the call began with is over by then, and so is the next. The call goes on, and its officer still gives orders.
async fn tokens_expire(desk: &Desk, began: chrono::DateTime<chrono::Utc>, [officer, caller]: [Page<'_>; 2]) {
    let clock = Clock::system();
    until("the end of the tokens that the call began with", async || clock.now() > began + 2 * ACCESS).await;
    // Two officers and a sergeant have renewed theirs.
    until("renewed tokens", async || desk.stack.issuer.refresh_tokens().await.unwrap().spent >= 3).await;
    goes_on([officer, caller]).await;
    officer.click("#still").await.unwrap();
    officer.until("document.querySelector('#still').dataset.rtp").await.unwrap();
    officer.see("body[data-view=call]").await.unwrap();
}

/// Who signs in again finds themselves in their call.
async fn back_in_the_call<'m>(desk: &Desk, machine: &'m Machine) -> Page<'m> {
    let officer = machine.browser.open("okafor", &desk.stack.console(), DESK).await.unwrap();
    officer.click("#sign-in").await.unwrap();
    officer.click("[data-officer=pc-okafor]").await.unwrap();
    officer.see("body[data-view=call]").await.unwrap();
    officer.until("document.querySelector('#caller').videoWidth > 0").await.unwrap();
    officer
}

/// New pictures come, on both sides.
async fn goes_on(pages: [Page<'_>; 2]) {
    for page in pages {
        page.evaluate("window.callStats().then((stats) => { window.then = stats.framesDecoded; })").await.unwrap();
        page.until("window.callStats().then((stats) => stats.framesDecoded > window.then + 10)").await.unwrap();
    }
}

async fn ends(officer: Page<'_>, caller: Page<'_>) {
    officer.click("#end").await.unwrap();
    officer.click("#confirm-end").await.unwrap();
    caller.see("#over").await.unwrap();
    officer.see("#after[data-state=sealed]").await.unwrap();
}

/// A page may complain of media that has gone, but not of what its content security policy stops.
async fn refused_by_no_policy<const N: usize>(pages: [Page<'_>; N]) {
    for page in pages {
        let complaints = page.complaints().await.unwrap();
        assert!(!complaints.iter().any(|one| one.contains("Content Security Policy")), "{complaints:?}");
    }
}
