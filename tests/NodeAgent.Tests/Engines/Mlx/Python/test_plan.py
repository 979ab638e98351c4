import pytest
from clusterllm_mlx.plan import Plan, PlanError, parse_plan


def test_uneven_ranges_are_read_with_the_last_stage_first() -> None:
    plan = parse_plan('{"group": "g1", "world": 3, "ranks": [[25, 30], [9, 25], [0, 9]]}', 1)

    assert plan == Plan("g1", ((25, 30), (9, 25), (0, 9)), 1)
    assert (plan.first_layer, plan.end_layer, plan.layers) == (9, 25, 30)
    assert not plan.is_first_stage and not plan.is_last_stage


@pytest.mark.parametrize(("text", "says"), [
    ("[", "no JSON"),
    ("[]", "must be an object"),
    ('{"ranks": []}', "no ranks"),
    ('{"ranks": [[0, 2.5]]}', "whole numbers"),
    ('{"ranks": [[0, true]]}', "whole numbers"),
    ('{"ranks": [[2, 4], [0, 1]]}', "layer 1 comes next"),
    ('{"ranks": [[1, 4], [0, 2]]}', "layer 2 comes next"),
    ('{"ranks": [[0, 2], [2, 4]]}', "layer 0 comes next"),
    ('{"ranks": [[2, 2], [0, 2]]}', "no layers"),
    ('{"world": 3, "ranks": [[2, 4], [0, 2]]}', "world 3"),
    ('{"ranks": [[0, 4]], "backend": "mpi"}', "'mpi' is unknown"),
])
def test_a_plan_that_does_not_cover_every_layer_once_is_refused(text: str, says: str) -> None:
    with pytest.raises(PlanError, match=says):
        parse_plan(text, 0)


def test_a_rank_outside_the_plan_is_refused() -> None:
    with pytest.raises(PlanError, match="Rank 2 is outside"):
        parse_plan('{"ranks": [[2, 4], [0, 2]]}', 2)
