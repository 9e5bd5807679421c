// The pages in Chromium, as a person goes through them: at the size of a phone and of a desk, each page looked at by
// axe (accessibility), by the browser's own console (the Content-Security-Policy is in force), and for its width.
//
// Usage: pages.mjs, with PAGES = {gateway, authorize: [url…], unknown, callbackPort, person: {email, password, code},
// pictures} as JSON. Each URL of `authorize` is used once. Prints `N checks`.
import { createServer } from 'node:http';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { chromium } from 'playwright-core';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const { gateway, authorize, unknown, callbackPort, person, pictures } = JSON.parse(process.env.PAGES);
const SIZES = {
  phone: { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true, deviceScaleFactor: 2 },
  desk: { viewport: { width: 1280, height: 800 } },
};
let checks = 0;

function need(condition, what) {
  checks += 1;
  if (!condition) throw new Error(what);
}

// Where the client listens: what arrives here has passed form-action in a real browser.
const arrived = [];
const callback = createServer((request, response) => {
  arrived.push(new URL(request.url, `http://127.0.0.1:${callbackPort}`).searchParams);
  response.end('<!doctype html><title>client</title>back at the client');
}).listen(callbackPort, '127.0.0.1');

async function look(page, size, name) {
  await page.screenshot({ path: `${pictures}/${name}-${size}.png`, fullPage: true });
  const found = await page.evaluate(`${axe}; axe.run(document, { resultTypes: ['violations'] })`);
  const grave = found.violations.filter((v) => ['serious', 'critical'].includes(v.impact));
  const told = grave.map((v) => `${v.id} (${v.impact}): ${v.help}: ${v.nodes.map((n) => n.html).join(' ')}`);
  need(grave.length === 0, `${name} at ${size}: ${told.join('\n')}`);
  need(found.passes.length > 0, `${name} at ${size}: axe looked at nothing`);
  const [content, window] = await page.evaluate('[document.documentElement.scrollWidth, innerWidth]');
  need(content <= window, `${name} at ${size}: ${content} px wide in a window of ${window}`);
}

async function signInAs(page, password) {
  await page.getByLabel('Garmin e-mail').fill(person.email);
  await page.getByLabel('Garmin password').fill(password);
  await page.keyboard.press('Enter');
}

async function enterCode(page, code) {
  await page.locator('input[name=code]').fill(code);
  await page.keyboard.press('Enter');
}

async function journey(browser, size) {
  const context = await browser.newContext(SIZES[size]);
  const page = await context.newPage();
  const complaints = [];
  page.on('console', (message) => {
    // A page that answers 4xx on purpose is told there too.
    if (message.type() === 'error' && !/Failed to load resource/.test(message.text())) complaints.push(message.text());
  });
  page.on('requestfailed', (request) => complaints.push(`${request.url()} ${request.failure()?.errorText}`));

  await page.goto(gateway);
  await look(page, size, 'landing');
  need((await page.goto(`${gateway}/nothing-here`)).status() === 404, 'an unknown path is not 404');
  await look(page, size, 'unknown-path');
  need((await page.goto(unknown)).status() >= 400, 'an unknown client gets a page like any other');
  await look(page, size, 'unknown-client');

  await page.goto(authorize.shift());
  await look(page, size, 'sign-in');
  await signInAs(page, 'not the password');
  await page.getByRole('alert').waitFor();
  await look(page, size, 'wrong-password');
  await signInAs(page, person.password);
  await page.locator('input[name=code]').waitFor();
  await look(page, size, 'code');
  await enterCode(page, person.code === '000000' ? '111111' : '000000');
  await page.getByRole('alert').waitFor();
  await look(page, size, 'wrong-code');
  await enterCode(page, person.code);
  await page.getByText('back at the client').waitFor();
  need(arrived.at(-1).has('code'), 'the client got no code');

  await page.goto(authorize.shift());
  await page.getByRole('button', { name: /don.t connect|cancel/i }).click();
  await page.getByText('back at the client').waitFor();
  need(arrived.at(-1).get('error') === 'access_denied', 'the client was not told of the refusal');

  need(complaints.length === 0, `the browser complains at ${size}: ${complaints.join('\n')}`);
  await context.close();
}

const browser = await chromium.launch({
  executablePath: '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--disable-background-networking',
    '--disable-component-update', '--disable-sync', '--no-first-run'],
});
try {
  for (const size of Object.keys(SIZES)) await journey(browser, size);
  console.log(`${checks} checks`);
} finally {
  await browser.close();
  callback.close();
}
