"""Single sign-on against a provider at the wire: PKCE, nonce, signature and claims are checked for real."""

import base64
import hashlib
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey

from agent.settings import Settings
from agent.wiring import App, open_app
from server.oidc import Oidc
from store.errors import ConfigError
from tests.serving import Api

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])
KEY = RSAKey.generate_key(2048, parameters={"kid": "one", "use": "sig", "alg": "RS256"})
OTHER = RSAKey.generate_key(2048, parameters={"kid": "one", "use": "sig", "alg": "RS256"})


class Provider:
    """An OpenID Connect provider that lets in whoever `claims` says; `signed_by` and `change` make it lie."""

    def __init__(self) -> None:
        self.claims: dict[str, Any] = {"sub": "u1", "groups": ["voc-team", "east-team"]}
        self.change: dict[str, Any] = {}
        self.signed_by = KEY
        self.asked: dict[str, dict[str, str]] = {}
        provider = self

        class Answer(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                url = provider.url
                documents = {
                    "/.well-known/openid-configuration": {
                        "issuer": url,
                        "authorization_endpoint": f"{url}/authorize",
                        "token_endpoint": f"{url}/token",
                        "jwks_uri": f"{url}/keys",
                    },
                    "/keys": {"keys": [KEY.as_dict(private=False)]},
                }
                self._send(200, documents[self.path])

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                form = {name: values[0] for name, values in parse_qs(body).items()}
                asked = provider.asked.pop(form["code"], None)
                hashed = hashlib.sha256(form["code_verifier"].encode()).digest()
                challenge = base64.urlsafe_b64encode(hashed).rstrip(b"=").decode()
                if asked is None or challenge != asked["code_challenge"]:
                    self._send(400, {"error": "invalid_grant"})
                    return
                now = int(time.time())
                claims = {"iss": provider.url, "aud": "voiceloop", "iat": now, "exp": now + 60}
                claims |= {"nonce": asked["nonce"], **provider.claims, **provider.change}
                token = jwt.encode({"alg": "RS256", "kid": "one"}, claims, provider.signed_by)
                self._send(200, {"access_token": "a", "token_type": "Bearer", "id_token": token})

            def _send(self, status: int, document: object) -> None:
                body = json.dumps(document).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Answer)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def consent(self, location: str) -> str:
        """What the person's browser is sent back with."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}
        assert asked["code_challenge_method"] == "S256" and asked["client_id"] == "voiceloop"
        self.asked["code-1"] = asked
        return f"{urlsplit(asked['redirect_uri']).path}?code=code-1&state={asked['state']}"


@pytest.fixture
def provider() -> Iterator[Provider]:
    one = Provider()
    thread = threading.Thread(target=one.server.serve_forever, daemon=True)
    thread.start()
    yield one
    one.server.shutdown()
    one.server.server_close()
    thread.join(5)


def configured(home: Path, issuer: str, **settings: Any) -> Settings:
    plain = {"oidc_roles": "voc-team=analyst,voc-admins=admin", "oidc_units": "east-team=hq/east"}
    return Settings(
        home=home, _env_file=None, oidc_issuer=issuer, oidc_client_id="voiceloop", **{**plain, **settings}
    )


@pytest.fixture
def api_app(tmp_path: Path, provider: Provider) -> Iterator[App]:
    with open_app(configured(tmp_path / "home", provider.url)) as app:
        yield app


async def sign_in(api: Api, provider: Provider) -> httpx.Response:
    begun = await api.client.get("/v1/session/oidc")
    assert begun.status_code == 303, begun.text
    return await api.client.get(provider.consent(begun.headers["location"]))


async def test_who_comes_back_is_signed_in_with_role_and_units(api: Api, provider: Provider) -> None:
    api.key("admin")
    response = await sign_in(api, provider)
    assert response.status_code == 200, response.text
    me = (await api.client.get("/v1/me")).json()
    assert (me["user"], me["role"], me["scope"]) == ("u1", "analyst", ["hq/east"])


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"aud": "another"}, 401),
        ({"aud": ["voiceloop", "another"], "azp": "another"}, 401),
        ({"aud": ["voiceloop", "another"], "azp": "voiceloop"}, 200),
        ({"iss": "http://evil.example"}, 401),
        ({"exp": 1}, 401),
        ({"nonce": "another"}, 401),
        ({"groups": ["east-team"]}, 403),
        ({"groups": ["voc-admins"]}, 403),
        ({"groups": "voc-team"}, 403),
        ({"sub": ""}, 401),
    ],
)
async def test_what_the_token_says_is_checked(
    api: Api, provider: Provider, change: dict[str, Any], status: int
) -> None:
    provider.change = change
    response = await sign_in(api, provider)
    assert response.status_code == status, response.text
    assert ("vl_session" in api.client.cookies) == (status == 200)


async def test_a_token_signed_by_another_is_refused(api: Api, provider: Provider) -> None:
    provider.signed_by = OTHER
    assert (await sign_in(api, provider)).status_code == 401


async def test_a_sign_in_begun_in_another_browser_or_used_twice_is_refused(
    api: Api, provider: Provider
) -> None:
    begun = await api.client.get("/v1/session/oidc")
    back = provider.consent(begun.headers["location"])
    api.client.cookies.clear()
    assert (await api.client.get(back)).status_code == 401
    begun = await api.client.get("/v1/session/oidc")
    back = provider.consent(begun.headers["location"])
    assert (await api.client.get(back)).status_code == 200
    assert (await api.client.get(back)).status_code == 401


def test_settings_that_cannot_work_are_told(tmp_path: Path) -> None:
    for wrong in ({"oidc_roles": "voc-team=king"}, {"oidc_roles": ""}, {"oidc_units": "hq/east"}):
        with pytest.raises(ConfigError, match="OIDC"):
            Oidc(configured(tmp_path, "http://127.0.0.1:9", **wrong))
