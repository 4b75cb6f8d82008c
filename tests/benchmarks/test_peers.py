"""The comparison with other packages: training, sizes of networks, and training time of contenders."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

FOLDER = Path(__file__).parents[2] / "benchmarks" / "peers"
NAMES = [file.stem for file in sorted(FOLDER.glob("*.py"))]
ABSENT = "the packages are installed apart: benchmarks/peers/requirements.txt"
WITH_LIGHTWEIGHT = pytest.mark.skipif(find_spec("lightweight_gan") is None, reason=ABSENT)
WITH_STYLE = pytest.mark.skipif(find_spec("stylegan2_pytorch") is None, reason=ABSENT)
PEERS = [pytest.param("LightweightGan", marks=WITH_LIGHTWEIGHT), pytest.param("StyleGan2", marks=WITH_STYLE)]
# Parameters of their narrow networks, divided by ours.
RATIOS = {"LightweightGan": 1.06, "StyleGan2": 1.56}


@pytest.fixture(scope="module")
def peers() -> Iterator[dict[str, ModuleType]]:
    """Import the comparison's modules as its scripts do; remove them afterwards."""
    threads = torch.get_num_threads()
    before = {name: sys.modules.pop(name) for name in NAMES if name in sys.modules}
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(FOLDER))
        patch.syspath_prepend(str(FOLDER.parent))
        yield {name: importlib.import_module(name) for name in NAMES}
    for name in NAMES:
        sys.modules.pop(name, None)
    sys.modules.update(before)
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    """Images of one colour each."""
    colours = np.random.default_rng(0).integers(0, 256, (24, 3, 1, 1))
    return np.broadcast_to(colours, (24, 3, 64, 64)).astype(np.uint8)


def weights_of(contender: Any) -> list[Any]:
    """Return copies of all trained parameters."""
    generators, discriminator = contender.networks
    return [p.detach().clone() for network in (*generators, discriminator) for p in network.parameters()]


def check_contender(contender: Any, shares: list[float]) -> None:
    """Check that steps change the weights of both networks, and that samples are images."""
    before = weights_of(contender)
    for share in shares:
        contender.step(share)
    after = weights_of(contender)
    last = len(list(contender.networks[1].parameters()))
    for some in (slice(-last), slice(-last, None)):
        moved = [not torch.equal(a, b) for a, b in zip(before[some], after[some], strict=True)]
        assert sum(moved) > 0.8 * len(moved)
    for samples in contender.samples(3).values():
        assert samples.shape == (3, 3, 64, 64)
        assert samples.min() >= 0 and samples.max() <= 1 and samples.std() > 0


def test_our_contender_trains(peers: dict[str, ModuleType], images: np.ndarray):
    contender = peers["ours"].Ours(images, "cpu", 1, components=8, z_dim=8, width=4, max_width=8, batch=2)
    check_contender(contender, [0.0, 0.1, 0.5, 0.6, 0.7])
    # The half-life of the average is that of a run of 10 steps of 2 images, estimated from the speed of the last steps.
    assert contender.trainer.preset.kimg == pytest.approx(0.02 / 1.75, rel=0.01)


@pytest.mark.parametrize("name", PEERS)
def test_a_package_trains(peers: dict[str, ModuleType], images: np.ndarray, name: str):
    small = {
        "LightweightGan": {"latent_dim": 8, "fmap_max": 16, "fmap_inverse_coef": 6, "attn_res_layers": []},
        "StyleGan2": peers["packages"].STYLE_NARROW,
    }[name]
    contender = getattr(peers["packages"], name)(images, "cpu", 1, **small)
    contender.batch = 2
    check_contender(contender, [0.0, 0.5])


@pytest.mark.parametrize("name", PEERS)
def test_narrow_networks_are_as_large_as_stated(peers: dict[str, ModuleType], images: np.ndarray, name: str):
    packages, ours = peers["packages"], peers["ours"].Ours(images, "cpu", 1)
    narrow = {"LightweightGan": packages.LIGHTWEIGHT_NARROW, "StyleGan2": packages.STYLE_NARROW}[name]
    theirs = getattr(packages, name)(images, "cpu", 1, **narrow)
    counts = [sum(p.numel() for p in weights_of(contender)) for contender in (ours, theirs)]
    assert counts[1] / counts[0] == pytest.approx(RATIOS[name], rel=0.05)


