// Debian's Chromium, by Playwright.
import { chromium } from 'playwright-core';

export async function launch() {
  // An origin by plain HTTP that may use the camera, as if it were on this machine.
  const trusted = process.env.CHROMIUM_TRUSTS;
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: [
      '--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream', '--autoplay-policy=no-user-gesture-required',
      '--disable-background-networking', '--disable-component-update', '--disable-sync', '--no-first-run', '--no-sandbox',
      '--disable-quic',
      // Loopback candidates by address, not by an mDNS name that nothing here resolves.
      '--disable-features=WebRtcHideLocalIpsWithMdns',
      ...(trusted ? [`--unsafely-treat-insecure-origin-as-secure=${trusted}`] : []),
    ],
  });
  return {
    version: browser.version(),
    close: () => browser.close(),
    // `beside`: another window of the same person.
    async open({ width, height, script, slow, beside }) {
      const context = beside?.context() ?? await browser.newContext({ viewport: { width, height }, permissions: ['camera', 'microphone'] });
      if (script) await context.addInitScript({ content: script });
      const page = await context.newPage();
      if (slow) await slowDown(await context.newCDPSession(page));
      return page;
    },
  };
}

// A slow 3G, and a phone a quarter as fast as this machine.
async function slowDown(session) {
  await session.send('Network.enable');
  await session.send('Network.emulateNetworkConditions', { offline: false, latency: 400, downloadThroughput: 50_000, uploadThroughput: 50_000 });
  await session.send('Emulation.setCPUThrottlingRate', { rate: 4 });
}
