// The views of tools in headless Chromium, in a host page that speaks MCP Apps 2026-01-26. A view runs in a sandboxed
// frame without an origin, under the content policy that the specification requires for a view that declares nothing.
//
// Usage: apps.mjs, with APPS = the path of a JSON file: {scenes: [{view, document, tool, arguments, result}…], pictures,
// gateway, person}. Prints `N checks`; the first that fails ends it with exit code 1.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const { scenes, pictures, gateway, person } = JSON.parse(readFileSync(process.env.APPS, 'utf8'));

const TALLEST = 500;
const WIDTHS = { phone: 340, desktop: 680 };
const POLICY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:";

let checks = 0;
function need(condition, what) {
  if (!condition) throw new Error(what);
  checks += 1;
}

/** The host's side of the protocol, in the page around the frame. `asked` has every message of the view. */
function hostPage({ context, capabilities, input, result, answers }) {
  const frame = document.querySelector('iframe');
  const state = { asked: [], wrong: [] };
  window.host = state;
  const say = (message) => frame.contentWindow.postMessage({ jsonrpc: '2.0', ...message }, '*');
  state.say = say;
  state.tell = (one) => say({ method: 'ui/notifications/tool-result', params: one });
  addEventListener('message', ({ source, data }) => {
    if (source !== frame.contentWindow) return;
    state.asked.push(data);
    if (data.jsonrpc !== '2.0') state.wrong.push('no JSON-RPC');
    if (data.method === 'ui/initialize') {
      const hostInfo = { name: 'tests', version: '1' };
      say({ id: data.id, result: { protocolVersion: '2026-01-26', hostInfo, hostCapabilities: capabilities, hostContext: context } });
    } else if (data.method === 'ui/notifications/initialized') {
      say({ method: 'ui/notifications/tool-input', params: { arguments: input } });
      if (result) state.tell(result);
    } else if (data.method === 'ui/notifications/size-changed') {
      frame.style.height = `${data.params.height}px`;
    } else if (data.method === 'tools/call') {
      const answer = answers[data.params.name];
      say(answer ? { id: data.id, result: answer } : { id: data.id, error: { code: -32000, message: 'not allowed' } });
    } else if (data.method !== undefined) {
      state.wrong.push(data.method);
    }
  });
}

/** One view, shown by a host with this width and theme. */
class Shown {
  static async open(context, scene, { width, theme, result = scene.result, capabilities = {}, answers = {} }) {
    const shown = new Shown();
    Object.assign(shown, { complaints: [], scene, page: await context.newPage() });
    const { page } = shown;
    page.on('console', (message) => ['error', 'warning'].includes(message.type()) && shown.complaints.push(message.text()));
    page.on('pageerror', (error) => shown.complaints.push(String(error)));
    page.on('request', (request) => !/^(about|data|blob):/.test(request.url()) && shown.complaints.push(`asked for ${request.url()}`));
    await page.setContent(`<!doctype html><html lang="en"><title>Host</title><style>body { margin: 0; background: ${theme === 'dark' ? '#111' : '#fff'} }
      iframe { border: 0; width: ${width}px; height: 80px; display: block }</style><main><iframe title="View" sandbox="allow-scripts"></iframe></main>`);
    const containerDimensions = { maxWidth: width, maxHeight: 600 };
    await page.evaluate(hostPage, { context: { theme, containerDimensions, displayMode: 'inline' }, capabilities, input: scene.arguments, result, answers });
    const policy = `<meta http-equiv="Content-Security-Policy" content="${POLICY}">`;
    await page.evaluate((html) => { document.querySelector('iframe').srcdoc = html; }, scene.document.replace('<head>', `<head>${policy}`));
    shown.frame = await (await page.waitForSelector('iframe')).contentFrame();
    await page.waitForFunction(() => host.asked.some((one) => one.method === 'ui/notifications/initialized'), null, { timeout: 10_000 });
    await shown.settle();
    return shown;
  }

  /** Waits until the view has drawn, and the host has given it its height. */
  async settle() {
    this.frame = this.page.frames().at(-1);
    for (let i = 0; i < 3; i += 1) {
      await this.page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
      await this.frame.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
    }
  }

  asked() { return this.page.evaluate(() => host.asked); }

  status() { return this.frame.locator('#status').innerText(); }

  close() { return this.page.close(); }
}

