"""Wrong tokens: what is sent of a token in one letter case and in both."""

from __future__ import annotations

import pytest

from provider_conformance.values import tokens

MIXED = "4DFCF1D4C30B4D798ECE3AE43769F0084dfcf1d4c30b4d798ece3ae43769fABc"


def test_a_token_in_both_cases_is_sent_in_either_alone() -> None:
    sent = [wrong for _, wrong in tokens.telling(MIXED)]
    assert {MIXED.lower(), MIXED.upper(), MIXED.swapcase()} <= set(sent)
    assert len(sent) == len(set(sent))


@pytest.mark.parametrize("token", [MIXED, MIXED.lower(), MIXED.upper(), "0123456789" * 6, "\xdf\xb5-token", "x"])
def test_no_wrong_token_is_the_valid_one(token: str) -> None:
    wrong = [*tokens.telling(token), *(tokens.nudged(token, position) for position in range(len(token)))]
    assert token not in {other for _, other in wrong}
    assert {len(other) for _, other in wrong} == {len(token)}
    assert all(len(other) != len(token) for _, other in tokens.of_other_length(token))


def test_whatever_ignores_a_character_or_its_case_is_told_by_one_token() -> None:
    for position, character in enumerate(MIXED):
        _, wrong = tokens.nudged(MIXED, position)
        assert wrong[:position] + character + wrong[position + 1 :] == MIXED
        assert (wrong.lower() == MIXED.lower()) is character.isalpha()


@pytest.mark.parametrize(("token", "sent"), [(MIXED, 1), (tokens.SAMPLE, 0), (tokens.SAMPLE.lower(), 0)])
def test_the_sample_token_is_tried_where_it_is_not_the_valid_one(token: str, sent: int) -> None:
    assert len([*tokens.guessed(token)]) == sent
    assert token.upper() not in {wrong for _, wrong in tokens.guessed(token)}
