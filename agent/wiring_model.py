"""The configured model endpoints, put together."""

from typing import TYPE_CHECKING

from agent.settings import Settings
from store.errors import ConfigError

if TYPE_CHECKING:
    import httpx
    from langchain_core.language_models import BaseChatModel

    from agent.model_limits import TurnLimits


def endpoints(settings: Settings, client: "httpx.AsyncClient | None") -> "tuple[BaseChatModel, ...]":
    """The models in the order in which they are asked; none where no endpoint is set.

    Without a `client` (synchronous use) the server is not asked for its context. Raises ConfigError for an
    endpoint without a model.
    """
    if not settings.llm_base_url:
        return ()
    if not settings.llm_model:
        raise ConfigError(
            "VOICELOOP_LLM_BASE_URL is set but VOICELOOP_LLM_MODEL is not",
            hint="name the model that the endpoint serves, e.g. Qwen/Qwen3-8B",
        )
    key = settings.llm_api_key.get_secret_value()
    found = [_endpoint(settings, client, settings.llm_base_url, key, settings.llm_model)]
    if settings.llm_fallback_model:
        second = settings.llm_fallback_base_url
        key = settings.llm_fallback_api_key.get_secret_value() if second else key
        found.append(
            _endpoint(settings, client, second or settings.llm_base_url, key, settings.llm_fallback_model)
        )
    return tuple(found)


def _endpoint(
    settings: Settings, client: "httpx.AsyncClient | None", base_url: str, key: str, model: str
) -> "BaseChatModel":
    from pydantic import SecretStr

    from agent.model_endpoint import EndpointModel
    from agent.model_server import ModelServer, Sizes

    endpoint = EndpointModel(
        model=model,
        base_url=base_url,
        api_key=SecretStr(key),
        http_async_client=client,
        timeout=settings.llm_timeout_s,
        max_retries=settings.llm_max_retries,
        temperature=settings.llm_temperature,
        use_responses_api=False,
        streaming=settings.llm_stream,
        stream_usage=True,
        tool_mode=settings.llm_tool_mode,
    )
    if client is None:
        return endpoint
    sizes = Sizes(settings.llm_context_tokens, settings.llm_answer_tokens)
    return endpoint.at(ModelServer(client, base_url, key, model, sizes))


def client_failures() -> tuple[type[Exception], ...]:
    """What an endpoint raises after its client's own retries."""
    import openai

    from store.errors import ModelUnavailable

    return (openai.OpenAIError, ModelUnavailable)


def turn_limits(settings: Settings) -> "TurnLimits":
    """What one turn may take at most."""
    from agent.model_limits import TurnLimits

    return TurnLimits(
        model_calls=settings.llm_turn_model_calls,
        tool_calls=settings.llm_turn_tool_calls,
        seconds=settings.llm_turn_seconds,
        tokens=settings.llm_turn_tokens,
    )
