import pytest
from clusterllm_mlx.plan import Assignment, Plan, PlanError, parse_assignment


def test_uneven_ranges_are_read_with_the_last_stage_first() -> None:
    plan = parse_assignment('{"group": "g1", "world": 3, "ranks": [[25, 30], [9, 25], [0, 9]]}', 1)

    assert plan == Assignment("g1", 3, 1, 9, 25)


def test_a_rank_may_be_told_its_own_layers_only() -> None:
    own = parse_assignment('{"group": "g1", "world": 3, "layers": [9, 25]}', 1)
    plan = own.with_ranges([[25, 30], [9, 25], [0, 9]])

    assert plan == Plan("g1", ((25, 30), (9, 25), (0, 9)), 1)
    assert (plan.first_layer, plan.end_layer, plan.layers) == (9, 25, 30)
    assert not plan.is_first_stage and not plan.is_last_stage


def test_ranks_that_were_told_different_plans_are_refused() -> None:
    own = parse_assignment('{"group": "g1", "world": 2, "layers": [0, 12]}', 1)

    with pytest.raises(PlanError, match="Rank 0 begins at layer 13, but layer 12 comes next"):
        own.with_ranges([[13, 30], [0, 12]])


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
    ('{"layers": [0, 4]}', "World None"),
    ('{"world": 1, "layers": [4, 4]}', "no layers"),
    ('{"world": 1}', "whole numbers"),
])
def test_a_plan_that_does_not_cover_every_layer_once_is_refused(text: str, says: str) -> None:
    with pytest.raises(PlanError, match=says):
        parse_assignment(text, 0)


def test_a_rank_outside_the_plan_is_refused() -> None:
    with pytest.raises(PlanError, match="Rank 2 is outside"):
        parse_assignment('{"ranks": [[2, 4], [0, 2]]}', 2)
