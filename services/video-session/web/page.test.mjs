// The page's own promises, read off its files: neutral, nothing kept, the same in every language, forgiving with the code.
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";
import vm from "node:vm";

const folder = new URL(".", import.meta.url);
const names = readdirSync(folder).filter((name) => /\.(html|css|js)$/.test(name));
const files = Object.fromEntries(names.map((name) => [name, readFileSync(new URL(name, folder), "utf8")]));
const languages = readdirSync(new URL("words/", folder)).sort();
const words = languages.map((name) => readFileSync(new URL(`words/${name}`, folder), "utf8"));
const spoken = words.map((text) => JSON.parse(text));
const english = spoken[languages.indexOf("en.json")];
const fronts = readdirSync(new URL("pretexts/", folder)).sort();
const pretexts = fronts.map((name) => readFileSync(new URL(`pretexts/${name}`, folder), "utf8"));
const all = Object.values(files).concat(words, pretexts).join("\n");
const scripts = names.filter((name) => name.endsWith(".js")).map((name) => files[name].replace(/^ *\/\/.*$/gm, "")).join("\n");
// In the order in which they are put together: src/web/page.rs.
const parts = ["words.js", "code.js", "link.js", "picture.js", "photo.js", "sheet.js", "chat.js", "call.js", "silence.js", "camera.js", "regain.js", "battery.js", "ways.js", "tap.js", "front.js", "cover.js", "corner.js", "enter.js", "live.js", "gone.js", "fit.js", "page.js"];

