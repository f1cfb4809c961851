/* Leaving out vertices that would not be seen. Ends of arcs always stay. */

const ARCS = 4000;   // arcs between two looks at the clock

/* Arcs without the vertices that `drop` does not mark as kept. */
function* thin({x, y, start}, tolerance, drop) {
  const keep = new Uint8Array(x.length);
  for (let a = 0; a + 1 < start.length; a++) {
    keep[start[a]] = keep[start[a + 1] - 1] = 1;
    drop(keep, x, y, start[a], start[a + 1] - 1, tolerance);
    if (a % ARCS === ARCS - 1) yield;
  }
  const begin = new Int32Array(start.length);
  let n = 0;
  for (let a = 0; a + 1 < start.length; a++) {
    for (let i = start[a]; i < start[a + 1]; i++) n += keep[i];
    begin[a + 1] = n;
  }
  const toX = new Int32Array(n), toY = new Int32Array(n);
  n = 0;
  for (let i = 0; i < x.length; i++) {
    if (!keep[i]) continue;
    toX[n] = x[i];
    toY[n++] = y[i];
  }
  yield;
  return {x: toX, y: toY, start: begin};
}

/* Keep vertices that are away from the last one kept. */
function dropNear(keep, x, y, first, last, tolerance) {
  for (let i = first + 1, kept = first; i < last; i++) {
    if (Math.abs(x[i] - x[kept]) < tolerance && Math.abs(y[i] - y[kept]) < tolerance) continue;
    keep[i] = 1;
    kept = i;
  }
}

/* Keep vertices that are away from the line without them (Douglas and Peucker, 1973). */
function dropStraight(keep, x, y, first, last, tolerance) {
  const waiting = [first, last];
  while (waiting.length) {
    const to = waiting.pop(), from = waiting.pop();
    if (to - from < 2) continue;
    const dx = x[to] - x[from], dy = y[to] - y[from], long = Math.hypot(dx, dy);
    let most = tolerance, place = -1;
    for (let i = from + 1; i < to; i++) {
      const ax = x[i] - x[from], ay = y[i] - y[from];
      const along = long ? (ax * dx + ay * dy) / long : 0;
      const off = along <= 0 ? Math.hypot(ax, ay)
        : along >= long ? Math.hypot(x[i] - x[to], y[i] - y[to]) : Math.abs(ax * dy - ay * dx) / long;
      if (off > most) {
        most = off;
        place = i;
      }
    }
    if (place < 0) continue;
    keep[place] = 1;
    waiting.push(from, place, place, to);
  }
}
