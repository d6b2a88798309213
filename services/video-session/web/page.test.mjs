// The page's own promises, read off its files: neutral, nothing kept, forgiving with the code.
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";
import vm from "node:vm";

const folder = new URL(".", import.meta.url);
const names = readdirSync(folder).filter((name) => /\.(html|css|js)$/.test(name));
const files = Object.fromEntries(names.map((name) => [name, readFileSync(new URL(name, folder), "utf8")]));
const languages = readdirSync(new URL("phrases/", folder)).sort();
const phrases = languages.map((name) => readFileSync(new URL(`phrases/${name}`, folder), "utf8"));
const all = Object.values(files).concat(phrases).join("\n");

// That it is under 40 kB in all is tested where it is put together: src/web/page.rs.
test("nothing but what is known, and nothing that lines can't be taken from", () => {
  assert.deepEqual(names.sort(), ["call.js", "chat.js", "code.js", "index.html", "link.js", "page.css", "page.js", "photo.js", "picture.js"]);
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
  const words = /police|officer|abuse|domestic|violen|victim|crime|offend|evidence|exhibit|999|101\b|alcove|safe ?guard|emergency|force/gi;
  assert.deepEqual(all.match(words), null);
  const elsewhere = /heddlu|trais|policj|przemoc|پولیس|تشدد|ਪੁਲਿਸ|ਹਿੰਸਾ|পুলিশ|নির্যাতন|شرطة|عنف|poliți|violenț|boolis|tacaddi|поліц|насил/gi;
  assert.deepEqual(phrases.join("\n").match(elsewhere), null);
});

test("ten languages say the same, each in its own direction", () => {
  assert.deepEqual(languages, ["ar", "bn", "cy", "en", "pa", "pl", "ro", "so", "uk", "ur"].map((name) => `${name}.json`));
  const english = JSON.parse(phrases[languages.indexOf("en.json")]);
  assert.ok(Object.keys(english.guest).length >= 20 && Object.keys(english.host).length >= 10);
  const offered = vm.runInContext(files["chat.js"] + "LANGUAGES", vm.createContext({}));
  phrases.map((text) => JSON.parse(text)).forEach((one, index) => {
    assert.equal(`${one.language}.json`, languages[index]);
    assert.equal(one.name, offered[one.language]);
    assert.equal(one.dir, ["ar", "ur"].includes(one.language) ? "rtl" : "ltr", one.language);
    assert.equal(typeof one.reviewed, "boolean");
    for (const part of ["labels", "guest", "host"]) {
      assert.deepEqual(Object.keys(one[part]), Object.keys(english[part]), `${one.language} ${part}`);
      for (const [id, words] of Object.entries(one[part])) assert.ok(words.trim() && (one.language === "en" || words !== english[part][id]), `${one.language} ${id}`);
    }
  });
  assert.equal(Object.keys(offered).length, languages.length);
});

test("nothing is kept on the phone and nothing comes from elsewhere", () => {
  const storage = /localStorage|sessionStorage|indexedDB|document\.cookie|caches\b|serviceWorker|pushState|replaceState|Notification/g;
  assert.deepEqual(all.match(storage), null);
  assert.deepEqual(all.match(/https?:\/\//g), null);
  assert.deepEqual(files["page.css"].match(/url\(|@import|@font-face/g), null);
  assert.deepEqual(files["index.html"].match(/ style=| on[a-z]+=|<script>/g), null, "the policy allows no inline code");
});

test("speaks what Safari 15 understands", () => {
  const modern = /\?\.|\?\?=|\|\|=|&&=|\.at\(|findLast|structuredClone|AbortSignal\.(timeout|any)|\.replaceAll|#[a-z]+\s*[=(;]|static\s*\{/g;
  const scripts = names.filter((name) => name.endsWith(".js")).map((name) => files[name].replace(/\/\/.*$/gm, ""));
  assert.deepEqual(scripts.join("\n").match(modern), null);
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
  for (const typed of ["K7QF-2M9X", "k7qf2m9x", " k7qf 2m9x ", "K7QF–2M9X", "k-7-q-f-2-m-9-x"]) {
    assert.equal(context.normaliseCode(typed), "K7QF-2M9X", typed);
  }
  assert.equal(context.normaliseCode("oOiIlL00"), "0011-1100");
  for (const typed of ["", "K7QF-2M9", "K7QF-2M9XX", "K7QF-2M9U", "K7QF-2M9!", "ｋ7QF-2M9X"]) {
    assert.equal(context.normaliseCode(typed), null, typed);
  }
});

test("the parts make one script together", () => {
  const parts = ["code.js", "link.js", "picture.js", "photo.js", "chat.js", "call.js", "page.js"];
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
