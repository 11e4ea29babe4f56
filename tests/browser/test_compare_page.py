"""Compare in a real browser, one question: both sides live, cancelled and failing alone; votes; the
queue.

The sampler and the student speak word by word (`speaking_parts.py`); sandbox, tools, store and server are
the real ones.
"""

# ruff: noqa: F811 - fixtures that are imported have the names of arguments

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from compare_setup import (  # noqa: F401 - fixtures too
    Visit,
    alone,
    ask,
    both,
    done,
    events,
    folder,
    made,
    opened,
    png,
    running,
    side,
    site,
    task_of,
)
from servers import Running, eventually, serve, sync_api

from workbench.store.people.ratings import last_ratings
from workbench.store.project import PROFILE

pytestmark = pytest.mark.browser


# --- one question, live


def test_both_sides_answer_are_looked_at_and_voted_on(visit: Visit, site: Running) -> None:
    page = opened(visit, site)
    ask(page)
    both(page)
    both_sides_have_steps_boxes_and_times(page)
    assert "×" not in page.locator("[data-headline]").inner_text(), "no ratio of a single run"
    a_step_that_is_chosen_is_on_the_picture_and_in_the_code(page)
    typed_digits_are_no_votes(page, site)
    a_vote_stores_both_outputs_versions_and_times(page, site)


def both_sides_have_steps_boxes_and_times(page: sync_api.Page) -> None:
    pipeline, student = side(page, "pipeline"), side(page, "student")
    assert pipeline.locator(".program li").count() == 4
    assert pipeline.locator(".program .k").first.inner_text() == "def"
    assert pipeline.locator(".cells .tool").count() == 1
    assert pipeline.locator(".vp-overlay .result").count() >= 1
    assert "✓" in pipeline.locator(".answer").inner_text()
    assert student.locator("output").inner_text() == "7"
    assert "✗" in student.locator(".answer").inner_text()
    assert student.locator(".vp-overlay .result").count() == 1
    for name in ("first token", "answer", "total", "peak memory"):
        assert name in pipeline.locator(".times").inner_text()
        assert name in student.locator(".times").inner_text()


def a_step_that_is_chosen_is_on_the_picture_and_in_the_code(page: sync_api.Page) -> None:
    pipeline = side(page, "pipeline")
    pipeline.locator(".cells .tool").focus()
    page.keyboard.press("Enter")
    assert pipeline.locator(".program li.now").inner_text().strip().startswith("squares =")
    assert pipeline.locator(".vp-overlay .result").count() >= 1


def typed_digits_are_no_votes(page: sync_api.Page, site: Running) -> None:
    page.locator("[data-note]").press_sequentially("1234q")
    assert page.locator("[data-note]").input_value() == "1234q"
    assert events(site, "rating") + events(site, "queue") == []


def a_vote_stores_both_outputs_versions_and_times(page: sync_api.Page, site: Running) -> None:
    page.locator("[data-note]").fill("aaa1")
    page.locator("h1").click()
    page.keyboard.press("1")
    sync_api.expect(page.locator(".toast")).to_contain_text("Vote stored: pipeline")
    [vote] = events(site, "rating")
    assert (vote.rating.preference, vote.rating.left, vote.author) == ("left", "pipeline", "ann")
    assert (vote.rating.left_form, vote.rating.right_form) == (None, None)
    kept = json.loads(vote.text)
    assert kept["note"] == "aaa1"
    assert kept["sides"]["student"]["answer"] == "7"
    assert kept["sides"]["student"]["version"].startswith("teller 9+")  # and its file's digest
    assert kept["sides"]["pipeline"]["times"]["total"] > 0
    assert (
        site.site.project.run_view(vote.trace_id)[1].trace.answer
        == kept["sides"]["pipeline"]["answer"]
    )


def test_the_first_answer_is_marked_cold_and_the_next_warm(visit: Visit, alone: Running) -> None:
    page = opened(visit, alone)
    for state in ("cold start", "warm"):
        ask(page)
        both(page)
        assert state in side(page, "student").locator(".times").inner_text()
        assert state in side(page, "pipeline").locator(".times").inner_text()


def test_one_side_is_cancelled_alone(visit: Visit, site: Running) -> None:
    page = opened(visit, site)
    ask(page, "an endless question")
    sync_api.expect(side(page, "pipeline").locator(".program li")).to_have_count(3)
    side(page, "pipeline").get_by_role("button", name="Cancel").click()
    done(page, "pipeline", "cancelled")
    done(page, "student")
    ask(page, "and another one")
    both(page)


