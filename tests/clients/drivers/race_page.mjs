// The page of a shared race in headless Chromium: on a phone and on a desktop, in light and in dark, in every language,
// without script, over a connection that is cut ten times, and when its link is ended. Each view is checked with axe.
// The page of two athletes, and the report of a race that is over, are checked as well.
//
// Usage: race_page.mjs, with RACE_PAGE = {family, crew, both, reports, ended, end, endOther, pictures} as JSON: the
// links, the commands that end the links of the race and of the other athlete's race, and a directory. Prints
// `N checks`; the first that fails ends it with exit code 1.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const { family, crew, both, reports, ended: endedBoth, end, endOther, pictures } = JSON.parse(process.env.RACE_PAGE);

const SIZES = {
  phone: { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true },
  desktop: { viewport: { width: 1280, height: 800 } },
};

const LOST = 'Connection lost';

let checks = 0;
function need(condition, what) {
  if (!condition) throw new Error(what);
  checks += 1;
}

/** Opens a page, and collects what the browser complains about. */
async function open(browser, options, url) {
  const context = await browser.newContext({ locale: 'en-GB', reducedMotion: 'reduce', ...options });
  const page = await context.newPage();
  const complaints = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type()) && !/status of 404|ERR_/.test(message.text())) complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(String(error)));
  const answer = await page.goto(url);
  need(answer.status() === 200, `${url.slice(-6)}: ${answer.status()}`);
  return { page, context, complaints };
}

const isLive = (page) => page.waitForFunction(() => document.getElementById('live').textContent.startsWith('Live'), null, { timeout: 15_000 });

/** Checks what must be true of every view, in both colour schemes. */
async function check({ page, complaints }, name) {
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme });
    await page.evaluate(AXE);
    const found = await page.evaluate(() => axe.run(document, { resultTypes: ['violations'] }));
    const bad = found.violations.map((v) => `${v.impact} ${v.id}: ${v.nodes.map((n) => n.target.join(' ')).join(', ')}`);
    need(bad.length === 0, `${name}, ${colorScheme}: axe found ${bad.join('; ')}`);
    await page.screenshot({ path: join(pictures, `race-${name}-${colorScheme}.png`), fullPage: true });
  }
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  need(wide <= 0, `${name}: scrolls sideways by ${wide} px`);
  need(complaints.length === 0, `${name}: the browser complains: ${complaints.join('; ')}`);
}

async function views(browser) {
  for (const [size, options] of Object.entries(SIZES)) {
    for (const [role, url] of Object.entries({ family, crew })) {
      const view = await open(browser, options, url);
      await isLive(view.page);
      const text = await view.page.locator('main').innerText();
      need(role === 'crew' ? text.includes('bpm') : !text.includes('bpm'), `${size}, ${role}: heart rate`);
      need((await view.page.title()).includes('Josi') === (role === 'crew'), `${size}, ${role}: the name`);
      await check(view, `${size}-${role}`);
      await view.context.close();
    }
  }
  for (const language of ['de', 'fr', 'es', 'it']) {
    const view = await open(browser, SIZES.phone, `${crew}?lang=${language}`);
    need(await view.page.evaluate(() => document.documentElement.lang) === language, `the page is in ${language}`);
    await check(view, `phone-${language}`);
    await view.context.close();
  }
}

async function withoutScript(browser) {
  const { page, context } = await open(browser, { ...SIZES.phone, javaScriptEnabled: false }, family);
  need((await page.locator('h1').innerText()).length > 3, 'the state is there without script');
  need(await page.locator('meta[http-equiv=refresh]').count() === 1, 'the page reloads without script');
  need(await page.locator('#live').isHidden(), 'nothing claims to be live without script');
  need((await page.locator('main').innerText()).includes('reloads by itself'), 'the page says that it reloads');
  await page.screenshot({ path: join(pictures, 'race-phone-no-script.png'), fullPage: true });
  await context.close();
}

/** Two athletes on one page can be told apart without colours, and the page is small enough. */
async function together(browser) {
  const loaded = await (await fetch(both)).text();
  const script = await (await fetch(new URL('/race.js', both))).text();
  need(loaded.length + script.length <= 60_000, `the page of two athletes has ${loaded.length + script.length} characters`);
  for (const [size, options] of Object.entries(SIZES)) {
    const view = await open(browser, options, both);
    await isLive(view.page);
    need((await view.page.title()).startsWith('Anna, Ben'), `${size}: the names`);
    const states = await view.page.locator('#now h2').allInnerTexts();
    need(states.length === 2 && /A\s*Anna/.test(states[0]) && /B\s*Ben/.test(states[1]), `${size}: ${states}`);
    need(await view.page.locator('svg.map path.covered').count() === 2, `${size}: both ways on one map`);
    need((await view.page.locator('svg.map .sign').allTextContents()).join() === 'A,B', `${size}: a letter for each`);
    need(/Anna\s+\d\d:\d\d–\d\d:\d\d/.test(await view.page.locator('#places').innerText()), `${size}: arrivals`);
    await check(view, `${size}-both`);
    await view.context.close();
  }
  const { page, context } = await open(browser, { ...SIZES.phone, javaScriptEnabled: false }, `${both}?lang=de`);
  need((await page.locator('#now h2').count()) === 2, 'two athletes without script');
  await page.locator('summary').first().click();
  need(await page.locator('#splits table').first().isVisible(), 'splits unfold without script');
  await context.close();
}

