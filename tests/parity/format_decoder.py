"""A decoder of packed files written from docs/packed-format.md alone, without any code of ours."""

import math
import re
import struct
import zlib
from pathlib import Path

import numpy as np

PAGE = (Path(__file__).parents[2] / "docs" / "packed-format.md").read_text()
WORDS = re.search(r"```words\n(.*?)```", PAGE, re.S)[1].split()
TYPICAL = bytes.fromhex(re.search(r"```hex\n(.*?)```", PAGE, re.S)[1])
CLASSES = ["f8", "f4", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "?", "c"]
STRETCH = [
    math.floor(256 * math.log(p / (1 - p)) + 0.5) for p in ((k + 0.5) / 65536 for k in range(65536))
]
SQUASH = [
    min(max(math.floor(32768 / (1 + math.exp(-x / 256)) + 0.5), 1), 32767)
    for x in range(-3072, 3073)
]


def squash(x):
    return SQUASH[min(max(x, -3072), 3072) + 3072]


def level(v):
    return sum(v >= s for s in (1, 2, 3, 4, 6, 9, 13, 19, 28, 41, 60))


def sign(v):
    return (v > 0) - (v < 0)


class Bytes:
    """What is left of some bytes."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, n):
        assert self.at + n <= len(self.data)
        self.at += n
        return self.data[self.at - n : self.at]

    def byte(self):
        return self.take(1)[0]

    def varint(self):
        value = shift = 0
        while True:
            b = self.byte()
            value |= (b & 127) << shift
            shift += 7
            if b < 128:
                return value

    def rest(self):
        return self.take(len(self.data) - self.at)

    def bits(self, widths):
        n = -(-sum(widths) // 8)
        pool, left, out = int.from_bytes(self.take(n), "big"), 8 * n, []
        for w in widths:
            left -= w
            out.append(pool >> left & ((1 << w) - 1))
        return out

    def words(self, n):
        return list(struct.unpack(f"<{n}H", self.take(2 * n)))

    def states(self, lanes):
        d = self.bits([4] * lanes)
        v = self.bits(d)
        return [65536 * (2**a + b) + w for a, b, w in zip(d, v, self.words(lanes), strict=True)]


class Lane:
    """One lane of rANS."""

    def __init__(self, data):
        n = len(data)
        first = n if n <= 6 else 5 + (n % 2 == 0)
        self.x = int.from_bytes(data[:first], "little")
        self.left = Bytes(data[first:])

    def low(self, precision):
        return self.x % 2**precision

    def take(self, c, f, precision):
        self.x = f * (self.x >> precision) + self.low(precision) - c
        while self.x < 2**32 and self.left.at < len(self.left.data):
            self.x = 65536 * self.x + self.left.words(1)[0]

    def decision(self, f):
        one = self.low(16) < f
        self.take(*((0, f) if one else (f, 65536 - f)), 16)
        return int(one)


# --- symbols -----------------------------------------------------------------------------------


def levels(source, count):
    if count <= 256:
        return source.bits([4] * count)
    return symbols(Bytes(source.take(source.varint())), count, 18)


def symbols(source, n, alphabet):
    if n == 0 or alphabet == 1:
        return [0] * n
    h, m = divmod(source.byte(), 16)
    if h == 14:
        return source.bits([(alphabet - 1).bit_length()] * n)
    if h == 13:
        return huffman(source, n, levels(source, alphabet))
    lv = levels(source, alphabet)
    widths = [min(m, v - 1) for v in lv if v]
    digits = iter(source.bits(widths))
    f = [0 if v == 0 else 2 ** (v - 1) + next(digits) * 2 ** (v - 1 - min(m, v - 1)) for v in lv]
    precision = 16 if alphabet > 1024 else 13
    return rans(source.rest(), n, scaled(f, 2**precision), precision, 2**h)


def scaled(f, total):
    s = sum(f)
    out = [max(v * total // s, 1) if v else 0 for v in f]
    missing = total - sum(out)
    if missing > 0:
        order = sorted(range(len(f)), key=lambda k: -(f[k] * total % s) if f[k] * total // s else 1)
        for k in order[:missing]:
            out[k] += 1
    elif missing < 0:
        spare = sum(v - 1 for v in out if v)
        out = [v - (v - 1) * -missing // spare if v else 0 for v in out]
        for k in sorted(range(len(f)), key=lambda k: -out[k])[: sum(out) - total]:
            out[k] -= 1
    return out


def huffman(source, n, lengths):
    code, table = 0, {}
    for length in range(1, 17):
        code <<= 1
        for s, v in enumerate(lengths):
            if v == length:
                table[length, code] = s
                code += 1
    if n > 4096:
        source.words(-(-n // 2048))
    text = "".join(f"{b:08b}" for b in source.rest())
    out, at = [], 0
    for _ in range(n):
        length = 1
        while (length, int(text[at : at + length], 2)) not in table:
            length += 1
        out.append(table[length, int(text[at : at + length], 2)])
        at += length
    return out


def rans(data, n, f, precision, lanes):
    starts = [0]
    for v in f:
        starts.append(starts[-1] + v)
    owner = [s for s, v in enumerate(f) for _ in range(v)]
    if lanes == 1:
        lane, out = Lane(data), []
        for _ in range(n):
            s = owner[lane.low(precision)]
            lane.take(starts[s], f[s], precision)
            out.append(s)
        return out
    source = Bytes(data)
    t, u = source.varint(), source.varint()
    x = source.states(lanes)
    out = []
    for _ in range((n - t) // lanes):
        for k in range(lanes):
            low = x[k] % 2**precision
            s = owner[low]
            x[k] = f[s] * (x[k] >> precision) + low - starts[s]
            out.append(s)
        for k in range(lanes):
            if x[k] < 65536:
                x[k] = 65536 * x[k] + source.words(1)[0]
    tail = (
        struct.pack(f"<{lanes}H", *(v % 65536 for v in x))
        + data[len(data) - max(0, u - 2 * lanes) :]
    )
    return out + rans(tail[:u], t, f, precision, max(1, lanes // 64))


# --- contexts ----------------------------------------------------------------------------------


def contexts(source, rows, columns):
    b = source.byte()
    top = b % 4 or source.byte()
    turned, strided, e = b >> 2 & 1, b >> 3 & 1, b >> 4
    stride = source.varint() if strided else 0
    extra = Bytes(source.take(source.varint())) if top > 4 else None
    size = [1] * 5 + [2 ** (k // 2 + 1) for k in range(26)] + [2**14]
    first = [sum(size[:k]) for k in range(len(size))]
    lanes, lines = (columns, rows) if turned else (rows, columns)
    m = walk(source, lanes, lines, stride, top, e)
    m = np.array(m).T if not turned else np.array(m)
    flat = m.ravel(order="F").tolist()
    if extra:
        places = iter(extra.bits([size[abs(v)].bit_length() - 1 for v in flat if v]))
        flat = [sign(v) * (first[abs(v)] + next(places)) if v else 0 for v in flat]
    return np.array(flat).reshape(m.shape, order="F")


def walk(source, lanes, lines, stride, top, e):
    if e:
        x, words = source.states(2**e), source
    else:
        lane = Lane(source.rest())
    kinds = top + 1
    model = [min(k, 2) for k in range(kinds)]
    begin = [[45875, 19661, 6554, 45875, -39322], [13107, 19661, 13107, 6554, 6554],
             [19661, 13107, 13107, 13107, 0]]  # fmt: skip
    weights = [begin[k].copy() for k in model]
    of_lane = [[[0, 0] for _ in range(lanes)] for _ in range(kinds)]
    of_context = [[[0, 0] for _ in range(200)] for _ in range(kinds)]
    of_line = [[[0, 0] for _ in range(lines)] for _ in range(kinds)]
    overall_of = [[0, 0] for _ in range(kinds)]
    out = []

    def number(line, i):
        return out[line][i] if line >= 0 else 0

    for j in range(lines):
        out.append([0] * lanes)
        index = list(range(lanes))
        for k in range(kinds):
            if k == 1:
                index = [i for i in index if out[j][i]]
            elif k > 2:
                index = [i for i in index if abs(out[j][i]) >= k - 1]
            if not index:
                break
            ones, total = overall_of[k]
            overall = min(max((65536 * ones + (32768 if k else 3277)) // (total + 1), 1), 65535)
            near_lines = [(1, 2), (stride, 2), (stride + 1, 1), (stride - 1, 1)]
            if not stride:
                near_lines = [(1, 2), (2, 1), (3, 1)]
            past = [
                sum(c * of_line[k][j - d][q] for d, c in near_lines if j - d >= 0) for q in (0, 1)
            ]
            c = 2 if k else 20
            line = (65536 * past[0] + c * overall) // (past[1] + c)

            def share(count, a, overall=overall):
                return (262144 * count[0] + a * overall) // (4 * count[1] + a)

            inputs, pairs = [], []
            for i in index:
                v1, v2, v3 = (number(j - d, i) for d in (1, 2, 3))
                if stride:
                    u1, u2, left, right = (
                        number(j - d, i) for d in (stride, 2 * stride, stride + 1, stride - 1)
                    )
                    near, far = abs(v1) + abs(u1), abs(v2) + abs(u2) + abs(left) + abs(right)
                    guess, other = 2 * (v1 + u1) + right - left, v2 + u2 + left + right
                else:
                    near, far, guess, other = abs(v1), abs(v2) + abs(v3), 2 * v1 + v2, v2 + v3
                if k == 1:
                    a = 6 + sign(guess) * min(level(abs(guess)), 6)
                    b = 23 + sign(other) * min(level(abs(other)), 4)
                else:
                    a, b = 12 * level(near) + level(far), 144 + level(abs(guess))
                pairs.append((a, b))
                inputs.append([
                    STRETCH[share(of_lane[k][i], 8 if k else 16)],
                    STRETCH[share(of_context[k][a], 8)], STRETCH[share(of_context[k][b], 8)],
                    STRETCH[min(line, 65535)], STRETCH[overall],
                ])  # fmt: skip
            half = line // 2
            grows = e == 0 and k == 0 and (half <= 12288 or half >= 20480)
            w = weights[k]

            def f_of(d, n, inputs=inputs, w=w, grows=grows, line=line):
                if grows:
                    r = 24 if stride else 10
                    inputs[d][3] = STRETCH[min((65536 * n + r * line) // (d + r), 65535)]
                return squash(sum(a * b for a, b in zip(w, inputs[d], strict=True)) >> 16)

            bits, m = [], len(index)
            if e:
                for d in range(m):
                    q, f = d % 2**e, f_of(d, 0)
                    low = x[q] % 32768
                    bits.append(int(low < f))
                    x[q] = (f * (x[q] >> 15) + low if low < f
                            else (32768 - f) * (x[q] >> 15) + low - f)  # fmt: skip
                    if q == 2**e - 1 or d == m - 1:
                        for q2 in range(q + 1):
                            if x[q2] < 65536:
                                x[q2] = 65536 * x[q2] + words.words(1)[0]
            else:
                q = half if grows else sum(f_of(d, 0) for d in range(m)) // m
                flip, r = q > 16384, min(q, 32768 - q)
                while len(bits) < m:
                    done = len(bits)
                    if r > (12288 if grows else 4096):
                        bits.append(lane.decision(2 * f_of(done, 0)))
                        continue
                    sight = min(512, 524288 // max(r, 1), m - done)
                    n, t, bounds = sum(bits), 1.0, [65536]
                    for d in range(sight):
                        f = f_of(done + d, n + d * flip)
                        t *= 1 - (32768 - f if flip else f) / 32768
                        bounds.append(math.floor(t * (65535 - sight)) + sight - d)
                    low = lane.low(16)
                    found = next((d for d in range(1, sight + 1) if bounds[d] <= low), None)
                    if found is None:
                        lane.take(0, bounds[sight], 16)
                        bits += [int(flip)] * sight
                    else:
                        lane.take(bounds[found], bounds[found - 1] - bounds[found], 16)
                        bits += [int(flip)] * (found - 1) + [1 - int(flip)]
            fs = [f_of(d, sum(bits[:d]) if grows else 0) for d in range(m)]
            rate = (131072, 32768, 65536)[model[k]]
            rate = max(rate, rate * (sum(f * (32768 - f) for f in fs) >> 20) >> 14)
            for q in range(5):
                step = sum(
                    inputs[d][q] * (32768 * bit - f)
                    for d, (bit, f) in enumerate(zip(bits, fs, strict=True))
                )
                w[q] += (step + rate // 2) // rate
            for i, bit, (a, b) in zip(index, bits, pairs, strict=True):
                if k == 0:
                    out[j][i] = bit
                elif k == 1:
                    out[j][i] = 2 * bit - 1
                else:
                    out[j][i] += bit * sign(out[j][i])
                for count in (of_lane[k][i], of_context[k][a], of_context[k][b],
                              of_line[k][j], overall_of[k]):  # fmt: skip
                    count[0] += bit
                    count[1] += 1
    return out


# --- text --------------------------------------------------------------------------------------


class Text:
    """The model of bytes."""

    def __init__(self):
        self.p = [{} for _ in range(5)]
        self.match = [[32768 + 2000 * k, 0] for k in range(16)]
        self.w = [[20000] * 6 for _ in range(3)]
        self.seen, self.last, self.m, self.place = [], {}, 0, 0

    def byte(self, decision):
        c = ([0, 0, 0, 0, *self.seen])[:-5:-1]
        z = 65536 * c[0] + 256 * c[1] + c[2]
        hs = (0, 256 * c[0], 40503 * (256 * c[0] + c[1]), 30011 * z, 10007 * (256 * z + c[3]))
        node, coming = 1, self.seen[self.place] if self.m else None
        for k in range(8):
            cells = [
                p.setdefault((h + g * node) % 65536, [32768, 0])
                for p, h, g in zip(self.p, hs, (1, 1, 4106, 6159, 8212), strict=True)
            ]
            inputs = [STRETCH[cell[0]] for cell in cells] + [0]
            guess = None
            if coming is not None and (256 + coming) >> (8 - k) == node:
                guess = coming >> (7 - k) & 1
                trust = self.match[min(self.m, 15)]
                inputs[5] = STRETCH[trust[0]] * (1 if guess else -1)
            w = self.w[0 if guess is None else 1 if self.m <= 5 else 2]
            f = squash(sum(a * b for a, b in zip(w, inputs, strict=True)) >> 16)
            bit = decision(f)
            for q in range(6):
                w[q] += (inputs[q] * (32768 * bit - f) + 32768) // 65536
            for cell in cells:
                cell[0] += 2 * (65535 * bit - cell[0]) // (2 * cell[1] + 3)
                cell[1] = min(cell[1] + 1, 30)
            if guess is not None:
                trust[0] += 2 * (65535 * (guess == bit) - trust[0]) // (2 * trust[1] + 3)
                trust[1] = min(trust[1] + 1, 254)
            node = 2 * node + bit
        byte = node - 256
        if self.m and coming == byte:
            self.m, self.place = self.m + 1, self.place + 1
        else:
            self.m = 0
        self.seen.append(byte)
        if len(self.seen) > 2:
            a, b, c = self.seen[-3:]
            key = 30011 * (65536 * c + 256 * b + a) % 65536
            if self.m == 0 and key in self.last:
                self.m, self.place = 1, self.last[key]
            self.last[key] = len(self.seen)


def text(data, n):
    model = Text()
    for byte in TYPICAL:
        bits = iter(f"{byte:08b}")
        model.byte(lambda _, bits=bits: int(next(bits)))
    lane = Lane(data)
    for _ in range(n):
        model.byte(lambda f: lane.decision(2 * f))
    return bytes(model.seen[len(TYPICAL) :])


# --- arrays and the tree -----------------------------------------------------------------------


def codes(data, dims):
    source, n = Bytes(data), math.prod(dims)
    z, k = divmod(source.varint(), 4)
    base = -(z + 1) // 2 if z % 2 else z // 2
    if k == 1:
        rows = dims[-1] if len(dims) > 2 else dims[0]
        m = contexts(source, rows, n // rows) + base
        return (m.T if len(dims) > 2 else m).reshape(dims, order="F")
    r = source.varint()
    if k == 0:
        found = np.array(symbols(source, n, r + 1) if r else [0] * n) + base
    else:
        width, entries, g = source.byte(), source.varint(), source.varint()
        gaps = symbols(Bytes(source.take(g)), entries, 2**width)
        found, at = np.zeros(n, int), -1
        for gap, s in zip(gaps, symbols(source, entries, r + 1), strict=True):
            at += gap + 1
            found[at] = base + s
    return found.reshape(dims, order="F")


def planes(data, n, kind):
    source, width = Bytes(data), np.dtype(kind).itemsize
    table = np.zeros((n, width), np.uint8)
    for k in range(width - 1, -1, -1):
        length = source.varint()
        table[:, k] = codes(source.take(length), (n, 1))[:, 0] if length else list(source.take(n))
    if np.dtype(kind).kind == "f":
        whole = table.copy().view(f"u{width}")[:, 0] if n else np.zeros(0, f"u{width}")
        whole = whole >> np.array(1, whole.dtype) | whole << np.array(8 * width - 1, whole.dtype)
        return whole.view(kind)
    return table.reshape(-1).view(kind)


def array(kind, data, dims, name):
    n = math.prod(dims)
    if kind >= 8:
        return array(kind - 8, data, dims, "f4").astype("f8")
    if kind == 0:
        flat = np.frombuffer(data, name)
    elif kind == 1:
        flat = planes(data, n, "u1" if name in ("c", "?") else name).view(name)
    elif kind == 3:
        source = Bytes(data)
        d, c = source.varint() + 1, source.varint()
        book = np.frombuffer(source.take(d * np.dtype(name).itemsize), name)
        return book[codes(source.rest(), dims) + c]
    elif kind == 4:
        source = Bytes(data)
        marks = codes(source.take(source.varint()), dims).ravel(order="F")
        flat = np.zeros(n, name)
        flat[marks == 1] = planes(source.rest(), int((marks == 1).sum()), name)
        flat[marks == -1] = -0.0
    elif kind == 5:
        flat = codes(data, dims).ravel(order="F")
        flat = flat.astype("u1").view("c") if name == "c" else flat.astype(name)
    else:
        flat = np.repeat(np.frombuffer(data, name), n)
    return flat.reshape(dims, order="F")


class Tree:
    """Reads the values of a tree."""

    def __init__(self, tree, streams):
        self.tree, self.streams, self.shapes, self.gridded = Bytes(tree), Bytes(streams), [], []

    def dims(self):
        return tuple(self.tree.varint() for _ in range(self.tree.byte()))

    def value(self, place=""):
        t, source = self.tree.byte(), self.tree
        if t >= 160:
            return float(t - 160)
        if t >= 64:
            return WORDS[t - 64]
        if t >= 24:
            dims = (source.varint(), source.varint()) if t < 36 else self.dims()
            kind, name = source.byte(), CLASSES[(t - 24) % 12]
            stream = self.streams.take(source.varint())
            if kind == 2:
                self.gridded.append((place, name))
                return codes(stream, dims)
            return array(kind, stream, dims, name)
        if t in (1, 2):
            return float(source.varint()) * (1 if t == 1 else -1)
        if t == 3:
            b, v = source.byte(), source.varint()
            return v / 10.0 ** (b % 32) * (-1 if b >= 32 else 1)
        if t in (4, 5, 6):
            form = ("<f", "<d", "<f")[t - 4]
            number = struct.unpack(form, source.take(struct.calcsize(form)))[0]
            return np.array([[number]], np.float32) if t == 6 else number
        if t in (7, 8):
            return t == 8
        if t in (11, 12):
            dims = (1, source.varint()) if t == 11 else self.dims()
            return [self.value(f"{place}{{{k + 1}}}") for k in range(math.prod(dims))]
        if t in (13, 14):
            return self.struct((1, 1) if t == 13 else self.dims(), place, t == 13)
        if t == 16:
            return np.asarray(self.value()) + 1j * np.asarray(self.value())
        if t == 17:
            dims, (i, j, v) = self.dims(), (self.value() for _ in range(3))
            full = np.zeros(dims)
            full[np.ravel(i).astype(int) - 1, np.ravel(j).astype(int) - 1] = np.ravel(v)
            return full
        if t == 18:
            return np.array([self.dims()], float)
        return {0: lambda: np.zeros((0, 0)), 9: lambda: "", 19: lambda: WORDS[97 + source.byte()],
                10: lambda: source.take(source.varint()).decode()}[t]()  # fmt: skip

    def struct(self, dims, place, single):
        k = self.tree.varint()
        if k == len(self.shapes):
            names = []
            for _ in range(self.tree.varint()):
                w = self.tree.byte()
                names.append(WORDS[w - 1] if w else self.tree.take(self.tree.varint()).decode())
            self.shapes.append(names)
        fields = self.shapes[k]
        items = [{} for _ in range(math.prod(dims))]
        if not fields:
            self.tree.take(len(items))
        for n, item in enumerate(items):
            at = place if single else f"{place}({n + 1})"
            sizes = []
            for field in fields:
                if self.tree.data[self.tree.at] == 15:
                    self.tree.byte()
                    sizes.append(field)
                    item[field] = None
                else:
                    self.gridded, before = [], self.gridded
                    item[field] = self.value(f"{at}.{field}" if at else field)
                    mine = [(item, field, *g) if len(g) == 2 else g for g in self.gridded]
                    self.gridded = before + mine
            for field in sizes:
                item[field] = np.array([np.asarray(item[field[:-5]]).shape], float)
        return items[0] if single else items


def on_grid(found, grid, name):
    if "codebook" in grid:
        book = np.ravel(grid["codebook"])
        order = np.argsort(book.astype(float), kind="stable")
        centre = int(np.abs(book[order].astype(float)).argmin())
        return book[order[found + centre]].astype(name)
    scale = np.asarray(grid["scale"]).astype(name)
    if grid["axis"] and scale.size > 1:
        shape = [1] * found.ndim
        shape[int(grid["axis"]) - 1] = -1
        scale = scale.reshape(shape)
    return scale * found.astype(name)


def decode(packed):
    assert packed[:3] == b"oc\x01"
    assert zlib.crc32(packed[7:]) == struct.unpack("<I", packed[3:7])[0]
    source = Bytes(packed[7:])
    length, form = divmod(source.varint(), 4)
    tree = source.take(length)
    if form:
        head = Bytes(tree)
        m = head.varint()
        tree = text(head.rest(), m) if form == 2 else bytes(symbols(head, m, 256))
    reader = Tree(tree, source.rest())
    model = reader.value()
    promises = {p["tensor"]: p["quantization"] for p in model.get("octcompress_promises", [])
                if "quantization" in p}  # fmt: skip
    for owner, field, place, name in reader.gridded:
        grid = promises.get(place) or owner["quantization"][field]
        if isinstance(owner[field], list):  # an array in a cell of the field
            index = [int(k) - 1 for k in re.findall(r"\{(\d+)\}", place.rpartition(field)[2])]
            inner = owner[field]
            for k in index[:-1]:
                inner = inner[k]
            inner[index[-1]] = on_grid(inner[index[-1]], grid, name)
        else:
            owner[field] = on_grid(owner[field], grid, name)
    return model


def read(file):
    data = Path(file).read_bytes()
    kind, n, one, imaginary, length = struct.unpack("<5I", data[:20])
    assert (kind, one, imaginary, length, data[20:25]) == (50, 1, 0, 5, b"octc\0")
    assert len(data) == 25 + n
    return decode(data[25:])
