/* Text of the page back to whole numbers: what regionalize/maps/web/packing.py wrote. */

function numbers(text) {
  const raw = atob(text);
  let count = 0;
  for (let i = 0; i < raw.length; i++) if (raw.charCodeAt(i) < 128) count++;
  const values = new Int32Array(count);
  let at = 0;
  for (let n = 0; n < count; n++) {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = raw.charCodeAt(at++);
      value |= (byte & 127) << shift;
      if (byte < 128) break;
    }
    values[n] = (value >>> 1) ^ -(value & 1);
  }
  return values;
}

/* Each number was written as its difference to the one before. */
function steps(text) {
  const values = numbers(text);
  for (let i = 1; i < values.length; i++) values[i] += values[i - 1];
  return values;
}

/* Where each of several lists begins, from how long they are; the end of the last comes last. */
function starts(sizes) {
  const begin = new Int32Array(sizes.length + 1);
  for (let i = 0; i < sizes.length; i++) begin[i + 1] = begin[i] + sizes[i];
  return begin;
}

function joined(...lists) {
  const all = new Int32Array(lists.reduce((sum, list) => sum + list.length, 0));
  let at = 0;
  for (const list of lists) {
    all.set(list, at);
    at += list.length;
  }
  return all;
}

/* The numbers 0 … keys.length - 1, grouped by key: those of key c are order[begin[c]] … order[begin[c + 1] - 1]. */
function grouped(keys, count) {
  const sizes = new Int32Array(count);
  for (const key of keys) sizes[key]++;
  const begin = starts(sizes), next = begin.slice(), order = new Int32Array(keys.length);
  for (let i = 0; i < keys.length; i++) order[next[keys[i]]++] = i;
  return {begin, order};
}
