// One browser, one story told in two languages. The browser is the machine's own Chromium: nothing is downloaded.
import { existsSync } from 'node:fs';
import { defineConfig } from '@playwright/test';

const candidates = [process.env.AISTACK_CHROMIUM, '/usr/bin/chromium', '/usr/bin/google-chrome', '/usr/bin/chromium-browser'];
const executablePath = candidates.find((path) => path && existsSync(path));
if (!executablePath) {
  throw new Error('Chromium is missing; run: tests/peers/setup.sh browser');
}

export default defineConfig({
  testDir: './specs',
  outputDir: './results/failures',
  // The tests tell one story on one host, in order.
  workers: 1,
  fullyParallel: false,
  // Each test shoots several pages twice; a busy machine takes its time.
  timeout: 300_000,
  expect: { timeout: 15_000 },
  reporter: 'list',
  use: {
    headless: true,
    viewport: { width: 1440, height: 900 },
    actionTimeout: 15_000,
    trace: 'retain-on-failure',
    screenshot: 'only-on-failure',
    launchOptions: {
      executablePath,
      args: [
        // Root has no user namespace sandbox to offer; the pages are our own.
        ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    },
  },
});
