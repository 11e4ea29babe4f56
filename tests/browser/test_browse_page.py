"""Browse in a real browser: search, facets, pages, the cursor, choosing, and what hostile text
cannot do.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import page_project
import pytest
from servers import serve

from app.main import Running
from workbench.records import Task

pytestmark = pytest.mark.browser

COUNT = "collages/train-00003/count"
HOSTILE_ID = "hostile/1"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Sixty questions, and one that is hostile in every field."""
    folder = page_project.build(tmp_path_factory.mktemp("browse") / "collages", scenes=20)
    with serve(folder) as running:
        more = page_project.RecordWriter(running.site.project)
        digest = more.project.images.add(next((folder / "scratch").glob("3.webp")))
        bad = page_project.HOSTILE
        rows = [
            ("tool", 3, {"call": 0, "tool": "find", "receiver": None, "arguments": {bad: bad}}),
            (
                "tool_result",
                3,
                {"call": 0, "tool": "find", "ok": True, "result": page_project.listed([bad])},
            ),
            ("print", 3, {"text": bad}),
            ("end", 0, {"ok": True, "answer": bad, "steps": 3, "tool_calls": 1}),
        ]
        events = tuple(
            page_project.TraceEvent(seq, kind, line, 0, payload)
            for seq, (kind, line, payload) in enumerate(rows)
        )
        task = Task(HOSTILE_ID, bad, "train", digest, bad, (bad,), "choice", (bad, "b"), bad)
        more.task(
            task,
            [(f"def execute_command(image):\n    # {bad}\n    return '''{bad}'''\n", events)] * 5,
            f"{bad}. {bad}",
            bad,
        )
        yield running


def rows(page) -> list[str]:
    page.wait_for_selector("[data-rows][aria-busy=false]")
    return page.eval_on_selector_all(
        "[data-rows] > li", "all => all.map((item) => item.dataset.id)"
    )


def test_the_address_is_the_view_and_back_comes_back(visit, site: Running) -> None:
    page = visit(f"{site.url}browse?q=family%3Acount")
    assert len(rows(page)) == 20
    page.locator("[data-facets] button", has_text="wrong").first.click()
    page.wait_for_url("**/browse?q=*status*wrong*")
    page.locator("[data-count]", has_text="of 6 questions").wait_for()
    assert len(rows(page)) == 6
    page.go_back()
    page.locator("[data-count]", has_text="of 20 questions").wait_for()
    assert page.input_value("[data-search]") == "family:count"


def test_the_list_is_light_paged_ordered_and_filtered(visit, site: Running) -> None:
    page = visit(f"{site.url}browse")
    the_list_is_light(page)
    every_question_is_on_one_page_or_the_next(page)
    a_wrong_token_names_the_right_ones_and_keeps_the_list(page)
    page.goto(f"{site.url}browse")
    a_facets_count_is_what_it_gives(page)
    page.goto(f"{site.url}browse")
    the_order_is_kept_in_the_address(page, site)


def the_list_is_light(page) -> None:
    rows(page)
    assert page.evaluate("document.querySelectorAll('*').length") < 3000
    page.wait_for_function(
        "() => performance.getEntriesByType('resource').some((one) => one.name.includes('/thumb/'))"
    )
    sizes = page.evaluate(
        "performance.getEntriesByType('resource').filter((one) => one.name.includes('/thumb/')).map((one) => one.encodedBodySize)"
    )
    assert sizes
    assert max(sizes) <= 20_000


def every_question_is_on_one_page_or_the_next(page) -> None:
    first = rows(page)
    page.click("[data-after]")
    page.wait_for_url("**after=*")
    page.locator("[data-count]", has_text="51 to 61 of 61").wait_for()
    second = rows(page)
    assert len(first) == 50
    assert len(second) == 11
    assert not set(first) & set(second)
    page.go_back()
    page.locator("[data-count]", has_text="1 to 50").wait_for()
    assert rows(page) == first


def a_wrong_token_names_the_right_ones_and_keeps_the_list(page) -> None:
    before = rows(page)
    page.fill("[data-search]", "stat:wrong")
    page.locator("[data-problem]", has_text="status:").wait_for()
    assert page.get_attribute("[data-search]", "aria-invalid") == "true"
    assert rows(page) == before


