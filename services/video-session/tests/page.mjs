// What a caller does with the page, in Chromium with its fake camera: node page.mjs BASE CODE [FOLDER FOR PICTURES]
import assert from "node:assert/strict";
import { enter, forgotten, launch, phone, until as becomes } from "./chromium.mjs";

const [base, code, pictures] = process.argv.slice(2);

const browser = await launch();
const context = await browser.newContext(phone);
await context.addInitScript(() => {
  window.connections = [];
  const Real = window.RTCPeerConnection;
  window.RTCPeerConnection = function (...args) {
    const made = new Real(...args);
    window.connections.push(made);
    return made;
  };
});
const page = await context.newPage();
page.setDefaultTimeout(20_000);
const complaints = [];
page.on("pageerror", (error) => complaints.push(String(error)));
page.on("console", (message) => { if (message.type() === "error") complaints.push(message.text()); });
const hosts = new Set();
const fetched = [];
page.on("request", (request) => {
  hosts.add(new URL(request.url()).host);
  if (request.method() === "GET") fetched.push(new URL(request.url()).pathname);
});
// The resources that its connections hold, by endpoint.
const resources = {};
page.on("response", (answer) => {
  if (answer.status() !== 201) return;
  const [, kind] = new URL(answer.url()).pathname.split("/");
  const { authorization } = answer.request().headers();
  resources[kind] = { at: new URL(answer.headers().location, answer.url()).href, authorization };
});
await context.route("https://exit.test/", (route) => route.fulfill({ body: "elsewhere" }));

const until = (what) => becomes(page, what).catch((error) => { throw new Error(`${error.message}; ${complaints}`); });
const picture = (name) => (pictures ? page.screenshot({ path: `${pictures}/${name}.png` }) : null);

const opened = await page.goto(base);
assert.equal(opened.status(), 404, "kept out of the history's sight");
assert.equal(await page.title(), "Video call");
assert.equal(await page.evaluate(() => document.documentElement.lang), "en");
await until(() => document.body.dataset.state === "idle");
assert.equal(await page.evaluate(() => document.activeElement.id), "code");
await enter(page, "AAAA-AAAA");
await until(() => document.getElementById("problem").textContent.includes("isn’t right"));
assert.equal(await page.evaluate(() => document.getElementById("own").srcObject), null, "the camera is off again");
await picture("wrong-code");
assert.deepEqual(fetched, ["/"], "one document, and nothing else until somebody joins");

// Another language is chosen on the spot, and says what was said.
await page.selectOption("#enter .language", "ur");
await until(() => document.documentElement.dir === "rtl" && document.getElementById("problem").textContent.includes("کوڈ"));
const box = (id) => page.locator(id).boundingBox();
assert.ok((await box("#leave")).x < 100, "everything is on the other side");
await picture("wrong-code-urdu");
await page.selectOption("#enter .language", "en");
await until(() => document.getElementById("problem").textContent.includes("isn’t right"));
assert.deepEqual(fetched, ["/", "/words/ur.json", "/words/en.json"]);

// One thing at a time: what there is to know, then a look at oneself, with the picture off and on; and nobody else sees it.
await page.fill("#code", code.toLowerCase().replace("-", " "));
await page.click("#go");
await until(() => document.querySelectorAll("#know li").length === 4 && document.activeElement.id === "know");
await picture("know");
const own = () => page.evaluate(() => document.getElementById("preview").srcObject.getTracks().map(({ kind }) => kind).sort().join());
await page.click("#on");
await until(() => document.getElementById("looks").textContent.startsWith("Nobody sees") && document.getElementById("preview").videoWidth > 0);
await picture("look");
await page.click("#mirror");
await until(() => document.body.dataset.picture === "off");
assert.equal(await own(), "audio");
await picture("look-without");
await page.click("#mirror");
await until(() => document.body.dataset.picture === "on");
assert.equal(await own(), "audio,video");
assert.deepEqual(await page.evaluate(() => window.connections.length), 0);
const clicked = Date.now();
await page.click("#in");
await until(() => document.body.dataset.state === "live" && document.body.dataset.remote === "yes");
console.log(`join to the other side's picture: ${Date.now() - clicked} ms`);
await until(async () => { const s = await window.callStats(); return s && s.framesDecoded > 20 && s.framesEncoded > 20 && s.audioReceived > 20; });
assert.equal(await page.evaluate(() => document.getElementById("status").textContent), "");
const relays = await page.evaluate(() => window.connections.flatMap((one) => one.getConfiguration().iceServers));
assert.equal(relays.length, 2, "both connections know the relay");
assert.ok(relays.every(({ urls, username }) => String(urls).startsWith("turn:") && username.includes(":")));
await picture("live");

