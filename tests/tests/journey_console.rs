//! What is done with a call beside holding it, at the consoles of two: watched by a sergeant, a consent taken back, looked at afterwards.

use alcove_tests::{
    browser::Browser,
    desk::Desk,
    pages::{DESK, Pages},
};
use testkit::StackOptions;

#[tokio::test(flavor = "multi_thread")]
async fn a_call_is_watched_openly_and_looked_at_for_a_reason() {
    let desk = Desk::open(StackOptions::default()).await.unwrap();
    let browser = Browser::start().await.unwrap();
    let pages = Pages::meet(&desk, [&browser; 2], "3101", ["", ""]).await.unwrap();
    let officer = pages.officer;

    // Nobody listens in unseen: the officer lets the sergeant in, and sees them.
    let sergeant = browser.open_with("sergeant", &desk.stack.console(), DESK, "").await.unwrap();
    sergeant.click("[data-officer=sgt-price]").await.unwrap();
    sergeant.click("[data-to=evidence]").await.unwrap();
    sergeant.click("#exhibit-rows [data-exhibit]").await.unwrap();
    sergeant.click("#observe").await.unwrap();
    sergeant.see("#observing[data-standing=waiting]").await.unwrap();
    officer.click("#people li[data-role=observer] [data-act=admit]").await.unwrap();
    sergeant.see("#observing[data-standing=in]").await.unwrap();
    sergeant.until("document.querySelector('#caller').videoWidth > 0").await.unwrap();
    officer.see("#people li[data-role=observer][data-connected=true]").await.unwrap();
    sergeant.click("#observing-leave").await.unwrap();
    sergeant.see("#desk-title").await.unwrap();

    // What the caller takes back in the call is so everywhere: no more pictures.
    officer.see("#still").await.unwrap();
    officer.click("#consents [data-kind=stills] button").await.unwrap();
    officer.click("#consent-write").await.unwrap();
    officer.see("#consents [data-kind=stills][data-given=false]").await.unwrap();
    officer.until("document.querySelector('#still').hidden").await.unwrap();

    officer.click("#end").await.unwrap();
    officer.click("#confirm-end").await.unwrap();
    officer.see("#after[data-state=sealed]").await.unwrap();
    let reference = officer.text("#exhibit-reference").await.unwrap();
    officer.click("[data-to=evidence]").await.unwrap();
    officer.fill("#find", &reference).await.unwrap();
    officer.click("#exhibit-rows [data-exhibit]").await.unwrap();
    officer.fill("#look-reason", "Writing my statement").await.unwrap();
    officer.click("#play").await.unwrap();
    officer.until("document.querySelector('#playback').videoWidth > 0").await.unwrap();
    let looks = "document.querySelector('#access-rows').textContent";
    officer.until(&format!("{looks}.includes('pc-okafor') && {looks}.includes('Writing my statement')")).await.unwrap();
    // Media that has gone is not found, and that is no fault; what the content security policy stops would be one.
    for page in [officer, sergeant] {
        let complaints = page.complaints().await.unwrap();
        assert!(!complaints.iter().any(|one| one.contains("Content Security Policy")), "{complaints:?}");
    }
}
