"""What may become part of a path, and what may be opened as one."""

import pytest
import yaml

from donorgrid.core.errors import InputError
from donorgrid.core.names import StudyFolder, check_name, check_part, check_path
from donorgrid.core.records import Cell, Recipe, Run, Source
from donorgrid.pipeline.check.command_line import check_from_flags
from donorgrid.pipeline.prepare.study_grid import read_grid
from donorgrid.tasks import find_task
from worlds import make_study, make_task

NOT_RELATIVE = ["", "..", ".", "../x", "/x", "a/b", "a\\b", "-x", ".x"]
BAD_PARTS = [*NOT_RELATIVE, "a\0b", "a\nb", "a@b", "a+b", "a" * 97, "é" * 200, "\ud800"]


@pytest.mark.parametrize("name", BAD_PARTS)
def test_what_would_leave_its_place_in_a_path_is_refused_in_one_line(name):
    with pytest.raises(InputError, match=r"^thing ") as error:
        check_part(name, what="thing")
    message = str(error.value)
    assert message.isprintable()
    assert len(message) < 400


def test_names_of_any_script_are_parts():
    for name in ("colours", "my quiz", "prüfung", "試験", "a.b_c-d", "e[1]", "x*"):
        assert check_part(name, what="thing") == name


def test_messages_on_bad_names_are_short_and_printable():
    for check in (check_name, check_path):
        for name in ("a" * 300, "a\0b"):
            with pytest.raises(InputError) as error:
                check(name, what="name")
            assert len(str(error.value)) < 300
            assert "\0" not in str(error.value)


def test_paths_of_a_study_hold_checked_names_only(tmp_path):
    run = Run(
        model="m", source=Source.of_cell(Cell(task="../../x", language="de")), recipe=Recipe(name="r"), train_seed=1
    )
    for path_of in (StudyFolder(tmp_path).adapter, StudyFolder(tmp_path).items):
        with pytest.raises(InputError, match=r"task name '../../x'"):
            path_of(run)


@pytest.mark.parametrize("name", ["../../evil", "/tmp/evil", "a\0b", "a" * 300])
def test_the_name_in_a_task_file_does_not_lead_out_of_the_study(tmp_path, name):
    study = make_study(tmp_path)
    file = tmp_path / "colours.yaml"
    file.write_text(yaml.safe_dump({**yaml.safe_load(file.read_text()), "task": name}))
    with pytest.raises(InputError, match="task name"):
        read_grid(study)


def test_a_language_in_a_task_file_does_not_lead_out_of_the_study(tmp_path):
    study = make_study(tmp_path, sources=["colours/../x"])
    with pytest.raises(InputError):
        read_grid(study)
    make_task(tmp_path)
    file = tmp_path / "colours.yaml"
    content = yaml.safe_load(file.read_text())
    languages = [*content["languages"], "../x"] if "languages" in content else ["../x"]
    file.write_text(yaml.safe_dump({**content, "languages": languages}))
    study.write_text(
        yaml.safe_dump({**yaml.safe_load(study.read_text()), "sources": [{"task": "colours", "language": "../x"}]})
    )
    with pytest.raises(InputError, match=r"language '../x'"):
        read_grid(study)


@pytest.mark.parametrize("name", ["a\0b.yaml", "a" * 300 + ".csv", "x/\ud800.jsonl"])
def test_a_name_that_no_system_can_open_is_refused(tmp_path, name):
    with pytest.raises(InputError, match="it is no path"):
        find_task(name, folder=tmp_path)
    with pytest.raises(InputError, match=r"it is no path|valid string|half of a character"):
        read_grid(make_study(tmp_path, tasks=[name]))


@pytest.mark.parametrize(
    ("report", "message"),
    [
        ("/tmp/x.html", "leads out of the file's folder"),
        ("../x.html", "leads out of the file's folder"),
        ("link/x.html", "leads out of the file's folder"),
        ("data.csv", "ends in .html"),
        ("kept.html", "is no page of donorgrid"),
        ("a\0.html", "no path"),
    ],
)
def test_a_check_file_writes_no_page_over_or_beside_what_is_not_its_own(tmp_path, report, message):
    folder = tmp_path / "checks"
    folder.mkdir()
    (folder / "link").symlink_to(tmp_path)
    (folder / "kept.html").write_text("<html>mine</html>")
    config = folder / "check.yaml"
    config.write_text(yaml.safe_dump({"base": "b", "adapters": ["a"], "on": "xnli:de", "report": report}))
    with pytest.raises(InputError, match=message):
        check_from_flags({}, config)
    assert (folder / "kept.html").read_text() == "<html>mine</html>"


@pytest.mark.parametrize("cache", ["/tmp/kept", "../kept", "link/kept", "a\0"])
def test_a_check_file_keeps_answers_only_below_its_folder(tmp_path, cache):
    folder = tmp_path / "checks"
    folder.mkdir()
    (folder / "link").symlink_to(tmp_path)
    keys = {"base": "b", "adapters": ["a"], "on": "xnli:de"}
    (folder / "check.yaml").write_text(yaml.safe_dump({**keys, "cache": cache}))
    with pytest.raises(InputError, match=r"check\.yaml: cache .*(leads out of the file's folder; .*--cache|no path)"):
        check_from_flags({}, folder / "check.yaml")
    assert check_from_flags({"cache": tmp_path}, folder / "check.yaml").request.cache == tmp_path
    (folder / "check.yaml").write_text(yaml.safe_dump({**keys, "cache": "kept"}))
    assert check_from_flags({}, folder / "check.yaml").request.cache == folder / "kept"


def test_an_earlier_page_is_replaced(tmp_path):
    page = tmp_path / "page.html"
    flags = {"base": "b", "adapters": ["a"], "on": ["xnli:de"], "report": page}
    assert check_from_flags(flags, None).report == page
    page.write_text("")
    assert check_from_flags(flags, None).report == page
    page.write_text('<!doctype html>\n<meta name="generator" content="donorgrid">')
    assert check_from_flags(flags, None).report == page
    page.write_text("notes")
    with pytest.raises(InputError, match="is no page of donorgrid"):
        check_from_flags(flags, None)
