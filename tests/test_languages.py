"""What is explained in another language is all there, and as wide as a terminal is."""

from __future__ import annotations

import re
import string

import pytest

from polydescent import errors
from polydescent.report.derivation import LARGEST, explain, sections
from polydescent.report.languages import LANGUAGES, in_language
from polydescent.report.writing import Math, columns, wrapped

OTHERS = [name for name in LANGUAGES if name != "en"]


def placeholders(sentence):
    return sorted(name for _, name, _, _ in string.Formatter().parse(sentence) if name)


@pytest.mark.parametrize("language", OTHERS)
def test_every_sentence_of_the_derivation_is_translated(language):
    catalogue = LANGUAGES[language]
    for degree in range(LARGEST + 1):
        for section in sections(degree):
            said = [section.title, *(part for part in section.parts if not isinstance(part, Math))]
            assert [sentence for sentence in said if sentence not in catalogue] == []


@pytest.mark.parametrize("language", OTHERS)
def test_a_translation_names_the_same_symbols(language):
    for sentence, instead in LANGUAGES[language].items():
        assert placeholders(instead) == placeholders(sentence), sentence


@pytest.mark.parametrize("language", OTHERS)
@pytest.mark.parametrize("degree", [0, 3, 12])
def test_the_formulas_are_the_same_and_no_english_is_left(language, degree):
    text = explain(degree, "text", language)
    assert all(columns(line) <= 79 for line in text.splitlines()) or degree > 3
    prose = [line for line in text.splitlines() if line and not line.startswith("    ")]
    # names of what has no other: the Hessian and its like
    assert not [line for line in prose if re.search(r"\b(?!Hessian)[a-z]{3,}\b", line)]
    formulas = [line for line in text.splitlines() if line.startswith("    ")]
    english = [line for line in explain(degree).splitlines() if line.startswith("    ")]
    assert formulas == english
    assert explain(degree, "latex", language).startswith("\\documentclass{ctexart}")
    assert explain(degree, "latex").startswith("\\documentclass{article}")


def test_a_language_that_there_is_not():
    with pytest.raises(errors.UnknownName, match="zh-CN"):
        explain(3, "text", "fr")
    with pytest.raises(errors.UnknownName):
        in_language(None)  # type: ignore[arg-type]


def test_lines_of_chinese_are_full_and_begin_with_no_mark():
    sentence = "误差每一步都乘以它自己的一个数 1 − η·λⱼ，而且（这一点很重要）从不改变。" * 9
    lines = wrapped(sentence, 40, "  ", "    ")
    assert "".join(line.strip() for line in lines).replace(" ", "") == sentence.replace(" ", "")
    assert all(columns(line) <= 40 for line in lines)
    assert all(columns(line) >= 30 for line in lines[:-1])
    assert not [line for line in lines if line.lstrip()[0] in "，。：；）"]


def test_the_command_explains_in_chinese(polydescent):
    code, out, _ = polydescent("explain", "--degree", 1, "--language", "zh-CN")
    assert code == 0
    assert out.rstrip("\n") == explain(1, "text", "zh-CN")
