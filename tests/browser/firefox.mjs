// Debian's Firefox behind the few of Playwright's names that drive.mjs uses: Playwright itself drives only a Firefox of its own making.
import puppeteer from 'puppeteer-core';

import { mortal } from './mortal.mjs';

export const FIREFOX = process.env.FIREFOX ?? '/usr/bin/firefox-esr';

export async function launch() {
  const { path, env } = mortal(FIREFOX);
  const browser = await puppeteer.launch({
    browser: 'firefox',
    executablePath: path,
    env,
    headless: true,
    extraPrefsFirefox: {
      'media.navigator.streams.fake': true,
      'media.navigator.permission.disabled': true,
      'media.autoplay.default': 0,
      'media.peerconnection.ice.loopback': true,
      'media.peerconnection.ice.obfuscate_host_addresses': false,
    },
  });
  return {
    version: await browser.version(),
    close: () => browser.close(),
    async open({ width, height, script }) {
      const context = await browser.createBrowserContext();
      const page = await context.newPage();
      await page.setViewport({ width, height });
      if (script) await page.evaluateOnNewDocument(script);
      return spoken(page, context);
    },
  };
}

export const spoken = (page, context) => ({
  goto: (url) => page.goto(url),
  reload: () => page.reload(),
  url: () => page.url(),
  on: (event, heard) => page.on(event, heard),
  setDefaultTimeout: (patience) => page.setDefaultTimeout(patience),
  evaluate: (expression) => page.evaluate(expression),
  textContent: async (selector) => (await page.waitForSelector(selector)).evaluate((element) => element.textContent),
  waitForSelector: (selector) => page.waitForSelector(selector, { visible: true }),
  click: (selector) => page.locator(selector).click(),
  fill: (selector, value) => page.locator(selector).fill(value),
  selectOption: (selector, value) => page.select(selector, value),
  keyboard: page.keyboard,
  screenshot: ({ path }) => page.screenshot({ path }),
  context: () => context,
});
