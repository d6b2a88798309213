// One real Chromium, told what to do over standard input in JSON lines and answering each on standard output.
// It knows no page of ours: the journeys say what to open, fill, click and wait for, so that they read as a person acts.
//
//   {"id":1,"do":"open","page":"caller","url":"http://…","width":390,"height":844}  -> {"id":1,"ok":null}
//   {"id":2,"do":"text","page":"caller","selector":"#state"}                        -> {"id":2,"ok":"Live"}
// A failure answers {"id":…,"error":"…"}. Everything ends when standard input does.
import { createInterface } from 'node:readline';
import { chromium } from 'playwright-core';

const PATIENCE_MS = 30_000;
const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
// An origin by plain HTTP that may use the camera, as if it were on this machine.
const trusted = process.env.CHROMIUM_TRUSTS;
const browser = await chromium.launch({
  executablePath,
  args: [
    '--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream', '--autoplay-policy=no-user-gesture-required',
    '--disable-background-networking', '--disable-component-update', '--disable-sync', '--no-first-run', '--no-sandbox',
    '--disable-quic',
    // Loopback candidates by address, not by an mDNS name that nothing here resolves.
    '--disable-features=WebRtcHideLocalIpsWithMdns',
    ...(trusted ? [`--unsafely-treat-insecure-origin-as-secure=${trusted}`] : []),
  ],
}).catch((error) => {
  process.stdout.write(`${JSON.stringify({ id: 0, error: error.message.split('\n')[0] })}\n`);
  process.exit(1);
});

const pages = new Map();
const complaints = new Map();

async function open({ page: name, url, width = 1280, height = 800, script }) {
  const context = await browser.newContext({ viewport: { width, height }, permissions: ['camera', 'microphone'] });
  if (script) await context.addInitScript({ content: script });
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  complaints.set(name, []);
  page.on('pageerror', (error) => complaints.get(name).push(String(error)));
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.get(name).push(`${message.text()} ${message.location().url}`);
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
};

process.stdout.write(`${JSON.stringify({ id: 0, ok: browser.version() })}\n`);
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
await browser.close();
