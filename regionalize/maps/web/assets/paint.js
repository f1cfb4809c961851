/* Drawing the units, a little at a time: `paint` is a generator that may be left alone between its steps, so that
   the map stays fluid while 30,000 polygons are drawn. It yields true where something was put on the canvas. */

const SLICE = 1500;       // polygons between two looks at the clock
const FAINT = 0.13;       // how much is left of units that are not among the chosen clusters
const OUTLINED = 5;       // pixels across from which units have a line between them

/* The level of thinning at which a change is under a pixel. */
function levelOf(pixelsPerStep) {
  return Math.max(Math.floor(Math.log2(1 / pixelsPerStep)), 0);
}

/* `look` is what the units look like: classes with colours, the class of every row, who is chosen, night or day. */
function* paint(context, shapes, view, look) {
  const {scale, ratio} = view, dpr = ratio, k = scale * dpr;
  const left = view.x - view.w / 2 / scale, top = view.y - view.h / 2 / scale;
  const right = left + view.w / scale, bottom = top + view.h / scale;
  const arcs = yield* shapes.thinned(levelOf(k));
  const away = (box, i) => box[4 * i] > right || box[4 * i + 2] < left || box[4 * i + 1] > bottom || box[4 * i + 3] < top;
  const speck = Math.max(1, Math.min(2.2, 0.7 * Math.sqrt(view.w * view.h / shapes.row.length))) * dpr;
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.clearRect(0, 0, context.canvas.width, context.canvas.height);
  context.lineJoin = 'round';
  let drawn = 0;

  // one path for a class: between two of its units nothing shines through
  for (let c = 0; c < look.classes.length; c++) {
    context.globalAlpha = look.alpha(c);
    context.fillStyle = context.strokeStyle = look.color(c);
    const {begin, order} = look.parts;
    context.beginPath();
    for (let n = begin[c]; n < begin[c + 1]; n++) {
      const p = order[n];
      if (p >= shapes.firstLine) break;
      if (away(shapes.box, p)) continue;
      const wide = (shapes.box[4 * p + 2] - shapes.box[4 * p]) * k, high = (shapes.box[4 * p + 3] - shapes.box[4 * p + 1]) * k;
      if (wide < speck && high < speck) {
        context.rect((shapes.box[4 * p] - left) * k, (shapes.box[4 * p + 1] - top) * k, Math.max(wide, speck), Math.max(high, speck));
      } else {
        addRings(context, shapes, arcs, p, left, top, k);
      }
      if (++drawn % SLICE === 0) yield;
    }
    context.fill();
    yield true;
  }

  yield* borders(context, shapes, arcs, look, {left, top, k, dpr, across: shapes.typical * scale}, away);

  context.lineCap = 'round';
  context.lineWidth = Math.min(Math.max(25 / Math.sqrt(shapes.firstPoint - shapes.firstLine || 1), 1), 3) * dpr;
  for (let c = 0; c < look.classes.length && shapes.firstPoint > shapes.firstLine; c++) {
    context.globalAlpha = look.alpha(c);
    context.strokeStyle = look.color(c);
    const {begin, order} = look.parts;
    context.beginPath();
    for (let n = begin[c]; n < begin[c + 1]; n++) {
      const p = order[n];
      if (p < shapes.firstLine || p >= shapes.firstPoint || away(shapes.box, p)) continue;
      addArc(context, arcs, shapes.lineArc + p - shapes.firstLine, 0, left, top, k, true);
      if (++drawn % SLICE === 0) yield;
    }
    context.stroke();
    yield true;
  }

  // points in the order of their rows, so that no cluster lies on top of all others
  const size = pointSize(shapes, view) * dpr;
  const stamps = look.classes.map((_, c) => stamp(size, look.color(c), look.night ? '#000' : '#fff', dpr));
  const reach = size / k;
  for (let p = shapes.firstPoint, i = 0; p < shapes.row.length; p++, i++) {
    const x = shapes.px[i], y = shapes.py[i];
    if (x < left - reach || x > right + reach || y < top - reach || y > bottom + reach) continue;
    const c = look.place[shapes.row[p]], mark = stamps[c];
    context.globalAlpha = look.alpha(c);
    context.drawImage(mark, Math.round((x - left) * k - mark.width / 2), Math.round((y - top) * k - mark.height / 2));
    if (++drawn % SLICE === 0) yield;
  }
  context.globalAlpha = 1;
}

