// An activity: get_activity_timeseries has curves and the way, analyze_activity laps and zones. With the second, the
// view asks for the first itself, so that the conversation does not have to carry the curves.

const QUANTITIES = [
  ['heart_rate_bpm', 'Heart rate', 'bpm', 'c2'], ['pace_s_per_km', 'Pace', '/km', 'c3'], ['speed_mps', 'Speed', 'km/h', 'c3'],
  ['altitude_m', 'Altitude', 'm', 'c1'], ['power_w', 'Power', 'W', 'c4'], ['cadence_rpm', 'Cadence', 'rpm', 'c4'],
  ['grade_pct', 'Grade', '%', 'c1'], ['temperature_c', 'Temperature', '°C', 'c4'],
];
let chosen = 0;

function courseOf(data) {
  const columns = data.columns ?? {};
  const step = data.interval_s;
  if (!(step > 0)) return undefined;
  const series = QUANTITIES.filter(([key]) => Array.isArray(columns[key]) && columns[key].some(isNumber))
    .filter(([key]) => key !== 'speed_mps' || !columns.pace_s_per_km)
    .map(([key, name, unit, color]) => {
      const isPace = key === 'pace_s_per_km';
      // Standing still is no pace.
      const values = columns[key].map((value) => (!isNumber(value) || (isPace && value > 1200) ? null : key === 'speed_mps' ? value * 3.6 : value));
      const tell = (value) => (!isNumber(value) ? '–' : isPace ? clock(value) : round(value, unit === 'km/h' ? 1 : 0));
      return { name, unit, color, values, tell, isPace, at: values.map((_, row) => (data.from_s ?? 0) + row * step), steps: isPace ? [5, 10, 15, 30, 60, 120, 300, 600] : undefined };
    });
  const points = typeof data.track?.polyline === 'string' ? decoded(data.track.polyline) : [];
  if (series.length === 0 && points.length < 2) return undefined;
  return { series, points, every: data.track?.every_s ?? step, from: data.from_s ?? 0, rows: data.rows ?? series[0]?.values.length ?? 0, step };
}

function lapsOf(laps) {
  const lap = Array.isArray(laps?.lap) ? laps.lap : [];
  const [key, name] = [['pace_min_per_km', 'Pace'], ['speed_kmh', 'km/h'], ['pace_min_per_100m', 'Pace'], ['time', 'Time']].find(([one]) => Array.isArray(laps?.[one])) ?? [];
  if (lap.length === 0 || !key) return undefined;
  const seconds = (text) => (typeof text === 'number' ? text : String(text).split(':').reduce((sum, part) => sum * 60 + Number(part), 0));
  const isPace = name === 'Pace';
  const column = (one, index) => (Array.isArray(laps[one]) ? laps[one][index] : laps[one]);
  return {
    name: isPace ? 'Pace of each lap' : name === 'Time' ? 'Time of each lap' : 'Speed of each lap', isPace,
    rows: lap.map((number, index) => ({ number, value: seconds(laps[key][index]), text: String(laps[key][index] ?? '–'), km: column('km', index), bpm: column('avg_bpm', index) })),
  };
}

function read(data) {
  const course = courseOf(data);
  const laps = lapsOf(data.laps);
  const minutes = data.heart_rate_zones?.minutes;
  const zones = Array.isArray(minutes) ? minutes.map((value, index) => ({ name: `Zone ${index + 1}`, value, text: `${round(value)} min`, color: ['c3', 'c1', 'c4', 'awake', 'c2'][index] })) : [];
  if (!course && !laps && zones.length === 0) return undefined;
  const day = (data.start ?? data.start_time ?? '').slice(0, 10);
  const model = {
    title: `${data.name ?? capital(String(data.sport ?? 'Activity').replaceAll('_', ' '))}${day ? `, ${dayName(day)}` : ''}`,
    sentence: data.type ? `${capital(String(data.type).replaceAll('_', ' '))}.` : course ? `${clock(course.rows * course.step)} in all.` : '',
    facts: [
      ['Distance', isNumber(data.distance_km) ? `${round(data.distance_km, 2)} km` : undefined], ['Time', data.duration],
      ['Pace', data.pace_min_per_km], ['Heart rate', data.avg_bpm], ['Climb', isNumber(data.climb_m) ? `${data.climb_m} m` : undefined],
      ['Load', data.training_load],
    ],
    course, laps, zones,
  };
  if (!course && data.activity_id && canCallTools()) {
    callTool('get_activity_timeseries', { activity_id: data.activity_id, ...ofSamePerson() }).then((answer) => {
      model.course = answer.data && courseOf(answer.data);
      if (model.course) view.redraw(true);
    }).catch(() => {});
  }
  return model;
}

