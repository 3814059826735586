"""The web page as it is served: its policy, its caching, its files, and nothing of another host in them."""

import json
import re
from hashlib import sha256
from pathlib import Path
from typing import Any

import yaml

from server.web_files import FOLDER, WebFiles
from tests.serving import Api

VENDOR = FOLDER / "vendor"
# Addresses that name a thing and are never fetched: namespaces, the licence, a comment.
NAMES_ONLY = re.compile(r"https?://(www\.w3\.org|www\.apache\.org|github\.com/ecomfe)/")


def own_files() -> list[Path]:
    return [path for path in sorted(FOLDER.rglob("*")) if path.is_file() and "licenses" not in path.parts]


async def test_the_page_runs_only_our_own_files(api: Api) -> None:
    got = await api.client.get("/")
    assert got.status_code == 200
    assert got.headers["content-type"] == "text/html; charset=utf-8"
    policy = dict(part.split(" ", 1) for part in got.headers["content-security-policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert policy["require-trusted-types-for"] == "'script'"
    assert "unsafe" not in got.headers["content-security-policy"]
    assert got.headers["x-frame-options"] == "DENY"
    assert got.headers["x-content-type-options"] == "nosniff"
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\bon\w+=|style=", got.text)


async def test_every_file_that_the_page_names_is_there_and_stays(api: Api) -> None:
    page = (await api.client.get("/")).text
    named = re.findall(r'(?:href|src)="([^"]+)"', page)
    assert len(named) > 20
    for address in named:
        got = await api.client.get(address)
        assert got.status_code == 200, address
        assert got.headers["cache-control"] == "public, max-age=31536000, immutable"
        kind = {"js": "text/javascript", "mjs": "text/javascript", "css": "text/css", "svg": "image/svg+xml"}
        assert got.headers["content-type"].startswith(kind[address.rsplit(".", 1)[1]])


async def test_a_page_that_is_known_is_not_sent_again(api: Api) -> None:
    first = await api.client.get("/")
    assert first.headers["cache-control"] == "no-cache"
    again = await api.client.get("/", headers={"If-None-Match": first.headers["etag"]})
    assert again.status_code == 304
    assert not again.content
    head = await api.client.head("/")
    assert head.headers["content-length"] == first.headers["content-length"]
    assert not head.content


async def test_files_are_sent_compressed_to_who_takes_that(api: Api) -> None:
    path = "/web/any/vendor/echarts.mjs"
    plain = await api.client.get(path, headers={"Accept-Encoding": "identity"})
    small = await api.client.get(path, headers={"Accept-Encoding": "gzip"})
    assert "content-encoding" not in plain.headers
    assert small.headers["content-encoding"] == "gzip"
    assert small.content == plain.content
    assert int(small.headers["content-length"]) < int(plain.headers["content-length"]) / 2
    # An address of an earlier release is answered, but not for ever.
    assert plain.headers["cache-control"] == "no-cache"


async def test_nothing_beside_the_page_is_served(api: Api) -> None:
    for path in (
        "/web/any/none.js",
        "/web/any/../../routes_page.py",
        "/web/any/%2e%2e/%2e%2e/routes_page.py",
    ):
        assert (await api.client.get(path)).status_code == 404, path


def test_a_changed_file_gives_another_address(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text('<script src="/web/app.js"></script><!-- modules -->')
    (tmp_path / "app.js").write_text("1")
    files = WebFiles(tmp_path)
    before = files.release()
    assert f'"/web/{before.fingerprint}/app.js"'.encode() in before.index.content
    (tmp_path / "app.js").write_text("2 + 2")
    assert files.release().fingerprint == before.fingerprint
    after = files.release(fresh=True)
    assert after.fingerprint != before.fingerprint
    assert after.files["app.js"].content == b"2 + 2"


def test_no_file_names_another_host() -> None:
    for path in own_files():
        text = path.read_text(encoding="utf-8")
        found = [
            address for address in re.findall(r"https?://[^\s\"'`)>]+", text) if not NAMES_ONLY.match(address)
        ]
        assert not found, f"{path.name}: {found}"
        if path.suffix in (".js", ".css", ".html"):
            assert not re.search(r"(?:src|href|url\(|import\(?)\s*[=]?\s*[\"']//", text), path.name


def test_our_scripts_make_no_markup_and_run_no_text() -> None:
    for path in own_files():
        if path.suffix == ".js":
            text = path.read_text(encoding="utf-8")
            banned = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function"
            assert not re.search(rf"{banned}|dangerouslySetInnerHTML", text), path.name


def test_vendored_files_are_those_of_their_packages() -> None:
    listed = yaml.safe_load((VENDOR / "vendor.yaml").read_text(encoding="utf-8"))
    assert {one["file"] for one in listed} == {path.name for path in VENDOR.glob("*.mjs")}
    for one in listed:
        assert sha256((VENDOR / one["file"]).read_bytes()).hexdigest() == one["sha256"], one["file"]
        assert one["licence"] and one["package"]
        for licence in one["licence_files"]:
            assert (VENDOR / licence).stat().st_size > 100


def words(language: str) -> dict[str, Any]:
    told: dict[str, Any] = json.loads((FOLDER / f"words.{language}.json").read_text(encoding="utf-8"))
    return told


def flat(tree: dict[str, Any], above: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in tree.items():
        name = f"{above}{key}"
        found |= flat(value, f"{name}.") if isinstance(value, dict) else {name: value}
    return found


def test_both_languages_have_the_same_words() -> None:
    zh, en = flat(words("zh")), flat(words("en"))
    assert zh.keys() == en.keys()
    for key in zh:
        assert type(zh[key]) is type(en[key]), key
        assert zh[key] and en[key], key
        if isinstance(zh[key], str):
            blanks = [set(re.findall(r"\{\w+\}", told[key])) for told in (zh, en)]
            assert blanks[0] == blanks[1], key


def test_every_word_that_a_script_asks_for_is_there() -> None:
    known = flat(words("zh"))
    groups = {key.rsplit(".", 1)[0] for key in known}
    for path in own_files():
        if path.suffix != ".js":
            continue
        text = path.read_text(encoding="utf-8")
        for key in re.findall(r"\b(?:t|words)\(\s*\"([^\"]+)\"", text):
            assert key in known, f"{path.name} asks for {key}"
        for group in re.findall(r"\bt\(`([\w.]+)\.\$\{", text):
            assert group in groups, f"{path.name} asks for {group}.*"
        for group in re.findall(r"\bt\(`([\w.]+_)\$\{", text):
            assert any(key.startswith(group) for key in known), f"{path.name} asks for {group}*"
        for group in re.findall(r"\bnameOf\(\s*\"(\w+)\"", text):
            assert f"names.{group}" in groups, f"{path.name} asks for names.{group}"


def test_no_script_holds_words_of_its_own() -> None:
    for path in own_files():
        if path.suffix == ".js":
            code = re.sub(r"//.*|/\*.*?\*/", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
            allowed = {"中文"} if path.name == "layout.js" else set()
            found = set(re.findall(r"[\u4e00-\u9fff]+", code)) - allowed
            assert not found, f"{path.name}: {found}"
