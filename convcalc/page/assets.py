"""What the page carries: styles, scripts, pictures, and the policy that lets it have these and nothing else."""

from __future__ import annotations

import re
from base64 import b64encode
from hashlib import sha256
from pathlib import Path

HERE = Path(__file__).parent
SCRIPTS = ("diagram.js", "page.js")
"""Those of a report, in the order in which they run: what offers something before the page's own."""


def styles_text() -> str:
    """The style sheet, without blanks and remarks.

    >>> "/*" in styles_text(), ": root" in styles_text()
    (False, False)
    """
    text = "\n".join(path.read_text("utf-8") for path in sorted((HERE / "styles").glob("*.css")))
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
    return re.sub(r"\s*([{};,>])\s*|\s*\n\s*", lambda match: match[1] or " ", text).strip()


def scripts_texts() -> list[str]:
    """The scripts in the order in which they run."""
    return [script_text(name) for name in SCRIPTS]


def script_text(name: str) -> str:
    """A script as it stands in a page."""
    return (HERE / "scripts" / name).read_text("utf-8").strip()


def policy(style: str, scripts: list[str]) -> str:
    """The Content-Security-Policy: this style, these scripts, pictures that stand in the page, and nothing else.

    >>> policy("", []).split("; ")[0]
    "default-src 'none'"
    """
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src {' '.join(map(_hashed, scripts))}",
            f"style-src {_hashed(style)}",
            "img-src data:",
            "worker-src blob:",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )


def _hashed(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


def picture(svg: str) -> str:
    """A drawing as the address of a picture: its styles are its own, and nothing in it runs."""
    return f"data:image/svg+xml;base64,{b64encode(svg.encode()).decode()}"
