"""The report as a reader meets it: in a browser without a network, wide and narrow, and on paper."""

from __future__ import annotations

import itertools
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.rendering.reports import bare_report, drawn_report, hostile_report, texts_of

pytestmark = pytest.mark.slow

SHOWN = "elements => elements.map(e => [e.getAttribute('data-result'), e.textContent])"
BANNER = "Simulated data"
# A4 at 96 pixels an inch, without the page's margins of 14 mm.
PAPER_WIDTH = round((210 - 28) / 25.4 * 96)


@pytest.mark.parametrize("make", [drawn_report, bare_report, hostile_report])
def test_it_opens_without_a_network_an_error_or_a_request(
    make: Callable[[], Any], open_report: Callable[..., Any]
) -> None:
    opened = open_report(make())
    opened.page.wait_for_load_state("load")
    assert opened.messages == []
    assert [url for url in opened.requests if not url.startswith(("file:", "data:"))] == []


def test_each_number_is_the_text_of_its_row_and_every_row_is_there(open_report: Callable[..., Any]) -> None:
    report = drawn_report()
    shown = open_report(report).page.eval_on_selector_all("[data-result]", SHOWN)
    expected = texts_of(report.results)
    assert {key for key, _ in shown} == set(expected)
    assert [key for key, text in shown if text != expected[key]] == []


def test_names_from_sources_make_no_element(open_report: Callable[..., Any]) -> None:
    page = open_report(hostile_report()).page
    assert page.locator("script, img, iframe, object").count() == 0
    assert page.get_by_text("<script>alert(1)</script>").count() > 5


@pytest.mark.parametrize("width", [1280, 400])
def test_axe_finds_no_serious_violation(width: int, open_report: Callable[..., Any]) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe isn't installed")
    page = open_report(drawn_report(simulated=True), width=width).page
    found = axe.Axe().run(page).response["violations"]
    assert [(rule["id"], rule["help"]) for rule in found if rule["impact"] in ("serious", "critical")] == []


def test_headings_go_down_one_step_at_a_time(open_report: Callable[..., Any]) -> None:
    page = open_report(drawn_report()).page
    levels = page.eval_on_selector_all("h1, h2, h3, h4", "all => all.map(e => Number(e.tagName[1]))")
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))


@pytest.mark.parametrize("width", [1280, 400])
def test_the_simulated_banner_stays_in_view_to_the_end(width: int, open_report: Callable[..., Any]) -> None:
    page = open_report(drawn_report(simulated=True), width=width).page
    banner = page.locator(".simulated")
    for share in (0, 0.5, 1):
        page.evaluate("share => window.scrollTo(0, share * document.body.scrollHeight)", share)
        box = banner.bounding_box()
        assert box is not None
        assert 0 <= box["y"] < 1
        assert banner.is_visible()


@pytest.mark.parametrize("make", [drawn_report, bare_report])
def test_the_page_is_no_wider_than_a_telephone(
    make: Callable[[], Any], open_report: Callable[..., Any]
) -> None:
    page = open_report(make(), width=400).page
    assert page.evaluate("document.documentElement.scrollWidth") <= 400


@pytest.mark.parametrize("make", [drawn_report, hostile_report])
def test_no_table_is_wider_than_the_paper(make: Callable[[], Any], open_report: Callable[..., Any]) -> None:
    page = open_report(make(), width=PAPER_WIDTH).page
    page.emulate_media(media="print")
    wide = page.eval_on_selector_all(
        "table, svg",
        "(all, width) => all.filter(e => e.getBoundingClientRect().right > width + 1)"
        ".map(e => (e.closest('[id]') || e).id)",
        PAPER_WIDTH,
    )
    assert wide == []


def test_every_printed_page_says_that_the_data_are_simulated(
    tmp_path: Path, open_report: Callable[..., Any]
) -> None:
    pages = printed(open_report(drawn_report(simulated=True)).page, tmp_path)
    assert len(pages) > 10
    assert [i for i, text in enumerate(pages, 1) if BANNER.lower() not in text.lower()] == []


def test_what_has_to_be_scrolled_on_the_screen_is_printed_whole(
    tmp_path: Path, open_report: Callable[..., Any]
) -> None:
    pages = printed(open_report(drawn_report()).page, tmp_path)
    told = "".join(pages)
    assert "attrition" in told
    assert "time_to_remission" in told
    assert not any(BANNER.lower() in text.lower() for text in pages)


def printed(page: Any, folder: Path) -> list[str]:
    """The text of each page on paper."""
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext isn't installed")
    path = folder / "report.pdf"
    page.pdf(path=str(path), prefer_css_page_size=True)
    told = subprocess.run(["pdftotext", path, "-"], capture_output=True, check=True, text=True)
    return told.stdout.removesuffix("\f").split("\f")
