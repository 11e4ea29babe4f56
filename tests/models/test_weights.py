"""What tells students apart is their weights, not what their folders are called."""

import shutil
import sys
from pathlib import Path

import pytest

from workbench.api import STANDARD
from workbench.errors import InputError
from workbench.models import weights
from workbench.models.bundled import student_folder
from workbench.models.checkpoint_state import checkpoint_state
from workbench.models.language import TransformersLanguage
from workbench.models.student import TransformersStudent
from workbench.models.weights import EMBEDDED, base_of, model_folder, weights_digest
from workbench.records import PartRef
from workbench.sample.local import TransformersSampler
from workbench.tools.knowledge import LanguageKnowledge
from workbench.tools.visual_questions import StudentQuestions

sys.path.insert(0, str(Path(__file__).parent.parent / "train"))
from tiny_vlms import save


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two jobs' models, of other weights, in folders of one name."""
    root = tmp_path_factory.mktemp("jobs")
    for seed, job in enumerate(("one", "two")):
        save("region", root / job / "model", seed)
        (root / job / "job.toml").write_text("")
    return root


def test_two_jobs_models_are_two_students(models: Path) -> None:
    one, two = (
        TransformersStudent.reference(str(models / job / "model")) for job in ("one", "two")
    )
    assert one.version != two.version
    assert (one.name, two.name) == ("one/model", "two/model")


def test_a_student_is_named_as_it_was_announced_before_loading(models: Path) -> None:
    folder = str(models / "one" / "model")
    student = TransformersStudent(folder, max_tokens=3)
    assert student.ref == TransformersStudent.reference(folder, max_tokens=3)
    assert student.tokens("abc") == 3


def test_a_moved_model_is_the_same_one_and_a_retrained_one_is_not(
    models: Path, tmp_path: Path
) -> None:
    moved = Path(shutil.copytree(models / "one", tmp_path / "one"))
    before = TransformersStudent.reference(str(models / "one" / "model"))
    assert TransformersStudent.reference(str(moved / "model")) == before
    shutil.rmtree(moved / "model")
    save("region", moved / "model", seed=7)
    assert TransformersStudent.reference(str(moved / "model")).version != before.version


def test_the_bundled_student_keeps_its_name() -> None:
    """Its earlier predictions in everybody's stores stay its own."""
    ref = TransformersStudent.reference("bundled")
    assert (ref.name, ref.arguments) == ("bundled", {"max_tokens": 16})
    assert student_folder().name == f"base-student-{ref.version}"


def test_longer_rationales_are_another_student() -> None:
    assert TransformersStudent.reference(max_rationale_tokens=99) != TransformersStudent.reference()


def test_a_folder_without_weights_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match=r"no model at .* \(no file \*\.safetensors or \*\.bin\); give 'bundled'"
    ):
        weights_digest(tmp_path)


def test_a_job_stands_for_its_model(models: Path, tmp_path: Path) -> None:
    assert model_folder(models / "one") == models / "one" / "model"
    assert model_folder(models / "one" / "model") == models / "one" / "model"
    (tmp_path / "job.toml").write_text("")
    with pytest.raises(InputError, match="has no model yet; vpd jobs show"):
        model_folder(tmp_path)


def _references(model: str) -> dict[str, PartRef]:
    """What names each part that computes with this checkpoint."""
    return {
        "sampler": TransformersSampler([STANDARD["find"]], model=model).ref,
        "language": TransformersLanguage(model).ref,
        "knowledge": LanguageKnowledge(model).ref,
        "questions": StudentQuestions(model).ref,
    }


