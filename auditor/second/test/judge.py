"""Judges the folders named on standard input, one a line, and after a tab a batch by itself: many in one process, which the tests need."""
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))
from audit import Audit  # noqa: E402

for line in sys.stdin:
    folder, *batch = line.rstrip("\n").split("\t")
    result = Audit(folder).run(*batch)
    print(json.dumps({"verdict": result["verdict"], "rules": [finding["rule"] for finding in result["findings"]]}))
