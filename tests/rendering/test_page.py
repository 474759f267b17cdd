"""The page, read without a browser: every row is in it, in a reader's order, and nothing of a source is markup."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from reports.rendering.html import Report, figures_of, render_html
from tests.rendering.reports import (
    IMAGE,
    SCRIPT,
    Page,
    bare_report,
    drawn_report,
    hostile_report,
    report_of,
    texts_of,
)
from tests.statistics_results.drawn_study import drawn_frames, only, reference_protocol


@pytest.mark.parametrize("make", [drawn_report, bare_report, hostile_report])
def test_every_row_of_the_results_is_shown_with_its_text(make: Callable[[], Report]) -> None:
    report = make()
    page, expected = Page(render_html(report)), texts_of(report.results)
    assert {key for key, _ in page.shown} == set(expected)
    assert [(key, text) for key, text in page.shown if expected[key] != text] == []


def test_the_main_numbers_stand_in_tables_beside_the_table_of_all() -> None:
    report = drawn_report()
    shown = [key for key, _ in Page(render_html(report)).shown]
    # A caution that several numbers of a table have stands under it once.
    # Of a sensitivity analysis the main number stands beside the primary; not each method, nor ranges.
    aside = ("|warning_", "sensitivity.")
    once = {key for key in shown if shown.count(key) == 1 and not any(part in key for part in aside)}
    # The tables by site show the main results; the rest of a site's rows stand in the table of all.
    assert {key.split("|")[2].partition("=")[0] for key in once} <= {"site", "hsct"}
    assert not [key for key in once if key.split("|")[2] == "all"]


def test_cautions_stand_under_the_tables_of_their_numbers_with_the_lines_that_they_are_about() -> None:
    html = render_html(drawn_report())
    ratios = html.split('id="table-14-2-6a"')[1].split("</div>\n<div")[0]
    notes = re.findall(r'<p class="note">(.*?)</p>', ratios)
    naive = "survival_by_hsct|treated|all|naive|warning_immortal_time|"
    assert any(note.startswith(f'Naive (biased): <span data-result="{naive}">Biased') for note in notes)
    assert any(
        note.startswith("Naive (biased); Landmark at day 30; ") and "10 events" in note for note in notes
    )
    rates = html.split('id="table-14-3-1i"')[1].split("</section>")[0]
    assert "they are too narrow" in rates


def test_a_study_without_a_part_has_no_empty_table_and_no_heading_of_it() -> None:
    html = render_html(bare_report())
    tables = re.findall(r"<tbody>(.*?)</tbody>", html, re.DOTALL)
    assert all("<td" in table for table in tables)
    for absent in ("Response", "Survival by", "Adverse", "adverse events", "Laboratory", "Sensitivity"):
        assert f"</span> {absent}" not in html
    assert "Contract thresholds" not in html
    assert "HSCT: yes" not in html


def test_each_number_of_a_sensitivity_analysis_stands_beside_the_primary_with_its_reason() -> None:
    html = render_html(drawn_report())
    body = html.split('id="table-14-2-10a"')[1].split("</table>")[0]
    headings = re.findall(r'<tr class="heading">.*?>([^<]*)</th></tr>', body)
    assert headings == [
        "Evaluable. Who can&#39;t be evaluated counts as no responder; here they are left out.",
        "Without site. One centre may carry the result; here each is left out in turn.",
    ]
    evaluable = body.split("</tr>")[3]
    assert re.findall(r'data-result="([^"]*)">([^<]*)<', evaluable) == [
        ("sensitivity.evaluable|treated|all||n|", "3"),
        ("sensitivity.evaluable|treated|all||denominator|", "5"),
        ("sensitivity.evaluable|treated|all||percent|clopper-pearson", "60.0"),
        # Exact limits of 3 of 5 and 3 of 8, as R's binom.test gives them.
        ("sensitivity.evaluable|treated|all||ci_low|clopper-pearson", "14.7"),
        ("sensitivity.evaluable|treated|all||ci_high|clopper-pearson", "94.7"),
        ("response.remission|treated|all||percent|clopper-pearson", "37.5"),
        ("response.remission|treated|all||ci_low|clopper-pearson", "8.5"),
        ("response.remission|treated|all||ci_high|clopper-pearson", "75.5"),
    ]
    assert "Overall survival, without north" in body


def test_a_study_with_every_part_has_its_sections_in_the_order_of_ich_e3() -> None:
    numbers = re.findall(r'-title"><span class="number">([^<]+)<', render_html(drawn_report()))
    assert numbers == [
        "1", "14.1.1", "14.1.2", "14.1.3", "14.1.5", "14.1.6", "14.2.1", "14.2.2", "14.2.3", "14.2.4",
        "14.2.5", "14.2.6", "14.2.7", "14.2.8", "14.2.9", "14.2.10", "14.3.1", "14.3.2", "14.3.4", "A", "D", "E", "F",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("table", "labels"),
    [
        ("14-1-1a", ["Known to the sources", "Diagnosed", "Treated"]),
        ("14-1-1b", ["Treated", "Completed follow-up", "HSCT", "Died", "New therapy"]),
        ("14-2-1a", ["CR", "CRp", "PR", "NR", "NE"]),
        (
            "14-2-1c",
            ["No assessment", "ANC missing", "Platelet count missing", "Baseline marrow blasts missing"],
        ),
        ("14-2-4b", ["Week 4", "Week 8", "Week 12", "Week 26", "Week 52", "Week 104"]),
        ("14-3-1b", ["Infections", "Cardiac"]),
        ("14-3-1c", ["Sepsis", "Arrest", "Mycosis"]),
        (
            "14-3-2",
            [
                "All deaths",
                "Due to a treatment-emergent event",
                "Within 30 days of the last dose",
                "Later",
                "After HSCT",
            ],
        ),
    ],
)
def test_levels_stand_in_the_order_that_a_reader_expects(table: str, labels: list[str]) -> None:
    assert labels_of(render_html(drawn_report()), table) == labels


def labels_of(html: str, table: str) -> list[str]:
    body = html.split(f'id="table-{table}"')[1].split("</table>")[0]
    return re.findall(r'<th scope="row">([^<]*)</th>', body)


def test_declared_levels_without_a_person_print_zero() -> None:
    html = render_html(drawn_report())
    assert 'data-result="response.not_evaluable|treated|all|anc_missing|n|">0<' in html
    assert 'data-result="lab.worst_grade|treated|all|Anemia grade 4|n|">0<' in html


def test_every_table_of_results_says_its_population_and_cut_off() -> None:
    html = render_html(drawn_report())
    captions = re.findall(r"<caption>(.*?)</caption>", html, re.DOTALL)
    results = [
        caption for caption in captions if re.search(r"<b>Table (1|14[\d.]*|D\.[13])[a-z]?</b>", caption)
    ]
    assert len(results) > 25
    for caption in results:
        assert "Population: " in caption
        assert "Data cut-off: 2020-06-30" in caption


def test_every_table_by_a_later_event_says_that_it_compares_nothing() -> None:
    html = render_html(drawn_report())
    tables = re.findall(r'<div class="table".*?(?=<div class="table"|</section>)', html, re.DOTALL)
    by_event = [table for table in tables if "HSCT: yes" in table or "Mantel-Byar" in table]
    assert len(by_event) == 5
    assert all("compare nothing" in table for table in by_event)


def test_names_from_sources_are_text_and_never_markup() -> None:
    html = render_html(hostile_report())
    page = Page(html)
    tags = [tag for tag, _ in page.tags]
    assert "script" not in tags
    assert "img" not in tags
    assert not any(name.startswith("on") for _, attributes in page.tags for name in attributes)
    assert page.text.count(SCRIPT) > 5
    assert page.text.count(IMAGE) > 5


def test_the_page_refers_to_nothing_outside_itself() -> None:
    page = Page(render_html(drawn_report()))
    policy = [a["content"] for tag, a in page.tags if tag == "meta" and "http-equiv" in a]
    assert policy
    assert "default-src 'none'" in (policy[0] or "")
    links = [
        a.get(name) or "" for _, a in page.tags for name in ("href", "src", "data", "action") if name in a
    ]
    assert all(link.startswith(("#", "data:")) for link in links)
    anchors = {a["id"] for _, a in page.tags if "id" in a}
    assert {link[1:] for link in links if link.startswith("#")} <= anchors


def test_an_id_stands_once() -> None:
    ids = [a["id"] for _, a in Page(render_html(drawn_report())).tags if "id" in a]
    assert len(ids) == len(set(ids))


def test_quarantine_is_counted_by_site_and_rule_and_says_how_many_are_not_listed() -> None:
    entries: list[tuple[object, ...]] = [("north", "not_json", "f" * 64, line) for line in range(1, 251)]
    entries += [("south", "wrong_type", "e" * 64, 1)]
    html = render_html(drawn_report(quarantined=entries))
    counts = html.split('id="table-D-2a"')[1].split("</table>")[0]
    assert re.findall(r">(not_json|wrong_type|\d+)</", counts) == [
        "not_json",
        "250",
        "250",
        "wrong_type",
        "1",
        "1",
    ]
    listing = html.split('id="table-D-2b"')[1].split("</table>")[0]
    assert listing.count('<th scope="row">') == 200
    assert "The first 200 are listed; 51 more stand in the warehouse" in html


def test_without_quarantine_there_is_no_listing() -> None:
    assert "Quarantined, each" not in render_html(drawn_report())


def test_simulated_data_are_named_so_and_real_data_are_not() -> None:
    assert "Simulated data." in render_html(drawn_report(simulated=True))
    assert "imulated data" not in render_html(drawn_report(simulated=False))
    assert "SIMULATED" not in render_html(drawn_report(simulated=False))


def test_the_same_report_gives_the_same_bytes() -> None:
    assert render_html(drawn_report()) == render_html(drawn_report())


def test_figures_are_those_of_the_page() -> None:
    report = drawn_report()
    html = render_html(report)
    assert set(figures_of(report)) == {
        "attrition", "duration_of_remission", "overall_survival", "event_free_survival", "remission_incidence",
        "hsct_incidence", "comparators", "relapse_incidence", "death_without_relapse_incidence",
        "survival_by_hsct_simon_makuch",
    }  # fmt: skip
    assert all(svg in html for svg in figures_of(report).values())


def test_a_study_that_treated_nobody_still_has_its_report() -> None:
    frames = only(drawn_frames(), "known", "ill")
    report = report_of(frames, reference_protocol())
    page, expected = Page(render_html(report)), texts_of(report.results)
    assert {key for key, _ in page.shown} == set(expected)
    assert ("attrition|treated|all|treated|n|", "0") in page.shown
    assert set(figures_of(report)) == {"attrition"}
