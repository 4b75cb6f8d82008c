"""Measures of images without a network: by category, for materials and for aligned images."""

from __future__ import annotations

import numpy as np
import pytest

from ganassets.api.conditions import Condition
from ganassets.training.evaluation.details import detail_features, has_details
from ganassets.training.evaluation.image_measures import (
    ImageMeasures,
    ImageReference,
    category_labels,
    mean_scores,
    record_structure,
)
from ganassets.training.evaluation.structure import StructureScores
from support.domains import make_data, make_preset, make_spec
from support.pattern_images import clouds, stripes, tint, walls

GREY, WHITE = (0.1, 0.1, 0.1), (0.9, 0.9, 0.9)


def images(planes: np.ndarray) -> np.ndarray:
    return tint(planes, GREY, WHITE)


def test_categories_are_numbered():
    spec = make_spec("tile", make_preset(), lambda *arguments: make_data("tile"))
    conditions = (Condition("age", "How old."), Condition("kind", "What it is.", choices=("wall", "floor")))
    spec = type(spec)(**{**vars(spec), "conditions": conditions})
    rows = np.array([[0.3, 1, 0], [0.9, 1, 0], [0.3, 0, 1], [0.3, 0.5, 0.5]], np.float32)
    assert category_labels(spec, rows).tolist() == [0, 0, 1, 2]


def test_each_category_is_compared_with_its_own():
    """Walls in the place of stripes, and stripes in the place of walls, are not the data."""
    planes = np.concatenate([walls(16, 64), stripes(16, 64, 16)])
    other = np.concatenate([walls(16, 64, seed=5), stripes(16, 64, 16, seed=5)])
    labels = np.repeat([3, 8], 16)
    real = ImageReference(images(planes), labels, has_places=False)
    right = real.measure(images(other), labels).structure
    wrong = real.measure(images(other), labels[::-1]).structure
    assert right is not None and wrong is not None
    assert right.structure > 0.8 > 0.4 > wrong.structure
    few = real.measure(images(other), np.arange(32)).structure
    assert few is not None and few.structure > 0.5, "categories with too few samples are compared together"


def test_what_has_its_place_has_no_structure_score():
    found = ImageReference(images(walls(8, 64)), np.zeros(8, int), has_places=True).measure(
        images(walls(8, 64)), np.zeros(8, int)
    )
    assert found.structure is None and list(found.pyramid) == [64, 32, 16]


def test_means_leave_out_what_is_unknown():
    nan = float("nan")
    a, b = StructureScores(1, 0.1, 1, nan, nan, 0.5), StructureScores(3, 0.1, 0, 1, nan, 1)
    mean = mean_scores([a, b], [1, 3])
    assert (mean.spectrum, mean.edges, mean.arrangement, mean.structure) == (2.5, 0.25, 1, pytest.approx(0.875))
    assert np.isnan(mean.peaks)
    record = record_structure({"albedo": ImageMeasures({64: 1.0}, mean), "skin": ImageMeasures({64: 1.0})})
    assert list(record) == ["albedo"] and record["albedo"]["peaks"] is None and record["albedo"]["edges"] == 0.25


def test_details_tell_edges_from_noise():
    wall, noise = detail_features(images(walls(8, 64))), detail_features(images(clouds(8, 64, 1)))
    assert wall.shape == noise.shape == (8, 21) and np.isfinite(wall).all()
    np.testing.assert_allclose(detail_features(images(walls(8, 64))[..., ::-1]), wall, atol=1e-6)
    np.testing.assert_allclose(detail_features(images(walls(8, 64)) + np.float32(0.1)), wall, atol=1e-4)
    assert np.linalg.norm(wall.mean(0) - noise.mean(0)) > 4 * np.linalg.norm(wall.std(0))
    assert np.isfinite(detail_features(np.full((2, 3, 16, 16), 0.5, np.float32))).all()
    assert not has_details(np.zeros((2, 3, 8, 64), np.float32))
