from agent.column_names import aspect_words, dimension_words

NOUNS = {"country": ["countries", "国家"], "airline": ["航空公司"], "department": ["部门"], "brand": ["品牌"]}
SCORING = ["rating", "overall", "score", "评分", "满意度"]
ASPECTS = {"cleanliness": ["hygiene", "卫生"], "service": ["服务"]}


def test_a_column_goes_by_the_noun_in_its_name_in_either_language() -> None:
    words = dimension_words(["author_country", "airlineName", "品牌"], NOUNS)
    assert words["国家"] == words["countries"] == "author_country"
    assert words["航空公司"] == "airlineName"
    assert words["brand"] == "品牌"
    assert "部门" not in words


def test_the_column_of_that_very_name_wins_then_the_one_that_ends_in_it() -> None:
    assert dimension_words(["country", "author_country"], NOUNS)["国家"] == "country"
    assert dimension_words(["country_code", "birth_country"], NOUNS)["国家"] == "birth_country"


def test_a_noun_that_several_columns_claim_stands_for_none() -> None:
    words = dimension_words(["home_country", "work_country"], NOUNS)
    assert words == {"home": "home_country", "work": "work_country"}


def test_scores_go_by_what_they_are_given_for() -> None:
    words = aspect_words(["overall_rating", "cleanliness_rating", "服务评分"], ASPECTS, SCORING)
    assert words["卫生"] == words["hygiene"] == words["cleanliness"] == "cleanliness_rating"
    assert words["service"] == words["服务"] == "服务评分"
    assert not {"rating", "overall", "评分"} & set(words)


def test_a_word_that_several_scores_share_tells_nothing() -> None:
    words = aspect_words(["staff_service_rating", "room_service_rating"], ASPECTS, SCORING)
    assert "service" not in words and "服务" not in words
    assert words["staff"] == "staff_service_rating"
