"""``atelier batch``: folders, archives and data sets, painted here and on a server."""

import io
import signal
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest
import tensorflow as tf

from app.batch.collections import Folder, opened
from app.batch.command import BatchIncomplete, paint_batch
from app.batch.entries import painted_names
from app.batch.workplace import Workplace
from app.client import Atelier
from app.presets import PRESETS
from model.errors import InputError, ParameterError
from model.images import decode
from model.params import StyleTransferParams
from tests.app.test_cli import PLAIN, QUICK, SMALL
from tests.house import House, Process, eventually
from tests.pictures import photograph
from worker.settings import Settings

PARAMS = StyleTransferParams(size=64, quality="draft", steps=3)

#: Of a picture in an archive.
MAX_BYTES = 100_000


def batch(folder: Path, *arguments: str) -> Process:
    return Process("batch", *arguments, *SMALL, environment=QUICK | PLAIN, log=folder / "batch.log")


def finished(process: Process) -> tuple[int, str]:
    with process:
        return process.wait(within=60), process.output


def paint_there(house: House, source: Path, output: Path, style: str = "woodcut") -> None:
    """As ``atelier batch --server``."""
    settings = Settings(features="bundled")
    paint_batch(source, [Path(style)], output, params=PARAMS, settings=settings, server=house.url)


def photographs(count: int) -> dict[str, bytes]:
    """Photographs of different widths under names that are not in the order of their making."""
    return {f"{count - n} town.jpg": photograph(80 + 4 * n, 72) for n in range(count)}


def as_folder(place: Path, files: Mapping[str, bytes]) -> Path:
    for name, data in files.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_bytes(data)
    return place


