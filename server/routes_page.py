"""The web page: one document and its files. All it shows comes from the API, as for any program."""

from functools import cache
from typing import Annotated, Final

from fastapi import APIRouter, Header, Request, Response

from server.api_problems import NotFound
from server.web_files import WebFile, WebFiles

router = APIRouter(include_in_schema=False)

# Only our own files run, nothing is sent elsewhere, nobody frames the page, and no text becomes markup.
POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "connect-src 'self'",
        # The report is read in a frame that may do nothing but be shown.
        "frame-src 'self'",
        "manifest-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types default",
    )
)
_GUARDS: Final = {
    "Content-Security-Policy": POLICY,
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cross-Origin-Opener-Policy": "same-origin",
}
_ASK_AGAIN: Final = "no-cache"
_FOR_EVER: Final = "public, max-age=31536000, immutable"
Unchanged = Annotated[str | None, Header(alias="If-None-Match")]
Encodings = Annotated[str, Header(alias="Accept-Encoding")]


@cache
def _files() -> WebFiles:
    return WebFiles()


@router.api_route("/", methods=["GET", "HEAD"])
def page(request: Request, known: Unchanged = None, encodings: Encodings = "") -> Response:
    """The document. It names its files by their fingerprint, so only it is asked for again."""
    index = _files().release(fresh=True).index
    return _answer(index, known, encodings, _ASK_AGAIN, request)


@router.api_route("/web/{fingerprint}/{path:path}", methods=["GET", "HEAD"])
def file(
    fingerprint: str, path: str, request: Request, known: Unchanged = None, encodings: Encodings = ""
) -> Response:
    """A file of the page; for ever where the fingerprint is the present one."""
    release = _files().release()
    found = release.files.get(path)
    if found is None:
        raise NotFound("the page has no such file")
    lasting = _FOR_EVER if fingerprint == release.fingerprint else _ASK_AGAIN
    return _answer(found, known, encodings, lasting, request)


def _answer(found: WebFile, known: str | None, encodings: str, lasting: str, request: Request) -> Response:
    headers = {**_GUARDS, "ETag": found.etag, "Cache-Control": lasting, "Vary": "Accept-Encoding"}
    if known is not None and found.etag in known:
        return Response(status_code=304, headers=headers)
    content = found.content
    if "gzip" in encodings and found.gzipped is not None:
        headers["Content-Encoding"], content = "gzip", found.gzipped
    headers["Content-Length"] = str(len(content))
    body = b"" if request.method == "HEAD" else content
    return Response(body, media_type=found.media_type, headers=headers)
