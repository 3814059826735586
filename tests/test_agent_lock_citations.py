"""What customers are said to have said: ids that exist, texts that support, quotations word for word."""

import pytest

from evals.number_lock import Locks


def kinds(result: str, text: str) -> list[str]:
    return [claim.kind for claim in Locks().of([result]).check(text).claims]


@pytest.mark.parametrize(
    "sentence",
    [
        "客户抱怨物流太慢[eb4821f229f8a573af53df46daa500ce]。",
        "客户抱怨物流太慢。[eb4821f229f8a573af53df46daa500ce]",
        "- 「物流特别慢，养生壶走了一个星期」[eb4821f229f8a573af53df46daa500ce]",
        "- 「不吐不快：物流太慢，电动牙刷走了…」[WJ007566]",
        "Customers complain about slow delivery [WJ007566].",
        "4,068 条反馈里有客户抱怨物流。",
    ],
)
def test_supported_sayings_stand(sentence: str) -> None:
    assert kinds("search_logistics", sentence) == []


@pytest.mark.parametrize(
    "sentence",
    [
        "客户抱怨物流太慢[WJ999999]。",
        "客户抱怨客服电话打不通[eb4821f229f8a573af53df46daa500ce]。",
        "客户夸物流很快[eb4821f229f8a573af53df46daa500ce]。",
        "- 「物流特别快，养生壶第二天就到」[eb4821f229f8a573af53df46daa500ce]",
        "客户说「这辈子没见过这么慢的快递」。",
        "客户普遍抱怨发票开不出来。",
        "Customers complain about wrong invoices.",
    ],
)
def test_unsupported_sayings_fail(sentence: str) -> None:
    assert "citation" in kinds("search_logistics", sentence)
