// A person's answer to the browser's own question for camera and microphone: "allow" or "refuse" as the question comes, "once"
// with its box to be remembered unticked, "remember" with it ticked.

const PATIENCE_MS = 20_000;

// Chromium's question can't be clicked without a screen, and counts as refused for good. Its page of settings writes down an answer where
// the question does.
async function settle({ driver }, origin, answer) {
  if (answer === "refuse") return;
  if (answer !== "allow") throw new Error("Chromium's settings have no such answer");
  const page = await driver.contexts()[0].newPage();
  await page.goto(`chrome://settings/content/siteDetails?site=${encodeURIComponent(origin)}`);
  for (const kind of ["media-stream-camera", "media-stream-mic"]) {
    await page.evaluate(([site, kind]) => chrome.send("setCategoryPermissionForPattern", [site, "", kind, "allow", false]), [origin, kind]);
  }
  await page.close();
}

// Firefox's own window: the question itself, clicked.
const CLICK = (answer) => `(() => {
  const { panel } = PopupNotifications, question = panel.firstElementChild;
  if (!question || panel.state !== "open") return false;
  const box = question.checkbox, ticked = { once: false, remember: true }["${answer}"];
  if (ticked !== undefined && box.checked !== ticked) {
    box.checked = ticked;
    box.dispatchEvent(new CustomEvent("command"));
  }
  question["${answer}" === "refuse" ? "secondaryButton" : "button"].click();
  return true;
})()`;

async function click({ driver }, answer, until) {
  const { result: { contexts: [{ context }] } } = await driver.connection.send("browsingContext.getTree", { "moz:scope": "chrome" });
  const expression = CLICK(answer);
  for (const end = Date.now() + PATIENCE_MS; !(await until()); await new Promise((done) => { setTimeout(done, 100); })) {
    if (Date.now() > end) throw new Error("it never asked");
    await driver.connection.send("script.evaluate", { target: { context }, expression, awaitPromise: false });
  }
}

// Has the page do it; how that ended.
export async function ask(engine, browser, page, origin, { asks, answer }) {
  if (engine === "chromium" && answer) await settle(browser, origin, answer);
  await page.evaluate(`window.asked = ''; (async () => { ${asks}; })().then(() => { window.asked = 'had'; }, (error) => { window.asked = error.name; }); undefined`);
  const asked = () => page.evaluate("window.asked");
  if (engine === "firefox" && answer) await click(browser, answer, asked);
  while (!(await asked())) await new Promise((done) => { setTimeout(done, 50); });
  return asked();
}