/** Checks what must be true of every drawing and every sentence. axe runs only if `isLookedAt`. */
async function check(shown, where, isLookedAt = true) {
  const { page, frame } = shown;
  const size = await frame.evaluate(() => {
    const root = document.documentElement;
    return {
      told: root.style.height, tall: root.clientHeight, needs: document.getElementById('view').getBoundingClientRect().height,
      wide: root.scrollWidth - root.clientWidth,
      scrolls: [...document.querySelectorAll('*')].filter((e) => ['auto', 'scroll'].includes(getComputedStyle(e).overflowY)).length,
      small: [...document.querySelectorAll('button, input')].filter((e) => e.getBoundingClientRect().height < 44).length,
    };
  });
  const told = (await shown.asked()).filter((one) => one.method === 'ui/notifications/size-changed').at(-1)?.params;
  need(told && told.height > 60 && told.height <= TALLEST, `${where}: the size told is ${JSON.stringify(told)}`);
  need(size.told === `${told.height}px` && size.tall === told.height, `${where}: the document is ${JSON.stringify(size)}, told ${told.height}`);
  need(size.needs <= told.height, `${where}: needs ${size.needs} px, told ${told.height}`);
  need(size.wide <= 0 && size.scrolls === 0, `${where}: scrolls: ${JSON.stringify(size)}`);
  need(size.small === 0, `${where}: ${size.small} controls are too small for a thumb`);
  need(shown.complaints.length === 0, `${where}: the browser complains: ${shown.complaints.join('; ')}`);
  need((await page.evaluate(() => host.wrong)).length === 0, `${where}: sent what no host knows`);
  if (!isLookedAt) return;
  await frame.evaluate(AXE);
  const found = await frame.evaluate(() => axe.run(document, { resultTypes: ['violations'] }));
  const bad = found.violations.map((v) => `${v.impact} ${v.id}: ${v.nodes.map((n) => n.target.join(' ')).join(', ')}`);
  need(bad.length === 0, `${where}: axe found ${bad.join('; ')}`);
  need(found.passes.length > 5, `${where}: axe looked at nothing`);
}

async function drawings(context) {
  for (const scene of scenes) {
    for (const [size, width] of Object.entries(WIDTHS)) {
      for (const theme of ['light', 'dark']) {
        const where = `${scene.tool}, ${size}, ${theme}`;
        const shown = await Shown.open(context, scene, { width, theme });
        const order = (await shown.asked()).map((one) => one.method).filter((method) => method !== 'ui/notifications/size-changed');
        need(order.join() === 'ui/initialize,ui/notifications/initialized', `${where}: sent ${order}`);
        const { params } = (await shown.asked()).find((one) => one.method === 'ui/initialize');
        need(params.protocolVersion === '2026-01-26' && params.appInfo.name && params.appCapabilities, `${where}: ${JSON.stringify(params)}`);
        need(await shown.frame.locator('svg[role=img]').count() > 0, `${where}: nothing is drawn; it says: ${await shown.status()}`);
        const labels = await shown.frame.locator('svg').evaluateAll((all) => all.map((one) => one.getAttribute('aria-label')));
        need(labels.every((label) => label && !/undefined|NaN/.test(label)), `${where}: labels ${labels}`);
        const text = await shown.frame.locator('main').innerText();
        need(!/undefined|NaN|null|Infinity/.test(text), `${where}: says ${text}`);
        const ground = await shown.frame.evaluate(() => getComputedStyle(document.body).backgroundColor);
        need((ground === 'rgb(255, 255, 255)') === (theme === 'light'), `${where}: the ground is ${ground}`);
        await check(shown, where);
        await shown.page.locator('iframe').screenshot({ path: join(pictures, `${scene.view}-${scene.tool}-${size}-${theme}.png`) });
        await shown.close();
      }
    }
  }
}

/** Some watches record heart rate and stress at night. The view must draw curves from the worker's columns. */
async function nightReadings(context) {
  const scene = structuredClone(scenes.find((one) => one.tool === 'get_sleep_data'));
  const data = scene.result.structuredContent;
  const { start } = data.sleepLevels;
  data.sleepHeartRate = { start, interval_s: 120, bpm: Array.from({ length: 240 }, (_, i) => (i === 60 ? null : 48 + Math.round(6 * Math.sin(i / 20)))) };
  data.sleepStress = { start, interval_s: 180, stress: Array.from({ length: 160 }, (_, i) => (i < 3 ? -1 : 20 + Math.round(9 * Math.cos(i / 12)))) };
  for (const [size, width] of Object.entries(WIDTHS)) {
    for (const theme of ['light', 'dark']) {
      const where = `a night with readings, ${size}, ${theme}`;
      const shown = await Shown.open(context, scene, { width, theme });
      const labels = await shown.frame.locator('svg').evaluateAll((all) => all.map((one) => one.getAttribute('aria-label')).join());
      need(labels.includes('Heart rate from 42 to 54') && labels.includes('Stress from 11 to 29'), `${where}: ${labels}`);
      await shown.frame.locator('input').focus();
      await shown.page.keyboard.press('Home');
      const read = await shown.frame.locator('input').getAttribute('aria-valuetext');
      need(read.startsWith(start.slice(11, 16)) && read.includes('heart rate 48'), `${where}: reads ${read}`);
      await check(shown, where);
      await shown.page.locator('iframe').screenshot({ path: join(pictures, `night-with-readings-${size}-${theme}.png`) });
      await shown.close();
    }
  }
}

