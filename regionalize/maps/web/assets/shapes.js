/* The units on their grid (x right, y down). Parts are polygons first, then lines, then points; an arc is a piece
   of border that up to two units have in common, or a line. */

class Shapes {
  constructor(data, count) {
    const {arcs, areas, lines, points} = data;
    const rows = [steps(areas.rows), steps(lines.rows), steps(points.rows)];
    this.count = count;
    this.row = joined(...rows);
    this.firstLine = rows[0].length;
    this.firstPoint = rows[0].length + rows[1].length;
    this.full = {x: steps(arcs.x), y: steps(arcs.y), start: starts(numbers(arcs.sizes))};
    this.arcs = this.full.start.length - 1;
    this.ring = starts(numbers(areas.rings));
    this.ref = starts(numbers(areas.sizes));
    this.refs = steps(areas.refs);               // twice the arc's number, and one more where it runs backwards
    this.lineArc = this.arcs - rows[1].length;   // lines are the last arcs
    this.px = steps(points.x);
    this.py = steps(points.y);
    this.levels = new Map([[0, this.full]]);
    this.spreads = new Map();
    this.measure();
    this.sides();
    this.index();
    this.parts = grouped(this.row, count);
  }

  /* Boxes of arcs, parts and rows: west, north, east, south. Rows without a geometry have none (east < west). */
  measure() {
    const {x, y, start} = this.full;
    const empty = n => {
      const box = new Int32Array(4 * n);
      for (let i = 0; i < 4 * n; i++) box[i] = i % 4 < 2 ? 2147483647 : -2147483648;
      return box;
    };
    const grow = (box, i, west, north, east, south) => {
      if (west < box[4 * i]) box[4 * i] = west;
      if (north < box[4 * i + 1]) box[4 * i + 1] = north;
      if (east > box[4 * i + 2]) box[4 * i + 2] = east;
      if (south > box[4 * i + 3]) box[4 * i + 3] = south;
    };
    this.arcBox = empty(this.arcs);
    for (let a = 0; a < this.arcs; a++)
      for (let i = start[a]; i < start[a + 1]; i++) grow(this.arcBox, a, x[i], y[i], x[i], y[i]);
    this.box = empty(this.row.length);
    this.rowBox = empty(this.count);
    const across = [];
    for (let p = 0; p < this.row.length; p++) {
      if (p >= this.firstPoint) {
        const i = p - this.firstPoint;
        grow(this.box, p, this.px[i], this.py[i], this.px[i], this.py[i]);
      } else {
        this.eachArc(p, a => grow(this.box, p, ...this.arcBox.subarray(4 * a, 4 * a + 4)));
        across.push(Math.hypot(this.box[4 * p + 2] - this.box[4 * p], this.box[4 * p + 3] - this.box[4 * p + 1]));
      }
      grow(this.rowBox, this.row[p], ...this.box.subarray(4 * p, 4 * p + 4));
    }
    across.sort((a, b) => a - b);
    this.typical = across.length ? across[across.length >> 1] : 0;   // diagonal of the middlemost part
  }

  /* Call `what` with every arc of a polygon or line, and whether it runs backwards. */
  eachArc(part, what) {
    if (part >= this.firstLine) return what(this.lineArc + part - this.firstLine, 0);
    for (let i = this.ref[this.ring[part]]; i < this.ref[this.ring[part + 1]]; i++)
      what(this.refs[i] >> 1, this.refs[i] & 1);
  }

  /* The rows on both sides of every arc; -1 where there is none. */
  sides() {
    this.left = new Int32Array(this.arcs).fill(-1);
    this.right = new Int32Array(this.arcs).fill(-1);
    for (let p = 0; p < this.firstLine; p++)
      this.eachArc(p, a => { (this.left[a] < 0 ? this.left : this.right)[a] = this.row[p]; });
  }

  /* Arcs for a view in which 2^level steps are hardly seen: vertices so near to the one before, or to the line
     without them, are left out. Neighbours keep sharing their border, as it is thinned once for both. A generator,
     since the first time this may take longer than a frame; what it returns is kept. */
  *thinned(level) {
    if (!this.levels.has(level)) {
      const arcs = yield* thin(yield* this.spread(level - 1), 0.5 * 2 ** level, dropStraight);
      this.levels.set(level, arcs);
    }
    return this.levels.get(level);
  }

