"""From a CLIP's cosines to confidence: temperatures and logistic curves, fitted, kept as JSON by model."""

from __future__ import annotations

import math
from pathlib import Path

import torch
from pydantic import BaseModel, ConfigDict, ValidationError
from torch import Tensor
from torch.nn import functional as F

from engine.errors import BadWeights

SHIPPED = Path(__file__).parent / "calibrations"
FORMAT = 1
BINS = 10


class Curve(BaseModel):
    """Platt's logistic curve (Platt 1999) with weights that all labels of a facet share.

    P(label) = sigmoid(weights · features + bias of the label); `bias` has one value, or one a label.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    weights: tuple[float, ...]
    bias: tuple[float, ...]

    def __call__(self, x: Tensor) -> Tensor:
        """Features (..., L, F) → probabilities (..., L)."""
        return (x @ x.new_tensor(self.weights) + x.new_tensor(self.bias)).sigmoid()


class Calibration(BaseModel):
    """What turns one model's cosines into confidence.

    Attributes:
        model: fingerprint of the CLIP that it holds for.
        temperature: by exclusive facet, what cosines are divided by before the softmax.
        curves: by facet that several labels of may hold; "word" is for words of the user's own, and
            "light" tells pictures under light from bare colour: see `badges.light`.
        materials: how many it was fitted on; 0 says that it was not fitted at all.
        ece: expected calibration error by facet, on materials that the fit did not see.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: int = FORMAT
    model: str
    temperature: dict[str, float]
    curves: dict[str, Curve]
    materials: int = 0
    ece: dict[str, float] = {}

    @property
    def fitted(self) -> bool:
        """Whether its figures are confidences, or only the model's own guesses."""
        return self.materials > 0


def file_name(model: str) -> str:
    """Of the calibration of a model."""
    return f"{model}.json"


def read(model: str, folder: Path) -> Calibration | None:
    """The calibration of a model: one of the user's own, or one that ships; None where nobody fitted one.

    Raises:
        BadWeights: the file cannot be read.
    """
    for place in (folder, SHIPPED):
        path = place / file_name(model)
        if not path.is_file():
            continue
        try:
            found = Calibration.model_validate_json(path.read_text("utf-8"))
        except (OSError, ValidationError) as error:
            raise BadWeights(
                f"The calibration {path} cannot be read. Delete it, or fit it again.", details=str(error)
            ) from error
        if found.format == FORMAT:
            return found
    return None


def unfitted(model: str, logit_scale: float, features: dict[str, int]) -> Calibration:
    """What a model without a calibration says by itself: the temperature that it was trained with.

    Args:
        model: its fingerprint.
        logit_scale: 1 / temperature.
        features: how many features the curve of each facet has; the first is a difference of cosines.
    """
    curves = {
        name: Curve(weights=(logit_scale, *[0.0] * (n - 1)), bias=(-1.0,)) for name, n in features.items()
    }
    return Calibration(
        model=model, temperature=dict.fromkeys(("material", "colour"), 1 / logit_scale), curves=curves
    )


def fit_temperature(cosines: Tensor, truth: Tensor) -> float:
    """The temperature with the least negative log-likelihood (Guo et al. 2017).

    Args:
        cosines: (N, L).
        truth: (N,), index of the label that holds.
    """
    grid = [0.004 * 1.06**k for k in range(80)]  # 0.004 to 0.4
    losses = [float(F.cross_entropy(cosines / t, truth)) for t in grid]
    return grid[losses.index(min(losses))]


def fit_curve(x: Tensor, y: Tensor, *, by_label: bool, ridge: float = 1.0) -> Curve:
    """The likeliest logistic curve, where weights of standardised features and biases are near 0 beforehand.

    Args:
        x: features (N, L, F), any scale.
        y: (N, L), 0 or 1.
        by_label: whether each label gets its own bias; they are drawn towards each other, as some labels
            hold of few materials.
        ridge: 1 / variance of that belief.
    """
    mean, deviation = x.mean((0, 1)), x.std((0, 1)).clamp(min=1e-6)
    z, y = ((x - mean) / deviation).double(), y.double()
    w = torch.zeros(x.shape[-1], dtype=torch.float64, requires_grad=True)
    common = torch.logit(y.mean().clamp(1e-3, 1 - 1e-3)).reshape(1).clone().requires_grad_()
    own = torch.zeros(x.shape[1] if by_label else 1, dtype=torch.float64, requires_grad=True)
    steps = torch.optim.LBFGS([w, common, own], max_iter=100, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        steps.zero_grad()
        logits = z @ w + common + own
        fit = F.binary_cross_entropy_with_logits(logits, y.expand_as(logits))
        penalty = ridge / 2 * (own.square().sum() + w.square().sum()) / y.numel()
        (fit + penalty).backward()
        return fit + penalty

    with torch.enable_grad():
        steps.step(loss)
    weights = (w.detach() / deviation).tolist()
    shift = sum(a * b for a, b in zip(weights, mean.tolist(), strict=True))
    return Curve(weights=tuple(weights), bias=tuple((common + own).detach().sub(shift).tolist()))


def expected_calibration_error(confidence: Tensor, right: Tensor) -> float:
    """Mean distance between confidence and how often it is right, over ten bins of equal width.

    Args:
        confidence: any shape, 0..1.
        right: the same shape, 0 or 1.

    Source: Guo et al. 2017, section 2.
    """
    confidence, right = confidence.flatten().double(), right.flatten().double()
    bins = (confidence * BINS).long().clamp(max=BINS - 1)
    error = 0.0
    for b in range(BINS):
        here = bins == b
        if bool(here.any()):
            gap = abs(float(confidence[here].mean()) - float(right[here].mean()))
            error += gap * float(here.double().mean())
    return error if math.isfinite(error) else 1.0
