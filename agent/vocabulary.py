"""The words the offline planner knows: vocabulary.yaml's, the taxonomy's, and the data's own values."""

import re
from collections.abc import Iterable, Mapping

from agent.column_names import aspect_words, dimension_words
from agent.name_matching import Similar
from agent.spelling import Speller, sounds_like
from agent.value_words import (
    FIELD_ORDER,
    ID_LIKE,
    PLACE_SUFFIX,
    called_complaints,
    inside,
    is_code,
    own_words,
    places_in_chinese,
    value_matcher,
)
from agent.word_matching import Hit, Matcher, ValueHit, fold, matcher, plural, words
from store.facts import Catalogue

_LATIN = re.compile(r"[A-Za-z]{5,}")
_LONG_VALUE = 60
# Words for a score that do not say what was scored.
_PLAIN_SCORES = frozenset({"score", "rating", "csat"})
# Two columns whose rows differ by less than this share select the same thing by another name.
_ALIKE_ROWS = 0.05
# What classifiers said of items: known by the taxonomy's words, not by the values stored.
_LABELS = frozenset(
    ("topic", "topic_area", "risk", "intent", "sentiment", "emotion", "priority", "compliance", "nps_class")
)
# A place by one name is one place, in whichever of these columns it is written.
_PLACES = frozenset({"region", "city"})
# Named in passing (中国客户) more often than as a segment.
_COUNTRIES = frozenset({"中国"})
_SHORTEST_SLIP = 3
_SHORTEST_PART = 5
_HIGHEST_MARK = 5
_LOOKS_LIKE = 50.0


