// The pages in headless Chromium: sign-in, code, deny and every refusal, on a phone and on a desktop, in light and in
// dark, and in every language on the screen of a phone. Each page is checked with axe. The pages are those of a running
// gateway, which uses the pretend Garmin.
//
// Usage: pages.mjs, with PAGES = {gateway, people: [{email, password, code or null}…], pictures} as JSON. At least one
// person must have a code, and one must have none. Prints `N checks`; the first that fails ends it with exit code 1.
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const { gateway: GATEWAY, people, pictures: PICTURES } = JSON.parse(process.env.PAGES);

const SIZES = {
  phone: { viewport: { width: 360, height: 740 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true },
  screen: { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true },
  desktop: { viewport: { width: 1280, height: 800 } },
};

// The languages of the pages, each with its own name for itself.
const LANGUAGES = [['en', 'English'], ['de', 'Deutsch'], ['fr', 'Français'], ['es', 'Español'], ['it', 'Italiano']];

/** The request of Claude on the web, whose client is described by a published document. */
const PUBLISHED = () => `${GATEWAY}/authorize?${new URLSearchParams({
  response_type: 'code', client_id: 'https://claude.ai/oauth/mcp-oauth-client-metadata',
  redirect_uri: 'https://claude.ai/api/mcp/auth_callback', state: 's', resource: `${GATEWAY}/mcp`,
  code_challenge: createHash('sha256').update('verifier').digest('base64url'), code_challenge_method: 'S256',
})}`;

let checks = 0;
function need(condition, what) {
  if (!condition) throw new Error(what);
  checks += 1;
}

/** The page where the client waits for its code. It has its own origin. */
class Callback {
  static async open() {
    const callback = new Callback();
    callback.server = createServer((request, response) => {
      const asked = new URL(request.url, callback.origin);
      // Browsers also ask for an icon, which is not the callback.
      if (asked.pathname === '/callback') callback.seen = asked.searchParams;
      response.setHeader('Content-Type', 'text/html');
      response.end('<!doctype html><title>arrived</title>arrived');
    });
    await new Promise((done) => callback.server.listen(0, '127.0.0.1', done));
    callback.origin = `http://localhost:${callback.server.address().port}`;
    return callback;
  }
}

/** A registered client, which makes authorize URLs. */
class Client {
  static async register(callback, name) {
    const client = new Client();
    client.redirect = `${callback.origin}/callback`;
    const reply = await fetch(`${GATEWAY}/register`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ client_name: name, redirect_uris: [client.redirect] }),
    });
    need(reply.status === 201, `registered: ${reply.status}`);
    client.id = (await reply.json()).client_id;
    return client;
  }

  authorize(state) {
    const challenge = createHash('sha256').update(randomBytes(32).toString('base64url')).digest('base64url');
    return `${GATEWAY}/authorize?${new URLSearchParams({
      response_type: 'code', client_id: this.id, redirect_uri: this.redirect, state, resource: `${GATEWAY}/mcp`,
      code_challenge: challenge, code_challenge_method: 'S256',
    })}`;
  }
}

