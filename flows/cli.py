"""The command line: each command parses what the user asked for, and hands it to one function."""

from __future__ import annotations

import datetime as dt
import errno
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flows.errors import CoveError, SourceError, UserError
from flows.interruption import STOPPED, code_of_interruption, terminate
from flows.standard_output import exit_code_of, open_closed_streams, take_any_text

if TYPE_CHECKING:
    from flows.config_choice import Choice
    from flows.run import Request, Run

app = typer.Typer(
    name="cove",
    help="From hospitals' FHIR data to a payer's coverage-with-evidence report.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

StudyArgument = Annotated[
    str, typer.Argument(metavar="STUDY", help="A bundled study's id, or a folder with a protocol.yaml.")
]
FilesOption = Annotated[
    Path | None,
    typer.Option(
        "--files", envvar="COVE_FILES", help="Folder of FHIR files: one sub-folder a site, or none."
    ),
]
HomeOption = Annotated[
    Path | None,
    typer.Option(
        "--home",
        envvar="COVE_HOME",
        help="Where landing and the warehouse are kept. Default: the configuration's, else cove-home.",
    ),
]
ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config", envvar="COVE_CONFIG", help="The configuration; default: cove.toml of this folder."
    ),
]
OutOption = Annotated[
    Path, typer.Option("--out", envvar="COVE_OUT", help="The report's folder; replaced as a whole.")
]
CutoffOption = Annotated[
    str | None,
    typer.Option("--data-cutoff", envvar="COVE_DATA_CUTOFF", metavar="DATE", help="Nothing later counts."),
]
AsOfOption = Annotated[
    str | None,
    typer.Option("--as-of", envvar="COVE_AS_OF", metavar="TIME", help="Use what was landed by then."),
]
FullOption = Annotated[
    bool, typer.Option("--full", envvar="COVE_FULL", help="Start anew: not only what changed since.")
]
PrefectOption = Annotated[
    bool, typer.Option("--prefect", envvar="COVE_PREFECT", help="Run the steps as tasks of a Prefect flow.")
]

DEFAULT_OUT = Path("cove-report")
FULL_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@app.command()
def demo(
    out: OutOption = Path("cove-demo"),
    home: Annotated[
        Path | None, typer.Option("--home", envvar="COVE_DEMO_HOME", help="Default: OUT-home.")
    ] = None,
    prefect: PrefectOption = False,
) -> None:
    """Simulate eight hospitals, run the reference study on them, and say where the report is."""
    from flows.demo import run_demo

    _finish(run_demo(out.absolute(), home.absolute() if home else None, as_flow=prefect))


@app.command()
def run(
    context: typer.Context,
    study: StudyArgument,
    files: FilesOption = None,
    out: OutOption = DEFAULT_OUT,
    home: HomeOption = None,
    config: ConfigOption = None,
    data_cutoff: CutoffOption = None,
    as_of: AsOfOption = None,
    prefect: PrefectOption = False,
) -> None:
    """Pull from the sites or land files, map them, build the warehouse, and make the study's report."""
    from flows.execute import execute

    choice = _choice(context, config, home, files)
    request = _request(study, choice, out, data_cutoff, as_of)
    _finish(execute(request, as_flow=prefect))


@app.command()
def pull(config: ConfigOption = None, home: HomeOption = None, full: FullOption = False) -> None:
    """Pull from the sites of the configuration into the landing zone: what is new since the last pull."""
    from flows.config_choice import choose_to_pull
    from flows.execute import execute_pull

    raise typer.Exit(execute_pull(choose_to_pull(config=config, home=home), full=full))


@app.command()
def load(
    context: typer.Context,
    files: FilesOption = None,
    home: HomeOption = None,
    config: ConfigOption = None,
) -> None:
    """Land the files under --files, and map whatever landed and isn't mapped yet."""
    from flows.execute import execute_load

    raise typer.Exit(execute_load(_choice(context, config, home, files)))


@app.command()
def build(
    context: typer.Context,
    study: StudyArgument,
    home: HomeOption = None,
    config: ConfigOption = None,
    data_cutoff: CutoffOption = None,
    as_of: AsOfOption = None,
) -> None:
    """Build the warehouse with the study's tables from what is loaded, and publish it."""
    from flows.execute import execute
    from flows.steps import BUILD, LOAD

    request = _request(study, _choice(context, config, home), None, data_cutoff, as_of)
    _finish(execute(request, steps=(LOAD, BUILD)))