@WITH_STYLE
def test_path_lengths_are_pulled_to_their_mean(peers: dict[str, ModuleType], images: np.ndarray):
    contender = peers["packages"].StyleGan2(images, "cpu", 1, **peers["packages"].STYLE_NARROW)

    def penalty() -> Any:
        styles = contender.styles(contender.gan.S, 2, False)
        return contender.path_penalty(styles, contender.gan.G(styles, contender.noise(2)))

    assert penalty() == 0
    first = float(contender.path_length)
    second = penalty()
    assert first > 0 and second > 0 and second.requires_grad
    assert contender.path_length == pytest.approx(first, rel=0.2)


def test_training_ends_after_its_time(peers: dict[str, ModuleType]):
    shares: list[float] = []

    class Runner:
        batch = 4

        def step(self, share: float) -> None:
            shares.append(share)

    seconds = iter([0.0, 2.0, 5.0, 9.0, 12.0, 12.0])
    trained = peers["contender"].train_contender(Runner, 10, lambda: next(seconds))
    assert shares == [0.2, 0.5, 0.9]
    assert (trained.steps, trained.seconds, trained.rate) == (3, 12.0, 1.0)


def test_copies_are_distinguished_from_other_samples(peers: dict[str, ModuleType]):
    pytest.importorskip("efficientnet_lite_pytorch")
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 256, (80, 3, 8, 8)).astype(np.uint8)
    known, other = coarse[:40].repeat(8, 2).repeat(8, 3), coarse[40:].repeat(8, 2).repeat(8, 3)
    judge = peers["judge"].SampleJudge(known)
    same = judge.measures(torch.from_numpy(known).float() / 255)
    apart = judge.measures(torch.from_numpy(other).float() / 255)
    assert same["copies"] == 1 and same["nearest"] == 0 and same["fd"] < 1e-3
    assert apart["copies"] < 0.2 and apart["nearest"] > 0.5 and apart["fd"] > same["fd"]


def test_existing_results_are_reused(peers: dict[str, ModuleType], tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    bench, ran = peers["bench"], []
    monkeypatch.setattr(bench.subprocess, "run", lambda command, **_: ran.append(command[-1]))
    done = {"data": "heads", "contender": "b", "seed": 1, "seconds": 5.0, "device": "cpu", "fd": 2.0}
    (tmp_path / "results.jsonl").write_text(json.dumps(done) + '\n{"data": "heads", "contender": "a", "se')
    given = ["heads", "--out", str(tmp_path), "--seconds", "5", "--seeds", "1"]
    options = bench.comparison_parser("", 90, "1,2", "runs/x").parse_args(given)
    assert bench.collect_results(options, ["a", "b"], lambda *_: None) == [done]
    assert ran == ["0"]


def test_only_the_middle_of_portraits_is_used(peers: dict[str, ModuleType], tmp_path: Path):
    from PIL import Image

    pixels = np.zeros((128, 256, 3), np.uint8)
    pixels[:, 64:192] = 200
    Image.fromarray(pixels).save(tmp_path / "wide.png")
    found = peers["images"].read_portraits(tmp_path)
    assert found.shape == (1, 3, 64, 64)
    assert (found > 180).all()


def test_crops_of_textures_are_halved(peers: dict[str, ModuleType], tmp_path: Path):
    from PIL import Image

    (tmp_path / "brick").mkdir()
    stripes = np.zeros((200, 256, 3), np.uint8)
    stripes[:, ::2] = 200
    Image.fromarray(stripes).save(tmp_path / "brick" / "albedo.png")
    crops = peers["images"].read_textures(tmp_path)
    assert crops.shape == (4, 3, 64, 64)
    assert (crops == 100).all()