/** One person's window. Every complaint of the browser is a failure, such as a blocked style or a refused redirect. */
class Window {
  constructor(page, name) {
    Object.assign(this, { page, name, pictures: 0, complaints: [] });
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type()) && !/status of [45]\d\d/.test(message.text())) this.complaints.push(message.text());
    });
    page.on('pageerror', (error) => this.complaints.push(String(error)));
    page.on('request', (request) => {
      const origin = new URL(request.url()).origin;
      if (origin !== new URL(GATEWAY).origin && !request.isNavigationRequest()) this.complaints.push(`asked ${origin}`);
    });
  }

  async open(url) {
    return await this.page.goto(url);
  }

  async submit(button) {
    await Promise.all([this.page.waitForEvent('load'), this.page.getByRole('button', { name: button, exact: true }).click()]);
  }

  /** Checks what must be true of every page, in both colour schemes. */
  async check(what) {
    const { page } = this;
    const where = `${this.name}: ${what}`;
    for (const colorScheme of ['light', 'dark']) {
      await page.emulateMedia({ colorScheme });
      await page.evaluate(AXE);
      const found = await page.evaluate(() => axe.run(document, { resultTypes: ['violations'] }));
      const bad = found.violations.map((v) => `${v.impact} ${v.id}: ${v.nodes.map((n) => n.target.join(' ')).join(', ')}`);
      need(bad.length === 0, `${where}, ${colorScheme}: axe found ${bad.join('; ')}`);
      need(found.passes.length > 0, `${where}, ${colorScheme}: axe looked at nothing`);
      this.pictures += 1;
      const file = `${this.name}-${String(this.pictures).padStart(2, '0')}-${what.replaceAll(' ', '-')}-${colorScheme}.png`;
      await page.screenshot({ path: join(PICTURES, file), fullPage: true });
    }
    const seen = await page.evaluate(() => ({
      wide: document.documentElement.scrollWidth - document.documentElement.clientWidth,
      scripts: document.querySelectorAll('script').length,
      small: [...document.querySelectorAll('button, input:not([type=hidden]):not([type=radio]):not([type=checkbox]), summary, .choice, .check')]
        .filter((e) => e.offsetParent && e.getBoundingClientRect().height < 44)
        .map((e) => e.outerHTML.slice(0, 60)),
      zoomed: [...document.querySelectorAll('input')].filter((e) => !['hidden', 'radio', 'checkbox'].includes(e.type) && parseFloat(getComputedStyle(e).fontSize) < 16).length,
    }));
    need(seen.wide <= 0, `${where}: scrolls sideways by ${seen.wide} px`);
    need(seen.scripts === 0, `${where}: has a script`);
    need(seen.small.length === 0, `${where}: too small for a thumb: ${seen.small}`);
    need(seen.zoomed === 0, `${where}: a phone would zoom into a field`);
    need(this.complaints.length === 0, `${where}: the browser complains: ${this.complaints.join('; ')}`);
  }

  async sees(text, where) {
    need((await this.page.locator('main').innerText()).includes(text), `${this.name}, ${where}: no “${text}” on the page`);
  }

  async signIn(person, password = person.password) {
    await this.page.getByLabel('Garmin e-mail').fill(person.email);
    await this.page.getByLabel('Garmin password').fill(password);
    await this.submit('Sign in and connect');
  }
}

async function arrived(window, callback, state) {
  const at = new URL(window.page.url());
  need(at.origin === callback.origin, `${window.name}: the browser did not return to the client but is at ${at.origin}${at.pathname}; ${window.complaints.join('; ')}`);
  need(callback.seen.get('state') === state, `${window.name}: another state came back`);
  need(callback.seen.get('iss') === GATEWAY, `${window.name}: iss is ${callback.seen.get('iss')}`);
  need(window.complaints.length === 0, `${window.name}: ${window.complaints.join('; ')}`);
  return callback.seen;
}

async function landing(window) {
  need((await window.open(`${GATEWAY}/`)).status() === 200, 'the landing page is there');
  await window.sees(`${GATEWAY}/mcp`, 'landing');
  await window.check('landing');
  for (const summary of await window.page.locator('summary').all()) await summary.click();
  await window.check('landing unfolded');
  need((await window.open(`${GATEWAY}/nothing/here`)).status() === 404, 'an unknown path is 404');
  await window.check('unknown path');
  need((await window.open(`${GATEWAY}/mcp`)).status() === 401, 'the endpoint wants a token');
  await window.check('connector address');
}

async function refusals(window, client) {
  const unknown = client.authorize('s').replace(client.id, 'client_that_nobody_knows');
  need((await window.open(unknown)).status() === 400, 'an unknown client is refused here');
  await window.sees('remove the connector', 'unknown client');
  await window.check('unknown client');
  const elsewhere = new URL(client.authorize('s'));
  elsewhere.searchParams.set('redirect_uri', 'https://evil.example/callback');
  need((await window.open(elsewhere.href)).status() === 400, 'a foreign redirect is refused here');
  await window.check('foreign redirect');
}

/** Checks that the main button is on the first screen, so that nobody has to scroll for it. */
async function fitsOneScreen(window, what) {
  const seen = await window.page.evaluate(() => ({
    bottom: document.querySelector('main form button').getBoundingClientRect().bottom,
    top: scrollY,
    height: innerHeight,
  }));
  need(seen.top === 0 && seen.bottom <= seen.height, `${window.name}, ${what}: the button ends at ${seen.bottom + seen.top} px`);
}

