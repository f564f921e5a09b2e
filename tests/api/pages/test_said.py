"""What the service says in Chinese, in English on pages that were switched to it."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from api.kit.i18n.said import DOUBT_EN, FILE, say
from docproc.check.rules import DOUBT
from docproc.errors import CatalogueError
from docproc.fields import validate
from docproc.flow.licences import print_report
from docproc.licence.report import headline
from docproc.matter.load import COMMON_FILE, MATTERS_DIR, load_catalogue, load_matter

ROOT = Path(__file__).parents[3]
CHINESE = re.compile(r"[\u3400-\u9fff]")
SPOKEN = {"bad", "Finding", "SealUnavailableError", "SealKeyUnavailableError"}
"""Calls whose arguments are sentences for people."""
SHOWN = r"“[^”]*”|男|女|长期|100万元|壹佰万元整|2026年11月22日"
"""Words to be looked for, or written, on Chinese paper."""
QUIET = {
    "docproc/licence/seal/seal_object.py",
    "docproc/licence/report/report_pdf.py",
    "docproc/licence/page/annex.py",
}
"""Their sentences stand in files and reports, which are Chinese in every language."""


def shape(text: str) -> str:
    return re.sub(r"\{[^}]*\}", "{}", text)


def sentences(node: ast.AST) -> Iterator[str]:
    """The texts that an expression may come to, with ``{}`` for what is put in."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.JoinedStr):
        yield "".join(part.value if isinstance(part, ast.Constant) else "{}" for part in node.values)  # type: ignore[misc]
    elif isinstance(node, ast.IfExp):
        yield from sentences(node.body)
        yield from sentences(node.orelse)
    elif isinstance(node, ast.Dict):
        for value in node.values:
            yield from sentences(value)


def spoken(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if (isinstance(node, ast.keyword) and node.arg == "message_zh") or (
            isinstance(node, ast.Assign)
            and any(
                isinstance(t, ast.Name) and (t.id in ("message_zh", "message", "MESSAGE") or t.id.strip("_").isupper())
                for t in node.targets
            )
        ):
            yield from sentences(node.value)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in SPOKEN:
            for value in node.args:
                yield from sentences(value)


def test_every_error_and_finding_of_the_code_has_its_english() -> None:
    known = {shape(text) for text in tomllib.loads(FILE.read_text("utf-8"))}
    files = [
        p
        for folder in ("api", "docproc/flow", "docproc/store", "docproc/scan", "docproc/fields")
        for p in (ROOT / folder).rglob("*.py")
    ]
    files += [
        ROOT / "docproc" / name
        for name in (
            "errors.py",
            "lifecycle.py",
            "matter/load.py",
            "matter/model.py",
            "read/pipeline.py",
            "read/form/unmarked.py",
            "read/printed/photo.py",
        )
    ]
    files += sorted((ROOT / "docproc" / "licence").rglob("*.py"))
    asked = {
        (path.name, text)
        for path in files
        if str(path.relative_to(ROOT)) not in QUIET
        for text in spoken(ast.parse(path.read_text("utf-8")))
        if len(CHINESE.findall(text)) >= 4 and ("，" in text or "请" in text or "没有" in text or "不" in text)
    }
    assert len(asked) > 200
    assert not {item for item in asked if shape(item[1]) not in known}


def test_every_rule_that_ships_has_its_english() -> None:
    assert not [(m.id, r.id) for m in load_catalogue().values() for r in m.rule if not r.message_en]


def test_english_is_not_left_in_chinese() -> None:
    texts = [*tomllib.loads(FILE.read_text("utf-8")).values()]
    texts += [rule.message_en for matter in load_catalogue().values() for rule in matter.rule]
    assert [text for text in texts if CHINESE.search(re.sub(SHOWN, "", text))] == []


@pytest.mark.parametrize(
    ("chinese", "english"),
    [
        ("没有这个办件", "There is no such application."),
        ("请补填“经营者姓名”", 'Fill in “<span lang="zh-CN">经营者姓名</span>”'),
        ("仅销售预包装食品" + DOUBT, f'<span lang="zh-CN">仅销售预包装食品{DOUBT}</span>'),
        ("填表日期晚于今天，请更正" + DOUBT, f"The date on the form is later than today; correct it{DOUBT_EN}"),
        (
            "该证照已作废（依法撤销、撤回、吊销或者注销）；纸面内容与登记机关签发的不一致，请勿采信。",
            "The licence is revoked. The paper does not say what was issued. Do not rely on it.",
        ),
        ("li 正在办理这个办件，请先办理其他办件", "li works on this application. Take another one."),
        ("样例<b>", '<span lang="zh-CN">样例&lt;b&gt;</span>'),
        ("请补填“<b>”", "Fill in “&lt;b&gt;”"),
    ],
)
def test_a_sentence_is_found_with_what_is_put_in_and_else_marked_as_chinese(chinese: str, english: str) -> None:
    assert str(say("en", chinese)) == english
    assert say("zh", chinese) == chinese


def test_a_wrong_value_is_told_in_english_to_the_last_word() -> None:
    problem = validate("cid", "510101199002301234", today=date(2026, 11, 27)).problem
    told = str(say("en", f"“公民身份号码”填写有误：{problem}"))
    assert not CHINESE.search(told.replace("公民身份号码", "")), told
    assert "19900230" in told and "does not exist" in told


def test_an_english_message_has_the_same_places_as_the_chinese(tmp_path: Path) -> None:
    (tmp_path / COMMON_FILE).write_text((MATTERS_DIR / COMMON_FILE).read_text("utf-8"), "utf-8")
    text = (MATTERS_DIR / "food_licence.toml").read_text("utf-8")
    assert "from {from} to {to}" in text
    (tmp_path / "food_licence.toml").write_text(text.replace("from {from} to {to}", "from {from}"), "utf-8")
    with pytest.raises(CatalogueError, match="message_en"):
        load_matter(tmp_path / "food_licence.toml")


def test_every_outcome_of_verifying_is_told_in_english() -> None:
    told = [*headline._WHY.values(), *print_report._SAID.values()]
    told += [f"{status}；{said}。" for status in print_report._STATUS.values() for said in print_report._SAID.values()]
    source = Path(headline.__file__).read_text("utf-8")
    told += re.findall(r'return "([^"]+)"', source)
    told += headline._UNJUDGED.values()
    changes = [*headline._CHANGED.values(), *(f"已于2026年11月3日{word[1:]}" for word in headline._CHANGED.values())]
    whose = ("文件是登记机关签发的，电子印章有效", "文件是登记机关签发的", "电子印章有效")
    told += [f"{who}，但证照{word}。" for who in whose for word in changes]
    told += [
        f"文件与登记机关签发的文件逐字节一致，但{why}，请向登记机关索取现行文件。" for why in headline._WHY.values()
    ]
    assert len(told) > 90
    assert [text for text in told if CHINESE.search(str(say("en", text)))] == []