def test_new_weights_in_the_same_folder_are_another_part(models: Path, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(models / "one" / "model", folder)
    before = _references(str(folder))
    assert _references(str(folder)) == before
    shutil.rmtree(folder)
    save("region", folder, seed=7)
    after = _references(str(folder))
    assert [name for name in before if before[name] == after[name]] == []


@pytest.mark.parametrize("name", ["chat_template.jinja", "generation_config.json"])
def test_an_edited_template_or_setting_is_another_part(
    models: Path, tmp_path: Path, name: str
) -> None:
    folder = tmp_path / "model"
    shutil.copytree(models / "one" / "model", folder)
    (folder / name).write_text('{"a": 1}')
    before = checkpoint_state(str(folder))
    (folder / name).write_text('{"a": 2}')
    assert checkpoint_state(str(folder)) != before
    (folder / "optimizer.pt").write_bytes(b"changes no answer")
    (folder / name).write_text('{"a": 1}')
    assert checkpoint_state(str(folder)) == before


EDITABLE = (
    "chat_template.jinja",
    "generation_config.json",
    "preprocessor_config.json",
    "processor_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
)


@pytest.mark.parametrize("name", EDITABLE)
def test_an_edited_file_makes_a_folder_another_student(
    models: Path, tmp_path: Path, name: str
) -> None:
    folder = Path(shutil.copytree(models / "one" / "model", tmp_path / "one" / "model"))
    before = TransformersStudent.reference(str(folder))
    assert before == TransformersStudent.reference(str(models / "one" / "model"))
    old = (folder / name).read_text() if (folder / name).is_file() else None
    (folder / name).write_text((old or "{}") + "\n")
    after = TransformersStudent.reference(str(folder))
    assert after != before
    assert after.version == before.version, "the weights are the same"
    (folder / "optimizer.pt").write_bytes(b"changes no answer")
    (folder / "README.md").write_text("changes no answer")
    if old is None:
        (folder / name).unlink()
    else:
        (folder / name).write_text(old)
    assert TransformersStudent.reference(str(folder)) == before


def test_the_embedded_parts_keep_their_keys() -> None:
    """Results in everybody's projects stay valid."""
    assert TransformersLanguage("bundled").ref.version == "1"
    assert LanguageKnowledge("bundled").ref.version == "2+1"
    questions = StudentQuestions("bundled").ref
    assert (questions.version, questions.arguments["weights"]) == ("2", student_folder().name)


def test_another_language_model_makes_other_parts(
    models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the parts that ask the bundled one, and of the students that read questions by it."""
    reading = Path(shutil.copytree(models / "one" / "model", tmp_path / "model"))
    (reading / "processor_config.json").write_text('{"reader": "bundled"}')
    before = [*_references("bundled").values(), TransformersStudent.reference(str(reading))]
    other = tmp_path / "model.gguf"
    other.write_bytes(b"another")
    monkeypatch.setattr(weights, "language_file", lambda: other)
    after = [*_references("bundled").values(), TransformersStudent.reference(str(reading))]
    same = [one.name for one, two in zip(before, after, strict=True) if one == two]
    assert same == ["student-vqa"], "it asks the student alone"


def test_another_detector_makes_another_part(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its file can be converted anew, and what was found with the earlier one is stale then."""
    shipped = weights.detector_file()
    assert weights.with_detector("1") == "1", "the digest of the file that ships is out of date"
    other = tmp_path / "detector.onnx"
    other.write_bytes(shipped.read_bytes() + b"more")
    monkeypatch.setattr(weights, "detector_file", lambda: other)
    first = weights.with_detector("1")
    assert first.startswith("1-")
    other.write_bytes(shipped.read_bytes() + b"else")
    assert weights.with_detector("1") not in ("1", first)
    monkeypatch.setattr(weights, "detector_file", lambda: tmp_path / "none")
    assert weights.with_detector("1") == "1"


def test_each_student_is_shown_beside_the_one_it_was_taught_from(
    models: Path, tmp_path: Path
) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "pointer_vlm"}')
    assert [base_of(name) for name in EMBEDDED] == ["bundled", "small", "small"]
    assert base_of(str(tmp_path)) == "small"
    assert base_of(str(models / "one" / "model")) == base_of("owner/name") == "bundled"
    (tmp_path / "config.json").write_text('{"model_type": ')
    assert base_of(str(tmp_path)) == "bundled"
