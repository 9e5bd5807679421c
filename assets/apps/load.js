// Training load: get_training_load_trend has days, get_training_status one day, get_training_overview the last weeks.

const OPTIMAL = [0.8, 1.5];
const words = (text) => String(text ?? '').replace(/_\d+$/, '').replaceAll('_', ' ').toLowerCase();

function read(data) {
  const trend = Array.isArray(data.trend) ? data.trend.filter((day) => day.date) : [];
  const days = trend.filter((day) => isNumber(day.acute_load) || isNumber(day.chronic_load));
  if (trend.length > 0) return ofTrend(trend, days);
  const status = data.training_status && typeof data.training_status === 'object' ? data.training_status : data;
  const training = data.training ?? {};
  const pairs = [['load', 'Load', 0], ['hours', 'Hours', 1], ['km', 'Kilometres', 0], ['activities', 'Activities', 1]]
    .map(([key, name, digits]) => ({ name, digits, week: training[key]?.last_7_days, usual: training[key]?.mean_week_of_28_days }))
    .filter((pair) => isNumber(pair.week) && isNumber(pair.usual));
  const months = [['monthly_load_aerobic_low', 'Low aerobic', 'c3'], ['monthly_load_aerobic_high', 'High aerobic', 'c4'], ['monthly_load_anaerobic', 'Anaerobic', 'c2']]
    .map(([key, name, color]) => ({ name, color, value: data[key], text: round(data[key]) })).filter((row) => isNumber(row.value));
  const ratio = status.load_ratio;
  if (!isNumber(ratio) && !isNumber(status.acute_load) && pairs.length === 0) return undefined;
  const state = words(data.training_status_feedback ?? status.status);
  const found = data.signs_of_overreaching?.found ?? [];
  const signs = data.signs_of_overreaching ? ` ${found.length === 0 ? 'No sign of overreaching.' : `Signs of overreaching: ${found.length}.`}` : '';
  return {
    title: data.date ? `Training load, ${dayName(data.date)}` : 'Training load',
    sentence: `${state ? `${capital(state)}.` : ''}${signs}`.trim(),
    facts: [
      ['Acute load', round(status.acute_load)], ['Chronic load', round(status.chronic_load)], ['Ratio', round(ratio, 2)],
      ['Readiness', data.readiness?.score], ['VO2 max', round(status.vo2_max ?? data.vo2_max_precise, 1)],
    ],
    ratio, pairs, months,
  };
}

function ofTrend(trend, days) {
  const newest = days.at(-1) ?? trend.at(-1);
  const missing = days.length === 0 ? ' Garmin has no load for these days.' : '';
  return {
    title: `Training load, ${dayName(trend[0].date)} to ${dayName(trend.at(-1).date)}`,
    sentence: `${trend.length} days with data.${missing}`,
    facts: [
      ['Acute load', round(newest.acute_load)], ['Chronic load', round(newest.chronic_load)], ['Ratio', round(newest.load_ratio, 2)],
      ['VO2 max', round(newest.vo2_max, 1)],
    ],
    ratio: newest.load_ratio, pairs: [], months: [], trend: days.length > 0 ? days : trend, hasLoad: days.length > 0,
  };
}

/** The ratio of acute to chronic load on a scale, with the band that is usual. */
function gauge(ratio, width) {
  const [height, left, right] = [58, 4, 4];
  const most = Math.max(2, Math.ceil(ratio * 2) / 2);
  const toX = (value) => left + (value / most) * (width - left - right);
  const place = ratio < OPTIMAL[0] ? 'below' : ratio > OPTIMAL[1] ? 'above' : 'within';
  const drawing = svg('svg', { viewBox: `0 0 ${width} ${height}`, height, role: 'img', 'aria-label': `Load ratio ${round(ratio, 2)}, ${place} the band from 0.8 to 1.5` },
    svg('rect', { x: toX(0), width: toX(most) - toX(0), y: 20, height: 14, rx: 7, fill: 'var(--line)' }),
    svg('rect', { x: toX(OPTIMAL[0]), width: toX(OPTIMAL[1]) - toX(OPTIMAL[0]), y: 20, height: 14, fill: 'var(--c1)' }),
    svg('path', { d: `M${toX(ratio) - 7} 4h14l-7 13z`, fill: 'var(--ink)' }));
  for (const value of [0, ...OPTIMAL, most]) {
    const anchor = value === 0 ? 'start' : value === most ? 'end' : 'middle';
    drawing.append(svg('text', { x: toX(value), y: 50, 'text-anchor': anchor }, String(value)));
  }
  return drawing;
}