def a_facets_count_is_what_it_gives(page) -> None:
    page.wait_for_selector("[data-facets] button[data-facet]")
    button = page.locator("[data-facet='status:kept']")
    count = int(button.locator("small").inner_text())
    button.click()
    page.locator("[data-count]", has_text=f"of {count} question").wait_for()
    assert page.locator("[data-facet='status:kept']").get_attribute("aria-pressed") == "true"


def the_order_is_kept_in_the_address(page, site: Running) -> None:
    rows(page)
    page.select_option("[data-sort]", "siblings")
    page.wait_for_url("**sort=siblings")
    shown = rows(page)
    assert shown == site.site.project.browse_ids("", "siblings")[:50]


def test_tokens_become_chips_that_can_be_taken_away(visit, site: Running) -> None:
    page = visit(f"{site.url}browse?q=family%3Acount+status%3Akept")
    rows(page)
    chips = page.locator("[data-tokens] button")
    assert [text.split("\n")[0] for text in chips.all_inner_texts()[:2]] == [
        "family:count",
        "status:kept",
    ]
    chips.nth(1).click()
    page.locator("[data-count]", has_text="of 20 questions").wait_for()
    assert page.input_value("[data-search]") == "family:count"


def test_nothing_that_matches_is_not_nothing_at_all(visit, site: Running) -> None:
    page = visit(f"{site.url}browse?q=xylophones")
    page.wait_for_selector(".empty")
    assert "Nothing matches" in page.inner_text(".empty")
    assert "61 questions hidden" in page.inner_text(".empty")
    page.click("text=Show all")
    page.wait_for_selector(".row")
    assert len(rows(page)) == 50


def test_pages_are_turned_back_and_gone_to_by_number(visit, site: Running) -> None:
    page = visit(f"{site.url}browse?page=2")
    page.locator("[data-count]", has_text="51 to 61 of 61").wait_for()
    second = rows(page)
    assert second == site.site.project.browse_ids("")[50:]
    assert page.inner_text("[data-last]") == "of 2"
    assert page.locator("[data-after]").is_disabled()
    page.keyboard.press("k")  # from the first row of a page to the last one of the page before
    page.locator("[data-count]", has_text="1 to 50 of 61").wait_for()
    here = page.locator(".row[aria-current=true]")
    last = site.site.project.browse_ids("")[49]
    assert here.evaluate("node => node.parentElement.dataset.id") == last
    assert page.locator("[data-before]").is_disabled()
    page.fill("[data-page]", "2")
    page.press("[data-page]", "Enter")
    page.locator("[data-count]", has_text="51 to 61 of 61").wait_for()
    page.click("[data-before]")
    page.locator("[data-count]", has_text="1 to 50 of 61").wait_for()
    page.goto(f"{site.url}browse?page=99")  # there are fewer
    page.locator("[data-count]", has_text="51 to 61 of 61").wait_for()


def test_what_is_searched_for_is_marked_and_what_is_refused_stays_away(
    visit, site: Running
) -> None:
    page = visit(f"{site.url}browse?q=%22how+many%22+THÉRE+-status%3Afailed")
    shown = rows(page)
    assert shown == site.site.project.browse_ids('"how many" there -status:failed')
    marks = page.locator(".row .what a").first.locator("mark").all_inner_texts()
    assert [text.lower() for text in marks] == ["how many", "there"]
    refused = page.locator(".choice", has=page.locator("[data-facet='status:wrong']"))
    refused.get_by_role("button", name="Without Status: wrong").click()
    page.wait_for_url("**status%3Awrong*")
    assert "-status:wrong" in page.input_value("[data-search]")
    page.locator("[data-facet='status:wrong'] s").wait_for()
    kept = rows(page)
    assert kept == site.site.project.browse_ids('"how many" there -status:failed -status:wrong')
    assert kept != shown
    page.locator("[data-tokens] button", has_text="-status:wrong").click()
    page.wait_for_url(lambda url: "status%3Awrong" not in url)
    page.goto(f"{site.url}browse?q=gizmo")
    assert rows(page)
    assert all("collages/" in one for one in rows(page)), "what was printed, and the program"
    assert "matches in a program" in page.locator(".row").first.inner_text()
    page.keyboard.press("e")
    assert page.locator(".runs .group").count() > 0


