from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from fluxboard.model.merge import merge_checklist, merge_labels, merge_text
from fluxboard.model.types import ChecklistItem

BASE = "one\ntwo\nthree\nfour\nfive\n"

texts = st.lists(st.sampled_from(["a\n", "b\n", "c\n", "d"]), max_size=6).map("".join)
labels = st.lists(st.sampled_from("abcdef"), max_size=5, unique=True).map(tuple)


def test_changes_apart_are_merged() -> None:
    mine = BASE.replace("one", "ONE")
    theirs = BASE.replace("four", "FOUR")
    assert merge_text(BASE, mine, theirs) == "ONE\ntwo\nthree\nFOUR\nfive\n"


def test_changes_of_one_line_or_its_neighbour_are_a_conflict() -> None:
    assert merge_text(BASE, BASE.replace("two", "2"), BASE.replace("two", "II")) is None
    assert merge_text(BASE, BASE.replace("two", "2"), BASE.replace("three", "III")) is None
    assert merge_text("title", "my title", "their title") is None
    assert merge_text("", "mine", "theirs") is None


def test_the_same_change_on_both_sides_is_none() -> None:
    changed = BASE.replace("two", "2")
    assert merge_text(BASE, changed, changed) == changed


@given(texts, texts)
def test_where_one_side_did_nothing_the_other_is_the_result(base: str, changed: str) -> None:
    assert merge_text(base, changed, base) == changed
    assert merge_text(base, base, changed) == changed


@given(texts, texts, texts)
def test_a_merge_does_not_depend_on_who_asks(base: str, mine: str, theirs: str) -> None:
    assert merge_text(base, mine, theirs) == merge_text(base, theirs, mine)


@given(labels, labels, labels)
def test_labels_are_added_and_removed_by_both(
    base: tuple[str, ...], mine: tuple[str, ...], theirs: tuple[str, ...]
) -> None:
    merged = merge_labels(base, mine, theirs)
    assert set(merged) == (set(theirs) - (set(base) - set(mine))) | (set(mine) - set(base))
    assert len(merged) == len(set(merged))


def test_checklists_keep_what_each_side_did() -> None:
    a, b, c = (ChecklistItem(id=name, text=name) for name in "abc")
    done = ChecklistItem(id="a", text="a", done=True)
    renamed = ChecklistItem(id="b", text="B")
    new = ChecklistItem(id="n", text="new")
    assert merge_checklist((a, b, c), (done, b, new), (c, a, renamed)) == (done, renamed, new)
    assert merge_checklist((a,), (a,), ()) == ()