/** The last week beside the usual one, each pair on its own scale. */
function weeks(pairs, width) {
  const rowHeight = 44;
  const [from, to] = [84, width - 56];
  const height = pairs.length * rowHeight;
  const drawing = svg('svg', { viewBox: `0 0 ${width} ${height}`, height, role: 'img', 'aria-label': 'The last seven days beside the mean week of four weeks; the table has the numbers.' });
  pairs.forEach(({ name, week, usual, digits }, index) => {
    const y = index * rowHeight;
    const long = (value) => Math.max(2, ((to - from) * value) / Math.max(week, usual, 1e-9));
    drawing.append(svg('text', { x: 0, y: y + 25, class: 'strong' }, name),
      svg('rect', { x: from, y: y + 4, width: long(week), height: 15, rx: 3, fill: 'var(--c1)' }),
      svg('text', { x: from + long(week) + 6, y: y + 16, class: 'strong' }, round(week, digits)),
      svg('rect', { x: from, y: y + 22, width: long(usual), height: 15, rx: 3, fill: 'var(--c3)' }),
      svg('text', { x: from + long(usual) + 6, y: y + 34, class: 'strong' }, round(usual, digits)));
  });
  return drawing;
}

function lines(model, { width, height }) {
  const day = (date) => Date.parse(`${date}T12:00:00Z`) / 1000;
  const at = model.trend.map((one) => day(one.date));
  const line = (name, key, color, digits, dash) => ({ name, color, dash, at, values: model.trend.map((one) => one[key] ?? null), tell: (value) => round(value, digits) });
  const series = model.hasLoad
    ? [line('Acute load', 'acute_load', 'c2', 0), line('Chronic load', 'chronic_load', 'c3', 0, '6 4')]
    : [line('VO2 max', 'vo2_max', 'c1', 1)];
  const tell = (s) => dayName(new Date(s * 1000).toISOString().slice(0, 10));
  const steps = [1, 2, 3, 5, 7, 14].map((days) => days * 86_400);
  // A grid of days at noon.
  const x = { from: at[0], to: at.at(-1) + (at.length > 1 ? 0 : 1), tell, steps };
  const chart = curves({ label: series.map((one) => `${one.name} from ${one.tell(one.values[0])} to ${one.tell(one.values.at(-1))}`).join('; '), series, x, width, height });
  const text = (i) => `${tell(at[i])}: ${series.map((one) => `${one.name.toLowerCase()} ${one.tell(one.values[i])}`).join(', ')}${isNumber(model.trend[i].load_ratio) ? `, ratio ${round(model.trend[i].load_ratio, 2)}` : ''}`;
  const indexAt = (s) => at.reduce((best, one, i) => (Math.abs(one - s) < Math.abs(at[best] - s) ? i : best), 0);
  return [legend(series.map((one) => [one.name, one.color])), chart.drawing,
    reader({ label: 'Day', count: at.length, text, charts: [chart], indexAt, onMove: (i) => chart.point(at[i]) })];
}

function draw(model, room) {
  const parts = [figures(model.facts)];
  if (isNumber(model.ratio)) parts.push(el('div', {}, el('h2', {}, 'Acute to chronic load; the band is the usual range'), gauge(model.ratio, room.width)));
  if (model.trend) parts.push(...lines(model, room));
  if (model.pairs.length > 0) {
    const isTight = room.height < 150;
    const pairs = isTight ? model.pairs.slice(0, 2) : model.pairs;
    parts.push(legend([['Last 7 days', 'c1'], ['Mean week of 28 days', 'c3']]), weeks(pairs, room.width),
      table('Last 7 days beside the mean week of 28 days', ['Sum', 'Last 7 days', 'Mean week'], model.pairs.map((pair) => [pair.name, round(pair.week, pair.digits), round(pair.usual, pair.digits)])));
  }
  if (model.months.length > 0) {
    parts.push(el('h2', {}, 'Load of four weeks by intensity'), bars({ label: 'Load of four weeks by intensity', rows: model.months, width: room.width, rowHeight: 30 }),
      table('Load of four weeks by intensity', ['Intensity', 'Load'], model.months.map((row) => [row.name, row.text])));
  }
  return parts;
}

start(viewOf({ read, draw }));
