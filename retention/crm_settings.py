"""Which CRMs there are: crm.yaml."""

from datetime import tzinfo
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from retention.crm_client import CrmClient
from retention.settings_file import read_as
from retention.wording import Language
from store.clock import Clock
from store.errors import ConfigError


class _Crm(BaseModel):
    """What every CRM has. `role`: what its people may do to tasks here; `read_s`: how often it is read."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]
    language: Language = "zh"
    role: Literal["analyst", "manager", "admin"] = "manager"
    read_s: Annotated[float, Field(gt=0)] = 60.0
    timeout_s: Annotated[float, Field(gt=0, le=60)] = 10.0


class WebhookSettings(_Crm):
    """An address of the company's own; `source` is that of its CloudEvents."""

    kind: Literal["webhook"]
    url: SecretStr
    secret: SecretStr
    source: Annotated[str, Field(min_length=1)] = "urn:voiceloop"


class HubspotSettings(_Crm):
    """HubSpot; `token` of a private app. `owners`: names here to owner ids there."""

    kind: Literal["hubspot"]
    url: str = "https://api.hubapi.com"
    token: SecretStr
    owners: dict[str, str] = Field(default_factory=dict)
    contact_property: str = ""


class ZendeskSettings(_Crm):
    """Zendesk; `url` as https://acme.zendesk.com, an API token of the agent `email`."""

    kind: Literal["zendesk"]
    url: str
    email: str
    token: SecretStr
    assignees: dict[str, int] = Field(default_factory=dict)
    requesters: bool = False


CrmSettings = Annotated[WebhookSettings | HubspotSettings | ZendeskSettings, Field(discriminator="kind")]


class CrmFile(BaseModel):
    """The file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    crms: tuple[CrmSettings, ...]

    @model_validator(mode="after")
    def _named_once(self) -> "CrmFile":
        names = [one.name for one in self.crms]
        if twice := {name for name in names if names.count(name) > 1}:
            raise ValueError(f"two CRMs are called {', '.join(sorted(twice))}")
        return self


def load_crms(path: Path) -> tuple[CrmSettings, ...]:
    """Read the file; ConfigError naming what is wrong."""
    return read_as(CrmFile, path).crms


def client_of(crm: CrmSettings, zone: tzinfo, clock: Clock) -> CrmClient:
    """What reaches a CRM; ConfigError, by its name, where its settings cannot be used."""
    import base64

    from retention.crm_delivery import ApiClient
    from retention.crm_http import CrmHttp
    from retention.crm_hubspot import HubspotApi
    from retention.crm_webhook import WebhookCrm
    from retention.crm_zendesk import ZendeskApi

    called, wait = crm.name, crm.timeout_s
    url = crm.url.get_secret_value() if isinstance(crm.url, SecretStr) else crm.url
    if not url.startswith(("https://", "http://")):
        raise ConfigError(f"CRM {crm.name}: its address begins with https://")
    if isinstance(crm, WebhookSettings):
        try:
            return WebhookCrm(
                CrmHttp(called, url, {}, wait), crm.secret.get_secret_value(), crm.source, clock
            )
        except ConfigError as error:
            raise ConfigError(
                f"CRM {crm.name}: its secret is not 24 to 64 bytes in base64", hint=error.hint
            ) from None
    token = crm.token.get_secret_value()
    if isinstance(crm, HubspotSettings):
        http = CrmHttp(called, url, {"authorization": f"Bearer {token}"}, wait)
        return ApiClient(HubspotApi(http, crm.owners, crm.contact_property, crm.language, zone))
    key = base64.b64encode(f"{crm.email}/token:{token}".encode()).decode()
    http = CrmHttp(called, url, {"authorization": f"Basic {key}", "accept": "application/json"}, wait)
    return ApiClient(ZendeskApi(http, crm.assignees, crm.requesters, crm.language, zone, clock))