// Another network by the letter of RFC 9725, section 4.3.3, out and in: an ICE restart, and nothing is made anew.
for (const kind of ["whip", "whep"]) {
  const status = await page.evaluate(async ({ kind, at, authorization }) => {
    const sends = (one) => one.getSenders().some((sender) => sender.track);
    const pc = window.connections.find((one) => sends(one) === (kind === "whip"));
    const line = (text, name) => text.match(new RegExp(`^${name}.*`, "m"))[0];
    pc.restartIce();
    await pc.setLocalDescription(await pc.createOffer());
    const names = ["m=", "a=mid:", "a=ice-ufrag:", "a=ice-pwd:"];
    const answer = await fetch(at, {
      method: "PATCH",
      headers: { Authorization: authorization, "Content-Type": "application/trickle-ice-sdpfrag", "If-Match": "*" },
      body: names.map((name) => line(pc.localDescription.sdp, name) + "\r\n").join(""),
    });
    const theirs = await answer.text();
    const credentials = (sdp, name) => sdp.replace(new RegExp(`^${name}.*`, "gm"), line(theirs, name));
    const sdp = ["a=ice-ufrag:", "a=ice-pwd:"].reduce(credentials, pc.remoteDescription.sdp);
    await pc.setRemoteDescription({ type: "answer", sdp });
    return answer.status;
  }, { kind, ...resources[kind] });
  assert.equal(status, 200);
  const then = await page.evaluate(() => window.callStats());
  for (const what of ["framesEncoded", "framesDecoded", "audioSent", "audioReceived"]) {
    await until(`window.callStats().then((now) => now.connected && now.${what} > ${then[what] + 30})`);
  }
}

// The page does the same by itself when the network changes.
let restarts = [];
page.on("response", (answer) => { if (answer.request().method() === "PATCH") restarts.push(answer.status()); });
const seen = () => page.evaluate(() => window.callStats());
const goesOn = async (then) => {
  for (const what of ["framesEncoded", "framesDecoded"]) await until(`window.callStats().then((now) => now.connected && now.${what} > ${then[what] + 30})`);
};
await page.evaluate(() => window.dispatchEvent(new Event("online")));
await goesOn(await seen());
assert.deepEqual(restarts, [200, 200]);
assert.equal(await page.evaluate(() => window.connections.length), 2, "nothing was made anew");

// What the other end no longer knows is made anew.
restarts = [];
await context.route("**/whip/*", (route) => (route.request().method() === "PATCH" ? route.fulfill({ status: 404 }) : route.continue()));
let goOn;
const isRead = new Promise((done) => { goOn = done; });
await context.route("**/whip", async (route) => { await isRead; await route.continue(); });
await page.evaluate(() => window.dispatchEvent(new Event("online")));
await until(() => document.getElementById("status").textContent === "Reconnecting…");
await picture("reconnecting");
goOn();
await until(() => document.getElementById("status").textContent === "" && document.body.dataset.remote === "yes");
assert.deepEqual(restarts.sort(), [200, 404]);
assert.equal(await page.evaluate(() => window.connections.length), 3, "only what was lost");
await context.unroute("**/whip/*");
await context.unroute("**/whip");

