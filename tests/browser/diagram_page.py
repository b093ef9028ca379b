"""A page with nothing but a diagram, under the policy of the report's page."""

from __future__ import annotations

import json
from base64 import b64encode
from hashlib import sha256
from pathlib import Path

PAGE = Path(__file__).parent.parent.parent / "convcalc" / "page"
MOUNT = """
const graph = JSON.parse(document.getElementById("convcalc-data").textContent);
window.chosen = [];
const options = JSON.parse(document.body.dataset.options);
const started = performance.now();
const onSelect = (path) => window.chosen.push(path);
window.diagram = convcalc.diagram.mount(document.getElementById("diagram"), graph, {...options, onSelect});
window.diagram.ready.then(() => { window.milliseconds = performance.now() - started; });
"""


def diagram_page(graph: object, *, workers: bool = True, **options: object) -> str:
    """The text of the page; `options` are those of `mount`."""
    script = (PAGE / "scripts" / "diagram.js").read_text("utf-8")
    style = (PAGE / "styles" / "diagram.css").read_text("utf-8")
    hashes = " ".join(_hashed(text) for text in (script, MOUNT))
    policy = f"default-src 'none'; script-src {hashes}; style-src {_hashed(style)}; img-src data:; worker-src "
    policy += "blob:" if workers else "'none'"
    data = json.dumps(graph).replace("<", "\\u003c")
    given = json.dumps(options).replace('"', "&quot;")
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Diagram</title>
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="color-scheme" content="light dark">
<style>{style}</style></head>
<body data-options="{given}"><main><h1>Diagram</h1><div id="diagram"></div></main>
<script type="application/json" id="convcalc-data">{data}</script>
<script>{script}</script><script>{MOUNT}</script></body></html>
"""


def _hashed(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"