/** A person's own page in one language: what it shows, what it refuses, and how it is closed. */
async function inLanguageOwnPage(window, language, person, { speaks, submit, post }) {
  const { page } = window;
  const form = (step) => page.locator(`form:has(input[name="step"][value="${step}"])`);
  await page.locator('#email').fill(person.email);
  await page.locator('#password').fill(person.password);
  await submit();
  need((await page.locator('#apps').count()) === 1, `${window.name}: the page is open`);
  for (const summary of await page.locator('main summary').all()) await summary.click();
  await speaks('own page');
  await page.locator('#time-zone').fill('Nowhere/Else');
  await post(form('set_time_zone').locator('button'));
  need((await page.locator('#time-zone-problem').count()) === 1, `${window.name}: the zone is refused`);
  need(await page.evaluate(() => document.activeElement.id) === 'time-zone', `${window.name}: the zone is to be typed again`);
  await speaks('own page problem');
  await post(form('history_on').locator('button'));
  need((await page.locator('.done').count()) === 1, `${window.name}: the history is on`);
  await speaks('own page with history');
  const next = LANGUAGES.find(([code]) => code !== language);
  await page.locator('.languages summary').click();
  await post(page.locator(`.languages a[hreflang="${next[0]}"]`));
  need((await page.getAttribute('html', 'lang')) === next[0], `${window.name}: another language was chosen`);
  await page.locator('#confirm-off').check();
  await post(form('history_off').locator('button'));
  need((await page.getAttribute('html', 'lang')) === next[0], `${window.name}: an act keeps the language`);
  await post(form('sign_out').locator('button'));
  need((await page.getAttribute('html', 'lang')) === next[0], `${window.name}: the closed page, too`);
  await window.check('own page closed');
}

/** What a reader of one language sees during the sign-in, on the screen of a phone. */
async function inLanguage(window, language, client, plain, coded) {
  const { page } = window;
  const speaks = async (what) => {
    need((await page.getAttribute('html', 'lang')) === language, `${window.name}, ${what}: the page is in ${language}`);
    await window.check(what);
  };
  const shown = async (what) => {
    await speaks(what);
    await fitsOneScreen(window, what);
  };
  const post = (locator) => Promise.all([page.waitForEvent('load'), locator.click()]);
  const submit = () => post(page.locator('main form button').first());
  await window.open(`${GATEWAY}/`);
  await speaks('landing');
  await window.open(client.authorize('fits'));
  await shown('sign-in');
  await window.open(PUBLISHED());
  need((await page.locator('.badge').innerText()).endsWith(': claude.ai'), `${window.name}: the publisher is named`);
  await shown('verified client');
  need((await page.locator('main summary').boundingBox()).height <= 56, `${window.name}: what Claude may do is one line`);
  await page.locator('#email').fill(plain.email);
  await page.locator('#password').fill('not the password');
  await submit();
  await shown('wrong password');
  need(await page.evaluate(() => document.activeElement.id) === 'password', 'the password is to be typed again');

  // The person chooses every other language and then the first again. What was typed stays, and no attempt is counted.
  const problem = await page.locator('#password-problem').innerText();
  await page.locator('#email').fill('somebody@example.org');
  await page.locator('main summary').click();
  await page.locator('.choice').last().click();
  for (const [code, name] of [...LANGUAGES.filter(([code]) => code !== language), LANGUAGES.find(([code]) => code === language)]) {
    await page.locator('#password').fill('half a passw');
    await page.locator('.languages summary').click();
    await post(page.getByRole('button', { name, exact: true }));
    need((await page.getAttribute('html', 'lang')) === code, `${window.name}: ${name} was chosen`);
    need(await page.locator('#email').inputValue() === 'somebody@example.org', `${window.name}: the e-mail is kept in ${name}`);
    need(await page.locator('#read-and-change').isChecked(), `${window.name}: the access is kept in ${name}`);
    need(await page.locator('#password').inputValue() === '', `${window.name}: the password does not come back`);
  }
  need(await page.locator('#password-problem').innerText() === problem, `${window.name}: no try is used up`);

  await window.open(`${GATEWAY}/link`);
  await shown('link');
  await page.locator('#email').fill(coded.email);
  await page.locator('#password').fill(coded.password);
  await submit();
  await shown('code');
  await page.locator('#code').fill('000000');
  await submit();
  await shown('wrong code');
  await page.locator('#code').fill(coded.code);
  await submit();
  await speaks('linked');
  await window.open(`${GATEWAY}/me`);
  await shown('own page sign-in');
  await inLanguageOwnPage(window, language, plain, { speaks, submit, post });
  await window.open(client.authorize('s').replace(client.id, 'client_that_nobody_knows'));
  await speaks('unknown client');

  // The chosen language also applies to the pages to which a link and a form lead.
  const next = LANGUAGES.find(([code]) => code !== language);
  await window.open(`${GATEWAY}/?lang=${next[0]}`);
  await page.locator('details').last().locator('summary').click();
  await post(page.locator('a[href^="/link"]'));
  need((await page.getAttribute('html', 'lang')) === next[0], `${window.name}: a link carries the language`);
  await post(page.locator('main form').last().locator('button'));
  need((await page.getAttribute('html', 'lang')) === next[0], `${window.name}: a form carries the language`);
}