@app.command()
def report(
    context: typer.Context,
    study: StudyArgument,
    out: OutOption = DEFAULT_OUT,
    home: HomeOption = None,
    config: ConfigOption = None,
    data_cutoff: CutoffOption = None,
    as_of: AsOfOption = None,
) -> None:
    """Build the study from what is loaded, and make its report, without landing anything."""
    from flows.execute import execute
    from flows.steps import ANALYSE, BUILD, LOAD, REPORT

    request = _request(study, _choice(context, config, home), out, data_cutoff, as_of)
    _finish(execute(request, steps=(LOAD, BUILD, ANALYSE, REPORT)))


@app.command()
def check(context: typer.Context, home: HomeOption = None, config: ConfigOption = None) -> None:
    """Show what became of every resource received, by site, and what was quarantined or found."""
    from flows.checking import check_home

    raise typer.Exit(check_home(_choice(context, config, home).home.absolute(), sys.stdout))


@app.command()
def codes(
    context: typer.Context,
    study: Annotated[
        str | None, typer.Argument(metavar="STUDY", help="A study of the warehouse; default: all of them.")
    ] = None,
    site: Annotated[
        str | None, typer.Option("--site", envvar="COVE_SITE", help="One site; default: all of them.")
    ] = None,
    home: HomeOption = None,
    config: ConfigOption = None,
) -> None:
    """Show, by site, which source codes fed each concept, and which codes near it fed none."""
    from flows.codes import show_codes

    show_codes(_choice(context, config, home).home.absolute(), sys.stdout, study=study, site=site)


@app.command()
def trace(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A report's folder.")],
    analysis: Annotated[str, typer.Option("--analysis", envvar="COVE_ANALYSIS", help="As in results.csv.")],
    statistic: Annotated[
        str, typer.Option("--statistic", envvar="COVE_STATISTIC", help="As in results.csv.")
    ],
    group: Annotated[str, typer.Option("--group", envvar="COVE_GROUP", help="As in results.csv.")] = "all",
    level: Annotated[str, typer.Option("--level", envvar="COVE_LEVEL", help="As in results.csv.")] = "",
    show: Annotated[
        bool, typer.Option("--show", envvar="COVE_SHOW", help="Print the source lines: patients' data.")
    ] = False,
    home: Annotated[
        Path | None,
        typer.Option("--home", envvar="COVE_HOME", help="Default: the home that the report was made in."),
    ] = None,
    config: ConfigOption = None,
) -> None:
    """Lead a number back to the persons and the source lines that it is made of."""
    from flows.tracing import Question, trace_number

    # Not the configuration of the current folder: the report knows its home.
    root = home or (_choice(context, config, None).home if config else None)
    question = Question(analysis, statistic, group, level)
    trace_number(folder, question, home=root, show=show, stream=sys.stdout)


@app.command()
def view(
    definition: Annotated[Path, typer.Argument(metavar="VIEW.json", help="A ViewDefinition.")],
    files: Annotated[
        list[str] | None,
        typer.Argument(metavar="FILES...", help="FHIR files, folders or patterns; .gz and .zip too."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", envvar="COVE_VIEW_OUT", help="Write .parquet, .csv or .ndjson, not to the terminal."
        ),
    ] = None,
    decimals: Annotated[
        str, typer.Option("--decimals", envvar="COVE_DECIMALS", help="double, or exact: as text.")
    ] = "double",
    fhir_version: Annotated[
        str | None,
        typer.Option(
            "--fhir-version",
            envvar="COVE_FHIR_VERSION",
            help="R4, R4B or R5; default: seen in each resource.",
        ),
    ] = None,
    explain: Annotated[
        bool, typer.Option("--explain", envvar="COVE_EXPLAIN", help="Print the view's SQL, and run nothing.")
    ] = False,
) -> None:
    """Run a ViewDefinition alone over files: no study, no configuration, no home."""
    from flows.viewing import view_command

    code = view_command(
        definition, files or [], out=out, decimals=decimals, fhir_version=fhir_version, is_explained=explain
    )
    raise typer.Exit(code)