class Vocabulary:
    """Recognises metrics, dimensions and values of the data at hand."""

    def __init__(
        self,
        catalogue: Catalogue,
        dimension_names: Mapping[str, str],
        topics: Mapping[str, str],
        titles: Mapping[str, Mapping[str, str]] | None = None,
        similar: Similar | None = None,
    ) -> None:
        """`dimension_names`: alias to dimension; `topics`: name in any language to taxonomy path.

        `titles`: by language, the name of each path; `similar`: values that mean what a name in another
        script means.
        """
        self.catalogue = catalogue
        self.titles = titles or {}
        self._similar = similar
        # A word for a field of ours means that field where it is filled, whatever other columns there are.
        own = {name: name for name in catalogue.dimensions if name not in catalogue.metrics}
        filled = {alias: name for alias, name in dimension_names.items() if name in catalogue.dimensions}
        nouns = dimension_words(set(own) - ID_LIKE - set(dimension_names.values()), words()["columns"])
        names = dict(dimension_names) | nouns | own | filled
        self._dimensions = Matcher(names | {plural(name): tag for name, tag in names.items()})
        self._custom = Matcher({name: name for name in catalogue.metrics if name not in words()["metrics"]})
        aspects = aspect_words(
            [name for name in catalogue.metrics if name not in words()["metrics"]],
            words()["aspects"],
            words()["scoring"],
        )
        self._aspects = Matcher(aspects)
        self._rows_are_complaints = called_complaints(catalogue)
        self._values, self._meanings = value_matcher(catalogue, topics)
        self._codes = {fold(v) for i in catalogue.dimensions.values() for v, _ in i.values if is_code(v)}
        self.own_words = own_words(catalogue)
        self._rows = {
            (name, value): rows
            for name, info in catalogue.dimensions.items()
            if name not in ID_LIKE and name not in _LABELS
            for value, rows in info.values
        }

    def dimensions(self, text: str) -> list[Hit]:
        """Names of dimensions."""
        return self._dimensions.find(text)

    def values(self, text: str) -> list[ValueHit]:
        """Dimension values; where one word is a value of several dimensions, the nearest named one wins."""
        named = self.dimensions(text)
        names = {(hit.start, hit.end) for hit in named}
        found = []
        for hit in self._values.find(text):
            if self._rows_are_complaints and ("intent", "complaint") in self._meanings[hit.tag]:
                continue
            if (hit.start, hit.end) in names and not self._meanings[hit.tag][0][0].startswith("day_"):
                continue  # 门店 is what stores are called, even where some channel has that name too
            small = hit.tag in self._codes and text[hit.start : hit.end].islower()
            if small and matcher("function_words").find(hit.tag):
                continue  # "in" is no Indiana
            meanings = sorted(self._meanings[hit.tag], key=lambda pair: not self._is_written(hit.tag, pair))
            chosen = meanings[0]
            for other in meanings[1:]:
                if any(n.tag == other[0] and abs(n.start - hit.end) <= 1 for n in named):
                    chosen = other
            found.append(ValueHit(hit.start, hit.end, *chosen, self._elsewhere(chosen, meanings)))
        return found

    def _is_written(self, word: str, pair: tuple[str, str]) -> bool:
        """Whether the data itself writes a value so, or it is what the value is called first; else the word
        is only one of its other names."""
        called = words()["values"].get(pair[0], {}).get(pair[1], [""])
        return pair in self._rows and word in (fold(pair[1]), fold(called[0]))

    def _elsewhere(self, chosen: tuple[str, str], meanings: list[tuple[str, str]]) -> tuple[str, ...]:
        """Other columns of the data with the same word, unless they select about as many rows."""
        if chosen[0] in _PLACES:
            meanings = [pair for pair in meanings if pair[0] not in _PLACES]
        rows = {chosen: self._rows.get(chosen, 0)} | {pair: self._rows.get(pair, 0) for pair in meanings}
        near = _ALIKE_ROWS * rows[chosen]
        return tuple(
            pair[0]
            for pair in meanings
            if pair[0] != chosen[0] and rows[pair] and abs(rows[pair] - rows[chosen]) > near
        )

    def absent_places(self, text: str) -> tuple[str, ...]:
        """Places that a text names and the data, which has places, does not."""
        if not any(name in self.catalogue.dimensions for name in _PLACES):
            return ()
        known = [(hit.start, hit.end) for hit in self.values(text)]
        named = [hit for hit in matcher("places").find(text) if not inside(hit, known)]
        named += [hit for hit in places_in_chinese().find(text) if not inside(hit, known)]
        return tuple(dict.fromkeys(text[hit.start : hit.end] for hit in named if hit.tag not in _COUNTRIES))

    def meant_by(self, name: str) -> ValueHit | None:
        """The one value of a column that a name is part of (净化器), or a single slip away from."""
        from rapidfuzz.distance import DamerauLevenshtein

        wanted = fold(name)
        long_enough = len(wanted) >= (_SHORTEST_PART if wanted.isascii() else 2)
        parts = {pair for pair in self._rows if long_enough and wanted in fold(pair[1])}
        slips = {
            pair
            for pair in self._rows
            if min(len(wanted), len(pair[1])) >= _SHORTEST_SLIP
            and DamerauLevenshtein.distance(wanted, fold(pair[1]), score_cutoff=1) == 1
        }
        alike = {pair for pair in self._rows if sounds_like(name, PLACE_SUFFIX.sub("", pair[1]))}
        for near in (parts, slips, alike):
            alone = [pair for pair in near if sum(other[0] == pair[0] for other in near) == 1]
            if alone:
                # The shortest has least besides the name: an airline and not the address of its page.
                return ValueHit(0, len(name), *min(alone, key=lambda pair: (len(pair[1]), -self._rows[pair])))
        return None

    def shortens(self, name: str) -> bool:
        """Whether a name is whole words of exactly one longer value of some column, and no word of ours."""
        wanted = f" {fold(name)} "
        if any(section.find(name) for section in (self._dimensions, self._custom, matcher("metrics"))):
            return False
        holders = [pair[0] for pair in self._rows if wanted in f" {fold(pair[1])} "]
        return any(holders.count(dimension) == 1 for dimension in holders)

    def nearest(self, name: str, limit: int = 3) -> list[str]:
        """Values of the data that look most like a name, or mean the same in another script, best first."""
        from rapidfuzz import fuzz, process

        named = [value for dimension, value in self._rows if dimension in FIELD_ORDER]
        if self._similar is not None and name.isascii():
            foreign = [value for value in dict.fromkeys(named) if not value.isascii()]
            if foreign:
                return self._similar(name, foreign)[:limit]
        values = list(dict.fromkeys(value for _, value in self._rows))
        best = process.extract(name, values, scorer=fuzz.ratio, limit=limit, score_cutoff=_LOOKS_LIKE)
        return [value for value, _, _ in best]

    def metrics(self, text: str) -> list[Hit]:
        """Metrics that the data has: its own names first, then the standard ones."""
        own = self._custom.find(text)
        hits = [hit for hit in matcher("metrics").find(text) if not _overlaps(hit, own)]
        if self._rows_are_complaints and not own and not hits:
            words = matcher("values", "intent").find(text)
            hits = [Hit(hit.start, hit.end, "volume") for hit in words if hit.tag == "complaint"]
        if not own and {hit.tag for hit in hits} <= _PLAIN_SCORES and (hits or matcher("average").find(text)):
            own = self._aspects.find(text)
            # What says that it is scored ("how satisfied") is part of the metric's name then.
            own += [Hit(hit.start, hit.end, own[0].tag) for hit in hits if own]
            hits = [] if own else hits
        if own or any(hit.tag not in ("score", "volume") for hit in hits):
            hits = [hit for hit in hits if hit.tag != "score"]  # "CES score" asks for one figure
        standard = [
            Hit(h.start, h.end, self.available("rating" if h.tag == "score" else h.tag)) for h in hits
        ]
        return sorted([*own, *standard])

    def aspects(self, text: str) -> list[Hit]:
        """Scores of the data named by what they score alone (cleanliness)."""
        return self._aspects.find(text)

    def speller(self) -> Speller:
        """Mends towards metric words and the data's own names."""
        # 多少来着 is no slip of 多少条: words for counting are too ordinary to be mended towards.
        named = {metric: said for metric, said in words()["metrics"].items() if metric != "volume"}
        known = [word for synonyms in named.values() for word in synonyms]
        names = [value for dimension, value in self._rows if dimension in FIELD_ORDER]
        names += [PLACE_SUFFIX.sub("", name) for name in names]
        names += [w for _, value in self._rows if len(value) < _LONG_VALUE for w in _LATIN.findall(value)]
        names += [word for word in self.own_words if word.isascii()]
        return Speller([*known, "average", *self.catalogue.metrics, *names])

    def available(self, metric: str) -> str:
        """The metric itself, or for a plain rating or satisfaction the data's own measure of it."""
        metrics = self.catalogue.metrics
        if metric not in ("rating", "csat", "ces", "nps") or (metric in metrics and metrics[metric].n):
            return metric
        likely = {
            "rating": ("overall", "rating", "score", "评分", "星", "得分"),
            "csat": ("satisf", "满意"),
            "ces": ("effort", "费力"),
            "nps": ("recommend", "推荐"),
        }[metric]
        candidates = [m for m in metrics.values() if any(word in m.name.lower() for word in likely) and m.n]
        if metric == "nps":  # a mark of yes or no is no score from 0 to 10
            candidates = [m for m in candidates if m.high > _HIGHEST_MARK]
        candidates.sort(key=lambda m: (not m.name.lower().startswith("overall"), -m.n, m.name))
        return candidates[0].name if candidates else metric

    def default_metric(self) -> str:
        """What "better" and "worse" are measured by where the question names no metric."""
        for metric in ("nps", "csat", "rating"):
            if self.catalogue.metrics.get(metric) and self.catalogue.metrics[metric].n:
                return metric
        chosen = self.available("rating")
        return chosen if chosen in self.catalogue.metrics else "negative_share"


def _overlaps(hit: Hit, others: Iterable[Hit]) -> bool:
    return any(hit.start < other.end and other.start < hit.end for other in others)