// That it is under 40 kB in all, and runs by its own policy, is tested where it is put together: src/web/page.rs.
test("nothing but what is known, and nothing that lines can't be taken from", () => {
  assert.deepEqual(names.sort(), parts.concat(["index.html", "page.css"]).sort());
  for (const name of names) assert.ok(!files[name].replace(/^ *\/\/.*$/gm, "").includes("`"), `${name}: text over several lines would lose its indentation`);
  // Lines are joined: what came behind a comment would be one, too.
  for (const name of names.filter((one) => one.endsWith(".js"))) assert.doesNotMatch(files[name], /^ *[^ /\n].*[^:"'\n]\/\/.*$/m, name);
});

test("no text is changed where the script is closed up", () => {
  const texts = names.filter((name) => name.endsWith(".js")).flatMap((name) => files[name].replace(/^ *\/\/.*$/gm, "").match(/"(\\.|[^"\\\n])*"/g));
  assert.ok(texts.length > 300);
  assert.deepEqual(texts.filter((text) => / (=|=>|===|!==|&&|\|\|) |\) \{/.test(text)), []);
});

test("not a word of what the calls are about", () => {
  // As src/domain/lint.rs reads them, for what a deployment adds.
  const folded = (text) => text.normalize("NFKC").toLowerCase().replace(/[_\u2010-\u2015-]/g, "").replace(/[013]/g, (digit) => "oi_e"[digit]);
  const lines = readFileSync(new URL("forbidden.txt", folder), "utf8").split("\n").filter((line) => /^[^#~]/.test(line));
  assert.ok(lines.length > 40);
  const whole = lines.filter((line) => line.startsWith("=")).map((line) => folded(line.slice(1)));
  const stems = lines.filter((line) => !line.startsWith("=")).map(folded);
  const text = folded(all);
  assert.deepEqual(stems.filter((stem) => text.includes(stem)), []);
  const said = new Set(all.split(/[^\p{L}\p{N}]+/u).map(folded));
  assert.deepEqual(whole.filter((word) => said.has(word)), []);
});

test("ten languages say the same, each in its own direction", () => {
  assert.deepEqual(languages, ["ar", "bn", "cy", "en", "pa", "pl", "ro", "so", "uk", "ur"].map((name) => `${name}.json`));
  assert.ok(Object.keys(english.guest).length >= 20 && Object.keys(english.host).length >= 10);
  assert.ok(Object.keys(english.page).length <= 85, "more can't be checked by those whose languages they are");
  spoken.forEach((one, index) => {
    assert.deepEqual(Object.keys(one), ["language", "name", "dir", "reviewed", "page", "labels", "guest", "host"]);
    assert.equal(`${one.language}.json`, languages[index]);
    assert.equal(one.dir, ["ar", "ur"].includes(one.language) ? "rtl" : "ltr", one.language);
    assert.equal(typeof one.reviewed, "boolean");
    for (const part of ["page", "labels", "guest", "host"]) {
      assert.deepEqual(Object.keys(one[part]), Object.keys(english[part]), `${one.language} ${part}`);
      for (const [id, text] of Object.entries(one[part])) {
        assert.ok(text.trim() === text && text && (one.language === "en" || text !== english[part][id]), `${one.language} ${id}`);
        assert.equal(text.includes("{n}"), english[part][id].includes("{n}"), `${one.language} ${id}`);
        assert.doesNotMatch(text, /[<>"&]/, `${one.language} ${id}`);
      }
    }
  });
  assert.equal(new Set(spoken.map((one) => one.name)).size, languages.length);
});

test("in each language the letters are its own", () => {
  const letters = { ar: "Arabic", bn: "Bengali", pa: "Gurmukhi", uk: "Cyrillic", ur: "Arabic" };
  for (const one of spoken) {
    const foreign = new RegExp(`(?!\\p{Script=${letters[one.language] ?? "Latin"}})\\p{Letter}+`, "gu");
    const said = ["page", "labels", "guest", "host"].flatMap((part) => Object.values(one[part])).join(" ");
    const names = (said.match(foreign) ?? []).filter((name) => !["JavaScript", "Safari", "Chrome", "n"].includes(name));
    assert.deepEqual(names, [], one.language);
  }
});

test("what is said is in the words, and every word is said", () => {
  const html = Array.from(files["index.html"].matchAll(/data-(?:say|label)="([^"]+)"/g), ([, key]) => key);
  const keys = Object.keys(english.page);
  assert.deepEqual(html.filter((key) => !keys.includes(key)), []);
  const made = /^(problems|recording|company)\./;
  const said = (key) => html.includes(key) || scripts.includes(`"${key}"`) || made.test(key);
  assert.deepEqual(keys.filter((key) => !said(key)), []);
  for (const [, key] of scripts.matchAll(/\b(?:say\("[a-z]+", |word\()"([^"]+)"\)/g)) assert.ok(keys.includes(key), key);
  assert.deepEqual(files["index.html"].match(/data-say="[^"]*"[^>]/g), null, "the server writes behind it");
  // Nothing else is there to be read.
  const markup = files["index.html"].replace(/\{\{[a-z_]+\}\}|<[^>]*>/g, "").trim();
  assert.equal(markup, "");
});

test("before the camera there are four lines, and each is short", () => {
  const lines = ["know.stays", "know.hide", "know.leave", "know.who"];
  assert.deepEqual(Array.from(files["index.html"].matchAll(/<li data-say="([^"]+)">/g), ([, key]) => key), lines);
  for (const one of spoken) {
    for (const key of lines) assert.ok(one.page[key].length <= 160, `${one.language} ${key}: ${one.page[key].length}`);
    for (const [line, button] of [["know.leave", "leave"], ["know.hide", "cover"]]) {
      assert.ok(one.page[line].includes(one.page[button]), `${one.language}: the button is called what it says`);
    }
  }
});

test("whatever is in a camera's way, there is a way on", () => {
  const way = (name, withPicture, { userAgent = "Mozilla/5.0 (iPhone) Version/17.0 Mobile/15E148 Safari/604.1", mediaDevices = {} } = {}) => {
    const context = vm.createContext({ navigator: { userAgent, mediaDevices }, window: { RTCPeerConnection: {} } });
    return vm.runInContext(`${files["ways.js"]}wayOf(${JSON.stringify(name && { name })}, ${withPicture})`, context);
  };
  for (const [name, picture, sound] of [
    ["NotAllowedError", "ways.denied", "ways.denied"],
    ["NotFoundError", "ways.missing", "ways.silent"],
    ["OverconstrainedError", "ways.missing", "ways.silent"],
    ["NotReadableError", "ways.busy", "ways.busy"],
    ["AbortError", "ways.busy", "ways.busy"],
    ["TypeError", "problems.other", "problems.other"],
    [undefined, "problems.other", "problems.other"],
  ]) {
    assert.deepEqual([way(name, true), way(name, false)], [picture, sound], name);
    for (const key of [picture, sound]) assert.ok(key in english.page);
  }
  assert.equal(way("NotAllowedError", true, { mediaDevices: null }), "ways.elsewhere");
  for (const userAgent of [
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148 [FBAN/FBIOS;FBAV/440.0]",
    "Mozilla/5.0 (iPhone) Mobile/15E148 Instagram 300.0",
    "Mozilla/5.0 (Linux; Android 13; SM-A536B Build/TP1A; wv) AppleWebKit/537.36 Version/4.0 Chrome/120.0 Mobile Safari/537.36",
    "Mozilla/5.0 (iPhone) GSA/290.0 Mobile/15E148 Safari/604.1",
  ]) assert.equal(way("NotAllowedError", true, { userAgent }), "ways.elsewhere", userAgent);
});

test("either side is the other one's mirror", () => {
  const physical = files["page.css"].replace(/env\(safe-area-inset-(left|right), 0px\)/g, "").match(/\b(left|right)\b/g);
  assert.deepEqual(physical, null);
});

test("nothing is kept on the phone and nothing comes from elsewhere", () => {
  const storage = /localStorage|sessionStorage|indexedDB|document\.cookie|caches\b|serviceWorker|Notification/g;
  assert.deepEqual(all.match(storage), null);
  assert.deepEqual(all.match(/https?:\/\//g), null);
  assert.deepEqual(files["page.css"].match(/url\(|@import|@font-face/g), null);
  assert.deepEqual(files["index.html"].match(/ style=| on[a-z]+=| src=|<link rel="stylesheet"/g), null, "only what the policy names");
});

// A page that isn't found is kept out of sight (config.toml, `page.status`). What it does to its own address has no status, and is
// a visit that can be seen.
test("the address is left alone", () => {
  const touched = /\bhistory\b|pushState|replaceState|navigation\.|location\.(href|search|assign|reload)|location\.hash *=[^=]|location *=[^=]|href="#/g;
  assert.deepEqual(all.match(touched), null);
  assert.deepEqual(Array.from(scripts.matchAll(/location\.replace\(([^)]*)\)/g), ([, where]) => where).sort(),
    ["document.body.dataset.exit", "window.location.pathname"]);
  const titled = parts.filter((name) => files[name].includes("document.title"));
  assert.deepEqual(titled, ["cover.js"], "the history shows the last title there was: the page's own, or a harmless one");
});

test("speaks what Safari 15 understands", () => {
  const modern = /\?\.|\?\?=|\|\|=|&&=|\.at\(|findLast|structuredClone|AbortSignal\.(timeout|any)|\.replaceAll|#[a-z]+\s*[=(;]|static\s*\{/g;
  assert.deepEqual(scripts.match(modern), null);
});

test("the code field is remembered by nobody and the way out is first in the page", () => {
  const html = files["index.html"];
  assert.match(html, /<form id="join" autocomplete="off"/);
  assert.match(html, /<input id="code"[^>]*autocomplete="off"/);
  assert.ok(html.indexOf('id="leave"') < html.indexOf("<main>"));
  assert.ok(!/name="/.test(html.match(/<input id="code"[^>]*>/)[0]), "a field without a name is offered to no autofill");
});

test("a code is read however it is typed", () => {
  const context = vm.createContext({});
  vm.runInContext(files["code.js"], context);
  for (const typed of ["K7QF-2M9X", "k7qf2m9x", " k7qf 2m9x ", "K7QF–2M9X", "k-7-q-f-2-m-9-x", "‎“K7QF, 2M9X.”", "Ｋ７ｑｆ２ｍ９ｘ", "K٧QF-٢M٩X", "K۷QF-۲M۹X", "K৭QF-২M৯X", "K੭QF-੨M੯X"]) {
    assert.equal(context.normaliseCode(typed), "K7QF-2M9X", typed);
  }
  assert.equal(context.normaliseCode("oOiIlL00"), "0011-1100");
  for (const typed of ["", "K7QF-2M9", "K7QF-2M9XX", "K7QF-2M9U", "K7QF-2M9!", "K7QF-2M9é", "K7QF-2M9Ж"]) {
    assert.equal(context.normaliseCode(typed), null, typed);
  }
});

test("the parts make one script together", () => {
  for (const name of parts) assert.ok(files[name].endsWith("\n"), name);
  new vm.Script(parts.map((name) => files[name]).join(""));
});

test("an answer is renewed in the ICE session of a fragment, and in nothing else", () => {
  const context = vm.createContext({});
  vm.runInContext(files["link.js"] + "globalThis.names = { renewed, fragmentOf };", context);
  const { renewed, fragmentOf } = context.names;
  const sdp = ["v=0", "m=audio 9 X 111", "a=ice-ufrag:old", "a=ice-pwd:older", "a=candidate:1 1 udp", "a=mid:0", "a=end-of-candidates",
    "m=video 9 X 96", "a=ice-ufrag:old", "a=ice-pwd:older", "a=mid:1", ""].join("\r\n");
  assert.equal(fragmentOf(sdp), "m=audio 9 X 111\r\na=mid:0\r\na=ice-ufrag:old\r\na=ice-pwd:older\r\n");
  const fragment = "a=ice-options:ice2\r\nm=audio 9 X 0\r\na=mid:0\r\na=ice-ufrag:new\r\na=ice-pwd:newer\r\na=candidate:2 1 tcp\r\n";
  const session = "a=ice-ufrag:new\r\na=ice-pwd:newer\r\na=candidate:2 1 tcp\r\n";
  assert.equal(renewed(sdp, fragment), "v=0\r\nm=audio 9 X 111\r\n" + session + "a=mid:0\r\na=end-of-candidates\r\n" +
    "m=video 9 X 96\r\n" + session + "a=mid:1\r\n");
});

test("three harmless pages, whole in each language that they have, of kinds that can be drawn", () => {
  assert.deepEqual(fronts, ["parcel.json", "quiz.json", "recipe.json"]);
  pretexts.map((text) => JSON.parse(text)).forEach((one, index) => {
    assert.equal(`${one.id}.json`, fronts[index]);
    assert.deepEqual(Object.keys(one), ["id", "title", "say", "parts"]);
    const spoken = Object.keys(one.title);
    const texts = (value) => (typeof value !== "object" ? [] : value.en ? [value] : Object.values(value).flatMap(texts));
    for (const text of texts({ title: one.title, parts: one.parts })) {
      assert.deepEqual(Object.keys(text), spoken, one.id);
      for (const said of Object.values(text)) assert.ok(said && said.trim() === said, said);
    }
    for (const { kind } of one.parts) assert.match(files["front.js"], new RegExp(`\\b${kind}(\\(part\\)|: \\(part\\))`), kind);
  });
});
