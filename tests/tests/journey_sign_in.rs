//! An officer's sign-in while a call goes on.

use std::time::Duration;

use alcove_tests::{browser::Browser, desk::Desk, pages::Pages};
use chassis::Clock;
use testkit::{StackOptions, until};

/// The console renews a token from half of its life on: this one, with every other heartbeat.
const ACCESS: Duration = Duration::from_secs(12);

#[tokio::test(flavor = "multi_thread")]
async fn a_token_expires_in_mid_call_and_the_call_goes_on() {
    let options = StackOptions { access: Some(ACCESS), ..StackOptions::default() };
    let desk = Desk::open(options).await.unwrap();
    let browser = Browser::start().await.unwrap();
    let pages = Pages::meet(&desk, [&browser, &browser], "2090", ["", ""]).await.unwrap();
    let before = desk.stack.issuer.refresh_tokens().await.unwrap();
    assert_eq!(before.held, 1, "one officer");

    // Whatever token the call began with is over by then, and the one after it.
    let clock = Clock::system();
    let over = clock.now() + 2 * ACCESS;
    until("the end of the tokens that the call began with", async || clock.now() > over).await;
    until("tokens renewed in mid-call", async || {
        desk.stack.issuer.refresh_tokens().await.unwrap().spent >= before.spent + 2
    })
    .await;

    // The same call, with pictures still coming, and an officer who still gives orders.
    pages.officer.see("body[data-view=call]").await.unwrap();
    for page in [pages.officer, pages.caller] {
        page.evaluate("window.callStats().then((stats) => { window.then = stats.framesDecoded; })").await.unwrap();
        page.until("window.callStats().then((stats) => stats.framesDecoded > window.then + 10)").await.unwrap();
        assert_eq!(page.complaints().await.unwrap(), Vec::<String>::new());
    }
    let folder = tempfile::tempdir().unwrap();
    pages.end(&desk, folder.path()).await.unwrap();
}
