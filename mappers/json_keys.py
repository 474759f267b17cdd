"""The keys of a JSON object as it is written, where a reader would take the last of two without a word."""

import itertools
import json
import mmap
import re
from collections import Counter
from collections.abc import Iterator

Buffer = bytes | memoryview | mmap.mmap

# A string ends with its line at the latest: a missing quote costs one entry of a pretty-printed bundle.
TOKEN = re.compile(rb'"(?:[^"\\\n]|\\.)*+"|[{}\[\]]')
COLON = re.compile(rb"\s*:")
ESCAPED_LETTER = re.compile(rb"\\u00[4-7]")  # of an ASCII one, which nobody needs to write so


def has_key_twice(text: Buffer, *keys: bytes) -> bool:
    """Whether a JSON object has one of these keys twice: readers would take the last without a word.

    Only its own keys count. It is walked only where a key stands more than once anywhere in the text, or may be
    spelt with escapes.
    """
    if not any(_stands_twice(text, b'"%b"' % key) for key in keys) and not has_escaped_letter(text):
        return False
    found = Counter(map(_as_meant, own_keys(text)))
    return any(found[b'"%b"' % key] > 1 for key in keys)


def has_escaped_letter(text: Buffer) -> bool:
    """Whether a key may be spelt with an escape."""
    return ESCAPED_LETTER.search(text) is not None


def _as_meant(key: bytes) -> bytes:
    """The key without escapes, where it is written with some that JSON knows."""
    if b"\\" not in key:
        return key
    try:
        return json.dumps(json.loads(key), ensure_ascii=False).encode(errors="replace")
    except ValueError:
        return key


def _stands_twice(text: Buffer, key: bytes) -> bool:
    if isinstance(text, bytes):
        return text.count(key) > 1
    return sum(1 for _ in itertools.islice(re.finditer(key, text), 2)) > 1


def own_keys(text: Buffer) -> Iterator[bytes]:
    """The keys of a JSON object, not of those within it, with their quotes."""
    depth = 0
    for token in TOKEN.finditer(text):
        kind = token[0][:1]
        if kind in b"{[":
            depth += 1
        elif kind in b"}]":
            depth -= 1
        elif depth == 1 and COLON.match(text, token.end()):
            yield token[0]
