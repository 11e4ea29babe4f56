"""The learning rate of each step, and what AdamW does to parameters of low precision."""

import math

import pytest
import torch
from torch import nn

from workbench.train.job import Job
from workbench.train.optimizer import ScheduledAdamW, mean_step
from workbench.train.schedule import RateSchedule


def test_the_rate_warms_up_and_falls_to_its_end() -> None:
    schedule = RateSchedule(total=12, warm=2, end=0.1)
    rates = [schedule.rate(2.0, step) for step in range(13)]
    assert rates[:3] == [1.0, 2.0, 2.0]
    assert rates[7] == pytest.approx(2.0 * 0.55)
    assert rates[12] == pytest.approx(0.2)


@pytest.mark.parametrize(("shape", "half"), [("cosine", 0.5), ("linear", 0.5), ("constant", 1.0)])
def test_a_jobs_rate_has_the_shape_that_it_names(shape: str, half: float) -> None:
    schedule = RateSchedule.of(Job("s", lr=4.0, schedule=shape, warmup=0.2), total=10)
    assert schedule.warm == 2
    assert schedule.rate(4.0, 6) == pytest.approx(4.0 * half)


def test_updates_below_the_precision_of_a_parameter_add_up() -> None:
    live = nn.Parameter(torch.ones(3, dtype=torch.bfloat16))
    optimizer = ScheduledAdamW(
        [([live], 1e-4)], RateSchedule(100, shape="constant"), weight_decay=0.0
    )
    for step in range(100):  # one update of 1e-4 is a fortieth of what bfloat16 can tell from 1
        live.grad = torch.ones_like(live)
        optimizer.step(step)
        if step == 0:
            assert live.tolist() == [1.0] * 3
    assert live.tolist() == [0.98828125] * 3
    assert live.grad is None


def test_parameters_of_full_precision_get_what_plain_adamw_gives() -> None:
    ours, plain = (nn.Parameter(torch.arange(4.0)) for _ in range(2))
    optimizer = ScheduledAdamW([([ours], 1e-2)], RateSchedule(3, shape="constant"))
    adam = torch.optim.AdamW([plain], lr=1e-2, betas=(0.9, 0.98), weight_decay=0.01)
    for step in range(3):
        ours.grad, plain.grad = torch.full((4,), step + 1.0), torch.full((4,), step + 1.0)
        optimizer.step(step)
        adam.step()
    assert torch.equal(ours, plain)


def test_each_group_has_its_own_peak_and_frozen_parameters_stay() -> None:
    first, second, frozen = (nn.Parameter(torch.zeros(1)) for _ in range(3))
    frozen.requires_grad_(False)
    groups = [([first, frozen], 1e-1), ([second], 1e-2)]
    optimizer = ScheduledAdamW(groups, RateSchedule(2, shape="constant"), weight_decay=0.0)
    first.grad, second.grad = torch.ones(1), torch.ones(1)
    assert optimizer.step(0) == 1e-1
    assert [round(p.item(), 4) for p in (first, second, frozen)] == [-0.1, -0.01, 0.0]


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_gradient_is_clipped_and_its_length_is_that_before(dtype: torch.dtype) -> None:
    live = nn.Parameter(torch.zeros(2, dtype=dtype))
    optimizer = ScheduledAdamW([([live], 1.0)], RateSchedule(1))
    live.grad = torch.tensor([3.0, 4.0], dtype=dtype)
    assert optimizer.clip(1.0) == pytest.approx(5.0)
    clipped = optimizer.adam.param_groups[0]["params"][0].grad
    assert float(clipped.norm()) == pytest.approx(1.0, rel=1e-5)


def test_a_step_on_several_losses_is_a_step_on_their_mean() -> None:
    apart, together = (nn.Parameter(torch.tensor([1.0, -2.0])) for _ in range(2))
    factors = (1.0, 2.0, 6.0)
    optimizers = [ScheduledAdamW([([p], 1e-1)], RateSchedule(1)) for p in (apart, together)]
    mean, norm = mean_step(optimizers[0], 0, ((apart**2).sum() * f for f in factors), 3)
    whole, same = mean_step(optimizers[1], 0, [(together**2).sum() * 3], 1)
    assert (mean, norm) == pytest.approx((whole, same))
    assert norm == pytest.approx(6 * math.sqrt(5))
    torch.testing.assert_close(apart, together)


def test_gradients_of_low_precision_add_up_in_full_precision() -> None:
    live = nn.Parameter(torch.zeros(1, dtype=torch.bfloat16))
    optimizer = ScheduledAdamW([([live], 1.0)], RateSchedule(1))
    for _ in range(300):  # in bfloat16 the sum stays at 256
        live.grad = torch.ones_like(live)
        optimizer.gather()
    assert optimizer.adam.param_groups[0]["params"][0].grad.tolist() == [300.0]
