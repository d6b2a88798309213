// One real browser (`drive.mjs chromium`, or `firefox`), told what to do over standard input in JSON lines and answering each on standard output.
// It knows no page of ours: the journeys say what to open, fill, click and wait for, so that they read as a person acts.
//
//   {"id":1,"do":"open","page":"caller","url":"http://…","width":390,"height":844}  -> {"id":1,"ok":null}
//   {"id":2,"do":"text","page":"caller","selector":"#state"}                        -> {"id":2,"ok":"Live"}
// A failure answers {"id":…,"error":"…"}. Everything ends when standard input does. `drive.mjs chromium_kept` (`firefox_kept`) is a
// browser with a profile that outlives it.
import { createInterface } from 'node:readline';

const PATIENCE_MS = 60_000;
const engine = process.argv[2] ?? 'chromium';
const { launch } = await import(`./${engine}.mjs`);
const browser = await launch().catch((error) => {
  process.stdout.write(`${JSON.stringify({ id: 0, error: error.message.split('\n')[0] })}\n`);
  process.exit(1);
});

const pages = new Map();
const complaints = new Map();

async function open({ page: name, url, width = 1280, height = 800, script, slow, beside }) {
  const page = await browser.open({ width, height, script, slow, beside: pages.get(beside) });
  page.setDefaultTimeout(PATIENCE_MS);
  complaints.set(name, []);
  page.on('pageerror', (error) => complaints.get(name).push(String(error)));
  page.on('console', (message) => {
    const at = message.location()?.url;
    // The caller's page isn't found: by design.
    if (message.type() === 'error' && !(at === new URL(url).href && message.text().includes('404'))) complaints.get(name).push(`${message.text()} ${at}`);
  });
  pages.set(name, page);
  await page.goto(url);
}

// Not playwright's waitForFunction: that needs `unsafe-eval`, which our pages rightly refuse.
async function until(page, expression) {
  for (const deadline = Date.now() + PATIENCE_MS; Date.now() < deadline; await new Promise((done) => setTimeout(done, 50))) {
    const value = await page.evaluate(expression);
    if (value) return value;
  }
  throw new Error(`never became true: ${expression}`);
}

const acts = {
  open,
  reload: ({ page }) => pages.get(page).reload(),
  fill: ({ page, selector, value }) => pages.get(page).fill(selector, value),
  select: ({ page, selector, value }) => pages.get(page).selectOption(selector, value),
  click: ({ page, selector }) => pages.get(page).click(selector),
  press: ({ page, value }) => pages.get(page).keyboard.press(value),
  see: ({ page, selector }) => pages.get(page).waitForSelector(selector, { state: 'visible' }).then(() => null),
  text: ({ page, selector }) => pages.get(page).textContent(selector),
  evaluate: ({ page, value }) => pages.get(page).evaluate(value),
  until: ({ page, value }) => until(pages.get(page), value),
  screenshot: ({ page, value }) => pages.get(page).screenshot({ path: value }).then(() => null),
  complaints: ({ page }) => complaints.get(page),
  close: ({ page }) => pages.get(page).context().close(),
  quit: () => end('close'),
  crash: () => end('crash'),
};

// Closed as a person closes it, or killed: once.
let ending;
function end(how) {
  ending ??= browser[how]().then(() => null);
  return ending;
}

process.stdout.write(`${JSON.stringify({ id: 0, ok: browser.version })}\n`);
for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line);
  try {
    const ok = await acts[request.do](request);
    process.stdout.write(`${JSON.stringify({ id: request.id, ok: ok ?? null })}\n`);
  } catch (error) {
    const page = pages.get(request.page);
    const where = page ? ` at ${page.url()}; complaints: ${JSON.stringify(complaints.get(request.page))}` : '';
    process.stdout.write(`${JSON.stringify({ id: request.id, error: `${request.do}: ${error.message}${where}` })}\n`);
  }
}
await end('close');
