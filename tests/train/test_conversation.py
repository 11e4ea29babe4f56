"""What a chat template writes around an answer is never the student's to say."""

import pytest
from PIL import Image
from tiny_vlms import FAMILIES, make

from workbench.errors import InputError
from workbench.models.conversation import Conversation
from workbench.models.vlm import Vlm
from workbench.records import Lesson
from workbench.train.examples import Adapter

PICTURE = Image.new("RGB", (96, 64), (200, 30, 40))
THOUGHT = "<think>\n\n</think>\n\n"


def rewritten(family: str, old: str, new: str) -> Adapter:
    """A family's processor with its chat template changed."""
    _, processor = make(family)
    assert processor.chat_template.count(old) == 1
    processor.chat_template = processor.chat_template.replace(old, new)
    return Adapter(processor)


def taught(adapter: Adapter, answer: str = "yes") -> tuple[str, str]:
    """The end of a templated question, and the answer that is taught behind it."""
    batch = adapter.encode([(PICTURE, Lesson("label", "Is it red?", answer))])
    kept = batch.targets[0][batch.targets[0] >= 0]
    return adapter.prompt("Is it red?").partition("Is it red?")[2], adapter.tokenizer.decode(kept)


@pytest.mark.parametrize(
    ("family", "opening", "answer"),
    [
        ("qwen2_vl", "<|im_end|>\n<|im_start|>assistant\n", "yes<|im_end|>"),
        ("qwen3_vl", "<|im_end|>\n<|im_start|>assistant\n", "yes<|im_end|>"),
        ("smolvlm", "<end_of_utterance>\nAssistant:", " yes<end_of_utterance>"),
        ("llava", " ASSISTANT:", " yes</s>"),
    ],
)
def test_a_template_without_a_generation_prompt_still_opens_the_turn(
    family: str, opening: str, answer: str
) -> None:
    assert taught(Adapter(make(family)[1])) == (opening, answer)
    without = rewritten(family, "{% if add_generation_prompt %}", "{% if false %}")
    assert taught(without) == (opening, answer)


def test_an_empty_thought_belongs_to_the_prompt() -> None:
    role = "<|im_start|>{{ message['role'] }}\n"
    thought = "{% if message['role'] == 'assistant' %}" + THOUGHT + "{% endif %}"
    assert taught(rewritten("qwen3_vl", role, role + thought)) == (
        "<|im_end|>\n<|im_start|>assistant\n" + THOUGHT,
        "yes<|im_end|>",
    )


def test_a_thought_that_only_the_generation_prompt_opens_is_left_out() -> None:
    opening = "<|im_start|>assistant\n"
    adapter = rewritten("qwen3_vl", opening, opening + "<think>\n")
    assert taught(adapter) == ("<|im_end|>\n<|im_start|>assistant\n", "yes<|im_end|>")


def test_a_template_that_can_think_is_told_not_to() -> None:
    opening = "<|im_start|>assistant\n"
    think = "{% if enable_thinking is not defined or enable_thinking %}<think>\n{% endif %}"
    adapter = rewritten("qwen3_vl", opening, opening + think)
    assert adapter.processor.chat_template.endswith("{% endif %}{% endif %}")
    assert adapter.prompt("Is it red?").endswith("<|im_start|>assistant\n")


def test_a_template_without_answers_is_refused() -> None:
    _, processor = make("qwen2_vl")
    processor.chat_template = "{{ messages[0]['content'][1]['text'] }}"
    with pytest.raises(InputError, match="leaves out the assistant's answer"):
        Conversation(processor)


def test_a_template_that_fails_is_named() -> None:
    _, processor = make("qwen2_vl")
    processor.chat_template = "{{ raise_exception('no pictures here') }}"
    with pytest.raises(InputError, match=r"cannot write a question .*no pictures here"):
        Conversation(processor)


@pytest.mark.parametrize("family", [name for name in FAMILIES if name not in ("region", "pointer")])
def test_a_checkpoint_without_a_template_gets_a_plain_one(family: str) -> None:
    model, processor = make(family)
    processor.chat_template = None
    vlm = Vlm(model, processor, family)
    ids = vlm._inputs([PICTURE], ["Is it red?"], [""])
    assert model(**ids, use_cache=False).logits.isfinite().all()


@pytest.mark.parametrize("family", FAMILIES)
def test_long_text_reaches_the_student_whole(family: str) -> None:
    adapter = Adapter(make(family)[1])
    question, target = "why " * 1500 + "END", "so " * 1500 + "END"
    label, rationale = (
        adapter.prompt(question + " Briefly."),
        adapter.prompt(question + " Explain."),
    )
    assert label != rationale
    assert "END Briefly." in label
    tokens = adapter.answer(rationale, target)
    assert adapter.tokenizer.decode(tokens, skip_special_tokens=True).strip() == target
