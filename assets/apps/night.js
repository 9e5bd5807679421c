// A night: get_sleep_data has the phases in time, get_sleep_summary their sums.

const PHASES = [['awake', 'Awake'], ['rem', 'REM'], ['light', 'Light'], ['deep', 'Deep']];
const CODES = ['deep', 'light', 'rem', 'awake'];

/** A series of columns as [ms, value]. Its rows have a fixed interval or a column of seconds. */
function readings(series, name) {
  const start = Date.parse(series?.start);
  if (Number.isNaN(start) || !Array.isArray(series[name])) return [];
  return series[name].map((value, index) => [start + 1000 * (series.at_s?.[index] ?? index * (series.interval_s ?? 0)), value]);
}

/** The phases as {stage, from, to} in ms, from columns or from Garmin's own rows. */
function phases(levels) {
  if (Array.isArray(levels)) {
    return levels.map((row) => ({
      stage: CODES[row.activityLevel], from: Date.parse(`${row.startGMT}Z`), to: Date.parse(`${row.endGMT}Z`),
    })).filter((phase) => phase.stage && phase.to > phase.from);
  }
  const length = (index) => (Array.isArray(levels.duration_s) ? levels.duration_s[index] : levels.duration_s ?? levels.interval_s);
  return readings(levels, 'stage').map(([from, stage], index) => ({ stage, from, to: from + 1000 * length(index) }))
    .filter((phase) => phase.stage && phase.to > phase.from);
}

function read(data) {
  const night = data.dailySleepDTO ?? {};
  const seconds = (short, long) => data[short] ?? night[long];
  const sums = {
    deep: seconds('deep_sleep_seconds', 'deepSleepSeconds'), light: seconds('light_sleep_seconds', 'lightSleepSeconds'),
    rem: seconds('rem_sleep_seconds', 'remSleepSeconds'), awake: seconds('awake_seconds', 'awakeSleepSeconds'),
  };
  const slept = seconds('sleep_seconds', 'sleepTimeSeconds');
  const spans = data.sleepLevels ? phases(data.sleepLevels) : [];
  if (!(slept > 0) && spans.length === 0) return undefined;
  const start = data.sleep_start_local ?? data.sleepLevels?.start;
  const from = spans[0]?.from ?? Date.parse(data.sleep_start_local);
  const to = spans.at(-1)?.to ?? Date.parse(data.sleep_end_local);
  const score = data.sleep_score ?? night.sleepScores?.overall?.value;
  const clockAt = (ms) => (start ? timeOfDay(start, (ms - Date.parse(start)) / 1000) : '');
  const hours = Number.isFinite(from) && Number.isFinite(to) && start ? `, ${clockAt(from)} to ${clockAt(to)}` : '';
  const curve = (name, list, column) => ({ name, rows: readings(data[list], column).filter(([, value]) => value === null || value >= 0) });
  return {
    title: night.calendarDate ? `Night before ${dayName(night.calendarDate)}` : 'Night',
    sentence: slept > 0 ? `Slept ${span(slept)}${hours}.` : `In bed${hours.slice(1)}.`,
    sums, spans, from, to, clockAt,
    facts: [
      ['Score', score], ['Resting heart rate', data.resting_heart_rate_bpm ?? data.restingHeartRate ?? night.restingHeartRate],
      ['HRV, ms', isNumber(data.avg_overnight_hrv ?? data.avgOvernightHrv) ? round(data.avg_overnight_hrv ?? data.avgOvernightHrv) : undefined],
      ['SpO2, %', data.avg_spo2_percent ?? night.averageSpO2Value],
      ['Stress', data.avg_sleep_stress ?? night.avgSleepStress],
    ],
    curves: [
      { ...curve('Heart rate', 'sleepHeartRate', 'bpm'), color: 'c2' }, { ...curve('Stress', 'sleepStress', 'stress'), color: 'c4' },
    ].filter((one) => one.rows.some(([, value]) => isNumber(value))),
  };
}

/** The full hour of local time at or before the start. */
const zeroHour = ({ from, clockAt }) => from - (Number(clockAt(from).slice(3)) || 0) * 60_000 - (from % 60_000);