def test_no_badge_is_cut_off(visit, site: Running) -> None:
    cut = """() => [...document.querySelectorAll(".row .tags > *, .samples, .samples i")].filter((one) => {
      const [row, box] = [one.closest(".row").getBoundingClientRect(), one.getBoundingClientRect()];
      return box.bottom > row.bottom || box.right > row.right || one.scrollWidth > one.clientWidth + 1;
    }).length"""
    for width in (1440, 390):
        page = visit(f"{site.url}browse", width)
        rows(page)
        assert page.evaluate(cut) == 0


def test_the_cursor_walks_by_keys_and_enter_opens_the_kept_run(visit, site: Running) -> None:
    page = visit(f"{site.url}browse?q=status%3Akept")
    order = rows(page)
    for key in ("j", "j", "k", "j"):
        page.keyboard.press(key)
    here = page.locator(".row[aria-current=true]")
    assert here.count() == 1
    assert here.evaluate("node => node.parentElement.dataset.id") == order[2]
    question = here.locator("a").inner_text()
    page.locator("[data-peek] h2", has_text=question[:30]).wait_for()
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert page.inner_text("h1") == question
    page.go_back()
    page.wait_for_selector(".row[aria-current=true]")
    page.locator("[data-peek] h2", has_text=question[:30]).wait_for()
    assert (
        page.locator(".row[aria-current=true]").evaluate("node => node.parentElement.dataset.id")
        == order[2]
    )


def test_a_question_opens_to_its_programs_by_answer(visit, site: Running) -> None:
    page = visit(f"{site.url}browse?q=id%3A{COUNT}")
    rows(page)
    page.keyboard.press("e")
    groups = page.locator(".runs .group")
    assert groups.count() == 3
    assert [group.locator("li").count() for group in groups.all()] == [3, 1, 1]
    assert "kept" in groups.first.inner_text()
    assert "tool error" in groups.last.inner_text()
    page.keyboard.press("e")
    assert page.locator(".runs").count() == 0


def test_chosen_questions_go_to_the_queue_and_come_back_by_undo(visit, site: Running) -> None:
    page = visit(f"{site.url}browse?q=family%3Aexists")
    order = rows(page)
    page.keyboard.press("x")
    for _ in range(3):
        page.keyboard.press("j")
    page.keyboard.press("X")
    assert page.inner_text("[data-chosen] b") == "4"
    page.keyboard.press("q")
    page.locator(".toast", has_text="4 questions asked for in the queue").wait_for()
    asked = [
        event.task_id for event in site.site.project.curation.events() if event.kind == "queue"
    ]
    assert asked[-4:] == order[:4]
    page.click(".toast >> text=Undo")
    page.locator(".toast", has_text="Taken back").wait_for()
    assert all(item.asked is None for item in site.site.project.curation.items(order[:4]).values())


def test_all_that_match_are_accepted_with_their_number_said_and_undone_as_one(
    visit, site: Running
) -> None:
    page = visit(f"{site.url}browse?q=family%3Acount")
    ids = rows(page)
    page.locator("[data-count]", has_text="of 20").wait_for()
    page.keyboard.press("x")
    page.click("text=choose all 20 matching")
    assert page.inner_text("[data-chosen] b") == "20"
    page.click("[data-chosen] >> text=Accept…")
    said = page.inner_text("dialog[open]")
    kept = sum(
        one.status == "kept" for one in site.site.project.outcomes() if one.task_id in set(ids)
    )
    assert f"Accept {kept} questions?" in said
    assert f"{20 - kept} left out" in said
    page.click(f"dialog >> text=/^Accept {kept}$/")
    page.locator(".toast", has_text=f"{kept} questions accepted").wait_for()
    states = [item.state for item in site.site.project.curation.items(ids).values()]
    assert states.count("accepted") == kept
    page.click(".toast >> text=Undo")
    page.locator(".toast", has_text="Taken back").wait_for()
    assert {item.state for item in site.site.project.curation.items(ids).values()} == {"pending"}


