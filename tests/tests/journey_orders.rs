//! The officer orders the recording by the console's buttons, and mutes the microphone: what is sealed has what was ordered, why and by
//! whom, and no picture from after the stop, while the call went on.

use alcove_tests::{
    browser::{Browser, Page},
    desk::Desk,
    media_probe::Probe,
    pages::Pages,
};
use serde_json::Value;
use testkit::StackOptions;

/// Clicks a button with a reason typed; the recording then says that it stands so, on both pages.
async fn order(pages: &Pages<'_>, [button, reason, console, page]: [&str; 4]) {
    pages.officer.fill("#record-reason", reason).await.unwrap();
    pages.officer.click(&format!("[data-order={button}]")).await.unwrap();
    says(pages.officer, "#recording", console).await;
    says(pages.caller, "#company", page).await;
}

/// Clicks on the microphone's button with a reason typed; it then says how the microphone is.
async fn mute(officer: Page<'_>, reason: &str, button: &str) {
    officer.fill("#record-reason", reason).await.unwrap();
    officer.click("#mute").await.unwrap();
    says(officer, "#mute", button).await;
}

/// Two seconds and more.
const A_WHILE: u64 = 60;
/// What isn't to be recorded: more than a busy machine has under way when an order is given.
const A_GOOD_WHILE: u64 = 2 * A_WHILE;

async fn says(page: Page<'_>, selector: &str, words: &str) {
    page.until(&format!("document.querySelector('{selector}').textContent.startsWith('{words}')")).await.unwrap();
}

/// So many new pictures on both screens, in the same seconds: those of the caller's that were sent by then.
async fn goes_on(pages: &Pages<'_>, pictures: u64) -> u64 {
    let both = [pages.officer, pages.caller];
    let mut enough = Vec::new();
    for page in both {
        let shown = page.evaluate("window.callStats().then((now) => now.framesDecoded)").await.unwrap();
        enough.push(shown.as_u64().unwrap() + pictures);
    }
    for (page, enough) in both.into_iter().zip(enough) {
        page.until(&format!("window.callStats().then((now) => now.framesDecoded > {enough})")).await.unwrap();
    }
    let sent = pages.caller.evaluate("window.callStats().then((now) => now.framesEncoded)").await.unwrap();
    sent.as_u64().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_is_paused_and_goes_on_unrecorded_when_consent_is_withdrawn() {
    let desk = Desk::open(StackOptions::default()).await.unwrap();
    let browser = Browser::start().await.unwrap();
    let pages = Pages::meet(&desk, [&browser; 2], "2801", ["", ""]).await.unwrap();
    says(pages.caller, "#company", "This call is being recorded.").await;
    mute(pages.officer, "a colleague asks", "Your microphone is off").await;
    goes_on(&pages, A_WHILE).await;
    mute(pages.officer, "", "Mute my microphone").await;
    let first = goes_on(&pages, A_WHILE).await;
    order(&pages, ["pause", "her solicitor rings", "Recording is paused", "Recording is paused."]).await;
    goes_on(&pages, A_GOOD_WHILE).await;
    order(&pages, ["resume", "", "Recording", "This call is being recorded."]).await;
    let before = goes_on(&pages, A_WHILE).await;
    // Without a reason nothing is ordered: the field asks for one.
    pages.officer.fill("#record-reason", "").await.unwrap();
    pages.officer.click("[data-order=stop]").await.unwrap();
    pages.officer.until("document.activeElement.id === 'record-reason'").await.unwrap();
    order(&pages, ["stop", "she takes it back", "Recording stopped", "Recording has stopped."]).await;
    let after = goes_on(&pages, A_GOOD_WHILE).await;

    let folder = tempfile::tempdir().unwrap();
    let data = pages.end(&desk, folder.path()).await.unwrap().join("bag/data");
    let recorded = Probe::file(&data.join("tracks/caller-1.mkv")).unwrap().video_frames;
    assert!(
        recorded + 60 > first && recorded + 100 < after,
        "{recorded} of {after}: without the pause, and what came after"
    );
    assert!(recorded < before, "{recorded} of {before}");
    let ledger = std::fs::read(data.join("items/gap-ledger/gap-ledger/1.json")).unwrap();
    let ledger: Value = serde_json::from_slice(&ledger).unwrap();
    let events = ledger["events"].as_array().unwrap();
    let said = |of: &dyn Fn(&Value) -> bool, fields: [&str; 3]| -> Vec<_> {
        let said = events.iter().filter(|event| of(event));
        said.map(|event| fields.map(|field| event[field].as_str().unwrap_or_default().to_owned())).collect()
    };
    let ordered = [
        ["paused", "her solicitor rings", "pc-okafor"],
        ["resumed", "", "pc-okafor"],
        ["recording-stopped", "she takes it back", "pc-okafor"],
    ];
    assert_eq!(said(&|event| event["track"].is_null(), ["what", "reason", "officer"]), ordered);
    let muted = [["turned-off", "choice", "a colleague asks"], ["turned-on", "", ""]];
    let by_officer = |event: &Value| event["track"] == "officer-1" && event["medium"] == "audio";
    assert_eq!(said(&by_officer, ["what", "why", "reason"]), muted);
}
