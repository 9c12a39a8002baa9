"""The judges themselves: versions that can judge what the other tests ask of them."""

import shapely


def test_shapely_can_judge_a_coverage():
    assert hasattr(shapely, "coverage_is_valid"), "shapely 2.1 or later is needed"
