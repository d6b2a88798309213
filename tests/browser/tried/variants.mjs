// What is tried. Each is compared with the page as it is, or with `than`.

export const HOST = "larkspur-meadow.localhost";
export const WORDS = { title: ["Larkspur notes"], words: ["a heron over the weir"], cookie: ["__Host-back"], token: ["y2kq8w0f5h7mzc31"] };
const COOKIE = "__Host-back=y2kq8w0f5h7mzc31; Path=/; Secure; HttpOnly; SameSite=Strict";

// As our page is. What it does when it ends is answered by POST /leave.
export const PLAIN = { status: 404, headers: { "Cache-Control": "no-store" }, icon: "data:,", cookie: COOKIE, leave: { "Set-Cookie": `${COOKIE}; Max-Age=0` } };
const leaving = (...headers) => ({ leave: { ...PLAIN.leave, "Clear-Site-Data": headers.map((one) => `"${one}"`).join(", ") } });
const header = (name, value) => ({ headers: { ...PLAIN.headers, [name]: value } });

// `asks` is what the page does to have camera and microphone; `answer`, what a person says to the browser's own question. Without one a
// switch of the browser answers.
const both = "window.stream = await navigator.mediaDevices.getUserMedia({ audio: true, video: true })";
const ONE_BY_ONE = "window.streams = [await navigator.mediaDevices.getUserMedia({ audio: true }), await navigator.mediaDevices.getUserMedia({ video: true })]";
const QUERY = "for (const name of ['camera', 'microphone']) await navigator.permissions.query({ name })";
const LET_GO = "window.stream.getTracks().forEach((track) => track.stop())";
const SWITCH = "camera and microphone in one, answered by a switch";
const answered = (how, asks = both, more = {}) => ({ asks, answer: how, than: SWITCH, ...more });

// What becomes of the page when somebody goes elsewhere, and comes back: `goes` is what they do.
// A page that is loaded anew isn't given a cookie again.
const BACK = "elsewhere and back";
const elsewhere = (goes, more = {}) => ({ goes, than: BACK, cookie: null, ...more });

export const VARIANTS = {
  "as it is, without Clear-Site-Data": {},
  "Clear-Site-Data: cookies": leaving("cookies"),
  "Clear-Site-Data: cache": leaving("cache"),
  "Clear-Site-Data: storage": leaving("storage"),
  "Clear-Site-Data: *": leaving("*"),
  "Clear-Site-Data: executionContexts": leaving("executionContexts"),
  "status 200": { status: 200 },
  "status 410": { status: 410 },
  "without no-store": { headers: {} },
  "Request-OTR: 1": header("Request-OTR", "1"),
  "a favicon of its own": { icon: "/icon.png" },
  "no word about a favicon": { icon: null },
  "replaceState": { script: "history.replaceState(null, '', '/other')" },
  "the token in the address, and replaceState": { at: "/#y2kq8w0f5h7mzc31", script: "history.replaceState(null, '', '/')" },
  "no cookie": { cookie: null },
  "a cookie with an age": { cookie: `${COOKIE}; Max-Age=600` },
  "sessionStorage, and cleared": { script: "sessionStorage.back = 'y2kq8w0f5h7mzc31'; onpagehide = () => sessionStorage.clear()" },
  "localStorage, and cleared": { script: "localStorage.back = 'y2kq8w0f5h7mzc31'; onpagehide = () => localStorage.clear()" },

  [SWITCH]: { asks: both },
  "one after the other": { asks: ONE_BY_ONE, than: SWITCH },
  "permissions.query before": { asks: `${QUERY}; ${both}`, than: SWITCH },
  "permissions.query alone": { asks: QUERY },
  "Permissions-Policy: camera=(self), microphone=(self)": { asks: both, than: SWITCH, ...header("Permissions-Policy", "camera=(self), microphone=(self)") },
  "the tracks stopped before the end": { asks: `${both}; ${LET_GO}`, than: SWITCH },
  "asked, and Clear-Site-Data: cookies": { asks: both, than: SWITCH, ...leaving("cookies") },
  "asked, and Clear-Site-Data: *": { asks: both, than: SWITCH, ...leaving("*") },
  "allowed by a person": answered("allow"),
  "allowed, one after the other": answered("allow", ONE_BY_ONE),
  "allowed, and permissions.query before": answered("allow", `${QUERY}; ${both}`),
  "allowed, and Permissions-Policy": answered("allow", both, header("Permissions-Policy", "camera=(self), microphone=(self)")),
  "allowed, and Clear-Site-Data: *": answered("allow", both, leaving("*")),
  "allowed, to be remembered": answered("remember"),
  "allowed, and not to be remembered": answered("once"),
  "refused by a person": answered("refuse", `${both}.catch(() => {})`),

  [BACK]: { goes: "back", cookie: null },
  "elsewhere, and not back": elsewhere("there"),
  "elsewhere, and killed there": elsewhere("killed"),
  "and back, status 200": elsewhere("back", { status: 200 }),
  "and back, without no-store": elsewhere("back", { headers: {} }),
  "and back, no-cache": elsewhere("back", header("Cache-Control", "no-cache")),
  "and back, status 200 without no-store": elsewhere("back", { status: 200, headers: {} }),
  "not back, status 200 without no-store": elsewhere("there", { status: 200, headers: {} }),
  "killed there, status 200 without no-store": elsewhere("killed", { status: 200, headers: {} }),
  "and back, status 200 without no-store, with unload": elsewhere("back", { status: 200, headers: {}, script: "onunload = () => {}" }),
  "and back, status 200 with the camera on": elsewhere("back", { status: 200, headers: {}, asks: both }),
};
