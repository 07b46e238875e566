"""What our production build changes in what vite has made, before the framework presses it."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Final, Unpack

from reflex_base.plugins import Plugin
from reflex_base.plugins.base import PostBuildContext

ROOT: Final = Path(__file__).resolve().parents[1]
SMALLER: Final = ROOT / "emk_app" / "bundled" / "smaller.mjs"


class Finish(Plugin):
    """Make our own scripts small, and give each page the styles that it begins with."""

    def post_build(self, **context: Unpack[PostBuildContext]) -> None:
        """Change what is there."""
        # Here, because the application asks for the settings that name this class.
        from emk_app.api import shells

        built = context["static_dir"].resolve()
        scripts = [built / path.name for path in (ROOT / "assets").glob("*.js")]
        # In the folder that has vite, which makes them small.
        subprocess.run(["node", SMALLER, *scripts], cwd=built.parents[1], check=True)
        shells.dress(built)
