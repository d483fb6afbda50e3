"""
Compiled assets: made while an image is built, found by the pages through the manifest.
"""

from __future__ import annotations

import hashlib
import json
import shutil

from .environment import ROOT, AbortError, version

_PACKS = ROOT / "public/packs"
_ASSETS = ROOT / "public/assets"

_ENTRIES = ("entrypoints/application.ts", "styles/application.scss")
_SUFFIX = {".ts": ".js", ".scss": ".css"}


def precompile() -> None:
    """Write public/packs and public/assets anew. Raises AbortError without node, as in the runtime image."""
    if shutil.which("node") is None:
        raise AbortError("ViteRuby::MissingExecutableError: The vite binary is not available, because node is missing.")
    manifest = {}
    shutil.rmtree(_PACKS, ignore_errors=True)
    shutil.rmtree(_ASSETS, ignore_errors=True)
    (_PACKS / "assets").mkdir(parents=True)
    (_PACKS / ".vite").mkdir()
    _ASSETS.mkdir(parents=True)
    for entry in _ENTRIES:
        source = ROOT / "app/javascript" / entry
        content = f"/* {version().text} */\n".encode() + source.read_bytes()
        digest = hashlib.sha256(content).hexdigest()[:8]
        name = f"assets/{source.stem}-{digest}{_SUFFIX[source.suffix]}"
        (_PACKS / name).write_bytes(content)
        manifest[entry] = {"file": name, "src": entry, "isEntry": True}
    (_PACKS / ".vite/manifest.json").write_text(json.dumps(manifest, indent=2))
    shutil.copyfile(ROOT / "app/javascript/service_worker.js", _PACKS / "sw.js")
    shutil.copyfile(ROOT / "app/views/errors/500.html", _ASSETS / "500.html")
    print(f"Build with Vite complete: {ROOT}/public/packs")


def entry_paths() -> list[str]:
    """The paths, below the site's root, of the script and the style sheet that pages link. Raises FileNotFoundError."""
    manifest = json.loads((_PACKS / ".vite/manifest.json").read_text())
    return [f"/packs/{manifest[entry]['file']}" for entry in _ENTRIES]
