// The race page, kept up to date: parts of it come over one stream, and the age of the last word is always shown.
(() => {
  'use strict';
  const main = document.getElementById('main');
  const line = document.getElementById('live');
  const said = document.getElementById('said');
  if (!main || !line || !window.EventSource) return;

  const SILENT_MS = 45_000;
  const RETRY_MS = 5_000;
  let heard = Date.now();
  let lost = false;
  let ended = false;
  let opened = Date.now();
  let source = null;

  const show = () => {
    if (ended) return;
    const s = Math.max(0, Math.round((Date.now() - heard) / 1000));
    const words = line.dataset;
    const age = s < 120 ? words.seconds.replace('{n}', s) : words.minutes.replace('{n}', Math.floor(s / 60));
    // A report does not grow old.
    line.hidden = !lost && document.querySelector('#foot [data-over]') !== null;
    line.classList.toggle('lost', lost);
    line.textContent = lost ? `${words.lost} ${age}` : s < 20 ? words.fresh : age;
  };

  const states = () => [...document.querySelectorAll('#now [data-tone]')];

  const replace = ({ id, html }) => {
    const part = document.getElementById(id);
    if (!part) return;
    const before = states().map((state) => state.dataset.tone);
    const unfolded = [...part.querySelectorAll('details[open]')].map((details) => details.id);
    part.innerHTML = html;
    unfolded.forEach((name) => document.getElementById(name)?.setAttribute('open', ''));
    if (id === 'who') document.title = part.querySelector('[data-title]')?.dataset.title ?? document.title;
    // Ages change all the time; only another kind of state is worth an interruption.
    if (id === 'now') {
      const news = states().filter((state, number) => state.dataset.tone !== before[number]);
      if (news.length) said.textContent = news.map((state) => state.querySelector('h1, h2')?.textContent ?? '').join(' ');
    }
  };

  const alive = () => {
    heard = Date.now();
    lost = false;
    show();
  };

  const open = () => {
    opened = Date.now();
    const query = new URLSearchParams({ lang: document.documentElement.lang, v: main.dataset.version });
    source = new EventSource(`${location.pathname}/live?${query}`);
    source.onopen = alive;
    source.addEventListener('beat', alive);
    source.addEventListener('part', (event) => {
      replace(JSON.parse(event.data));
      alive();
    });
    source.addEventListener('ended', () => {
      ended = true;
      source.close();
      line.textContent = line.dataset.ended;
      location.reload();
    });
    source.onerror = () => {
      lost = true;
      show();
      // The browser tries again by itself, except after a refusal.
      if (source.readyState === EventSource.CLOSED) again();
    };
  };

  const again = () => {
    source.close();
    setTimeout(async () => {
      if (ended) return;
      const answer = await fetch(location.href, { method: 'HEAD', cache: 'no-store' }).catch(() => null);
      if (answer && answer.status === 404) {
        ended = true;
        location.reload();
      } else {
        open();
      }
    }, RETRY_MS);
  };

  setInterval(() => {
    // A phone that slept, or a network that is gone, closes nothing.
    const silent = Date.now() - Math.max(heard, opened) > SILENT_MS;
    if (!ended && silent && source.readyState !== EventSource.CLOSED) {
      lost = true;
      source.close();
      open();
    }
    show();
  }, 1000);

  open();
})();
