// docs/residual-trace.md, made of the list and of what the page says.

const BROWSERS = { chromium: "Chromium", firefox: "Firefox" };
const WAYS = { ended: "the other side ended it", left: "Leave", covered: "Hide, then the browser closed", crashed: "killed in mid-call", linked: "by a link, ended" };
const WORDS = {
  host: "the site's address", title: "the page's title", pretext: "the harmless page's title", cookie: "the cookie's name", token: "the token", elsewhere: "the page that Leave leads to",
  link: "the link's key", ids: "ids", code: "the code", chat: "what was written", words: "the page's words", force: "words about the calls", media: "the media's address", page: "the page's own secret", picture: "a picture",
};

// What the page says besides the classes: of what lies outside any browser.
export const BEYOND = "stays.beyond";

export function document({ classes, tried }, words) {
  return [
    "# What stays on the phone",
    `Made by \`node tests/browser/residual.mjs write\` from \`tests/browser/residual.json\`: not to be edited. The test \`tests/tests/trace.rs\`
makes whole calls over https with a fresh browser of the caller's own, ends each in another way, and searches every file of that
browser's user for every word that could tell of the call, and for pictures. A trace that isn't in this list fails the test; so does one
in it that is no longer there.`,
    "## What the page says",
    `Under "${words.stays}", before the call:`,
    [...classes.map(({ id }) => `stays.${id}`), BEYOND].map((key) => `- ${words[key]}`).join("\n"),
    "## Where it is",
    `Looked for, and not in the list, is nowhere: ${unfound(classes)}.`,
    ...Object.entries(BROWSERS).flatMap(([browser, name]) => [`### ${name}`, table(classes, browser)]),
    NEVER,
    TRIED,
    tried.map(({ what, did }) => `| ${what} | ${did} |`).reduce((rows, row) => `${rows}\n${row}`, "| tried | what it did |\n|---|---|"),
    UNTRIED,
  ].join("\n\n").concat("\n");
}

function unfound(classes) {
  const found = new Set(classes.flatMap((one) => one.traces).flatMap((trace) => trace.what));
  return Object.keys(WORDS).filter((word) => !found.has(word)).map((word) => WORDS[word]).join(", ");
}

function table(classes, browser) {
  const rows = classes.flatMap(({ id, traces }) => traces.filter((trace) => trace.browser === browser).map((trace) => {
    const what = trace.what.map((one) => WORDS[one]).join(", ");
    const ways = trace.ways.length === Object.keys(WAYS).length ? "each" : trace.ways.map((way) => WAYS[way]).join("; ");
    return `| \`${trace.file.replace(/^profile\//, "")}\` | ${what} | ${ways}${trace.sometimes ? " (not every time)" : ""} | ${trace.note} | ${id} |`;
  }));
  return ["| file | what is in it | after | which is | said as |", "|---|---|---|---|---|", ...rows].join("\n");
}

const NEVER = `## What no page can do
It can't take away the call to 999 or 101 from the phone's list of calls, a text message, the light beside the camera while it is on, a
history that an account copies to other devices, what a router or a provider of names wrote down, or anything that an app for watching
somebody sees. In most browsers one line in the history stays: the site's address. The officer says so before the call is moved.`;

const TRIED = `## Tried
Each by itself, on a page like ours in a fresh browser that is then closed (\`node tests/browser/tried.mjs chromium\`, \`firefox\`); what
changed is what the searcher of the test found.`;

const UNTRIED = `## Not measured
- Safari, and any browser on a real phone: these are Chromium and Firefox on Linux, with pretended cameras.
- The browser's question for the camera, in a whole call: in the test it is answered by a switch. What an answer leaves is under "Tried";
  Chromium's question can't be clicked without a screen, so its page of settings gave the answer "allow". Leave to use it only once was not
  tried there.
- An address that is typed letter by letter: what the address bar learns from that. The test only says that it was typed.`;
