"""Each kind of .mat file with each class: read exactly, by Octave's, SciPy's and mat-io's word."""

import random
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
import scipy.io
import scipy.sparse

from pyoctcompress import FileError, OctcompressError, matfile
from pyoctcompress.octave import lend
from tests.python import hdf5_writer
from tests.python.test_matfile import VALUES, same

# Octave narrows complex numbers without an imaginary part when it copies them, and reads sparse
# logical as double.
NOT_THROUGH_OCTAVE = ("complex with zero imaginary part", "sparse logical")
NAMED = {f"v{k}": value for k, value in enumerate(VALUES.values())}
KIND = dict(zip(NAMED, VALUES, strict=True))
SINGLE = f"v{list(VALUES).index('complex single')}"


@pytest.fixture(scope="module")
def octave_files(tmp_path_factory):
    """The same variables in all the forms of Octave's save."""
    folder = tmp_path_factory.mktemp("kinds")
    values = {k: v for k, v in NAMED.items() if KIND[k] not in NOT_THROUGH_OCTAVE}
    with lend() as session:
        session.call("nn_save", str(folder / "v6.mat"), values)
    program = f"""
      cd ('{folder}'); s = load ('v6.mat');
      m.range = 1:0.25:3; m.diagonal = 2 * eye (2, 3); m.turned = eye (3)(:, [2 3 1]);
      m.flags = logical (sparse ([0 1; 1 0])); m.waves = sparse ([0 2i]); m.large = 1:5000;
      m.s3 = reshape ('abcdefgh', 2, 2, 2); m.missing = [NA 1];
      for form = {{'text', 'binary', 'v7', 'hdf5'}}
        if strcmp (form{{1}}, 'hdf5')  % Octave cannot write complex single there
          s = rmfield (s, '{SINGLE}');
        end
        save (['-' form{{1}}], [form{{1}} '.mat'], '-struct', 's');
        if strcmp (form{{1}}, 'v7')  % Octave writes a sparse logical array wrongly there
          save ('-v7', 'more-v7.mat', '-struct', 'm', 'range', 'diagonal', 'turned', 'waves', ...
                'large', 's3', 'missing');
        else
          save (['-' form{{1}}], ['more-' form{{1}} '.mat'], '-struct', 'm');
        end
      end
      full = [1 2.5; -3 4]; wave = [1 2i]; note = 'hello';
      sieve = sparse ([0 0 2; 1 0 0]);
      save ('-v4', 'v4.mat', 'full', 'wave', 'note', 'sieve');
    """
    command = ["octave-cli", "-q", "--norc", "--eval", program]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert (folder / "v4.mat").exists(), done.stderr
    return folder


@pytest.mark.parametrize("form", ["text", "binary", "hdf5", "v7"])
def test_what_octave_saved(form, octave_files):
    expected = matfile.load(octave_files / "v6.mat")
    wanted = [name for name in expected if form != "hdf5" or name != SINGLE]
    back = matfile.load(octave_files / f"{form}.mat", wanted)
    different = []
    for name in wanted:
        ours = back[name]
        if form == "hdf5" and isinstance(ours, dict):  # sorts the fields
            ours = {key: ours[key] for key in expected[name]}
        if not same(ours, expected[name]) and KIND[name] != "empty struct array":
            different.append((KIND[name], ours, expected[name]))
    assert not different
    assert set(back) == set(wanted)


@pytest.mark.parametrize("form", ["text", "binary", "hdf5"])
def test_what_octave_keeps_in_special_forms(form, octave_files):
    """Ranges, diagonal and permuted matrices, sparse logical and complex, shrunk integers."""
    expected = matfile.load(octave_files / "more-v7.mat")
    expected["flags"] = scipy.sparse.csc_array(np.array([[False, True], [True, False]]))
    back = matfile.load(octave_files / f"more-{form}.mat")
    assert list(back) and set(back) == set(expected)
    for name, value in expected.items():
        if name == "missing":
            assert np.array_equal(back[name], value, equal_nan=True)
        else:
            assert same(back[name], value), (name, back[name], value)


