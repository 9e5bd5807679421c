// A live race: get_tracking_status and get_outlook say how it stands and what lies ahead, get_timeseries has curves.

let tool = '';

function seriesOf(data) {
  const columns = data.columns ?? {};
  // The axis counts from a full hour, so that its marks are round times.
  const [, minutes, seconds] = /T\d\d:(\d\d):(\d\d)/.exec(data.from) ?? [];
  const past = (Number(minutes) || 0) * 60 + (Number(seconds) || 0);
  const at = Array.isArray(columns.at_s) ? columns.at_s.map((s) => s + past) : [];
  const series = [['heart_rate_bpm', 'Heart rate', 'bpm', 'c2'], ['speed_kmh', 'Speed', 'km/h', 'c3'], ['altitude_m', 'Altitude', 'm', 'c1'], ['power_w', 'Power', 'W', 'c4']]
    .filter(([key]) => Array.isArray(columns[key]) && columns[key].some(isNumber))
    .map(([key, name, unit, color]) => ({ name, unit, color, at, values: columns[key], tell: (value) => round(value, unit === 'km/h' ? 1 : 0) }));
  const points = Array.isArray(columns.lat) ? columns.lat.map((lat, row) => (isNumber(lat) && isNumber(columns.lon?.[row]) ? [lat, columns.lon[row]] : null)) : [];
  return at.length > 1 && series.length > 0 ? { series, at, points, tell: (s) => timeOfDay(data.from, s - past) } : undefined;
}

function placesOf(data) {
  const places = Array.isArray(data.places) ? data.places : (data.plan?.checkpoints ?? []);
  return places.filter((place) => isNumber(place.km)).map((place) => ({
    name: String(place.name ?? ''), km: place.km, state: place.state ?? (place.km <= (data.distance_km ?? 0) ? 'passed' : 'ahead'), at: place.at, early: place.early, likely: place.likely,
    late: place.late, margin: place.margin,
  }));
}

function read(data) {
  if (!data.race) return undefined;
  const outlook = data.outlook ?? {};
  const last = data.last_point ?? {};
  const curve = seriesOf(data);
  const places = placesOf(data);
  const whole = data.plan?.distance_km ?? data.course_km ?? places.at(-1)?.km;
  const left = data.distance_left_km;
  const km = data.distance_km ?? (isNumber(whole) && isNumber(left) ? whole - left : undefined);
  if (!curve && !isNumber(km) && places.length === 0 && !data.state) return undefined;
  tool = curve ? 'get_timeseries' : Array.isArray(data.places) ? 'get_outlook' : 'get_tracking_status';
  const finish = outlook.finish;
  const window = finish ? `${timeOfDay(finish.early)} to ${timeOfDay(finish.late)}` : undefined;
  const stale = isNumber(data.stale_s) && data.stale_s > 120 ? ` Last point ${span(data.stale_s)} ago.` : '';
  return {
    title: data.name ?? 'Race',
    sentence: `${data.meaning ?? capital(String(data.state ?? '').replaceAll('_', ' '))}${/[.!]$/.test(data.meaning ?? '') ? '' : '.'}${stale}`,
    facts: [
      ['Distance', isNumber(km) ? `${round(km, 1)}${isNumber(whole) ? ` of ${round(whole, 1)}` : ''} km` : undefined],
      ['Time', isNumber(data.elapsed_s) ? clock(data.elapsed_s) : undefined], ['Pace', last.pace], ['Heart rate', last.heart_rate_bpm],
      [`Finish, ${window}`, finish ? timeOfDay(finish.likely) : undefined],
    ],
    km, whole, places, curve, next: outlook.next, asOf: timeOfDay(data.now ?? data.to ?? ''),
  };
}

