// Debian's Firefox as somebody's own: nothing is changed about what it keeps.
import { mkdirSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

import puppeteer from 'puppeteer-core';

import { FIREFOX, spoken } from './firefox.mjs';
import { run } from './kept.mjs';

const PREFERENCES = {
  'media.navigator.streams.fake': true,
  'media.peerconnection.ice.loopback': true,
  // What a test's driver would change, as fits most tests.
  'remote.prefs.recommended': false,
  // Every name is this machine, and none is named here: this is kept as well.
  'network.dns.forceResolve': '127.0.0.1',
};
// It asks for the camera, and a click is taken at once.
const ASKING = { 'media.navigator.permission.disabled': false, 'security.notification_enable_delay': 0 };
const SILENT = { 'media.navigator.permission.disabled': true };

// `asks`: it asks before a page may use the camera, as it does without a test's preference, and its own window can be clicked.
export async function launch({ asks = false } = {}) {
  const profile = join(homedir(), 'profile');
  mkdirSync(profile, { recursive: true });
  const lines = Object.entries({ ...PREFERENCES, ...(asks ? ASKING : SILENT) }).map(([name, value]) => `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});\n`);
  writeFileSync(join(profile, 'user.js'), lines.join(''));
  const process_ = await run(FIREFOX, [
    '--headless', '--no-remote', '--profile', profile, '--remote-debugging-port', '0', ...(asks ? ['--remote-allow-system-access'] : []),
  ]);
  const browser = await puppeteer.connect({ browserWSEndpoint: `${process_.address}/session`, protocol: 'webDriverBiDi' });
  return {
    version: await browser.version(),
    driver: browser,
    crash: process_.crash,
    async close() {
      await browser.close();
      await process_.ended;
    },
    async open({ width, height, script }) {
      const [page] = await browser.pages();
      await page.setViewport({ width, height });
      if (script) await page.evaluateOnNewDocument(script);
      return spoken(page, page.browserContext());
    },
  };
}
