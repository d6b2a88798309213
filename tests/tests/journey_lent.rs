//! A whole call that an officer of another force takes, at the console: lent by two sergeants' word, they go to the other desk,
//! answer, meet the caller, and come back. The control room sees whose officer it is.

use std::{fs, path::Path};

use alcove_tests::{
    browser::Browser,
    desk::{Desk, FORCE},
    loan,
    pages::{DESK, Invited, picture, sign_in},
};
use api::intake::v1::call_update::Kind;
use testkit::StackOptions;

/// Whether any file of a folder has these words.
fn says(folder: &Path, words: &[u8]) -> bool {
    let mut entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.any(|path| {
        if path.is_dir() {
            return says(&path, words);
        }
        fs::read(path).unwrap().windows(words.len()).any(|window| window == words)
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn an_officer_of_another_force_answers_and_goes_home() {
    let desk = Desk::open(StackOptions::default()).await.unwrap();
    let browser = Browser::start().await.unwrap();
    let officer = browser.open_with("officer", &desk.stack.console(), DESK, "").await.unwrap();
    sign_in(officer, "pc-marsh").await.unwrap();
    officer.click("#presence").await.unwrap();
    officer.see("#presence[data-state=free]").await.unwrap();
    let offered = loan::offered(&desk.stack, "pc-marsh", ["kent", FORCE]).await.unwrap();
    loan::agreed(&desk.stack, offered).await.unwrap();
    officer.click("#may-go [data-force=wmp]").await.unwrap();
    officer.see("#place:not([hidden])").await.unwrap();
    officer.see("#presence[data-state=free]").await.unwrap();
    picture(officer, "lent.png").await.unwrap();

    let call_id = desk.control_room.hand_over("5301").await.unwrap().call_id;
    let invited = Invited::accepted(&desk, officer, call_id).await.unwrap();
    let mut pages = invited.joined(&desk, &browser, "").await.unwrap();
    let accepted = pages.watch.until(|kind| matches!(kind, Kind::Accepted(_))).await.unwrap();
    let Kind::Accepted(accepted) = accepted else { unreachable!() };
    assert_eq!(accepted.officer_id, "pc-marsh@kent");
    // A page that is loaded anew in the call is still at that desk, and in the call.
    officer.reload().await.unwrap();
    officer.see("#place:not([hidden])").await.unwrap();
    officer.until("document.querySelector('#caller').videoWidth > 0").await.unwrap();
    officer.click("#consents [data-kind=stills] button").await.unwrap();
    officer.click("#consent-write").await.unwrap();
    officer.see("#consents [data-kind=stills][data-given=false]").await.unwrap();
    picture(officer, "lent-call.png").await.unwrap();

    let folder = tempfile::tempdir().unwrap();
    let package = pages.end(&desk, folder.path()).await.unwrap();
    assert!(says(&package, b"pc-marsh@kent"), "a court reads whose officer it was");
    // What comes after the call is for the other force's sergeant: they are at the desk again at once.
    officer.see("body[data-view=desk]").await.unwrap();
    picture(officer, "lent-after.png").await.unwrap();
    officer.click("#place-back").await.unwrap();
    officer.until("document.querySelector('#place').hidden").await.unwrap();
    officer.see("#presence[data-state=free]").await.unwrap();
    let complaints = officer.complaints().await.unwrap();
    assert!(!complaints.iter().any(|one| one.contains("Content Security Policy")), "{complaints:?}");
}