def as_zip(place: Path, files: Mapping[str, bytes]) -> Path:
    with zipfile.ZipFile(place, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return place


def as_records(place: Path, examples: Sequence[tf.train.Example]) -> Path:
    with tf.io.TFRecordWriter(str(place)) as writer:
        for example in examples:
            writer.write(example.SerializeToString())
    return place


def example(picture: bytes, label: int) -> tf.train.Example:
    made = tf.train.Example()
    made.features.feature["image/encoded"].bytes_list.value.append(picture)
    made.features.feature["image/format"].bytes_list.value.append(b"jpeg")
    made.features.feature["image/height"].int64_list.value.append(1)
    made.features.feature["image/class/label"].int64_list.value.append(label)
    return made


def sides(painting: bytes) -> tuple[int, int]:
    height, width = decode(painting).pixels.shape[:2]
    return width, height


def jobs_of(house: House) -> set[str]:
    with house.client() as client:
        return {job["id"] for job in client.get("/v1/jobs", params={"limit": 100}).json()["jobs"]}


# Here.


def test_a_folder_is_painted_here_and_a_broken_picture_is_named_and_tried_again(
    tmp_path: Path,
) -> None:
    files = {"one.jpg": photograph(96, 72), "deep/two.jpg": photograph(72, 96)}
    source = as_folder(tmp_path / "in", files | {"torn.png": b"no picture", "notes.txt": b"."})
    output = tmp_path / "out"
    code, said = finished(batch(tmp_path, str(source), "woodcut", "-o", str(output)))
    assert code == 1
    assert "1 of 3 pictures could not be painted" in said
    assert "torn.png: Pictures are taken as JPEG" in said
    painted = {path.relative_to(output).as_posix(): path for path in output.rglob("*.png")}
    assert {name: sides(path.read_bytes()) for name, path in painted.items()} == {
        "one.png": (64, 48),
        "deep/two.png": (48, 64),
    }
    before = {name: path.stat().st_mtime_ns for name, path in painted.items()}
    (source / "torn.png").write_bytes(photograph(64, 64))
    code, said = finished(batch(tmp_path, str(source), "woodcut", "-o", str(output)))
    assert code == 0, said
    assert sides((output / "torn.png").read_bytes()) == (64, 64)
    assert {name: path.stat().st_mtime_ns for name, path in painted.items()} == before, "once each"


def test_a_killed_batch_goes_on_where_it_stopped_and_keeps_names_and_order(
    tmp_path: Path,
) -> None:
    source = as_zip(tmp_path / "in.zip", photographs(6))
    output, parts = tmp_path / "out.zip", tmp_path / "out.zip.parts"
    arguments = (str(source), "woodcut", "-o", str(output))
    with batch(tmp_path, *arguments) as killed:
        eventually(
            lambda: not killed.alive or len([*parts.glob("[0-9]*.png")]) >= 2,
            within=60,
            what="two are painted",
        )
        killed.signal(signal.SIGKILL)
        killed.wait(within=10)
    assert not output.exists()
    before = {path: path.stat().st_mtime_ns for path in parts.glob("[0-9]*.png")}
    assert 2 <= len(before) < 6
    with batch(tmp_path, *arguments) as again:
        eventually(
            lambda: not again.alive or len([*parts.glob("[0-9]*.png")]) > len(before),
            within=60,
            what="it goes on",
        )
        kept = {path: path.stat().st_mtime_ns for path in before if path.exists()}
        assert again.wait(within=60) == 0, again.output
    assert kept in ({}, before), "none was painted twice"
    with zipfile.ZipFile(output) as result:
        assert result.namelist() == [name.replace("jpg", "png") for name in photographs(6)]
        widths = [sides(result.read(name)) for name in result.namelist()]
    assert widths == [(64, round(64 * 72 / (80 + 4 * n))) for n in range(6)]
    assert not parts.exists()


# On a server.


def test_a_data_set_is_painted_on_a_server_and_keeps_all_else(tmp_path: Path, house: House) -> None:
    pictures = list(photographs(3).values())
    source = as_records(
        tmp_path / "in.tfrecord", [example(p, 7 + n) for n, p in enumerate(pictures)]
    )
    output = tmp_path / "out.tfrecord"
    before = jobs_of(house)
    paint_there(house, source, output)
    records = [*tf.data.TFRecordDataset(str(output)).as_numpy_iterator()]
    found = [tf.train.Example.FromString(record).features.feature for record in records]
    assert [f["image/class/label"].int64_list.value[0] for f in found] == [7, 8, 9]
    for picture, feature in zip(pictures, found, strict=True):
        painting = feature["image/encoded"].bytes_list.value[0]
        width, height = sides(painting)
        assert (width, height) == (64, round(64 * 72 / sides(picture)[0]))
        assert feature["image/format"].bytes_list.value == [b"png"]
        assert feature["image/height"].int64_list.value == [height]
        assert "image/width" not in feature
    assert jobs_of(house) <= before, "nothing of it stays there"


def test_a_batch_takes_no_painting_of_somebody_else_for_its_own(
    tmp_path: Path, house: House
) -> None:
    (picture,) = photographs(1).values()
    with Atelier(house.url) as atelier:
        earlier = atelier.submit(picture, [PRESETS["woodcut"].picture], PARAMS).id
        assert atelier.wait(earlier).status == "succeeded"
        output = tmp_path / "out"
        paint_there(house, as_folder(tmp_path / "in", {"a.jpg": picture, "b.jpg": picture}), output)
        assert {path.name for path in output.glob("*.png")} == {"a.png", "b.png"}
        assert atelier.result(earlier) == (output / "a.png").read_bytes()
        atelier.delete(earlier)


def test_what_a_server_refuses_is_named_and_the_rest_is_painted(
    tmp_path: Path, house: House
) -> None:
    files = {"thin.png": b"\x89PNG\r\n\x1a\n"} | photographs(2)
    source, output = as_zip(tmp_path / "in.zip", files), tmp_path / "out.zip"
    with pytest.raises(BatchIncomplete, match=r"1 of 3 .*\n  thin\.png: "):
        paint_there(house, source, output)
    with zipfile.ZipFile(output) as result:
        assert result.namelist() == ["2 town.png", "1 town.png"]


def test_a_batch_that_is_given_up_leaves_no_jobs_on_the_server(
    tmp_path: Path, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    def give_up(_self: Workplace, _key: str, _painting: bytes) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Workplace, "put", give_up)
    source = as_folder(tmp_path / "in", photographs(4))
    before = jobs_of(house)
    with pytest.raises(KeyboardInterrupt):
        paint_there(house, source, tmp_path / "out")
    with house.client() as client:
        left = jobs_of(house) - before
        assert len(left) <= 1, "the one that was fetched"
        for job in left:
            client.delete(f"/v1/jobs/{job}")


# What is refused before anything is painted.


def refused(error: type[Exception], said: str, run: Callable[[], object]) -> None:
    with pytest.raises(error, match=said):
        run()


def test_the_result_has_the_form_of_the_input(tmp_path: Path) -> None:
    source = as_folder(tmp_path / "in", photographs(1))

    def paint(source: Path, output: Path) -> None:
        paint_batch(
            source, [Path("woodcut")], output, params=PARAMS, settings=Settings(), server=None
        )

    refused(ParameterError, "a folder", lambda: paint(source, tmp_path / "out.zip"))
    refused(ParameterError, "output is the input", lambda: paint(source, source))
    refused(
        ParameterError, r"Received: '1 town\.jpg'", lambda: paint(source / "1 town.jpg", source)
    )
    refused(InputError, "not there", lambda: paint(tmp_path / "nowhere", tmp_path / "out"))


def test_paintings_in_another_style_or_of_others_are_never_mixed_in(tmp_path: Path) -> None:
    Workplace(tmp_path / "mine", "a").put("one.png", b"x")
    assert "one.png" in Workplace(tmp_path / "mine", "a")
    refused(InputError, "another style", lambda: Workplace(tmp_path / "mine", "b"))
    as_folder(tmp_path / "theirs", {"letter.txt": b"dear"})
    refused(InputError, "not empty", lambda: Workplace(tmp_path / "theirs", "a"))
    assert [path.name for path in (tmp_path / "theirs").iterdir()] == ["letter.txt"]


def test_a_collection_without_pictures_is_refused(tmp_path: Path) -> None:
    for empty in (
        as_folder(tmp_path / "in", {"notes.txt": b"."}),
        as_zip(tmp_path / "in.zip", {"notes.txt": b".", "__MACOSX/._a.jpg": b"."}),
    ):
        refused(InputError, "no picture", lambda: opened(empty, ".png", MAX_BYTES))  # noqa: B023


@pytest.mark.parametrize("name", ["in.zip", "in.tfrecord"])
def test_a_file_that_is_not_what_it_is_called_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"neither of them" * 9)
    refused(InputError, "cannot be read", lambda: opened(tmp_path / name, ".png", MAX_BYTES))


