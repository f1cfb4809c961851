/* What part of the map is seen: the place in the middle, and pixels per step of the grid. */

const MARGIN = 18;
const MOST_SCALE = 4;   // pixels per step: beyond, the grid itself would be seen
const GLIDE = 220;      // milliseconds

class Camera {
  constructor(width, height) {
    Object.assign(this, {mapWidth: width, mapHeight: height, x: width / 2, y: height / 2, scale: 1, w: 1, h: 1});
    this.glide = null;
    this.still = matchMedia('(prefers-reduced-motion: reduce)');
  }

  get home() {
    const scale = Math.min((this.w - 2 * MARGIN) / this.mapWidth, (this.h - 2 * MARGIN) / this.mapHeight);
    return {x: this.mapWidth / 2, y: this.mapHeight / 2, scale: Math.max(scale, 1e-9)};
  }

  get isHome() {
    return Math.abs(this.scale / this.home.scale - 1) < 1e-6;
  }

  /* The window changed: what was in the middle stays there, and a whole map stays whole. */
  resize(w, h) {
    const whole = this.w === 1 || this.isHome;
    Object.assign(this, {w, h});
    if (whole) this.set(this.home);
    else this.set(this);
  }

  /* Keep some of the map in sight, and the scale where there is something to see. */
  bounded({x, y, scale}) {
    const least = this.home.scale / 2;
    return {
      x: Math.min(Math.max(x, 0), this.mapWidth),
      y: Math.min(Math.max(y, 0), this.mapHeight),
      scale: Math.min(Math.max(scale, least), Math.max(MOST_SCALE, least)),
    };
  }

  set(view) {
    this.glide = null;
    Object.assign(this, this.bounded(view));
  }

  /* Go there within a moment, or at once for who wants no motion. */
  go(view) {
    if (this.still.matches) return this.set(view);
    this.glide = {from: {x: this.x, y: this.y, scale: this.scale}, to: this.bounded(view), since: null};
  }

  /* The place of the camera at a time; whether it still moves. */
  move(now) {
    if (!this.glide) return false;
    const {from, to} = this.glide;
    this.glide.since ??= now;
    const t = Math.min((now - this.glide.since) / GLIDE, 1), eased = 1 - (1 - t) ** 3;
    const scale = from.scale * (to.scale / from.scale) ** eased;
    // places move as the scale does, so that what is zoomed to stays under the pointer
    const share = from.scale === to.scale ? eased : (1 / from.scale - 1 / scale) / (1 / from.scale - 1 / to.scale);
    this.x = from.x + (to.x - from.x) * share;
    this.y = from.y + (to.y - from.y) * share;
    this.scale = scale;
    if (t === 1) this.glide = null;
    return t < 1;
  }

  /* Where it will be once it stands still. */
  get goal() {
    return this.glide ? this.glide.to : this;
  }

  /* The view after zooming by a factor about a pixel. */
  zoomed(factor, px = this.w / 2, py = this.h / 2) {
    const {x, y, scale} = this.goal, view = this.bounded({x, y, scale: scale * factor});
    const shift = 1 / scale - 1 / view.scale;
    return {x: x + (px - this.w / 2) * shift, y: y + (py - this.h / 2) * shift, scale: view.scale};
  }

  /* The view after dragging the map by so many pixels. */
  dragged(dx, dy) {
    const {x, y, scale} = this.goal;
    return {x: x - dx / scale, y: y - dy / scale, scale};
  }

  toMap(px, py) {
    return [this.x + (px - this.w / 2) / this.scale, this.y + (py - this.h / 2) / this.scale];
  }

  toScreen(x, y) {
    return [(x - this.x) * this.scale + this.w / 2, (y - this.y) * this.scale + this.h / 2];
  }

  /* The view in which a box takes a fair part of the window; a point is looked at from not too near. */
  around([west, north, east, south]) {
    const scale = 0.3 * Math.min(this.w / Math.max(east - west, 1), this.h / Math.max(south - north, 1));
    const near = east - west + south - north > 0 ? scale : Math.max(this.scale, 12 * this.home.scale);
    return {x: (west + east) / 2, y: (north + south) / 2, scale: Math.max(near, this.home.scale)};
  }

  shows([west, north, east, south]) {
    const [left, top] = this.toScreen(west, north), [right, bottom] = this.toScreen(east, south);
    return left >= 0 && top >= 0 && right <= this.w && bottom <= this.h;
  }
}
