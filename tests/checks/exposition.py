"""The text formats, read line by line: samples by name and labels. It judges nothing; promtool and
prometheus-client are the judges (formats.py)."""

import re

SAMPLE = re.compile(r"^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$")
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"(?:,|$)')
ESCAPE = re.compile(r"\\(.)")


class Samples(dict):
    """(name, frozenset of (label, value)) -> value."""

    def family(self, name):
        """The series of one name: {labels as a dict-like frozenset: value}."""
        return {labels: value for (own, labels), value in self.items() if own == name}

    def value(self, name, **labels):
        """The value of one series, or None."""
        return self.get((name, frozenset(labels.items())))

    def names(self):
        return {name for name, _ in self}


def unescape(text):
    return ESCAPE.sub(lambda found: {"n": "\n"}.get(found.group(1), found.group(1)), text)


def read(text):
    """Every sample; a line that is neither a sample nor a comment is an error."""
    samples = Samples()
    for line in text.splitlines():
        if not line or line.startswith("#"):
            continue
        found = SAMPLE.match(line)
        if not found:
            raise ValueError(f"not a sample: {line!r}")
        name, labels, value = found.groups()
        pairs = frozenset((key, unescape(text)) for key, text in LABEL.findall(labels or ""))
        if (name, pairs) in samples:
            raise ValueError(f"a series stands twice: {line!r}")
        samples[(name, pairs)] = float(value)
    return samples