/** The whole way as a line, with what is done, the places on it, and their times. */
function wayBar({ km, whole, places }, width) {
  const height = 86;
  const [left, right, y] = [8, 8, 38];
  const toX = (at) => left + (Math.min(at, whole) / whole) * (width - left - right);
  const done = isNumber(km) ? Math.min(km, whole) : 0;
  const drawing = svg('svg', { viewBox: `0 0 ${width} ${height}`, height, role: 'img', 'aria-label': `${round(done, 1)} of ${round(whole, 1)} km` },
    svg('rect', { x: left, y: y - 5, width: width - left - right, height: 10, rx: 5, fill: 'var(--line)' }),
    svg('rect', { x: left, y: y - 5, width: Math.max(4, toX(done) - left), height: 10, rx: 5, fill: 'var(--c1)' }));
  let [above, below] = [-99, -99];
  for (const place of places) {
    const x = toX(place.km);
    drawing.append(svg('circle', { cx: x, cy: y, r: 6, fill: place.state === 'passed' ? 'var(--c1)' : 'var(--ground)', stroke: 'var(--ink)', 'stroke-width': 2 }));
    const anchor = x > width - 50 ? 'end' : x < 50 ? 'start' : 'middle';
    const time = place.state === 'passed' ? place.at : place.likely;
    if (x - above > 96) {
      const name = place.name.length > 14 ? `${place.name.slice(0, 13)}…` : place.name;
      drawing.append(svg('text', { x, y: 16, 'text-anchor': anchor, class: 'strong' }, name));
      above = x;
    }
    if (time && x - below > 70) {
      drawing.append(svg('text', { x, y: 64, 'text-anchor': anchor }, `${place.state === 'passed' ? '' : '~'}${timeOfDay(time)}`));
      below = x;
    }
  }
  drawing.append(svg('path', { d: `M${toX(done) - 7} ${y + 34}h14l-7 -13z`, fill: 'var(--ink)' }));
  return drawing;
}

const placeTable = (places) => table('Places', ['Place', 'km', 'State', 'Time', 'Margin to the cut-off'], places.map((place) => [
  place.name, place.km, place.state,
  place.state === 'passed' ? timeOfDay(place.at ?? '') : place.likely ? `${timeOfDay(place.likely)}, from ${timeOfDay(place.early)} to ${timeOfDay(place.late)}` : 'unknown', place.margin ?? '',
]));

function curveParts({ series, at, points, tell }, { width, height }) {
  const hasWay = points.filter(Boolean).length > 1;
  const isSplit = width >= 560 && hasWay;
  const chartWidth = isSplit ? Math.floor((width - 14) * 0.6) : width;
  const x = { from: at[0], to: at.at(-1), tell, steps: TIME_STEPS };
  const current = series[0];
  const [low, high] = extent(current.values);
  const chart = curves({ label: `${current.name} from ${current.tell(low)} to ${current.tell(high)} ${current.unit}`, series: [current], x, width: chartWidth, height: Math.round(height * (isSplit ? 0.8 : 0.5)) });
  const way = hasWay ? map({ label: 'The route so far; north is up.', points, width: isSplit ? Math.floor((width - 14) * 0.4) : width, height: Math.round(height * (isSplit ? 0.8 : 0.5)) }) : undefined;
  const text = (row) => `${x.tell(at[row])}: ${series.map((one) => `${one.name.toLowerCase()} ${one.tell(one.values[row])} ${one.unit}`).join(', ')}`;
  const indexAt = (s) => at.reduce((best, one, row) => (Math.abs(one - s) < Math.abs(at[best] - s) ? row : best), 0);
  const onMove = (row) => {
    chart.point(at[row]);
    way?.point(points[row]);
  };
  return [legend([[`${current.name}, ${current.unit}`, current.color]]), el('div', { class: `row${isSplit ? ' two' : ''}` }, way?.drawing, chart.drawing),
    reader({ label: 'Time of the race', count: at.length, text, charts: [chart], indexAt, onMove })];
}

function draw(model, room) {
  const { curve, places, whole, next } = model;
  const parts = [figures(model.facts)];
  if (whole > 0 && !curve) parts.push(wayBar(model, room.width));
  if (places.length > 0) parts.push(placeTable(places));
  if (next && !curve) {
    const cutoff = next.margin ? `, ${next.margin.replace('-', '−')} to the cut-off` : '';
    parts.push(el('p', {}, `Next: ${next.name} at km ${round(next.km, 1)}, likely ${timeOfDay(next.likely)} (${timeOfDay(next.early)} to ${timeOfDay(next.late)})${cutoff}.`));
  }
  if (curve) parts.push(...curveParts(curve, room));
  const button = el('button', { type: 'button' }, 'Refresh');
  button.addEventListener('click', () => look(button));
  parts.push(el('div', { class: 'tools' }, canCallTools() ? button : undefined, model.asOf ? el('span', {}, `As of ${model.asOf}.`) : undefined));
  return parts;
}

async function look(button) {
  button.disabled = true;
  try {
    const answer = await callTool(tool, host.asked);
    if (answer.data) view.show(answer);
    else document.querySelector('#status').textContent = answer.sentence || NOTHING;
  } catch {
    document.querySelector('#status').textContent = 'The race could not be refreshed. Ask about it in the conversation.';
  }
  button.disabled = false;
  [...document.querySelectorAll('button')].at(-1)?.focus();
}

const view = viewOf({ read, draw });
start(view);
