"""The list of occupations as it is today: what ships, with its amendments."""

from __future__ import annotations

import reflex as rx

from emk_app import clock
from emk_app.domain import occupations
from emk_app.edge.policy import allow_anyone
from emk_app.presenting.reference import SHIPPED, GroupRow, groups


class OccupationsState(rx.State):
    """What can be chosen, where it is not what ships."""

    groups: list[GroupRow] = []
    """Empty where nothing is amended: those pages that need it have what ships, and every page
    brings what states begin with.
    """

    @rx.event
    @allow_anyone
    def load(self):
        """Show the list of today; nothing is read, the process goes by it already."""
        found = groups(occupations.offered(clock.today()))
        amended = [] if found == SHIPPED else found
        if amended != self.groups:
            self.groups = amended
