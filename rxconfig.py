"""What Reflex is told; everything that differs between machines comes from the settings."""

from __future__ import annotations

import reflex as rx

from emk_app.bundling import SameOrigin
from emk_app.settings import settings

STATES = rx.constants.StateManagerMode

config = rx.Config(
    app_name="emk_app",
    # Only its form matters: SameOrigin puts the browser's own host and port here.
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
        rx.plugins.TailwindV4Plugin(config={"plugins": ["daisyui@5.8.1"]}),
        SameOrigin(),
    ],
    disable_plugins=[rx.plugins.SitemapPlugin],
)