def test_escape_cancels_what_is_under_way(visit: Visit, site: Running) -> None:
    page = opened(visit, site)
    ask(page, "slowly now")
    sync_api.expect(side(page, "student").locator("output")).to_have_text("7")
    page.keyboard.press("Escape")
    done(page, "pipeline", "cancelled")
    done(page, "student", "cancelled")


def test_a_page_that_goes_away_takes_its_program_with_it(visit: Visit, alone: Running) -> None:
    page = opened(visit, alone)
    ask(page, "an endless question")
    sync_api.expect(side(page, "pipeline").locator(".program li")).to_have_count(3)
    other = opened(visit, alone)
    ask(other, "and another one")
    sync_api.expect(side(other, "pipeline").locator("header .state")).to_have_text("waits behind 1")
    page.close()
    both(other)


def test_a_program_that_fails_says_where_and_the_student_goes_on(
    visit: Visit, site: Running
) -> None:
    page = opened(visit, site)
    ask(page, "please crash")
    done(page, "pipeline", "failed")
    done(page, "student")
    pipeline = side(page, "pipeline")
    assert "line 4" in pipeline.locator(".trouble").inner_text()
    assert pipeline.locator(".cells .error").count() == 1
    assert pipeline.locator(".program li.failed").count() == 1


def test_a_model_that_does_not_load_is_the_failure_of_its_side(visit: Visit, folder: Path) -> None:
    profile = folder / "profile.toml"
    profile.write_text(
        profile.read_text().replace("speaking_parts.py:Teller", "speaking_parts.py:Nobody")
    )
    with serve(folder) as running:
        page = visit(f"{running.url}compare?task={task_of(running)}")
        sync_api.expect(side(page, "pipeline").locator("img")).to_be_visible()
        ask(page)
        done(page, "student", "failed")
        done(page, "pipeline")
        assert "Nobody" in side(page, "student").locator(".trouble").inner_text()


def test_text_of_models_is_text(visit: Visit, site: Running) -> None:
    page = opened(visit, site)
    ask(page, '<img src=x onerror="window.hacked=1"> how many?')
    both(page)
    assert "<img src=x onerror" in side(page, "student").locator(".says").inner_text()
    assert page.evaluate("window.hacked") is None
    assert page.locator(".says img, .says script").count() == 0


def test_the_median_of_five_warm_runs_makes_the_headline(visit: Visit, site: Running) -> None:
    page = opened(visit, site)
    page.get_by_role("button", name="5-run median").click()
    headline = page.locator("[data-headline]")
    sync_api.expect(headline).to_contain_text("n = 5")
    assert re.search(r"\d+(\.\d)?× faster to its answer, another answer", headline.inner_text())
    assert headline.inner_text().count("n = 5") == 2


def test_a_distilled_student_says_what_it_was_taught_from_and_its_base_can_stand_third(
    visit: Visit, folder: Path
) -> None:
    text = (folder / PROFILE).read_text()
    shipped = 'student = { part = "transformers", checkpoint = "distilled" }'
    (folder / PROFILE).write_text(re.sub("student = .*", shipped, text))
    with serve(folder) as running:
        page = visit(f"{running.url}compare?task={task_of(running)}")
        assert page.locator(".side").count() == 2
        page.get_by_label("Base student as a third").check()
        student, base = side(page, "student"), side(page, "base")
        assert student.locator("h2").inner_text() == "Distilled student"
        assert student.locator(".origin").inner_text() == "distilled, taught from small"
        assert base.locator("h2").inner_text() == "Base student"
        assert base.locator(".origin").inner_text() == "small, not distilled"
        page.get_by_label("Blind").check()
        assert not student.locator(".origin").is_visible()


# --- votes and the queue


def test_a_vote_before_the_end_cuts_both_answers_off(visit: Visit, site: Running) -> None:
    page = opened(visit, site)
    ask(page, "slowly now")
    sync_api.expect(side(page, "student").locator("output")).to_have_text("7")
    page.keyboard.press("2")
    done(page, "pipeline", "cancelled")
    sync_api.expect(page.locator(".toast")).to_contain_text("Vote stored: student")
    [vote] = events(site, "rating")
    assert vote.rating.preference == "right"
    assert json.loads(vote.text)["sides"]["pipeline"]["cancelled"]


