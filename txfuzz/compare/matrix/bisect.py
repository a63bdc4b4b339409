"""Between which two neighbouring versions a finding appears or disappears."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from txfuzz.common.sentences import listed


@dataclass(frozen=True)
class Bisection:
    """asked: version → whether it shows the finding; None: not known. between: the two versions, old and new,
    between which that changes, with nothing but unknown ones in between; None where it does not change."""

    asked: dict[str, bool | None]
    between: tuple[str, str] | None = None

    @property
    def text(self) -> str:
        """One sentence."""
        unsure = [version for version, shows in self.asked.items() if shows is None]
        doubt = f" {listed(unsure)} could not be judged." if unsure else ""
        if self.between is not None:
            old, new = self.between
            how = "appears" if self.asked[new] else "disappears"
            return f"It {how} between {old} and {new}.{doubt}"
        known = [shows for shows in self.asked.values() if shows is not None]
        if not known:
            return f"It could not be judged at any version.{doubt}"
        said = "every version" if known[0] else "no version"
        return f"It shows at {said} that was asked ({listed(self.asked)}).{doubt}"


def bisect(versions: Sequence[str], ask: Callable[[str], bool | None]) -> Bisection:
    """Ask the oldest and the newest, then always one in the middle of two that differ. Where the ends agree,
    every version is asked in turn, since a finding can come and go again.

    versions: from old to new. ask: whether a version shows the finding; None where that cannot be said, such
    a version is passed over.
    """
    asked: dict[str, bool | None] = {}

    def told(version: str) -> bool | None:
        if version not in asked:
            asked[version] = ask(version)
        return asked[version]

    left = next((at for at in range(len(versions)) if told(versions[at]) is not None), None)
    if left is None:
        return Bisection(asked)
    right = next(at for at in range(len(versions) - 1, -1, -1) if told(versions[at]) is not None)
    if told(versions[left]) == told(versions[right]):
        for at in range(left, right + 1):
            if told(versions[at]) is not None and told(versions[at]) != told(versions[left]):
                right = at
                break
        else:
            return Bisection(_in_order(versions, asked))
    while True:
        middle = _nearest_known(left, right, versions, told)
        if middle is None:
            return Bisection(_in_order(versions, asked), (versions[left], versions[right]))
        if told(versions[middle]) == told(versions[left]):
            left = middle
        else:
            right = middle


def _nearest_known(
    left: int, right: int, versions: Sequence[str], told: Callable[[str], bool | None]
) -> int | None:
    """A version between the two that can be judged, nearest to the middle."""
    middle = (left + right) / 2
    for at in sorted(range(left + 1, right), key=lambda each: abs(each - middle)):
        if told(versions[at]) is not None:
            return at
    return None


def _in_order(versions: Sequence[str], asked: dict[str, bool | None]) -> dict[str, bool | None]:
    return {version: asked[version] for version in versions if version in asked}