@app.command()
def sql(
    context: typer.Context,
    query: Annotated[
        str | None, typer.Argument(help="One statement; without it, read from a prompt.")
    ] = None,
    home: HomeOption = None,
    config: ConfigOption = None,
) -> None:
    """Query the published warehouse, read-only."""
    from flows.querying import prompt, run_query

    root = _choice(context, config, home).home.absolute()
    if query is None:
        prompt(root)
    else:
        run_query(root, query, sys.stdout)


@app.command()
def init(config: ConfigOption = None) -> None:
    """Write a configuration to fill in: every key, with what it means."""
    from flows.config_template import write_template

    _say(write_template(config))


@app.command()
def doctor(
    config: ConfigOption = None,
    site: Annotated[
        str | None, typer.Option("--site", envvar="COVE_SITE", help="One site; default: all of them.")
    ] = None,
) -> None:
    """Try each site before its first night, and say what would go wrong and what to do; nothing is pulled."""
    from flows.config_choice import choose_to_pull
    from flows.doctor.doctor import run_doctor

    choice = choose_to_pull(config=config, home=None)
    if choice.config is not None:
        raise typer.Exit(run_doctor(choice.config, choice.home.absolute(), site, sys.stdout))


def _request(
    study: str, choice: Choice, out: Path | None, data_cutoff: str | None, as_of: str | None
) -> Request:
    """The checked request of a study's run with what was chosen."""
    from flows.execute import request_of

    return request_of(
        study,
        home=choice.home,
        files=choice.files,
        out=out,
        data_cutoff=data_cutoff,
        as_of=as_of,
        config=choice.config,
    )


def _choice(
    context: typer.Context, config: Path | None, home: Path | None, files: Path | None = None
) -> Choice:
    """What the command works with, a flag before the environment."""
    from flows.config_choice import choose

    sources = {name: context.get_parameter_source(name) for name in context.params}
    flags = frozenset(name for name, source in sources.items() if source and source.name == "COMMANDLINE")
    return choose(config=config, home=home, files=files, flags=flags)


def _finish(ended: Run) -> None:
    """Tells what went wrong, and ends with the run's exit code."""
    for failure in ended.failures:
        _say(f"failed: {failure}")
    for problem in ended.problems:
        _say(f"problem: {problem}")
    raise typer.Exit(ended.exit_code)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)  # noqa: T201


def _stopped(code: int) -> int:
    if code == STOPPED:
        _say("stopped; run the same command again to go on")
    return code


def _defect(error: Exception) -> int:
    from flows.defects import write_defect

    _say(write_defect(error, dt.datetime.now(dt.UTC)))
    return CoveError.exit_code


def main() -> None:
    """Run the command line; every error becomes one line and its exit code."""
    signal.signal(signal.SIGTERM, terminate)
    open_closed_streams()
    take_any_text()
    from typer.exceptions import TyperException

    from studies.errors import StudyError

    try:
        code = app(standalone_mode=False)
        if code == STOPPED:
            # What Typer makes of Ctrl-C, without a word.
            _stopped(code)
        sys.stdout.flush()
    except SystemExit as ended:
        sys.exit(exit_code_of(ended))
    except StudyError as error:
        for line in error.errors:
            _say(line)
        sys.exit(UserError.exit_code)
    except CoveError as error:
        _say(str(error))
        sys.exit(error.exit_code)
    except (typer.Abort, KeyboardInterrupt):
        sys.exit(_stopped(STOPPED))
    except TyperException as error:
        _say(f"{error.format_message()} See `cove --help`.")
        sys.exit(UserError.exit_code)
    except OSError as error:
        if error.errno not in FULL_DISK:
            sys.exit(_defect(error))
        _say(f"the output can't be written ({error.strerror}); free space, and run again")
        sys.exit(SourceError.exit_code)
    except Exception as error:  # noqa: BLE001 - the last resort: whatever it is, the user gets one line
        code = code_of_interruption(error)
        sys.exit(_defect(error) if code is None else _stopped(code))
    sys.exit(code or 0)
