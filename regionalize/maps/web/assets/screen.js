/* What is on the screen: a picture of the units made for some view, moved and stretched to the view of the moment
   until the next picture is ready, and outlines of the units pointed at and selected over it. */

const BUSY = 8;      // milliseconds of drawing in one frame
const AROUND = 0.15; // share of the window that is drawn beyond each of its sides

class Screen {
  constructor(canvas, shapes, camera, metres) {
    Object.assign(this, {canvas, shapes, camera, metres, hovered: -1, selected: -1, look: null, asked: false});
    this.stage = canvas.parentElement;
    this.context = canvas.getContext('2d');
    this.bar = document.getElementById('bar');
    this.glance = Object.assign(document.createElement('canvas'), {width: 1, height: 1}).getContext('2d');
    this.front = null;      // the picture that is shown …
    this.whole = null;      // … one of the whole map, for what the other does not reach …
    this.work = null;       // … and one that is being drawn
    new ResizeObserver(() => this.fit()).observe(this.stage);
    this.frame = this.frame.bind(this);
    this.fit();
  }

  fit() {
    const {clientWidth, clientHeight} = this.stage;
    if (!clientWidth || !clientHeight) return;
    this.ratio = Math.min(window.devicePixelRatio || 1, 3);
    this.canvas.width = Math.round(clientWidth * this.ratio);
    this.canvas.height = Math.round(clientHeight * this.ratio);
    this.camera.resize(clientWidth, clientHeight);
    this.whole = null;
    if (this.look) this.compose();
    this.ask();
  }

  show(look) {
    this.look = look;
    this.whole = null;
    this.ask();
  }

  ask() {
    if (this.asked) return;
    this.asked = true;
    requestAnimationFrame(this.frame);
  }

  frame(now) {
    this.asked = false;
    if (!this.look) return;
    const moving = this.camera.move(now);
    if (!this.work || this.work.look !== this.look) this.work = this.isTrue(this.front) ? null : this.begin();
    if (this.work) this.draw(performance.now() + BUSY);
    this.compose();
    const done = !this.work && !moving;
    this.stage.setAttribute('aria-busy', String(!done));
    if (!done) this.ask();
  }

  /* Whether a picture shows what it should, from where it should. */
  isTrue(picture) {
    if (!picture || picture.look !== this.look || picture.view.ratio !== this.ratio) return false;
    const {x, y, scale, w, h} = this.camera, view = picture.view, room = AROUND / (1 + 2 * AROUND);
    return view.scale === scale && view.inner === `${w} ${h}` &&
      Math.abs(view.x - x) * scale < room * view.w && Math.abs(view.y - y) * scale < room * view.h;
  }

  begin() {
    const {x, y, scale, w, h} = this.camera, {ratio} = this;
    const wide = Math.ceil(w * (1 + 2 * AROUND)), high = Math.ceil(h * (1 + 2 * AROUND));
    const view = {x, y, scale, w: wide, h: high, inner: `${w} ${h}`, ratio, zoom: scale / this.camera.home.scale};
    const canvas = this.spare || document.createElement('canvas');
    this.spare = null;
    if (canvas.width !== Math.round(wide * ratio)) canvas.width = Math.round(wide * ratio);
    if (canvas.height !== Math.round(high * ratio)) canvas.height = Math.round(high * ratio);
    return {canvas, view, look: this.look, steps: paint(canvas.getContext('2d'), this.shapes, view, this.look)};
  }

  /* Go on with a picture until a time. Browsers put off what they are told to draw until somebody looks; looking
     at one pixel after each step keeps them from doing it all in the last one. */
  draw(until) {
    do {
      const {done, value} = this.work.steps.next();
      if (value) this.glance.drawImage(this.work.canvas, 0, 0, 1, 1, 0, 0, 1, 1);
      if (done) {
        if (this.front && this.front !== this.whole) this.spare = this.front.canvas;
        this.front = this.work;
        if (this.camera.isHome && this.work.view.zoom < 1.01) this.whole = this.work;
        this.work = this.isTrue(this.front) ? null : this.begin();
        return;
      }
    } while (performance.now() < until);
  }

