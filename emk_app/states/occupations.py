"""The list of occupations as it is today: what ships, with its amendments."""

from __future__ import annotations

import reflex as rx

from emk_app import clock
from emk_app.domain import occupations
from emk_app.edge.policy import allow_anyone
from emk_app.presenting.reference import SHIPPED, GroupRow, groups


class OccupationsState(rx.State):
    """What can be chosen; at first what ships, so that a page without scripts shows it too."""

    groups: list[GroupRow] = SHIPPED

    @rx.event
    @allow_anyone
    def load(self):
        """Show the list of today; nothing is read, the process goes by it already."""
        found = groups(occupations.offered(clock.today()))
        if found != self.groups:
            self.groups = found