// On its side and upright again: the same call, in the same connections, and the picture is between nothing and nobody.
const whole = () => {
  const [picture, bar] = ["other", "bar"].map((id) => document.getElementById(id).getBoundingClientRect());
  const inside = (one) => one.left >= 0 && one.top >= 0 && one.right <= innerWidth && one.bottom <= innerHeight;
  return inside(picture) && inside(bar) && (picture.bottom <= bar.top || picture.right <= bar.left) && picture.height > 240;
};
for (const [width, height] of [[844, 390], [390, 844]]) {
  await page.setViewportSize({ width, height });
  await until(whole);
  await goesOn(await seen());
  await picture(`turned-${width}`);
}
assert.equal(await page.evaluate(() => window.connections.length), 3, "nothing was made anew for that");

// Reloaded, it is back by itself. What that takes is hidden from scripts and gone with the browser.
await page.reload();
await until(() => document.body.dataset.state === "live" && document.body.dataset.remote === "yes");
await goesOn({ framesEncoded: 0, framesDecoded: 0 });
const kept = await context.cookies();
assert.deepEqual(kept.map(({ name, expires, httpOnly, secure, sameSite }) => [name, expires, httpOnly, secure, sameSite]),
  [["__Host-back", -1, true, true, "Strict"]]);
assert.equal(await page.evaluate(() => document.cookie), "");
assert.deepEqual(await page.evaluate(() => [localStorage.length, sessionStorage.length, history.length]), [0, 0, 2]);
// Sound only, by choice: the camera is off, and stays off over a reload, until it is turned on.
const cameras = () => page.evaluate(() => document.getElementById("own").srcObject.getVideoTracks().length);
const more = async (id) => {
  await page.click("#options");
  await page.click(id);
};
await more("#camera");
await until(() => document.body.dataset.picture === "off" && document.getElementById("notice").textContent.includes("picture is off"));
assert.equal(await cameras(), 0);
const quiet = await seen();
await until(`window.callStats().then((now) => now.audioSent > ${quiet.audioSent + 60})`);
await picture("sound-only");
await page.reload();
await until(() => document.body.dataset.state === "live" && document.body.dataset.remote === "yes");
await until(async () => (await window.callStats()).audioSent > 60);
assert.equal(await cameras(), 0, "a reload turns no camera on");
assert.equal((await seen()).framesEncoded, 0);
await more("#camera");
await goesOn({ framesEncoded: 0, framesDecoded: 0 });
assert.equal(await page.evaluate(() => document.getElementById("notice").textContent), "");
// Unheard, by choice: it is said, and stays so when the call was covered and when the page is reloaded.
const unheard = () => document.getElementById("notice").textContent.startsWith("Your microphone is off")
  && document.getElementById("own").srcObject && document.getElementById("own").srcObject.getAudioTracks().every((track) => !track.enabled);
await more("#sound");
await until(unheard);
await picture("unheard");
await page.click("#cover");
const { x, y } = await page.locator("#front h1").boundingBox();
await page.mouse.move(x + 20, y + 12);
await page.mouse.down();
await until(() => document.body.dataset.front === "no");
await page.mouse.up();
await until(unheard);
await page.reload();
await until(() => document.body.dataset.remote === "yes");
await until(unheard);
assert.equal(await cameras(), 1, "the picture is another matter");
await more("#sound");
await until(() => document.getElementById("notice").textContent === "");
assert.ok(await page.evaluate(() => document.getElementById("own").srcObject.getAudioTracks()[0].enabled));

await page.click("#leave");
await page.waitForURL("https://exit.test/");
await forgotten(context, base);
await page.goBack();
assert.equal(page.url(), "about:blank", "what came before the call, and not the call");
assert.deepEqual([...hosts].sort(), [new URL(base).host, "exit.test"].sort(), "no third party");
// What is refused is an error in the browser's own log, and the only one; and the page itself, which isn't found.
assert.deepEqual(complaints.filter((line) => !line.includes("404")), []);
await browser.close();