/** The host changes its theme and width, the view is loaded again, and the call is cancelled. */
async function changes(context) {
  for (const view of ['night', 'load', 'activity', 'race']) {
    const scene = scenes.find((one) => one.view === view);
    const shown = await Shown.open(context, scene, { width: 600, theme: 'light' });
    await shown.page.evaluate(() => host.say({ method: 'ui/notifications/host-context-changed', params: { theme: 'dark' } }));
    await shown.settle();
    need(await shown.frame.evaluate(() => document.documentElement.dataset.theme) === 'dark', `${view}: follows the theme`);
    await shown.page.locator('iframe').evaluate((frame) => { frame.style.width = '320px'; });
    await shown.settle();
    await check(shown, `${view} at 320 px`);
    const before = (await shown.asked()).length;
    await shown.page.locator('iframe').evaluate((frame) => { frame.srcdoc += ' '; });
    await shown.page.waitForFunction((count) => host.asked.slice(count).some((one) => one.method === 'ui/notifications/initialized'), before);
    await shown.settle();
    need(await shown.frame.locator('svg[role=img]').count() > 0, `${view}: drawn again after a reload`);
    await shown.page.evaluate(() => host.say({ id: 'end', method: 'ui/resource-teardown', params: { reason: 'test' } }));
    await shown.page.waitForFunction(() => host.asked.some((one) => one.id === 'end' && one.result));
    checks += 1;
    await shown.close();
  }
}

/** For an answer that is empty, broken or an error, the view must show a sentence and never stay blank. */
async function nothing(context) {
  const text = (words) => ({ content: [{ type: 'text', text: words }], isError: false });
  const cases = [
    ['empty', { content: [], isError: false }, 'nothing to draw'], ['text', text('No data for this day.'), 'No data for this day.'],
    ['error', { ...text('Garmin asks you to sign in again.'), isError: true }, 'sign in again'],
    ['other data', { ...text('{"a":1}'), structuredContent: { a: 1 } }, 'nothing to draw'],
    ['broken', { ...text('{}'), structuredContent: { sleepLevels: 7, trend: [null], columns: 'x', interval_s: 5, race: 1, laps: { lap: [1] }, track: { polyline: '\u0001' } } }, ''],
    ['markup', text('<img src=x onerror="alert(1)">No night.'), '<img src=x'], ['cut', text('{"trend": [{"da'), ''],
  ];
  for (const view of ['night', 'load', 'activity', 'race']) {
    const scene = scenes.find((one) => one.view === view);
    for (const [name, result, words] of cases) {
      const shown = await Shown.open(context, scene, { width: 400, theme: 'light', result });
      const said = await shown.status();
      need(said.trim().length > 5 && said.includes(words), `${view}, ${name}: says “${said}”`);
      need(!/undefined|NaN|null/.test(said), `${view}, ${name}: says “${said}”`);
      need(await shown.frame.locator('img').count() === 0, `${view}, ${name}: markup became an element`);
      await check(shown, `${view}, ${name}`, name === 'text');
      await shown.page.evaluate((good) => host.tell(good), scene.result);
      await shown.settle();
      need(await shown.frame.locator('svg[role=img]').count() > 0, `${view}, ${name}: a good answer afterwards is drawn`);
      await shown.close();
    }
    const shown = await Shown.open(context, scene, { width: 400, theme: 'light', result: null });
    need((await shown.status()).includes('Waiting'), `${view}: says that it waits`);
    await shown.page.evaluate(() => host.say({ method: 'ui/notifications/tool-cancelled', params: { reason: 'user' } }));
    await shown.settle();
    need((await shown.status()).includes('cancelled'), `${view}: says that the call was cancelled`);
    await shown.close();
  }
}

