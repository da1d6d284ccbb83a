from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from fluxboard.model.merge import merge_checklist, merge_columns, merge_labels, merge_text
from fluxboard.model.types import ChecklistItem, Column

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


def columns(*names: str) -> tuple[Column, ...]:
    return tuple(Column(id=name, name=name) for name in names)


columns_of = st.lists(st.sampled_from("abcdef"), max_size=5, unique=True).map(lambda names: columns(*names))


def test_two_who_change_columns_both_get_what_they_did() -> None:
    base = columns("a", "b", "c")
    mine = (Column(id="a", name="a", wip_limit=3), *columns("b", "new", "c"))
    theirs = (Column(id="a", name="A"), *columns("c", "qa"))
    merged = merge_columns(base, mine, theirs)
    assert merged == (Column(id="a", name="A", wip_limit=3), *columns("new", "c", "qa"))


def test_the_order_is_mine_where_i_changed_it() -> None:
    base = columns("a", "b", "c")
    assert merge_columns(base, columns("c", "a", "b"), columns("a", "b", "qa", "c")) == columns(
        "c", "a", "b", "qa"
    )
    assert merge_columns(base, columns("a", "b", "c", "d"), columns("b", "a", "c")) == columns(
        "b", "a", "c", "d"
    )


@given(columns_of, columns_of)
def test_columns_that_only_one_side_changed_are_theirs(
    base: tuple[Column, ...], changed: tuple[Column, ...]
) -> None:
    assert merge_columns(base, changed, base) == changed
    assert merge_columns(base, base, changed) == changed
