/* Pointer, wheel and keys: what they do is told to `map`, whoever that is. */

const STEP = 0.15;     // share of the window that an arrow moves the map by
const STILL = 6;       // pixels a press may move and still be a click

function listen(canvas, camera, map) {
  const held = new Map();
  let moved = 0;

  const at = event => {
    const box = canvas.getBoundingClientRect();
    return {x: event.clientX - box.left, y: event.clientY - box.top, touch: event.pointerType === 'touch'};
  };
  const middle = () => {
    const [a, b] = [...held.values()];
    return b ? {x: (a.x + b.x) / 2, y: (a.y + b.y) / 2, apart: Math.hypot(a.x - b.x, a.y - b.y)} : {...a, apart: 0};
  };

  canvas.addEventListener('pointerdown', event => {
    if (event.button) return;
    canvas.setPointerCapture(event.pointerId);
    if (!held.size) moved = 0;
    held.set(event.pointerId, at(event));
    if (held.size > 1) moved = Infinity;
    canvas.classList.add('held');
  });
  canvas.addEventListener('pointermove', event => {
    if (!held.has(event.pointerId)) return void (event.pointerType === 'touch' || map.point(at(event)));
    const before = middle();
    held.set(event.pointerId, at(event));
    const now = middle(), dx = now.x - before.x, dy = now.y - before.y;
    moved += Math.hypot(dx, dy);
    if (moved < STILL) return;
    map.point(null);
    camera.set(camera.dragged(dx, dy));
    if (before.apart && now.apart) camera.set(camera.zoomed(now.apart / before.apart, now.x, now.y));
    map.moved();
  });
  const released = event => {
    if (!held.delete(event.pointerId) || held.size) return;
    canvas.classList.remove('held');
    if (event.type === 'pointerup' && moved < STILL) map.press(at(event));
  };
  canvas.addEventListener('pointerup', released);
  canvas.addEventListener('pointercancel', released);
  canvas.addEventListener('pointerleave', event => {
    if (event.pointerType !== 'touch') map.point(null);   // a finger leaves with every tap, and what it told stays
  });

  canvas.addEventListener('wheel', event => {
    event.preventDefault();
    const lines = [1, 16, 160][event.deltaMode], pinched = event.ctrlKey ? 5 : 1;
    const {x, y} = at(event), turn = Math.min(Math.max(event.deltaY * lines * pinched, -400), 400);
    camera.set(camera.zoomed(2 ** (-turn / 300), x, y));
    map.moved();
  }, {passive: false});
  canvas.addEventListener('dblclick', event => {
    const {x, y} = at(event);
    camera.go(camera.zoomed(event.shiftKey ? 0.5 : 2, x, y));
    map.moved();
  });

  const go = view => (map.point(null), camera.go(view), map.moved());
  const zoom = factor => () => go(camera.zoomed(factor));
  const whole = () => go(camera.home);
  const drag = (x, y) => () => go(camera.dragged(x * STEP * camera.w, y * STEP * camera.h));
  for (const [id, act] of [['nearer', zoom(2)], ['farther', zoom(0.5)], ['whole', whole]])
    document.getElementById(id).addEventListener('click', () => (map.point(null), act()));

  const anywhere = {
    '+': zoom(1.5), '=': zoom(1.5), '-': zoom(1 / 1.5), _: zoom(1 / 1.5), 0: whole,
    n: () => map.step(1), N: () => map.step(1), p: () => map.step(-1), P: () => map.step(-1),
    Escape: () => map.clear(), '/': () => document.getElementById('wanted').focus(),
  };
  for (let digit = 1; digit <= 9; digit++) anywhere[digit] = () => map.choose(digit - 1);
  const onMap = {
    ArrowLeft: drag(1, 0), ArrowRight: drag(-1, 0), ArrowUp: drag(0, 1), ArrowDown: drag(0, -1), Home: whole,
  };
  document.addEventListener('keydown', event => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    const typing = event.target.closest('input, select, textarea');
    if (typing && event.key === 'Escape') canvas.focus();
    const act = typing ? null : anywhere[event.key] || (event.target === canvas || event.target === document.body ? onMap[event.key] : null);
    if (!act) return;
    event.preventDefault();
    act();
  });
}
