"""Ways to break a line of NDJSON, each by a seeded choice."""

import json
import random
from collections.abc import Callable
from typing import Any

Mutation = Callable[[bytes, random.Random], bytes]

PIECES = [
    b"\0", b"\xff\xfe", b"\xef\xbb\xbf", b"\\u0000", b"\\ud800", b"\\ud83d\\ude00", b'"', b"{", b"]", b"\r", b"\t",
    b",", b":", b"1e999", b"NaN", b"-Infinity", b"\xc3", b"\xed\xa0\x80", b"\xc0\x80", b"\xe2\x80\xa8", b"//", b"  ",
]  # fmt: skip
VALUES: list[Any] = [12, -0.0, "x", "", True, None, [], {}, [1], [None], [[]], [{}], {"value": "41"}, {"value": 1},
                     10**30, 2**31, 2**53 + 1, 1e-320, "2024-02-30", "2024", "41", [True], ["x"], {"coding": "x"},
                     {"coding": [None]}, {"coding": [{"code": 7}]}]  # fmt: skip
NUMBERS = ["1e400", "-1e400", "1e308", "0.1000", "1E+2", "-0", "1.7976931348623157e308",
           "123456789012345678901234567890",
           "0.1234567890123456789012345678", "1e-400", "007", "1.", ".5", "+1", "0x10", "NaN", "Infinity"]  # fmt: skip


def cut(data: bytes, rng: random.Random) -> bytes:
    return data[: rng.randrange(1, len(data))]


def cut_the_middle(data: bytes, rng: random.Random) -> bytes:
    start = rng.randrange(len(data))
    return data[:start] + data[min(len(data), start + rng.randrange(1, 40)) :]


def flip(data: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(data))
    return data[:at] + bytes([data[at] ^ (1 << rng.randrange(8))]) + data[at + 1 :]


def insert(data: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(data))
    return data[:at] + rng.choice(PIECES) + data[at:]


def double(data: bytes, rng: random.Random) -> bytes:
    """Two lines whose break was lost."""
    return data + rng.choice([b"", b" ", b"\r", b","]) + data


def swap_value(data: bytes, rng: random.Random) -> bytes:
    """A value anywhere in the resource becomes one of any type."""
    resource = json.loads(data)
    holder, key = rng.choice(list(_places(resource)))
    holder[key] = rng.choice(VALUES)
    return json.dumps(resource, ensure_ascii=rng.random() < 0.5).encode()


def swap_number(data: bytes, rng: random.Random) -> bytes:
    """A number is written in another way; where there is none, a text becomes one."""
    resource = json.loads(data)
    places = list(_places(resource))
    numbers = [(h, k) for h, k in places if isinstance(h[k], int | float) and not isinstance(h[k], bool)]
    holder, key = rng.choice(numbers or places)
    holder[key] = "@number@"
    return json.dumps(resource).replace('"@number@"', rng.choice(NUMBERS)).encode()


def rename_key(data: bytes, rng: random.Random) -> bytes:
    resource = json.loads(data)
    name = rng.choice([name for name in resource if name != "resourceType"])
    made = [name.upper(), name.capitalize(), f"_{name}", f"{name} ", f"{name}\0", "\u017ftatus", f"{name}X"]
    resource[rng.choice(made)] = resource.pop(name) if rng.random() < 0.5 else rng.choice(VALUES)
    return json.dumps(resource).encode()


def drop_key(data: bytes, rng: random.Random) -> bytes:
    resource = json.loads(data)
    del resource[rng.choice(list(resource))]
    return json.dumps(resource).encode()


def repeat_key(data: bytes, rng: random.Random) -> bytes:
    """A key is there twice, at the top or in an object below."""
    name = rng.choice(list(json.loads(data)))
    value = json.dumps(rng.choice([*VALUES, json.loads(data)[name]]))
    at = rng.choice([n for n, byte in enumerate(data) if byte == ord("{") and data[n + 1 : n + 2] == b'"'])
    return data[: at + 1] + f'"{name}":{value},'.encode() + data[at + 1 :]


def repeat_inner_key(data: bytes, rng: random.Random) -> bytes:
    """An object below has its first key again."""
    starts = [n for n, byte in enumerate(data) if byte == ord("{") and data[n + 1 : n + 2] == b'"']
    at = rng.choice(starts)
    key = data[at + 1 : data.index(b'"', at + 2) + 1]
    return data[: at + 1] + key + b":" + json.dumps(rng.choice(VALUES)).encode() + b"," + data[at + 1 :]


def nest(data: bytes, rng: random.Random) -> bytes:
    depth = rng.choice([10, 300, 500, 900, 5000, 60_000])
    key, end = rng.choice([(b'"x":', b"}"), (b'"extension":[', b"]}")])
    return data[:-1] + b"," + (key + b"{") * depth + b'"y":1' + (b"}" + end[:-1]) * depth + b"}"


def lengthen(data: bytes, rng: random.Random) -> bytes:
    return data[:-1] + b',"note":[{"text":"' + b"n" * rng.randrange(1 << 21) + b'"}]}'


def recode(data: bytes, rng: random.Random) -> bytes:
    """The line as another program would write it: UTF-16, Latin-1, with a mark, with spaces."""
    text = data.decode()
    return rng.choice(
        [text.encode("utf-16-le"), text.encode("latin-1", "replace"), b"\xef\xbb\xbf" + data, b" \t" + data + b" \r",
         json.dumps(json.loads(text), ensure_ascii=True, sort_keys=True).encode()]
    )  # fmt: skip


MUTATIONS: list[Mutation] = [
    cut, cut_the_middle, flip, insert, double, swap_value, swap_value, swap_value, swap_number, rename_key, drop_key,
    repeat_key, repeat_inner_key, nest, lengthen, recode,
]  # fmt: skip


def _places(value: Any) -> Any:
    """Every place of the resource that holds a value: its holder and its key."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in list(items):
        yield value, key
        if isinstance(inner, dict | list) and inner:
            yield from _places(inner)