  /* Draw all at once, for paper. */
  now() {
    this.work = this.begin();
    for (const _ of this.work.steps);
    this.front = this.work;
    this.work = null;
    this.compose();
  }

  compose() {
    const {context, canvas, camera, ratio} = this;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.fillStyle = this.look.ground;
    context.fillRect(0, 0, canvas.width, canvas.height);
    if (this.whole && this.whole !== this.front) this.place(this.whole);
    if (this.front) this.place(this.front);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    if (this.hovered >= 0 && this.hovered !== this.selected) this.outline(this.hovered, 2);
    if (this.selected >= 0) this.outline(this.selected, 3);
    this.measure();
  }

  place({canvas, view}) {
    const {context, camera, ratio} = this, grow = camera.scale / view.scale;
    let [x, y] = camera.toScreen(view.x - view.w / 2 / view.scale, view.y - view.h / 2 / view.scale);
    x *= ratio;
    y *= ratio;
    if (grow === 1) [x, y] = [Math.round(x), Math.round(y)];
    context.fillRect(x, y, canvas.width * grow, canvas.height * grow);   // over the picture of the whole map
    context.drawImage(canvas, x, y, canvas.width * grow, canvas.height * grow);
  }

  /* A dark line in a light one, or the other way round; a ring around what would hardly be seen. */
  outline(row, width) {
    const {context, shapes, camera} = this, {begin, order} = shapes.parts;
    const [west, north, east, south] = shapes.rowBox.subarray(4 * row, 4 * row + 4);
    if (east < west) return;
    const left = camera.x - camera.w / 2 / camera.scale, top = camera.y - camera.h / 2 / camera.scale;
    const arcs = shapes.levels.get(levelOf(camera.scale)) || shapes.full;
    context.beginPath();
    for (let n = begin[row]; n < begin[row + 1]; n++) {
      const p = order[n];
      if (p >= shapes.firstPoint) {
        const [x, y] = camera.toScreen(shapes.px[p - shapes.firstPoint], shapes.py[p - shapes.firstPoint]);
        context.moveTo(x + 8, y);
        context.arc(x, y, 8, 0, 2 * Math.PI);
      } else if (p >= shapes.firstLine) {
        addArc(context, arcs, shapes.lineArc + p - shapes.firstLine, 0, left, top, camera.scale, true);
      } else {
        addRings(context, shapes, arcs, p, left, top, camera.scale);
      }
    }
    if (width > 2 && Math.max(east - west, south - north) * camera.scale < 12) {
      const [x, y] = camera.toScreen((west + east) / 2, (north + south) / 2);
      context.moveTo(x + 12, y);
      context.arc(x, y, 12, 0, 2 * Math.PI);
    }
    context.lineJoin = 'round';
    for (const [color, wide] of [[this.look.ground, width + 2], [this.look.ink, width]]) {
      context.strokeStyle = color;
      context.lineWidth = wide;
      context.stroke();
    }
  }

  /* The scale bar: the largest 1, 2 or 5 times a power of ten that fits. */
  measure() {
    if (!this.metres) return;
    const {scale, w} = this.camera;
    if (this.measured === `${scale} ${w}`) return;
    this.measured = `${scale} ${w}`;
    const perPixel = this.metres / scale, longest = perPixel * Math.min(0.3 * w, 150);
    const power = 10 ** Math.floor(Math.log10(longest));
    const metres = [5, 2, 1].map(step => step * power).find(length => length <= longest * (1 + 1e-12)) || power;
    const text = this.bar.firstElementChild;
    text.style.width = `${metres / perPixel}px`;
    text.textContent = metres >= 1000 ? `${plain(metres / 1000)} km` : `${plain(metres)} m`;
    this.bar.hidden = false;
  }
}
