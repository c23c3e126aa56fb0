"""Verifies a folder of evidence with one thing in it changed, time after time: many in one process, which the tests need. Each line
of standard input is ["logs.ndjson", which line, what it is] or [a batch's name, which bit is turned, whether its name is, too]."""
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))
from audit import Audit  # noqa: E402
from batches import sha256, text  # noqa: E402

FOLDER = Path(sys.argv[1])
KNOWN = {path.name: list(map(json.loads, path.read_text().splitlines())) for path in FOLDER.glob("*.ndjson")}


class Changed(Audit):
    change = (None, 0, None)

    def lines(self, name):
        file, at, other = self.change
        return (other if (name, i) == (file, at) else each for i, each in enumerate(KNOWN[name]))


def with_line(change):
    audit = Changed(FOLDER)
    audit.change = change
    return audit.run()


def with_bit(name, bit, is_named):
    path = FOLDER / "batches" / name
    honest = path.read_bytes()
    bent = bytearray(honest)
    bent[bit >> 3] ^= 1 << (bit & 7)
    other = FOLDER / "batches" / (text(sha256(bent)) if is_named else name)
    path.unlink()
    other.write_bytes(bent)
    try:
        return Changed(FOLDER).run()
    finally:
        other.unlink()
        path.write_bytes(honest)


for line in sys.stdin:
    file, at, what = json.loads(line)
    result = with_line((file, at, what)) if file in KNOWN else with_bit(file, at, what)
    print(result["verdict"])
