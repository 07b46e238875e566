"""What Reflex is told; everything that differs between machines comes from the settings."""

from __future__ import annotations

import reflex as rx

from emk_app.bundling import OwnBundle, OwnSocket
from emk_app.finishing import Finish
from emk_app.settings import settings

STATES = rx.constants.StateManagerMode

config = rx.Config(
    app_name="emk_app",
    # Only its form matters: OwnSocket puts the browser's own host and port here.
    api_url="http://localhost:8000",
    deploy_url=None,
    backend_host=settings().host,
    backend_port=settings().port,
    cors_allowed_origins=[settings().origin],
    trusted_proxy_hops=settings().trusted_proxy_hops,
    redis_url=settings().redis_url,
    state_manager_mode=STATES.REDIS if settings().redis_url else STATES.MEMORY,
    telemetry_enabled=False,
    show_built_with_reflex=False,
    frontend_compression_formats=["brotli", "gzip"],
    frontend_lazy_bundled_libraries=True,
    plugins=[
        # The colours are our own (assets/emk.css), and only these parts of daisyUI are used:
        # without the list it would answer to every "table" and "select" among the tags.
        rx.plugins.TailwindV4Plugin(
            config={
                "plugins": [
                    {
                        "name": "daisyui@5.8.1",
                        "import": {"name": "default as daisyui", "from": "daisyui@5.8.1"},
                        "call": "daisyui",
                        "args": {
                            "themes": False,
                            "logs": False,
                            "include": ["button", "input", "checkbox", "radio"],
                        },
                    }
                ]
            }
        ),
        OwnSocket(),
        OwnBundle(),
        Finish(),
    ],
    disable_plugins=[rx.plugins.SitemapPlugin],
)
