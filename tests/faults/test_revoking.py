"""What one process has acknowledged, every scan that begins later in another one sees."""

from __future__ import annotations

import re

import httpx

from tests.running import Server

LINKS = 20
BACKSTAGE = "tests.faults.backstage"


def test_revocation_in_one_process_is_seen_by_every_later_scan_in_another(server: Server):
    links = server.ask(f"{BACKSTAGE}:links_to_a_book", LINKS)
    with httpx.Client(base_url=server.origin) as scanner:

        def verdict(code: str) -> str:
            return scanner.get(f"/api/verify/{code}").json()["verdict"]

        for _, code in links:
            assert verdict(code) == "valid"
        for link_id, code in links[:-1]:
            server.ask(f"{BACKSTAGE}:close_link", link_id)
            assert verdict(code) == "link_revoked"
        _, last = links[-1]
        assert verdict(last) == "valid"
        page = scanner.get(f"/v/{last}").text
        server.ask(f"{BACKSTAGE}:revoke_book")
        assert verdict(last) == "revoked"

        # An open page keeps no server from stopping.
        (address,) = re.findall(r'data-live="([^"]+)"', page)
        with scanner.stream("GET", address.replace("&amp;", "&")) as stream:
            said = stream.iter_lines()
            assert next(line for line in said if line.startswith("event")) == "event: verdict"
            process = server.tell_to_stop()
            assert not [line for line in said if line.startswith("event")]
        assert process.wait(20) == 0
    assert "Killing" not in server.log()
