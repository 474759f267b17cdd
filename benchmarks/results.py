"""The lines that the benchmark prints: a measurement each, and at the end what was to be reached."""

from __future__ import annotations

from dataclasses import dataclass, field

HEADER = f"{'':44} {'resources':>10} {'seconds':>8} {'a second':>10} {'MB/s':>6} {'peak MB':>8}"


@dataclass(frozen=True)
class Target:
    """What was to be reached, what was measured, and whether it is enough (None: not measured in this run)."""

    name: str
    found: str
    is_reached: bool | None


@dataclass
class Results:
    """Prints as it goes, and keeps the targets for the end."""

    targets: list[Target] = field(default_factory=list)

    def section(self, title: str) -> None:
        print(f"\n{title}\n{HEADER}", flush=True)

    def line(
        self, name: str, count: int, seconds: float, *, size: int | None = None, peak: float | None = None
    ) -> None:
        speed = f"{size / seconds / 1e6:6,.0f}" if size else " " * 6
        memory = f"{peak:8,.0f}" if peak else ""
        print(
            f"  {name:42} {count:10,} {seconds:8.2f} {count / seconds:10,.0f} {speed} {memory}".rstrip(),
            flush=True,
        )

    def note(self, text: str) -> None:
        print(f"  {text}", flush=True)

    def target(self, name: str, found: str, is_reached: bool | None) -> None:
        self.targets.append(Target(name, found, is_reached))

    def at_least(self, name: str, found: float, least: float, unit: str = "") -> None:
        self.target(name, f"{found:,.2f}{unit}", found >= least)

    def at_most(self, name: str, found: float, most: float, unit: str = "") -> None:
        self.target(name, f"{found:,.2f}{unit}", found <= most)

    def memory_within(self, name: str, peak: float | None, most: float) -> None:
        if peak is None:
            self.target(name, "can't be measured on this system", None)
        else:
            self.target(name, f"{peak:,.0f} MB", peak <= most)

    def summary(self) -> None:
        """Every target on a line."""
        print("\nTo reach")
        for target in self.targets:
            verdict = {True: "reached", False: "NOT reached", None: "not measured"}[target.is_reached]
            print(f"  {verdict:12} {target.name}: {target.found}")