def test_version_4(octave_files, tmp_path):
    back = matfile.load(octave_files / "v4.mat")
    assert same(back["full"], np.array([[1, 2.5], [-3, 4]]))
    assert same(back["wave"], np.array([[1, 2j]])) and back["note"] == "hello"
    assert same(back["sieve"].toarray(), np.array([[0, 0, 2.0], [1, 0, 0]]))
    values = {
        "w": np.arange(6.0).reshape(2, 3),
        "bytes": np.array([[1, 200]], np.uint8),
        "single": np.array([[1.5, 2]], np.float32),
        "empty": np.zeros((0, 3)),
        "text": np.array(["ab", "cd"]),
    }
    scipy.io.savemat(tmp_path / "a.mat", values, format="4")
    judge = scipy.io.loadmat(tmp_path / "a.mat")
    back = matfile.load(tmp_path / "a.mat")
    for name in ("w", "bytes", "single", "empty"):  # in MATLAB every number of v4 is a double
        assert same(back[name], judge[name].astype(float))
    assert back["text"].tolist() == [["a", "b"], ["c", "d"]]
    assert set(matfile.load(tmp_path / "a.mat", ["w"])) == {"w"}


@pytest.mark.parametrize("options", [{}, {"compression": "gzip"}], ids=["plain", "deflated"])
def test_version_73(options, tmp_path):
    file = tmp_path / "a.mat"
    hdf5_writer.write(file, NAMED, **options)
    back = matfile.load(file)
    # a struct array of 0 x 0 keeps its fields, a cell of N x 1 is a list as elsewhere
    different = [KIND[k] for k, value in NAMED.items() if not same(back[k], value)]
    assert not different
    assert set(matfile.load(file, ["v3"])) == {"v3"}


def test_mat_io_reads_the_same_of_version_73(tmp_path):
    """The writer of these tests, judged by a reader that is not ours."""
    matio = pytest.importorskip("matio")
    kinds = ["matrix", "4-D single", "logical", "int8 limits", "uint64 limits", "complex", "column"]
    values = {f"v{k}": VALUES[kind] for k, kind in enumerate(kinds)}
    hdf5_writer.write(tmp_path / "a.mat", values)
    judge = matio.load_from_mat(str(tmp_path / "a.mat"))
    ours = matfile.load(tmp_path / "a.mat")
    for name in values:
        assert judge[name].dtype == ours[name].dtype and judge[name].shape == ours[name].shape
        assert np.array_equal(judge[name], ours[name])


def test_objects_are_named(tmp_path):
    with h5py.File(tmp_path / "a.mat", "w") as file:
        file["w"] = np.ones((2, 3))
        item = file.create_dataset("o", data=np.ones((1, 6), np.uint32))
        item.attrs["MATLAB_class"] = np.bytes_("SeriesNetwork")
        item.attrs["MATLAB_object_decode"] = np.int32(3)
    with pytest.raises(FileError, match=r"a MATLAB object .*SeriesNetwork.* \(at o\)"):
        matfile.load(tmp_path / "a.mat")
    left_out = []
    back = matfile.load(tmp_path / "a.mat", left_out=left_out)
    assert back["w"].shape == (3, 2) and back["o"].size == 0
    assert left_out and left_out[0].startswith("o: a MATLAB object")


def links_out(file):
    file["w"] = h5py.ExternalLink("/etc/passwd", "/w")


def external_numbers(file):
    file.create_dataset("w", shape=(4,), dtype="u1", external=[("/etc/passwd", 0, 4)])


def holds_itself(file):
    group = file.create_group("w")
    group["w"] = group


def bomb(file):
    file.create_dataset("w", shape=(2**20, 2**12), dtype="f8", chunks=(2**10, 2**10))


def refers_to_itself(file):
    cell = file.create_dataset("w", (1, 1), h5py.ref_dtype)
    cell.attrs["MATLAB_class"] = np.bytes_("cell")
    cell[0, 0] = cell.ref


def empty_of_many(file):
    item = file.create_dataset("w", data=np.array([2**40, 2**40], np.uint64))
    item.attrs["MATLAB_class"], item.attrs["MATLAB_empty"] = np.bytes_("cell"), np.uint8(1)


def crossed_sparse(file):
    group = file.create_group("w")
    group.attrs["MATLAB_sparse"], group.attrs["MATLAB_class"] = np.uint64(2), np.bytes_("double")
    group["jc"], group["ir"] = np.array([0, 9]), np.array([7])
    group["data"] = np.ones(1)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (links_out, "a link into another file"),
        (external_numbers, "numbers that lie in another file"),
        (holds_itself, "holds itself"),
        (bomb, "hardly a byte of it"),
        (refers_to_itself, "holds itself"),
        (empty_of_many, "is empty with the size"),
        (crossed_sparse, "contradict each other"),
    ],
)
def test_hostile_hdf5(make, message, tmp_path):
    with h5py.File(tmp_path / "a.mat", "w") as file:
        make(file)
    with pytest.raises(FileError, match=message):
        matfile.load(tmp_path / "a.mat", memory_limit=2**40)