/* Lines between units, and stronger ones between clusters, once units are large enough to bear them. */
function* borders(context, shapes, arcs, look, {left, top, k, dpr, across}, away) {
  if (across < OUTLINED && !look.outlined) return;
  const thin = Math.min(0.15 + 0.012 * across, 0.7) * dpr, thick = Math.min(0.4 + 0.03 * across, 1.8) * dpr;
  const lines = across < OUTLINED ? [] : [[false, look.line, thin, 0.6]];
  if (!look.outlined) lines.push([true, look.line, thick, 0.95]);
  else lines.push([true, look.halo, Math.max(thick, dpr) + 2 * dpr, 0.6], [true, look.ink, Math.max(thick, dpr), 1]);
  for (const [between, color, width, alpha] of lines) {
    context.strokeStyle = color;
    context.lineWidth = width;
    context.globalAlpha = alpha;
    let drawn = 0;
    context.beginPath();
    for (let a = 0; a < shapes.lineArc; a++) {
      if (away(shapes.arcBox, a)) continue;
      const one = shapes.left[a], other = shapes.right[a];
      if ((other < 0 || look.regions[one] !== look.regions[other]) !== between) continue;
      addArc(context, arcs, a, 0, left, top, k, true);
      if (++drawn % SLICE === 0) {
        context.stroke();
        context.beginPath();
        yield true;
      }
    }
    context.stroke();
    yield true;
  }
  context.globalAlpha = 1;
}

/* Rings end where they began, so nothing has to be closed; closePath would look at the whole path each time. */
function addRings(context, shapes, arcs, part, left, top, k) {
  for (let r = shapes.ring[part]; r < shapes.ring[part + 1]; r++) {
    for (let i = shapes.ref[r]; i < shapes.ref[r + 1]; i++)
      addArc(context, arcs, shapes.refs[i] >> 1, shapes.refs[i] & 1, left, top, k, i === shapes.ref[r]);
  }
}

/* Add an arc to the path; the first of a ring moves to where it begins, any other is there already. */
function addArc(context, {x, y, start}, arc, back, left, top, k, first) {
  const begin = start[arc], end = start[arc + 1] - 1, step = back ? -1 : 1;
  let i = back ? end : begin;
  if (first) context.moveTo((x[i] - left) * k, (y[i] - top) * k);
  for (let n = end - begin; n > 0; n--) {
    i += step;
    context.lineTo((x[i] - left) * k, (y[i] - top) * k);
  }
}

/* Diameter of a point in pixels: smaller where there are many, growing slowly with the scale. */
function pointSize(shapes, view) {
  const points = Math.max(shapes.row.length - shapes.firstPoint, 1);
  return Math.min(Math.max(0.4 * Math.sqrt(view.w * view.h / points), 2) * Math.max(view.zoom, 1) ** 0.35, 15);
}

function stamp(size, color, edge, dpr) {
  const mark = document.createElement('canvas');
  mark.width = mark.height = Math.ceil(size) + 2;
  const context = mark.getContext('2d'), middle = mark.width / 2;
  context.fillStyle = color;
  context.strokeStyle = edge;
  context.lineWidth = 0.7 * dpr;
  context.beginPath();
  context.arc(middle, middle, size / 2, 0, 2 * Math.PI);
  context.fill();
  if (size > 4 * dpr) context.stroke();
  return mark;
}