/** The phases as steps in four lanes. */
function lanes({ spans, from, to, clockAt }, width, height) {
  const [left, bottom] = [46, 20];
  const lane = (height - bottom) / 4;
  const toX = (at) => left + ((at - from) / (to - from)) * (width - left - 10);
  const drawing = svg('svg', { viewBox: `0 0 ${width} ${height}`, height, role: 'img', 'aria-label': `Phases of sleep: ${spans.length} changes; the table has the sums.` });
  PHASES.forEach(([, name], row) => drawing.append(
    svg('line', { class: 'grid', x1: left, x2: width - 10, y1: (row + 1) * lane, y2: (row + 1) * lane }),
    svg('text', { x: 0, y: (row + 0.5) * lane + 4 }, name)));
  for (const phase of spans) {
    const row = PHASES.findIndex(([key]) => key === phase.stage);
    drawing.append(svg('rect', {
      x: toX(phase.from).toFixed(1), width: Math.max(1.5, toX(phase.to) - toX(phase.from)).toFixed(1), y: row * lane + 3, height: lane - 5, rx: 2, fill: `var(--${phase.stage})`,
    }));
  }
  for (let at = zeroHour({ from, clockAt }) - from; at <= to - from; at += Math.ceil((to - from) / 3.6e6 / (width / 70)) * 3.6e6) {
    if (at >= 0) drawing.append(svg('text', { x: Math.min(toX(from + at), width - 24), y: height - 4, 'text-anchor': 'middle' }, clockAt(from + at)));
  }
  return drawing;
}

function draw(model, { width, height }) {
  const { sums, spans } = model;
  const known = PHASES.filter(([key]) => sums[key] > 0);
  const asleep = (sums.deep ?? 0) + (sums.light ?? 0) + (sums.rem ?? 0);
  const share = (key) => (key === 'awake' || !asleep ? '' : ` · ${Math.round((100 * sums[key]) / asleep)} %`);
  const parts = [figures(model.facts)];
  if (spans.length > 0) parts.push(lanes(model, width, Math.round(height * (model.curves.length ? 0.6 : 0.8))));
  else if (Number.isFinite(model.from)) parts.push(el('h2', {}, 'Time in each phase'));
  if (spans.length === 0 || model.curves.length === 0) {
    const rows = known.map(([key, name]) => ({ name, value: sums[key], text: span(sums[key]) + (width > 420 ? share(key) : ''), color: key }));
    parts.push(bars({ label: 'Time in each phase', rows, width, rowHeight: spans.length ? 22 : 34, room: 52, after: width > 420 ? 130 : 88 }));
  }
  parts.push(table('Time in each phase', ['Phase', 'Time', 'Share of sleep'],
    known.map(([key, name]) => [name, span(sums[key]), share(key).replace(' · ', '')])));
  if (model.curves.length > 0) {
    const tell = (value) => round(value);
    const seconds = (ms) => (ms - zeroHour(model)) / 1000;
    const series = model.curves.map((one) => ({
      name: one.name, color: one.color, at: one.rows.map(([at]) => seconds(at)), values: one.rows.map(([, value]) => value), tell,
    }));
    // The axis counts from a full hour, so that its marks are full hours too.
    const x = { from: seconds(model.from), to: seconds(model.to), tell: (s) => model.clockAt(zeroHour(model) + 1000 * s), steps: TIME_STEPS.filter((step) => step >= 3600) };
    const label = series.map((one) => {
      const [low, high] = extent(one.values);
      return `${one.name} from ${low} to ${high}`;
    }).join('; ');
    const chart = curves({ label, series, x, width, height: Math.round(height * 0.6) });
    const index = (at) => series[0].at.reduce((best, s, i) => (Math.abs(s - at) < Math.abs(series[0].at[best] - at) ? i : best), 0);
    const value = (one, at) => one.values[one.at.reduce((best, s, i) => (Math.abs(s - at) < Math.abs(one.at[best] - at) ? i : best), 0)];
    const text = (i) => `${x.tell(series[0].at[i])}: ${series.map((one) => `${one.name.toLowerCase()} ${round(value(one, series[0].at[i]))}`).join(', ')}`;
    parts.push(legend(series.map((one) => [one.name, one.color])), chart.drawing,
      reader({ label: 'Time of the night', count: series[0].at.length, text, charts: [chart], indexAt: index, onMove: (i) => chart.point(series[0].at[i]) }));
  }
  return parts;
}

start(viewOf({ read, draw }));