TEXT = "# Created by Octave 7.3.0\n# name: w\n# type: "


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("matrix\n# rows: 99999999\n# columns: 99999999\n 1 2\n", "truncated"),
        ("matrix\n# rows: 2\n# columns: 2\n 1 2\n 3 x\n", "must be numbers"),
        ("matrix\n# rows: 1\n# columns: 2\n 1 2 3\n", "more than 2 numbers"),
        ("matrix\n# rows: 2\n# columns: 2\n 1 2\n\n# name: b\n# type: scalar\n1\n", "ends after 2"),
        ("matrix\n# rows: -1\n# columns: 2\n", "whole number"),
        ("cell\n# rows: 4000\n# columns: 4000\n", "the cell w needs"),
        ("sq_string\n# elements: 1\n# length: 999999\nab\n", "truncated"),
        ("sparse matrix\n# nnz: 1\n# rows: 1\n# columns: 1\n9 9 1\n", "beyond its size"),
        ("double_range\n# base, limit, increment\n0 1e300 1\n", "a range from 0.0"),
        ("inline function\n", "holds a inline function"),
        ("object\n", "holds a object"),
        ("int8 matrix\n# ndims: 2\n 1 1\n 300\n", "must be numbers"),
    ],
)
def test_hostile_text(content, message, tmp_path):
    (tmp_path / "a.mat").write_text(TEXT + content)
    with pytest.raises(FileError, match=message):
        matfile.load(tmp_path / "a.mat")


FUZZ = """
import random, resource, sys
from pathlib import Path
resource.setrlimit (resource.RLIMIT_AS, (2 << 30, 2 << 30))
from pyoctcompress import OctcompressError, matfile
from tests.python.test_matfile_hostile import mutated
source, count, chance = Path (sys.argv[1]), int (sys.argv[2]), random.Random (7)
content, file = source.read_bytes (), source.with_suffix ('.damaged')
loaded = refused = 0
for _ in range (count):
    file.write_bytes (mutated (content, chance))
    try:
        matfile.load (file)
        loaded += 1
    except OctcompressError as error:
        assert error.identifier.startswith ('octcompress:nn_load:'), error.identifier
        refused += 1
print (loaded, refused)
"""


@pytest.mark.parametrize("form", ["text", "binary", "hdf5", "v4", "v7.3"])
def test_damaged_by_chance(form, octave_files, tmp_path):
    """Damaged files give a value or an error of ours, within 2 GB and without a crash."""
    source = tmp_path / "a.mat"
    if form == "v7.3":
        hdf5_writer.write(source, NAMED)
    else:
        source.write_bytes((octave_files / f"{form}.mat").read_bytes())
    count = 25 if form in ("hdf5", "v7.3") else 100  # each is first read in another process
    done = subprocess.run(
        [sys.executable, "-c", FUZZ, str(source), str(count)],
        capture_output=True, text=True, timeout=120, cwd=Path(__file__).parents[2], check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    loaded, refused = map(int, done.stdout.split())
    assert loaded + refused == count and refused > count // 5


def test_every_truncation(octave_files, tmp_path):
    for form in ("text", "binary", "v4"):
        content = (octave_files / f"{form}.mat").read_bytes()
        file = tmp_path / "cut.mat"
        for stop in random.Random(3).sample(range(1, len(content) - 4), 60):
            file.write_bytes(content[:stop])
            try:
                matfile.load(file)  # a cut between two variables is not seen
            except OctcompressError as error:
                assert error.tag in ("truncated", "damaged", "badFile"), error


def test_octave_refuses_version_73_by_name(tmp_path):
    """Octave would read single as double, and lose cells: half a model."""
    hdf5_writer.write(tmp_path / "a.mat", {"w": np.eye(3, dtype=np.float32)})
    with lend() as session, pytest.raises(FileError, match="octcompress convert IN") as caught:
        session.call("nn_load", str(tmp_path / "a.mat"))
    assert caught.value.tag == "version73"