/** One athlete ends their own part of the page. It disappears at once, and the other part stays. */
async function apart(browser) {
  const { page, context } = await open(browser, SIZES.phone, both);
  await isLive(page);
  await page.locator('#splits-0 summary').click();
  execFileSync(endOther[0], endOther.slice(1));
  const since = Date.now();
  await page.waitForFunction(() => !document.body.textContent.includes('Ben'), null, { timeout: 5_000 });
  need(Date.now() - since < 1_500, `Ben left after ${Date.now() - since} ms`);
  need((await page.title()).startsWith('Anna:'), 'the title names Anna alone');
  need((await page.locator('h1').innerText()).length > 3, 'the state of the other stays');
  await context.close();
}

async function reported(browser) {
  for (const [size, options] of Object.entries(SIZES)) {
    for (const [role, url] of Object.entries(reports)) {
      const view = await open(browser, options, url);
      await view.page.getByRole('heading', { name: 'Report' }).waitFor();
      need(await view.page.locator('#live').isHidden(), `${size}, ${role}: a report is not live`);
      need(await view.page.locator('a[download]').count() === (role === 'crew' ? 1 : 0), `${size}, ${role}: the file`);
      need((await view.page.locator('main').innerText()).includes('bpm') === (role === 'crew'), `${size}, ${role}: heart rate`);
      await check(view, `${size}-report-${role}`);
      await view.context.close();
    }
    const view = await open(browser, options, endedBoth);
    await view.page.locator('#report summary').first().click();
    await check(view, `${size}-report-both`);
    await view.context.close();
  }
  const { page, context } = await open(browser, SIZES.desktop, `${reports.crew}?lang=fr`);
  const [file] = await Promise.all([page.waitForEvent('download'), page.locator('a[download]').click()]);
  need(file.suggestedFilename() === 'race.gpx', 'the track is a file');
  await page.emulateMedia({ media: 'print' });
  await page.pdf({ path: join(pictures, 'race-report.pdf'), format: 'A4' });
  need(await page.locator('.skip').isHidden(), 'paper has no links to skip to');
  await context.close();
}

/** The page over a connection that breaks repeatedly. */
async function cut(browser) {
  const target = new URL(family);
  const sockets = new Set();
  let refuses = false;
  const proxy = createServer((near) => {
    if (refuses) {
      near.destroy();
      return;
    }
    const far = connect(Number(target.port), target.hostname);
    for (const [one, other] of [[near, far], [far, near]]) {
      sockets.add(one);
      one.pipe(other);
      one.on('error', () => other.destroy());
      one.on('close', () => { sockets.delete(one); other.destroy(); });
    }
  });
  await new Promise((done) => proxy.listen(0, '127.0.0.1', done));
  const through = new URL(family);
  through.port = proxy.address().port;
  through.hostname = '127.0.0.1';
  const { page, context } = await open(browser, SIZES.phone, through.href);
  await isLive(page);
  for (let times = 1; times <= 10; times += 1) {
    refuses = true;
    for (const socket of sockets) socket.destroy();
    await page.waitForFunction((lost) => document.getElementById('live').textContent.includes(lost), LOST, { timeout: 10_000 });
    refuses = false;
    await isLive(page);
    checks += 1;
  }
  await context.close();
  proxy.close();
}

async function ended(browser) {
  const { page, context } = await open(browser, SIZES.phone, family);
  await isLive(page);
  execFileSync(end[0], end.slice(1));
  const since = Date.now();
  await page.getByText('There is nothing to see here').waitFor({ timeout: 5_000 });
  need(Date.now() - since < 1_500, `the page ended after ${Date.now() - since} ms`);
  await context.close();
}

const browser = await chromium.launch({
  executablePath: '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--disable-background-networking',
    '--disable-component-update', '--disable-sync', '--no-first-run'],
});
try {
  await views(browser);
  await withoutScript(browser);
  await together(browser);
  await reported(browser);
  await cut(browser);
  await apart(browser);
  await ended(browser);
  console.log(`${checks} checks`);
} finally {
  await browser.close();
}
