"""What Feishu sends: signed, encrypted, not older than five minutes; read into plain events.

By open.feishu.cn/document, "encrypt key": the signature is SHA-256 over timestamp + nonce + key + body, in
hex; the body holds AES-256-CBC in base64, its key the SHA-256 of the encrypt key, its first block the initial
vector.
"""

import base64
import binascii
import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from typing import Any, Final

from server.api_problems import Unauthenticated
from store.errors import InputError

_OLDEST_S: Final = 300
_BLOCK: Final = 16


class FeishuSeal:
    """Checks and opens requests. `token`: the verification token of events; empty: not checked."""

    def __init__(self, encrypt_key: str, token: str = "") -> None:
        self._key = encrypt_key
        self._token = token

    def opened(self, body: bytes, headers: Mapping[str, str]) -> dict[str, Any]:
        """The event of a request. Raises Unauthenticated for a wrong or old signature, else InputError.

        Feishu does not sign the check of an address; who can encrypt it knows the key all the same.
        """
        sealed = _json(body)
        event = self._decrypted(sealed)
        if event.get("type") != "url_verification":
            self._check(body, headers)
        said = event.get("token") or event.get("header", {}).get("token", "")
        if self._token and not hmac.compare_digest(str(said).encode(), self._token.encode()):
            raise Unauthenticated("the verification token is wrong")
        return event

    def _check(self, body: bytes, headers: Mapping[str, str]) -> None:
        stamp = headers.get("x-lark-request-timestamp", "")
        nonce = headers.get("x-lark-request-nonce", "")
        given = headers.get("x-lark-signature", "")
        made = hashlib.sha256(f"{stamp}{nonce}{self._key}".encode() + body).hexdigest()
        if not hmac.compare_digest(made.encode(), given.encode()):
            raise Unauthenticated("the signature is missing or wrong")
        if not stamp.isascii() or not stamp.isdigit() or abs(time.time() - int(stamp)) > _OLDEST_S:
            raise Unauthenticated("the request is older than five minutes")

    def _decrypted(self, sealed: dict[str, Any]) -> dict[str, Any]:
        from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
        from cryptography.hazmat.primitives.padding import PKCS7

        try:
            raw = base64.b64decode(sealed["encrypt"], validate=True)
            cipher = Cipher(
                algorithms.AES(hashlib.sha256(self._key.encode()).digest()), modes.CBC(raw[:_BLOCK])
            )
            decryptor = cipher.decryptor()
            padded = decryptor.update(raw[_BLOCK:]) + decryptor.finalize()
            unpadder = PKCS7(_BLOCK * 8).unpadder()
            return _json(unpadder.update(padded) + unpadder.finalize())
        except (KeyError, TypeError, ValueError, binascii.Error) as error:
            raise Unauthenticated("the request is not encrypted with the key of this server") from error


def _json(body: bytes) -> dict[str, Any]:
    try:
        loaded = json.loads(body)
    except ValueError as error:
        raise InputError("the request is not JSON") from error
    if not isinstance(loaded, dict):
        raise InputError("the request is not a JSON object")
    return loaded