async function plainSignIn(window, client, callback, person) {
  await window.open(client.authorize('plain'));
  await window.sees('Did you start this yourself?', 'sign-in');
  await window.sees(new URL(client.redirect).hostname, 'sign-in');
  await window.check('sign-in');
  need(await window.page.getByLabel('Read only').isChecked(), 'read only is preselected');

  // The keyboard alone must reach every field and button in reading order.
  const order = [];
  await window.page.locator('#email').focus();
  for (let i = 0; i < 5; i += 1) {
    order.push(await window.page.evaluate(() => {
      const at = document.activeElement;
      return at.id || (at.tagName === 'SUMMARY' ? 'access' : at.textContent.trim());
    }));
    await window.page.keyboard.press('Tab');
  }
  need(order.join() === 'email,password,access,Sign in and connect,Don’t connect', `the tab order is ${order}`);

  await window.signIn(person, 'not the password');
  need(await window.page.evaluate(() => document.activeElement.id) === 'password', 'the password has the focus');
  need(await window.page.getByLabel('Garmin e-mail').inputValue() === person.email, 'the e-mail is kept');
  need(await window.page.getByLabel('Garmin password').inputValue() === '', 'the password is not');
  await window.check('wrong password');

  const summary = window.page.locator('main summary');
  need((await summary.innerText()).includes('only read'), 'the summary says what is chosen');
  await summary.click();
  await window.check('access unfolded');
  await window.page.locator('.choice', { hasText: 'Read and change' }).click();
  need((await summary.innerText()).includes('read and change'), 'the summary follows the choice');
  await window.signIn(person);
  const seen = await arrived(window, callback, 'plain');
  need(seen.get('code')?.length > 20, 'a code came back');
}

async function codeSignIn(window, client, callback, person) {
  await window.open(client.authorize('mfa'));
  await window.signIn(person);
  const field = window.page.getByLabel('Code from Garmin');
  need(await window.page.evaluate(() => document.activeElement.id) === 'code', 'the code field has the focus');
  need(await field.getAttribute('autocomplete') === 'one-time-code', 'phones offer the code');
  await window.check('code');
  await field.fill('000000');
  await window.submit('Continue');
  await window.check('wrong code');
  await window.page.getByLabel('Code from Garmin').fill(person.code);
  await window.submit('Continue');
  need((await arrived(window, callback, 'mfa')).has('code'), 'a code came back');
}

async function denied(window, client, callback) {
  await window.open(client.authorize('no'));
  await window.submit('Don’t connect');
  need((await arrived(window, callback, 'no')).get('error') === 'access_denied', 'the client is told');
}

async function linkAgain(window, person) {
  await window.open(`${GATEWAY}/link`);
  await window.check('link');
  await window.page.getByLabel('Garmin e-mail').fill(person.email);
  await window.page.getByLabel('Garmin password').fill(person.password);
  await window.submit('Sign in');
  // No app has exchanged the code of the sign-in before, so none is connected yet.
  await window.sees('You are signed in at Garmin', 'linked');
  await window.sees('No app is connected yet', 'linked');
  await window.sees(`${GATEWAY}/mcp`, 'linked');
  await window.check('linked');
}