/** The curves can be chosen and read with the keyboard alone, and the focus stays where it was. */
async function keyboard(context) {
  const scene = scenes.find((one) => one.tool === 'get_activity_timeseries');
  const shown = await Shown.open(context, scene, { width: 680, theme: 'light' });
  const { page, frame } = shown;
  await frame.locator('button').first().focus();
  need(await frame.locator('button[aria-pressed=true]').innerText() === 'Heart rate', 'heart rate comes first');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await shown.settle();
  need(await frame.locator('button').nth(1).getAttribute('aria-pressed') === 'true', 'Enter chooses the second curve');
  need(await frame.evaluate(() => document.activeElement === document.querySelectorAll('button')[1]), 'the focus stays on its button');
  need(await frame.evaluate(() => getComputedStyle(document.activeElement).outlineStyle) === 'solid', 'the focus is seen');
  await frame.locator('input').focus();
  await page.keyboard.press('Home');
  const first = await frame.locator('input').getAttribute('aria-valuetext');
  await page.keyboard.press('ArrowRight');
  const second = await frame.locator('input').getAttribute('aria-valuetext');
  need(first.startsWith('0:00') && second !== first, `the slider reads “${first}”, then “${second}”`);
  need(await frame.locator('output').innerText() === second, 'what is read is shown');
  await shown.close();
}

/** If the host lets views call tools, an analysis fetches its curves, and the view of a race can be refreshed. */
async function calls(context) {
  const scene = scenes.find((one) => one.tool === 'analyze_activity');
  const series = scenes.find((one) => one.tool === 'get_activity_timeseries').result;
  const capabilities = { serverTools: {} };
  let shown = await Shown.open(context, scene, { width: 680, theme: 'light', capabilities, answers: { get_activity_timeseries: series } });
  await shown.frame.locator('input[type=range]').waitFor();
  await shown.settle();
  const asked = (await shown.asked()).find((one) => one.method === 'tools/call');
  need(asked.params.arguments.activity_id === scene.result.structuredContent.activity_id, `asked for ${JSON.stringify(asked.params)}`);
  await check(shown, 'an analysis with curves');
  await shown.page.locator('iframe').screenshot({ path: join(pictures, 'activity-with-curves.png') });
  await shown.close();
  shown = await Shown.open(context, scene, { width: 680, theme: 'light', capabilities });
  need(await shown.frame.locator('svg[role=img]').count() > 0, 'laps and zones stay if the host refuses');
  await shown.close();

  const status = scenes.find((one) => one.tool === 'get_tracking_status');
  const later = structuredClone(status.result);
  later.structuredContent.meaning = 'The athlete has just passed the bridge.';
  shown = await Shown.open(context, status, { width: 400, theme: 'light', capabilities, answers: { get_tracking_status: later } });
  await shown.frame.getByRole('button', { name: 'Refresh' }).focus();
  await shown.page.keyboard.press('Enter');
  await shown.settle();
  need((await shown.status()).includes('passed the bridge'), `the race says ${await shown.status()}`);
  need(await shown.frame.evaluate(() => document.activeElement.textContent) === 'Refresh', 'the focus stays on the button');
  const again = (await shown.asked()).find((one) => one.method === 'tools/call');
  need(again.params.arguments.race === status.arguments.race, `asked again with ${JSON.stringify(again.params)}`);
  await shown.close();
  shown = await Shown.open(context, status, { width: 400, theme: 'light' });
  need(await shown.frame.locator('button').count() === 0, 'no button that could do nothing');
  await shown.close();
}

/** The person switches the charts off on their own page. */
async function switchOff(context) {
  const page = await context.newPage();
  await page.goto(`${gateway}/me`);
  await page.getByLabel('Garmin e-mail').fill(person.email);
  await page.getByLabel('Garmin password').fill(person.password);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.getByRole('button', { name: 'Switch charts off' }).click();
  await page.getByText('Charts are off.').waitFor();
  need(await page.getByRole('button', { name: 'Switch charts on' }).count() === 1, 'the page offers to switch them on');
  await page.close();
}

const browser = await chromium.launch({
  executablePath: '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--no-first-run'],
});
try {
  const context = await browser.newContext({ locale: 'en-GB', reducedMotion: 'reduce', deviceScaleFactor: 2, viewport: { width: 720, height: 620 } });
  for (const act of [drawings, nightReadings, changes, nothing, keyboard, calls, switchOff]) await act(context);
  console.log(`${checks} checks`);
} finally {
  await browser.close();
}