# Names and sizes that somebody else has chosen.


def test_names_of_paintings_are_alike_for_no_two_and_lead_nowhere_else() -> None:
    names = ["a.jpg", "a.png", "A.webp", "b/../../c.jpg", "/etc/d.png", "..jpg"]
    assert painted_names(names, ".png") == [
        "a.png",
        "a.png.png",
        "A.webp.png",
        "b/c.png",
        "etc/d.png",
        "..png",
    ]
    assert painted_names(["a.png"] * 4, ".png") == [
        "a.png",
        "a.png.png",
        "a.png (2).png",
        "a.png (3).png",
    ]
    clashing = ["a.png (2).jpg", "a.png", "a.png.jpg", "A.PNG"]
    assert len({name.lower() for name in painted_names(clashing, ".png")}) == len(clashing)


@pytest.mark.parametrize(
    "name",
    [
        f"{'a' * 65_531}.jpg",
        f"{'█' * 65_531}.jpg",
        f"b../{'c' * 64_993}.jpg",  # whose end leads out
        f"{'.' * 65_400}.jpg",
    ],
    ids=["a", "three bytes each", "out", "dots"],
)
def test_the_longest_names_that_a_zip_can_have_are_cut_to_ones_that_it_can(name: str) -> None:
    painted = painted_names([name] * 3, ".tiff")
    with zipfile.ZipFile(io.BytesIO(), "w") as result:
        for one in painted:
            result.writestr(zipfile.ZipInfo(one), b"")
        assert len(set(result.namelist())) == 3
    assert not any(set(Path(one).parts) & {"..", "/"} for one in painted)


def test_a_picture_in_an_archive_that_unpacks_to_too_much_is_not_unpacked(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "in.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb.png", bytes(MAX_BYTES + 1))
    (bomb,) = opened(tmp_path / "in.zip", ".png", MAX_BYTES)
    refused(InputError, "100,000 bytes", bomb.read)


def test_a_picture_in_a_torn_archive_is_a_fault_of_the_picture(tmp_path: Path) -> None:
    source = as_zip(tmp_path / "in.zip", {"a.jpg": photograph(96, 72)})
    whole = source.read_bytes()
    source.write_bytes(whole[:60] + bytes(40) + whole[100:])
    (torn,) = opened(source, ".png", MAX_BYTES)
    refused(InputError, "cannot be unpacked", torn.read)


def test_a_folder_is_read_in_the_order_of_its_paths(tmp_path: Path) -> None:
    as_folder(tmp_path, dict.fromkeys(["b.jpg", "a/z.PNG", "c.tif", ".hidden.jpg"], b"."))
    assert [item.name for item in Folder(tmp_path, ".png")] == ["a/z.PNG", "b.jpg", "c.tif"]


def test_a_record_without_a_picture_is_a_fault_of_the_record(tmp_path: Path) -> None:
    source = as_records(tmp_path / "in.tfrecord", [tf.train.Example()])
    (record,) = opened(source, ".png", MAX_BYTES)
    refused(InputError, "no picture in 'image/encoded'", record.read)
