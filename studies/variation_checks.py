"""What is wrong with a protocol's sensitivity analyses, told at the line of the change."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from pydantic import ValidationError

from studies.criteria_checks import Problem
from studies.explaining import problems_of
from studies.marked_yaml import KeyPath, key_text
from studies.nearest import did_you_mean
from studies.protocol import Protocol
from studies.variations import UnknownKey, changed_key, varied_protocol
from studies.varied_analyses import analysis_sources

ProblemsOf = Callable[[Protocol], Iterable[Problem]]


def variation_problems(protocol: Protocol, problems: ProblemsOf) -> Iterator[Problem]:
    """Every problem of the sensitivity analyses, with the path of the key that it is at.

    `problems` gives those of a protocol; a variation is told of those that the protocol doesn't have itself.
    """
    own = {path for path, _ in problems(protocol)} if protocol.sensitivity else set()
    for name in protocol.sensitivity:
        yield from _useless(protocol, name)
        try:
            varied = varied_protocol(protocol, name)
        except UnknownKey as error:
            yield ("sensitivity", name, "change", error.key), str(error)
        except ValidationError as error:
            yield from (_placed(protocol, name, path, said) for path, said in problems_of(error))
        else:
            new = [(path, said) for path, said in problems(varied) if path not in own]
            yield from (_placed(protocol, name, path, said) for path, said in new)
            yield from _unknown_analyses(protocol, varied, name)


def _useless(protocol: Protocol, name: str) -> Iterator[Problem]:
    variation = protocol.sensitivity[name]
    if not variation.change and variation.persons == "all" and variation.leave_out is None:
        yield ("sensitivity", name), "varies nothing; write `change`, `persons` or `leave_out`"
    if variation.persons == "evaluable" and protocol.response is None:
        yield ("sensitivity", name, "persons"), "needs a section `response`; add it, or write all"


def _placed(protocol: Protocol, name: str, path: KeyPath, said: str) -> Problem:
    at = changed_key(protocol, name, path)
    return (at, said) if at else (("sensitivity", name), f"with its changes {key_text(path)}: {said}")


def _unknown_analyses(protocol: Protocol, varied: Protocol, name: str) -> Iterator[Problem]:
    known = analysis_sources(varied)
    analyses = protocol.sensitivity[name].analyses
    for number, analysis in enumerate(analyses):
        path: KeyPath = ("sensitivity", name, "analyses", number)
        if analysis not in known:
            yield (
                path,
                f'"{analysis}" is no analysis that can be given again; {did_you_mean(analysis, known)}',
            )
        if analysis in analyses[:number]:
            yield path, f'"{analysis}" stands here twice; remove one'
