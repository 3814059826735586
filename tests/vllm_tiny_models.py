"""Random tiny models for real vLLM servers: `python tests/vllm_tiny_models.py FOLDER` in their environment.

`FOLDER/instruct` is a two-layer Llama with a byte-level tokenizer and a chat template: it speaks nonsense, so
that only the grammar makes its answers valid. `FOLDER/encoder` is a two-layer BERT to train from. Good for
contracts and speed, never for accuracy.
"""

import sys
from pathlib import Path
from typing import Any

_TEMPLATE = (
    "{% for message in messages %}<|{{ message.role }}|>{{ message.content }}<|end|>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
_SPECIAL = ["<|end|>", "<|system|>", "<|user|>", "<|assistant|>", "<|pad|>"]
_LENGTH = 8192


def corpus() -> list[str]:
    """The words a tokenizer learns from: our own prompts and topic tree."""
    root = Path(__file__).parents[1]
    files = [*sorted((root / "prompts").glob("*.md")), root / "pipeline" / "taxonomy.yaml"]
    return [line for file in files for line in file.read_text(encoding="utf-8").splitlines()]


def make_instruct(folder: Path) -> None:
    """Write the Llama."""
    import torch
    from tokenizers import ByteLevelBPETokenizer
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    learned = ByteLevelBPETokenizer()
    learned.train_from_iterator(corpus(), vocab_size=2000, special_tokens=_SPECIAL)
    tokenizer: Any = PreTrainedTokenizerFast(
        tokenizer_object=learned._tokenizer, eos_token="<|end|>", pad_token="<|pad|>"
    )
    tokenizer.chat_template = _TEMPLATE
    tokenizer.save_pretrained(folder)
    torch.manual_seed(7)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=128,
        intermediate_size=256,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=4,
        max_position_embeddings=_LENGTH,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    LlamaForCausalLM(config).save_pretrained(folder)


def make_encoder(folder: Path) -> None:
    """Write the BERT: a token a Chinese character, pieces of words for the rest."""
    import torch
    from tokenizers import BertWordPieceTokenizer
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    learned = BertWordPieceTokenizer(lowercase=True)
    learned.train_from_iterator(corpus() + letters(), vocab_size=9000, min_frequency=1, limit_alphabet=8000)
    whole = BertWordPieceTokenizer(vocab=learned.get_vocab(), lowercase=True)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=whole._tokenizer,
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        pad_token="[PAD]",
        mask_token="[MASK]",
        model_max_length=512,
    )
    tokenizer.save_pretrained(folder)
    torch.manual_seed(7)
    config = BertConfig(
        vocab_size=learned.get_vocab_size(),
        hidden_size=128,
        intermediate_size=256,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=512,
        # Wide weights and no dropout: so small a model learns from scratch in a minute.
        initializer_range=0.1,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
    )
    BertModel(config).save_pretrained(folder)


def letters() -> list[str]:
    """The Chinese characters that GB 2312 holds, so that none in the texts is unknown."""
    signs = [
        bytes((high, low)).decode("gb2312", "ignore")
        for high in range(0xB0, 0xF8)
        for low in range(0xA1, 0xFF)
    ]
    return [" ".join(signs)]


def main() -> None:
    """Write the models into the folder named on the command line."""
    folder = Path(sys.argv[1])
    make_instruct(folder / "instruct")
    make_encoder(folder / "encoder")


if __name__ == "__main__":
    main()
