"""What labels texts in one data folder: taxonomy, words, models, the label server and its cache."""

from functools import cached_property
from typing import TYPE_CHECKING

from agent.wiring_stores import Stores
from store.errors import ConfigError

if TYPE_CHECKING:
    from pipeline.cascade import CascadeClassifier
    from pipeline.classifier import Classifier
    from pipeline.embedded_classifier import EmbeddedClassifier
    from pipeline.label_adapted import AdaptedClassifier
    from pipeline.label_models import ModelShelf
    from pipeline.label_training import Trainer
    from pipeline.lexicon import Lexicon
    from pipeline.taxonomy import Taxonomy
    from pipeline.taxonomy_sources import Sources
    from pipeline.vllm_labeller import RemoteLabeller
    from store.human_labels import HumanLabels
    from store.label_cache import LabelCache


class Labelling(Stores):
    """The stores, and everything between a text and its labels."""

    @cached_property
    def taxonomy_sources(self) -> "Sources":
        """Which industry packs are on, and the user's own taxonomy and lexicon files."""
        from pipeline.taxonomy_sources import read_sources

        return read_sources(self.home, self.settings.industries)

    @cached_property
    def taxonomy(self) -> "Taxonomy":
        """The topics of this data folder."""
        from pipeline.taxonomy import load_taxonomy

        return load_taxonomy(self.taxonomy_sources)

    @cached_property
    def lexicon(self) -> "Lexicon":
        """The words of this data folder."""
        from pipeline.lexicon import load_lexicon

        return load_lexicon(self.taxonomy_sources)

    def reload_labelling(self) -> None:
        """Read taxonomy, words and models anew: their files have changed. Who has the old ones keeps them."""
        for name in ("taxonomy_sources", "taxonomy", "lexicon", "embedded", "cascade", "ingestor"):
            self.__dict__.pop(name, None)

    @cached_property
    def human_labels(self) -> "HumanLabels":
        """What people say the labels are."""
        from store.sqlite_human_labels import SqliteHumanLabels

        store = SqliteHumanLabels(self._file("operations.sqlite"))
        self._closers.append(store)
        return store

    @cached_property
    def embedded(self) -> "EmbeddedClassifier | AdaptedClassifier":
        """Text to labels in this process: as shipped, or by the promoted model of human labels."""
        from pipeline.embedded_classifier import EmbeddedClassifier
        from pipeline.label_adapted import AdaptedClassifier
        from pipeline.sentiment import load_sentiment

        promoted = self.models.promoted()
        if promoted is None:
            return EmbeddedClassifier(self.taxonomy, self.lexicon)
        model = self.models.load(promoted)
        return AdaptedClassifier(promoted, model, self.taxonomy, self.lexicon, load_sentiment())

    @property
    def models(self) -> "ModelShelf":
        """Models made of human labels."""
        from pipeline.label_models import ModelShelf

        return ModelShelf(self.home / "models")

    @property
    def trainer(self) -> "Trainer":
        """Human labels to a model."""
        from pipeline.label_training import Trainer
        from pipeline.sentiment import load_sentiment

        return Trainer(
            facts=self.facts,
            human=self.human_labels,
            shelf=self.models,
            taxonomy=self.taxonomy,
            lexicon=self.lexicon,
            shipped=load_sentiment(),
            clock=self.clock,
        )

    @property
    def classifier(self) -> "Classifier":
        """Text to labels: the embedded classifier, before a label server where one is set."""
        return self.cascade or self.embedded

    @cached_property
    def cascade(self) -> "CascadeClassifier | None":
        """The embedded classifier and the configured label server; None where none is set."""
        settings = self.settings
        if not settings.label_base_url:
            return None
        from pipeline.cascade import CascadeClassifier
        from pipeline.vllm_classifier import VllmClassifier
        from pipeline.vllm_client import Endpoint
        from pipeline.vllm_limits import Limits

        urls = tuple(url.strip() for url in settings.label_base_url.split(",") if url.strip())
        endpoint = Endpoint(
            urls,
            api_key=settings.label_api_key.get_secret_value(),
            timeout_s=settings.label_timeout_s,
            patience_s=settings.label_patience_s,
            limits=Limits(most=settings.label_concurrency, latency_goal_s=settings.label_timeout_s / 4),
        )
        second = VllmClassifier(self._labeller(), endpoint)
        self._closers.append(second)
        share = settings.label_escalate_share
        return CascadeClassifier(self.embedded, second, self.label_cache, self.clock, share=share)

    def _labeller(self) -> "RemoteLabeller":
        settings = self.settings
        if not settings.label_model:
            raise ConfigError(
                "VOICELOOP_LABEL_BASE_URL is set but VOICELOOP_LABEL_MODEL is not",
                hint="name the model that the server serves: curl $VOICELOOP_LABEL_BASE_URL/models",
            )
        if settings.label_mode == "instruct":
            from pipeline.vllm_instruct import InstructLabeller

            return InstructLabeller(settings.label_model, self.taxonomy, self.lexicon)
        if settings.label_outputs is None:
            raise ConfigError(
                "VOICELOOP_LABEL_MODE is classify but VOICELOOP_LABEL_OUTPUTS is not set",
                hint="it is the labels.json beside the checkpoint: the server does not tell its outputs",
            )
        from pipeline.vllm_encoder import EncoderLabeller, read_encoder_labels

        outputs = read_encoder_labels(settings.label_outputs)
        return EncoderLabeller(settings.label_model, outputs, self.taxonomy.paths)

    @cached_property
    def label_cache(self) -> "LabelCache":
        """Labels from the label server, and the queue of texts it could not label."""
        from store.sqlite_label_cache import SqliteLabelCache

        store = SqliteLabelCache(self._file("operations.sqlite"), self.clock)
        self._closers.append(store)
        return store

    def labellers(self) -> frozenset[str]:
        """The names of the labellers in use: labels by any other are older than the taxonomy or the model."""
        names = {self.embedded.name}
        return frozenset(names | {self._labeller().name} if self.settings.label_base_url else names)
