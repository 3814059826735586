"""Every setting, read from the environment here and nowhere else."""

from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict


class Settings(BaseSettings):
    """Settings with the prefix VOICELOOP_, from the environment or a `.env` file."""

    model_config = SettingsConfigDict(env_prefix="VOICELOOP_", env_file=".env", extra="ignore")

    home: Path = Field(default=Path(".voiceloop"), description="data folder")
    timezone: str = Field(default="Asia/Shanghai", description="zone in which people read and write times")
    calendar: Path | None = Field(
        default=None,
        description="promotions, releases, rivals' moves and outages (YAML or CSV); none: calendar.yaml or "
        "calendar.csv in the data folder",
    )
    targets: Path | None = Field(
        default=None, description="baselines and targets of metrics; none: targets.yaml in the data folder"
    )
    language: Literal["zh", "en"] = Field(default="zh", description="language where none can be told")

    industries: Annotated[tuple[str, ...] | None, NoDecode] = Field(
        default=None, description="industry packs, comma separated; none: what `taxonomy use` chose"
    )

    user: str = Field(default="local", min_length=1, description="on whose behalf the command line asks")
    role: Literal["viewer", "analyst", "manager", "admin", "service"] = Field(default="admin")
    scope: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(), description="org units that may be seen, comma separated; none: everything"
    )

    session_hours: float = Field(
        default=12, gt=0, description="how long a person stays signed in to the web page"
    )
    rate_per_s: float = Field(
        default=100, ge=0, description="requests a second that one API key may send; 0: any number"
    )
    rate_burst: int = Field(default=200, ge=1, description="requests that a key may send at once")
    body_mb: float = Field(default=10, gt=0, description="largest request body, files excepted")
    upload_mb: float = Field(default=200, gt=0, description="largest request with files")
    request_timeout_s: float = Field(
        default=180, gt=0, description="a request that was not answered by then is given up"
    )
    public_url: str | None = Field(
        default=None, description="how browsers call the server, e.g. https://voice.example.com"
    )
    oidc_issuer: str | None = Field(
        default=None, description="OpenID Connect provider; none: API keys alone sign in"
    )
    oidc_client_id: str = Field(default="")
    oidc_client_secret: SecretStr = Field(default=SecretStr(""))
    oidc_user_claim: str = Field(default="sub", description="who that is; nothing that people can change")
    oidc_role_claim: str = Field(default="groups", description="what `oidc_roles` and `oidc_units` go by")
    oidc_roles: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(), description="value=role, comma separated; the highest counts, none is refused"
    )
    oidc_units: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(), description="value=org unit, comma separated; not set: everything"
    )
    otlp_endpoint: str | None = Field(
        default=None, description="OTLP over HTTP, e.g. http://127.0.0.1:4318; none: no traces"
    )

    approval_days: int = Field(
        default=14, ge=1, description="a draft that nobody decided about for so many days is not carried out"
    )

    notify_urls: SecretStr = Field(
        default=SecretStr(""),
        description="where alerts of every tier are told, comma separated: log://, webhook+https://..., or "
        "any address of apprise; by tier and role: notify.yaml, see docs/notifications.md",
    )
    notify: Path | None = Field(
        default=None, description="targets by tier and role; none: notify.yaml in the data folder"
    )
    notify_secret: SecretStr | None = Field(
        default=None, description="signs webhooks: whsec_ and 24 to 64 random bytes in base64"
    )

    crm: Path | None = Field(
        default=None, description="CRMs that are told of tasks; none: crm.yaml in the data folder"
    )

    customer_gateway_url: SecretStr | None = Field(
        default=None, description="messages to customers are posted here, signed; none: docs/messages.md"
    )
    customer_gateway_secret: SecretStr | None = Field(
        default=None, description="signs them: whsec_ and 24 to 64 random bytes in base64"
    )
    customer_mail_url: SecretStr | None = Field(
        default=None, description="sends mail to customers: smtps://user:password@host, URL-encoded"
    )
    customer_mail_from: str = Field(default="", description="its sender, e.g. 客服中心 <care@example.com>")
    customer_addresses: Path | None = Field(
        default=None, description="CSV customer_id,mail; none: addresses.csv in the data folder"
    )
    survey_url: str | None = Field(
        default=None,
        pattern=r"^https?://\S*\{survey_id\}\S*$",
        description="your form, e.g. https://example.com/s/{survey_id}; none: customers answer by reply",
    )

    mail_url: SecretStr | None = Field(
        default=None,
        description="mailbox with feedback: imaps://user:password@host/INBOX, user and password URL-encoded",
    )

    slack_bot_token: SecretStr | None = Field(default=None, description="xoxb-...; none: no Slack")
    slack_signing_secret: SecretStr | None = Field(default=None, description="of requests from Slack")
    slack_app_token: SecretStr | None = Field(
        default=None, description="xapp-...: Socket Mode, for a server that Slack cannot reach"
    )
    slack: Path | None = Field(
        default=None, description="who is who in Slack; none: slack.yaml in the data folder"
    )
    slack_api_url: str = Field(default="https://slack.com/api/", description="Slack's Web API")

    feishu_app_id: str = Field(default="", description="cli_...; empty: no Feishu")
    feishu_app_secret: SecretStr | None = Field(default=None)
    feishu_encrypt_key: SecretStr | None = Field(default=None, description="of events from Feishu")
    feishu_verification_token: SecretStr | None = Field(default=None)
    feishu: Path | None = Field(
        default=None, description="who is who in Feishu; none: feishu.yaml in the data folder"
    )
    feishu_api_url: str = Field(
        default="https://open.feishu.cn",
        description="Feishu's open platform; Lark: https://open.larksuite.com",
    )

    llm_base_url: str | None = Field(default=None, description="OpenAI-compatible; none: offline planner")
    llm_api_key: SecretStr = Field(default=SecretStr("not-needed"))
    llm_model: str = Field(default="", description="model name at that endpoint")
    llm_timeout_s: float = Field(default=60.0, gt=0)
    llm_stream: bool = Field(default=False, description="ask the endpoint for streamed replies")
    llm_max_retries: int = Field(default=2, ge=0, description="with backoff; Retry-After is honoured")
    llm_tool_mode: Literal["native", "json", "auto"] = Field(
        default="auto", description="json: for models without tool calls; auto: json once tools are refused"
    )
    llm_context_tokens: int | None = Field(
        default=None, ge=2048, description="context of the model; none: as /v1/models says, else 8192"
    )
    llm_answer_tokens: int | None = Field(
        default=None, ge=64, description="longest reply, thinking included; none: a quarter of the context"
    )
    llm_temperature: float = Field(default=0.0, ge=0, le=2)
    llm_fallback_base_url: str | None = Field(
        default=None, description="second endpoint, asked where the first fails; none: the same address"
    )
    llm_fallback_api_key: SecretStr = Field(default=SecretStr("not-needed"))
    llm_fallback_model: str = Field(default="", description="model there; empty: no second endpoint")
    llm_turn_model_calls: int = Field(default=12, ge=1, description="of one turn, at most; then the planner")
    llm_turn_tool_calls: int = Field(default=24, ge=1)
    llm_turn_seconds: float = Field(default=120.0, gt=0)
    llm_turn_tokens: int = Field(default=120_000, ge=1)

    label_base_url: str | None = Field(
        default=None, description="vLLM replicas, comma separated; none: embedded labels only"
    )
    label_model: str = Field(default="", description="model name at those replicas")
    label_mode: Literal["instruct", "classify"] = Field(default="instruct", description="see docs/vllm.md")
    label_api_key: SecretStr = Field(default=SecretStr(""))
    label_outputs: Path | None = Field(default=None, description="labels.json of the encoder (classify)")
    label_escalate_share: float = Field(
        default=0.2, ge=0, le=1, description="of texts, at most, to the server"
    )
    label_concurrency: int = Field(default=64, ge=1, description="requests in flight a replica, at most")
    label_timeout_s: float = Field(default=60.0, gt=0)
    label_patience_s: float = Field(
        default=30.0, ge=0, description="how long a server that restarts or is overloaded is waited for"
    )

    transcribe_base_url: str | None = Field(
        default=None, description="OpenAI-compatible, ends in /v1; none: recordings are refused"
    )
    transcribe_model: str = Field(default="", description="speech model at that endpoint, e.g. whisper-1")
    transcribe_api_key: SecretStr = Field(default=SecretStr(""))
    transcribe_format: Literal["auto", "verbose_json", "diarized_json", "json"] = Field(default="auto")
    transcribe_language: str | None = Field(default=None, description="zh, en ...; none: found out")
    transcribe_timeout_s: float = Field(default=600.0, gt=0)
    transcribe_max_mb: float = Field(default=25.0, gt=0, description="largest file the endpoint takes")

    mask_grades: Annotated[tuple[Literal["identity", "account", "transaction"], ...], NoDecode] = Field(
        default=("identity", "account", "transaction"), description="grades that are masked, comma separated"
    )
    pseudonyms: Literal["off", "numbered", "reversible"] = Field(
        default="off", description="[NAME_1] within a conversation; reversible: with the key alone"
    )
    pseudonym_key: SecretStr | None = Field(
        default=None, description="64 random bytes in base64, for reversible pseudonyms"
    )

    encoder: Literal["use", "e5"] = Field(
        default="use",
        description="e5 finds better and is 15 times slower: pip install 'voiceloop[e5]', then reindex",
    )
    result_cache: int = Field(
        default=256, ge=0, description="results of tools that are kept until the facts change; 0: none"
    )
    workers: int = Field(default=0, ge=0, description="processes for embedding; 0: one per core")

    @field_validator("industries", "mask_grades", "scope", "oidc_roles", "oidc_units", mode="before")
    @classmethod
    def _split(cls, names: object) -> object:
        if isinstance(names, str):
            return tuple(name.strip() for name in names.split(",") if name.strip())
        return names

    @field_validator("timezone")
    @classmethod
    def _zone_exists(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ValueError, KeyError, OSError) as error:
            raise ValueError(f"there is no time zone {name!r}; write it like Asia/Shanghai") from error
        return name

    @property
    def zone(self) -> ZoneInfo:
        """The zone of `timezone`."""
        return ZoneInfo(self.timezone)
