"""Which endpoint is asked, and how, is in the keys of what comes of it."""

from workbench.rationalize.rewrite import LanguageWriter
from workbench.records import content_key
from workbench.tools.knowledge import LanguageKnowledge
from workbench.verify.choose import JudgedVerifier


def test_what_is_asked_of_an_endpoint_is_in_the_key_of_each_part_that_asks_one():
    """Another server, or the same one asked otherwise, is another part: nothing stale is served."""
    ways = [
        {"base_url": "http://127.0.0.1:1/v1"},
        {"base_url": "http://127.0.0.1:2/v1"},
        {"base_url": "http://127.0.0.1:2/v1", "temperature": 0.7},
        {"base_url": "http://127.0.0.1:2/v1", "extra": {"reasoning_effort": "low"}},
    ]

    def parts_of(way):
        yield LanguageKnowledge(model="tiny", language="openai", arguments=way)
        yield JudgedVerifier(language="openai", model="tiny", **way)
        yield LanguageWriter(language="openai", model="tiny", **way)

    for parts in zip(*map(parts_of, ways), strict=True):
        assert len({content_key(part.ref) for part in parts}) == len(ways)