  /* The same, but for what lies on straight lines: what further thinning begins with. */
  *spread(level) {
    if (level <= 0) return this.full;
    if (!this.spreads.has(level)) {
      const arcs = yield* thin(yield* this.spread(level - 1), 0.5 * 2 ** level, dropNear);
      this.spreads.set(level, arcs);
    }
    return this.spreads.get(level);
  }

  /* A net of square cells that hold the parts whose boxes reach into them. */
  index() {
    let east = 1, south = 1;
    for (let p = 0; p < this.row.length; p++) {
      if (this.box[4 * p + 2] > east) east = this.box[4 * p + 2];
      if (this.box[4 * p + 3] > south) south = this.box[4 * p + 3];
    }
    const cells = Math.min(Math.max(this.row.length, 1), 250000);
    this.cell = Math.max(Math.ceil(Math.sqrt(east / cells * south)), 1, Math.ceil(Math.max(east, south) / 2000));
    this.across = Math.floor(east / this.cell) + 1;
    this.down = Math.floor(south / this.cell) + 1;
    const sizes = new Int32Array(this.across * this.down);
    for (let p = 0; p < this.row.length; p++) this.eachCell(this.box.subarray(4 * p, 4 * p + 4), c => { sizes[c]++; });
    this.cellStart = starts(sizes);
    this.cellParts = new Int32Array(this.cellStart[sizes.length]);
    const next = this.cellStart.slice();
    for (let p = 0; p < this.row.length; p++)
      this.eachCell(this.box.subarray(4 * p, 4 * p + 4), c => { this.cellParts[next[c]++] = p; });
  }

  eachCell([west, north, east, south], what) {
    const place = (value, most) => Math.min(Math.max(Math.floor(value / this.cell), 0), most - 1);
    for (let j = place(north, this.down); j <= place(south, this.down); j++)
      for (let i = place(west, this.across); i <= place(east, this.across); i++) what(j * this.across + i);
  }

  /* The row under a place: the nearest point or line within `reach`, else the smallest polygon around it, else
     the nearest polygon that is itself no larger than `reach`. -1 for none. */
  at(x, y, reach) {
    let thing = -1, near = reach, around = -1, size = Infinity, speck = -1, far = reach;
    this.eachCell([x - reach, y - reach, x + reach, y + reach], c => {
      for (let n = this.cellStart[c]; n < this.cellStart[c + 1]; n++) {
        const p = this.cellParts[n], [west, north, east, south] = this.box.subarray(4 * p, 4 * p + 4);
        const off = Math.hypot(Math.max(west - x, x - east, 0), Math.max(north - y, y - south, 0));
        if (off > reach) continue;
        if (p >= this.firstLine) {
          const distance = p >= this.firstPoint ? off : this.toLine(p, x, y);
          if (distance <= near) { near = distance; thing = p; }
        } else if (off === 0 && (east - west) * (south - north) < size && this.holds(p, x, y)) {
          size = (east - west) * (south - north);
          around = p;
        } else if (Math.max(east - west, south - north) < reach && off < far) {
          far = off;
          speck = p;
        }
      }
    });
    const part = thing >= 0 ? thing : around >= 0 ? around : speck;
    return part < 0 ? -1 : this.row[part];
  }

  /* Whether a polygon winds around a place. */
  holds(part, px, py) {
    const {x, y, start} = this.full;
    let turns = 0;
    this.eachArc(part, (a, back) => {
      for (let i = start[a] + 1; i < start[a + 1]; i++) {
        const rises = y[i - 1] <= py && y[i] > py;
        if (!rises && !(y[i - 1] > py && y[i] <= py)) continue;
        const side = (x[i] - x[i - 1]) * (py - y[i - 1]) - (px - x[i - 1]) * (y[i] - y[i - 1]);
        if (rises === side > 0) turns += rises !== Boolean(back) ? 1 : -1;
      }
    });
    return turns !== 0;
  }

  toLine(part, px, py) {
    const {x, y, start} = this.full, a = this.lineArc + part - this.firstLine;
    let least = Infinity;
    for (let i = start[a] + 1; i < start[a + 1]; i++) {
      const dx = x[i] - x[i - 1], dy = y[i] - y[i - 1], long = dx * dx + dy * dy;
      const t = long ? Math.min(Math.max(((px - x[i - 1]) * dx + (py - y[i - 1]) * dy) / long, 0), 1) : 0;
      least = Math.min(least, Math.hypot(px - x[i - 1] - t * dx, py - y[i - 1] - t * dy));
    }
    return least;
  }
}