/** A person's own page, opened by a sign-in at Garmin. Its forms work without a script, and fit on a phone. */
async function ownPage(window, person, other) {
  const before = window.page.viewportSize();
  await window.page.setViewportSize({ width: 390, height: 844 });
  need((await window.open(`${GATEWAY}/me?code=gpc_nobodys`)).status() === 200, 'a link shows a button');
  await window.check('own page link');
  await window.submit('Open my page');
  await window.sees('no longer opens your page', 'own page link');
  await window.check('own page spent link');
  await window.open(`${GATEWAY}/me`);
  await window.check('own page sign-in');
  await window.page.getByLabel('Garmin e-mail').fill(person.email);
  await window.page.getByLabel('Garmin password').fill(person.password);
  await window.submit('Sign in');
  need(new URL(window.page.url()).pathname === '/me' && !window.page.url().includes('?'), `the page is at ${window.page.url()}`);
  await window.sees('Connected apps', 'own page');
  for (const summary of await window.page.locator('main summary').all()) await summary.click();
  await window.check('own page');
  await window.page.getByLabel('Who', { exact: true }).fill(other.email);
  await window.page.locator('#group-training').check();
  const inThreeDays = new Date(Date.now() + 3 * 86_400_000);
  await window.page.getByLabel('Until the end of').fill(inThreeDays.toISOString().slice(0, 10));
  await window.submit('Let them see it');
  await window.sees('They can see it from now on', 'own page');
  await window.check('own page with a grant');
  await window.submit('Take it back');
  await window.sees('It is taken back', 'own page');
  await window.page.getByRole('textbox', { name: 'Time zone' }).fill('Nowhere/Else');
  await window.submit('Set the time zone');
  await window.sees('This time zone is not known', 'own page');
  need(await window.page.locator('#time-zone').inputValue() === 'Nowhere/Else', 'what was typed is kept');
  need(await window.page.evaluate(() => document.activeElement.id) === 'time-zone', 'the zone is to be typed again');
  await window.check('own page problem');
  // The form is folded in, and open after a refusal.
  await window.page.locator('summary', { hasText: 'Let somebody see my data' }).click();
  await window.page.getByLabel('Who', { exact: true }).fill('nobody@example.org');
  await window.page.locator('#group-training').check();
  await window.page.getByLabel('Until the end of').fill(inThreeDays.toISOString().slice(0, 10));
  await window.submit('Let them see it');
  await window.sees('Nobody has connected to this gateway with this e-mail', 'own page');
  need(await window.page.evaluate(() => document.activeElement.id) === 'grant-to', 'the e-mail is to be typed again');
  need(await window.page.locator('#group-training').isChecked(), 'the choice is kept');
  await window.check('own page problem in a folded form');
  await window.page.getByRole('textbox', { name: 'Time zone' }).fill('Europe/Vienna');
  await window.submit('Set the time zone');
  await window.sees('The time zone is set', 'own page');
  await window.submit('Switch it on');
  await window.sees('On since', 'own page');
  await window.check('own page with history');
  await window.page.getByRole('checkbox', { name: 'Erase the days that are kept here' }).check();
  await window.submit('Switch it off');
  await window.sees('It is off', 'own page');
  await window.submit('Close my page');
  await window.sees('The page is closed', 'own page');
  await window.check('own page closed');
  await window.page.setViewportSize(before);
}

const plain = people.find((person) => !person.code);
const coded = people.find((person) => person.code);
need(plain && coded, 'there is somebody without and somebody with a code');
const callback = await Callback.open();
const browser = await chromium.launch({
  executablePath: '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--disable-background-networking',
    '--disable-component-update', '--disable-sync', '--no-first-run'],
});
try {
  const client = await Client.register(callback, 'A client <b>with</b> a name');
  for (const name of ['phone', 'desktop']) {
    const size = SIZES[name];
    // Motion is reduced, because axe would otherwise measure colours that are still fading.
    const context = await browser.newContext({ ...size, reducedMotion: 'reduce' });
    const page = await context.newPage();
    const window = new Window(page, name);
    await landing(window);
    await refusals(window, client);
    await plainSignIn(window, client, callback, plain);
    await codeSignIn(window, client, callback, coded);
    await denied(window, client, callback);
    await linkAgain(window, plain);
    await ownPage(window, plain, coded);
    await context.close();
  }
  const local = await Client.register(callback, 'Claude Code (garmin)');
  for (const [code] of LANGUAGES) {
    const context = await browser.newContext({ ...SIZES.screen, locale: code, reducedMotion: 'reduce' });
    const window = new Window(await context.newPage(), code);
    await inLanguage(window, code, local, plain, coded);
    await context.close();
  }
  console.log(`${checks} checks`);
} finally {
  await browser.close();
  callback.server.close();
}
