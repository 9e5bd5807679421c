// Drawing: a model of headline, figures and charts becomes elements. All text goes in as text, never as markup.

const SVG = 'http://www.w3.org/2000/svg';
const NOTHING = 'There is nothing to draw in this answer. The text beside it is complete.';

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value !== undefined && value !== null) node.setAttribute(name, value);
  }
  node.append(...children.flat().filter((child) => child !== undefined && child !== null));
  return node;
}
const el = (tag, attributes, ...children) => fill(document.createElement(tag), attributes, children);
const svg = (tag, attributes, ...children) => fill(document.createElementNS(SVG, tag), attributes, children);

const isNumber = (value) => typeof value === 'number' && Number.isFinite(value);
const two = (number) => String(number).padStart(2, '0');

/** Seconds as h:mm:ss or m:ss. */
function clock(seconds) {
  const s = Math.round(seconds);
  const [h, m] = [Math.floor(s / 3600), Math.floor((s % 3600) / 60)];
  return h > 0 ? `${h}:${two(m)}:${two(s % 60)}` : `${m}:${two(s % 60)}`;
}
/** Seconds as “7 h 25 min”. */
function span(seconds) {
  const minutes = Math.round(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${two(minutes % 60)} min`;
}
const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);
const round = (value, digits = 0) => isNumber(value) ? value.toFixed(digits) : '–';
/** The time of day in a local time such as 2026-01-08T22:30:00+01:00, so many seconds later. */
function timeOfDay(start, seconds = 0) {
  const [, h, m, s] = /T(\d\d):(\d\d)(?::(\d\d))?/.exec(start) ?? [];
  if (h === undefined) return '';
  const at = (Number(h) * 3600 + Number(m) * 60 + Number(s ?? 0) + seconds + 86400) % 86400;
  return `${two(Math.floor(at / 3600))}:${two(Math.floor((at % 3600) / 60))}`;
}
function dayName(date) {
  const at = new Date(`${date}T12:00:00Z`);
  return Number.isNaN(at.getTime()) ? String(date) : at.toLocaleDateString('en', { day: 'numeric', month: 'short', timeZone: 'UTC' });
}

/** Round values between two limits, for a grid. */
function ticks(low, high, most, steps) {
  const least = (high - low) / most;
  const power = 10 ** Math.floor(Math.log10(least || 1));
  const step = (steps ?? [1, 2, 5, 10, 20].map((n) => n * power)).find((one) => one >= least) ?? least;
  const found = [];
  for (let at = Math.ceil(low / step) * step; at <= high + step / 1e6; at += step) found.push(at);
  return found;
}
const TIME_STEPS = [60, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400];

function extent(values) {
  const known = values.filter(isNumber);
  return known.length > 0 ? [Math.min(...known), Math.max(...known)] : undefined;
}

const figures = (pairs) => {
  const known = pairs.filter(([, value]) => value !== undefined && value !== null && value !== '' && value !== '–');
  return known.length === 0 ? undefined
    : el('dl', { class: 'figures' }, known.map(([name, value]) => el('div', {}, el('dt', {}, name), el('dd', {}, String(value)))));
};
const legend = (entries) => el('p', { class: 'legend' }, entries.map(([name, color]) => el('span', { style: `--of: var(--${color})` }, name)));

/** A table for those who do not see the drawing. */
function table(caption, heads, rows) {
  const cell = (tag, scope) => (value) => el(tag, { scope }, String(value ?? ''));
  return el('div', { class: 'unseen' }, el('table', {}, el('caption', {}, caption),
    el('thead', {}, el('tr', {}, heads.map(cell('th', 'col')))),
    el('tbody', {}, rows.map((row) => el('tr', {}, row.map(cell('td')))))));
}

/**
 * Curves over one axis. `series`: {name, color, at: […], values: […], tell(value)}; `x`: {from, to, tell(at), steps}.
 * A null in the values is a gap. `isTurned` puts small values on top, as for a pace.
 */
function curves({ label, series, x, height, width, isTurned, band }) {
  const [left, right, top, bottom] = [46, 10, 8, 22];
  const all = series.flatMap((one) => one.values);
  let [low, high] = extent([...all, ...(band ?? [])]) ?? [0, 1];
  const room = (high - low || Math.abs(high) || 1) * 0.06;
  low -= room;
  high += room;
  const toX = (at) => left + ((at - x.from) / (x.to - x.from || 1)) * (width - left - right);
  const toY = (value) => {
    const share = (value - low) / (high - low);
    return top + (isTurned ? share : 1 - share) * (height - top - bottom);
  };
  const drawing = svg('svg', { viewBox: `0 0 ${width} ${height}`, height, role: 'img', 'aria-label': label });
  if (band) {
    const [y1, y2] = [toY(band[0]), toY(band[1])];
    drawing.append(svg('rect', { x: left, width: width - left - right, y: Math.min(y1, y2), height: Math.abs(y1 - y2), fill: 'var(--soft)' }));
  }
  for (const value of ticks(low, high, Math.max(2, height / 42), series[0].steps)) {
    drawing.append(svg('line', { class: 'grid', x1: left, x2: width - right, y1: toY(value), y2: toY(value) }),
      svg('text', { x: left - 6, y: toY(value) + 4, 'text-anchor': 'end' }, series[0].tell(value)));
  }
  for (const at of ticks(x.from, x.to, Math.max(2, (width - left) / 72), x.steps)) {
    const anchor = toX(at) > width - 30 ? 'end' : 'middle';
    drawing.append(svg('text', { x: Math.min(toX(at), width - 2), y: height - 5, 'text-anchor': anchor }, x.tell(at)));
  }
  for (const one of series) {
    let path = '';
    let isDown = false;
    one.values.forEach((value, index) => {
      if (isNumber(value)) path += `${isDown ? 'L' : 'M'}${toX(one.at[index]).toFixed(1)} ${toY(value).toFixed(1)}`;
      isDown = isNumber(value);
    });
    drawing.append(svg('path', { class: 'curve', d: path, stroke: `var(--${one.color})`, 'stroke-dasharray': one.dash }));
  }
  const cursor = svg('line', { y1: top, y2: height - bottom, stroke: 'var(--ink)', 'stroke-width': 1, visibility: 'hidden' });
  drawing.append(cursor);
  return {
    drawing,
    point(at) {
      fill(cursor, { x1: toX(at), x2: toX(at), visibility: 'visible' }, []);
    },
    /** The place on the axis under a pointer. */
    under: (event) => {
      const box = drawing.getBoundingClientRect();
      const share = ((event.clientX - box.left) * (width / box.width) - left) / (width - left - right);
      return x.from + Math.min(1, Math.max(0, share)) * (x.to - x.from);
    },
  };
}

/** A slider that reads values along the axis: by keyboard, by finger, or by pointing at the chart. */
function reader({ label, count, text, onMove, charts = [], indexAt }) {
  const output = el('output', { 'aria-hidden': 'true' }, text(count - 1));
  const input = el('input', { type: 'range', min: 0, max: count - 1, value: count - 1, 'aria-label': label });
  const move = (index, isShown = true) => {
    input.value = index;
    input.setAttribute('aria-valuetext', text(index));
    output.textContent = text(index);
    if (isShown) onMove(index);
  };
  input.addEventListener('input', () => move(Number(input.value)));
  for (const chart of charts) chart.drawing.addEventListener('pointermove', (event) => move(indexAt(chart.under(event))));
  move(count - 1, false);
  return el('div', { class: 'along' }, output, input);
}

/** Rows of bars with their values: {name, value, text, color}. */
function bars({ label, rows, width, rowHeight = 26, room = 96, after = 82 }) {
  const most = Math.max(...rows.map((row) => row.value), 1e-9);
  const height = rows.length * rowHeight;
  const drawing = svg('svg', { viewBox: `0 0 ${width} ${height}`, height, role: 'img', 'aria-label': label });
  const [from, to] = [room, width - after];
  rows.forEach((row, index) => {
    const y = index * rowHeight;
    const long = Math.max(2, ((to - from) * row.value) / most);
    drawing.append(svg('text', { x: 0, y: y + rowHeight / 2 + 4, class: 'strong' }, row.name),
      svg('rect', { x: from, y: y + 4, width: long, height: rowHeight - 8, rx: 3, fill: `var(--${row.color})` }),
      svg('text', { x: from + long + 6, y: y + rowHeight / 2 + 4, class: 'strong' }, row.text));
  });
  return drawing;
}

/** Latitudes and longitudes from the polyline of Google's algorithm. */
function decoded(polyline) {
  const points = [];
  let [at, lat, lon] = [0, 0, 0];
  const next = () => {
    let [bits, shift, group] = [0, 0, 0];
    do {
      group = polyline.charCodeAt(at) - 63;
      bits |= (group & 0x1f) << shift;
      [at, shift] = [at + 1, shift + 5];
    } while (group >= 0x20 && at < polyline.length);
    return bits & 1 ? ~(bits >> 1) : bits >> 1;
  };
  while (at < polyline.length) {
    lat += next();
    lon += next();
    points.push([lat / 1e5, lon / 1e5]);
  }
  return points;
}

/** The way on a map without tiles: north is up, a bar tells the scale. `points` may have gaps. */
function map({ label, points, width, height }) {
  const known = points.filter(Boolean);
  const [south, north] = extent(known.map(([lat]) => lat));
  const [west, east] = extent(known.map(([, lon]) => lon));
  const squeeze = Math.cos(((south + north) / 2) * Math.PI / 180);
  const pad = 14;
  const degree = Math.min((width - 2 * pad) / ((east - west) * squeeze || 1e-9), (height - 2 * pad - 14) / (north - south || 1e-9), 5e5);
  const toX = (lon) => width / 2 + (lon - (west + east) / 2) * squeeze * degree;
  const toY = (lat) => (height - 14) / 2 - (lat - (south + north) / 2) * degree;
  let path = '';
  let isDown = false;
  for (const point of points) {
    if (point) path += `${isDown ? 'L' : 'M'}${toX(point[1]).toFixed(1)} ${toY(point[0]).toFixed(1)}`;
    isDown = Boolean(point);
  }
  const metre = degree / 111_320;
  const metres = [10_000, 5_000, 2_000, 1_000, 500, 200, 100, 50].find((m) => m * metre <= width / 3) ?? 20;
  const spot = (point, color, r) => svg('circle', { cx: toX(point[1]), cy: toY(point[0]), r, fill: `var(--${color})`, stroke: 'var(--ground)', 'stroke-width': 2 });
  const cursor = spot(known.at(-1), 'ink', 6);
  const drawing = svg('svg', { viewBox: `0 0 ${width} ${height}`, height, role: 'img', 'aria-label': label },
    svg('rect', { width, height, rx: 8, fill: 'var(--soft)' }),
    svg('path', { class: 'curve', d: path, stroke: 'var(--c1)', 'stroke-width': 3 }),
    spot(known[0], 'c3', 5), cursor,
    svg('path', { class: 'curve', d: `M${pad} ${height - 12}h${metres * metre}`, stroke: 'var(--muted)' }),
    svg('text', { x: pad + metres * metre + 6, y: height - 8, class: 'strong' }, metres >= 1000 ? `${metres / 1000} km` : `${metres} m`));
  return {
    drawing,
    point(point) {
      if (point) fill(cursor, { cx: toX(point[1]), cy: toY(point[0]) }, []);
    },
  };
}

/**
 * A view: `read(data)` makes a model of an answer, or nothing; `draw(model, place, room)` draws it in a place that is
 * `room.width` wide, with charts of about `room.height`. It is drawn again for another width, theme or answer.
 */
function viewOf({ read, draw }) {
  const [title, status, place] = ['h1', '#status', '#drawing'].map((name) => document.querySelector(name));
  const ownTitle = title.textContent;
  let model;
  let drawnFor = '';
  function redraw(isNew) {
    const width = Math.floor(place.parentElement.clientWidth - 28);
    const key = `${width} ${tallest()}`;
    if (width > 0 && model && (isNew || key !== drawnFor)) {
      drawnFor = key;
      place.className = width >= 560 ? 'wide' : '';
      // Charts give way until all fits without a scroll.
      for (let height = 220; height >= 60; height -= 16) {
        const focused = [...place.querySelectorAll('button, input')].indexOf(document.activeElement);
        place.replaceChildren(...draw(model, { width, height, again: () => redraw(true) }).filter(Boolean));
        if (focused >= 0) place.querySelectorAll('button, input')[focused]?.focus();
        if (document.getElementById('view').getBoundingClientRect().height <= tallest()) break;
      }
    }
    tellSize();
  }
  function show({ data, sentence }) {
    try {
      model = data ? read(data) : undefined;
      if (model) {
        title.textContent = model.title ?? ownTitle;
        status.textContent = model.sentence ?? '';
        redraw(true);
        return;
      }
    } catch {
      model = undefined;
    }
    place.replaceChildren();
    title.textContent = ownTitle;
    const said = (sentence ?? '').trim();
    status.textContent = said ? (said.length > 300 ? `${said.slice(0, 300)} …` : said) : NOTHING;
    tellSize();
  }
  return { show, redraw, isShown: () => Boolean(model) };
}
