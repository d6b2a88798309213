// Debian's Chromium as somebody's own: nothing is changed about what it keeps.
import { homedir } from 'node:os';
import { join } from 'node:path';

import { chromium } from 'playwright-core';

import { run } from './kept.mjs';

// `asks`: it asks before a page may use the camera, as it does without a test's switch.
export async function launch({ asks = false } = {}) {
  const process_ = await run(process.env.CHROMIUM ?? '/usr/bin/chromium', [
    '--headless', '--remote-debugging-port=0', `--user-data-dir=${join(homedir(), 'profile')}`, '--no-first-run', '--no-sandbox',
    // Several of them are in a call at once: a slow camera leaves time for all.
    '--use-fake-device-for-media-stream=fps=5', ...(asks ? [] : ['--use-fake-ui-for-media-stream']), '--disable-quic',
    '--disable-background-networking', '--disable-component-update', '--disable-sync',
    // Every name is this machine.
    '--host-resolver-rules=MAP * 127.0.0.1',
    'about:blank',
  ]);
  await hasPage(new URL(process_.address).host);
  const browser = await chromium.connectOverCDP(process_.address, { timeout: 120_000 });
  const [context] = browser.contexts();
  return {
    version: browser.version(),
    driver: browser,
    crash: process_.crash,
    async close() {
      const session = await browser.newBrowserCDPSession();
      await session.send('Browser.close').catch(() => {});
      await process_.ended;
    },
    async open({ width, height, script, beside }) {
      if (script) await context.addInitScript({ content: script });
      const page = beside ? await context.newPage() : context.pages()[0];
      await page.setViewportSize({ width, height });
      return Object.assign(page, { goto: (url) => typed(page, url) });
    },
  };
}

// Who connects before the first page is there may wait for it for ever.
async function hasPage(host) {
  for (;;) {
    const targets = await fetch(`http://${host}/json/list`).then((answer) => answer.json());
    if (targets.some((target) => target.type === 'page' && target.url === 'about:blank')) return;
    await new Promise((done) => { setTimeout(done, 50); });
  }
}

// As if it had been typed where addresses are.
async function typed(page, url) {
  const session = await page.context().newCDPSession(page);
  const loaded = page.waitForEvent('load');
  await session.send('Page.navigate', { url, transitionType: 'typed' });
  await loaded;
  await session.detach();
}
