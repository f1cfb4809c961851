"""How far apart colours look, also to colour-blind readers, and the search that found our palette.

``python tests/maps/color_vision.py`` runs the search again (minutes) and prints the list in
``regionalize/maps/colors.py``.
"""

from __future__ import annotations

import numpy as np

# Machado, Oliveira and Fernandes (2009), "A Physiologically-based Model for Simulation of Color Vision
# Deficiency", IEEE TVCG 15(6), the table's rows for severity 1.0; they act on linear RGB.
DICHROMATS = {
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}
VISIONS = {"normal": np.eye(3), **{name: np.array(matrix) for name, matrix in DICHROMATS.items()}}

# IEC 61966-2-1 (sRGB to XYZ under D65)
SRGB_TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)


def parse(hexes):
    """Hex colours to sRGB in 0…1, shape (n, 3)."""
    return np.array([[int(h[i : i + 2], 16) for i in (1, 3, 5)] for h in hexes]) / 255


def to_lab(srgb, vision="normal"):
    """CIE L*a*b* (D65) of sRGB colours as the named vision sees them."""
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    linear = np.clip(linear @ np.asarray(VISIONS[vision]).T, 0, 1)
    xyz = linear @ SRGB_TO_XYZ.T / SRGB_TO_XYZ.sum(axis=1)
    f = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.stack(
        [116 * f[..., 1] - 16, 500 * (f[..., 0] - f[..., 1]), 200 * (f[..., 1] - f[..., 2])], axis=-1
    )


def ciede2000(one, two):
    """CIEDE2000 colour difference of L*a*b* arrays, broadcast (Sharma, Wu and Dalal, 2005)."""
    l1, a1, b1 = np.moveaxis(np.asarray(one, float), -1, 0)
    l2, a2, b2 = np.moveaxis(np.asarray(two, float), -1, 0)
    mean_c = (np.hypot(a1, b1) + np.hypot(a2, b2)) / 2
    g = 0.5 * (1 - np.sqrt(mean_c**7 / (mean_c**7 + 25.0**7)))
    a1, a2 = a1 * (1 + g), a2 * (1 + g)
    c1, c2 = np.hypot(a1, b1), np.hypot(a2, b2)
    h1, h2 = np.degrees(np.arctan2(b1, a1)) % 360, np.degrees(np.arctan2(b2, a2)) % 360
    gray = c1 * c2 == 0
    turn = (h2 - h1 + 180) % 360 - 180
    turn = np.where((turn == -180) & (h2 > h1), 180, turn)
    turn = np.where(gray, 0, turn)
    dl, dc = l2 - l1, c2 - c1
    dh = 2 * np.sqrt(c1 * c2) * np.sin(np.radians(turn) / 2)
    l, c = (l1 + l2) / 2, (c1 + c2) / 2  # noqa: E741  # the letters of CIEDE2000
    far = np.abs(h1 - h2) > 180
    h = np.where(gray, h1 + h2, (h1 + h2 + np.where(far, np.where(h1 + h2 < 360, 360, -360), 0)) / 2)
    t = (
        1
        - 0.17 * np.cos(np.radians(h - 30))
        + 0.24 * np.cos(np.radians(2 * h))
        + 0.32 * np.cos(np.radians(3 * h + 6))
        - 0.20 * np.cos(np.radians(4 * h - 63))
    )
    s_l = 1 + 0.015 * (l - 50) ** 2 / np.sqrt(20 + (l - 50) ** 2)
    s_c, s_h = 1 + 0.045 * c, 1 + 0.015 * c * t
    turned = np.sin(np.radians(60 * np.exp(-(((h - 275) / 25) ** 2))))
    r_t = -2 * np.sqrt(c**7 / (c**7 + 25.0**7)) * turned
    return np.sqrt((dl / s_l) ** 2 + (dc / s_c) ** 2 + (dh / s_h) ** 2 + r_t * (dc / s_c) * (dh / s_h))


def distances(srgb, vision):
    """CIEDE2000 between all pairs, shape (n, n)."""
    lab = to_lab(srgb, vision)
    return ciede2000(lab[:, None], lab[None])


def search(fixed, *, length=20, seed=1, steps=300_000):
    """Anneal an ordered list of colours whose every beginning stays apart.

    Colour j must keep its distance from all before it, from `fixed` (greys, page) and, doubly, from the
    one just before. What is asked of colour j falls as 1 / sqrt(j), the room there is for it; ordinary
    vision is asked for 1.6 times what dichromats can have.
    """
    rng = np.random.default_rng(seed)
    level = np.arange(0, 256, 15) / 255
    grid = np.stack(np.meshgrid(level, level, level, indexing="ij"), -1).reshape(-1, 3)
    lab = to_lab(grid)
    chroma = np.hypot(lab[:, 1], lab[:, 2])
    grid = grid[(lab[:, 0] > 25) & (lab[:, 0] < 88) & (chroma > 25) & (chroma < 72)]
    fixed = parse(fixed)
    everything = np.concatenate([fixed, grid])
    apart = distances(everything, "normal") / 1.6
    for vision in DICHROMATS:
        apart = np.minimum(apart, distances(everything, vision))
    apart = apart.astype(np.float32)
    f, n = len(fixed), len(grid)
    near = np.argsort(apart[f:, f:], axis=1)[:, 1:40] + f
    need = 1 / np.sqrt(np.maximum(np.arange(length) + 1, 5))

    def score(chosen):
        index = np.concatenate([np.arange(f), chosen])
        later = np.tril(np.ones((length, f + length), bool), f - 1)
        ratio = apart[chosen][:, index] / need[:, None]
        ratio[:, :f] *= 1.3  # greys stand beside few units, and are known by having no hue
        step = np.arange(1, length)
        ratio[step, f + step - 1] *= 0.6
        worst = ratio[later]
        return float(worst.min() + 0.05 * np.sort(worst)[:20].mean())

    best = current = f + rng.choice(n, length, replace=False)
    best_score = current_score = score(current)
    for step in range(steps):
        heat = 1.2 * (1 - step / steps) ** 2 + 1e-3
        trial = current.copy()
        if rng.random() < 0.2:
            i, j = rng.choice(length, 2, replace=False)
            trial[i], trial[j] = trial[j], trial[i]
        else:
            i = rng.integers(length)
            if rng.random() < 0.7:  # a near colour
                trial[i] = rng.choice(near[trial[i] - f])
            else:
                trial[i] = f + rng.integers(n)
        value = score(trial)
        if value > current_score or rng.random() < np.exp((value - current_score) / heat):
            current, current_score = trial, value
            if value > best_score:
                best, best_score = trial, value
    return ["#" + "".join(f"{round(v * 255):02x}" for v in color) for color in everything[best]], best_score


if __name__ == "__main__":
    # the best of seeds 1 to 8; "no data" was a little paler then
    print(search(["#ffffff", "#ebebeb", "#b3b3b3"], seed=7)[0])  # noqa: T201  # a script
