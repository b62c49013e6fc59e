"""Put the table that `provider-conformance prove` wrote into README.md, and the page of failures into docs/.

python tools/paste_proof.py provider-conformance-proof/prove.md
"""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path

README = Path(__file__).resolve().parent.parent / "README.md"
PLACE = re.compile(r"(?<=<!-- proof -->\n\n).*?(?=\n\n<!-- end of proof -->)", re.DOTALL)


def pasted(readme: str, table: str) -> str:
    """Return the text of the README with another table; raises ValueError when it has no place for one."""
    text, places = PLACE.subn(lambda _: table.strip(), readme)
    if places != 1:
        raise ValueError("README.md has no lines <!-- proof --> and <!-- end of proof --> to put the table between")
    return text


if __name__ == "__main__":
    table = Path(sys.argv[1]).read_text("utf-8")
    README.write_text(pasted(README.read_text("utf-8"), table), "utf-8")
    shutil.copyfile(Path(sys.argv[1]).with_name("failures.md"), README.with_name("docs") / "failures.md")