function lapBars({ name, isPace, rows }, width, height) {
  const known = rows.map((row) => row.value).filter((value) => value > 0);
  const most = Math.max(...known);
  const least = Math.min(...known);
  const [left, bottom] = [4, 20];
  const one = (width - left) / rows.length;
  const drawing = svg('svg', { viewBox: `0 0 ${width} ${height}`, height, role: 'img', 'aria-label': `${name}: ${rows.length} laps; the table has them.` });
  rows.forEach((row, index) => {
    if (!(row.value > 0)) return;
    // A fast lap is a high bar.
    const share = isPace ? least / row.value : row.value / most;
    const tall = Math.max(3, (share ** 2) * (height - bottom - 20));
    const x = left + index * one;
    drawing.append(svg('rect', { x: x + 1, y: height - bottom - tall, width: Math.max(1, one - 2), height: tall, rx: 2, fill: 'var(--c3)' }));
    if (one >= 34) drawing.append(svg('text', { x: x + one / 2, y: height - bottom - tall - 5, 'text-anchor': 'middle', class: 'strong' }, row.text));
    if (one >= 16 || index % Math.ceil(20 / one) === 0) drawing.append(svg('text', { x: x + one / 2, y: height - 5, 'text-anchor': 'middle' }, row.number));
  });
  const told = (value) => rows.find((row) => row.value === value)?.text;
  const ends = known.length > 1 ? `: ${told(least)} to ${told(most)}` : '';
  return el('div', {}, el('h2', {}, `${name}${ends}`), drawing,
    table(name, ['Lap', 'km', name, 'Heart rate'], rows.map((row) => [row.number, row.km, row.text, row.bpm])));
}

function courseParts({ series, points, every, from, rows, step }, { width, height, again }) {
  chosen = Math.min(chosen, series.length - 1);
  const current = series[chosen];
  const isSplit = width >= 560 && points.length > 1 && current;
  const chartWidth = isSplit ? Math.floor((width - 14) * 0.6) : width;
  const mapWidth = isSplit ? Math.floor((width - 14) * 0.4) : width;
  const way = points.length > 1 ? map({ label: 'The route of the activity; north is up.', points, width: mapWidth, height: isSplit ? height : Math.round(height * 0.8) }) : undefined;
  if (!current) return [way.drawing];
  const [low, high] = extent(current.values);
  const x = { from, to: from + (rows - 1) * step, tell: clock, steps: TIME_STEPS };
  const chart = curves({
    label: `${current.name} from ${current.tell(low)} to ${current.tell(high)} ${current.unit}`, series: [current], x, width: chartWidth,
    height: isSplit ? height : Math.round(height * 0.65), isTurned: current.isPace,
  });
  const text = (row) => `${clock(from + row * step)}: ${series.map((one) => `${one.name.toLowerCase()} ${one.tell(one.values[row])} ${one.unit}`).join(', ')}`;
  const onMove = (row) => {
    chart.point(from + row * step);
    way?.point(points[Math.min(points.length - 1, Math.round((row * step) / every))]);
  };
  const buttons = series.slice(0, 4).map((one, index) => {
    const button = el('button', { type: 'button', 'aria-pressed': String(index === chosen) }, one.name);
    button.addEventListener('click', () => {
      chosen = index;
      again();
    });
    return button;
  });
  return [
    series.length > 1 ? el('div', { class: 'tools', role: 'group', 'aria-label': 'Curve' }, buttons) : undefined,
    el('div', { class: `row${isSplit ? ' two' : ''}` }, way?.drawing, chart.drawing),
    reader({ label: 'Time in the activity', count: rows, text, charts: [chart], indexAt: (at) => Math.round((at - from) / step), onMove }),
  ];
}

function draw(model, room) {
  const { course, laps, zones } = model;
  const parts = [figures(model.facts)];
  if (course) return [...parts, ...courseParts(course, room)];
  if (laps) parts.push(lapBars(laps, room.width, Math.round(room.height * 0.7)));
  if (zones.length > 0) {
    parts.push(el('div', {}, el('h2', {}, 'Heart rate zones'), bars({ label: 'Minutes in heart rate zones', rows: zones, width: room.width, rowHeight: 24, room: 60 }),
      table('Minutes in heart rate zones', ['Zone', 'Minutes'], zones.map((zone) => [zone.name, zone.text]))));
  }
  return parts;
}

const view = viewOf({ read, draw });
start(view);