def test_a_search_can_be_given_a_name(visit, site: Running) -> None:
    page = visit(f"{site.url}browse?q=family%3Acount+status%3Awrong")
    rows(page)
    page.click("[data-views] > button")
    page.fill("[data-views] input", "wrong counts")
    page.keyboard.press("Enter")
    page.locator(".toast", has_text="wrong counts").wait_for()
    page.goto(f"{site.url}browse")
    rows(page)
    page.click("[data-views] > button")
    page.click("[data-views] >> text=wrong counts")
    page.locator("[data-count]", has_text="of 6 questions").wait_for()
    page.click("[data-views] > button")
    page.click("[data-views] [aria-label='Forget wrong counts']")
    page.locator("[data-views]", has_text="No search has a name yet").wait_for()


def test_the_filters_are_a_drawer_on_a_narrow_window(visit, site: Running) -> None:
    page = visit(f"{site.url}browse", 390)
    rows(page)
    page.wait_for_selector("[data-facets] button[data-facet]", state="attached")
    assert page.locator("[data-facets]").is_hidden()
    page.click("[data-filters]")
    page.click("[data-facet='status:kept']")
    page.wait_for_url("**status*")
    page.keyboard.press("Escape")
    assert page.locator("[data-facets]").is_hidden()


def test_hostile_text_stays_text(visit, site: Running) -> None:
    page = visit(f"{site.url}browse?q=id%3A{HOSTILE_ID}")
    assert rows(page) == [HOSTILE_ID]
    page.keyboard.press("e")
    page.wait_for_selector("[data-peek] pre")
    assert 'onerror="window.hacked=1"' in page.inner_text(".row")
    assert 'onerror="window.hacked=1"' in page.inner_text("[data-peek]")
    assert page.locator("[onerror]").count() == 0
    page.wait_for_timeout(100)  # a broken picture's handler would run after the load
    assert page.evaluate("window.hacked") is None


@pytest.fixture
def plain_site(tmp_path: Path) -> Iterator[Running]:
    """Two questions of a folder, which has no families, beside those of two pictures."""
    with serve(page_project.build(tmp_path / "p", scenes=2)) as running:
        project = running.site.project
        digest = project.tasks(project.browse_ids("")[:1])[0].image
        project.add_tasks(
            [
                Task(
                    f"folder/{n}",
                    "folder",
                    "",
                    digest,
                    f"What is {n}?",
                    meta={"weather": ("rain", "sun")[n], "seen by": ["ann", "bob"][: n + 1]},
                )
                for n in range(2)
            ]
            + [Task("folder/odd", "folder", "", digest, "Odd?", family='a "b"  c')]
        )
        yield running


def test_questions_without_a_family_have_a_line_among_the_filters(
    visit, plain_site: Running
) -> None:
    page = visit(f"{plain_site.url}browse")
    line = page.locator("[data-facet='family:']")
    line.wait_for()
    assert line.inner_text().split() == ["no", "family", "2"]
    line.click()
    page.locator("[data-count]", has_text="of 2 questions").wait_for()
    assert page.locator("[data-problem]").inner_text() == ""
    assert line.get_attribute("aria-pressed") == "true"
    line.click()
    page.locator("[data-count]", has_text="of 9 questions").wait_for()


def test_a_family_with_quotes_is_found_by_its_line(visit, plain_site: Running) -> None:
    page = visit(f"{plain_site.url}browse")
    page.locator("[data-facets] button", has_text='a "b"').click()
    page.locator("[data-count]", has_text="of 1 question").wait_for()
    assert rows(page) == ["folder/odd"]


def test_columns_of_ones_own_are_shown_and_filter(visit, plain_site: Running) -> None:
    page = visit(f"{plain_site.url}browse?q=source%3Afolder")
    page.locator("[data-column='seen by']").click()
    page.wait_for_url("**columns=seen+by*")
    page.locator("[data-column=weather]").click()
    row = page.locator("[data-id='folder/1'] .own")
    row.get_by_text("weather").wait_for()
    assert row.inner_text().split() == ["seen", "by", "ann,", "bob", "weather", "sun"]
    line = page.locator("[data-facet='meta.seen by:ann']")
    assert line.inner_text().split() == ["ann", "2"]
    page.locator("[data-facet='meta.seen by:bob']").click()
    page.locator("[data-count]", has_text="of 1 question").wait_for()
    assert rows(page) == ["folder/1"]
    page.goto(f"{plain_site.url}browse")  # the columns of last time
    page.locator("[data-id='folder/0'] .own").wait_for()
