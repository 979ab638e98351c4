from typing import Any

import pytest
from clusterllm_mlx.validation import FieldError, check_body

GOOD: dict[str, Any] = {"prompt": "a", "temperature": 0.5, "stop": ["x"], "logit_bias": {"5": -100}, "top_k": 3, "seed": 1}


def test_a_good_body_passes() -> None:
    check_body(GOOD, 512)
    check_body({"messages": [{"role": "user", "content": [{"type": "text", "text": "hi"}]}]}, 512)
    check_body({"prompt": [1, 2, 511]}, 512)


@pytest.mark.parametrize(("field", "value"), [
    ("temperature", float("nan")), ("temperature", float("inf")), ("temperature", "1"), ("temperature", True), ("temperature", -1),
    ("top_p", 2), ("min_p", -1), ("top_k", 512), ("top_k", -1), ("top_logprobs", 3),
    ("seed", -1), ("seed", 1 << 64), ("seed", 1.5),
    ("stop", [5]), ("stop", [""]), ("stop", {}), ("stop", ["a"] * 17),
    ("logit_bias", {"512": 1}), ("logit_bias", {"-5": 1}), ("logit_bias", {"99999999999": 1}), ("logit_bias", {"5": float("inf")}), ("logit_bias", []),
    ("prompt", ""), ("prompt", []), ("prompt", [512]), ("prompt", [True]), ("prompt", 5), ("prompt", ["a", "b"]),
    ("messages", []), ("messages", "hi"), ("messages", [5]),
])
def test_a_bad_field_is_named(field: str, value: Any) -> None:
    with pytest.raises(FieldError) as error:
        check_body({**GOOD, field: value}, 512)

    assert error.value.field.startswith(field)


@pytest.mark.parametrize("message", [
    {"role": "robot", "content": "x"}, {"content": "x"}, {"role": "user", "content": 5},
    {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "http://example.org/x.png"}}]},
])
def test_a_bad_message_is_named_with_its_index(message: dict[str, Any]) -> None:
    with pytest.raises(FieldError) as error:
        check_body({"messages": [{"role": "user", "content": "x"}, message]}, 512)

    assert error.value.field.startswith("messages[1].")