def test_blind_sides_have_no_names_until_the_vote(visit: Visit, site: Running) -> None:
    page = opened(visit, site)
    page.get_by_label("Blind").check()
    ask(page)
    sync_api.expect(page.locator(".side .state").filter(has_text="done")).to_have_count(2)
    shown = page.locator("[data-columns]").inner_text()
    assert "Side A" in shown
    assert not re.search(r"pipeline|student|teller|talker|first token", shown, re.IGNORECASE)
    assert not page.locator(".program").is_visible()
    page.locator("h1").click()
    page.keyboard.press("1")
    sync_api.expect(page.locator("[data-columns]")).to_contain_text("Program pipeline")
    sync_api.expect(page.locator(".toast")).to_contain_text("Vote stored")
    [vote] = events(site, "rating")
    left = page.locator(".side").first.get_attribute("data-side")
    assert vote.hidden
    assert (vote.rating.left == "pipeline") == (left == "pipeline")
    assert vote.rating.preference == "left"


def test_after_a_blind_vote_the_buttons_name_their_sides_and_it_can_be_taken_back(
    visit: Visit, alone: Running
) -> None:
    page = opened(visit, alone)
    page.evaluate("Math.random = () => 0.1")  # the student stands at the left
    page.get_by_label("Blind").check()
    ask(page)
    sync_api.expect(page.locator(".side .state").filter(has_text="done")).to_have_count(2)
    page.locator("h1").click()
    page.keyboard.press("1")
    sync_api.expect(page.locator(".toast")).to_contain_text("Vote stored: student")
    sync_api.expect(page.locator("[data-vote='1']")).to_contain_text("Student")
    sync_api.expect(page.locator("[data-vote='2']")).to_contain_text("Pipeline")
    assert page.locator("[data-vote='1']").get_attribute("aria-pressed") == "true"
    page.get_by_role("button", name="Undo").click()
    eventually(page, lambda: last_ratings(alone.site.project.database) == [])
    sync_api.expect(page.locator("[data-votes] [aria-pressed]")).to_have_count(0)
    page.keyboard.press("4")
    sync_api.expect(page.locator(".toast").last).to_contain_text("Vote stored: both wrong")
    [vote] = last_ratings(alone.site.project.database)
    assert (vote.rating.preference, vote.hidden) == ("neither", False)


def test_the_queue_is_told_what_the_marks_say(visit: Visit, alone: Running) -> None:
    page = opened(visit, alone)
    ask(page)
    both(page)
    page.locator("h1").click()
    page.keyboard.press("q")
    eventually(page, lambda: events(alone, "queue"))
    ask(page, "Is there anything else?")
    both(page)
    page.locator("h1").click()
    page.keyboard.press("q")
    eventually(page, lambda: len(events(alone, "queue")) == 2)
    unlabelled = "not held against a label"
    assert {one.text for one in events(alone, "queue")} == {
        "pipeline right, student wrong (Compare)",
        f"pipeline {unlabelled}, student {unlabelled} (Compare)",
    }


def test_one_key_sends_a_new_question_to_the_queue(visit: Visit, site: Running) -> None:
    page = visit(f"{site.url}compare")
    page.locator("[data-file]").set_input_files(
        {"name": "a.png", "mimeType": "image/png", "buffer": png()}
    )
    page.wait_for_function("() => document.querySelector('.side.pipeline img').naturalWidth === 60")
    ask(page, "How many red squares are there?")
    both(page)
    page.locator("h1").click()
    page.keyboard.press("q")
    sync_api.expect(page.locator(".toast")).to_contain_text("In the Curate queue")
    project = site.site.project
    [sent] = events(site, "queue")
    view = project.task_view(sent.task_id)
    assert (view.task.source, view.task.question) == ("compare", "How many red squares are there?")
    assert project.images.path(view.task.image) is not None
    assert {p.answer or p.rationale[:5] for p in view.predictions} == {"7", "There"}
    assert (
        project.run_view(sent.trace_id)[1].trace.answer
        == side(page, "pipeline").locator("output").inner_text()
    )
    page.get_by_role("button", name="Undo").click()
    sync_api.expect(page.locator("[data-outbox]")).to_contain_text("saved")
    eventually(page, lambda: project.curation.item(sent.task_id).asked is None)


def test_a_viewer_asks_and_decides_nothing(visit: Visit, folder: Path) -> None:
    with serve(folder, role="viewer") as running:
        page = visit(f"{running.url}compare?task={task_of(running)}")
        sync_api.expect(side(page, "pipeline").locator("img")).to_be_visible()
        ask(page)
        both(page)
        assert page.locator("[data-vote='1']").is_disabled()
        reply = page.request.post(
            f"{running.url}do/compare/vote", data={"id": "a" * 32, "run": "b" * 32, "choice": "tie"}
        )
        assert reply.status == 403
        assert running.site.project.curation.events() == []
