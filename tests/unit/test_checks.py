"""Checks: Python's and NumPy's numbers in range pass; all else gets one line with the value."""

import math

import numpy as np
import pytest
import torch

from utils.checks import check_counts, check_ids, check_memory, one_of, real_number, whole_number


@pytest.mark.parametrize("value", [1, 7, np.int64(7), np.uint8(7), np.int32(1), 10])
def test_whole_numbers(value):
    result = whole_number("dim", value, 1, 10)
    assert result == value
    assert type(result) is int


@pytest.mark.parametrize(
    "value", [0, -1, 11, 10**30, 7.0, np.float64(7), "7", None, True, np.True_, math.nan, 7j, [7]]
)
def test_what_is_no_whole_number_in_range(value):
    with pytest.raises(
        ValueError, match=r"dim is .*; give a whole number, from 1 to 10$"
    ) as caught:
        whole_number("dim", value, 1, 10)
    assert repr(value) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("value", [0.5, 1, np.float32(0.5), np.int64(2), np.longdouble(0.5)])
def test_real_numbers(value):
    result = real_number("lr", value, above=0)
    assert result == value
    assert type(result) is float


@pytest.mark.parametrize(
    "value", [0, -1.0, math.nan, math.inf, -math.inf, np.float32("nan"), "1", None, True, 1j, [1.0]]
)
def test_what_is_no_real_number_in_range(value):
    with pytest.raises(ValueError, match="lr is .*; give a finite number, above 0, such as .1$"):
        real_number("lr", value, above=0, hint=", such as .1")


def test_both_ends_of_a_range():
    assert real_number("power", 0, least=0, most=1) == 0
    for value in (-0.1, 1.1):
        with pytest.raises(ValueError, match="finite number, at least 0, at most 1$"):
            real_number("power", value, least=0, most=1)


@pytest.mark.parametrize("value", ["full", "", None, 3, ["ns"]])
def test_one_of(value):
    assert one_of("objective", "ns", ["ns", "hs"]) == "ns"
    with pytest.raises(ValueError, match="objective is .*; choose one of 'ns', 'hs'"):
        one_of("objective", value, ["ns", "hs"])


def test_what_does_not_fit_into_memory_is_refused():
    check_memory(1e6, "a table")
    with pytest.raises(MemoryError, match="a table of 9 rows would take about 1,000,000.0 GB"):
        check_memory(1e15, "a table of 9 rows")


@pytest.mark.parametrize(
    "counts, message",
    [
        ([], "counts have shape"),
        ([[1, 2]], "counts have shape"),
        ([1, -2], "the count of word 1 is -2"),
        ([math.nan], "the count of word 0 is nan"),
        ([1, math.inf], "the count of word 1 is inf"),
        ([1, 0], "the count of word 1 is 0; counts must be above 0"),
    ],
)
def test_bad_counts(counts, message):
    with pytest.raises(ValueError, match=message):
        check_counts(counts, zeros=False)


def test_counts_of_zero_where_they_may_be():
    assert check_counts([0, 2], zeros=True).tolist() == [0, 2]


@pytest.mark.parametrize("ids, wrong", [([0, 3], 3), ([-1, 0], -1)])
def test_ids_outside_the_vocabulary(ids, wrong):
    check_ids(torch.tensor([], dtype=torch.int64), 3)
    check_ids(torch.tensor([0, 2]), 3)
    with pytest.raises(IndexError, match=f"target id {wrong} is outside the vocabulary of 3 words"):
        check_ids(torch.tensor(ids), 3)
